/*
 * ledger_fixture.h - a writer of the ledger for tests: it keeps the counter of one meter as
 * the ledger should.
 */
#ifndef LEDGER_FIXTURE_H
#define LEDGER_FIXTURE_H

#include "store_fixture.h"

#include "ledger/ledger_digest.h"
#include "store/ledger_store.h"

#define PERIOD_START 1793491200000000LL /* 2026-11-01 */
#define PERIOD_END   1796083200000000LL /* 2026-12-01 */
#define NOW          1795300000000000LL
#define LIMIT        1400000LL

enum { RESERVE = 1, SETTLE, VOID, LAPSE, CORRECT, ADJUST };

/* The writer's own picture of the ledger; each test has a meter of its own. */
static struct ledger_state ledger;
static struct ledger_counter counter;
static uint64_t ids;

static inline struct op_id next_id(void)
{
    ids++;
    return op_id_make(NOW + (int64_t)ids, ids, 7);
}

static inline void become_writer(void)
{
    struct store_call call = a_call();

    assert_status(ST_OK, ledger_store_open(&ledger, &call, "test", 0, &err));
}

static inline void use_meter(const char *meter)
{
    become_writer();
    counter = (struct ledger_counter){.meter = meter,
                                      .scope = LEDGER_SCOPE_METER,
                                      .subject = "",
                                      .period_start_us = PERIOD_START,
                                      .period_end_us = PERIOD_END,
                                      .limit_milli = LIMIT};
}

static inline struct ledger_event an_event(int kind, struct op_id reservation,
                                           int64_t amount)
{
    struct ledger_event event = {.op_id = kind == RESERVE ? reservation : next_id(),
                                 .kind = kind,
                                 .reservation_id = reservation,
                                 .meter = counter.meter,
                                 .period_start_us = PERIOD_START,
                                 .amount_milli = amount,
                                 .at_us = NOW + (int64_t)ids,
                                 .expires_at_us = kind == RESERVE ? NOW + 60000000 : 0,
                                 .limit_version = 3,
                                 .purpose = {.provider = "modash",
                                             .action = "report",
                                             .reason = "select",
                                             .platform = 1,
                                             .creator = "c-1",
                                             .user = "alice",
                                             .tenant = "acme"},
                                 .endpoint = "select",
                                 .cooldown_key = "",
                                 .actor = "",
                                 .note = "",
                                 .has_call = kind != RESERVE && kind != ADJUST,
                                 .call = {.started_at_us = NOW,
                                          .outcome = 1,
                                          .latency_us = 4500,
                                          .http_status = 200,
                                          .detail = "fine"}};

    if (!event.has_call)
        event.call = (struct ledger_call){.detail = ""};
    memset(event.body_hash, 0xab, sizeof(event.body_hash));
    return event;
}

static inline struct ledger_event a_settle(struct op_id reservation, int64_t amount,
                                           int64_t held)
{
    struct ledger_event event = an_event(SETTLE, reservation, amount);

    event.released_milli = held;
    event.overage_milli = amount > held ? amount - held : 0;
    return event;
}

/* Move the test's own counter as the ledger should. */
static inline void count(const struct ledger_event *event)
{
    if (event->kind == RESERVE)
        counter.held_milli += event->amount_milli;
    else
        counter.posted_milli += event->amount_milli;
    counter.held_milli -= event->released_milli;
    counter.overage_milli += event->overage_milli;
}

/* The next batch, with this counter alone. */
static inline struct ledger_batch next_batch(const struct ledger_event *events,
                                             size_t event_count)
{
    return (struct ledger_batch){.epoch = ledger.epoch,
                                 .batch = ledger.last_batch + 1,
                                 .at_us = NOW,
                                 .events = events,
                                 .event_count = event_count,
                                 .counters = &counter,
                                 .counter_count = 1};
}

/* With its digest, as the service makes it. */
static inline enum status commit_batch(struct ledger_batch *batch, int64_t *sequences)
{
    struct store_call call = a_call();

    ledger_digest(batch->digest, batch->at_us, batch->events, batch->event_count,
                  batch->limits, batch->limit_count);
    return ledger_store_commit(&call, batch, sequences, &err);
}

static inline enum status commit_as(const struct ledger_event *events, size_t event_count)
{
    struct ledger_batch batch = next_batch(events, event_count);

    return commit_batch(&batch, NULL);
}

static inline void commit(const struct ledger_event *events, size_t event_count)
{
    for (size_t i = 0; i < event_count; i++)
        count(&events[i]);
    assert_status(ST_OK, commit_as(events, event_count));
    ledger.last_batch++;
}

/* The commit of one event fails and changes nothing: the same batch number works next. */
static inline void refuse(enum status st, const char *reason,
                          const struct ledger_event *event)
{
    struct ledger_counter before = counter;

    count(event);
    assert_status(st, commit_as(event, 1));
    assert_string_equal(err.reason, reason);
    counter = before;
    commit(NULL, 0);
}

static inline const struct ledger_event *operations(struct op_id id, size_t *found)
{
    struct store_call call = a_call();
    const struct ledger_event *events = NULL;

    assert_status(ST_OK, ledger_store_operations(&events, found, &call, &id, 1, &err));
    return events;
}

static inline int64_t stored(const char *column)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT %s FROM metercache.quota_counter WHERE meter = '%s'", column,
                   counter.meter);
    return ask("reader", sql);
}

static inline int64_t logged(void)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT sum(credits_milli)::bigint FROM metercache.call_log"
                   " WHERE meter = '%s'",
                   counter.meter);
    return ask("reader", sql);
}

#endif /* LEDGER_FIXTURE_H */
