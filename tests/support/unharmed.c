#include "support/unharmed.h"

#include <stdio.h>

#include "core/base.h"
#include "support/fixture.h"
#include "support/wire.h"

#define HEALTH "/metercache.v1.HealthService/Check"

static const enum stack_service SERVICES[] = {STACK_CACHE, STACK_QUOTA, STACK_GATEWAY};

static const char *const TABLES[] = {
    "creator",        "creator_report",     "creator_negative", "search",  "search_result",
    "search_request", "creator_enrichment", "ledger_event",     "call_log"};

static int64_t count_everything(struct fixture *fixture)
{
    struct database *all = database_open(fixture->stack, DATABASE_SUPERUSER);
    int64_t rows = 0;

    for (size_t i = 0; i < COUNT_OF(TABLES); i++) {
        char sql[128];

        (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM metercache.%s", TABLES[i]);
        rows += database_number(all, sql, NULL);
    }
    database_close(all);
    return rows;
}

bool unharmed_serves(struct stack *stack, enum stack_service service)
{
    struct wire wire;
    const struct wire_request request = {.method = HEALTH};
    const Metercache__V1__Response *response = NULL;
    struct error err;

    if (wire_open(&wire, stack_endpoint(stack, service)))
        response = wire_call(&wire, &request, &err);
    bool is_fine = response != NULL && response->code == 0;
    wire_close(&wire);
    return is_fine;
}

/* A good call right after. */
static void assert_unharmed(struct fixture *fixture)
{
    Metercache__V1__GetCreatorResponse *reply = NULL;

    for (size_t i = 0; i < COUNT_OF(SERVICES); i++) {
        assert_eventually(unharmed_serves(fixture->stack, SERVICES[i]), UNHARMED_CURE_MS);
        assert_true(stack_is_running(fixture->stack, SERVICES[i]));
    }
    assert_status(call_get(&fixture->alice, INSTAGRAM, "1", &reply), &fixture->alice.err,
                  ST_NOT_FOUND);
}

static int64_t rows_before;

int unharmed_begin(void **state)
{
    int failed = fixture_begin(state);

    rows_before = count_everything(*state);
    return failed;
}

int unharmed_end(void **state)
{
    struct fixture *fixture = *state;

    assert_unharmed(fixture);
    books_expect_nothing(&fixture->books);
    assert_int_equal(count_everything(fixture), rows_before);
    return fixture_end(state);
}
