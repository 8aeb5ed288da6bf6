/* Verification finds what was changed behind the ledger's back, and names it (C7). */
#include "ledger_fixture.h"

#include "ledger/ledger_verify.h"

static struct ledger_verdict verdict;

static const char *verify(void)
{
    struct store_call call = a_call();

    assert_status(ST_OK, ledger_verify(&verdict, &call, 0, clock_deadline_ms(60000), &err));
    assert_int_equal(verdict.next_batch, 0);
    return verdict.fault;
}

/* Do it, see that the fault is named, undo it. */
static void assert_found(const char *spoil, const char *mend, const char *fault)
{
    assert_status(ST_OK, command("owner", spoil));
    if (strstr(verify(), fault) == NULL)
        fail_msg("after %s: '%s'", spoil, verdict.fault);
    assert_status(ST_OK, command("owner", mend));
    assert_string_equal(verify(), "");
}

static struct ledger_limit a_limit(int64_t version)
{
    return (struct ledger_limit){.version = version,
                                 .scope = LEDGER_SCOPE_USER,
                                 .meter = "m.verify",
                                 .subject = "alice",
                                 .mode = 1,
                                 .limit_milli = 5000,
                                 .thresholds = "{50,80}",
                                 .set_at_us = NOW,
                                 .set_by = "eve",
                                 .reason = "why"};
}

/* Every kind of event, a limit and an empty batch. */
static int write_a_ledger(void **state)
{
    struct op_id open, settled, lapsed;
    struct ledger_limit limit = a_limit(1);
    struct ledger_batch batch;

    assert_int_equal(start_all(state), 0);
    use_meter("m.verify");
    open = next_id();
    settled = next_id();
    lapsed = next_id();
    struct ledger_event reserves[] = {an_event(RESERVE, open, 101),
                                      an_event(RESERVE, settled, 102),
                                      an_event(RESERVE, lapsed, 103)};
    reserves[0].is_scheduled = true;
    reserves[0].cooldown_key = "talent-7";
    commit(reserves, 3);
    struct ledger_event ends[] = {a_settle(settled, 112, 102),
                                  an_event(LAPSE, lapsed, 103)};
    ends[1].released_milli = 103;
    ends[1].call = (struct ledger_call){.outcome = 12, .detail = ""};
    commit(ends, 2);
    struct ledger_event admins[] = {an_event(CORRECT, lapsed, -3),
                                    an_event(ADJUST, next_id(), 9)};
    admins[1].reservation_id = admins[1].op_id;
    admins[0].actor = admins[1].actor = "eve";
    admins[0].note = admins[1].note = "the bill says so";
    commit(admins, 2);
    batch = next_batch(NULL, 0);
    batch.limits = &limit;
    batch.limit_count = 1;
    assert_status(ST_OK, commit_batch(&batch, NULL));
    ledger.last_batch++;
    commit(NULL, 0);
    /* what removed rows are put back from */
    assert_status(ST_OK, command("owner", "CREATE TABLE metercache.kept AS SELECT *"
                                          " FROM metercache.ledger_event WHERE kind = 6"));
    assert_status(ST_OK, command("owner", "CREATE TABLE metercache.opened AS SELECT *"
                                          " FROM metercache.quota_reservation"));
    return 0;
}

static void test_ledger_verify_sound_ledger_has_no_fault(void **state)
{
    (void)state;
    assert_string_equal(verify(), "");
    assert_int_equal(verdict.batches, 5);
    assert_int_equal(verdict.events, 7);
    assert_int_equal(verdict.counters, 1);
}

static void test_ledger_verify_changed_event_is_found(void **state)
{
    (void)state;
    assert_found("UPDATE metercache.ledger_event SET amount_milli = 99"
                 " WHERE amount_milli = 102",
                 "UPDATE metercache.ledger_event SET amount_milli = 102"
                 " WHERE amount_milli = 99",
                 "quota_batch 1: its hash is not that of its events");
    assert_found("UPDATE metercache.ledger_event SET detail = 'other' WHERE kind = 2",
                 "UPDATE metercache.ledger_event SET detail = 'fine' WHERE kind = 2",
                 "quota_batch 2: its hash");
    assert_found(
        "UPDATE metercache.ledger_event SET note = 'x' WHERE kind = 6",
        "UPDATE metercache.ledger_event SET note = 'the bill says so' WHERE kind = 6",
        "quota_batch 3: its hash");
    assert_found("UPDATE metercache.ledger_event SET user_id = 'bob' WHERE is_scheduled",
                 "UPDATE metercache.ledger_event SET user_id = 'alice' WHERE is_scheduled",
                 "quota_batch 1: its hash");
}

static void test_ledger_verify_removed_event_is_found(void **state)
{
    (void)state;
    assert_found("DELETE FROM metercache.ledger_event WHERE kind = 6",
                 "INSERT INTO metercache.ledger_event SELECT * FROM metercache.kept",
                 "quota_batch 3: has 1 events, was committed with 2");
}

static void test_ledger_verify_changed_limit_is_found(void **state)
{
    (void)state;
    assert_found("UPDATE metercache.quota_limit SET limit_milli = 6000",
                 "UPDATE metercache.quota_limit SET limit_milli = 5000",
                 "quota_batch 4: its hash");
}

static void test_ledger_verify_changed_hash_and_head_are_found(void **state)
{
    (void)state;
    assert_found("UPDATE metercache.quota_batch"
                 " SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1) WHERE batch = 2",
                 "UPDATE metercache.quota_batch"
                 " SET hash = set_byte(hash, 0, get_byte(hash, 0) # 1) WHERE batch = 2",
                 "quota_batch 2: its hash");
    assert_found("UPDATE metercache.quota_writer"
                 " SET head_hash = set_byte(head_hash, 0, get_byte(head_hash, 0) # 1)",
                 "UPDATE metercache.quota_writer"
                 " SET head_hash = set_byte(head_hash, 0, get_byte(head_hash, 0) # 1)",
                 "quota_writer: its head");
}

static void test_ledger_verify_changed_counter_is_found(void **state)
{
    (void)state;
    assert_found("UPDATE metercache.quota_counter SET held_milli = held_milli - 1",
                 "UPDATE metercache.quota_counter SET held_milli = held_milli + 1",
                 "quota_counter m.verify");
}

static void test_ledger_verify_changed_reservation_is_found(void **state)
{
    (void)state;
    assert_found("UPDATE metercache.quota_reservation SET amount_milli = 100",
                 "UPDATE metercache.quota_reservation SET amount_milli = 101",
                 "holds 100, its event says 101");
    assert_found("DELETE FROM metercache.quota_reservation",
                 "INSERT INTO metercache.quota_reservation SELECT * FROM metercache.opened",
                 "its events leave it open, it is not listed");
}

static void test_ledger_verify_goes_on_where_time_ran_out(void **state)
{
    (void)state;
    struct store_call call = a_call();

    assert_status(ST_OK, ledger_verify(&verdict, &call, 0, 0, &err));
    assert_int_equal(verdict.next_batch, 1);
    assert_status(ST_OK, ledger_verify(&verdict, &call, 3, clock_deadline_ms(60000), &err));
    assert_string_equal(verdict.fault, "");
    assert_int_equal(verdict.batches, 3);
    assert_status(ST_INVALID,
                  ledger_verify(&verdict, &call, 99, clock_deadline_ms(60000), &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_verify_sound_ledger_has_no_fault),
        cmocka_unit_test(test_ledger_verify_changed_event_is_found),
        cmocka_unit_test(test_ledger_verify_removed_event_is_found),
        cmocka_unit_test(test_ledger_verify_changed_limit_is_found),
        cmocka_unit_test(test_ledger_verify_changed_hash_and_head_are_found),
        cmocka_unit_test(test_ledger_verify_changed_counter_is_found),
        cmocka_unit_test(test_ledger_verify_changed_reservation_is_found),
        cmocka_unit_test(test_ledger_verify_goes_on_where_time_ran_out),
    };

    return cmocka_run_group_tests(tests, write_a_ledger, stop_all);
}
