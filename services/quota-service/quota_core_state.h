/*
 * quota_core_state.h - the core's state; for quota_core*.c alone.
 */
#ifndef QUOTA_CORE_STATE_H
#define QUOTA_CORE_STATE_H

#include "counters.h"
#include "op_results.h"
#include "quota_core.h"
#include "reservations.h"

struct quota_core {
    struct quota_core_options options;
    struct counters counters;
    struct reservations reservations;
    struct op_results results;
    int64_t now_us;
    int64_t roll_at_us;   /* when the first current period ends */
    int64_t newest_op_us; /* ids of this time or older may stand in the ledger unseen */
    uint64_t last_number; /* of the batch begun last */
    uint64_t committed;   /* of the batch committed last */
};

/* Does the batch take one more row, with a purpose of this size? */
bool quota_core_has_room(const struct quota_batch *batch, size_t purpose_size);
/* quota_core_ops.c: judge and apply; the op id is new and well timed. */
void quota_core_reserve(struct quota_core *core, const struct quota_op *op,
                        struct quota_batch *batch, struct quota_answer *answer);
void quota_core_close(struct quota_core *core, const struct quota_op *op,
                      struct quota_batch *batch, struct quota_answer *answer);
void quota_core_lapse(struct quota_core *core, struct reservation *reservation,
                      struct quota_batch *batch);

#endif /* QUOTA_CORE_STATE_H */
