#include "store/schema.h"

#include <string.h>

#include "core/base.h"
#include "core/parse.h"
#include "store/statement.h"

// clang-format off
const struct schema_version SCHEMA_VERSIONS[] = {
    {"0001_schema.sql",
     "582a361c0b40fed3545aecdcf6122697a3b744663f0264dd446c83f699bdbecf"},
    {"0002_creators.sql",
     "9b32036e3939477e3aadf17bd1798f23f0066df495e94c93090845fc129263ea"},
    {"0003_searches.sql",
     "1b10772e5b8db45c20cc90318f0a2b181b4ba69761cf34927c9bbcb3ad319667"},
    {"0004_ledger.sql",
     "1ff704d93a1df4bc58cf20a5d15db0a3452568c6b46b1f4e7a01601ce36c2c92"},
    {"0005_partitions.sql",
     "046fd650730f1f6978fa996818383336181eadf2408c86cc19020f132c5fd865"},
    {"0006_ledger_commit.sql",
     "ac28086a993d73537ff3f809292774ce65c4941a4333fb88471a88ccda64aa7f"},
    {"0007_ledger_scopes.sql",
     "379a6b0ad3ac95b5cfd03913daf8d972182882c9a281d54e51261a463ed239fc"},
    {"0008_ledger_commit.sql",
     "df468394123c9dc1fcc5021261c5a6a49827c0f8e472b3f6d8ae1c22efc87206"},
    {"0009_ledger_closings.sql",
     "d1de2c34b30bccdedb012cc68282967f1a577450edeb479f9083bf848e82bf39"},
};
const size_t SCHEMA_VERSION_COUNT = COUNT_OF(SCHEMA_VERSIONS);

static const struct db_statement SETTINGS = {
    "schema_settings",
    "SELECT current_setting('fsync'), current_setting('full_page_writes'),"
    "       current_setting('synchronous_commit'),"
    "       r.rolsuper, r.rolbypassrls, COALESCE(pg_has_role(r.oid, n.nspowner, 'MEMBER'), false)"
    " FROM pg_catalog.pg_roles AS r"
    " LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'metercache'"
    " WHERE r.rolname = current_user",
    0, "tttbbb", DB_ONE};

static const struct db_statement APPLIED = {
    "schema_applied", "SELECT name, sha256 FROM metercache.schema_migration ORDER BY name",
    0, "ty", DB_MANY};
// clang-format on

static enum status refuse_setting(struct error *err, const char *name, const char *value)
{
    return error_set(err, ST_PRECONDITION,
                     "the database has %s = %s: what it acknowledges may be lost", name,
                     value);
}

static enum status judge_settings(struct db_result *result, struct error *err)
{
    const char *synchronous = db_text(result, 0, 2);

    if (strcmp(db_text(result, 0, 0), "on") != 0)
        return refuse_setting(err, "fsync", "off");
    if (strcmp(db_text(result, 0, 1), "on") != 0)
        return refuse_setting(err, "full_page_writes", "off");
    if (strcmp(synchronous, "on") != 0 && strcmp(synchronous, "remote_apply") != 0)
        return refuse_setting(err, "synchronous_commit", synchronous);
    if (db_bool(result, 0, 3) || db_bool(result, 0, 4))
        return error_set(err, ST_PRECONDITION,
                         "the database role escapes row-level security: it must be neither "
                         "superuser nor BYPASSRLS");
    if (db_bool(result, 0, 5))
        return error_set(err, ST_PRECONDITION,
                         "the database role owns the schema: serve as metercache_runtime");
    return ST_OK;
}

enum status schema_check_settings(struct db_session *session, uint64_t deadline_us,
                                  struct error *err)
{
    struct db_result result;
    struct arena arena;

    enum status st = db_execute(&result, session, &SETTINGS, NULL, deadline_us, err);
    if (st != ST_OK)
        return st;
    arena_init(&arena, 4096);
    result.arena = &arena;
    st = judge_settings(&result, err);
    db_result_done(&result);
    arena_done(&arena);
    return st;
}

enum status schema_list_applied(const struct schema_applied **out, size_t *count,
                                struct db_session *session, struct arena *arena,
                                uint64_t deadline_us, struct error *err)
{
    struct db_result result;

    enum status st = db_execute(&result, session, &APPLIED, NULL, deadline_us, err);
    if (st != ST_OK)
        return st;
    result.arena = arena;
    size_t rows = (size_t)result.rows;
    struct schema_applied *list = arena_alloc_array(arena, rows + 1, sizeof(*list));
    if (list == NULL) {
        db_result_done(&result);
        return error_set(err, ST_EXHAUSTED, "too many applied migrations");
    }
    for (size_t i = 0; i < rows; i++) {
        uint8_t hash[SCHEMA_HASH_SIZE];

        list[i].name = db_text(&result, (int)i, 0);
        db_bytes(&result, (int)i, 1, hash, sizeof(hash));
        parse_format_hex(list[i].sha256, hash, sizeof(hash));
    }
    st = db_result_finish(&result, err);
    if (st != ST_OK)
        return st;
    *out = list;
    *count = rows;
    return ST_OK;
}

/* ST_UNAVAILABLE and the like stay; "no such table" and "no right to look" become a plain
 * answer. */
static bool is_passing(enum status st)
{
    return st == ST_UNAVAILABLE || st == ST_DEADLINE || st == ST_EXHAUSTED;
}

enum status schema_check_version(struct db_session *session, struct arena *arena,
                                 uint64_t deadline_us, struct error *err)
{
    const struct schema_applied *applied;
    size_t count;

    enum status st =
        schema_list_applied(&applied, &count, session, arena, deadline_us, err);
    if (is_passing(st))
        return st;
    if (st != ST_OK)
        return error_set(
            err, ST_PRECONDITION,
            "the database has no metercache schema: run 'cache-service migrate'");

    for (size_t i = 0; i < count && i < SCHEMA_VERSION_COUNT; i++) {
        if (strcmp(applied[i].name, SCHEMA_VERSIONS[i].name) != 0)
            return error_set(err, ST_PRECONDITION,
                             "the database has migration '%s' where this binary knows '%s'",
                             applied[i].name, SCHEMA_VERSIONS[i].name);
        if (strcmp(applied[i].sha256, SCHEMA_VERSIONS[i].sha256) != 0)
            return error_set(err, ST_PRECONDITION,
                             "migration '%s' was applied with other content",
                             applied[i].name);
    }
    if (count < SCHEMA_VERSION_COUNT)
        return error_set(err, ST_PRECONDITION,
                         "migration '%s' is not applied: run 'cache-service migrate'",
                         SCHEMA_VERSIONS[count].name);
    if (count > SCHEMA_VERSION_COUNT)
        return error_set(err, ST_PRECONDITION,
                         "the database has migration '%s', which this binary does not know",
                         applied[SCHEMA_VERSION_COUNT].name);
    return ST_OK;
}
