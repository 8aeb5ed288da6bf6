/*
 * sim_world.h - the world of one seed: time, machines, the network between them, and faults.
 *
 * Time moves from one thing that happens to the next. All that is random comes from `rng`,
 * and all that happened goes into `history`.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim_callers.h"
#include "sim_ledger.h"
#include "sim_mail.h"
#include "sim_writer.h"

#define SIM_WRITERS  2
#define SIM_STEPS    260
#define SIM_BEGIN_US 1800000000000000LL /* 2027-01-15; worlds begin some months behind it */

struct sim_stats {
    uint64_t commits;
    uint64_t granted;
    uint64_t refused;
    uint64_t replayed;
    uint64_t reused;
    uint64_t stale;
    uint64_t lapsed;
    uint64_t corrected;
    uint64_t looked_up;
    uint64_t crashes;
    uint64_t fenced;
    uint64_t freezes;
    uint64_t near_boundary;
    uint64_t verdicts[QUOTA_NEXT_BATCH + 1];
};

struct sim_world {
    struct rng rng;
    enum sim_plant plant;
    bool is_calm;        /* nothing fails any more */
    unsigned fault_rate; /* one call in so many fails */
    int64_t now_us;
    uint64_t history;
    struct sim_ledger ledger;
    struct sim_post post;
    struct sim_writer writers[SIM_WRITERS];
    struct sim_callers callers;
    struct sim_stats stats; /* of all seeds */
};

struct sim_world *sim_world_new(enum sim_plant plant);
void sim_world_free(struct sim_world *world);
/* Runs one world from beginning to end; returns the hash of its history. */
uint64_t sim_world_run(struct sim_world *world, uint64_t seed);

/* ---- for the writers ---- */

void sim_world_call(struct sim_world *world, struct sim_call *call);
/* answer NULL: the writer cannot say. */
void sim_world_answer(struct sim_world *world, struct sim_writer *w,
                      struct sim_request *request, const struct quota_answer *answer);
void sim_world_told_alerts(struct sim_world *world, struct sim_writer *w,
                           const struct quota_batch *batch);
/* The writer has learned that another one has taken over. */
void sim_world_fenced(struct sim_world *world, struct sim_writer *w);

/* ---- for the callers ---- */

void sim_world_request(struct sim_world *world, const struct quota_op *op, unsigned at_op);
void sim_world_note(struct sim_world *world, const void *data, size_t size);

#endif /* SIM_WORLD_H */
