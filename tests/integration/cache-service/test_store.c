/* Creators, searches and their owners, on a real Postgres. */
#include "store_fixture.h"

#include "core/thread.h"
#include "store/creators_store.h"
#include "store/searches_store.h"

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
    assert_status(ST_OK, creators_store_upsert_many(&call, creators, count, &err));
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
static void test_creators_store_upsert_many_twice_makes_no_duplicate(void **state)
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

static void test_creators_store_upsert_many_unknown_and_older_values_stay_out(void **state)
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

static void test_creators_store_upsert_many_bad_text_is_invalid(void **state)
{
    (void)state;
    struct store_call call = a_call();
    struct creator bad = a_creator("c-bad", "\xff\xfe", T0), out;
    assert_status(ST_INVALID, creators_store_upsert_many(&call, &bad, 1, &err));
    assert_false(find(&out, "c-bad", NULL));
    assert_status(ST_INVALID, creators_store_upsert_many(
                                  &call, &bad, CREATORS_STORE_UPSERT_MAX + 1, &err));
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
            (void)snprintf(ids[i], sizeof ids[i], "crowd-%u", which);
            list[i] = a_creator(ids[i], ids[i], T0 + round);
        }
        struct error own_err;
        struct store_call call = {store, &own, clock_deadline_ms(CALL_MS), false};
        enum status status =
            creators_store_upsert_many(&call, list, COUNT_OF(list), &own_err);
        if (status != ST_OK)
            crowd->worst = status;
    }
    arena_done(&own);
    return NULL;
}

static void test_creators_store_upsert_many_opposite_orders_do_not_deadlock(void **state)
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
    assert_status(ST_OK, creators_store_report_put(&call, &creator, &report, &err));

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
    assert_status(ST_OK, creators_store_report_put(&call, &creator, &newer, &err));
    assert_status(ST_OK, creators_store_report_put(&call, &creator, &older, &err));
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
                      creators_store_report_put(&call, &creator, &report, &err));
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
    assert_status(ST_OK, creators_store_report_put(&call, &creator, &report, &err));
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
    memset(document, ' ', sizeof document);
    memcpy(document, "[\"", 2);
    memset(document + 2, 'x', sizeof document - 5);
    memcpy(document + sizeof document - 3, "\"]", 3);
    struct creator_report report = a_report(document, T0), out;
    assert_status(ST_OK, creators_store_report_put(&call, &creator, &report, &err));
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
    assert_status(ST_OK, creators_store_negative_find(&out, &found, &call, &lower,
                                                      CREATOR_NEGATIVE_PROFILE, &err));
    assert_false(found);
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

/* ---- searches ---- */

static struct search_start a_start(uint8_t mark, int64_t seen)
{
    struct search_start start = {.platform = 1,
                                 .filters = "{\"influencer\": {\"gender\": \"FEMALE\"}}",
                                 .sort = "{\"field\": \"followers\"}",
                                 .seen_generation = seen};
    memset(start.filter_hash, mark, sizeof start.filter_hash);
    return start;
}

/* The page `search` waits for, with creators "s-<first>" and so on. */
static enum status append(struct search *search, unsigned first, unsigned count,
                          int64_t at_us)
{
    static char ids[64][16];
    struct creator creators[64];
    struct search_page page = {.generation = search->generation,
                               .next_page = search->next_page,
                               .creators = creators,
                               .creator_count = count,
                               .total = 1287,
                               .exhausted = count < 15,
                               .fetched_at_us = at_us,
                               .fresh_until_us = at_us + SECOND_US};
    memcpy(page.filter_hash, search->filter_hash, sizeof page.filter_hash);
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "s-%u", first + i);
        creators[i] = a_creator(ids[i], ids[i], T0);
    }
    struct store_call call = a_call();
    return searches_store_append_page(search, &call, &page, &err);
}

static void start(struct search *search, uint8_t mark, int64_t seen)
{
    struct store_call call = a_call();
    struct search_start begin = a_start(mark, seen);
    assert_status(ST_OK, searches_store_start(search, &call, &begin, &err));
}

static size_t results(const struct creator **out, const struct search *search, int64_t from,
                      size_t limit)
{
    struct store_call call = a_call();
    size_t count = 0;
    assert_status(ST_OK, searches_store_results(out, &count, &call, search->filter_hash,
                                                from, limit, &err));
    return count;
}

/* C1 */
static void test_searches_store_append_page_keeps_the_providers_order(void **state)
{
    (void)state;
    struct search search, found_search;
    const struct creator *list;
    struct store_call call = a_call();
    bool found = true;
    struct search_start begin = a_start(1, 0);
    assert_status(
        ST_OK, searches_store_find(&found_search, &found, &call, begin.filter_hash, &err));
    assert_false(found);

    start(&search, 1, 0);
    assert_int_equal(search.generation, 1);
    assert_int_equal(search.held_generation, 0);
    assert_int_equal(search.total, -1);
    assert_status(ST_OK, append(&search, 100, 15, T0));
    assert_int_equal(search.held, 15);
    assert_int_equal(search.next_page, 1);
    assert_status(ST_OK, append(&search, 110, 15, T0 + 5)); /* 5 of them again */
    assert_int_equal(search.held, 25);
    assert_int_equal(search.fetched_at_us, T0); /* of the first page */
    assert_status(ST_OK, append(&search, 125, 3, T0 + 6));
    assert_true(search.exhausted);
    assert_int_equal(search.held, 28);

    assert_status(
        ST_OK, searches_store_find(&found_search, &found, &call, begin.filter_hash, &err));
    assert_true(found);
    assert_int_equal(found_search.held, 28);
    assert_int_equal(found_search.total, 1287);
    assert_string_equal(found_search.filters, begin.filters);
    assert_memory_equal(found_search.filter_hash, begin.filter_hash, 32);

    assert_int_equal(results(&list, &search, 0, 1000), 28);
    for (unsigned i = 0; i < 28; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "s-%u", 100 + i);
        assert_string_equal(list[i].provider_user_id, id);
    }
    assert_int_equal(results(&list, &search, 20, 5), 5);
    assert_string_equal(list[0].provider_user_id, "s-120");
    assert_int_equal(results(&list, &search, 28, 5), 0);
    assert_null(list);
}

static void test_searches_store_start_old_results_stay_until_the_first_page(void **state)
{
    (void)state;
    struct search search;
    const struct creator *list;
    start(&search, 2, 0);
    assert_status(ST_OK, append(&search, 200, 15, T0));
    start(&search, 2, 1);
    assert_int_equal(search.generation, 2);
    assert_int_equal(search.held_generation, 1);
    assert_int_equal(search.next_page, 0);
    assert_int_equal(search.held, 15);
    assert_int_equal(search.fetched_at_us, T0);
    assert_int_equal(results(&list, &search, 0, 100), 15);

    assert_status(ST_OK, append(&search, 210, 4, T0 + 7));
    assert_int_equal(search.held_generation, 2);
    assert_int_equal(search.held, 4);
    assert_int_equal(search.fetched_at_us, T0 + 7);
    assert_int_equal(results(&list, &search, 0, 100), 4);
    assert_string_equal(list[0].provider_user_id, "s-210");
}

static void test_searches_store_append_page_second_of_two_is_aborted(void **state)
{
    (void)state;
    struct search search, late;
    const struct creator *list;
    start(&search, 3, 0);
    late = search;
    assert_status(ST_OK, append(&search, 300, 15, T0));
    assert_status(ST_ABORTED, append(&late, 315, 15, T0));
    assert_int_equal(results(&list, &search, 0, 100), 15);

    struct store_call call = a_call();
    struct search_start again = a_start(3, 0);
    assert_status(ST_ABORTED, searches_store_start(&late, &call, &again, &err));
    again.seen_generation = 9;
    assert_status(ST_ABORTED, searches_store_start(&late, &call, &again, &err));
    start(&late, 3, 1);
    assert_status(ST_ABORTED, append(&search, 315, 15, T0)); /* of the former generation */
    assert_int_equal(results(&list, &late, 0, 100), 15);
}

static void test_searches_store_append_page_empty_page_ends_the_search(void **state)
{
    (void)state;
    struct search search;
    start(&search, 4, 0);
    assert_status(ST_OK, append(&search, 0, 0, T0));
    assert_int_equal(search.held, 0);
    assert_int_equal(search.held_generation, 1);
    assert_true(search.exhausted);
}

/* ---- whose search (C10) ---- */

static struct search_request a_request(int64_t at_us, uint64_t random)
{
    struct search_request request = {.id = op_id_make(at_us, random, random),
                                     .platform = 1,
                                     .filters = "{\"a\": 1}",
                                     .count = 40,
                                     .from_cache = 25,
                                     .discovered = 15,
                                     .at_us = at_us};
    memset(request.filter_hash, 7, sizeof request.filter_hash);
    return request;
}

static size_t list_requests(const struct search_request **out, const char *user,
                            struct op_id before, size_t limit)
{
    struct store_call call = a_call();
    size_t count = 0;
    assert_status(ST_OK, searches_store_list_requests(out, &count, &call, user, &before,
                                                      limit, &err));
    return count;
}

static void record(const char *user, const struct search_request *request)
{
    struct store_call call = a_call();
    assert_status(ST_OK, searches_store_record_request(&call, user, request, &err));
}

/* C10 */
static void test_searches_store_list_requests_shows_own_rows_newest_first(void **state)
{
    (void)state;
    const struct search_request *list;
    struct op_id newest = {{0}};
    for (unsigned i = 0; i < 5; i++) {
        struct search_request mine = a_request(T0 + i * SECOND_US, i);
        record("alice", &mine);
        record("alice", &mine); /* a repeat is the same row */
    }
    struct search_request other = a_request(T0 + 99 * SECOND_US, 99);
    record("bob", &other);

    assert_int_equal(list_requests(&list, "alice", newest, 3), 3);
    assert_int_equal(list[0].at_us, T0 + 4 * SECOND_US);
    assert_int_equal(list[0].count, 40);
    assert_int_equal(list[0].from_cache, 25);
    assert_int_equal(list[0].discovered, 15);
    assert_string_equal(list[0].filters, "{\"a\": 1}");
    assert_int_equal(list_requests(&list, "alice", list[2].id, 10), 2);
    assert_int_equal(list[1].at_us, T0);
    assert_int_equal(list_requests(&list, "bob", newest, 10), 1);
    assert_int_equal(list_requests(&list, "carol", newest, 10), 0);

    struct store_call call = a_call();
    size_t count;
    assert_status(ST_INVALID,
                  searches_store_list_requests(&list, &count, &call, "", &newest, 1, &err));
    assert_status(ST_INVALID, searches_store_record_request(&call, NULL, &other, &err));
}

/* C10 */
static void test_search_request_without_a_user_is_invisible_to_every_role(void **state)
{
    (void)state;
    struct search_request mine = a_request(T0, 1234);
    record("dora", &mine);
    static const char SQL[] = "SELECT count(*) FROM metercache.search_request";
    assert_int_equal(ask("runtime", SQL), 0);
    assert_int_equal(ask("reader", SQL), 0);
    assert_int_equal(ask("owner", SQL), 0);
    assert_true(ask("postgres", SQL) > 0); /* the rows are there */
    assert_status(ST_DENIED,
                  command("runtime",
                          "INSERT INTO metercache.search_request VALUES (gen_random_uuid(),"
                          " 'dora', 1, sha256(''), '{}', 1, 0, 0, now())"));
}

/* C10: also on the connection that just served another user */
static void test_db_begin_as_ends_with_its_transaction(void **state)
{
    (void)state;
    static const struct db_statement COUNT = {
        "count", "SELECT count(*) FROM metercache.search_request", 0, "i", DB_ONE};
    static const struct db_statement FOREIGN = {
        "foreign",
        "INSERT INTO metercache.search_request VALUES (gen_random_uuid(), 'erin', 1,"
        " sha256(''), '{}', 1, 0, 0, now())",
        0, "", DB_NONE};
    struct search_request mine = a_request(T0, 4321);
    record("erin", &mine);
    struct db *db = open_db(pg_cluster_url(cluster, "runtime"), 1);
    struct db_session *session;
    struct db_result result;
    uint64_t deadline_us = clock_deadline_ms(CALL_MS);
    assert_status(ST_OK, db_acquire(&session, db, deadline_us, &err));
    assert_status(ST_OK, db_begin_as(session, "erin", deadline_us, &err));
    assert_status(ST_OK, db_execute(&result, session, &COUNT, NULL, deadline_us, &err));
    assert_int_equal(db_i64(&result, 0, 0), 1);
    db_result_done(&result);
    assert_status(ST_OK, db_commit(session, deadline_us, &err));
    assert_status(ST_OK, db_execute(&result, session, &COUNT, NULL, deadline_us, &err));
    assert_int_equal(db_i64(&result, 0, 0), 0);
    db_result_done(&result);

    assert_status(ST_OK, db_begin_as(session, "mallory", deadline_us, &err));
    assert_status(ST_DENIED, db_execute(NULL, session, &FOREIGN, NULL, deadline_us, &err));
    assert_status(ST_INTERNAL, db_commit(session, deadline_us, &err)); /* it had failed */
    db_release(session);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_creators_store_find_stored_one_comes_back_whole),
        cmocka_unit_test(test_creators_store_find_unknown_one_is_not_found),
        cmocka_unit_test(test_creators_store_upsert_many_twice_makes_no_duplicate),
        cmocka_unit_test(test_creators_store_upsert_many_unknown_and_older_values_stay_out),
        cmocka_unit_test(test_creators_store_find_handle_belongs_to_newest_claim),
        cmocka_unit_test(test_creators_store_upsert_many_bad_text_is_invalid),
        cmocka_unit_test(test_creators_store_upsert_many_opposite_orders_do_not_deadlock),
        cmocka_unit_test(test_creators_store_report_put_is_found_with_and_without_document),
        cmocka_unit_test(test_creators_store_report_put_older_one_is_dropped),
        cmocka_unit_test(test_creators_store_report_put_bad_document_stores_nothing),
        cmocka_unit_test(test_creators_store_report_put_large_document_comes_back),
        cmocka_unit_test(
            test_creators_store_report_find_too_large_for_the_arena_is_exhausted),
        cmocka_unit_test(test_creators_store_enrichment_put_found_writes_the_email),
        cmocka_unit_test(test_creators_store_enrichment_put_unknown_creator_is_not_found),
        cmocka_unit_test(test_creators_store_negative_put_is_found_replaced_and_removed),
        cmocka_unit_test(test_searches_store_append_page_keeps_the_providers_order),
        cmocka_unit_test(test_searches_store_start_old_results_stay_until_the_first_page),
        cmocka_unit_test(test_searches_store_append_page_second_of_two_is_aborted),
        cmocka_unit_test(test_searches_store_append_page_empty_page_ends_the_search),
        cmocka_unit_test(test_searches_store_list_requests_shows_own_rows_newest_first),
        cmocka_unit_test(test_search_request_without_a_user_is_invisible_to_every_role),
        cmocka_unit_test(test_db_begin_as_ends_with_its_transaction),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
