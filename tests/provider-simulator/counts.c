#include "counts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dice.h"

enum {
    OP_HEX_MAX = 64,   /* digits of the longest op id */
    OPS_MAX = 1 << 20, /* distinct op ids remembered; later ones are counted as untracked */
    REPEATED_SHOWN = 100,
};

struct op {
    char *hex;
    uint32_t times;
};

struct counts {
    struct endpoint_counts endpoints[ENDPOINT_COUNT];
    struct op *ops; /* in the order first seen */
    uint32_t op_count;
    uint32_t *slots; /* open addressing over ops; place + 1, 0 = free */
    uint32_t slot_count;
    uint64_t duplicates;
    uint64_t without_op;
    uint64_t malformed;
    uint64_t untracked;
};

struct counts *counts_new(void)
{
    struct counts *counts = must_alloc(sizeof *counts);

    counts_reset(counts);
    return counts;
}

void counts_reset(struct counts *counts)
{
    for (uint32_t i = 0; i < counts->op_count; i++) {
        free(counts->ops[i].hex);
    }
    free(counts->ops);
    free(counts->slots);
    *counts = (struct counts){.slot_count = 1024};
    counts->slots = must_alloc(counts->slot_count * sizeof *counts->slots);
    counts->ops = must_alloc(counts->slot_count / 2 * sizeof *counts->ops);
}

void counts_free(struct counts *counts)
{
    if (counts != NULL) {
        counts_reset(counts);
        free(counts->ops);
        free(counts->slots);
        free(counts);
    }
}

struct endpoint_counts *counts_of(struct counts *counts, enum endpoint endpoint)
{
    return &counts->endpoints[endpoint];
}

/* The slot that holds `hex`, or the free one where it belongs. */
static uint32_t find_slot(const struct counts *counts, const char *hex)
{
    uint32_t slot = (uint32_t)dice_hash_text(hex) & (counts->slot_count - 1);

    while (counts->slots[slot] != 0 &&
           strcmp(counts->ops[counts->slots[slot] - 1].hex, hex) != 0) {
        slot = (slot + 1) & (counts->slot_count - 1);
    }
    return slot;
}

/* Keep the table at most half full. */
static void grow_slots(struct counts *counts)
{
    if (counts->op_count < counts->slot_count / 2) {
        return;
    }
    counts->slot_count *= 2;
    free(counts->slots);
    counts->slots = must_alloc(counts->slot_count * sizeof *counts->slots);
    counts->ops = must_grow(counts->ops, counts->slot_count / 2 * sizeof *counts->ops);
    for (uint32_t i = 0; i < counts->op_count; i++) {
        counts->slots[find_slot(counts, counts->ops[i].hex)] = i + 1;
    }
}

void counts_note_op(struct counts *counts, const char *hex)
{
    char lower[OP_HEX_MAX + 1];
    size_t length = hex == NULL ? 0 : strlen(hex);
    uint32_t slot;

    if (hex == NULL) {
        counts->without_op++;
        return;
    }
    if (length == 0 || length > OP_HEX_MAX ||
        strspn(hex, "0123456789abcdefABCDEF") != length) {
        counts->malformed++;
        return;
    }
    for (size_t i = 0; i <= length; i++) {
        lower[i] = (char)(hex[i] >= 'A' && hex[i] <= 'F' ? hex[i] + ('a' - 'A') : hex[i]);
    }
    grow_slots(counts);
    slot = find_slot(counts, lower);
    if (counts->slots[slot] != 0) {
        counts->ops[counts->slots[slot] - 1].times++;
        counts->duplicates++;
        return;
    }
    if (counts->op_count == OPS_MAX) {
        counts->untracked++;
        return;
    }
    counts->ops[counts->op_count].hex = must_alloc(length + 1);
    memcpy(counts->ops[counts->op_count].hex, lower, length);
    counts->ops[counts->op_count].times = 1;
    counts->slots[slot] = ++counts->op_count;
}

static void print_numbers(const struct endpoint_counts *row, struct text *out)
{
    text_printf(out,
                "{\"refused\":%" PRIu64 ",\"received\":%" PRIu64 ",\"answered\":%" PRIu64
                ",\"dropped\":%" PRIu64 ",\"held\":%" PRIu64 ",\"charged\":%" PRIu64
                ",\"chargedMilli\":%" PRIu64 ",\"results\":%" PRIu64 "}",
                row->refused, row->received, row->answered, row->dropped,
                row->received - row->answered - row->dropped, row->charged,
                row->charged_milli, row->results);
}

static void print_provider(const struct counts *counts, const char *provider,
                           struct text *out)
{
    struct endpoint_counts sum = {0};

    text_comma(out);
    text_append_json(out, provider);
    text_append(out, ":{");
    for (int e = 0; e < ENDPOINT_COUNT; e++) {
        const struct endpoint_counts *row = &counts->endpoints[e];

        if (strcmp(endpoint_provider((enum endpoint)e), provider) != 0) {
            continue;
        }
        text_comma(out);
        text_append_json(out, endpoint_name((enum endpoint)e));
        text_append(out, ":");
        print_numbers(row, out);
        sum.refused += row->refused;
        sum.received += row->received;
        sum.answered += row->answered;
        sum.dropped += row->dropped;
        sum.charged += row->charged;
        sum.charged_milli += row->charged_milli;
        sum.results += row->results;
    }
    text_append(out, ",\"total\":");
    print_numbers(&sum, out);
    text_append(out, "}");
}

static void print_ops(const struct counts *counts, bool list_ops, struct text *out)
{
    uint32_t shown = 0;

    text_printf(out,
                ",\"ops\":{\"distinct\":%" PRIu32 ",\"duplicates\":%" PRIu64
                ",\"without\":%" PRIu64 ",\"malformed\":%" PRIu64 ",\"untracked\":%" PRIu64
                ",\"repeated\":[",
                counts->op_count, counts->duplicates, counts->without_op, counts->malformed,
                counts->untracked);
    for (uint32_t i = 0; i < counts->op_count && shown < REPEATED_SHOWN; i++) {
        if (counts->ops[i].times > 1) {
            text_comma(out);
            text_append_json(out, counts->ops[i].hex);
            shown++;
        }
    }
    text_append(out, "]");
    if (list_ops) {
        text_append(out, ",\"seen\":{");
        for (uint32_t i = 0; i < counts->op_count; i++) {
            text_comma(out);
            text_printf(out, "\"%s\":%" PRIu32, counts->ops[i].hex, counts->ops[i].times);
        }
        text_append(out, "}");
    }
    text_append(out, "}");
}

void counts_print(const struct counts *counts, int64_t balance_milli, bool list_ops,
                  struct text *out)
{
    text_append(out, "{");
    print_provider(counts, "modash", out);
    print_provider(counts, "clay", out);
    text_printf(out, ",\"creditsLeftMilli\":%" PRId64, balance_milli);
    print_ops(counts, list_ops, out);
    text_append(out, "}");
}
