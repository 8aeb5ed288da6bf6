/*
 * raw_echo.h - nng request and reply with nothing around them: the yardstick of benches.
 *
 * A REP socket with many contexts that send back what they got, in a process of its own,
 * and one REQ socket over tcp on loopback, as the product's clients have.
 */
#ifndef SUPPORT_RAW_ECHO_H
#define SUPPORT_RAW_ECHO_H

#include <stdbool.h>
#include <stddef.h>

struct raw_echo;

/* Call before anything else uses nng: the server is forked. `callers` contexts. */
struct raw_echo *raw_echo_open(unsigned callers, size_t message_bytes);
void raw_echo_close(struct raw_echo *echo);

/* One round trip on the caller's own context; a load_options.call. */
bool raw_echo_call(void *echo, unsigned caller);

#endif /* SUPPORT_RAW_ECHO_H */
