/* Same body, same hash; any field changed, another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "body_hash.h"
#include "core/parse.h"

static struct quota_op reserve_op(void)
{
    struct quota_op op = {.kind = QUOTA_RESERVE, .meter = 1, .amount_milli = 1000};
    const char *texts[] = {"modash", "report", "select", "42", "ada", "", "/Select", ""};
    struct error err;

    assert_int_equal(purpose_pack(&op.purpose, 1, 0, texts, &err), ST_OK);
    return op;
}

static struct quota_op settle_op(void)
{
    return (struct quota_op){.kind = QUOTA_SETTLE,
                             .amount_milli = 500,
                             .reservation_id = op_id_make(1000, 1, 2),
                             .call = {.outcome = 1, .latency_us = 10, .detail = "ok"}};
}

#define HOLD_MS 60000

static void assert_differs(struct quota_op op, uint64_t asked_hold_ms,
                           const struct quota_op *from)
{
    body_hash_set(&op, asked_hold_ms);
    assert_memory_not_equal(op.body_hash, from->body_hash, sizeof(op.body_hash));
}

static struct quota_op reserve_with(unsigned flags, enum purpose_text which,
                                    const char *text)
{
    const char *texts[] = {"modash", "report", "select", "42", "ada", "", "/Select", ""};
    struct quota_op op = reserve_op();
    struct error err;

    texts[which] = text;
    assert_int_equal(purpose_pack(&op.purpose, 1, flags, texts, &err), ST_OK);
    return op;
}

static void test_body_hash_of_a_reserve_covers_every_field(void **state)
{
    struct quota_op op = reserve_op();
    struct quota_op other = reserve_op();

    (void)state;
    body_hash_set(&op, HOLD_MS);
    body_hash_set(&other, HOLD_MS);
    assert_memory_equal(op.body_hash, other.body_hash, sizeof(op.body_hash));
    assert_differs(op, HOLD_MS + 1, &op);
    assert_differs(reserve_with(0, PURPOSE_cooldown_key, "talent-7"), HOLD_MS, &op);
    assert_differs(reserve_with(0, PURPOSE_user, "bob"), HOLD_MS, &op);
    assert_differs(reserve_with(PURPOSE_SCHEDULED, PURPOSE_user, "ada"), HOLD_MS, &op);
    assert_differs(reserve_with(PURPOSE_SHEDDABLE, PURPOSE_user, "ada"), HOLD_MS, &op);
    other.amount_milli++;
    assert_differs(other, HOLD_MS, &op);
    other = reserve_op();
    other.meter = 0;
    assert_differs(other, HOLD_MS, &op);
    other = reserve_op();
    other.purpose.bytes[0] = 2;
    assert_differs(other, HOLD_MS, &op);
}

static void test_body_hash_of_what_admins_do_covers_every_field(void **state)
{
    const struct quota_op adjust = {.kind = QUOTA_ADJUST,
                                    .meter = 1,
                                    .amount_milli = 5,
                                    .actor = "eve",
                                    .note = "bill"};
    const struct quota_op correct = {.kind = QUOTA_CORRECT,
                                     .reservation_id = op_id_make(1000, 1, 2),
                                     .actor = "eve",
                                     .note = "bill"};
    struct quota_op op = adjust;
    struct quota_op other = adjust;

    (void)state;
    body_hash_set(&op, 0);
    other.meter = 2;
    assert_differs(other, 0, &op);
    other = adjust;
    other.amount_milli = -5;
    assert_differs(other, 0, &op);
    other = adjust;
    other.note = "else";
    assert_differs(other, 0, &op);
    other = adjust;
    other.actor = "mallory";
    assert_differs(other, 0, &op);
    op = correct;
    other = correct;
    body_hash_set(&op, 0);
    other.reservation_id.bytes[15]++;
    assert_differs(other, 0, &op);
}

static void test_body_hash_of_a_settle_covers_every_field(void **state)
{
    struct quota_op op = settle_op();
    struct quota_op other = settle_op();

    (void)state;
    body_hash_set(&op, 0);
    other.kind = QUOTA_VOID;
    assert_differs(other, 0, &op);
    other = settle_op();
    other.reservation_id.bytes[15]++;
    assert_differs(other, 0, &op);
    other = settle_op();
    other.call.outcome = 2;
    assert_differs(other, 0, &op);
    other = settle_op();
    other.call.http_status = 200;
    assert_differs(other, 0, &op);
    other = settle_op();
    other.call.started_at_us = 1;
    assert_differs(other, 0, &op);
    other = settle_op();
    other.call.detail[0] = 'x';
    assert_differs(other, 0, &op);
}

/* The ledger keeps hashes for 62 days: a change here would refuse honest repeats. */
static void test_body_hash_stays_what_it_was(void **state)
{
    struct quota_op op = reserve_with(PURPOSE_SCHEDULED, PURPOSE_user, "ada");
    char text[2 * OP_RESULTS_HASH_SIZE + 1];

    (void)state;
    body_hash_set(&op, HOLD_MS);
    parse_format_hex(text, op.body_hash, sizeof(op.body_hash));
    assert_string_equal(text, "b159a09f5d5ef615411272a10631494f");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_hash_of_a_reserve_covers_every_field),
        cmocka_unit_test(test_body_hash_of_a_settle_covers_every_field),
        cmocka_unit_test(test_body_hash_of_what_admins_do_covers_every_field),
        cmocka_unit_test(test_body_hash_stays_what_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
