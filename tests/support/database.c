#include "support/database.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "support/test.h"

#define OWNER          "metercache_owner"
#define SUPERUSER      "postgres"
#define PARAMETERS_MAX 8

struct database {
    char *url;
    PGconn *connection;
};

/* The owner's address with the superuser's name in it. */
static char *superuser_url(const char *owner_url)
{
    const char *at = strstr(owner_url, OWNER);

    if (at == NULL)
        fail_msg("no role in %s", owner_url);
    return mem_printf("%.*s" SUPERUSER "%s", (int)(at - owner_url), owner_url,
                      at + strlen(OWNER));
}

static void must_connect(struct database *database)
{
    if (database->connection != NULL && PQstatus(database->connection) == CONNECTION_OK)
        return;
    PQfinish(database->connection);
    database->connection = PQconnectdb(database->url);
    if (PQstatus(database->connection) != CONNECTION_OK)
        fail_msg("%s: %s", database->url, PQerrorMessage(database->connection));
}

struct database *database_open(struct stack *stack, enum database_role role)
{
    static const char *const URLS[] = {
        [DATABASE_OWNER] = "STACK_DATABASE_OWNER_URL",
        [DATABASE_RUNTIME] = "STACK_DATABASE_RUNTIME_URL",
        [DATABASE_READER] = "STACK_DATABASE_READER_URL",
        [DATABASE_SUPERUSER] = "STACK_DATABASE_OWNER_URL",
    };
    const char *url = stack_value(stack, URLS[role]);
    struct database *database = mem_alloc(sizeof(*database));

    database->url = role == DATABASE_SUPERUSER ? superuser_url(url) : mem_strdup(url);
    must_connect(database);
    return database;
}

void database_close(struct database *database)
{
    if (database == NULL)
        return;
    PQfinish(database->connection);
    mem_free(database->url);
    mem_free(database);
}

static PGresult *query(struct database *database, const char *sql,
                       const char *const *parameters)
{
    int count = 0;
    PGresult *result;

    while (parameters != NULL && count < PARAMETERS_MAX && parameters[count] != NULL)
        count++;
    must_connect(database);
    result =
        PQexecParams(database->connection, sql, count, NULL, parameters, NULL, NULL, 0);
    if (PQstatus(database->connection) !=
        CONNECTION_OK) { /* Postgres was killed meanwhile */
        PQclear(result);
        must_connect(database);
        result =
            PQexecParams(database->connection, sql, count, NULL, parameters, NULL, NULL, 0);
    }
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQresultErrorMessage(result));
    return result;
}

int64_t database_number(struct database *database, const char *sql,
                        const char *const *parameters)
{
    PGresult *result = query(database, sql, parameters);
    int64_t number;

    if (PQntuples(result) != 1 || PQgetisnull(result, 0, 0))
        fail_msg("no number: %s", sql);
    number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

char *database_text(struct database *database, const char *sql,
                    const char *const *parameters)
{
    PGresult *result = query(database, sql, parameters);
    char *text = PQntuples(result) == 0 ? NULL : mem_strdup(PQgetvalue(result, 0, 0));

    PQclear(result);
    return text;
}

bool database_try(struct database *database, const char *sql, char state[6])
{
    PGresult *result;
    const char *code;
    bool is_ok;

    must_connect(database);
    result = PQexec(database->connection, sql);
    is_ok = PQresultStatus(result) == PGRES_TUPLES_OK ||
            PQresultStatus(result) == PGRES_COMMAND_OK;
    code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    (void)snprintf(state, 6, "%s", code == NULL ? "" : code);
    PQclear(result);
    return is_ok;
}
