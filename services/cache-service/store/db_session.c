#include "store/db_session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "core/clock.h"

#define HOST_CONNECT_MS 3000

static int poll_timeout(uint64_t deadline_us)
{
    uint64_t left_ms = clock_left_ms(deadline_us);

    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

enum status db_session_wait(struct db_session *session, short events, uint64_t deadline_us,
                            struct error *err)
{
    struct pollfd fd = {.fd = PQsocket(session->connection), .events = events};

    if (fd.fd < 0)
        return error_set(err, ST_UNAVAILABLE, "the database connection is lost");
    for (;;) {
        int ready = poll(&fd, 1, poll_timeout(deadline_us));

        if (ready > 0)
            return ST_OK;
        if (ready == 0)
            return error_set(err, ST_DEADLINE, "the database did not answer in time");
        if (errno != EINTR)
            return error_set(err, ST_UNAVAILABLE,
                             "the database connection cannot be polled");
    }
}

/* libpq's text ends with a newline and may have several lines; the first says most. */
static enum status connect_failed(struct db_session *session, struct error *err)
{
    const char *text = PQerrorMessage(session->connection);

    enum status st = error_set(err, ST_UNAVAILABLE, "%.*s", (int)strcspn(text, "\n"), text);
    db_session_disconnect(session);
    return st;
}

enum status db_session_connect(struct db_session *session, const struct conninfo *info,
                               uint64_t deadline_us, struct error *err)
{
    uint64_t limit_us = clock_deadline_ms((uint64_t)HOST_CONNECT_MS * info->hosts);

    if (deadline_us > limit_us)
        deadline_us = limit_us;
    session->broken = false;
    session->prepared_count = 0;
    session->connection = PQconnectStartParams(info->keywords, info->values, 0);
    if (session->connection == NULL)
        return error_set(err, ST_UNAVAILABLE, "no memory for a database connection");
    if (PQstatus(session->connection) == CONNECTION_BAD)
        return connect_failed(session, err);

    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (db_session_wait(session, events, deadline_us, err) != ST_OK) {
            db_session_disconnect(session);
            return error_set(err, ST_UNAVAILABLE, "connecting took too long");
        }
        state = PQconnectPoll(session->connection);
        if (state == PGRES_POLLING_FAILED)
            return connect_failed(session, err);
    }
    if (PQsetnonblocking(session->connection, 1) != 0)
        return connect_failed(session, err);
    return ST_OK;
}

void db_session_disconnect(struct db_session *session)
{
    PQfinish(session->connection);
    session->connection = NULL;
    session->prepared_count = 0;
    session->broken = false;
}

bool db_session_is_alive(const struct db_session *session)
{
    struct pollfd fd = {.fd = PQsocket(session->connection), .events = POLLIN};

    return fd.fd >= 0 && poll(&fd, 1, 0) == 0;
}
