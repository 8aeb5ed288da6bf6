/*
 * sim_callers.h - those who ask: services with clocks of their own that reserve, settle and
 * void, and admins. They repeat themselves, reuse ids, ask about what is not theirs; and they
 * remember what they were told, which must stay true.
 */
#ifndef SIM_CALLERS_H
#define SIM_CALLERS_H

#include "quota_core.h"
#include "sim.h"

#define SIM_OPS_MAX 420
#define SIM_CALLERS 4

/* metercache.v1.CallOutcome's; every void of the world says it, and nothing else does. */
#define SIM_OUTCOME_NOT_SENT 2
#define SIM_OUTCOME_OK       1

struct sim_world;
struct sim_writer;

/* An op id, and all that was ever asked and told under it. */
struct sim_op {
    struct quota_op op; /* as it was asked first */
    struct limit_rule rule;
    unsigned bodies;   /* different ones that were asked */
    bool was_done;     /* told: done */
    bool was_refused;  /* told: refused, by a writer that was not fenced */
    bool was_answered; /* told anything */
    uint8_t done_hash[OP_RESULTS_HASH_SIZE];
    struct quota_answer done; /* what was told first */
};

struct sim_callers {
    unsigned count;
    struct sim_op ops[SIM_OPS_MAX];
    int64_t wall_offset_us[SIM_CALLERS];
    uint64_t next_body;
};

void sim_callers_clear(struct sim_world *world);
/* One of them does something. */
void sim_callers_step(struct sim_world *world);
/* Every operation that was done is asked for again. */
void sim_callers_repeat(struct sim_world *world, unsigned at_op);

/* What one is told is checked against the ledger and against what was told before. */
void sim_callers_told(struct sim_world *world, const struct sim_writer *w,
                      const struct quota_op *op, unsigned at_op,
                      const struct quota_answer *answer);

#endif /* SIM_CALLERS_H */
