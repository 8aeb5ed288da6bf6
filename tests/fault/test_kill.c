/*
 * kill -9 of each service and of Postgres in the middle of 2,000 selects: nothing that was
 * spent is forgotten, nothing is called without a reservation, nothing acknowledged is lost.
 * C6, C7, S2.
 *
 * TEST_SEED repeats a run's choices.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/thread.h"
#include "support/fixture.h"

#define SELECTS      2000
#define WORKERS      16
#define ROUNDS       2 /* kills of each victim */
#define REPORT_MILLI 1000
#define CALL_MS      4000
#define PAUSE_MS     50
#define PATIENCE_MS  80000 /* for the selects, kills and restarts included */
#define LAPSED_MS    30000 /* the longest hold, and some */
#define STACK_BYTES  (512u << 10)

/* Calls take a while, so that a kill finds some under way; holds are short, so that what a
 * kill leaves behind lapses within the test. */
static const char *const SETTINGS[] = {
    "QUOTA_REPORTS_PER_MONTH=100000", "QUOTA_HOLD_MAX=6s",         "MODASH_TIMEOUT=2s",
    "CACHE_GATEWAY_TIMEOUT=8s",       "SIMULATOR_CREDITS=1000000", NULL,
};

static const enum stack_service VICTIMS[] = {STACK_CACHE, STACK_QUOTA, STACK_GATEWAY,
                                             STACK_POSTGRES};
#define KILLS (ROUNDS * COUNT_OF(VICTIMS))

/* ------------------------------------------------------------------- the callers ------- */

struct load {
    struct rpc_client *client;
    const struct simulator_creator *creators;
    uint64_t deadline_us;
    atomic_size_t next;
    atomic_size_t acknowledged;
    atomic_size_t refused; /* attempts that failed */
    atomic_size_t given_up;
    atomic_size_t wrong; /* answers about something else */
};

/* As often as it takes: a select is repeated by whoever wants it. */
static bool select_until_done(struct caller *caller, struct load *load, const char *creator)
{
    while (clock_left_ms(load->deadline_us) > 0) {
        select_reply *reply = NULL;
        enum status st = call_select(caller, INSTAGRAM, creator, true, &reply);
        bool is_right = st == ST_OK && reply->creator != NULL &&
                        strcmp(reply->creator->provider_user_id, creator) == 0 &&
                        reply->creator->has_report;

        if (st == ST_OK && !is_right)
            atomic_fetch_add(&load->wrong, 1);
        caller_forget(caller);
        if (st == ST_OK)
            return true;
        atomic_fetch_add(&load->refused, 1);
        thread_pause_ms(PAUSE_MS);
    }
    return false;
}

static void *worker_main(void *argument)
{
    struct load *load = argument;
    struct caller caller;
    size_t index;

    caller_init(&caller, load->client);
    caller.timeout_ms = CALL_MS;
    while ((index = atomic_fetch_add(&load->next, 1)) < SELECTS) {
        if (select_until_done(&caller, load, load->creators[index].user_id))
            atomic_fetch_add(&load->acknowledged, 1);
        else
            atomic_fetch_add(&load->given_up, 1);
    }
    caller_done(&caller);
    return NULL;
}

/* -------------------------------------------------------------------- the killer ------- */

struct kill_plan {
    enum stack_service victim;
    size_t after; /* acknowledged selects */
    uint64_t delay_us;
};

/* Every victim as often as the others, in any order, at any time but the very end. */
static void plan_kills(struct kill_plan plan[KILLS], struct rng *rng)
{
    for (size_t i = 0; i < KILLS; i++)
        plan[i].victim = VICTIMS[i % COUNT_OF(VICTIMS)];
    for (size_t i = KILLS - 1; i > 0; i--) {
        size_t other = (size_t)rng_below(rng, i + 1);
        enum stack_service victim = plan[i].victim;

        plan[i].victim = plan[other].victim;
        plan[other].victim = victim;
    }
    for (size_t i = 0; i < KILLS; i++) {
        size_t part = SELECTS * 9 / 10 / KILLS;

        plan[i].after = i * part + (size_t)rng_below(rng, part);
        plan[i].delay_us = rng_below(rng, 30000);
    }
}

static void carry_out(struct fixture *fixture, const struct kill_plan *plan,
                      struct load *load)
{
    assert_eventually(atomic_load(&load->acknowledged) >= plan->after, PATIENCE_MS);
    uint64_t at_us = clock_mono_us() + plan->delay_us;
    while (clock_mono_us() < at_us) {}
    stack_kill(fixture->stack, plan->victim);
    stack_start(fixture->stack, plan->victim);
    print_message("           %zu acknowledged: killed %s, started it again\n",
                  atomic_load(&load->acknowledged), stack_service_name(plan->victim));
}

/* -------------------------------------------------------------------- the judges ------- */

static int64_t number(struct fixture *fixture, const char *sql)
{
    return database_number(fixture->owner, sql, NULL);
}

/* Each op id the provider has seen is a reservation, and was used for one call. */
static void assert_no_call_without_reservation(struct fixture *fixture)
{
    json_t *counts = simulator_read(fixture->stack);
    const json_t *ops = json_object_get(counts, "ops");
    json_t *names = json_array();
    const char *name;
    json_t *times;

    json_object_foreach(json_object_get(ops, "seen"), name, times) {
        json_array_append_new(names, json_string(name));
    }
    char *text = json_dumps(names, 0);
    assert_true(json_array_size(names) >= SELECTS);
    assert_int_equal(json_integer_value(json_object_get(ops, "duplicates")), 0);
    assert_int_equal(json_integer_value(json_object_get(ops, "without")), 0);
    assert_int_equal(
        database_number(fixture->owner,
                        "SELECT count(*) FROM json_array_elements_text($1::json) AS op"
                        " WHERE NOT EXISTS (SELECT FROM metercache.ledger_event AS e"
                        " WHERE e.op_id = op::uuid AND e.kind = 1)",
                        (const char *const[]){text, NULL}),
        0);
    free(text);
    json_decref(names);
    json_decref(counts);
}

static void assert_books_agree(struct fixture *fixture)
{
    struct books_page page = books_read(fixture->owner, BOOKS_REPORTS);
    struct simulator_counts seen = simulator_count(fixture->stack, "modash", "report");
    Metercache__V1__GetUsageResponse *usage = NULL;

    print_message(
        "           %lld reservations, %lld calls seen, %lld charged, %lld posted, "
        "%lld lapsed\n",
        (long long)page.reservations, (long long)seen.received,
        (long long)seen.charged_milli, (long long)page.posted_milli,
        (long long)number(fixture, "SELECT count(*) FROM metercache.ledger_event"
                                   " WHERE kind = 4"));
    assert_true(seen.received <= page.reservations);
    assert_int_equal(page.counter_milli, page.posted_milli);
    assert_int_equal(page.log_milli, page.posted_milli);
    assert_int_equal(page.held_milli, 0);
    /* never less than was spent, and no more than what was reserved */
    assert_true(page.posted_milli >= seen.charged_milli);
    assert_true(page.posted_milli <= page.reservations * REPORT_MILLI);
    assert_ok(call_get_usage(&fixture->quota, "modash.reports", &usage),
              &fixture->quota.err);
    assert_int_equal(usage->meters[0]->posted_milli, page.posted_milli);
    assert_int_equal(usage->meters[0]->held_milli, 0);
    /* a kill may cost what was under way, not more */
    assert_true(seen.received <= SELECTS + (int64_t)(KILLS * WORKERS));
}

static void assert_ledger_is_whole(struct fixture *fixture)
{
    assert_int_equal(number(fixture, "SELECT max(batch) - count(*) FROM"
                                     " metercache.quota_batch"),
                     0);
    assert_int_equal(number(fixture, "SELECT w.last_batch - max(b.batch) FROM"
                                     " metercache.quota_writer AS w,"
                                     " metercache.quota_batch AS b GROUP BY w.last_batch"),
                     0);
    /* each reservation was closed once: settled, voided or lapsed */
    assert_int_equal(number(fixture,
                            "SELECT count(*) FROM (SELECT r.op_id FROM"
                            " metercache.ledger_event AS r LEFT JOIN"
                            " metercache.ledger_event AS c ON c.reservation_id = r.op_id"
                            " AND c.kind IN (2, 3, 4) WHERE r.kind = 1 GROUP BY r.op_id"
                            " HAVING count(c.op_id) <> 1) AS wrong"),
                     0);
    /* none lapsed before its time */
    assert_int_equal(number(fixture,
                            "SELECT count(*) FROM metercache.ledger_event AS l JOIN"
                            " metercache.ledger_event AS r ON r.op_id = l.reservation_id"
                            " AND r.kind = 1 WHERE l.kind = 4 AND l.at < r.expires_at"),
                     0);
}

static void assert_nothing_acknowledged_is_lost(struct fixture *fixture,
                                                const struct simulator_creator *creators)
{
    int64_t calls = simulator_count(fixture->stack, "modash", "report").received;
    json_t *ids = json_array();

    for (size_t i = 0; i < SELECTS; i++)
        json_array_append_new(ids, json_string(creators[i].user_id));
    char *text = json_dumps(ids, 0);
    assert_int_equal(database_number(fixture->owner,
                                     "SELECT count(*) FROM metercache.creator_report WHERE"
                                     " provider_user_id IN"
                                     " (SELECT json_array_elements_text($1::json))",
                                     (const char *const[]){text, NULL}),
                     SELECTS);
    free(text);
    json_decref(ids);
    for (size_t i = 0; i < SELECTS; i += SELECTS / 50) {
        select_reply *reply = NULL;

        assert_ok(call_select(&fixture->bob, INSTAGRAM, creators[i].user_id, true, &reply),
                  &fixture->bob.err);
        assert_int_equal(reply->freshness->source, METERCACHE__V1__SOURCE__SOURCE_CACHED);
    }
    assert_int_equal(simulator_count(fixture->stack, "modash", "report").received, calls);
}

/* --------------------------------------------------------------------- the test ------- */

static struct simulator_creator *choose_creators(struct fixture *fixture)
{
    size_t all = SELECTS + SELECTS / 4;
    struct simulator_creator *list = mem_alloc_array(all, sizeof(*list));
    size_t count = 0;

    simulator_creators(fixture->stack, "instagram", 0, all, list);
    for (size_t i = 0; i < all; i++) {
        if (!list[i].is_private)
            list[count++] = list[i];
    }
    assert_true(count >= SELECTS);
    return list;
}

static void run_load_with_kills(struct fixture *fixture, struct load *load, uint64_t seed)
{
    pthread_t workers[WORKERS];
    struct kill_plan plan[KILLS];
    struct rng rng;

    rng_seed(&rng, seed);
    plan_kills(plan, &rng);
    load->deadline_us = clock_deadline_ms(PATIENCE_MS);
    for (size_t i = 0; i < WORKERS; i++)
        thread_start(&workers[i], "selects", STACK_BYTES, worker_main, load);
    for (size_t i = 0; i < KILLS; i++)
        carry_out(fixture, &plan[i], load);
    for (size_t i = 0; i < WORKERS; i++)
        thread_join(workers[i]);
}

static void test_selects_survive_kill_of_each_service_and_of_postgres(void **state)
{
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : rng_system_u64() % 1000000;
    struct fixture *fixture = *state;
    struct simulator_creator *creators = choose_creators(fixture);
    struct load load = {.client = fixture->alice.client, .creators = creators};
    uint64_t begin_us = clock_mono_us();

    print_message("           TEST_SEED=%llu\n", (unsigned long long)seed);
    simulator_behave(fixture->stack, "modash", "report", "slow", "\"delay_ms\":25");
    run_load_with_kills(fixture, &load, seed);
    print_message("           %zu selects in %llu ms, %zu attempts failed\n",
                  atomic_load(&load.acknowledged),
                  (unsigned long long)((clock_mono_us() - begin_us) / 1000),
                  atomic_load(&load.refused));
    assert_int_equal(atomic_load(&load.given_up), 0);
    assert_int_equal(atomic_load(&load.wrong), 0);
    assert_int_equal(atomic_load(&load.acknowledged), SELECTS);

    assert_eventually(number(fixture,
                             "SELECT count(*) FROM metercache.quota_reservation AS r"
                             " JOIN metercache.ledger_event AS e"
                             "  ON e.op_id = r.reservation_id"
                             " WHERE e.expires_at < now() - interval '2 s'") == 0,
                      LAPSED_MS);
    assert_eventually(
        number(fixture, "SELECT count(*) FROM metercache.quota_reservation") == 0,
        LAPSED_MS);
    assert_no_call_without_reservation(fixture);
    assert_books_agree(fixture);
    assert_ledger_is_whole(fixture);
    assert_nothing_acknowledged_is_lost(fixture, creators);
    mem_free(creators);
}

static int set_up(void **state)
{
    return fixture_up(state, "kill", SETTINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_selects_survive_kill_of_each_service_and_of_postgres, fixture_begin,
            fixture_end),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
