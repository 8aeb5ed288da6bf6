#include "rpc/workers.h"

#include <errno.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"

#define STACK_BYTES ((size_t)1024 * 1024)

static void *work(void *argument)
{
    struct rpc_workers *workers = argument;
    struct rpc_job *job;

    while ((job = queue_pop(&workers->queue)) != NULL) {
        atomic_fetch_sub_explicit(&workers->waiting, 1, memory_order_relaxed);
        workers->run(workers->context, job);
    }
    return NULL;
}

void rpc_workers_start(struct rpc_workers *workers,
                       const struct rpc_workers_options *options)
{
    *workers = (struct rpc_workers){
        .thread_count = options->threads,
        .limit = options->limit,
        .run = options->run,
        .context = options->context,
    };
    queue_init(&workers->queue, options->jobs_max);
    workers->threads = mem_alloc_array(options->threads, sizeof(*workers->threads));
    for (unsigned i = 0; i < options->threads; i++)
        thread_start(&workers->threads[i], "rpc-worker", STACK_BYTES, work, workers);
}

void rpc_workers_stop(struct rpc_workers *workers)
{
    queue_close(&workers->queue);
    for (unsigned i = 0; i < workers->thread_count; i++)
        thread_join(workers->threads[i]);
    mem_free(workers->threads);
    queue_done(&workers->queue);
}

void rpc_workers_resume(struct rpc_workers *workers, struct rpc_job *job)
{
    atomic_fetch_add_explicit(&workers->waiting, 1, memory_order_relaxed);
    if (!queue_push(&workers->queue, job))
        log_abort("rpc: more jobs than slots", ENOSPC);
}

bool rpc_workers_offer(struct rpc_workers *workers, struct rpc_job *job)
{
    if (rpc_workers_waiting(workers) >= workers->limit)
        return false;
    rpc_workers_resume(workers, job);
    return true;
}

uint32_t rpc_workers_waiting(const struct rpc_workers *workers)
{
    return atomic_load_explicit(&workers->waiting, memory_order_relaxed);
}
