/* Modash's answers in the shapes of its documentation and clients, on three platforms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base.h"
#include "core/buf.h"
#include "data_file.h"
#include "modash_parse.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct modash_page search(const char *file, enum platform platform)
{
    struct modash_page page = {.total = 0};
    json_t *root = data_file_read(file);

    assert_non_null(root);
    assert_true(modash_parse_search(&page, root, platform, &arena));
    json_decref(root);
    return page;
}

static struct modash_report report(const char *file, enum platform platform)
{
    struct modash_report out = {.email_count = 0};
    json_t *root = data_file_read(file);

    assert_non_null(root);
    assert_true(modash_parse_report(&out, root, platform, &arena));
    json_decref(root);
    return out;
}

static bool search_text(const char *json)
{
    struct modash_page page;
    json_t *root = data_text_read(json);
    bool parsed = modash_parse_search(&page, root, PLATFORM_INSTAGRAM, &arena);

    json_decref(root);
    return parsed;
}

static bool report_text(const char *json)
{
    struct modash_report out;
    json_t *root = data_text_read(json);
    bool parsed = modash_parse_report(&out, root, PLATFORM_INSTAGRAM, &arena);

    json_decref(root);
    return parsed;
}

static void test_search_instagram_reads_directs_and_lookalikes(void **state)
{
    struct modash_page page = search("modash/search_instagram.json", PLATFORM_INSTAGRAM);
    const struct creator *ada = &page.creators.items[1];

    (void)state;
    assert_int_equal(page.total, 1287);
    assert_true(page.is_exact_match);
    assert_int_equal(page.returned, 10); /* all that came is charged */
    assert_int_equal(page.creators.count, 4);
    assert_string_equal(page.creators.items[0].user_id, "1001");
    assert_true(page.creators.items[0].is_verified);
    assert_int_equal(ada->platform, PLATFORM_INSTAGRAM);
    assert_string_equal(ada->user_id, "48210077");
    assert_string_equal(ada->handle, "ada.trails");
    assert_string_equal(ada->full_name, "Ada Trails");
    assert_string_equal(ada->url, "https://www.instagram.com/ada.trails");
    assert_string_equal(ada->picture_url, "https://imgigp.modash.io/v2?abc");
    assert_int_equal(ada->followers, 58210);
    assert_int_equal(ada->engagements, 2140);
    assert_int_equal(ada->engagement_rate_ppm, 36760);
    assert_int_equal(ada->average_views, -1);
    assert_false(ada->is_private);
}

static void test_search_numbers_as_strings_and_missing_fields_are_read(void **state)
{
    struct modash_page page = search("modash/search_instagram.json", PLATFORM_INSTAGRAM);
    const struct creator *strings = &page.creators.items[2];
    const struct creator *bare = &page.creators.items[3];

    (void)state;
    assert_string_equal(strings->user_id, "1002");
    assert_string_equal(strings->handle, "as.strings");
    assert_int_equal(strings->followers, 31000);
    assert_int_equal(strings->engagements, 900);
    assert_int_equal(strings->engagement_rate_ppm, 29000);
    assert_true(strings->is_private);
    assert_string_equal(bare->user_id, "1003");
    assert_string_equal(bare->handle, "");
    assert_int_equal(bare->followers, -1);
}

static void test_search_tiktok_and_youtube_read_their_own_fields(void **state)
{
    struct modash_page tiktok = search("modash/search_tiktok.json", PLATFORM_TIKTOK);
    struct modash_page youtube = search("modash/search_youtube.json", PLATFORM_YOUTUBE);

    (void)state;
    assert_int_equal(tiktok.total, 42);
    assert_int_equal(tiktok.creators.items[0].average_views, 402100);
    assert_string_equal(tiktok.creators.items[0].user_id, "6650000000000000001");
    assert_string_equal(youtube.creators.items[0].handle, "YouTuber");
    assert_string_equal(youtube.creators.items[0].user_id, "UCabcdefghijklmnopqrstuv");
}

static void test_search_empty_page_is_an_answer(void **state)
{
    (void)state;
    assert_true(search_text("{\"error\":false,\"total\":0,\"lookalikes\":[]}"));
    assert_true(search_text("{\"directs\":[]}"));
}

static void test_search_hollow_or_wrong_documents_are_refused(void **state)
{
    (void)state;
    assert_false(search_text("{}"));
    assert_false(search_text("{\"error\":true,\"lookalikes\":[]}"));
    assert_false(search_text("{\"error\":\"true\",\"lookalikes\":[]}"));
    assert_false(search_text("{\"lookalikes\":{}}"));
    assert_false(search_text("[]"));
    assert_false(search_text("<html>login</html>"));
    assert_false(search_text(""));
}

static void test_search_more_results_than_a_page_can_hold_are_refused(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 4096);
    buf_append_text(&text, "{\"lookalikes\":[0");
    for (unsigned i = 0; i < MODASH_RESULTS_MAX; i++)
        buf_append_text(&text, ",0");
    buf_append_text(&text, "]}");
    assert_false(search_text(buf_text(&text)));
    buf_done(&text);
}

static void test_search_arena_full_is_a_failure_not_a_shorter_list(void **state)
{
    struct modash_page page;
    struct arena small;
    json_t *root = data_file_read("modash/search_instagram.json");
    unsigned failures = 0;

    (void)state;
    for (size_t limit = 0; limit < 4096; limit += 16) {
        arena_init(&small, limit);
        if (!modash_parse_search(&page, root, PLATFORM_INSTAGRAM, &small)) {
            failures++;
        } else {
            assert_int_equal(page.creators.count, 4);
            assert_string_equal(page.creators.items[1].picture_url,
                                "https://imgigp.modash.io/v2?abc");
        }
        arena_done(&small);
    }
    assert_in_range(failures, 10, 200);
    json_decref(root);
}

static void test_users_accepts_both_picture_names(void **state)
{
    struct creator_list users;
    json_t *root = data_file_read("modash/users.json");

    (void)state;
    assert_true(modash_parse_users(&users, root, PLATFORM_INSTAGRAM, &arena));
    json_decref(root);
    assert_int_equal(users.count, 2);
    assert_true(users.items[0].is_verified);
    assert_string_equal(users.items[0].picture_url, "https://imgigp.modash.io/v2?abc");
    assert_string_equal(users.items[1].picture_url, "https://imgigp.modash.io/v2?other");
}

static void test_report_instagram_reads_creator_emails_and_document(void **state)
{
    struct modash_report out = report("modash/report_instagram.json", PLATFORM_INSTAGRAM);
    json_t *document = json_loads(out.report_json, 0, NULL);

    (void)state;
    assert_string_equal(out.creator.user_id, "48210077");
    assert_string_equal(out.creator.handle, "ada.trails");
    assert_int_equal(out.creator.followers, 58210);
    assert_int_equal(out.creator.engagement_rate_ppm, 36760);
    assert_int_equal(out.creator.average_views, 40210);
    assert_true(out.creator.is_verified);
    assert_int_equal(out.email_count, 2);
    assert_string_equal(out.emails[0], "ada@example.org");
    assert_string_equal(out.emails[1], "second@example.org");
    assert_non_null(document);
    assert_string_equal(json_string_value(json_object_get(document, "userId")), "48210077");
    assert_non_null(strstr(out.report_json, "\"engagementRate\":0.03676,"));
    /* What neither text nor jsonb can hold is gone, what only looks like it stays. */
    assert_non_null(strstr(out.report_json, "Trail runner,\xef\xbf\xbd Leeds \\\\u0000"));
    json_decref(document);
}

static void test_report_tiktok_and_youtube_read_outer_fields(void **state)
{
    struct modash_report tiktok = report("modash/report_tiktok.json", PLATFORM_TIKTOK);
    struct modash_report youtube = report("modash/report_youtube.json", PLATFORM_YOUTUBE);

    (void)state;
    assert_int_equal(tiktok.creator.followers, 910000);
    assert_int_equal(tiktok.creator.average_views, 402100);
    assert_string_equal(youtube.creator.user_id, "UCabcdefghijklmnopqrstuv");
    assert_string_equal(youtube.creator.handle, "YouTuber");
    assert_int_equal(youtube.creator.engagements, -1);
    assert_int_equal(youtube.email_count, 0);
}

static void test_report_without_an_id_or_with_an_error_is_refused(void **state)
{
    (void)state;
    assert_true(report_text("{\"profile\":{\"userId\":\"1\"}}"));
    assert_true(report_text("{\"profile\":{\"profile\":{\"userId\":17}}}"));
    assert_false(report_text("{\"error\":true,\"profile\":{\"userId\":\"1\"}}"));
    assert_false(report_text("{\"error\":false,\"profile\":{\"profile\":{}}}"));
    assert_false(report_text("{\"error\":false,\"profile\":null}"));
    assert_false(report_text("{\"error\":false}"));
    assert_false(report_text("{\"profile\":[]}"));
}

static void test_balance_reads_thousandths(void **state)
{
    int64_t milli = 0;
    json_t *root = data_file_read("modash/user_info.json");

    (void)state;
    assert_true(modash_parse_balance(&milli, root));
    json_decref(root);
    assert_int_equal(milli, 5809990);
    root = data_text_read("{\"billing\":{\"credits\":\"12.5\"}}");
    assert_true(modash_parse_balance(&milli, root));
    json_decref(root);
    assert_int_equal(milli, 12500);
    root = data_text_read("{\"billing\":{}}");
    assert_false(modash_parse_balance(&milli, root));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_instagram_reads_directs_and_lookalikes),
        cmocka_unit_test(test_search_numbers_as_strings_and_missing_fields_are_read),
        cmocka_unit_test(test_search_tiktok_and_youtube_read_their_own_fields),
        cmocka_unit_test(test_search_empty_page_is_an_answer),
        cmocka_unit_test(test_search_hollow_or_wrong_documents_are_refused),
        cmocka_unit_test(test_search_more_results_than_a_page_can_hold_are_refused),
        cmocka_unit_test(test_search_arena_full_is_a_failure_not_a_shorter_list),
        cmocka_unit_test(test_users_accepts_both_picture_names),
        cmocka_unit_test(test_report_instagram_reads_creator_emails_and_document),
        cmocka_unit_test(test_report_tiktok_and_youtube_read_outer_fields),
        cmocka_unit_test(test_report_without_an_id_or_with_an_error_is_refused),
        cmocka_unit_test(test_balance_reads_thousandths),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
