/*
 * The quota core in a small world that goes wrong: see sim_world.h.
 *
 *     quota-simulator [first seed] [seeds] [plant]
 *
 * Runs the seeds one after another, prints how many and a hash of all their histories, and
 * ends with 0; what fails names its seed and aborts. Without arguments QUOTA_SEED=n runs that
 * seed alone, QUOTA_SEEDS=n so many.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/parse.h"
#include "sim_world.h"

#define SEEDS 5000

static volatile uint64_t running_seed;

void sim_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "simulator: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    abort();
}

/* Of a failed check, and of an assertion of the core. */
static void name_the_seed(int signal_number)
{
    char line[64] = "failed with QUOTA_SEED=";
    char digits[20];
    size_t size = strlen(line);
    size_t count = 0;
    uint64_t seed = running_seed;

    (void)signal_number;
    do
        digits[count++] = (char)('0' + seed % 10);
    while ((seed /= 10) > 0);
    while (count > 0)
        line[size++] = digits[--count];
    line[size++] = '\n';
    (void)!write(STDERR_FILENO, line, size);
}

static uint64_t number(const char *text, uint64_t otherwise)
{
    uint64_t value;

    return text != NULL && parse_u64(&value, text, 0, UINT64_MAX) ? value : otherwise;
}

static void print_stats(const struct sim_stats *stats)
{
    printf("commits %" PRIu64 ", granted %" PRIu64 ", refused %" PRIu64
           ", replayed %" PRIu64 ", reused %" PRIu64 ", stale %" PRIu64 ", lapsed %" PRIu64
           ", corrected %" PRIu64 ", look-ups %" PRIu64 ", crashes %" PRIu64
           ", fenced %" PRIu64 ", near a boundary %" PRIu64 "\nverdicts",
           stats->commits, stats->granted, stats->refused, stats->replayed, stats->reused,
           stats->stale, stats->lapsed, stats->corrected, stats->looked_up, stats->crashes,
           stats->fenced, stats->near_boundary);
    for (unsigned i = 0; i < COUNT_OF(stats->verdicts); i++)
        printf(" %" PRIu64, stats->verdicts[i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    uint64_t first = number(argc > 1 ? argv[1] : NULL, 1);
    uint64_t seeds = number(argc > 2 ? argv[2] : getenv("QUOTA_SEEDS"), SEEDS);
    enum sim_plant plant = (enum sim_plant)number(argc > 3 ? argv[3] : NULL, 0);
    struct sim_world *world = sim_world_new(plant);
    uint64_t history = 0;

    if (argc == 1 && getenv("QUOTA_SEED") != NULL) {
        first = number(getenv("QUOTA_SEED"), 1);
        seeds = 1;
    }
    signal(SIGABRT, name_the_seed);
    for (uint64_t seed = first; seed - first < seeds; seed++) {
        running_seed = seed;
        history = history * 31 + sim_world_run(world, seed);
    }
    print_stats(&world->stats);
    printf("%" PRIu64 " seeds, history %016" PRIx64 "\n", seeds, history);
    sim_world_free(world);
    return 0;
}
