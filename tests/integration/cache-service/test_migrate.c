/* Migrating a database, and refusing what does not fit. */
#include "store_fixture.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/thread.h"

static char *folder; /* of the migrations of one test */

static void put_file(const char *name, const char *content)
{
    char *path = mem_printf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    mem_free(path);
}

static void drop_file(const char *name)
{
    char *path = mem_printf("%s/%s", folder, name);

    assert_int_equal(unlink(path), 0);
    mem_free(path);
}

static enum status migrate(struct migrate_outcome *out)
{
    struct migrate_options options = {
        .conninfo = pg_cluster_url(cluster, "owner"), .folder = folder, .wait_ms = CALL_MS};
    struct error own = ERROR_NONE;

    enum status st = migrate_run(out, &options, &own);
    err = own;
    return st;
}

static int64_t applied(void)
{
    return ask("owner", "SELECT count(*) FROM metercache.schema_migration");
}

static int start_cluster(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_SIZE);
    cluster = pg_cluster_start(NULL);
    return 0;
}

static int stop_cluster(void **state)
{
    (void)state;
    pg_cluster_stop(cluster);
    arena_done(&arena);
    return 0;
}

static const char *const FILES[] = {"0001_first.sql", "0002_second.sql", "0003_third.sql",
                                    "0001_other.sql", "notes.sql",       "readme.md",
                                    "bootstrap.sql"};

static int empty_database(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    assert_status(ST_OK, command("owner", "DROP SCHEMA IF EXISTS metercache CASCADE"));
    folder = mem_printf("%s/metercache-migrations.XXXXXX", tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(folder));
    put_file("0001_first.sql", "CREATE TABLE metercache.a (i integer);\n"
                               "CREATE TABLE metercache.b (i integer);\n");
    put_file("0002_second.sql", "INSERT INTO metercache.a VALUES (1);\n");
    put_file("readme.md", "not a migration");
    put_file("bootstrap.sql", "not a migration either");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        char *path = mem_printf("%s/%s", folder, FILES[i]);

        (void)unlink(path);
        mem_free(path);
    }
    (void)rmdir(folder);
    mem_free(folder);
    return 0;
}

static void test_migrate_run_applies_what_is_missing_in_order(void **state)
{
    (void)state;
    struct migrate_outcome outcome;
    assert_status(ST_OK, migrate(&outcome));
    assert_int_equal(outcome.applied, 2);
    assert_int_equal(outcome.total, 2);
    assert_status(ST_OK, migrate(&outcome));
    assert_int_equal(outcome.applied, 0);
    put_file("0003_third.sql", "INSERT INTO metercache.a VALUES (2)");
    assert_status(ST_OK, migrate(&outcome));
    assert_int_equal(outcome.applied, 1);
    assert_int_equal(outcome.total, 3);
    assert_int_equal(ask("owner", "SELECT sum(i)::bigint FROM metercache.a"), 3);
}

static void test_migrate_run_changed_file_is_refused(void **state)
{
    (void)state;
    struct migrate_outcome outcome;
    assert_status(ST_OK, migrate(&outcome));
    put_file("0002_second.sql", "INSERT INTO metercache.a VALUES (2);\n");
    put_file("0003_third.sql", "INSERT INTO metercache.a VALUES (2)");
    assert_status(ST_PRECONDITION, migrate(&outcome));
    assert_non_null(strstr(err.message, "0002_second.sql"));
    assert_int_equal(applied(), 2);
}

static void test_migrate_run_file_missing_from_the_folder_is_refused(void **state)
{
    (void)state;
    struct migrate_outcome outcome;
    assert_status(ST_OK, migrate(&outcome));
    drop_file("0002_second.sql");
    assert_status(ST_PRECONDITION, migrate(&outcome));
    assert_non_null(strstr(err.message, "0002_second.sql"));
}

static void test_migrate_run_folder_with_stray_or_twin_files_is_refused(void **state)
{
    (void)state;
    struct migrate_outcome outcome;
    put_file("notes.sql", "SELECT 1");
    assert_status(ST_PRECONDITION, migrate(&outcome));
    assert_non_null(strstr(err.message, "notes.sql"));
    drop_file("notes.sql");
    put_file("0001_other.sql", "SELECT 1");
    assert_status(ST_PRECONDITION, migrate(&outcome));
    assert_non_null(strstr(err.message, "0001_other.sql"));
}

static void test_migrate_run_failing_file_leaves_those_before_it(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "INSERT INTO metercache.a VALUES (7); SELECT 1/0; INSERT INTO metercache.a VALUES (8);",
        "INSERT INTO metercache.a VALUES (7); COMMIT;", "INSERT INTO metercache.a VALUE"};
    struct migrate_outcome outcome;
    assert_status(ST_OK, migrate(&outcome));
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        put_file("0003_third.sql", BAD[i]);
        assert_int_not_equal(migrate(&outcome), ST_OK);
        assert_non_null(strstr(err.message, "0003_third.sql"));
        assert_int_equal(applied(), 2);
    }
    assert_int_equal(ask("owner", "SELECT count(*) FROM metercache.a WHERE i = 8"), 0);
}

static void test_migrate_run_other_files_than_the_binary_knows_are_refused(void **state)
{
    (void)state;
    struct migrate_outcome outcome;
    struct migrate_options options = {.conninfo = pg_cluster_url(cluster, "owner"),
                                      .folder = folder,
                                      .wait_ms = CALL_MS,
                                      .expected = SCHEMA_VERSIONS,
                                      .expected_count = SCHEMA_VERSION_COUNT};
    assert_status(ST_PRECONDITION, migrate_run(&outcome, &options, &err));
    assert_int_equal(ask("owner", "SELECT count(*) FROM pg_namespace"
                                  " WHERE nspname = 'metercache'"),
                     0);
}

struct runner {
    enum status status;
    struct migrate_outcome outcome;
};

static void *run_migrate(void *argument)
{
    struct runner *runner = argument;
    struct error own;
    struct migrate_options options = {
        .conninfo = pg_cluster_url(cluster, "owner"), .folder = folder, .wait_ms = CALL_MS};

    runner->status = migrate_run(&runner->outcome, &options, &own);
    return NULL;
}

static void test_migrate_run_many_at_once_apply_each_file_once(void **state)
{
    (void)state;
    pthread_t threads[6];
    struct runner runners[COUNT_OF(threads)];
    size_t total = 0;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        thread_start(&threads[i], "runner", 1 << 20, run_migrate, &runners[i]);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        thread_join(threads[i]);
        assert_int_equal(runners[i].status, ST_OK);
        total += runners[i].outcome.applied;
    }
    assert_int_equal(total, 2);
    assert_int_equal(ask("owner", "SELECT count(*) FROM metercache.a"), 1);
}

static void test_migrate_run_waits_for_the_database(void **state)
{
    (void)state;
    pthread_t thread;
    struct runner runner;
    struct migrate_outcome outcome;
    pg_cluster_crash(cluster);
    struct migrate_options options = {
        .conninfo = pg_cluster_url(cluster, "owner"), .folder = folder, .wait_ms = 100};
    assert_status(ST_UNAVAILABLE, migrate_run(&outcome, &options, &err));
    thread_start(&thread, "runner", 1 << 20, run_migrate, &runner);
    pg_cluster_resume(cluster);
    thread_join(thread);
    assert_int_equal(runner.status, ST_OK);
    assert_int_equal(runner.outcome.applied, 2);
}

/* ---- the version a service wants ---- */

static enum status check_store(void)
{
    struct store_call call = a_call();

    return store_check(&call, &err);
}

static void test_store_check_wants_exactly_its_own_migrations(void **state)
{
    (void)state;
    open_store(2);
    assert_status(ST_PRECONDITION, check_store());
    assert_non_null(strstr(err.message, "migrate"));
    migrate_all();
    assert_status(ST_OK, check_store());

    assert_status(ST_OK, command("owner", "INSERT INTO metercache.schema_migration"
                                          " VALUES ('9999_later.sql', sha256(''))"));
    assert_status(ST_PRECONDITION, check_store());
    assert_non_null(strstr(err.message, "9999_later.sql"));
    assert_status(ST_OK, command("owner", "DELETE FROM metercache.schema_migration"
                                          " WHERE name = '9999_later.sql'"));
    assert_status(ST_OK, command("owner", "UPDATE metercache.schema_migration"
                                          " SET sha256 = sha256('x')"
                                          " WHERE name LIKE '0002%'"));
    assert_status(ST_PRECONDITION, check_store());
    assert_non_null(strstr(err.message, "0002"));
    assert_status(ST_OK, command("owner", "DELETE FROM metercache.schema_migration"
                                          " WHERE name NOT LIKE '0001%'"));
    assert_status(ST_PRECONDITION, check_store());
    assert_non_null(strstr(err.message, "not applied"));
    store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, empty_database, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_migrate_run_applies_what_is_missing_in_order),
        TEST(test_migrate_run_changed_file_is_refused),
        TEST(test_migrate_run_file_missing_from_the_folder_is_refused),
        TEST(test_migrate_run_folder_with_stray_or_twin_files_is_refused),
        TEST(test_migrate_run_failing_file_leaves_those_before_it),
        TEST(test_migrate_run_other_files_than_the_binary_knows_are_refused),
        TEST(test_migrate_run_many_at_once_apply_each_file_once),
        TEST(test_migrate_run_waits_for_the_database),
        TEST(test_store_check_wants_exactly_its_own_migrations),
    };

    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
