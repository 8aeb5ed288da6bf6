/*
 * ops_socket.h - a listening TCP socket on one given address.
 */
#ifndef OPS_OPS_SOCKET_H
#define OPS_OPS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

#define OPS_ADDRESS_SIZE 80 /* "[address]:port" and its NUL fit */

struct ops_socket {
    int fd;
    bool is_ipv6;
    char address[OPS_ADDRESS_SIZE]; /* as bound */
};

/* "host:port", an IPv6 host in brackets; a name is bound at its first address.
 * ST_INVALID: malformed or unknown host; ST_UNAVAILABLE: cannot be bound. */
MUST_USE enum status ops_socket_open(struct ops_socket *out, const char *address,
                                     struct error *err);

#endif /* OPS_OPS_SOCKET_H */
