/*
 * sim_view.h - all that was decided so far, and what it leaves: sums from the beginning.
 */
#ifndef SIM_VIEW_H
#define SIM_VIEW_H

#include "sim_ledger.h"
#include "sim_writer.h"

/* The ledger, and the batches that are not in it yet. */
struct sim_view {
    const struct sim_ledger *ledger;
    const struct quota_batch *after[2];
    uint64_t version; /* of the limits that count; UINT64_MAX: all */
};

/* As this writer sees it; it is not fenced. */
struct sim_view sim_view_of(const struct sim_writer *w);

/* The last change of exactly this rule; NULL: none, or it was removed. */
const struct limit_rule *sim_view_rule(const struct sim_view *view, enum limit_scope scope,
                                       uint32_t meter, enum limit_mode mode,
                                       const char *subject, size_t size);

/* Of the asked row, by all rows before `end`: may its key not be granted yet? Does its amount
 * fit into every limit of this period of its meter? */
bool sim_view_cools_down(const struct sim_view *view, const struct quota_row *asked,
                         int64_t now_us, size_t end);
bool sim_view_fits(const struct sim_view *view, const struct quota_row *asked,
                   const struct quota_counter *period, int64_t now_us, size_t end);

#endif /* SIM_VIEW_H */
