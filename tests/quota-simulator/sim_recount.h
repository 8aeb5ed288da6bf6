/*
 * sim_recount.h - the rules of the quota ledger once more, in the simplest words: every
 * verdict and every committed batch is judged by adding up all events from the beginning.
 */
#ifndef SIM_RECOUNT_H
#define SIM_RECOUNT_H

#include "sim_world.h"

/* The core judged this operation just now: was it right? */
void sim_recount_verdict(struct sim_writer *w, const struct quota_op *op,
                         const struct quota_answer *answer);
/* This batch was committed just now: does the ledger keep its rules? */
void sim_recount_commit(struct sim_world *world, uint64_t epoch,
                        const struct quota_batch *batch);
/* So much time will pass before anything happens: is what is due being closed? */
void sim_recount_overdue(struct sim_world *world, int64_t passed_us);
/* The whole ledger. */
void sim_recount_all(struct sim_world *world);

#endif /* SIM_RECOUNT_H */
