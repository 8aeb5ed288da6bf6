/*
 * modash_parse.h - reads Modash's answers.
 *
 * Tolerant: fields may be missing, null, numbers as strings; unknown ones are ignored. A
 * creator without the provider's id is no creator. Every function returns false when the
 * document is not the answer it should be, or the arena is full.
 */
#ifndef GATEWAY_MODASH_PARSE_H
#define GATEWAY_MODASH_PARSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "creator.h"

#define MODASH_RESULTS_MAX 100u /* in one answer */
#define MODASH_EMAILS_MAX  16u

struct modash_page {
    struct creator_list creators; /* each once */
    size_t returned;              /* what Modash charges for */
    int64_t total;                /* -1: unknown */
    bool is_exact_match;
};

struct modash_report {
    struct creator creator;
    const char *report_json; /* the "profile" object, compact */
    const char *emails[MODASH_EMAILS_MAX];
    size_t email_count;
};

/* The error code of a body that says "error": true, "" when it names none. */
const char *modash_parse_error(const json_t *root);
bool modash_parse_is_error(const json_t *root);

bool modash_parse_search(struct modash_page *out, const json_t *root,
                         enum platform platform, struct arena *arena);
bool modash_parse_users(struct creator_list *out, const json_t *root,
                        enum platform platform, struct arena *arena);
bool modash_parse_report(struct modash_report *out, const json_t *root,
                         enum platform platform, struct arena *arena);
bool modash_parse_balance(int64_t *credits_milli, const json_t *root);

#endif /* GATEWAY_MODASH_PARSE_H */
