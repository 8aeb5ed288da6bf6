/*
 * answer_limit.h - how large an answer of a provider may be.
 *
 * What we pass on travels in one reply frame of at most 4 MiB (rpc/server.h), which the
 * answer shares with the fields around it. The one number to raise when frames grow.
 */
#ifndef GATEWAY_ANSWER_LIMIT_H
#define GATEWAY_ANSWER_LIMIT_H

#include <stddef.h>

#define ANSWER_LIMIT_KIB   3584
#define ANSWER_LIMIT_BYTES ((size_t)ANSWER_LIMIT_KIB * 1024)

#endif /* GATEWAY_ANSWER_LIMIT_H */
