/*
 * filters.h - one canonical form for a creator search, however it was written.
 *
 * Equal searches must meet in the cache, since a discovery call costs money. So filters
 * are checked against the table of filters Modash documents, and then normalised: keys
 * sorted, numbers in one form, lists that mean sets sorted and without repeats, audience
 * weights filled in, followers and plays rounded as Modash rounds them, empty filters
 * dropped. A filter that is not in the table is refused: ignoring it would buy the wrong
 * creators.
 *
 * Pure: no clock, no I/O. Threads: any.
 */
#ifndef CREATORS_FILTERS_H
#define CREATORS_FILTERS_H

#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"

#define FILTERS_TEXT_MAX  (16 * 1024) /* bytes of filters or sort taken from a caller */
#define FILTERS_HASH_SIZE 32

struct filters_search {
    const char *filters;             /* canonical JSON object, in the arena */
    const char *sort;                /* canonical JSON object, in the arena */
    uint8_t hash[FILTERS_HASH_SIZE]; /* SHA-256 of platform, filters and sort */
};

/*
 * Canonicalise. Empty or NULL texts mean no filter and the default order (followers,
 * falling). ST_INVALID names the field, such as "filters.influencer.followers.min".
 */
MUST_USE enum status filters_canonicalise(struct filters_search *out, const char *platform,
                                          const char *filters_json, const char *sort_json,
                                          struct arena *arena, struct error *err);

#endif /* CREATORS_FILTERS_H */
