/*
 * Open reservations come into memory page by page, while operations are already judged: the
 * meters' counters say what is held, and a reservation that is not here yet is looked up.
 * Only lapses wait for it.
 */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "writer_state.h"

#define PAUSE_US (100 * CLOCK_US_PER_MS) /* after a page that failed */

void writer_load_begin(struct writer *w)
{
    w->is_loading = true;
    w->page[0] = '\0';
    w->page_at_us = 0;
    w->opened_at_us = clock_mono_us();
    writer_load_go_on(w);
}

void writer_load_go_on(struct writer *w)
{
    if (!w->is_loading || w->is_paging || clock_mono_us() < w->page_at_us)
        return;
    w->is_paging = true;
    w->closed_before = quota_core_closed_total(w->core);
    ledger_client_list_open(w->ledger, w->page);
}

uint64_t writer_load_wake_us(const struct writer *w)
{
    return w->is_loading && !w->is_paging ? w->page_at_us : UINT64_MAX;
}

static void finish(struct writer *w)
{
    w->is_loading = false;
    if (!quota_core_loaded(w->core)) {
        writer_disagree(w, "counters and open reservations do not agree");
        return;
    }
    log_event(LOG_INFO, "open reservations loaded",
              LOG_U64("held", quota_core_held_count(w->core)),
              LOG_U64("ms", (clock_mono_us() - w->opened_at_us) / CLOCK_US_PER_MS));
}

/* Could a reservation of this page have been closed and forgotten since it was asked for? */
static bool is_outdated(const struct writer *w)
{
    return quota_core_closed_total(w->core) - w->closed_before >
           quota_core_closed_safe(w->core);
}

static bool load_rows(struct writer *w, const struct ledger_reply *reply)
{
    for (size_t i = 0; i < reply->row_count; i++) {
        if (!quota_core_load_reservation(w->core, &reply->rows[i]))
            return false;
    }
    return true;
}

void writer_load_reply(struct writer *w, const struct ledger_reply *reply)
{
    w->is_paging = false;
    if (!w->is_loading || w->phase == WRITER_ENDED)
        return;
    if (reply->err.status != ST_OK) {
        log_event(LOG_WARN, "open reservations cannot be read",
                  LOG_STR("error", reply->err.message));
        w->page_at_us = clock_mono_us() + PAUSE_US;
        return;
    }
    if (writer_ends_fenced(w, reply))
        return;
    if (!is_outdated(w)) {
        if (!load_rows(w, reply)) {
            writer_disagree(
                w, "an open reservation does not fit its counter, or there are too many");
            return;
        }
        if (reply->next_page[0] == '\0') {
            finish(w);
            return;
        }
        snprintf(w->page, sizeof(w->page), "%s", reply->next_page);
    }
    writer_load_go_on(w);
}
