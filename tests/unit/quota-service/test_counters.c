/* The pool of counters: found by key, dropped when the ledger has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/rng.h"
#include "counters.h"

#define LIMIT_ROWS COUNTERS_METER_ROWS
#define MONTH      1000

static struct counters counters;

static int set_up(void **state)
{
    (void)state;
    counters_init(&counters, LIMIT_ROWS);
    counters_begin(&counters, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    counters_done(&counters);
    return 0;
}

static struct quota_counter row(enum limit_scope scope, int64_t start_us,
                                const char *subject)
{
    struct quota_counter out = {.meter = 1,
                                .scope = scope,
                                .period = {start_us, start_us + MONTH},
                                .subject_size = (uint8_t)strlen(subject)};

    memcpy(out.subject, subject, out.subject_size);
    return out;
}

static struct counter *add(enum limit_scope scope, int64_t start_us, const char *subject,
                           uint64_t committed)
{
    struct quota_counter from = row(scope, start_us, subject);

    return counters_add(&counters, &from, committed);
}

static struct counter *find(enum limit_scope scope, int64_t start_us, const char *subject)
{
    const struct counter_key key = {scope, 1, start_us, subject, strlen(subject)};

    return counters_find(&counters, &key);
}

static void test_counters_left_is_never_negative(void **state)
{
    (void)state;
    assert_int_equal(counters_left_milli(100, 30, 20), 50);
    assert_int_equal(counters_left_milli(100, 100, 0), 0);
    assert_int_equal(counters_left_milli(100, 90, 20), 0);
}

static void test_counters_find_tells_scope_period_and_subject_apart(void **state)
{
    (void)state;
    assert_non_null(add(LIMIT_USER, 0, "ada", 0));
    assert_non_null(add(LIMIT_USER, MONTH, "ada", 0));
    assert_non_null(add(LIMIT_TENANT, 0, "ada", 0));
    assert_non_null(add(LIMIT_SHARE, 0, "", 0));
    assert_int_equal(find(LIMIT_USER, MONTH, "ada")->period.start_us, MONTH);
    assert_int_equal(find(LIMIT_TENANT, 0, "ada")->scope, LIMIT_TENANT);
    assert_non_null(find(LIMIT_SHARE, 0, ""));
    assert_null(find(LIMIT_USER, 0, "ad"));
    assert_null(find(LIMIT_ENDPOINT, 0, "ada"));
    assert_null(find(LIMIT_USER, 2 * MONTH, "ada"));
}

static void test_counters_of_a_meter_are_found_by_time(void **state)
{
    (void)state;
    assert_non_null(add(LIMIT_METER, MONTH, "", 0));
    assert_non_null(add(LIMIT_METER, 0, "", 0)); /* older, added later */
    assert_non_null(add(LIMIT_METER, 2 * MONTH, "", 0));
    assert_int_equal(counters_newest(&counters, 1)->period.start_us, 2 * MONTH);
    assert_int_equal(counters_at(&counters, 1, MONTH - 1)->period.start_us, 0);
    assert_int_equal(counters_at(&counters, 1, MONTH)->period.start_us, MONTH);
    assert_null(counters_at(&counters, 1, 3 * MONTH));
    assert_int_equal(counters_ended_at(&counters, 1, MONTH)->period.start_us, 0);
    assert_null(counters_of_period(&counters, 1, 5));
    assert_null(counters_newest(&counters, 2));
}

static void test_counters_touched_are_listed_once_and_anew_for_each_batch(void **state)
{
    static struct quota_counter changed[COUNTERS_TOUCHED_MAX];
    struct counter *it = add(LIMIT_USER, 0, "ada", 0);

    (void)state;
    it->held_milli = 5;
    counters_touch(&counters, it);
    counters_touch(&counters, it);
    assert_int_equal(counters_copy_touched(&counters, changed), 1);
    assert_int_equal(changed[0].held_milli, 5);
    assert_memory_equal(changed[0].subject, "ada", 3);
    counters_begin(&counters, 2);
    assert_int_equal(counters_copy_touched(&counters, changed), 0);
    counters_touch(&counters, it);
    assert_int_equal(it->batch, 2);
    assert_int_equal(counters_copy_touched(&counters, changed), 1);
}

static void fill(void)
{
    char subject[LIMIT_SUBJECT_MAX];

    for (unsigned i = 0; counters.used < LIMIT_ROWS; i++) {
        struct counter *it;

        (void)snprintf(subject, sizeof(subject), "user-%u", i);
        it = add(LIMIT_USER, 0, subject, 0);
        assert_non_null(it);
        it->batch = 1;
    }
}

/* What the ledger does not have yet may not be dropped, nor what was just changed. */
static void test_counters_add_to_a_full_pool_drops_what_is_committed(void **state)
{
    (void)state;
    fill();
    assert_null(add(LIMIT_USER, 0, "one-more", 0)); /* batch 1 is not committed */
    counters_touch(&counters, find(LIMIT_USER, 0, "user-0"));
    assert_non_null(add(LIMIT_USER, 0, "one-more", 1));
    assert_int_equal(counters.used, LIMIT_ROWS);
    assert_non_null(find(LIMIT_USER, 0, "user-0"));
    assert_non_null(find(LIMIT_USER, 0, "one-more"));
}

static void test_counters_used_lately_stay_longest(void **state)
{
    char subject[LIMIT_SUBJECT_MAX];

    (void)state;
    fill();
    assert_non_null(add(LIMIT_USER, 0, "first", 1)); /* the hand took every mark off */
    for (unsigned i = 0; i < LIMIT_ROWS / 2; i++) {
        assert_non_null(find(LIMIT_USER, 0, "user-200"));
        (void)snprintf(subject, sizeof(subject), "new-%u", i);
        assert_non_null(add(LIMIT_USER, 0, subject, 1));
    }
    assert_non_null(find(LIMIT_USER, 0, "user-200"));
}

static void test_counters_of_meters_are_never_dropped(void **state)
{
    char subject[LIMIT_SUBJECT_MAX];

    (void)state;
    assert_non_null(add(LIMIT_METER, 0, "", 0));
    fill();
    for (unsigned i = 0; i < 3 * LIMIT_ROWS; i++) {
        (void)snprintf(subject, sizeof(subject), "new-%u", i);
        assert_non_null(add(LIMIT_USER, 0, subject, 1));
    }
    assert_non_null(find(LIMIT_METER, 0, ""));
}

static void test_counters_retire_forgets_meters_that_ended_and_hold_nothing(void **state)
{
    struct counter *held;

    (void)state;
    assert_non_null(add(LIMIT_METER, 0, "", 0));
    held = add(LIMIT_METER, MONTH, "", 0);
    held->held_milli = 1;
    assert_non_null(add(LIMIT_METER, 2 * MONTH, "", 0));
    counters_touch(&counters, add(LIMIT_METER, 3 * MONTH, "", 0));
    counters_retire(&counters, 10 * MONTH);
    assert_null(find(LIMIT_METER, 0, ""));
    assert_non_null(find(LIMIT_METER, MONTH, ""));
    assert_null(find(LIMIT_METER, 2 * MONTH, ""));
    assert_non_null(find(LIMIT_METER, 3 * MONTH, "")); /* its change is to be told */
    assert_int_equal(counters.used, 2);
}

static void test_counters_longest_subjects_make_room_for_each_other(void **state)
{
    char subject[LIMIT_SUBJECT_MAX + 1];

    (void)state;
    memset(subject, 's', LIMIT_SUBJECT_MAX);
    subject[LIMIT_SUBJECT_MAX] = '\0';
    for (unsigned i = 0; i < 3 * LIMIT_ROWS; i++) {
        subject[0] = (char)('a' + i % 26);
        subject[1] = (char)('a' + i / 26 % 26);
        subject[2] = (char)('a' + i / 676);
        assert_non_null(add(LIMIT_ENDPOINT, 0, subject, 0));
        assert_non_null(find(LIMIT_ENDPOINT, 0, subject));
    }
}

/* Against a plain array: what is found is what was added, and only that. */
static void test_counters_random_use_agrees_with_an_array(void **state)
{
    enum { KEYS = 400 };
    bool was_added[KEYS] = {false};
    struct rng rng;

    (void)state;
    rng_seed(&rng, 3);
    for (int i = 0; i < 20000; i++) {
        unsigned key = (unsigned)rng_below(&rng, KEYS);
        char subject[16];
        struct counter *it;

        (void)snprintf(subject, sizeof(subject), "u%u", key / 2);
        it = find(LIMIT_USER, key % 2 * MONTH, subject);
        if (it != NULL) {
            assert_true(was_added[key]);
            assert_int_equal(it->posted_milli, key + 1);
            continue;
        }
        it = add(LIMIT_USER, key % 2 * MONTH, subject, 0);
        assert_non_null(it);
        it->posted_milli = key + 1;
        was_added[key] = true;
    }
    assert_int_equal(counters.used, LIMIT_ROWS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_counters_left_is_never_negative),
        TEST(test_counters_find_tells_scope_period_and_subject_apart),
        TEST(test_counters_of_a_meter_are_found_by_time),
        TEST(test_counters_touched_are_listed_once_and_anew_for_each_batch),
        TEST(test_counters_add_to_a_full_pool_drops_what_is_committed),
        TEST(test_counters_used_lately_stay_longest),
        TEST(test_counters_of_meters_are_never_dropped),
        TEST(test_counters_retire_forgets_meters_that_ended_and_hold_nothing),
        TEST(test_counters_longest_subjects_make_room_for_each_other),
        TEST(test_counters_random_use_agrees_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
