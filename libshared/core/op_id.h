/*
 * op_id.h - 128-bit, time-ordered operation ids (RFC 9562 UUID version 7).
 *
 * The first 48 bits are unix milliseconds, so ids sort by creation and land next to each
 * other in an index. The caller of an operation makes the id once and keeps it across
 * retries. All zero means "no id".
 */
#ifndef CORE_OP_ID_H
#define CORE_OP_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"

#define OP_ID_SIZE      16
#define OP_ID_TEXT_SIZE 37 /* 8-4-4-4-12 and the NUL */

struct op_id {
    uint8_t bytes[OP_ID_SIZE];
};

/* A fresh id from the wall clock and the kernel's random source: ids made in different
 * microseconds sort in their order. Any thread. */
struct op_id op_id_new(void);
/* The same from given parts, for tests and simulators. */
struct op_id op_id_make(int64_t unix_us, uint64_t random_high, uint64_t random_low);

bool op_id_is_zero(const struct op_id *id);
bool op_id_equal(const struct op_id *a, const struct op_id *b);
int op_id_compare(const struct op_id *a, const struct op_id *b);
/* Even spread, the same in every process; not keyed, so bound what a peer may fill. */
uint64_t op_id_hash(const struct op_id *id);
int64_t op_id_time_us(const struct op_id *id); /* unix microseconds, millisecond steps */
bool op_id_is_v7(const struct op_id *id);

/* Lower case. The parser takes both cases and any version. */
void op_id_format(char out[OP_ID_TEXT_SIZE], const struct op_id *id);
bool op_id_parse(struct op_id *out, const char *text) MUST_USE;
/* False unless exactly 16 bytes. */
bool op_id_from_bytes(struct op_id *out, const void *data, size_t size) MUST_USE;

#endif /* CORE_OP_ID_H */
