/*
 * workers.h - the threads that run blocking handlers, and the bounded queue to them.
 */
#ifndef RPC_WORKERS_H
#define RPC_WORKERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/queue.h"
#include "rpc/job.h"

struct rpc_workers {
    struct queue queue;
    pthread_t *threads;
    unsigned thread_count;
    uint32_t limit; /* new jobs that may wait */
    atomic_uint_least32_t waiting;
    void (*run)(void *context, struct rpc_job *job);
    void *context;
};

struct rpc_workers_options {
    unsigned threads;
    uint32_t limit;
    size_t jobs_max; /* that can ever be queued at once, resumed ones included */
    void (*run)(void *context, struct rpc_job *job);
    void *context;
};

void rpc_workers_start(struct rpc_workers *workers,
                       const struct rpc_workers_options *options);
/* Runs what is still queued, then ends the threads. */
void rpc_workers_stop(struct rpc_workers *workers);

/* False: as many wait as may. */
bool rpc_workers_offer(struct rpc_workers *workers, struct rpc_job *job) MUST_USE;
/* For a job that was admitted before and goes on: always has room. */
void rpc_workers_resume(struct rpc_workers *workers, struct rpc_job *job);
uint32_t rpc_workers_waiting(const struct rpc_workers *workers);

#endif /* RPC_WORKERS_H */
