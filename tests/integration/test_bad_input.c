/* Requests and credentials that make no sense: the right code that names the field or the
 * cause, nothing stored, nothing called, and the service goes on. C8, C9, S1. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base.h"
#include "core/mem.h"
#include "support/fixture.h"
#include "support/unharmed.h"
#include "support/wire.h"

#define GET "/metercache.v1.CreatorService/GetCreator"

/* ------------------------------------------------------------------- requests ------- */

static char long_text[20 * 1024];

/* C9 */
static const struct {
    struct search_question question;
    const char *field;
} WRONG[] = {
    {{.platform = 0, .count = 1}, "platform"},
    {{.platform = 4, .count = 1}, "platform"},
    {{.platform = -1, .count = 1}, "platform"},
    {{.platform = INSTAGRAM, .count = 0}, "count"},
    {{.platform = INSTAGRAM, .count = 100001}, "count"},
    {{.platform = INSTAGRAM, .count = UINT32_MAX}, "count"},
    {{.platform = INSTAGRAM, .count = 1, .filters = "{"}, "filters"},
    {{.platform = INSTAGRAM, .count = 1, .filters = "[]"}, "filters"},
    {{.platform = INSTAGRAM, .count = 1, .filters = "42"}, "filters"},
    {{.platform = INSTAGRAM, .count = 1, .filters = "{} {}"}, "filters"},
    {{.platform = INSTAGRAM, .count = 1, .filters = "{\"influencer\":[]}"},
     "filters.influencer"},
    {{.platform = INSTAGRAM,
      .count = 1,
      .filters = "{\"influencer\":{\"followers\":{\"min\":\"many\"}}}"},
     "filters.influencer.followers.min"},
    {{.platform = INSTAGRAM,
      .count = 1,
      .filters = "{\"influencer\":{\"followers\":{\"min\":-5}}}"},
     "filters.influencer.followers.min"},
    {{.platform = INSTAGRAM,
      .count = 1,
      .filters = "{\"influencer\":{\"followers\":{\"min\":90000,\"max\":30000}}}"},
     "filters.influencer.followers"},
    {{.platform = INSTAGRAM, .count = 1, .filters = "{\"influencer\":{\"followers\":12}}"},
     "filters.influencer.followers"},
    {{.platform = INSTAGRAM, .count = 1, .filters = "{\"influencer\":{\"isVerified\":1}}"},
     "filters.influencer.isVerified"},
    {{.platform = INSTAGRAM,
      .count = 1,
      .filters = "{\"influencer\":{\"gender\":\"ROBOT\"}}"},
     "filters.influencer.gender"},
    {{.platform = INSTAGRAM, .count = 1, .filters = "{\"influencer\":{\"shoeSize\":44}}"},
     "filters.influencer.shoeSize"},
    {{.platform = INSTAGRAM,
      .count = 1,
      .filters = "{\"influencer\":{\"bio\":\"a\\u0000b\"}}"},
     "filters"},
    {{.platform = INSTAGRAM,
      .count = 1,
      .filters = "{\"influencer\":{\"followers\":{\"min\":1},\"followers\":{\"min\":2}}}"},
     "filters"},
    {{.platform = INSTAGRAM, .count = 1, .filters = long_text}, "filters"},
    {{.platform = INSTAGRAM, .count = 1, .sort = "{\"field\":\"luck\"}"}, "sort"},
    {{.platform = INSTAGRAM, .count = 1, .sort = "[]"}, "sort"},
    {{.platform = INSTAGRAM, .count = 1, .page_token = "x"}, "page.page_token"},
};

static void test_search_that_makes_no_sense_names_the_field(void **state)
{
    struct fixture *fixture = *state;
    search_reply *reply = NULL;

    (void)memset(long_text, ' ', sizeof(long_text) - 1);
    long_text[0] = '{';
    long_text[sizeof(long_text) - 2] = '}';
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        enum status st = call_search(&fixture->alice, &WRONG[i].question, &reply);

        if (st != ST_INVALID)
            print_error("count %u filters %.60s sort %s\n", WRONG[i].question.count,
                        WRONG[i].question.filters, WRONG[i].question.sort);
        assert_status(st, &fixture->alice.err, ST_INVALID);
        assert_field(&fixture->alice.err, WRONG[i].field);
        assert_true(fixture->alice.err.message[0] != '\0');
    }
}

static void test_creator_that_makes_no_sense_names_the_field(void **state)
{
    struct fixture *fixture = *state;
    Metercache__V1__SelectCreatorRequest request =
        METERCACHE__V1__SELECT_CREATOR_REQUEST__INIT;
    Metercache__V1__CreatorRef ref = METERCACHE__V1__CREATOR_REF__INIT;
    Metercache__V1__GetCreatorResponse *got = NULL;
    enrich_reply *enriched = NULL;
    select_reply *reply = NULL;
    char name[131];

    (void)memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    /* none at all, and one without a name */
    for (int i = 0; i < 2; i++) {
        assert_status(call_method(&fixture->alice, "CreatorService", "SelectCreator",
                                  &metercache__v1__select_creator_response__descriptor,
                                  &request, &reply),
                      &fixture->alice.err, ST_INVALID);
        assert_field(&fixture->alice.err, "creator");
        ref.platform = INSTAGRAM;
        request.creator = &ref;
    }
    assert_status(call_select(&fixture->alice, 77, "1", false, &reply), &fixture->alice.err,
                  ST_INVALID);
    assert_field(&fixture->alice.err, "creator.platform");
    assert_status(call_get(&fixture->alice, INSTAGRAM, "", &got), &fixture->alice.err,
                  ST_INVALID);
    assert_field(&fixture->alice.err, "creator");
    assert_status(call_enrich(&fixture->alice, INSTAGRAM, "@", &enriched),
                  &fixture->alice.err, ST_INVALID);
    assert_field(&fixture->alice.err, "creator");
    assert_status(call_select(&fixture->alice, INSTAGRAM, name, false, &reply),
                  &fixture->alice.err, ST_INVALID);
    assert_field(&fixture->alice.err, "creator");
    name[0] = '@';
    assert_status(call_select(&fixture->alice, INSTAGRAM, name, false, &reply),
                  &fixture->alice.err, ST_INVALID);
    assert_field(&fixture->alice.err, "creator");
}

/* A name must not become part of another path or query at the provider. */
static void test_creator_with_a_path_for_a_name_reaches_no_other_endpoint(void **state)
{
    static const char *const NAMES[] = {"../search", "1/report?x=1#", "%2e%2e%2fsearch",
                                        "@a/../../user/info", "a b\r\nHost: elsewhere"};
    struct fixture *fixture = *state;
    select_reply *reply = NULL;

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        enum status st = call_select(&fixture->alice, INSTAGRAM, NAMES[i], false, &reply);

        assert_true(st == ST_INVALID || st == ST_NOT_FOUND);
    }
    struct simulator_counts total = simulator_count(fixture->stack, "modash", "total");
    struct simulator_counts report = simulator_count(fixture->stack, "modash", "report");
    assert_int_equal(total.received, report.received);
    /* A provider's "not found" may be remembered; nothing of it is a creator. */
    assert_int_equal(
        database_number(fixture->owner, "SELECT count(*) FROM metercache.creator", NULL),
        0);
}

/* --------------------------------------------------------------------- tokens ------- */

static enum status get_with_token(struct fixture *fixture, const char *bearer,
                                  struct error *err)
{
    struct wire wire;
    const struct wire_request request = {.method = GET, .bearer = bearer};
    const Metercache__V1__Response *response;

    assert_true(wire_open(&wire, stack_endpoint(fixture->stack, STACK_CACHE)));
    response = wire_call(&wire, &request, err);
    assert_non_null(response);
    enum status st = (enum status)response->code;
    assert_false(st != ST_INVALID && response->executed);
    wire_close(&wire);
    return st;
}

static void test_token_that_is_missing_or_wrong_is_unauthenticated(void **state)
{
    struct fixture *fixture = *state;
    const char *alice = stack_token(fixture->stack, "alice");
    char stranger[64];
    char *mistyped = mem_strdup(alice);
    struct error err;

    mistyped[10] = mistyped[10] == 'A' ? 'B' : 'A';
    (void)snprintf(stranger, sizeof(stranger), "%.*s", (int)strlen(alice) - 1, alice);
    const char *const TOKENS[] = {
        NULL,
        "",
        "x",
        "mct_",
        mistyped,
        stranger,
        "mct_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAaaaaaa",
    };

    for (size_t i = 0; i < COUNT_OF(TOKENS); i++) {
        assert_status(get_with_token(fixture, TOKENS[i], &err), &err, ST_UNAUTHENTICATED);
        assert_non_null(strstr(err.message, "token"));
    }
    mem_free(mistyped);
}

static bool is_accepted(struct fixture *fixture, const char *bearer)
{
    struct error err;

    return get_with_token(fixture, bearer, &err) == ST_INVALID; /* no creator was named */
}

static void test_token_that_has_expired_is_unauthenticated(void **state)
{
    struct fixture *fixture = *state;
    struct error err;

    stack_add_token(fixture->stack, "dora", RPC_ROLE_CLIENT, "dora",
                    (int64_t)time(NULL) - 60);
    stack_add_token(fixture->stack, "emil", RPC_ROLE_CLIENT, "emil",
                    (int64_t)time(NULL) + 3600);
    /* both lines were read once the valid one is known */
    assert_eventually(is_accepted(fixture, stack_token(fixture->stack, "emil")), 10000);
    assert_status(get_with_token(fixture, stack_token(fixture->stack, "dora"), &err), &err,
                  ST_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "expired"));
}

static void test_token_of_the_wrong_role_is_denied(void **state)
{
    struct fixture *fixture = *state;
    struct error err;

    assert_status(get_with_token(fixture, stack_token(fixture->stack, "cron"), &err), &err,
                  ST_DENIED);
    assert_non_null(strstr(err.message, "cron"));
    assert_non_null(strstr(err.message, "GetCreator"));
}

static int set_up(void **state)
{
    return fixture_up(state, "bad", NULL);
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, unharmed_begin, unharmed_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_search_that_makes_no_sense_names_the_field),
        TEST(test_creator_that_makes_no_sense_names_the_field),
        cmocka_unit_test_setup_teardown(
            test_creator_with_a_path_for_a_name_reaches_no_other_endpoint, fixture_begin,
            fixture_end),
        TEST(test_token_that_is_missing_or_wrong_is_unauthenticated),
        TEST(test_token_that_has_expired_is_unauthenticated),
        TEST(test_token_of_the_wrong_role_is_denied),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
