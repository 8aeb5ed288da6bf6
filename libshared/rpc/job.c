#include "rpc/job.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"

struct rpc_jobs *rpc_jobs_new(struct rpc_jobs_owner owner, size_t arena_bytes)
{
    struct rpc_jobs *jobs = mem_alloc(sizeof(*jobs));

    jobs->owner = owner;
    jobs->arena_bytes = arena_bytes;
    mutex_init(&jobs->mutex);
    condition_init(&jobs->changed);
    list_init(&jobs->live);
    jobs->job_count = 1; /* the owner's own share */
    return jobs;
}

/* One share less; the last one frees all. */
static void drop_share(struct rpc_jobs *jobs)
{
    bool is_last;

    mutex_lock(&jobs->mutex);
    is_last = --jobs->job_count == 0;
    mutex_unlock(&jobs->mutex);
    if (!is_last)
        return;
    condition_done(&jobs->changed);
    mutex_done(&jobs->mutex);
    mem_free(jobs);
}

void rpc_jobs_release(struct rpc_jobs *jobs)
{
    mutex_lock(&jobs->mutex);
    jobs->is_closed = true;
    mutex_unlock(&jobs->mutex);
    drop_share(jobs);
}

/* The mutex is held. */
static struct rpc_job *new_job(struct rpc_jobs *jobs)
{
    struct rpc_job *job = mem_alloc(sizeof(*job));

    arena_init(&job->arena, jobs->arena_bytes);
    job->call.arena = &job->arena;
    job->jobs = jobs;
    atomic_init(&job->is_cancelled, false);
    jobs->job_count++;
    return job;
}

struct rpc_job *rpc_job_new(struct rpc_jobs *jobs)
{
    struct rpc_job *job;

    mutex_lock(&jobs->mutex);
    job = new_job(jobs);
    mutex_unlock(&jobs->mutex);
    return job;
}

void rpc_job_free(struct rpc_job *job)
{
    struct rpc_jobs *jobs = job->jobs;

    arena_done(&job->arena);
    mem_free(job);
    drop_share(jobs);
}

void rpc_job_reset(struct rpc_job *job)
{
    arena_reset(&job->arena);
    job->call.is_resumed = false;
    job->call.state = NULL; /* it pointed into the arena of the request before */
    job->call.wake.status = ST_OK;
    job->call.caller.role = RPC_ROLE_NONE;
    job->call.caller.token_id[0] = '\0';
    job->call.caller.subject[0] = '\0';
    job->call.caller.user[0] = '\0';
    job->call.call_id = (struct op_id){.bytes = {0}};
    job->call.method = "";
    job->call.traceparent = "";
    job->request = NULL;
    job->entry = NULL;
    job->payload = NULL;
    job->payload_size = 0;
    job->input = NULL;
    job->output = NULL;
    job->connection = NULL;
    job->is_admitted = false;
    job->claim = NULL;
    job->started_us = 0;
    job->outcome.status = ST_OK;
    job->executed = false;
    job->replayed = false;
    job->stored = NULL;
    job->stored_size = 0;
    atomic_store_explicit(&job->is_cancelled, false, memory_order_relaxed);
}

void rpc_jobs_track(struct rpc_job *job)
{
    mutex_lock(&job->jobs->mutex);
    job->is_tracked = true;
    list_append(&job->jobs->live, &job->link);
    mutex_unlock(&job->jobs->mutex);
}

/* The mutex is held. */
static void untrack(struct rpc_job *job)
{
    if (!job->is_tracked)
        return;
    job->is_tracked = false;
    list_remove(&job->jobs->live, &job->link);
}

void rpc_jobs_untrack(struct rpc_job *job)
{
    mutex_lock(&job->jobs->mutex);
    untrack(job);
    mutex_unlock(&job->jobs->mutex);
}

/* ---- deferring: what handlers and holders call ---- */

static struct rpc_job *job_of(struct rpc_call *call)
{
    return (struct rpc_job *)call;
}

enum status rpc_call_defer(struct rpc_call *call)
{
    struct rpc_job *job = job_of(call);

    mutex_lock(&job->jobs->mutex);
    assert(job->state == RPC_JOB_RUNNING);
    job->state = RPC_JOB_PARKING;
    mutex_unlock(&job->jobs->mutex);
    return RPC_DEFERRED;
}

/* A job that answers in place of a parked one, which stays with its holder. The mutex is
 * held. */
static struct rpc_job *replace(struct rpc_job *job)
{
    struct rpc_jobs *jobs = job->jobs;
    struct rpc_job *fresh = new_job(jobs);

    untrack(job);
    job->state = RPC_JOB_ABANDONED;
    jobs->orphan_count++;
    rpc_job_reset(fresh);
    fresh->slot = job->slot;
    fresh->connection = job->connection;
    fresh->connection_id = job->connection_id;
    job->slot = NULL;
    job->connection = NULL;
    fresh->call.call_id = job->call.call_id;
    fresh->call.caller = job->call.caller;
    fresh->call.service = job->call.service;
    fresh->call.method = job->entry->full_name;
    fresh->call.deadline_us = job->call.deadline_us;
    fresh->entry = job->entry;
    fresh->received_us = job->received_us;
    fresh->started_us = job->started_us;
    fresh->executed = true;
    return fresh;
}

static void park(struct rpc_jobs *jobs, struct rpc_job *job)
{
    job->state = RPC_JOB_PARKED;
    if (!job->is_tracked)
        list_append(&jobs->live, &job->link);
    job->is_tracked = true;
    condition_broadcast(&jobs->changed);
}

enum rpc_parking rpc_jobs_park(struct rpc_job *job)
{
    struct rpc_jobs *jobs = job->jobs;
    enum rpc_parking parking = RPC_PARKING_STAY;
    struct rpc_job *fresh = NULL;

    mutex_lock(&jobs->mutex);
    switch (job->state) {
    case RPC_JOB_PARKING:
        if (jobs->is_closing)
            fresh = replace(job);
        else
            park(jobs, job);
        break;
    case RPC_JOB_WOKEN:
        job->state = RPC_JOB_RUNNING;
        parking = jobs->is_closing ? RPC_PARKING_ANSWER : RPC_PARKING_RUN;
        if (jobs->is_closing)
            error_set(&job->outcome, ST_UNAVAILABLE, "server closes");
        break;
    case RPC_JOB_FINISHED:
        job->state = RPC_JOB_RUNNING;
        parking = RPC_PARKING_ANSWER;
        break;
    default:
        log_abort("rpc: handler returned RPC_DEFERRED without rpc_call_defer", EINVAL);
    }
    mutex_unlock(&jobs->mutex);
    if (fresh != NULL) {
        error_set(&fresh->outcome, ST_UNAVAILABLE, "server closes");
        jobs->owner.answer(jobs->owner.context, fresh);
    }
    return parking;
}

/* The holder of an abandoned job lets go. The mutex is held, and is released here. */
static void let_go(struct rpc_job *job)
{
    struct rpc_jobs *jobs = job->jobs;

    if (!jobs->is_closed)
        jobs->owner.release(jobs->owner.context, job);
    jobs->orphan_count--;
    mutex_unlock(&jobs->mutex);
    rpc_job_free(job);
}

void rpc_call_resume(struct rpc_call *call, const struct error *wake)
{
    struct rpc_job *job = job_of(call);
    struct rpc_jobs *jobs = job->jobs;
    bool is_parked;

    mutex_lock(&jobs->mutex);
    if (job->state == RPC_JOB_ABANDONED) {
        let_go(job);
        return;
    }
    is_parked = job->state == RPC_JOB_PARKED;
    assert(is_parked || job->state == RPC_JOB_PARKING);
    job->call.wake = *wake;
    job->call.is_resumed = true;
    job->state = is_parked ? RPC_JOB_RUNNING : RPC_JOB_WOKEN;
    if (is_parked)
        jobs->owner.run(jobs->owner.context, job);
    mutex_unlock(&jobs->mutex);
}

void rpc_call_finish(struct rpc_call *call, enum status status, const struct error *err)
{
    struct rpc_job *job = job_of(call);
    struct rpc_jobs *jobs = job->jobs;
    bool is_parked;

    mutex_lock(&jobs->mutex);
    if (job->state == RPC_JOB_ABANDONED) {
        let_go(job);
        return;
    }
    is_parked = job->state == RPC_JOB_PARKED;
    assert(is_parked || job->state == RPC_JOB_PARKING);
    job->state = is_parked ? RPC_JOB_RUNNING : RPC_JOB_FINISHED;
    if (status != ST_OK)
        job->outcome = *err;
    job->outcome.status = status < ST_OK || status >= STATUS_COUNT ? ST_INTERNAL : status;
    if (is_parked)
        jobs->answering++;
    mutex_unlock(&jobs->mutex);
    if (!is_parked)
        return;
    jobs->owner.answer(jobs->owner.context, job);
    mutex_lock(&jobs->mutex);
    jobs->answering--;
    condition_broadcast(&jobs->changed);
    mutex_unlock(&jobs->mutex);
}

bool rpc_call_is_cancelled(const struct rpc_call *call)
{
    const struct rpc_job *job = (const struct rpc_job *)call;

    return atomic_load_explicit(&job->is_cancelled, memory_order_relaxed);
}

const char *rpc_call_user(const struct rpc_call *call)
{
    return call->caller.user[0] != '\0' ? call->caller.user : call->caller.subject;
}

/* ---- ending the wait from outside ---- */

/* Answers each parked job that `is_over` picks; fills `err` for it. The mutex is held on
 * entry and not on return. */
static void answer_over(struct rpc_jobs *jobs,
                        bool (*is_over)(const struct rpc_job *job, uint64_t now_us,
                                        struct error *err),
                        uint64_t now_us)
{
    struct list_link *link = list_first(&jobs->live);
    struct list over;

    list_init(&over);
    while (link != NULL) {
        struct rpc_job *job = list_item(link, struct rpc_job, link);
        struct error err = ERROR_NONE;

        link = list_next(&jobs->live, link);
        if (job->state == RPC_JOB_PARKED && is_over(job, now_us, &err)) {
            struct rpc_job *fresh = replace(job);

            fresh->outcome = err;
            list_append(&over, &fresh->link);
        }
    }
    mutex_unlock(&jobs->mutex);
    while ((link = list_take_first(&over)) != NULL)
        jobs->owner.answer(jobs->owner.context, list_item(link, struct rpc_job, link));
}

static bool is_late_or_cancelled(const struct rpc_job *job, uint64_t now_us,
                                 struct error *err)
{
    if (rpc_call_is_cancelled(&job->call)) {
        error_set(err, ST_CANCELLED, "the caller gave up");
        return true;
    }
    if (job->call.deadline_us > now_us)
        return false;
    error_set(err, ST_DEADLINE, "no answer within the caller's deadline");
    return true;
}

static bool is_always(const struct rpc_job *job, uint64_t now_us, struct error *err)
{
    (void)job;
    (void)now_us;
    error_set(err, ST_UNAVAILABLE, "server closes");
    return true;
}

uint64_t rpc_jobs_sweep(struct rpc_jobs *jobs, uint64_t now_us)
{
    uint64_t next_us = UINT64_MAX;
    struct list_link *link;

    mutex_lock(&jobs->mutex);
    answer_over(jobs, is_late_or_cancelled, now_us);
    mutex_lock(&jobs->mutex);
    for (link = list_first(&jobs->live); link != NULL;
         link = list_next(&jobs->live, link)) {
        const struct rpc_job *job = list_item(link, struct rpc_job, link);

        if (job->state == RPC_JOB_PARKED && job->call.deadline_us < next_us)
            next_us = job->call.deadline_us;
    }
    mutex_unlock(&jobs->mutex);
    return next_us;
}

void rpc_jobs_cancel(struct rpc_jobs *jobs, const struct op_id *call_id,
                     const struct rpc_identity *caller)
{
    struct list_link *link;

    mutex_lock(&jobs->mutex);
    for (link = list_first(&jobs->live); link != NULL;
         link = list_next(&jobs->live, link)) {
        struct rpc_job *job = list_item(link, struct rpc_job, link);

        if (op_id_equal(&job->call.call_id, call_id) &&
            strcmp(job->call.caller.token_id, caller->token_id) == 0)
            atomic_store_explicit(&job->is_cancelled, true, memory_order_relaxed);
    }
    answer_over(jobs, is_late_or_cancelled, 0);
}

void rpc_jobs_disconnect(struct rpc_jobs *jobs, uint32_t connection_id)
{
    struct list_link *link;

    mutex_lock(&jobs->mutex);
    for (link = list_first(&jobs->live); link != NULL;
         link = list_next(&jobs->live, link)) {
        struct rpc_job *job = list_item(link, struct rpc_job, link);

        if (job->connection_id == connection_id)
            atomic_store_explicit(&job->is_cancelled, true, memory_order_relaxed);
    }
    condition_broadcast(&jobs->changed);
    mutex_unlock(&jobs->mutex);
}

void rpc_jobs_wait(struct rpc_jobs *jobs, uint64_t until_us)
{
    mutex_lock(&jobs->mutex);
    if (until_us > clock_mono_us())
        (void)condition_wait_until(&jobs->changed, &jobs->mutex, until_us);
    mutex_unlock(&jobs->mutex);
}

void rpc_jobs_wake(struct rpc_jobs *jobs)
{
    mutex_lock(&jobs->mutex);
    condition_broadcast(&jobs->changed);
    mutex_unlock(&jobs->mutex);
}

size_t rpc_jobs_orphans(struct rpc_jobs *jobs)
{
    size_t count;

    mutex_lock(&jobs->mutex);
    count = jobs->orphan_count;
    mutex_unlock(&jobs->mutex);
    return count;
}

void rpc_jobs_close(struct rpc_jobs *jobs)
{
    mutex_lock(&jobs->mutex);
    jobs->is_closing = true;
    answer_over(jobs, is_always, 0);
    mutex_lock(&jobs->mutex);
    while (jobs->answering > 0)
        condition_wait(&jobs->changed, &jobs->mutex);
    mutex_unlock(&jobs->mutex);
}
