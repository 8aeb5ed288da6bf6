/* Counters of subjects, cooldowns, limits, alerts and signs of life in the ledger. */
#include "ledger_fixture.h"

static struct ledger_answer answer;

static void ask_ledger(const struct ledger_question *question)
{
    struct store_call call = a_call();

    assert_status(ST_OK, ledger_store_ask(&answer, &call, question, &err));
}

static struct ledger_counter of_subject(int scope, const char *subject)
{
    struct ledger_counter row = counter;

    row.scope = scope;
    row.subject = subject;
    row.limit_milli = -1;
    row.posted_milli = 0;
    row.held_milli = 0;
    row.overage_milli = 0;
    return row;
}

static struct ledger_counter ask_counter(int scope, const char *subject)
{
    struct ledger_counter asked = of_subject(scope, subject);
    struct ledger_question question = {.counters = &asked, .counter_count = 1};

    ask_ledger(&question);
    assert_int_equal(answer.counter_count, 1);
    assert_int_equal(answer.last_batch, ledger.last_batch);
    return answer.counters[0];
}

static void assert_amounts(const struct ledger_counter *row, int64_t posted, int64_t held,
                           int64_t overage)
{
    assert_int_equal(row->posted_milli, posted);
    assert_int_equal(row->held_milli, held);
    assert_int_equal(row->overage_milli, overage);
}

/* One event, with the meter's counter and one of a subject. */
static enum status commit_with(const struct ledger_event *event,
                               const struct ledger_counter *subject)
{
    struct ledger_counter rows[2] = {counter, *subject};
    struct ledger_batch batch = next_batch(event, event != NULL);

    batch.counters = rows;
    batch.counter_count = 2;
    return commit_batch(&batch, NULL);
}

/* ---- counters -------------------------------------------------------------------------- */

static void test_ledger_store_ask_counter_that_is_not_stored_adds_its_events_up(
    void **state)
{
    (void)state;
    use_meter("s.sums");
    struct op_id open = next_id(), settled = next_id(), other = next_id();
    struct ledger_event reserves[] = {an_event(RESERVE, open, 100),
                                      an_event(RESERVE, settled, 200),
                                      an_event(RESERVE, other, 400)};
    reserves[0].is_scheduled = true;
    reserves[2].purpose.user = "bob";
    reserves[2].purpose.tenant = "other";
    reserves[2].endpoint = "search";
    commit(reserves, 3);
    struct ledger_event settle = a_settle(settled, 250, 200);
    struct ledger_event adjust = an_event(ADJUST, next_id(), 7); /* of nobody */
    adjust.reservation_id = adjust.op_id;
    struct ledger_event both[] = {settle, adjust};
    commit(both, 2);
    struct ledger_counter row = ask_counter(LEDGER_SCOPE_USER, "alice");
    assert_amounts(&row, 250, 100, 50);
    assert_int_equal(row.limit_milli, -1);
    assert_int_equal(row.period_end_us, PERIOD_END);
    row = ask_counter(LEDGER_SCOPE_USER, "bob");
    assert_amounts(&row, 0, 400, 0);
    row = ask_counter(LEDGER_SCOPE_USER, "carol");
    assert_amounts(&row, 0, 0, 0);
    row = ask_counter(LEDGER_SCOPE_ENDPOINT, "select");
    assert_amounts(&row, 250, 100, 50);
    row = ask_counter(LEDGER_SCOPE_TENANT, "other");
    assert_amounts(&row, 0, 400, 0);
    row = ask_counter(LEDGER_SCOPE_SCHEDULED, "");
    assert_amounts(&row, 0, 100, 0);
}

static void test_ledger_store_commit_counter_of_a_user_begins_with_its_events(void **state)
{
    (void)state;
    use_meter("s.begin");
    struct ledger_event event = an_event(RESERVE, next_id(), 100);
    commit(&event, 1);
    struct ledger_counter row = ask_counter(LEDGER_SCOPE_USER, "alice");
    event = an_event(RESERVE, next_id(), 30);
    count(&event);
    row.held_milli += 30;
    row.limit_milli = 200;
    assert_status(ST_OK, commit_with(&event, &row));
    ledger.last_batch++;
    row = ask_counter(LEDGER_SCOPE_USER, "alice"); /* it is stored now */
    assert_amounts(&row, 0, 130, 0);
    assert_int_equal(row.limit_milli, 200);
    assert_int_equal(ask("reader", "SELECT count(*) FROM metercache.quota_counter"
                                   " WHERE meter = 's.begin'"),
                     2);
}

static void test_ledger_store_commit_wrong_counter_of_a_user_is_refused(void **state)
{
    (void)state;
    use_meter("s.wrong");
    struct ledger_counter row = of_subject(LEDGER_SCOPE_USER, "alice");
    struct ledger_event event = an_event(RESERVE, next_id(), 100);
    count(&event);
    row.held_milli = 100;
    assert_status(ST_OK, commit_with(&event, &row));
    ledger.last_batch++;
    event = an_event(RESERVE, next_id(), 10);
    count(&event);
    row.held_milli = 111;
    assert_status(ST_PRECONDITION, commit_with(&event, &row));
    assert_string_equal(err.reason, "COUNTERS_DISAGREE");
    row.held_milli = 110;
    assert_status(ST_OK, commit_with(&event, &row));
    ledger.last_batch++;
}

static void test_ledger_store_commit_more_than_a_users_limit_is_refused(void **state)
{
    (void)state;
    use_meter("s.limit");
    struct ledger_counter row = of_subject(LEDGER_SCOPE_USER, "alice");
    struct ledger_event event = an_event(RESERVE, next_id(), 100);
    struct ledger_counter before = counter;
    count(&event);
    row.held_milli = 100;
    row.limit_milli = 99;
    assert_status(ST_PRECONDITION, commit_with(&event, &row));
    assert_string_equal(err.reason, "CONSTRAINT");
    counter = before;
    count(&event);
    row.limit_milli = 100;
    assert_status(ST_OK, commit_with(&event, &row));
    ledger.last_batch++;
}

static void test_ledger_store_open_leaves_subjects_out_list_counters_has_them(void **state)
{
    (void)state;
    struct store_call call = a_call();
    const struct ledger_counter *rows;
    size_t found;
    use_meter("s.list");
    struct ledger_counter row = of_subject(LEDGER_SCOPE_USER, "alice");
    struct ledger_event event = an_event(RESERVE, next_id(), 100);
    count(&event);
    row.held_milli = 100;
    counter.crossed_percent = 50;
    counter.soft_passed = true;
    assert_status(ST_OK, commit_with(&event, &row));
    become_writer();
    for (size_t i = 0; i < ledger.counter_count; i++) {
        assert_int_equal(ledger.counters[i].scope, LEDGER_SCOPE_METER);
        if (strcmp(ledger.counters[i].meter, "s.list") == 0) {
            assert_int_equal(ledger.counters[i].crossed_percent, 50);
            assert_true(ledger.counters[i].soft_passed);
        }
    }
    assert_status(ST_OK, ledger_store_list_counters(&rows, &found, &call, "s.list",
                                                    LEDGER_SCOPE_USER, "", NOW, &err));
    assert_int_equal(found, 1);
    assert_string_equal(rows[0].subject, "alice");
    assert_int_equal(rows[0].held_milli, 100);
    assert_status(ST_OK, ledger_store_list_counters(&rows, &found, &call, "s.list",
                                                    LEDGER_SCOPE_USER, "bob", NOW, &err));
    assert_int_equal(found, 0);
}

/* ---- cooldowns ------------------------------------------------------------------------- */

static void commit_cooldown(const char *key, int64_t until_us, struct op_id id)
{
    struct ledger_cooldown cell = {counter.meter, key, until_us, id};
    struct ledger_batch batch = next_batch(NULL, 0);

    batch.cooldowns = &cell;
    batch.cooldown_count = 1;
    assert_status(ST_OK, commit_batch(&batch, NULL));
    ledger.last_batch++;
}

static void test_ledger_store_ask_cooldowns_taken_given_back_and_unknown(void **state)
{
    (void)state;
    use_meter("s.cool");
    struct ledger_cooldown keys[] = {{.meter = "s.cool", .key = "none"},
                                     {.meter = "s.cool", .key = "taken"},
                                     {.meter = "s.cool", .key = "back"}};
    struct ledger_question question = {.cooldowns = keys, .cooldown_count = 3};
    struct op_id taker = next_id();
    commit_cooldown("taken", NOW + 5, taker);
    commit_cooldown("back", NOW + 5, taker);
    commit_cooldown("back", 0, taker);
    ask_ledger(&question);
    assert_int_equal(answer.cooldown_count, 3);
    assert_int_equal(answer.cooldowns[0].until_us, 0);
    assert_int_equal(answer.cooldowns[1].until_us, NOW + 5);
    assert_true(op_id_equal(&answer.cooldowns[1].reservation_id, &taker));
    assert_string_equal(answer.cooldowns[2].key, "back");
    assert_int_equal(answer.cooldowns[2].until_us, 0);
}

/* ---- limits ---------------------------------------------------------------------------- */

static struct ledger_limit a_limit(int64_t version, const char *subject, int64_t amount)
{
    return (struct ledger_limit){.version = version,
                                 .scope = LEDGER_SCOPE_USER,
                                 .meter = counter.meter,
                                 .subject = subject,
                                 .mode = 1,
                                 .limit_milli = amount,
                                 .thresholds = "{50,80}",
                                 .set_at_us = NOW,
                                 .set_by = "eve",
                                 .reason = "why"};
}

static enum status commit_limits(const struct ledger_limit *limits, size_t limit_count)
{
    struct ledger_batch batch = next_batch(NULL, 0);

    batch.limits = limits;
    batch.limit_count = limit_count;
    return commit_batch(&batch, NULL);
}

static void test_ledger_store_open_has_the_last_change_of_each_rule(void **state)
{
    (void)state;
    use_meter("s.rules");
    struct ledger_limit limits[] = {a_limit(1, "", 100), a_limit(2, "alice", 50),
                                    a_limit(3, "", 200), a_limit(4, "alice", 0)};
    limits[2].cooldown_ms = 1000;
    limits[2].anchor_day = 15;
    limits[3].removed = true;
    assert_status(ST_OK, commit_limits(limits, 4));
    become_writer();
    assert_int_equal(ledger.limit_version, 4);
    assert_int_equal(ledger.limit_count, 2);
    assert_int_equal(ledger.limits[0].version, 3);
    assert_int_equal(ledger.limits[0].limit_milli, 200);
    assert_int_equal(ledger.limits[0].cooldown_ms, 1000);
    assert_int_equal(ledger.limits[0].anchor_day, 15);
    assert_string_equal(ledger.limits[0].thresholds, "{50,80}");
    assert_string_equal(ledger.limits[0].set_by, "eve");
    assert_int_equal(ledger.limits[1].version, 4); /* its scope is counted on */
    assert_true(ledger.limits[1].removed);
    assert_status(ST_EXISTS, commit_limits(limits, 1)); /* a version is given once */
}

/* ---- alerts ---------------------------------------------------------------------------- */

static struct ledger_alert an_alert(int kind, int percent)
{
    return (struct ledger_alert){.kind = kind,
                                 .meter = counter.meter,
                                 .period_start_us = PERIOD_START,
                                 .period_end_us = PERIOD_END,
                                 .percent = percent,
                                 .at_us = NOW,
                                 .limit_milli = LIMIT,
                                 .posted_milli = 5,
                                 .held_milli = 6,
                                 .amount_milli = 7};
}

static size_t unpublished(void)
{
    become_writer();
    return ledger.alert_count;
}

static void test_ledger_store_alerts_stay_in_the_outbox_until_published(void **state)
{
    (void)state;
    struct store_call call = a_call();
    int64_t sequences[2], again[LEDGER_STORE_ALERTS_MAX];
    size_t found = LEDGER_STORE_ALERTS_MAX;
    use_meter("s.alerts");
    struct ledger_alert alerts[] = {an_alert(1, 50), an_alert(3, 0)};
    struct ledger_batch batch = next_batch(NULL, 0);
    batch.alerts = alerts;
    batch.alert_count = 2;
    assert_status(ST_OK, commit_batch(&batch, sequences));
    ledger.last_batch++;
    assert_true(sequences[0] < sequences[1]);
    assert_status(ST_OK,
                  ledger_store_alert_sequences(again, &found, &call, batch.batch, &err));
    assert_int_equal(found, 2);
    assert_int_equal(again[1], sequences[1]);
    assert_int_equal(unpublished(), 2);
    assert_int_equal(ledger.alerts[0].sequence, sequences[0]);
    assert_int_equal(ledger.alerts[0].percent, 50);
    assert_int_equal(ledger.alerts[1].amount_milli, 7);

    batch = next_batch(NULL, 0);
    batch.published = sequences;
    batch.published_count = 1;
    assert_status(ST_OK, commit_batch(&batch, NULL));
    assert_int_equal(unpublished(), 1);
    assert_int_equal(ledger.alerts[0].sequence, sequences[1]);
    const struct ledger_alert *listed;
    assert_status(
        ST_OK, ledger_store_list_alerts(&listed, &found, &call, "s.alerts", 0, 10, &err));
    assert_int_equal(found, 2); /* newest first, told or not */
    assert_int_equal(listed[0].sequence, sequences[1]);
    assert_status(ST_OK, ledger_store_list_alerts(&listed, &found, &call, "s.alerts",
                                                  sequences[1], 10, &err));
    assert_int_equal(found, 1);
}

static void test_ledger_store_threshold_is_kept_once_a_period(void **state)
{
    (void)state;
    int64_t first, second;
    use_meter("s.once");
    struct ledger_alert alert = an_alert(1, 80);
    struct ledger_batch batch = next_batch(NULL, 0);
    batch.alerts = &alert;
    batch.alert_count = 1;
    assert_status(ST_OK, commit_batch(&batch, &first));
    ledger.last_batch++;
    batch.batch++;
    assert_status(ST_OK, commit_batch(&batch, &second));
    ledger.last_batch++;
    assert_int_equal(first, second);
    assert_int_equal(ask("reader", "SELECT count(*) FROM metercache.quota_alert"
                                   " WHERE meter = 's.once'"),
                     1);
}

/* ---- presumed outcomes and usage ------------------------------------------------------- */

static void test_ledger_store_list_unknown_leaves_corrected_ones_out(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct op_id newest = {{0}};
    const struct ledger_event *events;
    size_t found;
    use_meter("s.unknown");
    struct op_id lapsed = next_id(), unknown = next_id(), known = next_id();
    struct ledger_event reserves[] = {an_event(RESERVE, lapsed, 10),
                                      an_event(RESERVE, unknown, 10),
                                      an_event(RESERVE, known, 10)};
    commit(reserves, 3);
    struct ledger_event ends[] = {an_event(LAPSE, lapsed, 10), a_settle(unknown, 10, 10),
                                  a_settle(known, 10, 10)};
    ends[0].released_milli = 10;
    ends[0].call.outcome = 12;
    ends[1].call.outcome = 11;
    commit(ends, 3);
    assert_status(ST_OK,
                  ledger_store_list_unknown(&events, &found, &call, &newest, 10, &err));
    assert_int_equal(found, 2);
    assert_true(op_id_equal(&events[0].reservation_id, &unknown));
    assert_true(op_id_equal(&events[1].reservation_id, &lapsed));
    struct ledger_event correct = an_event(CORRECT, unknown, -10);
    commit(&correct, 1);
    assert_status(ST_OK,
                  ledger_store_list_unknown(&events, &found, &call, &newest, 10, &err));
    assert_int_equal(found, 1);
    assert_true(op_id_equal(&events[0].reservation_id, &lapsed));
}

static void test_ledger_store_list_usage_adds_up_what_was_posted(void **state)
{
    (void)state;
    struct store_call call = a_call();
    const struct ledger_usage *usage;
    size_t found;
    use_meter("s.usage");
    for (int i = 0; i < 3; i++) {
        struct op_id id = next_id();
        struct ledger_event reserve = an_event(RESERVE, id, 10);
        struct ledger_event settle = a_settle(id, 8, 10);

        settle.at_us = NOW + i * 300 * SECOND_US;
        commit(&reserve, 1);
        commit(&settle, 1);
    }
    struct ledger_event adjust = an_event(ADJUST, next_id(), 5);
    adjust.reservation_id = adjust.op_id;
    commit(&adjust, 1);
    assert_status(ST_OK, ledger_store_list_usage(&usage, &found, &call, "s.usage",
                                                 NOW - 3600 * SECOND_US,
                                                 NOW + 3600 * SECOND_US, 300, 100, &err));
    assert_int_equal(found, 3);
    assert_int_equal(usage[0].posted_milli, 13);
    assert_int_equal(usage[0].calls, 1);
    assert_int_equal(usage[2].posted_milli, 8);
    assert_int_equal(usage[1].start_us - usage[0].start_us, 300 * SECOND_US);
    assert_status(ST_OK, ledger_store_list_usage(
                             &usage, &found, &call, "s.usage", NOW - 86400 * SECOND_US,
                             NOW + 86400 * SECOND_US, 86400, 100, &err));
    assert_int_equal(usage[0].posted_milli + (found > 1 ? usage[1].posted_milli : 0), 29);
}

/* ---- signs of life --------------------------------------------------------------------- */

static struct ledger_writer writer(int64_t resign_epoch)
{
    struct store_call call = a_call();
    struct ledger_writer out;

    assert_status(ST_OK, ledger_store_writer(&out, &call, resign_epoch, &err));
    return out;
}

static void test_ledger_store_beat_moves_fences_and_resigning_clears_the_name(void **state)
{
    (void)state;
    struct store_call call = a_call();
    use_meter("s.beat");
    int64_t beat = writer(0).beat;
    assert_string_equal(writer(0).name, "test");
    assert_int_equal(writer(0).epoch, ledger.epoch);
    assert_status(ST_OK, ledger_store_beat(&call, ledger.epoch, &err));
    assert_true(writer(0).beat > beat);
    beat = writer(0).beat;
    commit(NULL, 0);
    assert_true(writer(0).beat > beat);
    assert_int_equal(writer(0).last_batch, ledger.last_batch);
    assert_status(ST_PRECONDITION, ledger_store_beat(&call, ledger.epoch - 1, &err));
    assert_string_equal(err.reason, "FENCED");
    assert_string_equal(writer(ledger.epoch - 1).name, "test"); /* not its to give up */
    assert_string_equal(writer(ledger.epoch).name, "");
    become_writer();
    assert_string_equal(writer(0).name, "test");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_store_open_has_the_last_change_of_each_rule),
        cmocka_unit_test(
            test_ledger_store_ask_counter_that_is_not_stored_adds_its_events_up),
        cmocka_unit_test(test_ledger_store_commit_counter_of_a_user_begins_with_its_events),
        cmocka_unit_test(test_ledger_store_commit_wrong_counter_of_a_user_is_refused),
        cmocka_unit_test(test_ledger_store_commit_more_than_a_users_limit_is_refused),
        cmocka_unit_test(test_ledger_store_open_leaves_subjects_out_list_counters_has_them),
        cmocka_unit_test(test_ledger_store_ask_cooldowns_taken_given_back_and_unknown),
        cmocka_unit_test(test_ledger_store_alerts_stay_in_the_outbox_until_published),
        cmocka_unit_test(test_ledger_store_threshold_is_kept_once_a_period),
        cmocka_unit_test(test_ledger_store_list_unknown_leaves_corrected_ones_out),
        cmocka_unit_test(test_ledger_store_list_usage_adds_up_what_was_posted),
        cmocka_unit_test(test_ledger_store_beat_moves_fences_and_resigning_clears_the_name),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
