#include "daemon/settings.h"

#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "scratch_file.h"
#include "support/expect.h"

struct config {
    const char *name;
    const char *key;
    uint64_t count;
    uint64_t wait_ms;
    uint64_t size_bytes;
    uint64_t price_milli;
    bool is_on;
};

// clang-format off
static const struct setting ROWS[] = {
    SETTING_ROW(struct config, "T_NAME",  SETTING_TEXT,   name,        "anna",  1, 8,     "a name"),
    SETTING_ROW(struct config, "T_KEY",   SETTING_SECRET, key,         "",      4, 70000, "a key"),
    SETTING_ROW(struct config, "T_COUNT", SETTING_COUNT,  count,       "3",     1, 64,    "a count"),
    SETTING_ROW(struct config, "T_WAIT",  SETTING_MILLIS, wait_ms,     "1500",  0, 86400000, "a wait"),
    SETTING_ROW(struct config, "T_SIZE",  SETTING_BYTES,  size_bytes,  "64KiB", 1, 1 << 20, "a size"),
    SETTING_ROW(struct config, "T_PRICE", SETTING_MILLI,  price_milli, "0.25",  1, 5000,  "a price"),
    SETTING_ROW(struct config, "T_ON",    SETTING_BOOL,   is_on,       "yes",   0, 0,     "a switch"),
};
static const struct setting REQUIRED[] = {
    SETTING_ROW(struct config, "T_NAME",  SETTING_TEXT,   name,        NULL,    1, 8,     "a name"),
};
// clang-format on

static const char *const PREFIXES[] = {"T_", "FOREIGN_", NULL};

static enum status load(struct config *config, char *const *environment, struct error *err)
{
    return settings_load(ROWS, COUNT_OF(ROWS), config, environment, PREFIXES, err);
}

static void release(struct config *config)
{
    settings_release(ROWS, COUNT_OF(ROWS), config);
}

static const struct setting *row_of(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        if (strcmp(ROWS[i].env, name) == 0)
            return &ROWS[i];
    }
    fail_msg("no row %s", name);
    return NULL;
}

static void test_load_with_nothing_set_takes_the_fallbacks(void **state)
{
    (void)state;
    char *environment[] = {"HOME=/home/anna", "TZ=UTC", NULL};
    struct config config;
    struct error err;

    assert_ok(load(&config, environment, &err), &err);
    assert_string_equal(config.name, "anna");
    assert_string_equal(config.key, ""); /* a fallback may be shorter than the bounds */
    assert_int_equal(config.count, 3);
    assert_int_equal(config.wait_ms, 1500);
    assert_int_equal(config.size_bytes, 65536);
    assert_int_equal(config.price_milli, 250);
    assert_true(config.is_on);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_true(settings_is_default(&ROWS[i], &config));
    release(&config);
    assert_null(config.name);
}

static void test_load_takes_what_is_set(void **state)
{
    (void)state;
    char *environment[] = {
        "T_NAME=bob",    "T_KEY=sesame", "T_COUNT=64",   "T_WAIT=2h", "T_SIZE=1MiB",
        "T_PRICE=0.005", "T_ON=off",     "T_NAME=later", "NOISE",     NULL};
    struct config config;
    struct error err;

    assert_ok(load(&config, environment, &err), &err);
    assert_string_equal(config.name, "bob"); /* as getenv: the first one */
    assert_string_equal(config.key, "sesame");
    assert_int_equal(config.count, 64);
    assert_int_equal(config.wait_ms, 7200000);
    assert_int_equal(config.size_bytes, 1 << 20);
    assert_int_equal(config.price_milli, 5);
    assert_false(config.is_on);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_false(settings_is_default(&ROWS[i], &config));
    release(&config);
}

static void test_load_of_a_wrong_value_names_variable_and_bounds(void **state)
{
    (void)state;
    static const struct {
        char *setting;
        const char *said[3];
    } rows[] = {
        {"T_COUNT=0", {"T_COUNT", "'0'", "from 1 to 64"}},
        {"T_COUNT=65", {"T_COUNT", "'65'", "whole number"}},
        {"T_COUNT=3x", {"T_COUNT", "'3x'", "whole number"}},
        {"T_COUNT=", {"T_COUNT", "''", "whole number"}},
        {"T_WAIT=soon", {"T_WAIT", "'soon'", "from 0ms to 1d"}},
        {"T_WAIT=2d", {"T_WAIT", "'2d'", "from 0ms to 1d"}},
        {"T_SIZE=2MiB", {"T_SIZE", "'2MiB'", "from 1 to 1MiB"}},
        {"T_PRICE=-1", {"T_PRICE", "'-1'", "from 0.001 to 5"}},
        {"T_PRICE=5.001", {"T_PRICE", "'5.001'", "decimal"}},
        {"T_ON=perhaps", {"T_ON", "'perhaps'", "yes or no"}},
        {"T_NAME=", {"T_NAME", "''", "1 to 8 bytes"}},
        {"T_NAME=barnabas1", {"T_NAME", "'barnabas1'", "1 to 8 bytes"}},
        {"T_NAME=a\nb", {"T_NAME", "control", "1 to 8 bytes"}},
        {"T_NAME=\xff", {"T_NAME", "UTF-8", "1 to 8 bytes"}},
        {"T_KEY=abc", {"T_KEY", "4 to 70000 bytes", "expected"}},
        {"T_COUNTS=3", {"T_COUNTS", "no setting", "T_COUNT"}},
        {"T_SIZ=3", {"T_SIZ", "no setting", "T_SIZE"}},
        {"T_NAME_FILE=/dev/null", {"T_NAME_FILE", "no setting", "T_NAME"}},
        {"FOREIGN_KEY=3", {"FOREIGN_KEY", "no setting", "T_KEY"}},
        {"T_KEY_FILE=/nowhere/key", {"T_KEY_FILE", "'/nowhere/key'", "No such file"}},
        {"T_KEY_FILE=", {"T_KEY_FILE", "cannot open", "''"}},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *environment[] = {rows[i].setting, NULL};
        struct config config = {.count = 4711};
        struct error err;

        print_message("row %zu: %s\n", i, rows[i].setting);
        assert_status(load(&config, environment, &err), &err, ST_INVALID);
        print_message("%s\n", err.message);
        for (size_t j = 0; j < COUNT_OF(rows[i].said); j++)
            assert_non_null(strstr(err.message, rows[i].said[j]));
        assert_int_equal(config.count, 4711); /* untouched */
        assert_null(config.name);
    }
}

static void test_load_without_a_required_setting_names_it(void **state)
{
    (void)state;
    char *environment[] = {NULL};
    struct config config;
    struct error err;

    assert_status(settings_load(REQUIRED, 1, &config, environment, PREFIXES, &err), &err,
                  ST_INVALID);
    assert_non_null(strstr(err.message, "T_NAME is not set: a name"));
}

static void test_load_of_a_secret_reads_its_file(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        const char *key;
    } rows[] = {
        {"sesame\n", "sesame"},     {"sesame\r\n", "sesame"},       {"sesame", "sesame"},
        {"sesame\n\n", "sesame\n"}, {"two\nlines\n", "two\nlines"},
    };
    char path[SCRATCH_PATH_SIZE];
    char setting[SCRATCH_PATH_SIZE + 16];
    char *environment[] = {setting, NULL};

    scratch_path(path, "key");
    snprintf(setting, sizeof setting, "T_KEY_FILE=%s", path);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config config;
        struct error err;

        scratch_write_text(path, rows[i].content);
        assert_ok(load(&config, environment, &err), &err);
        assert_string_equal(config.key, rows[i].key);
        release(&config);
    }
    unlink(path);
}

static void test_load_of_a_bad_secret_file_is_refused(void **state)
{
    (void)state;
    static char big[65537];
    const struct {
        const char *content;
        size_t size;
        const char *said;
    } rows[] = {
        {"abc\n", 4, "4 to 70000 bytes"},
        {"ses\0ame", 7, "NUL"},
        {"ses\xff", 4, "UTF-8"},
        {big, sizeof big, "longer than 65536 bytes"},
    };
    char path[SCRATCH_PATH_SIZE];
    char setting[SCRATCH_PATH_SIZE + 16];
    char *environment[] = {setting, NULL};

    memset(big, 'x', sizeof big);
    scratch_path(path, "key");
    snprintf(setting, sizeof setting, "T_KEY_FILE=%s", path);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config config;
        struct error err;

        scratch_write(path, rows[i].content, rows[i].size);
        assert_status(load(&config, environment, &err), &err, ST_INVALID);
        print_message("%s\n", err.message);
        assert_non_null(strstr(err.message, "T_KEY_FILE"));
        assert_non_null(strstr(err.message, rows[i].said));
        assert_null(strstr(err.message, "ses"));
    }
    unlink(path);
}

static void test_load_takes_a_secret_file_of_64_kib(void **state)
{
    (void)state;
    static char big[65536];
    char path[SCRATCH_PATH_SIZE];
    char setting[SCRATCH_PATH_SIZE + 16];
    char *environment[] = {setting, NULL};
    struct config config;
    struct error err;

    memset(big, 'x', sizeof big);
    scratch_write(scratch_path(path, "key"), big, sizeof big);
    snprintf(setting, sizeof setting, "T_KEY_FILE=%s", path);
    assert_ok(load(&config, environment, &err), &err);
    assert_int_equal(strlen(config.key), sizeof big);
    release(&config);
    unlink(path);
}

static void test_load_of_a_secret_given_twice_is_refused(void **state)
{
    (void)state;
    char *environment[] = {"T_KEY=sesame", "T_KEY_FILE=/dev/null", NULL};
    struct config config;
    struct error err;

    assert_status(load(&config, environment, &err), &err, ST_INVALID);
    assert_string_equal(err.message, "T_KEY and T_KEY_FILE are both set");
}

static void test_a_wrong_secret_is_never_repeated(void **state)
{
    (void)state;
    char *environment[] = {"T_KEY=\xfehunter2", NULL};
    struct config config;
    struct error err;

    assert_status(load(&config, environment, &err), &err, ST_INVALID);
    assert_null(strstr(err.message, "hunter2"));
}

static void test_format_gives_text_that_loads_to_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        char *setting;
        const char *text;
    } rows[] = {
        {"T_NAME", "T_NAME=bob", "bob"},       {"T_KEY", "T_KEY=sesame", "(secret)"},
        {"T_KEY", "T_KEY_FILE=/dev/null", ""}, {"T_COUNT", "T_COUNT=7", "7"},
        {"T_WAIT", "T_WAIT=0", "0ms"},         {"T_WAIT", "T_WAIT=999", "999ms"},
        {"T_WAIT", "T_WAIT=60000", "1m"},      {"T_WAIT", "T_WAIT=90s", "90s"},
        {"T_WAIT", "T_WAIT=24h", "1d"},        {"T_SIZE", "T_SIZE=1", "1"},
        {"T_SIZE", "T_SIZE=2048", "2KiB"},     {"T_SIZE", "T_SIZE=1048576", "1MiB"},
        {"T_PRICE", "T_PRICE=5", "5"},         {"T_PRICE", "T_PRICE=0.050", "0.05"},
        {"T_PRICE", "T_PRICE=4.125", "4.125"}, {"T_ON", "T_ON=0", "no"},
        {"T_ON", "T_ON=TRUE", "yes"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *environment[] = {rows[i].setting, NULL};
        struct setting loose[COUNT_OF(ROWS)];
        struct config config;
        struct error err;
        char text[64];

        memcpy(loose, ROWS, sizeof loose);
        loose[1].max = 0; /* an empty key, too */
        assert_ok(
            settings_load(loose, COUNT_OF(loose), &config, environment, PREFIXES, &err),
            &err);
        settings_format(text, sizeof text, row_of(rows[i].name), &config);
        assert_string_equal(text, rows[i].text);
        release(&config);
    }
}

static void test_format_cuts_at_the_size_given(void **state)
{
    (void)state;
    char *environment[] = {"T_NAME=barnabas", NULL};
    struct config config;
    struct error err;
    char text[4];

    assert_ok(load(&config, environment, &err), &err);
    settings_format(text, sizeof text, row_of("T_NAME"), &config);
    assert_string_equal(text, "bar");
    release(&config);
}

static char *printed(void (*print)(FILE *out, const struct config *config),
                     const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    print(out, config);
    fclose(out);
    return text;
}

static void print_values(FILE *out, const struct config *config)
{
    settings_print(out, ROWS, COUNT_OF(ROWS), config);
}

static void print_names(FILE *out, const struct config *config)
{
    (void)config;
    settings_print_names(out, ROWS, COUNT_OF(ROWS));
}

static void print_help(FILE *out, const struct config *config)
{
    (void)config;
    settings_print_help(out, ROWS, COUNT_OF(ROWS));
    settings_print_help(out, REQUIRED, COUNT_OF(REQUIRED));
}

static void test_print_hides_secrets(void **state)
{
    (void)state;
    char *environment[] = {"T_KEY=hunter2", NULL};
    struct config config;
    struct error err;

    assert_ok(load(&config, environment, &err), &err);

    char *text = printed(print_values, &config);

    assert_string_equal(text, "T_NAME=anna\nT_KEY=(secret)\nT_COUNT=3\nT_WAIT=1500ms\n"
                              "T_SIZE=64KiB\nT_PRICE=0.25\nT_ON=yes\n");
    free(text);
    release(&config);
}

static void test_print_names_and_help_list_every_row(void **state)
{
    (void)state;
    char *names = printed(print_names, NULL);
    char *help = printed(print_help, NULL);

    assert_string_equal(names, "T_NAME\nT_KEY\nT_COUNT\nT_WAIT\nT_SIZE\nT_PRICE\nT_ON\n");
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        assert_non_null(strstr(help, ROWS[i].env));
        assert_non_null(strstr(help, ROWS[i].help));
    }
    assert_non_null(strstr(help, "T_KEY_FILE"));
    assert_non_null(strstr(help, "required"));
    assert_non_null(strstr(help, "default 64KiB"));
    free(names);
    free(help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_with_nothing_set_takes_the_fallbacks),
        cmocka_unit_test(test_load_takes_what_is_set),
        cmocka_unit_test(test_load_of_a_wrong_value_names_variable_and_bounds),
        cmocka_unit_test(test_load_without_a_required_setting_names_it),
        cmocka_unit_test(test_load_of_a_secret_reads_its_file),
        cmocka_unit_test(test_load_of_a_bad_secret_file_is_refused),
        cmocka_unit_test(test_load_takes_a_secret_file_of_64_kib),
        cmocka_unit_test(test_load_of_a_secret_given_twice_is_refused),
        cmocka_unit_test(test_a_wrong_secret_is_never_repeated),
        cmocka_unit_test(test_format_gives_text_that_loads_to_the_same),
        cmocka_unit_test(test_format_cuts_at_the_size_given),
        cmocka_unit_test(test_print_hides_secrets),
        cmocka_unit_test(test_print_names_and_help_list_every_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
