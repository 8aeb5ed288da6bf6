/*
 * address.h - may the gateway dial this address?
 *
 * Providers live on the public Internet, so whatever a name resolves to, private,
 * link-local, shared, multicast and reserved ranges are refused, also when an IPv4 address
 * hides in an IPv6 one. Loopback is for the simulator alone: a request meant for loopback
 * may go only there, and no other request may.
 *
 * Pure.
 */
#ifndef GATEWAY_ADDRESS_H
#define GATEWAY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* `size` is the length of *address; families other than IPv4 and IPv6 are refused. */
bool address_may_dial(const struct sockaddr *address, size_t size, bool to_loopback);

#endif /* GATEWAY_ADDRESS_H */
