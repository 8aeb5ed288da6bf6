/* Searches, their results and who asked, on a real Postgres. */
#include "store_fixture.h"

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

/* ---- searches ---- */

static struct search_start a_start(uint8_t mark, int64_t seen)
{
    struct search_start start = {.platform = 1,
                                 .filters = "{\"influencer\": {\"gender\": \"FEMALE\"}}",
                                 .sort = "{\"field\": \"followers\"}",
                                 .seen_generation = seen};

    memset(start.filter_hash, mark, sizeof(start.filter_hash));
    return start;
}

/* The page `search` waits for, with creators "s-<first>" and so on; less than 15 are the
 * last ones. */
static enum status append_wanting(struct search *search, unsigned first, unsigned count,
                                  int64_t at_us, int64_t wanted)
{
    static char ids[64][16];
    struct creator creators[64];
    struct search_page page = {.generation = search->generation,
                               .next_page = search->next_page,
                               .creators = creators,
                               .creator_count = count,
                               .wanted = wanted,
                               .total = 1287,
                               .exhausted = count < 15,
                               .fetched_at_us = at_us,
                               .fresh_until_us = at_us + SECOND_US};

    memcpy(page.filter_hash, search->filter_hash, sizeof(page.filter_hash));
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "s-%u", first + i);
        creators[i] = a_creator(ids[i], ids[i], T0);
    }
    struct store_call call = a_call();
    return searches_store_append_page(search, &call, &page, &err);
}

static enum status append(struct search *search, unsigned first, unsigned count,
                          int64_t at_us)
{
    return append_wanting(search, first, count, at_us, 1000);
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
    struct search search, stored;
    const struct creator *list;
    struct store_call call = a_call();
    bool found = true;
    struct search_start begin = a_start(1, 0);
    assert_status(ST_OK,
                  searches_store_find(&stored, &found, &call, begin.filter_hash, &err));
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
    assert_int_equal(search.filled, 25);
    assert_int_equal(search.fetched_at_us, T0); /* of the first page */
    assert_status(ST_OK, append(&search, 125, 3, T0 + 6));
    assert_true(search.exhausted);
    assert_int_equal(search.held, 28);

    assert_status(ST_OK,
                  searches_store_find(&stored, &found, &call, begin.filter_hash, &err));
    assert_true(found);
    assert_int_equal(stored.held, 28);
    assert_int_equal(stored.total, 1287);
    assert_string_equal(stored.filters, begin.filters);
    assert_memory_equal(stored.filter_hash, begin.filter_hash, 32);

    assert_int_equal(results(&list, &search, 0, 1000), 28);
    for (unsigned i = 0; i < 28; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "s-%u", 100 + i);
        assert_string_equal(list[i].provider_user_id, id);
    }
    assert_int_equal(results(&list, &search, 20, 5), 5);
    assert_string_equal(list[0].provider_user_id, "s-120");
    assert_int_equal(results(&list, &search, 28, 5), 0);
    assert_null(list);
}

/* Generation 1 of a search, with 45 results "s-<first>" and so on. */
static void hold_three_pages(struct search *search, uint8_t mark, unsigned first)
{
    start(search, mark, 0);
    for (unsigned page = 0; page < 3; page++)
        assert_status(ST_OK, append(search, first + 15 * page, 15, T0 + page));
    assert_int_equal(search->held, 45);
}

static struct search found_search(uint8_t mark)
{
    struct store_call call = a_call();
    struct search_start named = a_start(mark, 0);
    struct search search;
    bool found = false;

    assert_status(ST_OK,
                  searches_store_find(&search, &found, &call, named.filter_hash, &err));
    assert_true(found);
    return search;
}

static void assert_first_held(const struct search *search, size_t count, const char *id)
{
    const struct creator *list;

    assert_int_equal(results(&list, search, 0, 1000), count);
    assert_string_equal(list[0].provider_user_id, id);
}

static int64_t stored_results(void)
{
    return ask("reader", "SELECT count(*) FROM metercache.search_result"
                         " WHERE filter_hash = decode(repeat('02', 32), 'hex')");
}

/* C8: what is held outlives a refresh that fails half-way */
static void test_searches_store_append_page_refresh_is_unseen_until_it_is_enough(
    void **state)
{
    (void)state;
    struct search search;
    hold_three_pages(&search, 2, 200);
    start(&search, 2, 1);
    assert_int_equal(search.generation, 2);
    assert_int_equal(search.held_generation, 1);
    assert_int_equal(search.next_page, 0);
    assert_int_equal(search.filled, 0);
    assert_int_equal(search.filled_fresh_until_us, 0);
    assert_int_equal(search.held, 45);

    assert_status(ST_OK, append(&search, 210, 15, T0 + 7));
    assert_status(ST_OK, append(&search, 225, 15, T0 + 8));
    search = found_search(2);
    assert_int_equal(search.generation, 2);
    assert_int_equal(search.next_page, 2);
    assert_int_equal(search.filled, 30);
    assert_int_equal(search.filled_fresh_until_us, T0 + 7 + SECOND_US);
    assert_int_equal(search.held_generation, 1);
    assert_int_equal(search.held, 45);
    assert_int_equal(search.fetched_at_us, T0);
    assert_false(search.exhausted);
    assert_first_held(&search, 45, "s-200");

    assert_status(ST_OK, append(&search, 240, 15, T0 + 9)); /* as many as were held */
    assert_int_equal(search.held_generation, 2);
    assert_int_equal(search.held, 45);
    assert_int_equal(search.filled, 45);
    assert_int_equal(search.fetched_at_us, T0 + 7); /* of its first page */
    assert_int_equal(search.fresh_until_us, T0 + 7 + SECOND_US);
    assert_first_held(&search, 45, "s-210");
    assert_int_equal(stored_results(), 45); /* the former ones are gone */

    assert_status(ST_OK, append(&search, 255, 15, T0 + 10)); /* and it goes on growing */
    assert_int_equal(search.held, 60);
}

static void test_searches_store_append_page_wanted_or_the_last_page_is_enough(void **state)
{
    (void)state;
    struct search search;
    hold_three_pages(&search, 5, 500);
    start(&search, 5, 1);
    assert_status(ST_OK, append_wanting(&search, 510, 15, T0 + 7, 20));
    assert_int_equal(search.held_generation, 1);
    assert_status(ST_OK, append_wanting(&search, 525, 15, T0 + 8, 20));
    assert_int_equal(search.held_generation, 2);
    assert_int_equal(search.held, 30);
    assert_first_held(&search, 30, "s-510");

    start(&search, 5, 2);
    assert_status(ST_OK, append(&search, 590, 4, T0 + 9)); /* fewer exist by now */
    assert_int_equal(search.held_generation, 3);
    assert_int_equal(search.held, 4);
    assert_true(search.exhausted);
    assert_first_held(&search, 4, "s-590");
}

static void test_searches_store_start_half_filled_generation_is_abandoned(void **state)
{
    (void)state;
    struct search search;
    hold_three_pages(&search, 6, 600);
    start(&search, 6, 1);
    assert_status(ST_OK, append(&search, 660, 15, T0 + 7));
    start(&search, 6, 2);
    assert_int_equal(search.generation, 3);
    assert_int_equal(search.filled, 0);
    assert_int_equal(search.filled_fresh_until_us, 0);
    assert_int_equal(search.held_generation, 1);
    assert_first_held(&search, 45, "s-600");
    assert_int_equal(ask("reader", "SELECT count(*) FROM metercache.search_result"
                                   " WHERE filter_hash = decode(repeat('06', 32), 'hex')"),
                     45);
    assert_status(ST_OK, append_wanting(&search, 660, 15, T0 + 9, 10));
    assert_int_equal(search.held_generation, 3);
    assert_int_equal(search.fetched_at_us, T0 + 9);
    assert_first_held(&search, 15, "s-660");
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

    memset(request.filter_hash, 7, sizeof(request.filter_hash));
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
        cmocka_unit_test(test_searches_store_append_page_keeps_the_providers_order),
        cmocka_unit_test(
            test_searches_store_append_page_refresh_is_unseen_until_it_is_enough),
        cmocka_unit_test(test_searches_store_append_page_wanted_or_the_last_page_is_enough),
        cmocka_unit_test(test_searches_store_start_half_filled_generation_is_abandoned),
        cmocka_unit_test(test_searches_store_append_page_second_of_two_is_aborted),
        cmocka_unit_test(test_searches_store_append_page_empty_page_ends_the_search),
        cmocka_unit_test(test_searches_store_list_requests_shows_own_rows_newest_first),
        cmocka_unit_test(test_search_request_without_a_user_is_invisible_to_every_role),
        cmocka_unit_test(test_db_begin_as_ends_with_its_transaction),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
