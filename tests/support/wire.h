/*
 * wire.h - the protocol as another language would speak it: SP over a TCP socket and the
 * generated messages, without nng and without libshared/rpc's client (S5).
 *
 *     both send  00 53 50 00 | u16be protocol | 00 00
 *     then       u64be length | u32be request id | one Frame
 *
 * Threads: one owner.
 */
#ifndef SUPPORT_WIRE_H
#define SUPPORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"
#include "metercache/v1/rpc.pb-c.h"

struct wire {
    int fd; /* -1: closed */
    uint32_t last_id;
    struct arena arena; /* answers live here until wire_close */
};

/* Connect and shake hands; false when nobody does. `url` is tcp://... */
bool wire_open(struct wire *wire, const char *url);
void wire_close(struct wire *wire);

/* Any bytes as one SP message with a request id. */
bool wire_send(struct wire *wire, const void *data, size_t size);
/* The answer to the last one sent; NULL when the connection ended or nothing came. */
const Metercache__V1__Response *wire_receive(struct wire *wire);

struct wire_request {
    const char *method;  /* "/metercache.v1.CreatorService/Search" */
    const char *bearer;  /* NULL: none */
    const void *payload; /* the method's message, as bytes */
    size_t payload_size;
    uint32_t version;    /* 0: 1 */
    uint64_t timeout_us; /* 0: the server's default */
};

/* Send it and wait for the answer, whose error goes to *err. NULL as wire_receive. */
const Metercache__V1__Response *wire_call(struct wire *wire,
                                          const struct wire_request *request,
                                          struct error *err);

/* Fields of a message by hand: what protobuf-c would not write. */
void wire_put_number(struct buf *out, unsigned field, uint64_t value);
void wire_put_bytes(struct buf *out, unsigned field, const void *data, size_t size);

#endif /* SUPPORT_WIRE_H */
