/* Creators, their reports, e-mails and negatives, on a real Postgres. */
#include "store_fixture.h"

#include "core/thread.h"
#include "store/creators_store.h"

#define T0 1700000000000000LL

static struct creator a_creator(const char *id, const char *handle, int64_t updated_at_us)
{
    return (struct creator){.platform = 1,
                            .provider_user_id = id,
                            .handle = handle,
                            .full_name = "Ada Trails",
                            .url = "https://example.org/ada",
                            .picture_url = "https://example.org/ada.jpg",
                            .followers = 58210,
                            .engagements = 2140,
                            .engagement_rate_ppm = 36760,
                            .average_views = -1,
                            .is_verified = true,
                            .updated_at_us = updated_at_us};
}

static void upsert(const struct creator *creators, size_t count)
{
    struct store_call call = a_call();

    assert_status(ST_OK, upsert_creators(&call, creators, count, &err));
}

static bool find(struct creator *out, const char *id, const char *handle)
{
    struct store_call call = a_call();
    struct creator_key key = {.platform = 1, .provider_user_id = id, .handle = handle};
    bool found = false;

    assert_status(ST_OK, creators_store_find(out, &found, &call, &key, &err));
    return found;
}

static void must_find(struct creator *out, const char *id, const char *handle)
{
    assert_true(find(out, id, handle));
}

/* ---- creators ---- */

static void test_creators_store_find_stored_one_comes_back_whole(void **state)
{
    (void)state;
    struct creator in = a_creator("c-whole", "Whole.Handle", T0), out;
    in.email = "ada@example.org";
    in.email_source = "report";
    upsert(&in, 1);
    must_find(&out, "c-whole", NULL);

    assert_int_equal(out.platform, 1);
    assert_string_equal(out.provider_user_id, "c-whole");
    assert_string_equal(out.handle, "Whole.Handle");
    assert_string_equal(out.full_name, in.full_name);
    assert_string_equal(out.url, in.url);
    assert_string_equal(out.picture_url, in.picture_url);
    assert_int_equal(out.followers, 58210);
    assert_int_equal(out.engagements, 2140);
    assert_int_equal(out.engagement_rate_ppm, 36760);
    assert_int_equal(out.average_views, -1);
    assert_false(out.is_private);
    assert_true(out.is_verified);
    assert_string_equal(out.email, "ada@example.org");
    assert_string_equal(out.email_source, "report");
    assert_false(out.has_report);
    assert_int_equal(out.updated_at_us, T0);
}

static void test_creators_store_find_unknown_one_is_not_found(void **state)
{
    (void)state;
    struct creator out = {.platform = 77};
    assert_false(find(&out, "nobody", NULL));
    assert_false(find(&out, NULL, "nobody"));
    assert_false(find(&out, NULL, ""));
    assert_int_equal(out.platform, 77); /* untouched */
}

/* C11 */
static void test_creators_rows_upsert_twice_makes_no_duplicate(void **state)
{
    (void)state;
    struct creator list[] = {a_creator("c-twice", "twice", T0),
                             a_creator("c-twice", "twice", T0 + 1),
                             a_creator("c-twice", "twice.final", T0 + 2)};
    struct creator out;
    upsert(list, COUNT_OF(list));
    upsert(list, COUNT_OF(list));
    assert_int_equal(ask("owner", "SELECT count(*) FROM metercache.creator"
                                  " WHERE provider_user_id = 'c-twice'"),
                     1);
    must_find(&out, "c-twice", NULL);
    assert_string_equal(out.handle, "twice.final");
}

static void test_creators_rows_upsert_unknown_and_older_values_stay_out(void **state)
{
    (void)state;
    struct creator in = a_creator("c-keep", "keep", T0), out;
    in.email = "keep@example.org";
    in.email_source = "clay";
    upsert(&in, 1);

    struct creator sparse = {.platform = 1,
                             .provider_user_id = "c-keep",
                             .followers = 99,
                             .engagements = -1,
                             .engagement_rate_ppm = -1,
                             .average_views = 7,
                             .updated_at_us = T0 + 5};
    upsert(&sparse, 1);
    struct creator older = a_creator("c-keep", "older", T0 + 4);
    upsert(&older, 1);

    must_find(&out, "c-keep", NULL);
    assert_string_equal(out.handle, "keep");
    assert_int_equal(out.followers, 99);
    assert_int_equal(out.engagements, 2140);
    assert_int_equal(out.average_views, 7);
    assert_string_equal(out.email, "keep@example.org");
    assert_int_equal(out.updated_at_us, T0 + 5);
}

/* C11 */
static void test_creators_store_find_handle_belongs_to_newest_claim(void **state)
{
    (void)state;
    struct creator list[] = {a_creator("c-old-owner", "Moved", T0),
                             a_creator("c-new-owner", "mOVED", T0 + 1)};
    struct creator out;
    upsert(list, COUNT_OF(list));
    must_find(&out, NULL, "moved");
    assert_string_equal(out.provider_user_id, "c-new-owner");
}

static void test_creators_rows_upsert_bad_text_is_invalid(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator bad = a_creator("c-bad", "\xff\xfe", T0), out;
    assert_status(ST_INVALID, upsert_creators(&call, &bad, 1, &err));
    assert_false(find(&out, "c-bad", NULL));
}

struct crowd {
    unsigned turn;
    enum status worst;
};

static void *upsert_overlapping(void *argument)
{
    struct crowd *crowd = argument;
    struct creator list[50];
    char ids[50][16];
    struct arena own;

    arena_init(&own, ARENA_SIZE);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < COUNT_OF(list); i++) {
            unsigned which = crowd->turn % 2 == 0 ? i : (unsigned)COUNT_OF(list) - 1 - i;

            (void)snprintf(ids[i], sizeof(ids[i]), "crowd-%u", which);
            list[i] = a_creator(ids[i], ids[i], T0 + round);
        }
        struct error own_err;
        struct store_call call = {store, &own, clock_deadline_ms(CALL_MS), false};
        enum status st = upsert_creators(&call, list, COUNT_OF(list), &own_err);
        if (st != ST_OK)
            crowd->worst = st;
    }
    arena_done(&own);
    return NULL;
}

static void test_creators_rows_upsert_opposite_orders_do_not_deadlock(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct crowd crowds[4];
    for (unsigned i = 0; i < COUNT_OF(threads); i++) {
        crowds[i] = (struct crowd){.turn = i, .worst = ST_OK};
        thread_start(&threads[i], "crowd", 0, upsert_overlapping, &crowds[i]);
    }
    for (unsigned i = 0; i < COUNT_OF(threads); i++) {
        thread_join(threads[i]);
        assert_int_equal(crowds[i].worst, ST_OK);
    }
    assert_int_equal(ask("owner", "SELECT count(*) FROM metercache.creator"
                                  " WHERE provider_user_id LIKE 'crowd-%'"),
                     50);
}

/* ---- reports, e-mails, negatives ---- */

static struct creator_report a_report(const char *document, int64_t fetched_at_us)
{
    return (struct creator_report){.document = document,
                                   .document_size = strlen(document),
                                   .credibility_ppm = 840000,
                                   .gender = "FEMALE",
                                   .age_group = "25-34",
                                   .country = "GB",
                                   .city = "Leeds",
                                   .language = "en",
                                   .account_type = "Creator",
                                   .posts = 812,
                                   .fetched_at_us = fetched_at_us,
                                   .fresh_until_us = fetched_at_us + SECOND_US};
}

static bool find_report(struct creator_report *out, const char *id, bool with_document)
{
    struct store_call call = a_call();
    struct creator_key key = {.platform = 1, .provider_user_id = id};
    bool found = false;

    assert_status(
        ST_OK, creators_store_report_find(out, &found, &call, &key, with_document, &err));
    return found;
}

/* C3 */
static void test_creators_store_report_put_is_found_with_and_without_document(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator creator = a_creator("c-report", "with.report", T0);
    struct creator_report report = a_report("{\"profile\": {\"bio\": \"caf\\u00e9\"}}", T0);
    struct creator_report out;
    bool found = false;
    assert_false(find_report(&out, "c-report", true));
    assert_status(ST_OK, creators_store_report_put(&call, NULL, &creator, &report, &err));

    assert_true(find_report(&out, "c-report", true));
    assert_string_equal(out.document, report.document);
    assert_int_equal(out.document_size, strlen(out.document));
    assert_int_equal(out.credibility_ppm, 840000);
    assert_string_equal(out.gender, "FEMALE");
    assert_string_equal(out.country, "GB");
    assert_string_equal(out.language, "en");
    assert_int_equal(out.posts, 812);
    assert_int_equal(out.fetched_at_us, T0);
    assert_int_equal(out.fresh_until_us, T0 + SECOND_US);

    struct creator_key by_handle = {.platform = 1, .handle = "WITH.report"};
    assert_status(ST_OK,
                  creators_store_report_find(&out, &found, &call, &by_handle, false, &err));
    assert_true(found);
    assert_null(out.document);
    struct creator basic;
    must_find(&basic, "c-report", NULL);
    assert_true(basic.has_report);
}

static void test_creators_store_report_put_older_one_is_dropped(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator creator = a_creator("c-newer", "newer", T0);
    struct creator_report newer = a_report("{\"n\": 2}", T0 + 2);
    struct creator_report older = a_report("{\"n\": 1}", T0 + 1), out;
    assert_status(ST_OK, creators_store_report_put(&call, NULL, &creator, &newer, &err));
    assert_status(ST_OK, creators_store_report_put(&call, NULL, &creator, &older, &err));
    assert_true(find_report(&out, "c-newer", true));
    assert_string_equal(out.document, "{\"n\": 2}");
}

static void test_creators_store_report_put_bad_document_stores_nothing(void **state)
{
    (void)state;
    static const char *const BAD[] = {"{\"cut\": ", "", "{\"a\": \"\xff\"}", "{'a': 1}"};
    struct creator creator = a_creator("c-bad-report", "bad.report", T0), out;
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct store_call call = a_call();
        struct creator_report report = a_report(BAD[i], T0);

        assert_status(ST_INVALID,
                      creators_store_report_put(&call, NULL, &creator, &report, &err));
        assert_false(find(&out, "c-bad-report", NULL));
    }
}

static void test_creators_store_report_put_large_document_comes_back(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator creator = a_creator("c-large", "large", T0);
    size_t size = 400000;
    char *document = arena_alloc(&arena, size + 1);
    (void)snprintf(document, size, "{\"bio\": \"");
    size_t start = strlen(document);
    for (size_t i = start; i < size - 2; i++)
        document[i] = (char)('a' + (i * 7 + i / 13) % 26);
    document[size - 2] = '"';
    document[size - 1] = '}';
    struct creator_report report = a_report(document, T0), out;
    assert_status(ST_OK, creators_store_report_put(&call, NULL, &creator, &report, &err));
    assert_true(find_report(&out, "c-large", true));
    assert_int_equal(out.document_size, size);
    assert_memory_equal(out.document, document, size);
}

static void test_creators_store_report_find_too_large_for_the_arena_is_exhausted(
    void **state)
{
    (void)state;
    struct arena small;
    struct store_call call = a_call();
    struct creator creator = a_creator("c-arena", "arena", T0);
    char document[4000];
    memset(document, ' ', sizeof(document));
    memcpy(document, "[\"", 2);
    memset(document + 2, 'x', sizeof(document) - 5);
    memcpy(document + sizeof(document) - 3, "\"]", 3);
    struct creator_report report = a_report(document, T0), out;
    assert_status(ST_OK, creators_store_report_put(&call, NULL, &creator, &report, &err));
    arena_init(&small, 1000);
    call.arena = &small;
    bool found = false;
    struct creator_key key = {.platform = 1, .provider_user_id = "c-arena"};
    assert_status(ST_EXHAUSTED,
                  creators_store_report_find(&out, &found, &call, &key, true, &err));
    assert_false(found);
    arena_done(&small);
}

/* C4 */
static void test_creators_store_enrichment_put_found_writes_the_email(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator creator = a_creator("c-enrich", "enrich", T0), out;
    struct creator_key key = {.platform = 1, .provider_user_id = "c-enrich"};
    struct creator_enrichment pending = {.state = CREATOR_ENRICHMENT_PENDING,
                                         .provider = "clay",
                                         .run_id = "run-1",
                                         .asked_at_us = T0},
                              answer = {.state = CREATOR_ENRICHMENT_FOUND,
                                        .email = "e@example.org",
                                        .provider = "clay",
                                        .asked_at_us = T0,
                                        .answered_at_us = T0 + 9},
                              read;
    bool found = true;
    upsert(&creator, 1);
    assert_status(ST_OK, creators_store_enrichment_find(&read, &found, &call, &key, &err));
    assert_false(found);

    assert_status(ST_OK, creators_store_enrichment_put(&call, &key, &pending, &err));
    assert_status(ST_OK, creators_store_enrichment_find(&read, &found, &call, &key, &err));
    assert_true(found);
    assert_int_equal(read.state, CREATOR_ENRICHMENT_PENDING);
    assert_string_equal(read.run_id, "run-1");
    assert_int_equal(read.answered_at_us, 0);
    must_find(&out, "c-enrich", NULL);
    assert_string_equal(out.email, "");

    assert_status(ST_OK, creators_store_enrichment_put(&call, &key, &answer, &err));
    must_find(&out, "c-enrich", NULL);
    assert_string_equal(out.email, "e@example.org");
    assert_string_equal(out.email_source, "clay");

    pending.asked_at_us = T0 - 1; /* an older question */
    assert_status(ST_OK, creators_store_enrichment_put(&call, &key, &pending, &err));
    assert_status(ST_OK, creators_store_enrichment_find(&read, &found, &call, &key, &err));
    assert_int_equal(read.state, CREATOR_ENRICHMENT_FOUND);
    assert_string_equal(read.email, "e@example.org");
}

static void test_creators_store_enrichment_put_unknown_creator_is_not_found(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator_key key = {.platform = 1, .provider_user_id = "c-nobody"};
    struct creator_enrichment enrichment = {
        .state = CREATOR_ENRICHMENT_NOT_FOUND, .provider = "clay", .asked_at_us = T0};
    assert_status(ST_NOT_FOUND,
                  creators_store_enrichment_put(&call, &key, &enrichment, &err));
}

static void test_creators_store_negative_put_is_found_replaced_and_removed(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator_key id = {.platform = 1, .provider_user_id = "gone"};
    struct creator_key handle = {.platform = 1, .handle = "Gone"};
    struct creator_key lower = {.platform = 1, .handle = "gone"};
    struct creator_negative in = {CREATOR_NEGATIVE_REPORT, "NOT_FOUND", T0}, out;
    bool found = true;

    assert_status(ST_OK, creators_store_negative_put(&call, &handle, &in, &err));
    assert_status(ST_OK, creators_store_negative_find(&out, &found, &call, &id,
                                                      CREATOR_NEGATIVE_REPORT, &err));
    assert_false(found); /* an id is no handle */
    in.reason = "PRIVATE";
    in.until_us = T0 + 1;
    assert_status(ST_OK, creators_store_negative_put(&call, &lower, &in, &err));
    assert_status(ST_OK, creators_store_negative_find(&out, &found, &call, &handle,
                                                      CREATOR_NEGATIVE_REPORT, &err));
    assert_true(found);
    assert_string_equal(out.reason, "PRIVATE");
    assert_int_equal(out.until_us, T0 + 1);
    in.until_us = 0;
    assert_status(ST_OK, creators_store_negative_put(&call, &handle, &in, &err));
    assert_status(ST_OK, creators_store_negative_find(&out, &found, &call, &handle,
                                                      CREATOR_NEGATIVE_REPORT, &err));
    assert_false(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_creators_store_find_stored_one_comes_back_whole),
        cmocka_unit_test(test_creators_store_find_unknown_one_is_not_found),
        cmocka_unit_test(test_creators_rows_upsert_twice_makes_no_duplicate),
        cmocka_unit_test(test_creators_rows_upsert_unknown_and_older_values_stay_out),
        cmocka_unit_test(test_creators_store_find_handle_belongs_to_newest_claim),
        cmocka_unit_test(test_creators_rows_upsert_bad_text_is_invalid),
        cmocka_unit_test(test_creators_rows_upsert_opposite_orders_do_not_deadlock),
        cmocka_unit_test(test_creators_store_report_put_is_found_with_and_without_document),
        cmocka_unit_test(test_creators_store_report_put_older_one_is_dropped),
        cmocka_unit_test(test_creators_store_report_put_bad_document_stores_nothing),
        cmocka_unit_test(test_creators_store_report_put_large_document_comes_back),
        cmocka_unit_test(
            test_creators_store_report_find_too_large_for_the_arena_is_exhausted),
        cmocka_unit_test(test_creators_store_enrichment_put_found_writes_the_email),
        cmocka_unit_test(test_creators_store_enrichment_put_unknown_creator_is_not_found),
        cmocka_unit_test(test_creators_store_negative_put_is_found_replaced_and_removed),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
