/* What was paid for is stored, also when the first tries fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/persist.h"

struct flaky {
    unsigned failures_left;
    enum status failure;
    unsigned tries;
};

static enum status flaky_store(void *context, struct error *err)
{
    struct flaky *flaky = context;

    flaky->tries++;
    if (flaky->failures_left == 0)
        return ST_OK;
    flaky->failures_left--;
    return error_set(err, flaky->failure, "not now");
}

static void test_persist_failure_that_passes_is_tried_again(void **state)
{
    (void)state;
    struct flaky flaky = {.failures_left = 3, .failure = ST_UNAVAILABLE};
    struct error err = ERROR_NONE;

    assert_int_equal(persist(flaky_store, &flaky, &err), ST_OK);
    assert_int_equal(flaky.tries, 4);
}

static void test_persist_definite_failure_is_handed_on_at_once(void **state)
{
    (void)state;
    static const enum status definite[] = {ST_INVALID, ST_ABORTED, ST_NOT_FOUND,
                                           ST_INTERNAL};

    for (size_t i = 0; i < COUNT_OF(definite); i++) {
        struct flaky flaky = {.failures_left = 9, .failure = definite[i]};
        struct error err = ERROR_NONE;

        assert_int_equal(persist(flaky_store, &flaky, &err), definite[i]);
        assert_int_equal(flaky.tries, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_persist_failure_that_passes_is_tried_again),
        cmocka_unit_test(test_persist_definite_failure_is_handed_on_at_once),
    };

    return cmocka_run_group_tests_name("persist", tests, NULL, NULL);
}
