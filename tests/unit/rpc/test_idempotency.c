#include "rpc/idempotency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct rpc_idempotency *table;
    struct arena arena;
    struct error err;
    struct rpc_idempotency_claim claim;
};

static void open_table(struct fixture *fixture, struct rpc_idempotency_options options)
{
    *fixture = (struct fixture){.table = rpc_idempotency_new(options)};
    arena_init(&fixture->arena, 65536);
}

static void close_table(struct fixture *fixture)
{
    rpc_idempotency_free(fixture->table);
    arena_done(&fixture->arena);
}

static enum status begin(struct fixture *fixture, const char *subject, const char *user,
                         const char *key, const char *payload, uint64_t now_us)
{
    struct rpc_idempotency_request request = {
        .subject = subject,
        .user = user,
        .method = "/s/M",
        .key = (const uint8_t *)key,
        .key_size = strlen(key),
        .payload = (const uint8_t *)payload,
        .payload_size = strlen(payload),
    };

    fixture->claim = (struct rpc_idempotency_claim){0};
    return rpc_idempotency_begin(&fixture->claim, fixture->table, &request, now_us,
                                 &fixture->arena, &fixture->err);
}

static void store(struct fixture *fixture, const char *answer, uint64_t now_us)
{
    rpc_idempotency_store(fixture->table, fixture->claim.entry, (const uint8_t *)answer,
                          strlen(answer), now_us);
}

static void test_begin_after_store_replays(void **state)
{
    struct fixture f;

    (void)state;
    open_table(&f, (struct rpc_idempotency_options){0});
    assert_int_equal(begin(&f, "a", "", "k", "p", 0), ST_OK);
    assert_non_null(f.claim.entry);
    store(&f, "answer", 0);
    assert_int_equal(begin(&f, "a", "", "k", "p", 1), ST_OK);
    assert_null(f.claim.entry);
    assert_int_equal(f.claim.answer_size, 6);
    assert_memory_equal(f.claim.answer, "answer", 6);
    close_table(&f);
}

static void test_begin_other_payload_is_reuse(void **state)
{
    struct fixture f;

    (void)state;
    open_table(&f, (struct rpc_idempotency_options){0});
    assert_int_equal(begin(&f, "a", "", "k", "p", 0), ST_OK);
    assert_int_equal(begin(&f, "a", "", "k", "q", 0), ST_EXISTS);
    assert_string_equal(f.err.reason, "KEY_REUSED");
    close_table(&f);
}

static void test_begin_while_running_is_aborted_with_hint(void **state)
{
    struct rpc_idempotency_entry *first;
    struct fixture f;

    (void)state;
    open_table(&f, (struct rpc_idempotency_options){0});
    assert_int_equal(begin(&f, "a", "", "k", "p", 0), ST_OK);
    first = f.claim.entry;
    assert_int_equal(begin(&f, "a", "", "k", "p", 0), ST_ABORTED);
    assert_string_equal(f.err.reason, "KEY_IN_FLIGHT");
    assert_true(f.err.retry_after_ms > 0);
    rpc_idempotency_drop(f.table, first);
    assert_int_equal(begin(&f, "a", "", "k", "p", 0), ST_OK);
    assert_non_null(f.claim.entry);
    close_table(&f);
}

static void test_begin_keys_belong_to_subject_and_user(void **state)
{
    struct fixture f;

    (void)state;
    open_table(&f, (struct rpc_idempotency_options){0});
    assert_int_equal(begin(&f, "a", "", "k", "p", 0), ST_OK);
    store(&f, "for a", 0);
    assert_int_equal(begin(&f, "b", "", "k", "p", 0), ST_OK);
    assert_non_null(f.claim.entry);
    assert_int_equal(begin(&f, "a", "u", "k", "p", 0), ST_OK);
    assert_non_null(f.claim.entry);
    close_table(&f);
}

static void test_stored_answer_expires(void **state)
{
    struct fixture f;

    (void)state;
    open_table(&f, (struct rpc_idempotency_options){.ttl_us = 100});
    assert_int_equal(begin(&f, "a", "", "k", "p", 0), ST_OK);
    store(&f, "x", 0);
    assert_int_equal(begin(&f, "a", "", "k", "p", 99), ST_OK);
    assert_null(f.claim.entry);
    assert_int_equal(begin(&f, "a", "", "k", "p", 100), ST_OK);
    assert_non_null(f.claim.entry);
    close_table(&f);
}

static void test_table_is_bounded_in_entries_and_bytes(void **state)
{
    struct fixture f;

    (void)state;
    open_table(&f, (struct rpc_idempotency_options){.entries = 2, .bytes = 40});
    assert_int_equal(begin(&f, "a", "", "1", "p", 0), ST_OK);
    store(&f, "0123456789", 0); /* a quarter of all */
    assert_int_equal(begin(&f, "a", "", "2", "p", 0), ST_OK);
    store(&f, "0123456789a", 0); /* too large to be kept */
    assert_int_equal(begin(&f, "a", "", "2", "p", 0), ST_OK);
    assert_non_null(f.claim.entry);
    assert_int_equal(begin(&f, "a", "", "3", "p", 0), ST_OK); /* the oldest gives way */
    assert_int_equal(begin(&f, "a", "", "4", "p", 0), ST_EXHAUSTED); /* both run */
    close_table(&f);
}

static void test_begin_key_too_long_names_the_field(void **state)
{
    char key[66];
    struct fixture f;

    (void)state;
    memset(key, 'k', 65);
    key[65] = '\0';
    open_table(&f, (struct rpc_idempotency_options){0});
    assert_int_equal(begin(&f, "a", "", key, "p", 0), ST_INVALID);
    assert_string_equal(f.err.field, "idempotency_key");
    close_table(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begin_after_store_replays),
        cmocka_unit_test(test_begin_other_payload_is_reuse),
        cmocka_unit_test(test_begin_while_running_is_aborted_with_hint),
        cmocka_unit_test(test_begin_keys_belong_to_subject_and_user),
        cmocka_unit_test(test_stored_answer_expires),
        cmocka_unit_test(test_table_is_bounded_in_entries_and_bytes),
        cmocka_unit_test(test_begin_key_too_long_names_the_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
