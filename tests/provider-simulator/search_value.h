/*
 * search_value.h - typed reading of one value in a search body.
 *
 * Each reader says false and fills `parse->problem` when the value is not what the provider
 * documents; `name` is the key the problem is told for.
 */
#ifndef SIMULATOR_SEARCH_VALUE_H
#define SIMULATOR_SEARCH_VALUE_H

#include <stdbool.h>

#include <jansson.h>

#include "search_parse.h"

struct search_parse {
    const struct population *population;
    enum platform platform;
    struct search_request *request;
    struct search_filter *filter;
    struct search_problem *problem;
};

enum search_id_kind {
    ID_NUMBER,   /* kept as it is */
    ID_LANGUAGE, /* a code, kept as its row */
    ID_AGE,      /* an audience age id, kept as its row */
};

/* Fill the problem with invalid_body_params and answer false. */
bool search_refuse(struct search_parse *parse, const char *name, const char *what);

bool search_read_integer(struct search_parse *parse, const char *name, const json_t *value,
                         uint64_t min, uint64_t max, uint64_t *out);
bool search_read_bool(struct search_parse *parse, const char *name, const json_t *value,
                      bool *out);
/* A number, as parts per million; `min` and `max` are in units. */
bool search_read_ppm(struct search_parse *parse, const char *name, const json_t *value,
                     double min, double max, int64_t *out);
/* 1..SEARCH_TEXT_MAX-1 bytes. The text is borrowed from `value`. */
bool search_read_text(struct search_parse *parse, const char *name, const json_t *value,
                      const char **out);
/* One of `words` (closed by NULL); `out` is its place. */
bool search_read_word(struct search_parse *parse, const char *name, const json_t *value,
                      const char *const *words, int *out);
/* {"min","max"}, one of them at least; min <= max. */
bool search_read_range(struct search_parse *parse, const char *name, const json_t *value,
                       struct search_range *out);
/* An array of ids in [0, max]. */
bool search_read_ids(struct search_parse *parse, const char *name, const json_t *value,
                     uint64_t max, struct search_list *out);
/* An array of {"id","weight"}, or one such object. */
bool search_read_weighted(struct search_parse *parse, const char *name, const json_t *value,
                          enum search_id_kind kind, double default_weight,
                          struct search_list *out);
/* An array of 1..SEARCH_LIST_MAX values. */
bool search_check_array(struct search_parse *parse, const char *name, const json_t *value);
/* An object with no other key than `keys` (closed by NULL). */
bool search_check_object(struct search_parse *parse, const char *name, const json_t *value,
                         const char *const *keys);

#endif
