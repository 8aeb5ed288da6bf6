/* Clay behind the door: a run, asking after it, and what each costs (C4). */
#include "door_fixture.h"

static enum status enrich(struct clay_result *out, const char *run_id, struct error *err)
{
    struct clay_enrichment request = {.platform = PLATFORM_INSTAGRAM,
                                      .item_id = "k1",
                                      .run_id = run_id,
                                      .person = {"Ada", "ada.trails", "", "", ""}};
    struct call_receipt receipt;

    return clay_enrich_email(out, &receipt, &clay, &context, &request, err);
}

static void test_enrich_starts_a_run_for_one_credit(void **state)
{
    struct clay_result out;
    struct error err;
    char text[2048];

    (void)state;
    http_peer_will_answer(peer, 202,
                          "{\"routine_run_id\":\"run_1\",\"status\":\"in_progress\"}");
    assert_int_equal(enrich(&out, "", &err), ST_OK);
    assert_int_equal(out.state, CLAY_PENDING);
    assert_string_equal(out.run_id, "run_1");
    assert_string_equal(fake.reserved[0].meter, "clay.enrichment");
    (void)settled(CALL_OK, 1000);
    http_peer_request(peer, 0, text, sizeof(text));
    assert_non_null(strstr(text, "POST /public/v0/routines/find-email/run HTTP/1.1\r\n"));
    assert_non_null(strstr(text, "clay-api-key: clay-key\r\n"));
}

static void test_enrich_asking_after_a_run_is_free(void **state)
{
    struct clay_result out;
    struct error err;

    (void)state;
    http_peer_will_answer(peer, 202,
                          "{\"routine_run_id\":\"r\",\"status\":\"in_progress\"}");
    assert_int_equal(enrich(&out, "r", &err), ST_OK);
    assert_int_equal(out.state, CLAY_PENDING);
    (void)settled(CALL_PENDING, 0);
}

static void test_enrich_run_with_a_server_error_is_presumed_charged(void **state)
{
    struct clay_result out;
    struct error err;

    (void)state;
    http_peer_will_answer(peer, 502, "{\"message\":\"bad gateway\"}");
    assert_int_equal(enrich(&out, "", &err), ST_UNAVAILABLE);
    (void)settled(CALL_UNKNOWN, 1000);
}

static void test_enrich_unknown_routine_is_not_a_person_not_found(void **state)
{
    struct clay_result out;
    struct error err;

    (void)state;
    http_peer_will_answer(peer, 404, "{\"message\":\"no such routine\"}");
    assert_int_equal(enrich(&out, "", &err), ST_PRECONDITION);
    assert_string_equal(err.reason, "PROVIDER_REJECTED");
    (void)settled(CALL_REJECTED, 0);
}

static void test_enrich_unknown_run_is_lost(void **state)
{
    struct clay_result out;
    struct error err;

    (void)state;
    http_peer_will_answer(peer, 404, "{\"message\":\"Routine run not found\"}");
    assert_int_equal(enrich(&out, "run_1", &err), ST_NOT_FOUND);
    assert_string_equal(err.reason, "RUN_LOST");
    (void)settled(CALL_NOT_FOUND, 0);
}

/* A run that broke says nothing of the person: no "not found" to remember. */
static void test_enrich_failed_run_is_the_providers_error(void **state)
{
    struct clay_result out;
    struct error err;

    (void)state;
    http_peer_will_answer(peer, 200,
                          "{\"status\":\"complete\",\"data\":[{\"id\":\"k1\",\"status\":"
                          "\"failed\",\"error\":{\"message\":\"Column crashed\"}}]}");
    assert_int_equal(enrich(&out, "run_1", &err), ST_UNAVAILABLE);
    assert_string_equal(err.reason, "RUN_FAILED");
    (void)settled(CALL_PROVIDER_ERROR, 0);
}

static void test_enrich_without_key_or_routine_is_not_configured(void **state)
{
    struct clay_result out;
    struct error err;

    (void)state;
    clay.routine_id = "";
    assert_int_equal(enrich(&out, "", &err), ST_PRECONDITION);
    assert_string_equal(err.reason, "PROVIDER_NOT_CONFIGURED");
    assert_int_equal(fake.reserve_count, 0);
}

static void test_enrich_dry_run_starts_nothing(void **state)
{
    struct clay_result out;
    struct error err;

    (void)state;
    context.is_dry_run = true;
    assert_int_equal(enrich(&out, "", &err), ST_PRECONDITION);
    assert_string_equal(err.reason, "DRY_RUN");
    assert_non_null(strstr(err.message, "clay.enrich for at most 1.000 credits"));
    assert_int_equal(fake.reserve_count, 0);
}

/* Start a run whose cost waits for its end; fails unless that is still open. */
static void start_kept_run(struct clay_result *out)
{
    struct error err;

    clay.charges_not_found = false;
    http_peer_will_answer(peer, 202, "{\"routine_run_id\":\"run_1\"}");
    assert_int_equal(enrich(out, "", &err), ST_OK);
    assert_int_equal(fake.settle_count, 0);
    assert_int_equal(places_taken(door.settlements, PLACES), 0);
    assert_memory_equal(out->run_id, "run_1~", 6);
    assert_in_range(fake.reserved[0].hold_ms, 3600000, 86400000);
}

static void test_enrich_kept_run_that_finds_nothing_costs_nothing(void **state)
{
    struct clay_result run, out;
    struct error err;
    char text[2048];

    (void)state;
    start_kept_run(&run);
    http_peer_will_answer(peer, 202,
                          "{\"routine_run_id\":\"run_1\",\"status\":\"in_progress\"}");
    assert_int_equal(enrich(&out, run.run_id, &err), ST_OK);
    assert_string_equal(out.run_id, run.run_id);
    assert_int_equal(fake.settle_count, 1); /* the question's own */
    http_peer_will_answer(
        peer, 200,
        "{\"status\":\"complete\",\"data\":[{\"id\":\"k1\",\"status\":\"failed\","
        "\"error\":{\"message\":\"No email found\"}}]}");
    assert_int_equal(enrich(&out, run.run_id, &err), ST_OK);
    assert_int_equal(out.state, CLAY_NOT_FOUND);
    assert_int_equal(fake.settle_count, 3);
    assert_true(op_id_equal(&fake.settled[2].reservation_id, &fake.reserved[0].id));
    assert_int_equal(fake.settled[2].actual_milli, 0);
    assert_int_equal(fake.settled[2].outcome, CALL_EMPTY);
    http_peer_request(peer, 1, text, sizeof(text));
    assert_non_null(strstr(text, "/routines/run/run_1/results?"));
}

static void test_enrich_kept_run_that_finds_something_costs_one_credit(void **state)
{
    struct clay_result run, out;
    struct error err;

    (void)state;
    start_kept_run(&run);
    http_peer_will_answer(
        peer, 200,
        "{\"status\":\"complete\",\"data\":[{\"id\":\"k1\",\"status\":\"complete\","
        "\"result\":{\"email\":\"a@b.example\"}}]}");
    assert_int_equal(enrich(&out, run.run_id, &err), ST_OK);
    assert_int_equal(out.state, CLAY_FOUND);
    assert_int_equal(fake.settle_count, 2);
    assert_true(op_id_equal(&fake.settled[1].reservation_id, &fake.reserved[0].id));
    assert_int_equal(fake.settled[1].actual_milli, 1000);
}

static void test_settle_late_without_a_place_drops_the_ending(void **state)
{
    struct call_receipt learnt = {.http_status = 200};
    struct metered_ending ending = {
        .reservation_id = op_id_new(), .outcome = CALL_EMPTY, .learnt_by = &learnt};

    (void)state;
    for (int i = 0; i < PLACES; i++)
        assert_true(settlements_claim(door.settlements));
    metered_settle_late(&door, &ending);
    assert_int_equal(fake.settle_count, 0);
    assert_int_equal(places_taken(door.settlements, PLACES), PLACES);
    for (int i = 0; i < 4; i++)
        settlements_release(door.settlements);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOOR_TEST(test_enrich_starts_a_run_for_one_credit),
        DOOR_TEST(test_enrich_asking_after_a_run_is_free),
        DOOR_TEST(test_enrich_run_with_a_server_error_is_presumed_charged),
        DOOR_TEST(test_enrich_unknown_routine_is_not_a_person_not_found),
        DOOR_TEST(test_enrich_unknown_run_is_lost),
        DOOR_TEST(test_enrich_failed_run_is_the_providers_error),
        DOOR_TEST(test_enrich_without_key_or_routine_is_not_configured),
        DOOR_TEST(test_enrich_dry_run_starts_nothing),
        DOOR_TEST(test_enrich_kept_run_that_finds_nothing_costs_nothing),
        DOOR_TEST(test_enrich_kept_run_that_finds_something_costs_one_credit),
        DOOR_TEST(test_settle_late_without_a_place_drops_the_ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
