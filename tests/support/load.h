/*
 * load.h - calls at a steady rate or as fast as they go, and how long they took.
 *
 * At a rate, a call's time counts from when it was due, so that waiting behind a slow one
 * is not left out.
 */
#ifndef SUPPORT_LOAD_H
#define SUPPORT_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct load_options {
    unsigned callers; /* threads, each with one call under way */
    unsigned rate;    /* calls a second in all; 0: as fast as they go */
    unsigned seconds;
    /* One blocking call by caller number `caller`; false: it failed. */
    bool (*call)(void *context, unsigned caller);
    void *context;
};

struct load_result {
    uint64_t calls;
    uint64_t failures;
    double per_second;
    uint32_t p50_us;
    uint32_t p99_us;
    uint32_t p999_us;
    uint32_t max_us;
};

struct load_result load_run(const struct load_options *options);

/* "name   1000/s  p50 0.123 ms  p99 0.456 ms  max ..." and the failures if any. */
void load_print(const char *name, const struct load_result *result);

#endif /* SUPPORT_LOAD_H */
