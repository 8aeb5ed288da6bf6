#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"

static void test_mem_alloc_is_zeroed(void **state)
{
    (void)state;
    static const unsigned char zero[100];
    unsigned char *memory = mem_alloc_array(25, 4);

    assert_memory_equal(memory, zero, 100);
    mem_free(memory);
}

static void test_mem_alloc_of_nothing_gives_an_address(void **state)
{
    (void)state;
    void *first = mem_alloc(0);
    void *second = mem_alloc_array(0, 8);

    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    second = mem_realloc_array(second, 0, 8);
    assert_non_null(second);
    mem_free(first);
    mem_free(second);
    mem_free(NULL);
    mem_free_secret(NULL, 10);
}

static void test_mem_realloc_array_keeps_the_content(void **state)
{
    (void)state;
    char *text = mem_strdup("kept");

    text = mem_realloc_array(text, 5000, 1);
    assert_string_equal(text, "kept");
    mem_free_secret(text, 5000);
}

static void test_mem_printf_formats(void **state)
{
    (void)state;
    char *text = mem_printf("%s-%d", "a", 7);

    assert_string_equal(text, "a-7");
    mem_free(text);
}

/* In a child with silent standard error: how it ended. */
static int status_of_overflow(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        mem_free(mem_alloc_array(SIZE_MAX / 2, 3));
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_mem_alloc_array_overflow_aborts(void **state)
{
    (void)state;
    int status = status_of_overflow();

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mem_alloc_is_zeroed),
        cmocka_unit_test(test_mem_alloc_of_nothing_gives_an_address),
        cmocka_unit_test(test_mem_realloc_array_keeps_the_content),
        cmocka_unit_test(test_mem_printf_formats),
        cmocka_unit_test(test_mem_alloc_array_overflow_aborts),
    };
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
