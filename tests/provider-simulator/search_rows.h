/*
 * search_rows.h - the filter keys as rows: name, reader, and on which platforms it exists.
 *
 * Indexed by enum filter_kind; a row without a name belongs to the other table.
 */
#ifndef SIMULATOR_SEARCH_ROWS_H
#define SIMULATOR_SEARCH_ROWS_H

#include "search_value.h"

enum { ROW_INSTAGRAM = 1, ROW_ELSEWHERE = 2, ROW_EVERYWHERE = 3 };

struct search_row {
    const char *name;
    bool (*read)(struct search_parse *parse, const char *name, const json_t *value);
    int where;
};

extern const struct search_row search_influencer_rows[FILTER_KIND_COUNT];
extern const struct search_row search_audience_rows[FILTER_KIND_COUNT];

#endif
