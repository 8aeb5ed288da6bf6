#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "grammar.h"

#define ARGS(...)                                        \
    COUNT_OF(((char *const[]){"program", __VA_ARGS__})), \
        ((char *const[]){"program", __VA_ARGS__, NULL})

static enum status nothing(struct cli *cli, struct error *err)
{
    (void)cli;
    (void)err;
    return ST_OK;
}

static const struct grammar_option GLOBALS[] = {
    {"--json", "-j", NULL, NULL, NULL, "as JSON", false},
    {"--where", NULL, "URL", "TEST_WHERE", "here", "where", false},
    {.name = NULL},
};

static const struct grammar_option GET_OPTIONS[] = {
    {"--count", NULL, "N", NULL, "20", "how many", false},
    {"--all", NULL, NULL, NULL, NULL, "all of them", false},
    {"--kind", NULL, "NAME", NULL, NULL, "which", true},
    {.name = NULL},
};

static const struct grammar_command ROWS[] = {
    {"thing get", "PLACE [NAME]", "get a thing", NULL, GET_OPTIONS, nothing},
    {"thing list", "", "list things", "In any order.", NULL, nothing},
    {"use", "[METER]", "show use", NULL, NULL, nothing},
    {"use past", "METER", "show past use", NULL, NULL, nothing},
    {"say", "WORD...", "say words", NULL, NULL, nothing},
};

static const struct grammar GRAMMAR = {.program = "program",
                                       .about = "a test",
                                       .notes = "The end.",
                                       .commands = ROWS,
                                       .command_count = COUNT_OF(ROWS),
                                       .globals = GLOBALS};

static struct grammar_input parse(int argc, char *const *argv)
{
    struct grammar_input input;
    struct error err;

    if (grammar_parse(&input, &GRAMMAR, argc, argv, &err) != ST_OK) {
        fail_msg("%s", err.message);
    }
    return input;
}

static void refuse(int argc, char *const *argv, const char *message)
{
    struct grammar_input input;
    struct error err;

    if (grammar_parse(&input, &GRAMMAR, argc, argv, &err) == ST_OK) {
        assert_int_equal(grammar_check(&input, &err), ST_INVALID);
    }
    if (strstr(err.message, message) == NULL) {
        fail_msg("'%s' does not say '%s'", err.message, message);
    }
}

static void test_grammar_parse_words_args_and_options(void **state)
{
    (void)state;
    struct grammar_input input =
        parse(ARGS("thing", "get", "here", "--kind", "x", "--count=5", "ada", "--all"));
    struct error err;

    assert_string_equal(input.command->words, "thing get");
    assert_int_equal(input.arg_count, 2);
    assert_string_equal(input.args[0], "here");
    assert_string_equal(input.args[1], "ada");
    assert_string_equal(grammar_option(&input, "--count"), "5");
    assert_string_equal(grammar_option(&input, "--kind"), "x");
    assert_string_equal(grammar_option(&input, "--all"), "");
    assert_int_equal(grammar_check(&input, &err), ST_OK);
}

static void test_grammar_parse_globals_stand_anywhere(void **state)
{
    (void)state;
    char *environment[] = {"TEST_WHERE=there", NULL}, *nothing_set[] = {NULL};
    struct grammar_input input = parse(ARGS("-j", "thing", "--where", "far", "list"));

    assert_string_equal(input.command->words, "thing list");
    assert_string_equal(grammar_global(&GRAMMAR, &input, "--json", environment), "");
    assert_string_equal(grammar_global(&GRAMMAR, &input, "--where", environment), "far");
    input = parse(ARGS("thing", "list"));
    assert_null(grammar_global(&GRAMMAR, &input, "--json", environment));
    assert_string_equal(grammar_global(&GRAMMAR, &input, "--where", environment), "there");
    assert_string_equal(grammar_global(&GRAMMAR, &input, "--where", nothing_set), "here");
}

static void test_grammar_parse_longest_command_wins(void **state)
{
    (void)state;
    struct grammar_input input = parse(ARGS("use"));

    assert_string_equal(input.command->words, "use");
    input = parse(ARGS("use", "past", "m"));
    assert_string_equal(input.command->words, "use past");
    input = parse(ARGS("use", "m", "past"));
    assert_string_equal(input.command->words, "use");
    assert_int_equal(input.arg_count, 2);
    input = parse(ARGS("use", "--", "past"));
    assert_string_equal(input.command->words, "use");
    assert_string_equal(input.args[0], "past");
}

static void test_grammar_parse_double_dash_ends_options(void **state)
{
    (void)state;
    struct grammar_input input = parse(ARGS("say", "--", "--json", "-"));

    assert_int_equal(input.arg_count, 2);
    assert_string_equal(input.args[0], "--json");
    assert_string_equal(input.args[1], "-");
}

static void test_grammar_parse_a_negative_number_is_an_argument(void **state)
{
    (void)state;
    struct grammar_input input = parse(ARGS("thing", "get", "-5.25", "--count", "-1"));

    assert_int_equal(input.arg_count, 1);
    assert_string_equal(input.args[0], "-5.25");
    assert_string_equal(grammar_option(&input, "--count"), "-1");
}

static void test_grammar_parse_mistakes_say_what_is_wrong(void **state)
{
    (void)state;
    refuse(ARGS("thing"), "a further word");
    refuse(ARGS("thing", "put"), "no command 'thing put'");
    refuse(ARGS("nothing"), "no command 'nothing'");
    refuse(ARGS("--count", "thing"), "'--count' is none of the program's");
    refuse(ARGS("thing", "list", "--count", "1"), "'thing list' has no option '--count'");
    refuse(ARGS("thing", "get", "--coun", "1"), "no option '--coun'");
    refuse(ARGS("thing", "get", "x", "--kind"), "wants a value: NAME");
    refuse(ARGS("thing", "get", "--all=1"), "takes no value");
    refuse(ARGS("thing", "get", "--kind=a", "--kind=b"), "given twice");
    refuse(ARGS("thing", "get", "--kind=a"), "wants the argument PLACE");
    refuse(ARGS("thing", "get", "x"), "wants the option --kind NAME");
    refuse(ARGS("thing", "get", "x", "y", "z", "--kind=a"), "not take the argument 'z'");
    refuse(ARGS("say"), "wants the argument WORD...");
}

static void test_grammar_parse_bounds_the_arguments(void **state)
{
    (void)state;
    char *argv[GRAMMAR_ARGUMENTS_MAX + 4] = {"program", "say"};

    for (size_t i = 2; i < COUNT_OF(argv) - 1; i++) {
        argv[i] = "x";
    }
    refuse(COUNT_OF(argv) - 1, argv, "more than 32 arguments");
}

static char *complete(const char *const *words, size_t count)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    grammar_complete(out, &GRAMMAR, words, count);
    fclose(out);
    return text;
}

static void test_grammar_complete_words_and_options(void **state)
{
    (void)state;
    char *text = complete((const char *const[]){"th"}, 1);

    assert_string_equal(text, "thing\n");
    free(text);
    text = complete((const char *const[]){""}, 1);
    assert_string_equal(text, "thing\nuse\nsay\n");
    free(text);
    text = complete((const char *const[]){"--json", "thing", ""}, 3);
    assert_string_equal(text, "get\nlist\n");
    free(text);
    text = complete((const char *const[]){"thing", "get", "--"}, 3);
    assert_string_equal(text, "--count\n--all\n--kind\n--json\n--where\n");
    free(text);
    text = complete((const char *const[]){"what"}, 1);
    assert_string_equal(text, "");
    free(text);
}

/* Of the program itself: a group within a group, beside a command that begins the same. */
static void test_commands_complete_quota(void **state)
{
    (void)state;
    const char *const words[] = {"quota", "limit", ""};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    grammar_complete(out, &COMMANDS, words, 3);
    grammar_complete(out, &COMMANDS, (const char *const[]){"quota", "limi"}, 2);
    grammar_complete(out, &COMMANDS,
                     (const char *const[]){"quota", "limit", "set", "--thr"}, 4);
    fclose(out);
    assert_string_equal(text, "set\nremove\nlimits\nlimit\n--thresholds\n");
    free(text);
}

static void test_grammar_help_names_args_options_defaults(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_true(grammar_print_help(out, &GRAMMAR, "thing get"));
    fflush(out);
    assert_non_null(strstr(text, "usage: program thing get PLACE [NAME] [OPTIONS]"));
    assert_non_null(strstr(text, "--count N                  how many [20]"));
    assert_non_null(strstr(text, "which (required)"));
    assert_true(grammar_print_help(out, &GRAMMAR, "thing"));
    assert_true(grammar_print_help(out, &GRAMMAR, NULL));
    fflush(out);
    assert_non_null(strstr(text, "-j, --json"));
    assert_non_null(strstr(text, "where [here] (TEST_WHERE)"));
    assert_non_null(strstr(text, "The end."));
    assert_false(grammar_print_help(out, &GRAMMAR, "thin"));
    fclose(out);
    free(text);
}

/* Every row of the program itself: no option of a command hides a global one, and all fit. */
static void test_commands_rows_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMMANDS.command_count; i++) {
        const struct grammar_command *command = &COMMANDS.commands[i];
        size_t count = 0;

        assert_non_null(command->run);
        for (; command->options != NULL && command->options[count].name != NULL; count++) {
            for (size_t j = 0; COMMANDS.globals[j].name != NULL; j++) {
                assert_string_not_equal(command->options[count].name,
                                        COMMANDS.globals[j].name);
            }
        }
        assert_true(count <= GRAMMAR_OPTIONS_MAX);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(command->words, COMMANDS.commands[j].words);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar_parse_words_args_and_options),
        cmocka_unit_test(test_grammar_parse_globals_stand_anywhere),
        cmocka_unit_test(test_grammar_parse_longest_command_wins),
        cmocka_unit_test(test_grammar_parse_double_dash_ends_options),
        cmocka_unit_test(test_grammar_parse_a_negative_number_is_an_argument),
        cmocka_unit_test(test_grammar_parse_mistakes_say_what_is_wrong),
        cmocka_unit_test(test_grammar_parse_bounds_the_arguments),
        cmocka_unit_test(test_grammar_complete_words_and_options),
        cmocka_unit_test(test_grammar_help_names_args_options_defaults),
        cmocka_unit_test(test_commands_complete_quota),
        cmocka_unit_test(test_commands_rows_are_sound),
    };

    return cmocka_run_group_tests_name("grammar", tests, NULL, NULL);
}
