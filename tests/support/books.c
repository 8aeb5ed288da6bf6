#include "support/books.h"

#include <stdbool.h>
#include <string.h>

#include "support/expect.h"
#include "support/simulator.h"

#define SETTLED_MS 10000

const char *const BOOKS_METERS[BOOKS_METER_COUNT] = {
    "modash.discovery",
    "modash.reports",
    "clay.enrichment",
};

static int64_t ask(struct database *database, const char *sql, const char *meter)
{
    return database_number(database, sql, (const char *const[]){meter, NULL});
}

struct books_page books_read(struct database *database, enum books_meter meter)
{
    const char *name = BOOKS_METERS[meter];

    return (struct books_page){
        .reservations = ask(database,
                            "SELECT count(*) FROM metercache.ledger_event"
                            " WHERE meter = $1 AND kind = 1",
                            name),
        .open =
            ask(database,
                "SELECT count(*) FROM metercache.quota_reservation WHERE meter = $1", name),
        .posted_milli = ask(database,
                            "SELECT coalesce(sum(amount_milli), 0) FROM"
                            " metercache.ledger_event WHERE meter = $1 AND kind <> 1",
                            name),
        .counter_milli = ask(database,
                             "SELECT coalesce(sum(posted_milli), 0) FROM"
                             " metercache.quota_counter WHERE meter = $1",
                             name),
        .held_milli = ask(database,
                          "SELECT coalesce(sum(held_milli), 0) FROM"
                          " metercache.quota_counter WHERE meter = $1",
                          name),
        .log_milli = ask(database,
                         "SELECT coalesce(sum(credits_milli), 0) FROM metercache.call_log"
                         " WHERE meter = $1",
                         name),
        /* 10: provably not sent */
        .log_calls = ask(database,
                         "SELECT count(DISTINCT op_id) FROM metercache.call_log"
                         " WHERE meter = $1 AND outcome <> 10",
                         name),
    };
}

void books_open(struct books *books, struct stack *stack, struct database *database)
{
    *books = (struct books){.stack = stack, .database = database};
    simulator_reset(stack);
    assert_eventually(database_number(database,
                                      "SELECT count(*) FROM metercache.quota_reservation",
                                      NULL) == 0,
                      SETTLED_MS);
    for (int i = 0; i < BOOKS_METER_COUNT; i++)
        books->at_start[i] = books_read(database, (enum books_meter)i);
}

/* What the simulator counts under a meter. */
static struct simulator_counts provider_counts(struct stack *stack, enum books_meter meter)
{
    struct simulator_counts counts;
    struct simulator_counts more = {0};

    switch (meter) {
    case BOOKS_DISCOVERY:
        return simulator_count(stack, "modash", "search");
    case BOOKS_REPORTS:
        return simulator_count(stack, "modash", "report");
    default:
        counts = simulator_count(stack, "clay", "run");
        more = simulator_count(stack, "clay", "results");
        counts.received += more.received;
        counts.charged_milli += more.charged_milli;
        return counts;
    }
}

void books_expect(const struct books *books, enum books_meter meter, int64_t calls,
                  int64_t milli, int64_t provider_milli)
{
    const struct books_page *before = &books->at_start[meter];
    struct simulator_counts provider;
    struct books_page now;

    assert_eventually(books_read(books->database, meter).open == 0, SETTLED_MS);
    now = books_read(books->database, meter);
    provider = provider_counts(books->stack, meter);
    if (provider.received != calls || now.log_calls - before->log_calls != calls ||
        now.posted_milli - before->posted_milli != milli ||
        provider.charged_milli != provider_milli)
        print_error("%s: the simulator saw %lld calls for %lld, the log has %lld for %lld, "
                    "the ledger %lld for %lld\n",
                    BOOKS_METERS[meter], (long long)provider.received,
                    (long long)provider.charged_milli,
                    (long long)(now.log_calls - before->log_calls),
                    (long long)(now.log_milli - before->log_milli),
                    (long long)(now.reservations - before->reservations),
                    (long long)(now.posted_milli - before->posted_milli));
    assert_int_equal(provider.received, calls);
    assert_int_equal(provider.charged_milli, provider_milli);
    assert_int_equal(now.log_calls - before->log_calls, calls);
    assert_int_equal(now.reservations - before->reservations, calls);
    assert_int_equal(now.posted_milli - before->posted_milli, milli);
    assert_int_equal(now.log_milli - before->log_milli, milli);
    assert_int_equal(now.counter_milli - before->counter_milli, milli);
    assert_int_equal(now.held_milli, before->held_milli);
}

void books_expect_nothing(const struct books *books)
{
    for (int i = 0; i < BOOKS_METER_COUNT; i++)
        books_expect(books, (enum books_meter)i, 0, 0, 0);
    assert_int_equal(simulator_count(books->stack, "modash", "total").received, 0);
    assert_int_equal(simulator_count(books->stack, "clay", "total").received, 0);
}
