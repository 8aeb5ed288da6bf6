#include "store/migrate.h"

#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/parse.h"
#include "store/db.h"
#include "store/migration_files.h"
#include "store/statement.h"

#define FILE_MS           600000 /* the longest a file may run */
#define OTHER_RUNNER_MS   60000  /* the longest to wait for another runner */
#define CONNECT_PAUSE_US  500000
#define APPLIED_ARENA_MAX (1u << 20)

// clang-format off
static const struct db_statement LOCK = {
    "migrate_lock", "SELECT pg_advisory_lock(hashtext('metercache.migrate'))", 0, "v", DB_ONE};
static const struct db_statement SHORT_LOCKS = {
    "migrate_short_locks", "SELECT set_config('lock_timeout', '5s', true)", 0, "t", DB_ONE};
static const struct db_statement SCHEMA = {
    "migrate_schema", "CREATE SCHEMA IF NOT EXISTS metercache", 0, "", DB_NONE};
static const struct db_statement TABLE = {
    "migrate_table",
    "CREATE TABLE IF NOT EXISTS metercache.schema_migration ("
    " name text PRIMARY KEY, sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),"
    " applied_at timestamptz NOT NULL DEFAULT now())", 0, "", DB_NONE};
static const struct db_statement NOTE = {
    "migrate_note",
    "INSERT INTO metercache.schema_migration (name, sha256) VALUES ($1::text, $2::bytea)",
    2, "", DB_NONE};
// clang-format on

/* ---- what must agree before anything is done ---- */

static enum status check_expected(const struct migration_files *files,
                                  const struct migrate_options *options, struct error *err)
{
    if (options->expected == NULL)
        return ST_OK;
    for (size_t i = 0; i < files->count || i < options->expected_count; i++) {
        if (i >= files->count || i >= options->expected_count ||
            strcmp(files->files[i].name, options->expected[i].name) != 0 ||
            strcmp(files->files[i].sha256, options->expected[i].sha256) != 0)
            return error_set(err, ST_PRECONDITION,
                             "migration '%s' is not the one this binary was built with",
                             i < files->count ? files->files[i].name
                                              : options->expected[i].name);
    }
    return ST_OK;
}

static enum status check_applied(const struct migration_files *files,
                                 const struct schema_applied *applied, size_t count,
                                 struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (i >= files->count || strcmp(applied[i].name, files->files[i].name) != 0)
            return error_set(err, ST_PRECONDITION,
                             "the database has migration '%s', the folder has '%s' there",
                             applied[i].name,
                             i < files->count ? files->files[i].name : "nothing");
        if (strcmp(applied[i].sha256, files->files[i].sha256) != 0)
            return error_set(err, ST_PRECONDITION,
                             "migration '%s' was changed after it had been applied",
                             applied[i].name);
    }
    return ST_OK;
}

/* ---- doing it ---- */

static enum status note_file(struct db_session *session, const struct migration_file *file,
                             uint64_t deadline_us, struct error *err)
{
    uint8_t hash[SCHEMA_HASH_SIZE];
    struct db_params params;

    if (!parse_hex(hash, sizeof(hash), file->sha256))
        return error_set(err, ST_INTERNAL, "'%s' is no hash", file->sha256);
    db_params_init(&params);
    db_param_text(&params, file->name);
    db_param_bytes(&params, hash, sizeof(hash));
    enum status st = db_execute(NULL, session, &NOTE, &params, deadline_us, err);
    db_params_done(&params);
    return st;
}

static enum status apply_file(struct db_session *session, const struct migration_file *file,
                              struct error *err)
{
    uint64_t deadline_us = clock_deadline_ms(FILE_MS);

    enum status st = db_begin_as(session, NULL, deadline_us, err);
    if (st == ST_OK)
        st = db_execute(NULL, session, &SHORT_LOCKS, NULL, deadline_us, err);
    if (st == ST_OK)
        st = db_execute_script(session, file->sql, deadline_us, err);
    if (st == ST_OK)
        st = note_file(session, file, deadline_us, err);
    if (st == ST_OK)
        st = db_commit(session, deadline_us, err);
    if (st == ST_OK)
        return ST_OK;
    db_rollback(session);
    return error_wrap(err, "migration '%s'", file->name);
}

/* Only what is missing is created: CREATE ... IF NOT EXISTS needs rights it has not later. */
static enum status prepare_database(struct db_session *session, struct error *err)
{
    uint64_t deadline_us = clock_deadline_ms(OTHER_RUNNER_MS);

    enum status st = db_execute(NULL, session, &LOCK, NULL, deadline_us, err);
    if (st == ST_OK)
        st = db_execute(NULL, session, &SCHEMA, NULL, deadline_us, err);
    if (st == ST_OK)
        st = db_execute(NULL, session, &TABLE, NULL, deadline_us, err);
    return st;
}

static enum status apply_missing(struct migrate_outcome *out, struct db_session *session,
                                 const struct migration_files *files, struct arena *arena,
                                 struct error *err)
{
    const struct schema_applied *applied;
    size_t count;

    enum status st = prepare_database(session, err);
    if (st == ST_OK)
        st = schema_list_applied(&applied, &count, session, arena,
                                 clock_deadline_ms(OTHER_RUNNER_MS), err);
    if (st == ST_OK)
        st = check_applied(files, applied, count, err);
    if (st != ST_OK)
        return st;
    for (size_t i = count; i < files->count; i++) {
        st = apply_file(session, &files->files[i], err);
        if (st != ST_OK)
            return st;
        log_event(LOG_INFO, "migration applied", LOG_STR("name", files->files[i].name));
    }
    *out = (struct migrate_outcome){.applied = files->count - count, .total = files->count};
    return ST_OK;
}

static enum status wait_for_database(struct db_session **out, struct db *db,
                                     uint64_t wait_ms, struct error *err)
{
    uint64_t deadline_us = clock_deadline_ms(wait_ms);

    for (;;) {
        enum status st = db_acquire(out, db, deadline_us, err);
        if (st != ST_UNAVAILABLE || clock_mono_us() + CONNECT_PAUSE_US >= deadline_us)
            return st;
        (void)usleep(CONNECT_PAUSE_US);
    }
}

static enum status migrate_database(struct migrate_outcome *out,
                                    const struct migrate_options *options,
                                    const struct migration_files *files, struct error *err)
{
    struct db *db;
    struct db_options db_options = {
        .conninfo = options->conninfo,
        .application = "cache-service migrate",
        .connections = 1,
        .statement_ms = FILE_MS,
        .lock_ms = OTHER_RUNNER_MS,
        .idle_in_transaction_ms = OTHER_RUNNER_MS,
    };

    enum status st = db_open(&db, &db_options, err);
    if (st != ST_OK)
        return st;
    struct db_session *session = NULL;
    struct arena arena;
    arena_init(&arena, APPLIED_ARENA_MAX);
    st = wait_for_database(&session, db, options->wait_ms, err);
    if (st == ST_OK)
        st = apply_missing(out, session, files, &arena, err);
    db_release(session);
    arena_done(&arena);
    db_close(db); /* and with it goes the advisory lock */
    return st;
}

enum status migrate_run(struct migrate_outcome *out, const struct migrate_options *options,
                        struct error *err)
{
    struct migration_files files;

    enum status st = migration_files_read(&files, options->folder, err);
    if (st != ST_OK)
        return st;
    st = check_expected(&files, options, err);
    if (st == ST_OK)
        st = migrate_database(out, options, &files, err);
    migration_files_done(&files);
    return st;
}
