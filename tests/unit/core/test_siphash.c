#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base.h"
#include "core/siphash.h"

/* From the authors' reference vectors: key 00..0f, input 00, 01, 02 and so on. */
static void test_siphash_bytes_gives_the_reference_values(void **state)
{
    (void)state;
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const struct {
        size_t size;
        uint64_t hash;
    } rows[] = {
        {0, 0x726fdb47dd0e0e31},
        {1, 0x74f839c593dc67fd},
        {8, 0x93f5f5799a932462},
        {15, 0xa129ca6149be45e5},
    };
    unsigned char input[16];

    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (unsigned char)i;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_true(siphash_bytes(key, input, rows[i].size) == rows[i].hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_bytes_gives_the_reference_values),
    };
    return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
