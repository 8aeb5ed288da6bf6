#include "support/quota_load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/op_id.h"
#include "core/thread.h"

#define SAMPLES_MAX ((size_t)1 << 20)
#define HOLD_MS     3600000

static const struct client_quota_call patient = {.timeout_ms = 30000};

struct run {
    const struct quota_load_options *options;
    uint64_t until_us;
    atomic_uint active;
    atomic_size_t count;
    atomic_size_t failures;
    uint32_t *samples; /* microseconds */
    pthread_mutex_t mutex;
    pthread_cond_t over;
};

struct caller {
    struct run *run;
    uint64_t started_us;
    struct op_id reservation;
    bool is_reserved;
    uint64_t turn;
};

static ProtobufCBinaryData bytes_of(struct op_id *id)
{
    return (ProtobufCBinaryData){OP_ID_SIZE, id->bytes};
}

static char *text(const char *value)
{
    return (char *)(uintptr_t)value; /* packed, never written to */
}

/* Unique is enough, and spares a call into the kernel. */
static struct op_id next_id(struct caller *caller)
{
    return op_id_make(clock_wall_us(), clock_mono_us(), (uintptr_t)caller + caller->turn++);
}

static void on_done(void *context, const struct client_quota_outcome *outcome);

/* A reservation with all that it points to. */
struct reserve_request {
    Metercache__V1__OperationRequest operation;
    Metercache__V1__ReserveRequest reserve;
    Metercache__V1__CallPurpose purpose;
    struct op_id id;
};

static void fill_reserve(struct reserve_request *out, const char *meter,
                         int64_t amount_milli, struct op_id id)
{
    metercache__v1__operation_request__init(&out->operation);
    metercache__v1__reserve_request__init(&out->reserve);
    metercache__v1__call_purpose__init(&out->purpose);
    out->id = id;
    out->purpose.provider = text("modash");
    out->purpose.action = text("search");
    out->purpose.reason = text("discovery");
    out->purpose.user = text("alice");
    out->reserve.op_id = bytes_of(&out->id);
    out->reserve.meter = text(meter);
    out->reserve.amount_milli = amount_milli;
    out->reserve.hold_ms = HOLD_MS;
    out->reserve.purpose = &out->purpose;
    out->reserve.endpoint = text("/CreatorService/Search");
    out->operation.operation_case = METERCACHE__V1__OPERATION_REQUEST__OPERATION_RESERVE;
    out->operation.reserve = &out->reserve;
}

static void settle(struct caller *caller)
{
    Metercache__V1__OperationRequest operation = METERCACHE__V1__OPERATION_REQUEST__INIT;
    Metercache__V1__SettleRequest request = METERCACHE__V1__SETTLE_REQUEST__INIT;
    struct op_id id = next_id(caller);

    request.op_id = bytes_of(&id);
    request.reservation_id = bytes_of(&caller->reservation);
    request.actual_milli = caller->run->options->amount_milli;
    request.outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK;
    request.started_at_us = clock_wall_us();
    request.latency_us = 100000;
    request.http_status = 200;
    operation.operation_case = METERCACHE__V1__OPERATION_REQUEST__OPERATION_SETTLE;
    operation.settle = &request;
    client_quota_batch_start(caller->run->options->batch, &operation, &patient, on_done,
                             caller);
}

static void go_on(struct caller *caller)
{
    const struct quota_load_options *options = caller->run->options;
    struct reserve_request request;

    caller->started_us = clock_mono_us();
    if (caller->is_reserved) {
        settle(caller);
        return;
    }
    caller->reservation = next_id(caller);
    fill_reserve(&request, options->meter, options->amount_milli, caller->reservation);
    client_quota_batch_start(options->batch, &request.operation, &patient, on_done, caller);
}

static void on_done(void *context, const struct client_quota_outcome *outcome)
{
    struct caller *caller = context;
    struct run *run = caller->run;
    uint64_t now_us = clock_mono_us();
    size_t at = atomic_fetch_add_explicit(&run->count, 1, memory_order_relaxed);

    if (at < SAMPLES_MAX)
        run->samples[at] = (uint32_t)(now_us - caller->started_us);
    if (outcome->status != (run->options->is_spent ? ST_EXHAUSTED : ST_OK) &&
        atomic_fetch_add(&run->failures, 1) == 0)
        (void)fprintf(stderr, "%s: %s\n", status_name(outcome->status),
                      outcome->result != NULL ? outcome->result->message
                                              : outcome->err->message);
    caller->is_reserved = outcome->status == ST_OK && !caller->is_reserved;
    if (now_us < run->until_us) {
        go_on(caller);
        return;
    }
    mutex_lock(&run->mutex);
    if (atomic_fetch_sub(&run->active, 1) == 1)
        condition_signal(&run->over);
    mutex_unlock(&run->mutex);
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static void summarise(struct load_result *out, struct run *run, uint64_t took_us)
{
    size_t count = atomic_load(&run->count);
    size_t kept = count < SAMPLES_MAX ? count : SAMPLES_MAX;

    out->calls = count;
    out->failures = atomic_load(&run->failures);
    out->per_second = (double)count * 1e6 / (double)took_us;
    qsort(run->samples, kept, sizeof(run->samples[0]), compare);
    out->p50_us = run->samples[kept / 2];
    out->p99_us = run->samples[kept * 99 / 100];
    out->p999_us = run->samples[kept * 999 / 1000];
    out->max_us = run->samples[kept - 1];
}

struct load_result quota_load_run(const struct quota_load_options *options)
{
    struct caller *callers = mem_alloc_array(options->callers, sizeof(callers[0]));
    struct load_result result = {.calls = 0};
    uint64_t from_us = clock_mono_us();
    struct run run = {.options = options,
                      .until_us = clock_deadline_ms(options->milliseconds)};

    mutex_init(&run.mutex);
    condition_init(&run.over);
    run.samples = mem_alloc_array(SAMPLES_MAX, sizeof(run.samples[0]));
    atomic_init(&run.active, options->callers);
    for (unsigned i = 0; i < options->callers; i++) {
        callers[i].run = &run;
        go_on(&callers[i]);
    }
    mutex_lock(&run.mutex);
    while (atomic_load(&run.active) > 0)
        condition_wait(&run.over, &run.mutex);
    mutex_unlock(&run.mutex);
    summarise(&result, &run, clock_mono_us() - from_us);
    condition_done(&run.over);
    mutex_done(&run.mutex);
    mem_free(run.samples);
    mem_free(callers);
    return result;
}

bool quota_load_reserve(struct client_quota_batch *batch, const char *meter,
                        int64_t amount_milli)
{
    struct client_quota_answer answer;
    struct reserve_request request;
    struct error err;
    bool executed;

    fill_reserve(&request, meter, amount_milli, op_id_new());
    return client_quota_batch_call(batch, &request.operation, &patient, &answer, &executed,
                                   &err) == ST_OK;
}
