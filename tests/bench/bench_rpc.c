/*
 * bench_rpc.c - what our RPC costs on top of nng.
 *
 * An inline method that echoes 256 bytes, through rpc/client.h and rpc/server.h, beside a
 * raw nng REQ/REP echo of 256 bytes over contexts, both over loopback tcp in this process,
 * taken in turns, with 1, 64 and 256 calls in flight. Prints calls a second, p50 and p99,
 * processor time a call (both sides; the figure that a busy machine harms least), and ours
 * as a share of the raw ones.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"
#include "metercache/v1/admin.pb-c.h"
#include "rpc/client.h"
#include "rpc/server.h"

#define ECHO_BYTES   256
#define ROUND_MS     1500
#define ROUNDS       3
#define INFLIGHT_MAX 256
#define SAMPLES_MAX  ((size_t)1 << 20)

/* One run: `inflight` callers that call again as soon as they are answered. */
struct run {
    uint64_t until_us;
    uint64_t cpu_us; /* of the process, at the beginning */
    atomic_uint active;
    atomic_size_t count;
    atomic_uint failures;
    uint32_t *samples; /* microseconds */
    pthread_mutex_t mutex;
    pthread_cond_t over;
};

static void check(int number, const char *what)
{
    if (number == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, nng_strerror(number));
    exit(1);
}

/* One call is done. True: make another. */
static bool note(struct run *run, uint64_t started_us, bool is_ok)
{
    uint64_t now_us = clock_mono_us();
    size_t at = atomic_fetch_add_explicit(&run->count, 1, memory_order_relaxed);

    if (!is_ok)
        atomic_fetch_add(&run->failures, 1);
    if (at < SAMPLES_MAX)
        run->samples[at] = (uint32_t)(now_us - started_us);
    if (now_us < run->until_us)
        return true;
    if (atomic_fetch_sub(&run->active, 1) == 1) {
        mutex_lock(&run->mutex);
        condition_signal(&run->over);
        mutex_unlock(&run->mutex);
    }
    return false;
}

static uint64_t cpu_us(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void run_init(struct run *run, unsigned inflight)
{
    run->cpu_us = cpu_us();
    atomic_init(&run->active, inflight);
    atomic_init(&run->count, 0);
    atomic_init(&run->failures, 0);
    run->until_us = clock_deadline_ms(ROUND_MS);
}

static void run_wait(struct run *run)
{
    mutex_lock(&run->mutex);
    while (atomic_load(&run->active) > 0)
        condition_wait(&run->over, &run->mutex);
    mutex_unlock(&run->mutex);
}

/* ---- raw nng ---- */

struct raw_slot {
    nng_ctx ctx;
    nng_aio *aio;
    bool is_sending;
    struct run *run;
    uint64_t started_us;
};

static void raw_serve(void *argument)
{
    struct raw_slot *slot = argument;

    if (nng_aio_result(slot->aio) != 0)
        return;
    slot->is_sending = !slot->is_sending;
    if (slot->is_sending)
        nng_ctx_send(slot->ctx, slot->aio); /* the message received is the aio's */
    else
        nng_ctx_recv(slot->ctx, slot->aio);
}

static void raw_call(struct raw_slot *slot)
{
    nng_msg *message;

    check(nng_msg_alloc(&message, ECHO_BYTES), "nng_msg_alloc");
    slot->started_us = clock_mono_us();
    slot->is_sending = true;
    nng_aio_set_msg(slot->aio, message);
    nng_ctx_send(slot->ctx, slot->aio);
}

static void raw_answered(void *argument)
{
    struct raw_slot *slot = argument;
    bool is_ok = nng_aio_result(slot->aio) == 0;

    if (slot->is_sending && is_ok) {
        slot->is_sending = false;
        nng_ctx_recv(slot->ctx, slot->aio);
        return;
    }
    if (is_ok)
        nng_msg_free(nng_aio_get_msg(slot->aio));
    if (note(slot->run, slot->started_us, is_ok))
        raw_call(slot);
}

static nng_socket raw_server;
static nng_socket raw_client;
static struct raw_slot raw_servers[INFLIGHT_MAX];
static struct raw_slot raw_clients[INFLIGHT_MAX];

static void raw_open(void)
{
    nng_listener listener;
    nng_sockaddr address;
    char url[64];

    check(nng_rep0_open(&raw_server), "nng_rep0_open");
    check(nng_listen(raw_server, "tcp://127.0.0.1:0", &listener, 0), "nng_listen");
    check(nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &address), "address");
    snprintf(url, sizeof(url), "tcp://127.0.0.1:%u",
             (unsigned)((address.s_in.sa_port & 0xff) << 8 | address.s_in.sa_port >> 8));
    check(nng_req0_open(&raw_client), "nng_req0_open");
    check(nng_socket_set_ms(raw_client, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE),
          "resend time");
    check(nng_dial(raw_client, url, NULL, 0), "nng_dial");
    for (size_t i = 0; i < INFLIGHT_MAX; i++) {
        check(nng_ctx_open(&raw_servers[i].ctx, raw_server), "nng_ctx_open");
        check(nng_aio_alloc(&raw_servers[i].aio, raw_serve, &raw_servers[i]), "aio");
        nng_ctx_recv(raw_servers[i].ctx, raw_servers[i].aio);
        check(nng_ctx_open(&raw_clients[i].ctx, raw_client), "nng_ctx_open");
        check(nng_aio_alloc(&raw_clients[i].aio, raw_answered, &raw_clients[i]), "aio");
    }
}

static void raw_run(struct run *run, unsigned inflight)
{
    run_init(run, inflight);
    for (unsigned i = 0; i < inflight; i++) {
        raw_clients[i].run = run;
        raw_call(&raw_clients[i]);
    }
    run_wait(run);
}

/* ---- ours ---- */

static enum status echo(struct rpc_call *call, const void *request, void *reply,
                        struct error *err)
{
    const Metercache__V1__SetLogLevelRequest *in = request;
    Metercache__V1__SetLogLevelResponse *out = reply;

    (void)call;
    (void)err;
    out->former_level = in->level;
    return ST_OK;
}

static const struct rpc_method METHODS[] = {
    {&metercache__v1__admin_service__descriptor, "SetLogLevel", RPC_ROLES_ANY, RPC_INLINE,
     echo},
    {.service = NULL},
};

static enum status authenticate(void *context, const uint8_t *bearer, size_t size,
                                struct rpc_identity *out, struct error *err)
{
    (void)context;
    (void)bearer;
    (void)size;
    (void)err;
    out->role = RPC_ROLE_CLIENT;
    snprintf(out->subject, sizeof(out->subject), "bench");
    return ST_OK;
}

struct our_slot {
    struct run *run;
    uint64_t started_us;
};

static struct rpc_server *our_server;
static struct rpc_client *our_client;
static struct our_slot our_slots[INFLIGHT_MAX];

static void our_call(struct our_slot *slot);

static void our_answered(void *context, enum status status, const ProtobufCMessage *reply,
                         const struct rpc_outcome *outcome, const struct error *err)
{
    struct our_slot *slot = context;

    (void)reply;
    (void)outcome;
    if (status != ST_OK)
        fprintf(stderr, "%s: %s\n", status_name(status), err->message);
    if (note(slot->run, slot->started_us, status == ST_OK))
        our_call(slot);
}

static void our_call(struct our_slot *slot)
{
    static char text[ECHO_BYTES + 1];
    static const struct rpc_call_options options = {
        .method = "/metercache.v1.AdminService/SetLogLevel",
        .reply_type = &metercache__v1__set_log_level_response__descriptor,
        .no_retry = true,
    };
    Metercache__V1__SetLogLevelRequest request =
        METERCACHE__V1__SET_LOG_LEVEL_REQUEST__INIT;

    if (text[0] == '\0')
        memset(text, 'x', ECHO_BYTES);
    request.level = text;
    slot->started_us = clock_mono_us();
    rpc_client_start(our_client, &options, &request.base, our_answered, slot);
}

static void our_open(void)
{
    static const struct rpc_method *const tables[] = {METHODS};
    struct rpc_server_options server = {
        .name = "bench",
        .listen_url = "tcp://127.0.0.1:0",
        .tables = tables,
        .table_count = 1,
        .authenticate = authenticate,
        .contexts = 512,
        .inflight_per_connection = 512,
        .workers = 1,
    };
    struct rpc_client_options client = {
        .bearer = "mct_0123456789012345678901234567890123456789012abcdef"};
    struct error err = ERROR_NONE;

    if (rpc_server_open(&our_server, &server, &err) != ST_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    client.endpoints = rpc_server_url(our_server);
    if (rpc_client_open(&our_client, &client, &err) != ST_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
}

static void our_run(struct run *run, unsigned inflight)
{
    run_init(run, inflight);
    for (unsigned i = 0; i < inflight; i++) {
        our_slots[i].run = run;
        our_call(&our_slots[i]);
    }
    run_wait(run);
}

/* ---- figures ---- */

struct figure {
    double per_second;
    double cpu_us; /* a call */
    uint32_t p50_us;
    uint32_t p99_us;
};

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

/* The best of the rounds. */
static void take_figure(struct figure *best, struct run *run)
{
    size_t count = atomic_load(&run->count);
    size_t kept = count < SAMPLES_MAX ? count : SAMPLES_MAX;
    double per_second = (double)count * 1000 / ROUND_MS;
    double cpu = (double)(cpu_us() - run->cpu_us) / (double)count;

    if (atomic_load(&run->failures) > 0)
        printf("%u calls failed\n", atomic_load(&run->failures));
    if (per_second <= best->per_second)
        return;
    qsort(run->samples, kept, sizeof(*run->samples), compare);
    *best = (struct figure){per_second, cpu, run->samples[kept / 2],
                            run->samples[kept * 99 / 100]};
}

int main(void)
{
    static const unsigned levels[] = {1, 64, 256};
    struct run run = {.until_us = 0};

    log_setup("bench", LOG_TEXT, LOG_WARN);
    mutex_init(&run.mutex);
    condition_init(&run.over);
    run.samples = mem_alloc_array(SAMPLES_MAX, sizeof(*run.samples));
    raw_open();
    our_open();
    printf("rpc echo, %d bytes, loopback tcp, one process\n", ECHO_BYTES);
    printf("%9s  %9s %7s %7s %7s  %9s %7s %7s %7s  %6s\n", "in flight", "nng op/s",
           "p50 us", "p99 us", "cpu us", "rpc op/s", "p50 us", "p99 us", "cpu us", "ratio");
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        struct figure raw = {.per_second = 0};
        struct figure ours = {.per_second = 0};

        for (int round = 0; round < ROUNDS; round++) {
            raw_run(&run, levels[i]);
            take_figure(&raw, &run);
            our_run(&run, levels[i]);
            take_figure(&ours, &run);
        }
        printf("%9u  %9.0f %7u %7u %7.1f  %9.0f %7u %7u %7.1f  %6.2f\n", levels[i],
               raw.per_second, raw.p50_us, raw.p99_us, raw.cpu_us, ours.per_second,
               ours.p50_us, ours.p99_us, ours.cpu_us, ours.per_second / raw.per_second);
    }
    return 0;
}
