/*
 * simulator.h - the provider simulator's control interface (tests/provider-simulator) from C.
 *
 * Threads: any for the counts, else the test's own.
 */
#ifndef SUPPORT_SIMULATOR_H
#define SUPPORT_SIMULATOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/stack.h"

/* Counts, balance, behaviours and runs as at the start. */
void simulator_reset(struct stack *stack);

/* How an endpoint ("search", "report", "*" ...) answers from now on; `more` are further
 * JSON members, such as "\"status\":500", or "". */
void simulator_behave(struct stack *stack, const char *provider, const char *endpoint,
                      const char *mode, const char *more);
/* How often Clay says that a run is still in progress. */
void simulator_set_polls(struct stack *stack, unsigned polls);

struct simulator_counts {
    int64_t refused;
    int64_t received;
    int64_t answered;
    int64_t held;
    int64_t charged_milli;
    int64_t results;
};

/* `endpoint` may be "total". */
struct simulator_counts simulator_count(struct stack *stack, const char *provider,
                                        const char *endpoint);

/* All of /_control/counts with every op id seen; the caller drops the reference. */
json_t *simulator_read(struct stack *stack);

#define SIMULATOR_NAME_SIZE 64
struct simulator_creator {
    char user_id[SIMULATOR_NAME_SIZE];
    char username[SIMULATOR_NAME_SIZE];
    int64_t followers;
    bool is_private;
};

/* `count` creators of a platform ("instagram") from `offset` on. */
void simulator_creators(struct stack *stack, const char *platform, unsigned offset,
                        size_t count, struct simulator_creator *out);

/* What the provider answers about a creator's report when asked directly (and counts it). */
json_t *simulator_report(struct stack *stack, const char *platform, const char *user_id);

#endif /* SUPPORT_SIMULATOR_H */
