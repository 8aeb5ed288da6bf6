/*
 * clay_parse.h - reads Clay's answers about routine runs. Tolerant of missing and unknown
 * fields; false when the document is not the answer it should be, or the arena is full.
 */
#ifndef GATEWAY_CLAY_PARSE_H
#define GATEWAY_CLAY_PARSE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/arena.h"

/* The numbers of metercache.v1.EnrichEmailState, and one that never leaves as a state. */
enum clay_state {
    CLAY_FAILED = 0, /* ended without an answer: nothing is known of the address */
    CLAY_FOUND = 1,
    CLAY_NOT_FOUND = 2,
    CLAY_PENDING = 3,
};

struct clay_result {
    enum clay_state state;
    const char *email;       /* "" unless found */
    const char *run_id;      /* "" when the answer names none */
    const char *result_json; /* the item as Clay gave it; "" while pending */
};

/* The answer to a run's start: its id. */
bool clay_parse_run(struct clay_result *out, const json_t *root, struct arena *arena);

/*
 * What became of item `item_id` ("": the first): found when the item is complete and its
 * result has an e-mail address under `email_key`, not found when it has none. An item that
 * ended in any other way failed; it is not found when its error says that nothing was
 * ("No email found").
 */
bool clay_parse_results(struct clay_result *out, const json_t *root, const char *item_id,
                        const char *email_key, struct arena *arena);

#endif /* GATEWAY_CLAY_PARSE_H */
