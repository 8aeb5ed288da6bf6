#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "client/message_json.h"
#include "core/parse.h"
#include "metercache/v1/cache.pb-c.h"
#include "metercache/v1/creators.pb-c.h"
#include "metercache/v1/quota.pb-c.h"

#define SEARCH  (&metercache__v1__search_request__descriptor)
#define RESERVE (&metercache__v1__reserve_request__descriptor)

struct fixture {
    struct arena arena;
    struct buf text;
    struct error err;
};

static int setup(void **state)
{
    static struct fixture fixture;

    arena_init(&fixture.arena, 1 << 20);
    buf_init(&fixture.text, 1 << 20);
    fixture.err = ERROR_NONE;
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_done(&f->arena);
    buf_done(&f->text);
    return 0;
}

static void *parse(struct fixture *f, const ProtobufCMessageDescriptor *type,
                   const char *text)
{
    ProtobufCMessage *message = NULL;
    enum status st =
        message_json_parse(&message, type, text, strlen(text), &f->arena, &f->err);

    if (st != ST_OK) {
        fail_msg("%s: %s", status_name(st), f->err.message);
    }
    return message;
}

static void refuse(struct fixture *f, const ProtobufCMessageDescriptor *type,
                   const char *text, const char *field)
{
    ProtobufCMessage *message = NULL;

    assert_int_equal(
        message_json_parse(&message, type, text, strlen(text), &f->arena, &f->err),
        ST_INVALID);
    assert_null(message);
    assert_string_equal(f->err.field, field);
}

static const char *print(struct fixture *f, const void *message)
{
    buf_clear(&f->text);
    message_json_print(&f->text, message, 0);
    return buf_text(&f->text);
}

static void test_parse_original_and_camel_names_give_the_same(void **state)
{
    struct fixture *f = *state;
    Metercache__V1__SearchRequest *one = parse(
        f, SEARCH,
        "{\"platform\":\"PLATFORM_TIKTOK\",\"filters_json\":\"{}\",\"page\":{\"page_size\":5}}");
    Metercache__V1__SearchRequest *two = parse(
        f, SEARCH,
        "{\"platform\":\"TikTok\",\"filtersJson\":\"{}\",\"page\":{\"pageSize\":\"5\"}}");

    assert_int_equal(one->platform, METERCACHE__V1__PLATFORM__PLATFORM_TIKTOK);
    assert_int_equal(two->platform, METERCACHE__V1__PLATFORM__PLATFORM_TIKTOK);
    assert_string_equal(one->filters_json, two->filters_json);
    assert_int_equal(one->page->page_size, 5);
    assert_int_equal(two->page->page_size, 5);
    assert_string_equal(one->sort_json, ""); /* left out: the default */
}

static void test_parse_empty_text_is_an_empty_message(void **state)
{
    struct fixture *f = *state;
    Metercache__V1__SearchRequest *empty = parse(f, SEARCH, "");

    assert_int_equal(empty->count, 0);
    assert_null(empty->page);
}

static void test_parse_integers_at_their_bounds_fit(void **state)
{
    struct fixture *f = *state;
    Metercache__V1__ReserveRequest *reserve = parse(
        f, RESERVE,
        "{\"amount_milli\":\"-9223372036854775808\",\"hold_ms\":\"18446744073709551615\"}");

    assert_true(reserve->amount_milli == INT64_MIN);
    assert_true(reserve->hold_ms == UINT64_MAX);
    reserve = parse(f, RESERVE, "{\"amount_milli\":9223372036854775807,\"hold_ms\":1.5e3}");
    assert_true(reserve->amount_milli == INT64_MAX);
    assert_int_equal(reserve->hold_ms, 1500);
}

static void test_parse_integers_out_of_range_name_the_field(void **state)
{
    struct fixture *f = *state;

    refuse(f, SEARCH, "{\"count\":-1}", "count");
    refuse(f, SEARCH, "{\"count\":4294967296}", "count");
    refuse(f, SEARCH, "{\"count\":1.5}", "count");
    refuse(f, SEARCH, "{\"count\":\"12x\"}", "count");
    refuse(f, SEARCH, "{\"count\":true}", "count");
    refuse(f, RESERVE, "{\"amount_milli\":1e19}", "amount_milli");
    refuse(f, RESERVE, "{\"hold_ms\":-1}", "hold_ms");
}

static void test_parse_unknown_fields_name_their_path(void **state)
{
    struct fixture *f = *state;

    refuse(f, SEARCH, "{\"page\":{\"size\":5}}", "page.size");
    refuse(f, &metercache__v1__select_creators_request__descriptor,
           "{\"creators\":[{},{},{\"platfrom\":1}]}", "creators[2].platfrom");
    assert_non_null(strstr(f->err.message, "CreatorRef"));
}

static void test_parse_wrong_kinds_are_refused(void **state)
{
    struct fixture *f = *state;

    refuse(f, SEARCH, "{\"platform\":\"myspace\"}", "platform");
    refuse(f, SEARCH, "{\"platform\":[]}", "platform");
    refuse(f, SEARCH, "{\"page\":[]}", "page");
    refuse(f, SEARCH, "{\"filters_json\":{}}", "filters_json");
    refuse(f, &metercache__v1__select_creators_request__descriptor, "{\"creators\":{}}",
           "creators");
    refuse(f, &metercache__v1__select_creator_request__descriptor, "{\"omit_report\":1}",
           "omit_report");
    refuse(f, SEARCH, "[]", "");
    refuse(f, SEARCH, "{\"count\":1", "");
    refuse(f, SEARCH, "{\"filters_json\":\"a\\u0000b\"}", "");
}

static void test_parse_a_field_given_twice_is_refused(void **state)
{
    struct fixture *f = *state;

    refuse(f, SEARCH, "{\"filters_json\":\"\",\"filtersJson\":\"\"}", "filtersJson");
    refuse(f, SEARCH, "{\"count\":1,\"count\":2}", "");
}

static void test_parse_oneof_takes_one_member(void **state)
{
    struct fixture *f = *state;
    Metercache__V1__CreatorRef *ref =
        parse(f, &metercache__v1__creator_ref__descriptor, "{\"handle\":\"ada\"}");

    assert_int_equal(ref->by_case, METERCACHE__V1__CREATOR_REF__BY_HANDLE);
    assert_string_equal(ref->handle, "ada");
    refuse(f, &metercache__v1__creator_ref__descriptor,
           "{\"handle\":\"ada\",\"providerUserId\":\"1\"}", "providerUserId");
    ref = parse(f, &metercache__v1__creator_ref__descriptor,
                "{\"handle\":\"ada\",\"providerUserId\":null}");
    assert_string_equal(ref->handle, "ada");
}

static void test_parse_ids_and_hashes_in_all_their_forms(void **state)
{
    struct fixture *f = *state;
    const char *uuid = "{\"op_id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}";
    Metercache__V1__ReserveRequest *reserve = parse(f, RESERVE, uuid);
    char hex[33];

    assert_int_equal(reserve->op_id.len, 16);
    parse_format_hex(hex, reserve->op_id.data, 16);
    assert_string_equal(hex, "01890a5dac96774bbcceb302099a8057");
    assert_non_null(strstr(print(f, reserve), "\"01890a5d-ac96-774b-bcce-b302099a8057\""));

    reserve = parse(f, RESERVE, "{\"op_id\":\"AYkKXayWd0u8zrMCCZqAVw==\"}");
    parse_format_hex(hex, reserve->op_id.data, 16);
    assert_string_equal(hex, "01890a5dac96774bbcceb302099a8057");

    reserve = parse(f, RESERVE, "{\"op_id\":\"_-8\"}"); /* URL alphabet, no padding */
    assert_int_equal(reserve->op_id.len, 2);
    assert_int_equal(reserve->op_id.data[0], 0xff);
    assert_int_equal(reserve->op_id.data[1], 0xef);
    refuse(f, RESERVE, "{\"op_id\":\"x\"}", "op_id");
    refuse(f, RESERVE, "{\"op_id\":\"a=b=\"}", "op_id");
    refuse(f, RESERVE, "{\"op_id\":\"/+9=\"}", "op_id"); /* bits beyond the last byte */
}

static void test_parse_hash_is_hex(void **state)
{
    struct fixture *f = *state;
    Metercache__V1__SearchRecord *record =
        parse(f, &metercache__v1__search_record__descriptor,
              "{\"filter_hash\":"
              "\"00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff\"}");

    assert_int_equal(record->filter_hash.len, 32);
    assert_int_equal(record->filter_hash.data[1], 0x11);
    assert_non_null(
        strstr(print(f, record),
               "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""));
}

static void test_parse_more_than_the_arena_is_exhausted(void **state)
{
    struct fixture *f = *state;
    struct arena small;
    ProtobufCMessage *message = NULL;
    char text[600];

    snprintf(text, sizeof(text), "{\"sort_json\":\"%0500d\"}", 0);
    arena_init(&small, 256);
    assert_int_equal(
        message_json_parse(&message, SEARCH, text, strlen(text), &small, &f->err),
        ST_EXHAUSTED);
    arena_done(&small);
}

static void test_print_integers_beyond_2_to_53_are_strings(void **state)
{
    struct fixture *f = *state;
    Metercache__V1__ReserveRequest reserve = METERCACHE__V1__RESERVE_REQUEST__INIT;

    reserve.amount_milli = -(INT64_C(1) << 53);
    reserve.hold_ms = (UINT64_C(1) << 53) - 1;
    print(f, &reserve);
    assert_non_null(strstr(buf_text(&f->text), "\"amount_milli\": \"-9007199254740992\""));
    assert_non_null(strstr(buf_text(&f->text), "\"hold_ms\": 9007199254740991,"));
}

static void test_print_leaves_unset_messages_and_oneofs_out(void **state)
{
    struct fixture *f = *state;
    Metercache__V1__CreatorRef ref = METERCACHE__V1__CREATOR_REF__INIT;

    ref.platform = METERCACHE__V1__PLATFORM__PLATFORM_YOUTUBE;
    assert_string_equal(print(f, &ref), "{\n  \"platform\": \"PLATFORM_YOUTUBE\"\n}");
    ref.platform = 99;
    ref.by_case = METERCACHE__V1__CREATOR_REF__BY_HANDLE;
    ref.handle = "a\"\n\xff";
    assert_string_equal(print(f, &ref),
                        "{\n  \"platform\": 99,\n  \"handle\": \"a\\\"\\n\\ufffd\"\n}");
}

static void test_print_what_was_parsed_gives_the_same_again(void **state)
{
    struct fixture *f = *state;
    const char *text = "{\n"
                       "  \"entry\": {\n"
                       "    \"kind\": \"creator.report\",\n"
                       "    \"key\": \"instagram/1\"\n"
                       "  },\n"
                       "  \"state\": \"ENTRY_STATE_FRESH\",\n"
                       "  \"document_json\": \"{}\",\n"
                       "  \"hints\": {\n"
                       "    \"max_age_ms\": 300000,\n"
                       "    \"stale_while_revalidate_ms\": 600000,\n"
                       "    \"tags\": [\n"
                       "      \"campaigns-1\",\n"
                       "      \"\\u0007\"\n"
                       "    ],\n"
                       "    \"cursor\": \"\"\n"
                       "  },\n"
                       "  \"layer\": \"CACHE_LAYER_MEMORY\",\n"
                       "  \"version\": 7,\n"
                       "  \"expires_at_us\": -1,\n"
                       "  \"schema_version\": 0,\n"
                       "  \"hits\": 0,\n"
                       "  \"last_hit_at_us\": 0,\n"
                       "  \"last_failure_at_us\": 0,\n"
                       "  \"last_failure\": \"\",\n"
                       "  \"is_refresh_queued\": true\n"
                       "}";

    assert_string_equal(
        print(f, parse(f, &metercache__v1__get_entry_response__descriptor, text)), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parse_original_and_camel_names_give_the_same,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_parse_empty_text_is_an_empty_message, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_parse_integers_at_their_bounds_fit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_parse_integers_out_of_range_name_the_field,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_parse_unknown_fields_name_their_path, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_parse_wrong_kinds_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_parse_a_field_given_twice_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_parse_oneof_takes_one_member, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parse_ids_and_hashes_in_all_their_forms, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_parse_hash_is_hex, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parse_more_than_the_arena_is_exhausted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_print_integers_beyond_2_to_53_are_strings,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_print_leaves_unset_messages_and_oneofs_out,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_print_what_was_parsed_gives_the_same_again,
                                        setup, teardown),
    };

    return cmocka_run_group_tests_name("message_json", tests, NULL, NULL);
}
