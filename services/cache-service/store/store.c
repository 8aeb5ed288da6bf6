#include "store/store.h"

#include <stdatomic.h>

#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "store/schema.h"
#include "store/store_internal.h"

#define CONNECTIONS_DEFAULT    8
#define STATEMENT_MS_DEFAULT   10000
#define LOCK_MS                2000
#define IDLE_IN_TRANSACTION_MS 10000

struct store {
    struct db *primary;
    struct db *replica; /* NULL: none */
    atomic_uint event_type;
};

// clang-format off
static const struct db_statement ENSURE_PARTITIONS = {
    "ensure_partitions", "SELECT metercache.ensure_partitions($1::timestamptz)",
    1, "v", DB_ONE};
// clang-format on

static enum status open_one(struct db **out, const struct store_options *options,
                            const char *conninfo, struct error *err)
{
    struct db_options db = {
        .conninfo = conninfo,
        .application = "cache-service",
        .connections =
            options->connections == 0 ? CONNECTIONS_DEFAULT : options->connections,
        .statement_ms =
            options->statement_ms == 0 ? STATEMENT_MS_DEFAULT : options->statement_ms,
        .lock_ms = LOCK_MS,
        .idle_in_transaction_ms = IDLE_IN_TRANSACTION_MS,
    };

    return db_open(out, &db, err);
}

enum status store_open(struct store **out, const struct store_options *options,
                       struct error *err)
{
    struct db *primary, *replica = NULL;

    enum status st = open_one(&primary, options, options->conninfo, err);
    if (st != ST_OK)
        return st;
    if (options->replica_conninfo != NULL && options->replica_conninfo[0] != '\0') {
        st = open_one(&replica, options, options->replica_conninfo, err);
        if (st != ST_OK) {
            db_close(primary);
            return error_wrap(err, "replica");
        }
    }
    struct store *store = mem_alloc(sizeof(*store));
    store->primary = primary;
    store->replica = replica;
    *out = store;
    return ST_OK;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    db_close(store->replica);
    db_close(store->primary);
    mem_free(store);
}

enum status store_check(const struct store_call *call, struct error *err)
{
    struct db_session *session;

    enum status st = db_acquire(&session, call->store->primary, call->deadline_us, err);
    if (st != ST_OK)
        return st;
    st = schema_check_settings(session, call->deadline_us, err);
    if (st == ST_OK)
        st = schema_check_version(session, call->arena, call->deadline_us, err);
    db_release(session);
    return st;
}

enum status store_ensure_partitions(const struct store_call *call, int64_t until_us,
                                    struct error *err)
{
    struct db_params params;

    db_params_init(&params);
    db_param_time(&params, until_us);
    return store_write(NULL, call, &ENSURE_PARTITIONS, &params, err);
}

uint32_t store_event_type(struct store *store)
{
    return atomic_load(&store->event_type);
}

void store_set_event_type(struct store *store, uint32_t oid)
{
    atomic_store(&store->event_type, oid);
}

bool store_is_reachable(struct store *store)
{
    struct db_load load;

    db_load(store->primary, &load);
    return load.reachable;
}

/* ---- for the domain stores ---- */

/* So that a replica that hangs leaves time to ask the primary. */
static uint64_t half_way(uint64_t deadline_us)
{
    uint64_t now_us = clock_mono_us();

    return deadline_us <= now_us ? deadline_us : now_us + (deadline_us - now_us) / 2;
}

static enum status run(struct db_result *out, struct db *db, const struct store_call *call,
                       const struct db_statement *statement, const struct db_params *params,
                       struct error *err)
{
    struct db_session *session;
    uint64_t deadline_us = call->deadline_us;

    if (db != call->store->primary)
        deadline_us = half_way(deadline_us);
    enum status st = db_acquire(&session, db, deadline_us, err);
    if (st != ST_OK)
        return st;
    st = db_execute(out, session, statement, params, deadline_us, err);
    db_release(session);
    if (st == ST_OK && out != NULL)
        out->arena = call->arena;
    return st;
}

static void consume(struct db_params *params)
{
    if (params != NULL)
        db_params_done(params);
}

enum status store_write(struct db_result *out, const struct store_call *call,
                        const struct db_statement *statement, struct db_params *params,
                        struct error *err)
{
    enum status st = run(out, call->store->primary, call, statement, params, err);
    consume(params);
    return st;
}

enum status store_read(struct db_result *out, const struct store_call *call,
                       const struct db_statement *statement, struct db_params *params,
                       struct error *err)
{
    enum status st = ST_UNAVAILABLE;

    if (call->may_lag && call->store->replica != NULL)
        st = run(out, call->store->replica, call, statement, params, err);
    if (st == ST_UNAVAILABLE || st == ST_DEADLINE)
        st = run(out, call->store->primary, call, statement, params, err);
    consume(params);
    return st;
}

enum status store_begin(struct store_tx *tx, const struct store_call *call,
                        const char *user, struct error *err)
{
    struct db_session *session;

    enum status st = db_acquire(&session, call->store->primary, call->deadline_us, err);
    if (st != ST_OK)
        return st;
    st = db_begin_as(session, user, call->deadline_us, err);
    if (st != ST_OK) {
        db_rollback(session);
        db_release(session);
        return st;
    }
    *tx = (struct store_tx){.call = call, .session = session};
    return ST_OK;
}

enum status store_step(struct db_result *out, struct store_tx *tx,
                       const struct db_statement *statement, struct db_params *params,
                       struct error *err)
{
    enum status st =
        db_execute(out, tx->session, statement, params, tx->call->deadline_us, err);
    if (st == ST_OK && out != NULL)
        out->arena = tx->call->arena;
    consume(params);
    return st;
}

enum status store_end(struct store_tx *tx, enum status st, struct error *err)
{
    if (st == ST_OK)
        st = db_commit(tx->session, tx->call->deadline_us, err);
    if (st != ST_OK)
        db_rollback(tx->session);
    db_release(tx->session);
    tx->session = NULL;
    return st;
}
