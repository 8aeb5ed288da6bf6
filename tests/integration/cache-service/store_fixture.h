/*
 * store_fixture.h - a private Postgres with the schema, and a store on it, for one test
 * program; and plain SQL as any role.
 */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

#include "core/arena.h"
#include "core/base.h"
#include "core/clock.h"
#include "store/creators_rows.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/statement.h"
#include "store/store.h"
#include "support/pg_cluster.h"

#define CALL_MS    10000
#define SECOND_US  1000000LL
#define ARENA_SIZE (8u << 20)

static struct pg_cluster *cluster;
static struct store *store;
static struct arena arena;
static struct error err;

#define assert_status(expected, expression)                         \
    do {                                                            \
        enum status st_ = (expression);                             \
        if (st_ != (expected))                                      \
            print_error("%s: %s\n", status_name(st_), err.message); \
        assert_int_equal(st_, (expected));                          \
    } while (0)

static inline struct store_call a_call(void)
{
    return (struct store_call){
        .store = store, .arena = &arena, .deadline_us = clock_deadline_ms(CALL_MS)};
}

/* The statement that search pages and reports store their creators with, alone. */
static inline enum status upsert_creators(const struct store_call *call,
                                          const struct creator *creators, size_t count,
                                          struct error *error)
{
    struct db_params params;

    creators_rows_upsert_params(&params, creators, count);
    return store_write(NULL, call, &CREATORS_ROWS_UPSERT, &params, error);
}

static inline struct db *open_db(const char *conninfo, unsigned connections)
{
    struct db *db;
    struct db_options options = {.conninfo = conninfo,
                                 .application = "test",
                                 .connections = connections,
                                 .statement_ms = 60000,
                                 .lock_ms = 5000,
                                 .idle_in_transaction_ms = 60000};

    assert_status(ST_OK, db_open(&db, &options, &err));
    return db;
}

/* Run one statement as a role over a connection of its own. `columns` and `shape` as in
 * struct db_statement; *value is the first column of the first row, when it is a number. */
static inline enum status run_sql(int64_t *value, const char *role, const char *sql,
                                  const char *columns, enum db_shape shape)
{
    struct db_session *session;
    struct db_result result;
    struct db_statement statement = {"test", sql, 0, columns, shape};
    struct db *db = open_db(pg_cluster_url(cluster, role), 1);

    enum status st = db_acquire(&session, db, clock_deadline_ms(CALL_MS), &err);
    if (st == ST_OK) {
        st = db_execute(&result, session, &statement, NULL, clock_deadline_ms(CALL_MS),
                        &err);
        if (st == ST_OK) {
            if (value != NULL)
                *value = db_i64(&result, 0, 0);
            db_result_done(&result);
        }
        db_release(session);
    }
    db_close(db);
    return st;
}

static inline int64_t ask(const char *role, const char *sql)
{
    int64_t value = -1;

    assert_status(ST_OK, run_sql(&value, role, sql, "i", DB_ONE));
    return value;
}

static inline enum status command(const char *role, const char *sql)
{
    return run_sql(NULL, role, sql, "", DB_NONE);
}

static inline void migrate_all(void)
{
    struct migrate_outcome outcome;
    struct migrate_options options = {.conninfo = pg_cluster_url(cluster, "owner"),
                                      .folder = "migrations",
                                      .wait_ms = CALL_MS,
                                      .expected = SCHEMA_VERSIONS,
                                      .expected_count = SCHEMA_VERSION_COUNT};

    assert_status(ST_OK, migrate_run(&outcome, &options, &err));
}

static inline void open_store(unsigned connections)
{
    struct store_options options = {.conninfo = pg_cluster_url(cluster, "runtime"),
                                    .connections = connections};

    assert_status(ST_OK, store_open(&store, &options, &err));
}

static inline int start_all(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_SIZE);
    cluster = pg_cluster_start(NULL);
    migrate_all();
    open_store(8);
    return 0;
}

static inline int stop_all(void **state)
{
    (void)state;
    store_close(store);
    pg_cluster_stop(cluster);
    arena_done(&arena);
    return 0;
}

#endif /* STORE_FIXTURE_H */
