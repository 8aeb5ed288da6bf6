#include "daemon/tokens.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/thread.h"
#include "scratch_file.h"
#include "support/expect.h"

#define HEX_A   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B   "BBBBbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define NAME_63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz."

static char path[SCRATCH_PATH_SIZE];

static int make_path(void **state)
{
    (void)state;
    scratch_path(path, "tokens");
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static struct tokens *opened(const char *text)
{
    struct tokens *tokens = NULL;
    struct error err;

    scratch_write_text(path, text);
    assert_ok(tokens_open(&tokens, path, &err), &err);
    return tokens;
}

static enum status authenticate(struct tokens *tokens, const char *token,
                                struct rpc_identity *out, struct error *err)
{
    return tokens_authenticate(tokens, (const uint8_t *)token, strlen(token), out, err);
}

/* One token and a file that holds it and two strangers. */
struct fixture {
    char token[TOKENS_TEXT_SIZE];
    struct tokens *tokens;
};

static struct fixture one_token(enum rpc_role role, int64_t expiry_unix)
{
    struct fixture fixture;
    char line[TOKENS_LINE_SIZE];
    char text[3 * TOKENS_LINE_SIZE];

    tokens_make(fixture.token, line, sizeof line, "alice-1", role, "alice@example.com",
                expiry_unix);
    snprintf(text, sizeof text, "x " HEX_A " cron x never\n%s\ny " HEX_B " staff y never\n",
             line);
    fixture.tokens = opened(text);
    return fixture;
}

static void test_make_gives_a_token_that_its_line_admits(void **state)
{
    (void)state;
    static const enum rpc_role roles[] = {RPC_ROLE_CLIENT, RPC_ROLE_STAFF, RPC_ROLE_ADMIN,
                                          RPC_ROLE_CRON, RPC_ROLE_SERVICE};

    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        struct fixture fixture = one_token(roles[i], 0);
        struct rpc_identity identity;
        struct error err;

        memset(&identity, 'x', sizeof identity);
        assert_int_equal(strlen(fixture.token), 53);
        assert_memory_equal(fixture.token, "mct_", 4);
        assert_int_equal(tokens_count(fixture.tokens), 3);
        assert_ok(authenticate(fixture.tokens, fixture.token, &identity, &err), &err);
        assert_int_equal(identity.role, roles[i]);
        assert_string_equal(identity.token_id, "alice-1");
        assert_string_equal(identity.subject, "alice@example.com");
        assert_string_equal(identity.user, "");
        tokens_close(fixture.tokens);
    }
}

static void test_make_never_repeats_itself(void **state)
{
    (void)state;
    char one[TOKENS_TEXT_SIZE];
    char other[TOKENS_TEXT_SIZE];
    char line[TOKENS_LINE_SIZE];

    tokens_make(one, line, sizeof line, "a", RPC_ROLE_CLIENT, "a", 0);
    tokens_make(other, line, sizeof line, "a", RPC_ROLE_CLIENT, "a", 0);
    assert_string_not_equal(one, other);
    assert_null(strstr(line, other)); /* the file never holds the token */
}

static void test_authenticate_after_expiry_is_refused(void **state)
{
    (void)state;
    int64_t now = clock_wall_us() / CLOCK_US_PER_SECOND;
    struct fixture over = one_token(RPC_ROLE_CLIENT, now - 1);
    struct fixture valid;
    struct rpc_identity identity;
    struct error err;

    assert_status(authenticate(over.tokens, over.token, &identity, &err), &err,
                  ST_UNAUTHENTICATED);
    assert_string_equal(err.reason, "TOKEN_EXPIRED");
    tokens_close(over.tokens);

    valid = one_token(RPC_ROLE_CLIENT, now + 3600);
    assert_ok(authenticate(valid.tokens, valid.token, &identity, &err), &err);
    tokens_close(valid.tokens);
}

static void test_authenticate_of_a_stranger_is_refused(void **state)
{
    (void)state;
    struct fixture fixture = one_token(RPC_ROLE_CLIENT, 0);
    struct rpc_identity identity = {.role = RPC_ROLE_NONE};
    struct error err;
    char stranger[TOKENS_TEXT_SIZE];
    char line[TOKENS_LINE_SIZE];

    tokens_make(stranger, line, sizeof line, "b", RPC_ROLE_ADMIN, "b", 0);
    assert_status(authenticate(fixture.tokens, stranger, &identity, &err), &err,
                  ST_UNAUTHENTICATED);
    assert_string_equal(err.reason, "TOKEN_UNKNOWN");
    assert_int_equal(identity.role, RPC_ROLE_NONE); /* untouched */
    assert_null(strstr(err.message, stranger));
    tokens_close(fixture.tokens);
}

static void test_authenticate_of_any_one_wrong_letter_is_told_as_a_slip(void **state)
{
    (void)state;
    struct fixture fixture = one_token(RPC_ROLE_CLIENT, 0);
    struct rpc_identity identity;
    struct error err;

    for (size_t i = 0; i < strlen(fixture.token); i++) {
        char wrong[TOKENS_TEXT_SIZE];

        memcpy(wrong, fixture.token, sizeof wrong);
        wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
        assert_status(authenticate(fixture.tokens, wrong, &identity, &err), &err,
                      ST_UNAUTHENTICATED);
        assert_string_equal(err.reason, "TOKEN_MALFORMED");
    }
    tokens_close(fixture.tokens);
}

static void test_authenticate_of_other_sizes_is_refused(void **state)
{
    (void)state;
    struct fixture fixture = one_token(RPC_ROLE_CLIENT, 0);
    uint8_t bytes[4096] = "";
    struct rpc_identity identity;
    struct error err;

    memcpy(bytes, fixture.token, strlen(fixture.token));
    for (size_t size = 0; size <= sizeof bytes; size++) {
        if (size == strlen(fixture.token))
            continue;
        assert_status(tokens_authenticate(fixture.tokens, bytes, size, &identity, &err),
                      &err, ST_UNAUTHENTICATED);
    }
    assert_status(tokens_authenticate(fixture.tokens, NULL, 0, &identity, &err), &err,
                  ST_UNAUTHENTICATED);
    tokens_close(fixture.tokens);
}

static void test_open_takes_comments_blanks_and_an_empty_file(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        {"", 0},
        {"\n\n", 0},
        {"# nobody\n", 0},
        {"  \t \r\n#\n", 0},
        {"a " HEX_A " client a never", 1},
        {"a " HEX_A " client a never\r\n", 1},
        {"\ta\t" HEX_A "   client a 1 # until 1970\n# more\nb " HEX_B " staff a never\n",
         2},
        {NAME_63 " " HEX_A " client " NAME_63 " 253402300799\n", 1},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tokens *tokens = opened(rows[i].text);

        print_message("row %zu\n", i);
        assert_int_equal(tokens_count(tokens), rows[i].count);
        tokens_close(tokens);
    }
}

static void test_open_of_a_wrong_line_names_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *said[2];
    } rows[] = {
        {"a " HEX_A " client a", {"line 1", "expected 'id"}},
        {"a " HEX_A " client a never never", {"line 1", "expected 'id"}},
        {"\n\na " HEX_A " client # a never", {"line 3", "expected 'id"}},
        {"a/b " HEX_A " client a never", {"line 1", "'a/b' is no id"}},
        {NAME_63 "x " HEX_A " client a never", {"line 1", "is no id"}},
        {"a " HEX_A "a client a never", {"line 1", "hash of 'a'"}},
        {"a mct_" HEX_A " client a never", {"line 1", "hash of 'a'"}},
        {"a xyz client a never", {"line 1", "hash of 'a'"}},
        {"a " HEX_A " root a never", {"line 1", "'root' is no role"}},
        {"a " HEX_A " none a never", {"line 1", "'none' is no role"}},
        {"a " HEX_A " CLIENT a never", {"line 1", "'CLIENT' is no role"}},
        {"a " HEX_A " client \xc3\xa4 never", {"line 1", "is no subject"}},
        {"a " HEX_A " client a 0", {"line 1", "'0' is no expiry"}},
        {"a " HEX_A " client a -5", {"line 1", "'-5' is no expiry"}},
        {"a " HEX_A " client a 2027-01-01", {"line 1", "'2027-01-01' is no expiry"}},
        {"a " HEX_A " client a never\na " HEX_B " client a never",
         {"line 2", "same id as line 1"}},
        {"a " HEX_A " client a never\n#\nb " HEX_A " client a never",
         {"line 3", "same hash as line 1"}},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tokens *tokens = NULL;
        struct error err;

        scratch_write_text(path, rows[i].text);
        assert_status(tokens_open(&tokens, path, &err), &err, ST_INVALID);
        print_message("row %zu: %s\n", i, err.message);
        assert_non_null(strstr(err.message, path));
        for (size_t j = 0; j < COUNT_OF(rows[i].said); j++)
            assert_non_null(strstr(err.message, rows[i].said[j]));
        assert_null(tokens);
    }
}

static void test_open_of_what_is_no_file_of_ours_is_refused(void **state)
{
    (void)state;
    struct tokens *tokens;
    struct error err;

    assert_status(tokens_open(&tokens, "/nowhere/tokens", &err), &err, ST_INVALID);
    assert_non_null(strstr(err.message, "/nowhere/tokens"));
    assert_status(tokens_open(&tokens, "/", &err), &err, ST_INVALID);
    assert_status(tokens_open(&tokens, "/dev/zero", &err), &err, ST_INVALID);
    scratch_write(path, "a\0b\n", 4);
    assert_status(tokens_open(&tokens, path, &err), &err, ST_INVALID);
    assert_non_null(strstr(err.message, "NUL"));
}

/* `count` lines with the hashes 1, 2, 3 ... */
static void write_many(size_t count)
{
    struct buf text;

    buf_init(&text, (size_t)2 << 20);
    for (size_t i = 1; i <= count; i++)
        buf_printf(&text, "id-%zu %064zx client user-%zu never\n", i, i, i);
    assert_false(text.overflowed);
    scratch_write_text(path, buf_text(&text));
    buf_done(&text);
}

static void test_open_takes_ten_thousand_lines_and_no_more(void **state)
{
    (void)state;
    struct tokens *tokens;
    struct error err;

    write_many(10000);
    assert_ok(tokens_open(&tokens, path, &err), &err);
    assert_int_equal(tokens_count(tokens), 10000);
    tokens_close(tokens);

    write_many(10001);
    assert_status(tokens_open(&tokens, path, &err), &err, ST_INVALID);
    assert_non_null(strstr(err.message, "10001 lines, 10000 at most"));
}

static void test_reload_swaps_all_or_nothing(void **state)
{
    (void)state;
    struct fixture fixture = one_token(RPC_ROLE_CLIENT, 0);
    char fresh[TOKENS_TEXT_SIZE];
    char line[TOKENS_LINE_SIZE];
    char broken[TOKENS_LINE_SIZE + 16];
    struct rpc_identity identity;
    struct error err;

    tokens_make(fresh, line, sizeof line, "fresh", RPC_ROLE_STAFF, "carol", 0);
    snprintf(broken, sizeof broken, "%s\nrubbish\n", line);
    scratch_write_text(path, broken);
    assert_status(tokens_reload(fixture.tokens, &err), &err, ST_INVALID);
    assert_non_null(strstr(err.message, "line 2"));
    assert_ok(authenticate(fixture.tokens, fixture.token, &identity, &err), &err);

    scratch_write_text(path, line);
    assert_ok(tokens_reload(fixture.tokens, &err), &err);
    assert_status(authenticate(fixture.tokens, fixture.token, &identity, &err), &err,
                  ST_UNAUTHENTICATED);
    assert_ok(authenticate(fixture.tokens, fresh, &identity, &err), &err);
    assert_string_equal(identity.subject, "carol");
    tokens_close(fixture.tokens);
}

struct reader {
    const struct fixture *fixture;
    atomic_bool stop;
    atomic_uint refused;
    atomic_uint admitted;
};

static void *keep_asking(void *argument)
{
    struct reader *reader = argument;

    while (!atomic_load(&reader->stop)) {
        struct rpc_identity identity;
        struct error err;

        if (authenticate(reader->fixture->tokens, reader->fixture->token, &identity,
                         &err) == ST_OK &&
            strcmp(identity.subject, "alice@example.com") == 0)
            atomic_fetch_add(&reader->admitted, 1);
        else
            atomic_fetch_add(&reader->refused, 1);
    }
    return NULL;
}

static void test_reload_while_others_authenticate_disturbs_nobody(void **state)
{
    (void)state;
    struct fixture fixture = one_token(RPC_ROLE_CLIENT, 0);
    struct reader reader = {.fixture = &fixture};
    pthread_t threads[3];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        thread_start(&threads[i], "reader", 0, keep_asking, &reader);
    assert_eventually(atomic_load(&reader.admitted) > 0, 10000);
    for (int i = 0; i < 200; i++) {
        struct error err;

        assert_ok(tokens_reload(fixture.tokens, &err), &err);
    }
    atomic_store(&reader.stop, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        thread_join(threads[i]);
    assert_int_equal(atomic_load(&reader.refused), 0);
    tokens_close(fixture.tokens);
}

static void test_name_is_valid_knows_its_letters(void **state)
{
    (void)state;
    assert_true(tokens_name_is_valid("a"));
    assert_true(tokens_name_is_valid("Alice.B_c-9@example.com:x+y"));
    assert_true(tokens_name_is_valid(NAME_63));
    assert_false(tokens_name_is_valid(NAME_63 "x"));
    assert_false(tokens_name_is_valid(""));
    assert_false(tokens_name_is_valid("a b"));
    assert_false(tokens_name_is_valid("a#b"));
    assert_false(tokens_name_is_valid("a\nb"));
    assert_false(tokens_name_is_valid("\xc3\xa4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_gives_a_token_that_its_line_admits),
        cmocka_unit_test(test_make_never_repeats_itself),
        cmocka_unit_test(test_authenticate_after_expiry_is_refused),
        cmocka_unit_test(test_authenticate_of_a_stranger_is_refused),
        cmocka_unit_test(test_authenticate_of_any_one_wrong_letter_is_told_as_a_slip),
        cmocka_unit_test(test_authenticate_of_other_sizes_is_refused),
        cmocka_unit_test(test_open_takes_comments_blanks_and_an_empty_file),
        cmocka_unit_test(test_open_of_a_wrong_line_names_it),
        cmocka_unit_test(test_open_of_what_is_no_file_of_ours_is_refused),
        cmocka_unit_test(test_open_takes_ten_thousand_lines_and_no_more),
        cmocka_unit_test(test_reload_swaps_all_or_nothing),
        cmocka_unit_test(test_reload_while_others_authenticate_disturbs_nobody),
        cmocka_unit_test(test_name_is_valid_knows_its_letters),
    };

    return cmocka_run_group_tests(tests, make_path, remove_file);
}
