/* Writing the ledger: fence, batches, counters, the second net (C6, C7). */
#include "ledger_fixture.h"

#include "core/thread.h"

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
    assert_int_equal(events[0].batch, ledger.last_batch - 1);
    assert_int_equal(events[1].batch, ledger.last_batch);
    assert_int_equal(events[0].epoch, ledger.epoch);
    assert_int_equal(events[1].epoch, ledger.epoch);
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

static const struct ledger_counter *counter_of(const struct ledger_state *opened,
                                               const char *meter)
{
    for (size_t i = 0; i < opened->counter_count; i++)
        if (strcmp(opened->counters[i].meter, meter) == 0)
            return &opened->counters[i];
    return NULL;
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
    const struct ledger_counter *mine = counter_of(&ledger, "m.reopen");
    assert_non_null(mine);
    assert_int_equal(mine->held_milli, 700);
    assert_int_equal(mine->limit_milli, LIMIT);
    assert_int_equal(mine->period_start_us, PERIOD_START);
    assert_int_equal(mine->period_end_us, PERIOD_END);
}

/* C6: a hold that outlived a long pause can still be settled */
static void test_ledger_store_open_ended_periods_come_with_open_holds_only(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct ledger_state later;
    use_meter("m.pause");
    struct op_id id = next_id();
    struct ledger_event reserve = an_event(RESERVE, id, 700);
    commit(&reserve, 1);
    assert_status(ST_OK, ledger_store_open(&later, &call, "test", PERIOD_END, &err));
    const struct ledger_counter *mine = counter_of(&later, "m.pause");
    assert_non_null(mine);
    assert_int_equal(mine->held_milli, 700);

    become_writer();
    struct ledger_event settle = a_settle(id, 700, 700);
    commit(&settle, 1);
    assert_status(ST_OK, ledger_store_open(&later, &call, "test", PERIOD_END, &err));
    assert_null(counter_of(&later, "m.pause"));
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

/* ---- two writers at once ---- */

/* The rows of open reservations that one commit reads to close 100 of 20,000, while the
 * planner believes that there are none (autovacuum saw the table so). */
static void test_ledger_store_commit_closes_by_key_whatever_the_planner_believes(
    void **state)
{
    static const char *const PREPARE[] = {
        "ALTER TABLE metercache.quota_reservation SET (autovacuum_enabled = off)",
        "INSERT INTO metercache.quota_reservation SELECT gen_random_uuid(), 'm.stale', now(), 1"
        " FROM generate_series(1, 20000)",
        "UPDATE pg_class SET reltuples = 0, relpages = 500"
        " WHERE oid = 'metercache.quota_reservation'::regclass",
    };
    static const char COUNT[] =
        "WITH x AS (SELECT * FROM metercache.quota_reservation WHERE meter = 'm.stale' LIMIT 100),"
        " before AS MATERIALIZED (SELECT count(*) FROM x),"
        " done AS MATERIALIZED (SELECT metercache.ledger_commit(w.epoch, w.last_batch + 1, now(),"
        " '\\x00', '{}', array_agg(reservation_id), array_agg(meter), array_agg(period_start),"
        " array_agg(amount_milli), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',"
        " '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"
        " FROM x, metercache.quota_writer AS w GROUP BY w.epoch, w.last_batch)"
        " SELECT (SELECT idx_tup_fetch FROM pg_stat_xact_user_tables"
        "         WHERE relname = 'quota_reservation')::bigint"
        " FROM done";

    (void)state;
    use_meter("m.stale");
    for (size_t i = 0; i < COUNT_OF(PREPARE); i++)
        assert_status(ST_OK, command("postgres", PREPARE[i]));
    assert_in_range(ask("postgres", COUNT), 1, 300);
    ledger.last_batch++;
    assert_status(ST_OK, command("postgres", "DELETE FROM metercache.quota_reservation"
                                             " WHERE meter = 'm.stale'"));
    assert_status(ST_OK,
                  command("postgres", "ALTER TABLE metercache.quota_reservation RESET"
                                      " (autovacuum_enabled)"));
}

static void *keep_opening(void *argument)
{
    enum status *worst = argument;
    struct arena own;
    struct error own_err;
    struct ledger_state opened;

    arena_init(&own, ARENA_SIZE);
    for (int i = 0; i < 20; i++) {
        struct store_call call = {store, &own, clock_deadline_ms(CALL_MS), false};

        enum status st = ledger_store_open(&opened, &call, "rival", 0, &own_err);
        if (st != ST_OK)
            *worst = st;
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
        enum status st = commit_as(&event, 1);
        if (st == ST_OK) {
            ledger.last_batch++;
            committed++;
            continue;
        }
        assert_status(ST_PRECONDITION, st);
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
        cmocka_unit_test(test_ledger_store_commit_reserve_and_settle_move_counter_and_log),
        cmocka_unit_test(test_ledger_store_open_fences_the_older_writer),
        cmocka_unit_test(test_ledger_store_open_returns_what_was_committed),
        cmocka_unit_test(test_ledger_store_open_ended_periods_come_with_open_holds_only),
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
        cmocka_unit_test(
            test_ledger_store_commit_closes_by_key_whatever_the_planner_believes),
        cmocka_unit_test(test_ledger_store_commit_against_a_rival_is_fenced_or_whole),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
