/*
 * bench_quota.c - durable quota operations through the whole stack: a real Postgres with
 * fsync and synchronous_commit on, cache-service, quota-service and the batching client.
 *
 * Beside it, on the same cluster in the same minute: how long the disk takes to be sure, and
 * pgbench with the same work in plain SQL (one conditional UPDATE of a hot row, one INSERT).
 * Behind each figure, the processor time an operation costs in each process.
 *
 * A reservation and a settle are one operation each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "core/base.h"
#include "core/log.h"
#include "support/machine.h"
#include "support/pgbench.h"
#include "support/quota_load.h"
#include "support/stack.h"

#define METER        "modash.discovery"
#define SPENT_METER  "modash.reports"
#define STEP_MS      5000
#define WARM_UP_MS   1000
#define STEADY_RATE  1000
#define STEADY_S     8
#define STEADY_USERS 16
#define SQL_CLIENTS  64
#define SQL_SECONDS  6
#define REPORT_MILLI 1000
#define RESULT_MILLI 10

#define PROMISED_64      20000.0
#define PROMISED_256     30000.0
#define PROMISED_REFUSED 50000.0
#define PROMISED_RATIO   8.0
#define STEADY_P50_US    1000
#define STEADY_P99_US    5000

enum part { PART_BENCH, PART_QUOTA, PART_CACHE, PART_POSTGRES, PART_COUNT };

struct bench {
    struct stack *stack;
    struct client_quota_batch *batch;
    bool all_kept;
};

/* ---- processor time -------------------------------------------------------------------- */

static pid_t pid_of(struct bench *bench, const char *name)
{
    char path[512];
    char text[64] = "";
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/pid/%s", stack_value(bench->stack, "STACK_DIR"),
                   name);
    file = fopen(path, "r");
    if (file == NULL || fgets(text, sizeof(text), file) == NULL)
        text[0] = '0';
    if (file != NULL)
        (void)fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

static void read_cpu(struct bench *bench, uint64_t out[PART_COUNT])
{
    struct rusage own;

    (void)getrusage(RUSAGE_SELF, &own);
    out[PART_BENCH] = (uint64_t)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1000000 +
                      (uint64_t)(own.ru_utime.tv_usec + own.ru_stime.tv_usec);
    out[PART_QUOTA] = machine_cpu_us(pid_of(bench, "quota-service"));
    out[PART_CACHE] = machine_cpu_us(pid_of(bench, "cache-service"));
    out[PART_POSTGRES] = machine_cpu_with_children_us(pid_of(bench, "postgres"));
}

static void print_cpu(const uint64_t before[PART_COUNT], const uint64_t after[PART_COUNT],
                      uint64_t calls)
{
    static const char *const NAMES[PART_COUNT] = {"bench", "quota", "cache", "postgres"};

    printf("%44s  us of processor an operation:", "");
    for (int i = 0; i < PART_COUNT; i++)
        printf(" %s %.1f", NAMES[i],
               ((double)after[i] - (double)before[i]) / (double)calls);
    printf("\n");
    (void)fflush(stdout);
}

/* ---- steps ----------------------------------------------------------------------------- */

static void verdict(struct bench *bench, const char *promise, double figure, bool is_kept)
{
    printf("%-44s %10.2f  %s\n", promise, figure, is_kept ? "yes" : "NO");
    bench->all_kept = bench->all_kept && is_kept;
}

static struct load_result step(struct bench *bench, const char *name,
                               struct quota_load_options options)
{
    uint64_t before[PART_COUNT];
    uint64_t after[PART_COUNT];
    struct load_result result;

    options.batch = bench->batch;
    read_cpu(bench, before);
    result = quota_load_run(&options);
    read_cpu(bench, after);
    load_print(name, &result);
    print_cpu(before, after, result.calls);
    bench->all_kept = bench->all_kept && result.failures == 0;
    return result;
}

static struct load_result durable(struct bench *bench, unsigned callers,
                                  unsigned milliseconds)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "reserve and settle, %u callers", callers);
    return step(bench, name,
                (struct quota_load_options){.meter = METER,
                                            .amount_milli = RESULT_MILLI,
                                            .callers = callers,
                                            .milliseconds = milliseconds});
}

static void measure_durable(struct bench *bench)
{
    static const unsigned CALLERS[] = {1, 16, 64, 256};
    double rates[COUNT_OF(CALLERS)];
    bool grows = true;
    double sql;

    (void)durable(bench, CALLERS[2], WARM_UP_MS);
    for (size_t i = 0; i < COUNT_OF(CALLERS); i++) {
        rates[i] = durable(bench, CALLERS[i], STEP_MS).per_second;
        grows = grows && (i == 0 || rates[i] >= rates[i - 1]);
    }
    sql = pgbench_run(bench->stack, SQL_CLIENTS, SQL_SECONDS);
    printf("%-44s %8.0f/s\n", "pgbench: UPDATE and INSERT, 64 clients", sql);
    verdict(bench, ">= 20,000/s with 64 callers", rates[2], rates[2] >= PROMISED_64);
    verdict(bench, ">= 30,000/s with 256 callers", rates[3], rates[3] >= PROMISED_256);
    verdict(bench, "never fewer with more callers", rates[3] / rates[2], grows);
    if (sql > 0)
        verdict(bench, ">= 8 times pgbench, 64 callers", rates[2] / sql,
                rates[2] / sql >= PROMISED_RATIO);
}

static void measure_refusals(struct bench *bench)
{
    double rate;

    if (!quota_load_reserve(bench->batch, SPENT_METER, REPORT_MILLI))
        printf("the one report could not be reserved\n");
    rate = step(bench, "refused, 64 callers",
                (struct quota_load_options){.meter = SPENT_METER,
                                            .amount_milli = REPORT_MILLI,
                                            .callers = 64,
                                            .milliseconds = STEP_MS,
                                            .is_spent = true})
               .per_second;
    verdict(bench, ">= 50,000/s refused", rate, rate >= PROMISED_REFUSED);
}

static bool reserve_one(void *context, unsigned caller)
{
    struct bench *bench = context;

    (void)caller;
    return quota_load_reserve(bench->batch, METER, RESULT_MILLI);
}

static void measure_steady(struct bench *bench)
{
    const struct load_options options = {.callers = STEADY_USERS,
                                         .rate = STEADY_RATE,
                                         .seconds = STEADY_S,
                                         .call = reserve_one,
                                         .context = bench};
    struct load_result result = load_run(&options);

    load_print("Reserve, 1,000/s", &result);
    verdict(bench, "Reserve at 1,000/s: p50 < 1 ms", result.p50_us / 1000.0,
            result.p50_us < STEADY_P50_US && result.failures == 0);
    verdict(bench, "Reserve at 1,000/s: p99 < 5 ms", result.p99_us / 1000.0,
            result.p99_us < STEADY_P99_US && result.failures == 0);
}

static void measure_disk(struct bench *bench)
{
    char folder[512];

    (void)snprintf(folder, sizeof(folder), "%s/pg", stack_value(bench->stack, "STACK_DIR"));
    printf("%-44s %8.0f us\n", "8 KiB and fdatasync, p50",
           (double)machine_fdatasync_us(folder));
}

int main(void)
{
    static const char *const SETTINGS[] = {"QUOTA_DISCOVERY_RESULTS_PER_MONTH=1000000000",
                                           "QUOTA_REPORTS_PER_MONTH=1", NULL};
    struct bench bench = {.all_kept = true};
    const char *messages = getenv("BENCH_MESSAGES"); /* in flight at once; to try others */

    log_setup("bench", LOG_TEXT, LOG_WARN);
    bench.stack = stack_up("quota", SETTINGS);
    bench.batch = client_quota_batch_open(&(struct client_quota_batch_options){
        .client = stack_client(bench.stack, STACK_QUOTA, "provider-gateway"),
        .messages = messages == NULL ? 0 : (unsigned)strtoul(messages, NULL, 10)});
    measure_disk(&bench);
    measure_steady(&bench);
    measure_durable(&bench);
    measure_refusals(&bench);
    measure_disk(&bench);
    client_quota_batch_close(bench.batch);
    stack_down(bench.stack);
    return bench.all_kept ? 0 : 1;
}
