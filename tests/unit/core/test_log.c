#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "core/parse.h"
#include "core/thread.h"

/* Standard error as a socket that keeps writes apart: one receive is one write(2). */
struct capture {
    int sockets[2];
    int saved;
    char text[2 * LOG_LINE_MAX];
};

static struct capture captured;

static void capture_start(enum log_format format, enum log_level level)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, captured.sockets), 0);
    captured.saved = dup(STDERR_FILENO);
    dup2(captured.sockets[1], STDERR_FILENO);
    log_setup("cache-service", format, level);
}

/* Ends the capture; the first line without its time, or "" when nothing was logged. */
static const char *capture_end(const char *time_from)
{
    ssize_t size;
    char *time;

    dup2(captured.saved, STDERR_FILENO);
    close(captured.saved);
    close(captured.sockets[1]);
    size = recv(captured.sockets[0], captured.text, sizeof(captured.text) - 1, 0);
    close(captured.sockets[0]);
    if (size <= 0)
        return "";
    captured.text[size] = '\0';
    time = strstr(captured.text, time_from);
    assert_non_null(time);
    time += strlen(time_from);
    assert_int_equal(time[10], 'T');
    assert_int_equal(time[19], '.');
    assert_int_equal(time[23], 'Z');
    return time + 24;
}

static void test_log_event_as_text_quotes_what_needs_it(void **state)
{
    (void)state;
    capture_start(LOG_TEXT, LOG_INFO);
    log_event(LOG_WARN, "request failed", LOG_STR("method", "Search"),
              LOG_STR("error", "no meter 'x'"), LOG_U64("ms", UINT64_MAX),
              LOG_I64("left", INT64_MIN), LOG_BOOL("executed", true), LOG_STR("none", NULL),
              LOG_STR("pair", "a=b"), LOG_STR("name", "Zo\xc3\xab"));

    assert_string_equal(capture_end(""),
                        " WARN cache-service request failed method=Search"
                        " error=\"no meter 'x'\" ms=18446744073709551615"
                        " left=-9223372036854775808 executed=true none=\"\" pair=\"a=b\""
                        " name=Zo\xc3\xab\n");
}

static void test_log_event_as_json_is_one_object(void **state)
{
    (void)state;
    capture_start(LOG_JSON, LOG_INFO);
    log_event(LOG_ERROR, "request failed", LOG_STR("method", "Search"), LOG_U64("ms", 31),
              LOG_I64("left", -1), LOG_BOOL("executed", false), LOG_STR("quote", "a\"b"));

    assert_string_equal(capture_end("{\"time\":\""),
                        "\",\"level\":\"ERROR\",\"service\":\"cache-service\","
                        "\"event\":\"request failed\",\"method\":\"Search\",\"ms\":31,"
                        "\"left\":-1,\"executed\":false,\"quote\":\"a\\\"b\"}\n");
}

/* A peer's text can neither end the line, nor move a terminal, nor break the JSON. */
static void test_log_event_hostile_text_is_escaped(void **state)
{
    (void)state;
    static const char hostile[] = "a\n2026 ERROR\x1b[2J\xff\xc2\x9b\x7f";

    capture_start(LOG_TEXT, LOG_INFO);
    log_event(LOG_INFO, "x", LOG_STR("v", hostile));
    assert_string_equal(capture_end(""),
                        " INFO cache-service x"
                        " v=\"a\\n2026 ERROR\\u001b[2J\\ufffd\\u009b\\u007f\"\n");
    capture_start(LOG_JSON, LOG_INFO);
    log_event(LOG_INFO, "x", LOG_STR("v", hostile));
    assert_non_null(strstr(capture_end("{\"time\":\""),
                           ",\"v\":\"a\\n2026 ERROR\\u001b[2J\\ufffd\\u009b\\u007f\"}\n"));
}

static void test_log_write_without_fields_is_a_line(void **state)
{
    (void)state;
    capture_start(LOG_TEXT, LOG_INFO);
    log_write(LOG_INFO, "ready", NULL, 0);
    assert_string_equal(capture_end(""), " INFO cache-service ready\n");
}

static void test_log_event_below_the_level_writes_nothing(void **state)
{
    (void)state;
    capture_start(LOG_TEXT, LOG_WARN);
    log_event(LOG_INFO, "x", LOG_U64("n", 1));
    assert_string_equal(capture_end(""), "");
    capture_start(LOG_TEXT, LOG_WARN);
    log_set_level(LOG_DEBUG);
    assert_int_equal(log_get_level(), LOG_DEBUG);
    log_event(LOG_DEBUG, "x", LOG_U64("n", 1));
    assert_string_equal(capture_end(""), " DEBUG cache-service x n=1\n");
}

/* Any length of value around the limit: bounded, whole characters, closed. */
static void test_log_event_too_long_is_cut_and_stays_well_formed(void **state)
{
    (void)state;
    static char value[3 * LOG_LINE_MAX];

    for (size_t length = LOG_LINE_MAX - 200; length < LOG_LINE_MAX + 50; length++) {
        size_t size;
        const char *end;
        enum log_format format = length % 2 == 0 ? LOG_JSON : LOG_TEXT;

        memset(value, 'x', sizeof(value));
        for (size_t i = length & ~(size_t)1; i + 1 < sizeof(value); i += 2)
            memcpy(value + i, i % 4 == 0 ? "\xc3\xa9" : "\"\x01", 2);
        value[length < 4000 ? length : sizeof(value) - 1] = '\0';
        capture_start(format, LOG_INFO);
        log_event(LOG_INFO, "x", LOG_STR("v", value), LOG_STR("w", "y z"), LOG_U64("n", 1));
        capture_end(format == LOG_JSON ? "{\"time\":\"" : "");
        size = strlen(captured.text);
        end = format == LOG_JSON ? ",\"cut\":true}\n" : " cut=true\n";

        assert_true(size <= LOG_LINE_MAX);
        assert_true(parse_is_utf8(captured.text, size));
        assert_ptr_equal(strchr(captured.text, '\n'), captured.text + size - 1);
        if (strstr(captured.text, "cut") != NULL)
            assert_string_equal(captured.text + size - strlen(end), end);
        else
            assert_non_null(
                strstr(captured.text, format == LOG_JSON ? ",\"n\":1}" : " n=1"));
    }
}

static void test_log_event_keeps_errno(void **state)
{
    (void)state;
    int saved = dup(STDERR_FILENO);

    log_setup("x", LOG_TEXT, LOG_INFO);
    close(STDERR_FILENO);
    errno = EDOM;
    log_event(LOG_INFO, "x", LOG_U64("n", 1));
    assert_int_equal(errno, EDOM);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void test_log_level_parse_knows_four_names(void **state)
{
    (void)state;
    enum log_level level = LOG_INFO;

    assert_true(log_level_parse(&level, "warn"));
    assert_int_equal(level, LOG_WARN);
    assert_true(log_level_parse(&level, log_level_name(LOG_DEBUG)));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_parse(&level, "trace"));
    assert_false(log_level_parse(&level, NULL));
    assert_int_equal(level, LOG_DEBUG);
}

enum { WRITERS = 4, LINES = 300 };

static void *write_lines(void *argument)
{
    for (int i = 0; i < LINES; i++)
        log_event(LOG_INFO, "line", LOG_STR("by", argument), LOG_I64("n", i));
    return NULL;
}

static void test_log_event_from_many_threads_never_mixes_lines(void **state)
{
    (void)state;
    pthread_t threads[WRITERS];
    int whole = 0;

    capture_start(LOG_TEXT, LOG_INFO);
    for (int i = 0; i < WRITERS; i++)
        thread_start(&threads[i], "writer", 0, write_lines, "somebody");
    for (int i = 0; i < WRITERS * LINES; i++) {
        ssize_t size =
            recv(captured.sockets[0], captured.text, sizeof(captured.text) - 1, 0);

        captured.text[size > 0 ? size : 0] = '\0';
        if (strstr(captured.text, "Z INFO cache-service line by=somebody n=") != NULL &&
            strchr(captured.text, '\n') == captured.text + size - 1)
            whole++;
    }
    for (int i = 0; i < WRITERS; i++)
        thread_join(threads[i]);
    assert_string_equal(capture_end(""), "");
    assert_int_equal(whole, WRITERS * LINES);
}

static void test_log_abort_says_why_and_aborts(void **state)
{
    (void)state;
    int status = 0;
    pid_t child;

    capture_start(LOG_TEXT, LOG_ERROR);
    child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        log_abort("lost", 5);
    }
    waitpid(child, &status, 0);
    assert_string_equal(capture_end(""), " ERROR cache-service lost errno=5\n");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_event_as_text_quotes_what_needs_it),
        cmocka_unit_test(test_log_event_as_json_is_one_object),
        cmocka_unit_test(test_log_event_hostile_text_is_escaped),
        cmocka_unit_test(test_log_write_without_fields_is_a_line),
        cmocka_unit_test(test_log_event_below_the_level_writes_nothing),
        cmocka_unit_test(test_log_event_too_long_is_cut_and_stays_well_formed),
        cmocka_unit_test(test_log_event_keeps_errno),
        cmocka_unit_test(test_log_level_parse_knows_four_names),
        cmocka_unit_test(test_log_event_from_many_threads_never_mixes_lines),
        cmocka_unit_test(test_log_abort_says_why_and_aborts),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
