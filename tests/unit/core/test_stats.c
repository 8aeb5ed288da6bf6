#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base.h"
#include "core/stats.h"
#include "core/thread.h"

static void test_stats_add_and_set_change_the_value(void **state)
{
    (void)state;
    struct stats_metric metric = {.name = "m", .kind = STATS_GAUGE};

    stats_add(&metric, 5);
    stats_add(&metric, -7);
    assert_int_equal(stats_value(&metric), -2);
    stats_set(&metric, 9);
    assert_int_equal(stats_value(&metric), 9);
}

static void test_stats_quantile_us_is_the_bound_of_its_bucket(void **state)
{
    (void)state;
    struct stats_metric metric = {.name = "m", .kind = STATS_HISTOGRAM};

    assert_int_equal(stats_quantile_us(&metric, 500), 0);
    for (int i = 0; i < 98; i++)
        stats_observe_us(&metric, 10);
    stats_observe_us(&metric, 11);
    stats_observe_us(&metric, 3000000);

    assert_int_equal(stats_value(&metric), 98 * 10 + 11 + 3000000);
    assert_int_equal(stats_quantile_us(&metric, 0), 10);
    assert_int_equal(stats_quantile_us(&metric, 500), 10);
    assert_int_equal(stats_quantile_us(&metric, 980), 10);
    assert_int_equal(stats_quantile_us(&metric, 990), 20);
    assert_int_equal(stats_quantile_us(&metric, 999), 5242880);
    assert_int_equal(stats_quantile_us(&metric, 1000), 5242880);
}

static void test_stats_observe_us_at_the_ends_falls_into_first_and_last(void **state)
{
    (void)state;
    struct stats_metric metric = {.name = "m", .kind = STATS_HISTOGRAM};

    stats_observe_us(&metric, 0);
    stats_observe_us(&metric, 20971520);
    stats_observe_us(&metric, 20971521);
    assert_int_equal(atomic_load(&metric.buckets[0]), 1);
    assert_int_equal(atomic_load(&metric.buckets[STATS_BUCKETS - 2]), 1);
    assert_int_equal(atomic_load(&metric.buckets[STATS_BUCKETS - 1]), 1);
    assert_true(stats_quantile_us(&metric, 1000) == UINT64_MAX);
}

static void test_stats_print_groups_a_name_over_tables(void **state)
{
    (void)state;
    struct stats_metric first[] = {
        {.name = "b_total", .labels = "m=\"y\"", .kind = STATS_COUNTER, .help = "Bees."},
        {.name = "a", .kind = STATS_GAUGE, .help = "Ays."},
    };
    struct stats_metric second[] = {
        {.name = "b_total", .labels = "m=\"x\"", .kind = STATS_COUNTER, .help = "Bees."},
    };
    struct buf out;

    stats_add(&first[0], 2);
    stats_set(&first[1], -1);
    buf_init(&out, 10000);
    stats_register(first, COUNT_OF(first));
    stats_register(second, COUNT_OF(second));
    stats_print(&out);
    stats_unregister(second);
    stats_unregister(first);

    assert_string_equal(buf_text(&out), "# HELP a Ays.\n"
                                        "# TYPE a gauge\n"
                                        "a -1\n"
                                        "# HELP b_total Bees.\n"
                                        "# TYPE b_total counter\n"
                                        "b_total{m=\"x\"} 0\n"
                                        "b_total{m=\"y\"} 2\n");
    buf_clear(&out);
    stats_print(&out);
    assert_string_equal(buf_text(&out), "");
    buf_done(&out);
}

static void test_stats_print_histogram_is_cumulative_seconds(void **state)
{
    (void)state;
    struct stats_metric metric[] = {
        {.name = "t_seconds", .labels = "m=\"x\"", .kind = STATS_HISTOGRAM, .help = "T."},
    };
    struct buf out;

    stats_observe_us(&metric[0], 15);
    stats_observe_us(&metric[0], 1500000);
    buf_init(&out, 100000);
    stats_register(metric, 1);
    stats_print(&out);
    stats_unregister(metric);

    assert_non_null(strstr(buf_text(&out), "# TYPE t_seconds histogram\n"));
    assert_non_null(
        strstr(buf_text(&out), "t_seconds_bucket{m=\"x\",le=\"0.000010\"} 0\n"));
    assert_non_null(
        strstr(buf_text(&out), "t_seconds_bucket{m=\"x\",le=\"0.000020\"} 1\n"));
    assert_non_null(
        strstr(buf_text(&out), "t_seconds_bucket{m=\"x\",le=\"20.971520\"} 2\n"));
    assert_non_null(strstr(buf_text(&out), "t_seconds_bucket{m=\"x\",le=\"+Inf\"} 2\n"));
    assert_non_null(strstr(buf_text(&out), "t_seconds_sum{m=\"x\"} 1.500015\n"));
    assert_non_null(strstr(buf_text(&out), "t_seconds_count{m=\"x\"} 2\n"));
    buf_done(&out);
}

static void count_one(const struct stats_metric *metric, void *context)
{
    (void)metric;
    ++*(int *)context;
}

static void test_stats_each_visits_all_registered(void **state)
{
    (void)state;
    struct stats_metric metrics[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    int count = 0;

    stats_register(metrics, 2);
    stats_register(metrics + 2, 1);
    stats_each(count_one, &count);
    assert_int_equal(count, 3);
    stats_unregister(metrics);
    stats_each(count_one, &count);
    assert_int_equal(count, 4);
    stats_unregister(metrics + 2);
    stats_unregister(metrics + 2);
}

static struct stats_metric shared[] = {
    {.name = "n_total", .kind = STATS_COUNTER, .help = "N."},
    {.name = "d_seconds", .kind = STATS_HISTOGRAM, .help = "D."},
};

static void *hammer(void *argument)
{
    struct stats_metric own[1] = {{.name = "own", .kind = STATS_GAUGE}};

    (void)argument;
    for (int i = 0; i < 1000; i++) {
        stats_register(own, 1);
        stats_add(&shared[0], 1);
        stats_observe_us(&shared[1], (uint64_t)i);
        stats_unregister(own);
    }
    return NULL;
}

static void test_stats_updates_from_many_threads_are_all_counted(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct buf out;

    stats_register(shared, COUNT_OF(shared));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        thread_start(&threads[i], "hammer", 0, hammer, NULL);
    buf_init(&out, 1 << 20);
    for (int i = 0; i < 20; i++)
        stats_print(&out);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        thread_join(threads[i]);
    buf_clear(&out);
    stats_print(&out);
    stats_unregister(shared);

    assert_int_equal(stats_value(&shared[0]), 4000);
    assert_non_null(strstr(buf_text(&out), "d_seconds_count 4000\n"));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_add_and_set_change_the_value),
        cmocka_unit_test(test_stats_quantile_us_is_the_bound_of_its_bucket),
        cmocka_unit_test(test_stats_observe_us_at_the_ends_falls_into_first_and_last),
        cmocka_unit_test(test_stats_print_groups_a_name_over_tables),
        cmocka_unit_test(test_stats_print_histogram_is_cumulative_seconds),
        cmocka_unit_test(test_stats_each_visits_all_registered),
        cmocka_unit_test(test_stats_updates_from_many_threads_are_all_counted),
    };
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
