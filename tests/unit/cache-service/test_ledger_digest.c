/* What the chain of hashes covers, and that it stays what it was. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/parse.h"
#include "ledger/ledger_digest.h"

static uint8_t digest[LEDGER_STORE_DIGEST_SIZE];

static struct ledger_event an_event(void)
{
    return (struct ledger_event){.op_id = {{1, 2, 3}},
                                 .kind = 2,
                                 .reservation_id = {{4, 5, 6}},
                                 .meter = "modash.reports",
                                 .period_start_us = 1793491200000000,
                                 .amount_milli = 1500,
                                 .released_milli = 1000,
                                 .overage_milli = 500,
                                 .at_us = 1795300000000000,
                                 .body_hash = {7},
                                 .limit_version = 3,
                                 .purpose = {.provider = "modash",
                                             .action = "report",
                                             .reason = "select",
                                             .platform = 1,
                                             .creator = "42",
                                             .user = "ada",
                                             .tenant = "acme"},
                                 .endpoint = "/Select",
                                 .cooldown_key = "talent-7",
                                 .actor = "",
                                 .note = "",
                                 .has_call = true,
                                 .call = {.started_at_us = 1795299999000000,
                                          .outcome = 1,
                                          .latency_us = 1234,
                                          .http_status = 200,
                                          .detail = "fine"}};
}

static struct ledger_limit a_limit(void)
{
    return (struct ledger_limit){.version = 9,
                                 .scope = 2,
                                 .meter = "modash.reports",
                                 .subject = "ada",
                                 .mode = 1,
                                 .limit_milli = 5000,
                                 .thresholds = "{50,80}",
                                 .set_at_us = 1795300000000000,
                                 .set_by = "eve",
                                 .reason = "why"};
}

static const char *hex_of(const struct ledger_event *event,
                          const struct ledger_limit *limit)
{
    static char text[2 * LEDGER_STORE_DIGEST_SIZE + 1];

    ledger_digest(digest, 1795300000000000, event, event != NULL, limit, limit != NULL);
    parse_format_hex(text, digest, sizeof(digest));
    return text;
}

/* Old batches are verified for as long as they are kept: a change here would accuse them. */
static void test_ledger_digest_stays_what_it_was(void **state)
{
    (void)state;
    struct ledger_event event = an_event();
    struct ledger_limit limit = a_limit();
    assert_string_equal(hex_of(NULL, NULL),
                        "20775c8288d80784349c40686b351601cf4127c47088e8a699890e074d47484b");
    assert_string_equal(hex_of(&event, &limit),
                        "81102e0aa50ea6435f9900d1d09636f4bccf8a5d75b001382fc9c8f5ab2a2ed7");
}

static void test_ledger_digest_chain_stays_what_it_was(void **state)
{
    (void)state;
    uint8_t hash[LEDGER_STORE_DIGEST_SIZE];
    char text[2 * LEDGER_STORE_DIGEST_SIZE + 1];
    (void)hex_of(NULL, NULL);
    ledger_digest_chain(hash, NULL, 0, 3, 1, digest);
    ledger_digest_chain(hash, hash, sizeof(hash), 3, 2, digest);
    parse_format_hex(text, hash, sizeof(hash));
    assert_string_equal(text,
                        "20702f9d1721a35a5a8a4370d7795752c7f872819bdbe2c5ba501b795f71db68");
}

static void spoil(int which, struct ledger_event *event, struct ledger_limit *limit)
{
    int64_t *const numbers[] = {&event->period_start_us, &event->amount_milli,
                                &event->released_milli,  &event->overage_milli,
                                &event->at_us,           &event->expires_at_us,
                                &event->limit_version,   &event->call.started_at_us,
                                &event->call.latency_us, &limit->version,
                                &limit->limit_milli,     &limit->cooldown_ms,
                                &limit->set_at_us};
    int *const ints[] = {&event->kind,         &event->purpose.platform,
                         &event->call.outcome, &event->call.http_status,
                         &limit->scope,        &limit->mode,
                         &limit->anchor_day};
    const char **const texts[] = {&event->meter,
                                  &event->purpose.provider,
                                  &event->purpose.action,
                                  &event->purpose.reason,
                                  &event->purpose.creator,
                                  &event->purpose.user,
                                  &event->purpose.tenant,
                                  &event->endpoint,
                                  &event->cooldown_key,
                                  &event->actor,
                                  &event->note,
                                  &event->call.detail,
                                  &limit->meter,
                                  &limit->subject,
                                  &limit->thresholds,
                                  &limit->set_by,
                                  &limit->reason};
    bool *const flags[] = {&event->is_scheduled, &event->has_call, &limit->removed};
    uint8_t *const bytes[] = {event->op_id.bytes, event->reservation_id.bytes,
                              event->body_hash};
    size_t at = (size_t)which;

    if (at < COUNT_OF(numbers))
        (*numbers[at])++;
    else if ((at -= COUNT_OF(numbers)) < COUNT_OF(ints))
        (*ints[at])++;
    else if ((at -= COUNT_OF(ints)) < COUNT_OF(texts))
        *texts[at] = "other";
    else if ((at -= COUNT_OF(texts)) < COUNT_OF(flags))
        *flags[at] = !*flags[at];
    else
        bytes[at - COUNT_OF(flags)][15]++;
}

static void test_ledger_digest_covers_every_field(void **state)
{
    (void)state;
    struct ledger_event event = an_event();
    struct ledger_limit limit = a_limit();
    char right[2 * LEDGER_STORE_DIGEST_SIZE + 1];
    (void)snprintf(right, sizeof(right), "%s", hex_of(&event, &limit));
    for (int which = 0; which < 13 + 7 + 17 + 3 + 3; which++) {
        struct ledger_event other_event = an_event();
        struct ledger_limit other_limit = a_limit();

        spoil(which, &other_event, &other_limit);
        if (strcmp(hex_of(&other_event, &other_limit), right) == 0)
            fail_msg("field %d is not covered", which);
    }
}

/* Texts are led by their lengths: what is moved from one to the next shows. */
static void test_ledger_digest_tells_neighbouring_texts_apart(void **state)
{
    (void)state;
    struct ledger_event event = an_event();
    char first[2 * LEDGER_STORE_DIGEST_SIZE + 1];
    event.purpose.user = "ab";
    event.purpose.tenant = "c";
    (void)snprintf(first, sizeof(first), "%s", hex_of(&event, NULL));
    event.purpose.user = "a";
    event.purpose.tenant = "bc";
    assert_string_not_equal(hex_of(&event, NULL), first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ledger_digest_stays_what_it_was),
        cmocka_unit_test(test_ledger_digest_chain_stays_what_it_was),
        cmocka_unit_test(test_ledger_digest_covers_every_field),
        cmocka_unit_test(test_ledger_digest_tells_neighbouring_texts_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
