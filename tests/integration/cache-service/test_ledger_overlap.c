/* Two batches on their way: the later one waits for the former, and follows it or leaves
 * nothing (C6, C7). The former is a transaction that the test holds open. */
#include "ledger_fixture.h"

#include "core/thread.h"

struct former {
    struct db *db;
    struct db_session *session;
};

/* The later batch, committed by a thread of its own. */
struct later {
    pthread_t thread;
    struct ledger_event event;
    struct ledger_batch batch;
    enum status st;
    struct error err;
};

static const struct db_statement BEGIN = {"begin", "BEGIN", 0, "", DB_NONE};
static const struct db_statement END = {"end", "COMMIT", 0, "", DB_NONE};
static const struct db_statement GIVE_UP = {"give_up", "ROLLBACK", 0, "", DB_NONE};
static const struct db_statement FORMER = {
    "former",
    "SELECT metercache.ledger_commit($1::bigint, $2::bigint, now(), '\\x00',"
    " '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',"
    " '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    2, "v", DB_ONE};

static void say(const struct former *former, const struct db_statement *statement,
                const struct db_params *params)
{
    struct db_result result;

    assert_status(ST_OK, db_execute(&result, former->session, statement, params,
                                    clock_deadline_ms(CALL_MS), &err));
    db_result_done(&result);
}

/* A batch without events, written and not yet committed. */
static struct former begin_former(int64_t batch)
{
    struct former former;
    struct db_params params;

    former.db = open_db(pg_cluster_url(cluster, "runtime"), 1);
    assert_status(ST_OK,
                  db_acquire(&former.session, former.db, clock_deadline_ms(CALL_MS), &err));
    say(&former, &BEGIN, NULL);
    db_params_init(&params);
    db_param_i64(&params, ledger.epoch);
    db_param_i64(&params, batch);
    say(&former, &FORMER, &params);
    db_params_done(&params);
    return former;
}

static void end_former(struct former *former, const struct db_statement *how)
{
    say(former, how, NULL);
    db_release(former->session);
    db_close(former->db);
}

static void *commit_later(void *argument)
{
    struct later *later = argument;
    struct arena own;

    arena_init(&own, ARENA_SIZE);
    struct store_call call = {store, &own, clock_deadline_ms(CALL_MS), false};
    later->st = ledger_store_commit(&call, &later->batch, NULL, &later->err);
    arena_done(&own);
    return NULL;
}

static void start_later(struct later *later, struct op_id id)
{
    later->event = an_event(RESERVE, id, 1000);
    count(&later->event);
    later->batch = next_batch(&later->event, 1);
    later->batch.batch = ledger.last_batch + 2;
    ledger_digest(later->batch.digest, later->batch.at_us, later->batch.events,
                  later->batch.event_count, later->batch.limits, later->batch.limit_count);
    thread_start(&later->thread, "later", 0, commit_later, later);
}

static void await_waiting(void)
{
    uint64_t deadline_us = clock_deadline_ms(CALL_MS);

    while (ask("postgres", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                           " AND NOT granted") != 1) {
        assert_true(clock_left_ms(deadline_us) > 0);
        (void)poll(NULL, 0, 5);
    }
}

static int64_t advisory_locks(void)
{
    return ask("postgres", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
}

static void test_ledger_commit_waits_for_the_former_and_follows_it(void **state)
{
    struct later later;
    size_t found = 0;
    struct op_id id = next_id();

    (void)state;
    use_meter("m.follow");
    commit(NULL, 0); /* there is a counter */
    struct former former = begin_former(ledger.last_batch + 1);
    start_later(&later, id);
    await_waiting();
    (void)operations(id, &found);
    assert_int_equal(found, 0);
    end_former(&former, &END);
    thread_join(later.thread);
    assert_int_equal(later.st, ST_OK);
    ledger.last_batch += 2;
    assert_int_equal(stored("held_milli"), 1000);
    assert_int_equal(advisory_locks(), 0); /* none stays with a session */
    commit(NULL, 0);                       /* and the chain goes on */
}

static void test_ledger_commit_whose_former_is_given_up_leaves_nothing(void **state)
{
    struct later later;
    size_t found = 0;
    struct op_id id = next_id();

    (void)state;
    use_meter("m.given-up");
    commit(NULL, 0);
    struct ledger_counter before = counter;
    struct former former = begin_former(ledger.last_batch + 1);
    start_later(&later, id);
    await_waiting();
    end_former(&former, &GIVE_UP);
    thread_join(later.thread);
    assert_int_equal(later.st, ST_PRECONDITION);
    assert_string_equal(later.err.reason, "WRONG_BATCH");
    (void)operations(id, &found);
    assert_int_equal(found, 0);
    assert_int_equal(stored("held_milli"), 0);
    assert_int_equal(advisory_locks(), 0);
    counter = before;
    commit(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_commit_waits_for_the_former_and_follows_it),
        cmocka_unit_test(test_ledger_commit_whose_former_is_given_up_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
