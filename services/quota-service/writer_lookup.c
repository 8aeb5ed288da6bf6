/*
 * Look-ups: operations whose ids memory may have forgotten wait here, one call for all that
 * came while the former was on its way. Then they take their turn again.
 */
#include "core/log.h"
#include "quota_stats.h"
#include "writer_state.h"

/* An operation names its own id and, to close one, its reservation's. */
#define IDS_PER_OP 2

void writer_lookup_start(struct writer *w)
{
    struct op_id ids[LEDGER_LOOKUP_MAX];
    size_t count = 0;

    if (w->looking_up.first != NULL)
        return;
    while (w->to_look_up.first != NULL && count + IDS_PER_OP <= LEDGER_LOOKUP_MAX) {
        struct writer_op *op = w->to_look_up.first;

        w->to_look_up.first = op->next;
        ids[count++] = op->op.op_id;
        if (op->op.kind != QUOTA_RESERVE)
            ids[count++] = op->op.reservation_id;
        writer_append(&w->looking_up, op);
        stats_add(&quota_stats[QUOTA_STAT_LOOKED_UP], 1);
    }
    if (count > 0)
        ledger_client_get_operations(w->ledger, ids, count);
}

void writer_lookup_reply(struct writer *w, const struct ledger_reply *reply)
{
    struct op_list all = w->looking_up;

    w->looking_up = (struct op_list){NULL, NULL};
    if (reply->err.status != ST_OK) {
        struct error err;

        error_set(&err, ST_UNAVAILABLE, "the ledger did not answer a look-up: %s",
                  reply->err.message);
        error_reason(&err, "LEDGER_UNAVAILABLE");
        err.retry_after_ms = 250;
        log_event(LOG_WARN, "look-up failed", LOG_STR("error", reply->err.message));
        writer_refuse_all(w, &all, &err);
        return;
    }
    quota_core_recall(w->core, reply->rows, reply->row_count);
    while (all.first != NULL) {
        struct writer_op *op = all.first;

        all.first = op->next;
        op->op.looked_up = true;
        writer_append(&w->taken, op); /* behind what came meanwhile */
    }
}
