#include "core/op_id.h"

#include <string.h>

#include "core/clock.h"
#include "core/parse.h"
#include "core/rng.h"

#define TIME_BYTES       6
#define FRACTIONS_PER_MS 4096 /* 12 bits of a millisecond: RFC 9562, 6.2, method 3 */

struct op_id op_id_new(void)
{
    int64_t now_us = clock_wall_us();
    uint64_t fraction =
        (uint64_t)(now_us % CLOCK_US_PER_MS) * FRACTIONS_PER_MS / (uint64_t)CLOCK_US_PER_MS;

    return op_id_make(now_us, fraction, rng_system_u64());
}

struct op_id op_id_make(int64_t unix_us, uint64_t random_high, uint64_t random_low)
{
    uint64_t ms = unix_us > 0 ? (uint64_t)(unix_us / CLOCK_US_PER_MS) : 0;
    struct op_id id;

    for (unsigned i = 0; i < TIME_BYTES; i++)
        id.bytes[i] = (uint8_t)(ms >> (8 * (TIME_BYTES - 1 - i)));
    id.bytes[6] = (uint8_t)(0x70 | (random_high >> 8 & 0x0f)); /* version 7 */
    id.bytes[7] = (uint8_t)random_high;
    for (unsigned i = 0; i < 8; i++)
        id.bytes[8 + i] = (uint8_t)(random_low >> (8 * (7 - i)));
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f)); /* variant 10 */
    return id;
}

bool op_id_is_zero(const struct op_id *id)
{
    static const struct op_id zero;

    return op_id_equal(id, &zero);
}

bool op_id_equal(const struct op_id *a, const struct op_id *b)
{
    return op_id_compare(a, b) == 0;
}

int op_id_compare(const struct op_id *a, const struct op_id *b)
{
    return memcmp(a->bytes, b->bytes, OP_ID_SIZE);
}

uint64_t op_id_hash(const struct op_id *id)
{
    uint64_t halves[2];
    uint64_t hash;

    memcpy(halves, id->bytes, OP_ID_SIZE);
    hash = halves[0] * 0x9e3779b97f4a7c15ULL ^ halves[1];
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ULL;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebULL;
    return hash ^ hash >> 31;
}

int64_t op_id_time_us(const struct op_id *id)
{
    int64_t ms = 0;

    for (unsigned i = 0; i < TIME_BYTES; i++)
        ms = ms << 8 | id->bytes[i];
    return ms * CLOCK_US_PER_MS;
}

bool op_id_is_v7(const struct op_id *id)
{
    return (id->bytes[6] & 0xf0) == 0x70 && (id->bytes[8] & 0xc0) == 0x80;
}

static bool is_dash_place(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

void op_id_format(char out[OP_ID_TEXT_SIZE], const struct op_id *id)
{
    char digits[2 * OP_ID_SIZE + 1];
    size_t from = 0;

    parse_format_hex(digits, id->bytes, OP_ID_SIZE);
    for (size_t at = 0; at < OP_ID_TEXT_SIZE; at++)
        if (is_dash_place(at))
            out[at] = '-';
        else
            out[at] = digits[from++];
}

bool op_id_parse(struct op_id *out, const char *text)
{
    char digits[2 * OP_ID_SIZE + 1] = "";
    size_t to = 0;

    if (text == NULL || strlen(text) != OP_ID_TEXT_SIZE - 1)
        return false;
    for (size_t at = 0; at < OP_ID_TEXT_SIZE - 1; at++) {
        if (!is_dash_place(at))
            digits[to++] = text[at];
        else if (text[at] != '-')
            return false;
    }
    return parse_hex(out->bytes, OP_ID_SIZE, digits);
}

bool op_id_from_bytes(struct op_id *out, const void *data, size_t size)
{
    if (size != OP_ID_SIZE)
        return false;
    memcpy(out->bytes, data, OP_ID_SIZE);
    return true;
}
