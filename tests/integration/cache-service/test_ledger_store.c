/* The ledger in the database: fence, batches, counters, call log (C6, C7). */
#include "store_fixture.h"

#include "core/thread.h"
#include "store/calls_store.h"
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

static struct op_id next_id(void)
{
    ids++;
    return op_id_make(NOW + (int64_t)ids, ids, 7);
}

static void become_writer(void)
{
    struct store_call call = a_call();
    assert_status(ST_OK, ledger_store_open(&ledger, &call, "test", 0, &err));
}

static void use_meter(const char *meter)
{
    become_writer();
    counter = (struct ledger_counter){.meter = meter,
                                      .period_start_us = PERIOD_START,
                                      .period_end_us = PERIOD_END,
                                      .limit_milli = LIMIT};
}

static struct ledger_event an_event(int kind, struct op_id reservation, int64_t amount)
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
                                 .has_call = kind != RESERVE && kind != ADJUST,
                                 .call = {.started_at_us = NOW,
                                          .outcome = 1,
                                          .latency_us = 4500,
                                          .http_status = 200,
                                          .detail = "fine"}};
    memset(event.body_hash, 0xab, sizeof event.body_hash);
    return event;
}

static struct ledger_event a_settle(struct op_id reservation, int64_t amount, int64_t held)
{
    struct ledger_event event = an_event(SETTLE, reservation, amount);
    event.released_milli = held;
    event.overage_milli = amount > held ? amount - held : 0;
    return event;
}

/* Move the test's own counter as the ledger should. */
static void count(const struct ledger_event *event)
{
    if (event->kind == RESERVE)
        counter.held_milli += event->amount_milli;
    else
        counter.posted_milli += event->amount_milli;
    counter.held_milli -= event->released_milli;
    counter.overage_milli += event->overage_milli;
}

static enum status commit_as(const struct ledger_event *events, size_t event_count)
{
    struct store_call call = a_call();
    struct ledger_batch batch = {.epoch = ledger.epoch,
                                 .batch = ledger.last_batch + 1,
                                 .at_us = NOW,
                                 .events = events,
                                 .event_count = event_count,
                                 .counters = &counter,
                                 .counter_count = 1};
    return ledger_store_commit(&call, &batch, &err);
}

static void commit(const struct ledger_event *events, size_t event_count)
{
    for (size_t i = 0; i < event_count; i++)
        count(&events[i]);
    assert_status(ST_OK, commit_as(events, event_count));
    ledger.last_batch++;
}

/* The commit of one event fails and changes nothing: the same batch number works next. */
static void refuse(enum status status, const char *reason, const struct ledger_event *event)
{
    struct ledger_counter before = counter;
    count(event);
    assert_status(status, commit_as(event, 1));
    assert_string_equal(err.reason, reason);
    counter = before;
    commit(NULL, 0);
}

static const struct ledger_event *operations(struct op_id id, size_t *found)
{
    struct store_call call = a_call();
    const struct ledger_event *events = NULL;
    assert_status(ST_OK, ledger_store_operations(&events, found, &call, &id, 1, &err));
    return events;
}

static int64_t stored(const char *column)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "SELECT %s FROM metercache.quota_counter WHERE meter = '%s'", column,
                   counter.meter);
    return ask("reader", sql);
}

static int64_t logged(void)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "SELECT sum(credits_milli)::bigint FROM metercache.call_log"
                   " WHERE meter = '%s'",
                   counter.meter);
    return ask("reader", sql);
}

/* ---- batches ---- */

static void test_ledger_store_commit_reserve_and_settle_move_counter_and_log(void **state)
{
    (void)state;
    use_meter("m.basic");
    struct op_id first = next_id(), second = next_id();
    struct ledger_event reserves[] = {an_event(RESERVE, first, 1000),
                                      an_event(RESERVE, second, 1000)};
    commit(reserves, 2);
    assert_int_equal(stored("held_milli"), 2000);
    struct ledger_event settles[] = {a_settle(first, 1000, 1000),
                                     a_settle(second, 250, 1000)};
    commit(settles, 2);
    assert_int_equal(stored("posted_milli"), 1250);
    assert_int_equal(stored("held_milli"), 0);
    assert_int_equal(logged(), 1250); /* C7: the log says what the counter says */

    size_t found = 0;
    const struct ledger_event *events = operations(settles[1].op_id, &found);
    assert_int_equal(found, 2);
    assert_true(op_id_equal(&events[0].op_id, &second));
    assert_int_equal(events[0].kind, RESERVE);
    assert_int_equal(events[0].expires_at_us, NOW + 60000000);
    assert_false(events[0].has_call);
    assert_int_equal(events[1].kind, SETTLE);
    assert_int_equal(events[1].amount_milli, 250);
    assert_int_equal(events[1].released_milli, 1000);
    assert_int_equal(events[1].limit_version, 3);
    assert_memory_equal(events[1].body_hash, settles[1].body_hash, 16);
    assert_string_equal(events[1].purpose.tenant, "acme");
    assert_string_equal(events[1].endpoint, "select");
    assert_true(events[1].has_call);
    assert_int_equal(events[1].call.latency_us, 4500);
    assert_string_equal(events[1].call.detail, "fine");
    (void)operations(next_id(), &found);
    assert_int_equal(found, 0);
}

static void test_ledger_store_open_fences_the_older_writer(void **state)
{
    (void)state;
    use_meter("m.fence");
    int64_t old_epoch = ledger.epoch;
    become_writer();
    assert_int_equal(ledger.epoch, old_epoch + 1);
    ledger.epoch = old_epoch;
    struct ledger_event event = an_event(RESERVE, next_id(), 1000);
    count(&event);
    assert_status(ST_PRECONDITION, commit_as(&event, 1));
    assert_string_equal(err.reason, "FENCED");
    size_t found = 9;
    (void)operations(event.op_id, &found);
    assert_int_equal(found, 0);
}

static void test_ledger_store_open_returns_what_was_committed(void **state)
{
    (void)state;
    use_meter("m.reopen");
    struct ledger_event event = an_event(RESERVE, next_id(), 700);
    commit(&event, 1);
    int64_t last_batch = ledger.last_batch;
    become_writer();
    assert_int_equal(ledger.last_batch, last_batch);
    assert_int_equal(ledger.last_at_us, NOW);
    const struct ledger_counter *mine = NULL;
    for (size_t i = 0; i < ledger.counter_count; i++)
        if (strcmp(ledger.counters[i].meter, "m.reopen") == 0)
            mine = &ledger.counters[i];
    assert_non_null(mine);
    assert_int_equal(mine->held_milli, 700);
    assert_int_equal(mine->limit_milli, LIMIT);
    assert_int_equal(mine->period_start_us, PERIOD_START);
    assert_int_equal(mine->period_end_us, PERIOD_END);

    struct store_call call = a_call();
    struct ledger_state later;
    assert_status(ST_OK, ledger_store_open(&later, &call, "test", PERIOD_END, &err));
    assert_int_equal(later.counter_count, 0); /* all periods have ended by then */
}

static void test_ledger_store_commit_wrong_batch_number_is_refused(void **state)
{
    (void)state;
    static const int64_t OFF[] = {-1, 1};
    use_meter("m.number");
    commit(NULL, 0);
    for (size_t i = 0; i < COUNT_OF(OFF); i++) {
        ledger.last_batch += OFF[i];
        assert_status(ST_PRECONDITION, commit_as(NULL, 0));
        assert_string_equal(err.reason, "WRONG_BATCH");
        ledger.last_batch -= OFF[i];
    }
    commit(NULL, 0);
}

static void test_ledger_store_find_batch_tells_committed_from_not(void **state)
{
    (void)state;
    use_meter("m.find");
    struct ledger_batch_state found;
    struct store_call call = a_call();
    commit(NULL, 0);
    assert_status(ST_OK, ledger_store_find_batch(&found, &call, ledger.epoch,
                                                 ledger.last_batch, &err));
    assert_true(found.committed);
    assert_int_equal(found.current_epoch, ledger.epoch);
    assert_int_equal(found.last_batch, ledger.last_batch);
    assert_status(ST_OK, ledger_store_find_batch(&found, &call, ledger.epoch,
                                                 ledger.last_batch + 1, &err));
    assert_false(found.committed);
    assert_status(ST_OK, ledger_store_find_batch(&found, &call, ledger.epoch - 1,
                                                 ledger.last_batch, &err));
    assert_false(found.committed);
}

/* ---- the second net ---- */

static void test_ledger_store_commit_wrong_counters_are_refused(void **state)
{
    (void)state;
    use_meter("m.wrong");
    struct ledger_event event = an_event(RESERVE, next_id(), 1000);
    commit(&event, 1);
    struct ledger_counter right = counter;
    for (int i = 0; i < 4; i++) {
        counter.posted_milli += i == 0;
        counter.held_milli -= i == 1;
        counter.overage_milli += i == 2;
        counter.period_end_us += i == 3;
        assert_status(ST_PRECONDITION, commit_as(NULL, 0));
        assert_string_equal(err.reason, "COUNTERS_DISAGREE");
        counter = right;
    }
    event = an_event(RESERVE, next_id(), 1000);
    event.meter = "m.other"; /* whose counter is not passed */
    assert_status(ST_PRECONDITION, commit_as(&event, 1));
    assert_string_equal(err.reason, "COUNTERS_DISAGREE");
    commit(NULL, 0);
}

static void test_ledger_store_commit_duplicate_op_id_is_refused(void **state)
{
    (void)state;
    use_meter("m.duplicate");
    struct op_id id = next_id();
    struct ledger_event event = an_event(RESERVE, id, 1000);
    commit(&event, 1);
    refuse(ST_EXISTS, "DUPLICATE", &event);
    struct ledger_event settle = a_settle(id, 1000, 1000);
    commit(&settle, 1);
    refuse(ST_EXISTS, "DUPLICATE", &settle);
    assert_int_equal(stored("posted_milli"), 1000);
}

static void test_ledger_store_commit_reservation_closes_once_and_as_held(void **state)
{
    (void)state;
    use_meter("m.close");
    struct op_id id = next_id();
    struct ledger_event event = an_event(RESERVE, id, 1000);
    commit(&event, 1);
    event = an_event(RESERVE, next_id(), 1000); /* so that a hold is left to release */
    commit(&event, 1);

    struct ledger_event other_amount = a_settle(id, 900, 900);
    refuse(ST_PRECONDITION, "RESERVATION_NOT_OPEN", &other_amount);
    struct ledger_event settle = a_settle(id, 900, 1000);
    commit(&settle, 1);
    struct ledger_event again = an_event(VOID, id, 0);
    again.released_milli = 1000;
    refuse(ST_PRECONDITION, "RESERVATION_NOT_OPEN", &again);
    struct ledger_event unknown = a_settle(next_id(), 1000, 1000);
    refuse(ST_PRECONDITION, "RESERVATION_NOT_OPEN", &unknown);
}

/* C6 */
static void test_ledger_store_commit_more_than_the_limit_is_refused(void **state)
{
    (void)state;
    use_meter("m.limit");
    counter.limit_milli = 2000;
    struct op_id id = next_id();
    struct ledger_event event = an_event(RESERVE, id, 2000);
    commit(&event, 1);
    struct ledger_event extra = an_event(RESERVE, next_id(), 1);
    refuse(ST_PRECONDITION, "CONSTRAINT", &extra);
    assert_int_equal(stored("held_milli"), 2000);

    /* What a call cost beyond its hold is recorded, whatever the limit. */
    struct ledger_event settle = a_settle(id, 2500, 2000);
    commit(&settle, 1);
    assert_int_equal(stored("posted_milli"), 2500);
    assert_int_equal(stored("overage_milli"), 500);
    refuse(ST_PRECONDITION, "CONSTRAINT", &extra);
}

static void test_ledger_store_commit_limit_cut_below_use_lets_it_only_fall(void **state)
{
    (void)state;
    use_meter("m.cut");
    struct op_id first = next_id(), second = next_id();
    struct ledger_event reserves[] = {an_event(RESERVE, first, 6000),
                                      an_event(RESERVE, second, 4000)};
    commit(reserves, 2);
    counter.limit_milli = 5000;
    commit(NULL, 0);
    assert_int_equal(stored("limit_milli"), 5000);
    struct ledger_event extra = an_event(RESERVE, next_id(), 3500);
    refuse(ST_PRECONDITION, "CONSTRAINT", &extra);
    struct ledger_event freed = a_settle(first, 1000, 6000);
    commit(&freed, 1);
    refuse(ST_PRECONDITION, "CONSTRAINT", &extra);
    struct ledger_event voided = an_event(VOID, second, 0);
    voided.released_milli = 4000;
    commit(&voided, 1);
    commit(&extra, 1); /* there is room below the new limit again */
    counter.limit_milli = 9000;
    struct ledger_event more = an_event(RESERVE, next_id(), 4500);
    commit(&more, 1);
}

static void test_ledger_store_commit_lapse_is_corrected_later(void **state)
{
    (void)state;
    use_meter("m.lapse");
    struct op_id id = next_id();
    struct ledger_event event = an_event(RESERVE, id, 1000);
    commit(&event, 1);
    struct ledger_event lapse = an_event(LAPSE, id, 1000);
    lapse.released_milli = 1000;
    lapse.call.outcome = 12;
    commit(&lapse, 1);
    assert_int_equal(stored("posted_milli"), 1000);
    struct ledger_event correct = an_event(CORRECT, id, -400);
    commit(&correct, 1);
    assert_int_equal(stored("posted_milli"), 600);
    assert_int_equal(logged(), 600);
    struct ledger_event adjust = an_event(ADJUST, (struct op_id){{0}}, -100);
    commit(&adjust, 1);
    assert_int_equal(stored("posted_milli"), 500);

    size_t found = 0;
    const struct ledger_event *events = operations(id, &found);
    assert_int_equal(found, 3);
    assert_int_equal(events[1].kind, LAPSE);
    assert_int_equal(events[2].amount_milli, -400);
    (void)operations(adjust.op_id, &found);
    assert_int_equal(found, 1);
}

static void test_ledger_store_commit_batch_is_all_or_nothing(void **state)
{
    (void)state;
    use_meter("m.atomic");
    struct op_id id = next_id();
    struct ledger_event events[] = {an_event(RESERVE, id, 10), an_event(RESERVE, id, 10)};
    struct ledger_counter before = counter;
    count(&events[0]);
    count(&events[1]);
    assert_status(ST_EXISTS, commit_as(events, 2));
    counter = before;
    size_t found = 9;
    (void)operations(id, &found);
    assert_int_equal(found, 0);
    assert_int_equal(ask("reader", "SELECT count(*) FROM metercache.quota_counter"
                                   " WHERE meter = 'm.atomic'"),
                     0);
    commit(NULL, 0);
}

static void test_ledger_store_commit_op_id_of_a_far_future_is_refused(void **state)
{
    (void)state;
    use_meter("m.future");
    struct ledger_event past = an_event(RESERVE, op_id_make(1000000, 1, 1), 10);
    commit(&past, 1);
    struct op_id future =
        op_id_make(clock_wall_us() + 4000LL * 24 * 3600 * SECOND_US, 1, 1);
    struct ledger_event event = an_event(RESERVE, future, 10);
    refuse(ST_PRECONDITION, "CONSTRAINT", &event);
}

static void test_ledger_store_commit_takes_a_full_batch(void **state)
{
    (void)state;
    static struct ledger_event events[LEDGER_STORE_EVENTS_MAX + 1];
    use_meter("m.full");
    for (size_t i = 0; i < LEDGER_STORE_EVENTS_MAX; i++)
        events[i] = an_event(RESERVE, next_id(), 1);
    commit(events, LEDGER_STORE_EVENTS_MAX);
    assert_int_equal(stored("held_milli"), LEDGER_STORE_EVENTS_MAX);
    assert_status(ST_INVALID, commit_as(events, LEDGER_STORE_EVENTS_MAX + 1));
}

/* ---- reading back ---- */

static void test_ledger_store_list_reservations_pages_over_all_open_ones(void **state)
{
    (void)state;
    static const size_t LEFT[] = {0, 2, 3, 4};
    struct op_id opened[5], after = {{0}};
    use_meter("m.list");
    assert_status(ST_OK, command("owner", "DELETE FROM metercache.quota_reservation"));
    for (size_t i = 0; i < COUNT_OF(opened); i++) {
        opened[i] = next_id();
        struct ledger_event event = an_event(RESERVE, opened[i], 100);
        commit(&event, 1);
    }
    struct ledger_event settle = a_settle(opened[1], 100, 100);
    commit(&settle, 1);
    for (size_t i = 0; i < COUNT_OF(LEFT); i += 2) {
        struct store_call call = a_call();
        const struct ledger_event *events;
        size_t found;
        assert_status(
            ST_OK, ledger_store_list_reservations(&events, &found, &call, &after, 2, &err));
        assert_int_equal(found, 2);
        assert_true(op_id_equal(&events[0].op_id, &opened[LEFT[i]]));
        assert_true(op_id_equal(&events[1].reservation_id, &opened[LEFT[i + 1]]));
        assert_int_equal(events[0].kind, RESERVE);
        assert_int_equal(events[0].amount_milli, 100);
        assert_int_equal(events[0].expires_at_us, NOW + 60000000);
        assert_string_equal(events[0].purpose.user, "alice");
        assert_memory_equal(events[0].body_hash, settle.body_hash, 16);
        after = events[1].op_id;
    }
}

/* What was changed in the ledger or cut out of it no longer gives the stored hashes. */
static void test_ledger_store_commit_chains_the_batches(void **state)
{
    (void)state;
    static const char BROKEN[] =
        "SELECT count(*) FROM metercache.quota_batch AS b"
        " LEFT JOIN metercache.quota_batch AS p ON p.batch = b.batch - 1"
        " CROSS JOIN LATERAL ("
        "  SELECT string_agg(metercache.ledger_event_text(e), E'\\n' ORDER BY e.position)"
        "   AS body FROM metercache.ledger_event AS e WHERE e.batch = b.batch) AS t"
        " WHERE b.hash <> sha256(coalesce(p.hash, '') || convert_to(concat_ws(E'\\n',"
        "  ROW (b.epoch, b.batch, extract(epoch FROM b.at))::text, t.body), 'UTF8'))";
    use_meter("m.chain");
    struct ledger_event event = an_event(RESERVE, next_id(), 100);
    commit(&event, 1);
    assert_true(ledger.last_batch > 10);
    assert_int_equal(ask("reader", BROKEN), 0);
    assert_status(ST_OK,
                  command("owner", "UPDATE metercache.ledger_event"
                                   " SET amount_milli = 99 WHERE meter = 'm.chain'"));
    assert_int_equal(ask("reader", BROKEN), 1);
    assert_status(ST_OK,
                  command("owner", "UPDATE metercache.ledger_event"
                                   " SET amount_milli = 100 WHERE meter = 'm.chain'"));
    assert_int_equal(ask("reader", BROKEN), 0);
}

static size_t list_calls(const struct call_record **out, const struct calls_filter *filter,
                         const struct calls_cursor *behind, size_t limit)
{
    struct store_call call = a_call();
    size_t found = 0;
    assert_status(ST_OK, calls_store_list(out, &found, &call, filter, behind, limit, &err));
    return found;
}

static void log_a_call(int i)
{
    struct op_id id = next_id();
    struct ledger_event reserve = an_event(RESERVE, id, 100);
    struct ledger_event settle = a_settle(id, 100, 100);
    settle.purpose.user = i % 2 == 0 ? "list.even" : "list.odd";
    settle.purpose.provider = "clay";
    settle.at_us = NOW + 1000000 + i / 2; /* two of them at one instant */
    settle.call.outcome = 1 + i % 3;
    commit(&reserve, 1);
    commit(&settle, 1);
}

/* C7 */
static void test_calls_store_list_filters_and_pages_newest_first(void **state)
{
    (void)state;
    const struct call_record *calls;
    struct calls_cursor newest = {0};
    use_meter("m.calls");
    for (int i = 0; i < 6; i++)
        log_a_call(i);
    struct calls_filter clay = {.provider = "clay"};
    assert_int_equal(list_calls(&calls, &clay, &newest, 4), 4);
    assert_int_equal(calls[0].at_us, NOW + 1000002);
    assert_int_equal(calls[3].at_us, NOW + 1000001);
    assert_int_equal(calls[0].credits_milli, 100);
    assert_int_equal(calls[0].http_status, 200);
    assert_string_equal(calls[0].meter, "m.calls");
    assert_string_equal(calls[0].detail, "fine");
    struct calls_cursor behind = {calls[2].at_us, calls[2].event_id};
    struct op_id fourth = calls[3].event_id;
    assert_int_equal(list_calls(&calls, &clay, &behind, 10), 3);
    assert_true(op_id_equal(&calls[0].event_id, &fourth));

    struct calls_filter even = {.user = "list.even"};
    assert_int_equal(list_calls(&calls, &even, &newest, 10), 3);
    struct calls_filter odd_empty = {.user = "list.odd", .outcome = 2};
    assert_int_equal(list_calls(&calls, &odd_empty, &newest, 10), 1);
    struct calls_filter window = {
        .provider = "clay", .from_us = NOW + 1000001, .until_us = NOW + 1000002};
    assert_int_equal(list_calls(&calls, &window, &newest, 10), 2);
    struct calls_filter none = {.action = "search"};
    assert_int_equal(list_calls(&calls, &none, &newest, 10), 0);
    assert_null(calls);
}

/* ---- rights ---- */

/* C7, S2: whoever holds the runtime role's password cannot rewrite what happened */
static void test_runtime_role_cannot_change_ledger_log_or_schema(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {
        "UPDATE metercache.ledger_event SET amount_milli = 0",
        "DELETE FROM metercache.ledger_event",
        "TRUNCATE metercache.ledger_event",
        "INSERT INTO metercache.ledger_event DEFAULT VALUES",
        "UPDATE metercache.call_log SET credits_milli = 0",
        "DELETE FROM metercache.call_log",
        "UPDATE metercache.quota_batch SET events = 0",
        "DELETE FROM metercache.quota_batch",
        "UPDATE metercache.quota_counter SET limit_milli = 999999999",
        "UPDATE metercache.quota_writer SET epoch = 0",
        "DELETE FROM metercache.quota_reservation",
        "DELETE FROM metercache.creator",
        "DELETE FROM metercache.search_request",
        "UPDATE metercache.schema_migration SET name = 'x'",
        "CREATE TABLE metercache.mine (i integer)",
        "CREATE TABLE public.mine (i integer)",
        "DROP TABLE metercache.creator",
        "ALTER TABLE metercache.search_request DISABLE ROW LEVEL SECURITY",
    };
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        enum status status = command("runtime", REFUSED[i]);
        if (status != ST_DENIED)
            fail_msg("%s: %s %s", REFUSED[i], status_name(status), err.message);
    }
    assert_status(ST_DENIED,
                  run_sql(NULL, "runtime",
                          "SELECT metercache.make_partitions(now(), now())", "v", DB_ONE));
    assert_status(ST_DENIED, run_sql(NULL, "reader", "SELECT metercache.ledger_open('x')",
                                     "t", DB_MANY));
    assert_int_not_equal(ST_OK, command("reader", "INSERT INTO metercache.search_result"
                                                  " VALUES ('', 0, 1, 'x')"));
}

static int64_t partitions(const char *parent)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM pg_inherits WHERE inhparent = '%s'::regclass",
                   parent);
    return ask("reader", sql);
}

/* C11 */
static void test_store_ensure_partitions_makes_months_ahead_once(void **state)
{
    (void)state;
    struct store_call call = a_call();
    /* Three before, this, three ahead, and what is older. */
    assert_int_equal(partitions("metercache.ledger_event"), 8);
    int64_t in_six_months = clock_wall_us() + 183LL * 24 * 3600 * SECOND_US;
    assert_status(ST_OK, store_ensure_partitions(&call, in_six_months, &err));
    int64_t made = partitions("metercache.ledger_event");
    assert_in_range(made, 10, 12);
    assert_status(ST_OK, store_ensure_partitions(&call, in_six_months, &err));
    assert_int_equal(partitions("metercache.ledger_event"), made);
    assert_int_equal(partitions("metercache.call_log"), made);
}

/* ---- two writers at once ---- */

static void *keep_opening(void *argument)
{
    enum status *worst = argument;
    struct arena own;
    struct error own_err;
    struct ledger_state opened;
    arena_init(&own, ARENA_SIZE);
    for (int i = 0; i < 20; i++) {
        struct store_call call = {store, &own, clock_deadline_ms(CALL_MS), false};
        enum status status = ledger_store_open(&opened, &call, "rival", 0, &own_err);
        if (status != ST_OK)
            *worst = status;
    }
    arena_done(&own);
    return NULL;
}

static void test_ledger_store_commit_against_a_rival_is_fenced_or_whole(void **state)
{
    (void)state;
    pthread_t rival;
    enum status worst = ST_OK;
    int committed = 0;
    use_meter("m.rival");
    thread_start(&rival, "rival", 0, keep_opening, &worst);
    for (int i = 0; i < 100; i++) {
        struct ledger_event event = an_event(RESERVE, next_id(), 1);
        struct ledger_counter before = counter;
        count(&event);
        enum status status = commit_as(&event, 1);
        if (status == ST_OK) {
            ledger.last_batch++;
            committed++;
            continue;
        }
        assert_status(ST_PRECONDITION, status);
        assert_string_equal(err.reason, "FENCED");
        counter = before;
        become_writer();
    }
    thread_join(rival);
    assert_int_equal(worst, ST_OK);
    assert_true(committed > 0);
    assert_int_equal(stored("held_milli"), committed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_ensure_partitions_makes_months_ahead_once),
        cmocka_unit_test(test_ledger_store_commit_reserve_and_settle_move_counter_and_log),
        cmocka_unit_test(test_ledger_store_open_fences_the_older_writer),
        cmocka_unit_test(test_ledger_store_open_returns_what_was_committed),
        cmocka_unit_test(test_ledger_store_commit_wrong_batch_number_is_refused),
        cmocka_unit_test(test_ledger_store_find_batch_tells_committed_from_not),
        cmocka_unit_test(test_ledger_store_commit_wrong_counters_are_refused),
        cmocka_unit_test(test_ledger_store_commit_duplicate_op_id_is_refused),
        cmocka_unit_test(test_ledger_store_commit_reservation_closes_once_and_as_held),
        cmocka_unit_test(test_ledger_store_commit_more_than_the_limit_is_refused),
        cmocka_unit_test(test_ledger_store_commit_limit_cut_below_use_lets_it_only_fall),
        cmocka_unit_test(test_ledger_store_commit_lapse_is_corrected_later),
        cmocka_unit_test(test_ledger_store_commit_batch_is_all_or_nothing),
        cmocka_unit_test(test_ledger_store_commit_op_id_of_a_far_future_is_refused),
        cmocka_unit_test(test_ledger_store_commit_takes_a_full_batch),
        cmocka_unit_test(test_ledger_store_list_reservations_pages_over_all_open_ones),
        cmocka_unit_test(test_ledger_store_commit_chains_the_batches),
        cmocka_unit_test(test_calls_store_list_filters_and_pages_newest_first),
        cmocka_unit_test(test_runtime_role_cannot_change_ledger_log_or_schema),
        cmocka_unit_test(test_ledger_store_commit_against_a_rival_is_fenced_or_whole),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
