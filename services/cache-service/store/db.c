#include "store/db.h"

#include "core/clock.h"
#include "core/list.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/stats.h"
#include "core/thread.h"
#include "store/conninfo.h"
#include "store/db_session.h"
#include "store/statement.h"

#define REFUSE_AFTER_FAILURE_MS 200
#define RETRY_WHEN_BUSY_MS      100
#define ROLLBACK_MS             1000

struct db {
    struct conninfo info;
    pthread_mutex_t mutex; /* guards all below but `expired` */
    pthread_cond_t released;
    struct list idle; /* connected ones first: the hottest is taken first */
    struct db_session *sessions;
    unsigned limit;
    unsigned open;
    unsigned busy;
    uint64_t opened;
    uint64_t refuse_until_us; /* monotonic; 0 when the last connect worked */
    atomic_uint_fast64_t expired;
};

// clang-format off
static const struct db_statement BEGIN = {"begin", "BEGIN", 0, "", DB_NONE};
static const struct db_statement SET_USER = {
    "set_user", "SELECT set_config('app.user', $1::text, true)", 1, "t", DB_ONE};
static const struct db_statement COMMIT = {"commit", "COMMIT", 0, "", DB_NONE};
static const struct db_statement ROLLBACK = {"rollback", "ROLLBACK", 0, "", DB_NONE};
// clang-format on

enum {
    CONNECTIONS_OPEN,
    CONNECTIONS_BUSY,
    CONNECTS_FAILED,
};

// clang-format off
static struct stats_metric metrics[] = {
    [CONNECTIONS_OPEN] = {.name = "metercache_database_connections_open",
                          .kind = STATS_GAUGE, .help = "Connections to Postgres"},
    [CONNECTIONS_BUSY] = {.name = "metercache_database_connections_busy",
                          .kind = STATS_GAUGE, .help = "Sessions that a call holds"},
    [CONNECTS_FAILED]  = {.name = "metercache_database_connects_failed_total",
                          .kind = STATS_COUNTER, .help = "Connects that failed"},
};
// clang-format on
static atomic_uint pool_count; /* the metrics are shared by all pools of the process */

/* libpq prints notices to standard error unless told otherwise. */
static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

enum status db_open(struct db **out, const struct db_options *options, struct error *err)
{
    struct conninfo info;
    struct conninfo_extras extras = {
        .application = options->application,
        .statement_ms = options->statement_ms,
        .lock_ms = options->lock_ms,
        .idle_in_transaction_ms = options->idle_in_transaction_ms,
    };

    enum status st = conninfo_parse(&info, options->conninfo, &extras, err);
    if (st != ST_OK)
        return st;

    struct db *db = mem_alloc(sizeof(*db));
    db->info = info;
    mutex_init(&db->mutex);
    condition_init(&db->released);
    list_init(&db->idle);
    atomic_init(&db->expired, 0);
    db->limit = options->connections;
    db->sessions = mem_alloc_array(db->limit, sizeof(*db->sessions));
    for (unsigned i = 0; i < db->limit; i++) {
        db->sessions[i].db = db;
        db->sessions[i].expired = &db->expired;
        list_append(&db->idle, &db->sessions[i].idle);
    }
    if (atomic_fetch_add(&pool_count, 1) == 0)
        stats_register(metrics, COUNT_OF(metrics));
    *out = db;
    return ST_OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (unsigned i = 0; i < db->limit; i++)
        if (db->sessions[i].connection != NULL) {
            db_session_disconnect(&db->sessions[i]);
            stats_add(&metrics[CONNECTIONS_OPEN], -1);
        }
    if (atomic_fetch_sub(&pool_count, 1) == 1)
        stats_unregister(metrics);
    mem_free(db->sessions);
    conninfo_done(&db->info);
    condition_done(&db->released);
    mutex_done(&db->mutex);
    mem_free(db);
}

/* A session nobody has, or NULL when the deadline passes first. */
static struct db_session *take_idle(struct db *db, uint64_t deadline_us)
{
    mutex_lock(&db->mutex);
    bool in_time = true;
    while (list_is_empty(&db->idle) && in_time)
        in_time = condition_wait_until(&db->released, &db->mutex, deadline_us);
    struct list_link *link = list_take_first(&db->idle);
    if (link != NULL) {
        db->busy++;
        stats_add(&metrics[CONNECTIONS_BUSY], 1);
    }
    mutex_unlock(&db->mutex);
    return link == NULL ? NULL : list_item(link, struct db_session, idle);
}

static void put_idle(struct db *db, struct db_session *session)
{
    mutex_lock(&db->mutex);
    db->busy--;
    stats_add(&metrics[CONNECTIONS_BUSY], -1);
    if (session->connection != NULL)
        list_prepend(&db->idle, &session->idle);
    else
        list_append(&db->idle, &session->idle);
    condition_signal(&db->released);
    mutex_unlock(&db->mutex);
}

static void note_disconnect(struct db *db, struct db_session *session)
{
    db_session_disconnect(session);
    mutex_lock(&db->mutex);
    db->open--;
    stats_add(&metrics[CONNECTIONS_OPEN], -1);
    mutex_unlock(&db->mutex);
}

static enum status refuse(struct error *err)
{
    (void)error_set(err, ST_UNAVAILABLE, "the database is not reachable");
    err->retry_after_ms = REFUSE_AFTER_FAILURE_MS;
    return ST_UNAVAILABLE;
}

static enum status refuse_busy(const struct db *db, struct error *err)
{
    (void)error_set(err, ST_UNAVAILABLE, "all %u database connections are busy", db->limit);
    err->retry_after_ms = RETRY_WHEN_BUSY_MS;
    return error_reason(err, "DATABASE_BUSY");
}

static enum status connect_session(struct db *db, struct db_session *session,
                                   uint64_t deadline_us, struct error *err)
{
    mutex_lock(&db->mutex);
    bool wait = db->refuse_until_us > clock_mono_us();
    mutex_unlock(&db->mutex);
    if (wait)
        return refuse(err);

    enum status st = db_session_connect(session, &db->info, deadline_us, err);
    mutex_lock(&db->mutex);
    if (st == ST_OK) {
        db->open++;
        stats_add(&metrics[CONNECTIONS_OPEN], 1);
        db->opened++;
        db->refuse_until_us = 0;
    } else {
        stats_add(&metrics[CONNECTS_FAILED], 1);
        db->refuse_until_us = clock_deadline_ms(REFUSE_AFTER_FAILURE_MS);
    }
    mutex_unlock(&db->mutex);
    if (st == ST_OK) {
        PQsetNoticeProcessor(session->connection, ignore_notice, NULL);
        return ST_OK;
    }
    /* The server's words name hosts and roles: for the operator, not for the caller. */
    log_event(LOG_WARN, "database connect failed", LOG_STR("error", err->message));
    return refuse(err);
}

enum status db_acquire(struct db_session **out, struct db *db, uint64_t deadline_us,
                       struct error *err)
{
    struct db_session *session = take_idle(db, deadline_us);

    if (session == NULL)
        return refuse_busy(db, err);
    if (session->connection != NULL && !db_session_is_alive(session))
        note_disconnect(db, session);
    if (session->connection == NULL) {
        enum status st = connect_session(db, session, deadline_us, err);
        if (st != ST_OK) {
            put_idle(db, session);
            return st;
        }
    }
    *out = session;
    return ST_OK;
}

void db_release(struct db_session *session)
{
    if (session == NULL)
        return;
    if (session->broken || PQtransactionStatus(session->connection) != PQTRANS_IDLE)
        note_disconnect(session->db, session);
    put_idle(session->db, session);
}

enum status db_begin_as(struct db_session *session, const char *user, uint64_t deadline_us,
                        struct error *err)
{
    enum status st = db_execute(NULL, session, &BEGIN, NULL, deadline_us, err);
    if (st != ST_OK || user == NULL)
        return st;
    struct db_params params;
    db_params_init(&params);
    db_param_text(&params, user);
    st = db_execute(NULL, session, &SET_USER, &params, deadline_us, err);
    db_params_done(&params);
    return st;
}

enum status db_commit(struct db_session *session, uint64_t deadline_us, struct error *err)
{
    struct db_result result;

    enum status st = db_execute(&result, session, &COMMIT, NULL, deadline_us, err);
    if (st != ST_OK)
        return st;
    /* Of a transaction that had failed, COMMIT makes a rollback, without an error. */
    if (!db_has_tag(&result, "COMMIT"))
        st = error_set(err, ST_INTERNAL, "a failed transaction was to be committed");
    db_result_done(&result);
    return st;
}

void db_rollback(struct db_session *session)
{
    struct error ignored = ERROR_NONE;

    if (session->broken || PQtransactionStatus(session->connection) == PQTRANS_IDLE)
        return;
    if (db_execute(NULL, session, &ROLLBACK, NULL, clock_deadline_ms(ROLLBACK_MS),
                   &ignored) != ST_OK)
        session->broken = true;
}

void db_load(struct db *db, struct db_load *out)
{
    mutex_lock(&db->mutex);
    *out = (struct db_load){
        .open = db->open,
        .busy = db->busy,
        .opened = db->opened,
        .expired = atomic_load(&db->expired),
        .reachable = db->refuse_until_us == 0,
    };
    mutex_unlock(&db->mutex);
}
