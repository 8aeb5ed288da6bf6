/* Creators asked for by a key that is not theirs, or no longer. */
#include "store_fixture.h"

#include "store/creators_store.h"

#define T0 1700000000000000LL

static struct creator a_creator(const char *id, const char *handle, int64_t updated_at_us)
{
    return (struct creator){.platform = 1,
                            .provider_user_id = id,
                            .handle = handle,
                            .followers = -1,
                            .engagements = -1,
                            .engagement_rate_ppm = -1,
                            .average_views = -1,
                            .updated_at_us = updated_at_us};
}

static void upsert(const struct creator *creator)
{
    struct store_call call = a_call();

    assert_status(ST_OK, upsert_creators(&call, creator, 1, &err));
}

static bool find(struct creator *out, const char *id, const char *handle)
{
    struct store_call call = a_call();
    struct creator_key key = {.platform = 1, .provider_user_id = id, .handle = handle};
    bool found = false;

    assert_status(ST_OK, creators_store_find(out, &found, &call, &key, &err));
    return found;
}

/* Buy the report of `creator` for the key `id` or `handle`. */
static void buy(const char *id, const char *handle, const struct creator *creator,
                int64_t at_us)
{
    struct store_call call = a_call();
    struct creator_key asked = {.platform = 1, .provider_user_id = id, .handle = handle};
    struct creator_report report = {.document = "{}",
                                    .document_size = 2,
                                    .credibility_ppm = -1,
                                    .posts = -1,
                                    .fetched_at_us = at_us,
                                    .fresh_until_us = at_us + SECOND_US};

    assert_status(ST_OK, creators_store_report_put(&call, &asked, creator, &report, &err));
}

/* What all three finds say of a key: the creator of that id. */
static void assert_all_find(const char *id, const char *handle, const char *canonical)
{
    struct creator_key key = {.platform = 1, .provider_user_id = id, .handle = handle};
    struct creator creator;
    struct creator_report report;
    struct creator_enrichment enrichment;
    bool found = false;

    assert_true(find(&creator, id, handle));
    assert_string_equal(creator.provider_user_id, canonical);
    struct store_call call = a_call();
    assert_status(ST_OK,
                  creators_store_report_find(&report, &found, &call, &key, false, &err));
    assert_true(found);
    found = false;
    assert_status(ST_OK,
                  creators_store_enrichment_find(&enrichment, &found, &call, &key, &err));
    assert_true(found);
    assert_string_equal(enrichment.run_id, canonical);
}

static void ask_for_email(const char *id)
{
    struct store_call call = a_call();
    struct creator_key key = {.platform = 1, .provider_user_id = id};
    struct creator_enrichment pending = {.state = CREATOR_ENRICHMENT_PENDING,
                                         .provider = "clay",
                                         .run_id = id,
                                         .asked_at_us = T0};

    assert_status(ST_OK, creators_store_enrichment_put(&call, &key, &pending, &err));
}

static int64_t aliases_of(const char *id)
{
    char sql[128];

    (void)snprintf(sql, sizeof(sql),
                   "SELECT count(*) FROM metercache.creator_alias"
                   " WHERE provider_user_id = '%s'",
                   id);
    return ask("reader", sql);
}

/* C3: what was bought under another name is not bought again */
static void test_creators_store_report_put_asked_key_becomes_an_alias(void **state)
{
    (void)state;
    struct creator creator = a_creator("4711", "new.name", T0), out;
    buy(NULL, "Old.Name", &creator, T0);
    buy("New.Name", NULL, &creator, T0); /* a handle given as an id */
    ask_for_email("4711");
    assert_all_find(NULL, "old.NAME", "4711");
    assert_all_find("new.name", NULL, "4711");
    assert_all_find(NULL, "new.name", "4711");
    assert_all_find("4711", NULL, "4711");
    assert_false(find(&out, "old.name", NULL)); /* it was a handle that was asked for */
    assert_false(find(&out, NULL, "4711"));
    assert_int_equal(aliases_of("4711"), 2);
}

static void test_creators_store_report_put_own_key_is_no_alias(void **state)
{
    (void)state;
    struct creator creator = a_creator("own-1", "Own.Handle", T0);
    buy("own-1", NULL, &creator, T0);
    buy(NULL, "own.handle", &creator, T0);
    assert_int_equal(aliases_of("own-1"), 0);
}

static void test_creators_store_find_alias_yields_to_a_newer_claim(void **state)
{
    (void)state;
    struct creator first = a_creator("moved-1", "moved.away", T0), out;
    struct creator stale = a_creator("moved-2", "moved", T0 - 9);
    struct creator heir = a_creator("moved-3", "moved", T0 + 9);
    upsert(&stale);
    buy(NULL, "moved", &first, T0); /* the provider knows better than an older row */
    assert_true(find(&out, NULL, "moved"));
    assert_string_equal(out.provider_user_id, "moved-1");
    upsert(&heir);
    assert_true(find(&out, NULL, "moved"));
    assert_string_equal(out.provider_user_id, "moved-3");
    first.updated_at_us = T0 + 20;
    buy(NULL, "moved", &first, T0 + 20);
    assert_true(find(&out, NULL, "moved"));
    assert_string_equal(out.provider_user_id, "moved-1");

    struct creator direct = a_creator("moved.id", "", T0 - 9); /* an id is not claimed */
    buy("moved.id", NULL, &first, T0 + 20);
    assert_true(find(&out, "moved.id", NULL));
    assert_string_equal(out.provider_user_id, "moved-1");
    upsert(&direct);
    assert_true(find(&out, "moved.id", NULL));
    assert_string_equal(out.provider_user_id, "moved.id");
}

static void test_creators_store_report_put_drops_the_negative_of_its_key(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator_key denied = {.platform = 1, .handle = "Denied"};
    struct creator_key other = {.platform = 1, .handle = "denied.too"};
    struct creator_negative no = {CREATOR_NEGATIVE_REPORT, "NOT_FOUND", T0 + SECOND_US};
    struct creator_negative out;
    struct creator creator = a_creator("denied-1", "denied", T0);
    bool found = true;
    assert_status(ST_OK, creators_store_negative_put(&call, &denied, &no, &err));
    assert_status(ST_OK, creators_store_negative_put(&call, &other, &no, &err));
    buy(NULL, "DENIED", &creator, T0);
    assert_status(ST_OK, creators_store_negative_find(&out, &found, &call, &denied,
                                                      CREATOR_NEGATIVE_REPORT, &err));
    assert_false(found);
    assert_status(ST_OK, creators_store_negative_find(&out, &found, &call, &other,
                                                      CREATOR_NEGATIVE_REPORT, &err));
    assert_true(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_creators_store_report_put_asked_key_becomes_an_alias),
        cmocka_unit_test(test_creators_store_report_put_own_key_is_no_alias),
        cmocka_unit_test(test_creators_store_find_alias_yields_to_a_newer_claim),
        cmocka_unit_test(test_creators_store_report_put_drops_the_negative_of_its_key),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
