#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "purpose.h"

static void assert_text(const struct purpose *purpose, enum purpose_text which,
                        const char *wanted)
{
    const char *text;
    size_t size = purpose_text(purpose, which, &text);

    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(text, wanted, size);
}

static void test_purpose_pack_gives_every_text_back(void **state)
{
    const char *texts[] = {"modash", "report", "select",  "12345",
                           "ada",    "",       "/Select", "talent-7"};
    struct purpose purpose;
    struct error err;

    (void)state;
    assert_int_equal(purpose_pack(&purpose, 2, 0, texts, &err), ST_OK);
    assert_int_equal(purpose_platform(&purpose), 2);
    for (unsigned i = 0; i < PURPOSE_TEXT_COUNT; i++)
        assert_text(&purpose, (enum purpose_text)i, texts[i]);
}

static void test_purpose_pack_longest_texts_fit(void **state)
{
    char creator[129] = "";
    const char *texts[] = {"", "", "", creator, "", "", "", ""};
    struct purpose purpose;
    struct error err;

    (void)state;
    memset(creator, 'x', 128);
    assert_int_equal(purpose_pack(&purpose, 0, 0, texts, &err), ST_OK);
    assert_text(&purpose, PURPOSE_creator, creator);
}

static void test_purpose_pack_bad_text_names_its_field(void **state)
{
    char longer[130];
    const char *texts[] = {"modash", "", "", "\xff", "", "", "", ""};
    struct purpose purpose = {.size = 0};
    struct error err;

    (void)state;
    assert_int_equal(purpose_pack(&purpose, 0, 0, texts, &err), ST_INVALID);
    assert_string_equal(err.field, "purpose.creator");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    texts[3] = "";
    texts[6] = longer;
    assert_int_equal(purpose_pack(&purpose, 0, 0, texts, &err), ST_INVALID);
    assert_string_equal(err.field, "endpoint");
    texts[6] = "";
    texts[7] = longer;
    assert_int_equal(purpose_pack(&purpose, 0, 0, texts, &err), ST_INVALID);
    assert_string_equal(err.field, "cooldown_key");
    assert_int_equal(purpose_pack(&purpose, 4, 0, texts, &err), ST_INVALID);
    assert_string_equal(err.field, "purpose.platform");
    assert_int_equal(purpose.size, 0); /* untouched */
}

static void test_purpose_flags_stand_beside_the_platform(void **state)
{
    const char *texts[] = {"", "", "", "", "", "", "", ""};
    struct purpose purpose;
    struct error err;

    (void)state;
    assert_int_equal(purpose_pack(&purpose, 3, PURPOSE_SCHEDULED, texts, &err), ST_OK);
    assert_int_equal(purpose_platform(&purpose), 3);
    assert_true(purpose_has(&purpose, PURPOSE_SCHEDULED));
    assert_false(purpose_has(&purpose, PURPOSE_SHEDDABLE));
    assert_int_equal(purpose_pack(&purpose, 3, PURPOSE_SHEDDABLE, texts, &err), ST_OK);
    assert_false(purpose_has(&purpose, PURPOSE_SCHEDULED));
    assert_true(purpose_has(&purpose, PURPOSE_SHEDDABLE));
}

static void test_purpose_text_of_an_empty_purpose_is_empty(void **state)
{
    const struct purpose nothing = {.size = 0};

    (void)state;
    assert_text(&nothing, PURPOSE_endpoint, "");
    assert_int_equal(purpose_platform(&nothing), 0);
    assert_false(purpose_has(&nothing, PURPOSE_SCHEDULED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_purpose_pack_gives_every_text_back),
        cmocka_unit_test(test_purpose_pack_longest_texts_fit),
        cmocka_unit_test(test_purpose_pack_bad_text_names_its_field),
        cmocka_unit_test(test_purpose_flags_stand_beside_the_platform),
        cmocka_unit_test(test_purpose_text_of_an_empty_purpose_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
