/*
 * connect.h - a TCP connection to this host with time-outs, for tests that speak a protocol
 * by hand.
 */
#ifndef SUPPORT_CONNECT_H
#define SUPPORT_CONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base.h"

struct connect_address {
    char text[64]; /* "127.0.0.1:20001" */
    char host[48];
    uint16_t port;
    const char *rest; /* of the URL, from the '/' on; "" when there is none */
};

/* Reads SCHEME ADDRESS:PORT REST, such as "tcp://" and IPv4. */
bool connect_parse(struct connect_address *out, const char *url,
                   const char *scheme) MUST_USE;

/* A descriptor, or -1. Each later send and receive may take that long. */
int connect_open(const struct connect_address *address, unsigned timeout_ms);
void connect_close(int fd);

bool connect_send(int fd, const void *data, size_t size);
/* As recv: 0 is the end, -1 an error or too late. */
ssize_t connect_receive(int fd, void *data, size_t size);
/* Exactly that much, or false. */
bool connect_receive_all(int fd, void *data, size_t size);

#endif /* SUPPORT_CONNECT_H */
