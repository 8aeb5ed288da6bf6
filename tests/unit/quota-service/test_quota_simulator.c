/*
 * Runs the quota core in worlds that go wrong (tests/quota-simulator), and proves that the
 * simulator notices: with a rule left out, one of a few seeds must fail.
 *
 * QUOTA_SEED=n runs that seed alone, QUOTA_SEEDS=n so many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLANTED_SEEDS "50"

struct run {
    const char *core; /* the plant of the core */
    const char *first;
    const char *seeds;
    const char *plant; /* of the world around it */
};

static void become(const struct run *run, int output)
{
    const char *build = getenv("BUILD_DIR");
    char path[512];

    snprintf(path, sizeof(path), "%s/bin/quota-simulator-%s",
             build != NULL ? build : "build/release", run->core);
    if (output >= 0)
        (void)(dup2(output, STDOUT_FILENO), dup2(output, STDERR_FILENO));
    execl(path, path, run->first, run->seeds, run->plant, (char *)NULL);
    fprintf(stderr, "cannot run '%s'\n", path);
    _exit(99);
}

/* Its exit status; 128 and the signal when it died. */
static int simulate(const struct run *run, int output)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0)
        become(run, output);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_core_keeps_the_rules_in_every_world(void **state)
{
    const struct run run = {.core = "0"}; /* as many as the environment says */

    (void)state;
    assert_int_equal(simulate(&run, -1), 0);
}

/* The last line of what the run printed: how many seeds, and a hash of their histories. */
static void history_of(const struct run *run, char out[256])
{
    FILE *output = tmpfile();
    char line[1024];

    assert_non_null(output);
    assert_int_equal(simulate(run, fileno(output)), 0);
    out[0] = '\0';
    rewind(output);
    while (fgets(line, sizeof(line), output) != NULL)
        snprintf(out, 256, "%.255s", line);
    fclose(output);
}

static void test_same_seeds_have_the_same_history(void **state)
{
    const struct run run = {"0", "7", "40", "0"};
    const struct run other = {"0", "8", "40", "0"};
    char first[256];
    char second[256];

    (void)state;
    history_of(&run, first);
    history_of(&run, second);
    assert_non_null(strstr(first, "history"));
    assert_string_equal(first, second);
    history_of(&other, second);
    assert_string_not_equal(first, second);
}

static void assert_caught(const struct run *run)
{
    FILE *output = tmpfile();
    int status;

    assert_non_null(output);
    status = simulate(run, fileno(output));
    fclose(output);
    assert_int_equal(status, 128 + SIGABRT);
}

#define PLANTED(name, core, plant)                                    \
    static void test_planted_##name##_is_caught(void **state)         \
    {                                                                 \
        const struct run run = {(core), "1", PLANTED_SEEDS, (plant)}; \
                                                                      \
        (void)state;                                                  \
        assert_caught(&run);                                          \
    }

PLANTED(second_grant_of_an_op_id, "1", "0")
PLANTED(blindness_across_a_boundary, "2", "0")
PLANTED(settle_into_another_period, "3", "0")
PLANTED(missing_fence, "0", "1")
PLANTED(answer_before_the_commit, "0", "2")
PLANTED(trust_in_a_doubtful_commit, "0", "3")

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core_keeps_the_rules_in_every_world),
        cmocka_unit_test(test_same_seeds_have_the_same_history),
        cmocka_unit_test(test_planted_second_grant_of_an_op_id_is_caught),
        cmocka_unit_test(test_planted_blindness_across_a_boundary_is_caught),
        cmocka_unit_test(test_planted_settle_into_another_period_is_caught),
        cmocka_unit_test(test_planted_missing_fence_is_caught),
        cmocka_unit_test(test_planted_answer_before_the_commit_is_caught),
        cmocka_unit_test(test_planted_trust_in_a_doubtful_commit_is_caught),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
