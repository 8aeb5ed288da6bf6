/* The migrations of the tree are the ones the binary asks for. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "store/migration_files.h"
#include "store/schema.h"

static void test_schema_versions_are_the_files_under_migrations(void **state)
{
    (void)state;
    struct migration_files files;
    struct error err;
    assert_int_equal(migration_files_read(&files, "migrations", &err), ST_OK);
    bool same = files.count == SCHEMA_VERSION_COUNT;
    for (size_t i = 0; i < files.count; i++) {
        if (i < SCHEMA_VERSION_COUNT &&
            strcmp(files.files[i].name, SCHEMA_VERSIONS[i].name) == 0 &&
            strcmp(files.files[i].sha256, SCHEMA_VERSIONS[i].sha256) == 0)
            continue;
        same = false;
        print_error("store/schema.c wants the row\n    {\"%s\",\n     \"%s\"},\n",
                    files.files[i].name, files.files[i].sha256);
    }
    assert_true(same);
    migration_files_done(&files);
}

static void test_migration_files_read_no_folder_is_invalid(void **state)
{
    (void)state;
    struct migration_files files = {.count = 77};
    struct error err;
    assert_int_equal(migration_files_read(&files, "no/such/folder", &err), ST_INVALID);
    assert_non_null(strstr(err.message, "no/such/folder"));
    assert_int_equal(files.count, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schema_versions_are_the_files_under_migrations),
        cmocka_unit_test(test_migration_files_read_no_folder_is_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
