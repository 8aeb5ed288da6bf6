/*
 * op_results.h - the answers to the latest op ids, so that a repeated one gets the same.
 *
 * Two rings of fixed size, the oldest entry overwritten: one for operations that changed
 * something (the ledger has those as well), one for refusals (only here), so that a storm
 * of refusals never pushes out the others. No allocation after op_results_init. Not locked.
 */
#ifndef OP_RESULTS_H
#define OP_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "core/op_id.h"
#include "id_index.h"

#define OP_RESULTS_HASH_SIZE 16

struct op_result {
    struct op_id id; /* first: the index reads it there */
    uint8_t body_hash[OP_RESULTS_HASH_SIZE];
    struct quota_answer answer;
};

struct op_results_ring {
    struct op_result *entries;
    uint32_t limit;
    uint32_t count;
    uint32_t next;
    struct id_index index;
};

struct op_results {
    struct op_results_ring done;
    struct op_results_ring refused;
    int64_t forgotten_us; /* the latest op-id time among overwritten done ones */
};

void op_results_init(struct op_results *results, uint32_t done_limit,
                     uint32_t refused_limit);
void op_results_done(struct op_results *results);
void op_results_clear(struct op_results *results);

/* NULL when it is not known here. */
const struct op_result *op_results_find(const struct op_results *results,
                                        const struct op_id *id);
/* `entry->id` is not in memory yet. A refusal is told by its verdict. */
void op_results_add(struct op_results *results, const struct op_result *entry);

/* True when an id that is not found here may have been done and overwritten. */
bool op_results_may_have_forgotten(const struct op_results *results,
                                   const struct op_id *id);

#endif /* OP_RESULTS_H */
