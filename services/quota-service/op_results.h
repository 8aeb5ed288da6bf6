/*
 * op_results.h - the answers to the latest op ids, so that a repeated one gets the same.
 *
 * Two rings of fixed size, the oldest entry overwritten: one for operations that changed
 * something (the ledger has those as well), one for refusals (only here), so that a storm
 * of refusals never pushes out the others. Kept is what a repetition must not lose; the
 * state of the meter is looked at anew. No allocation after op_results_init. Not locked.
 */
#ifndef OP_RESULTS_H
#define OP_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "core/op_id.h"
#include "id_index.h"

#define OP_RESULTS_HASH_SIZE 16

/* What is told again: answer.meter has meter and period.start_us, no amounts. */
struct op_result {
    struct op_id id;
    uint8_t body_hash[OP_RESULTS_HASH_SIZE];
    struct quota_answer answer;
};

struct op_results_ring {
    char *entries;
    size_t stride;
    uint32_t limit;
    uint32_t count;
    uint32_t next;
    int64_t forgotten_us; /* the latest op-id time among overwritten ones */
    struct id_index index;
};

struct op_results {
    struct op_results_ring done;
    struct op_results_ring refused;
};

void op_results_init(struct op_results *results, uint32_t done_limit,
                     uint32_t refused_limit);
void op_results_done(struct op_results *results);
void op_results_clear(struct op_results *results);

/* False when it is not known here. */
bool op_results_find(const struct op_results *results, const struct op_id *id,
                     struct op_result *out) MUST_USE;
/* `entry->id` is not in memory yet. A refusal is told by its verdict. */
void op_results_add(struct op_results *results, const struct op_result *entry);

/* True when an id that is not found here may have been done, or refused, and overwritten. */
bool op_results_may_have_forgotten_done(const struct op_results *results,
                                        const struct op_id *id);
bool op_results_may_have_forgotten_refused(const struct op_results *results,
                                           const struct op_id *id);

#endif /* OP_RESULTS_H */
