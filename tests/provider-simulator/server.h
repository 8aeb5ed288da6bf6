/*
 * server.h - the HTTP side: reads requests, lets behaviours act, sends, counts.
 *
 * One libmicrohttpd thread serves everything; held requests need none (parking.h).
 * Bounds: bodies of 1 MiB, 2,000 connections, 120 s without progress on a connection.
 */
#ifndef SIMULATOR_SERVER_H
#define SIMULATOR_SERVER_H

#include <stdint.h>

#include "simulator.h"

struct server;

/* Listen on an IPv4 address; port 0 picks one. NULL with errno when that is impossible. */
struct server *server_start(struct simulator *simulator, const char *address,
                            uint16_t port);
uint16_t server_port(const struct server *server);

/* Release held requests, finish what is being sent, close. Takes NULL. */
void server_stop(struct server *server);

#endif
