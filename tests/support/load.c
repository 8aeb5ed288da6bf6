#include "support/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"

#define UNPACED_MAX 400000 /* samples a caller keeps when there is no rate */
#define STACK_BYTES (1024 * 1024)

struct caller {
    const struct load_options *options;
    unsigned number;
    uint64_t start_us;
    uint64_t end_us;
    uint32_t *samples;
    size_t sample_max;
    uint64_t calls;
    uint64_t failures;
    pthread_t thread;
};

static void wait_until(uint64_t due_us)
{
    const struct timespec due = clock_timespec(due_us);

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {}
}

static void *run(void *argument)
{
    struct caller *caller = argument;
    const struct load_options *options = caller->options;
    uint64_t step_us =
        options->rate == 0 ? 0 : (uint64_t)options->callers * 1000000 / options->rate;
    uint64_t due_us = caller->start_us +
                      (options->callers ? caller->number * step_us / options->callers : 0);

    while (clock_mono_us() < caller->end_us) {
        uint64_t from_us = step_us == 0 ? clock_mono_us() : due_us;

        wait_until(from_us);
        if (!options->call(options->context, caller->number))
            caller->failures++;
        if (caller->calls < caller->sample_max)
            caller->samples[caller->calls] = (uint32_t)(clock_mono_us() - from_us);
        caller->calls++;
        due_us += step_us;
    }
    return NULL;
}

static int compare_samples(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;

    return (first > second) - (first < second);
}

static void summarise(struct load_result *out, const struct caller *callers, unsigned count)
{
    size_t total = 0;

    for (unsigned i = 0; i < count; i++) {
        out->calls += callers[i].calls;
        out->failures += callers[i].failures;
        total += callers[i].calls < callers[i].sample_max ? callers[i].calls
                                                          : callers[i].sample_max;
    }
    if (total == 0)
        return;
    uint32_t *all = mem_alloc_array(total, sizeof(all[0]));
    size_t filled = 0;
    for (unsigned i = 0; i < count; i++) {
        size_t part = callers[i].calls < callers[i].sample_max ? callers[i].calls
                                                               : callers[i].sample_max;

        memcpy(all + filled, callers[i].samples, part * sizeof(all[0]));
        filled += part;
    }
    qsort(all, total, sizeof(all[0]), compare_samples);
    out->p50_us = all[total / 2];
    out->p99_us = all[total * 99 / 100];
    out->p999_us = all[total * 999 / 1000];
    out->max_us = all[total - 1];
    mem_free(all);
}

struct load_result load_run(const struct load_options *options)
{
    struct caller *callers = mem_alloc_array(options->callers, sizeof(callers[0]));
    struct load_result result = {0};
    uint64_t start_us = clock_mono_us() + 10000;

    for (unsigned i = 0; i < options->callers; i++) {
        struct caller *caller = &callers[i];

        caller->options = options;
        caller->number = i;
        caller->start_us = start_us;
        caller->end_us = start_us + (uint64_t)options->seconds * 1000000;
        caller->sample_max = options->rate == 0
                                 ? UNPACED_MAX
                                 : (size_t)options->rate * options->seconds + 1000;
        caller->samples = mem_alloc_array(caller->sample_max, sizeof(uint32_t));
        thread_start(&caller->thread, "load", STACK_BYTES, run, caller);
    }
    for (unsigned i = 0; i < options->callers; i++)
        thread_join(callers[i].thread);
    uint64_t elapsed_us = clock_mono_us() - start_us;
    summarise(&result, callers, options->callers);
    result.per_second = (double)result.calls * 1e6 / (double)elapsed_us;
    for (unsigned i = 0; i < options->callers; i++)
        mem_free(callers[i].samples);
    mem_free(callers);
    return result;
}

void load_print(const char *name, const struct load_result *result)
{
    printf("%-44s %8.0f/s  p50 %7.3f ms  p99 %7.3f ms  p99.9 %7.3f ms  max %8.3f ms", name,
           result->per_second, result->p50_us / 1000.0, result->p99_us / 1000.0,
           result->p999_us / 1000.0, result->max_us / 1000.0);
    if (result->failures > 0)
        printf("  %llu FAILED", (unsigned long long)result->failures);
    printf("\n");
    (void)fflush(stdout);
}
