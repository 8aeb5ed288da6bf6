/*
 * filter_schema.h - the filters a search may use, as rows. Adding a filter is one row.
 *
 * Source: the provider's search reference (POST /{platform}/search, v1.5): names, types,
 * bounds, the words of enumerations and the default weights of audience filters.
 */
#ifndef CREATORS_FILTER_SCHEMA_H
#define CREATORS_FILTER_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

enum filter_kind {
    FILTER_BOOL,
    FILTER_INTEGER,  /* min..max */
    FILTER_FRACTION, /* a number in min..max, kept to six decimals */
    FILTER_TEXT,     /* 1 to 200 bytes */
    FILTER_WORD,     /* one of `words` */
    FILTER_OBJECT,   /* `members` */
    FILTER_SET,      /* a list of `element`; order and repeats mean nothing */
};

enum filter_rounding {
    FILTER_EXACT,
    FILTER_FOLLOWERS, /* to thousands below 5,000, to five thousands above */
    FILTER_PLAYS,     /* to thousands */
};

struct filter_spec {
    const char *name;
    enum filter_kind kind;
    int64_t min;
    int64_t max;
    enum filter_rounding rounding;
    const char *const *words;          /* ended by NULL */
    const struct filter_spec *members; /* ended by a NULL name */
    const struct filter_spec *element;
    const char *fallback; /* JSON of the value when the member is missing; NULL: none */
    int is_required;      /* member must be given */
    int is_range;         /* object with min and max: min must not exceed max */
};

extern const struct filter_spec FILTER_SCHEMA_FILTERS; /* the "filter" object */
extern const struct filter_spec FILTER_SCHEMA_SORT;    /* the "sort" object */

#endif /* CREATORS_FILTER_SCHEMA_H */
