#include "store/db_status.h"

#include <stddef.h>
#include <string.h>

#include "core/base.h"

/* ST_UNAVAILABLE: the outcome of a write is not known, or nothing can be written now. */
// clang-format off
static const struct row {
    const char *prefix;
    struct db_fault fault;
} ROWS[] = {
    {"08",    {ST_UNAVAILABLE,  ""}},                      /* connection exception */
    {"22",    {ST_INVALID,      ""}},                      /* data exception */
    {"22P05", {ST_INVALID,      "UNSTORABLE_TEXT"}},       /* such as \u0000 in jsonb */
    {"23",    {ST_PRECONDITION, "CONSTRAINT"}},
    {"23503", {ST_NOT_FOUND,    ""}},                      /* foreign key */
    {"23505", {ST_EXISTS,       "DUPLICATE"}},
    {"25006", {ST_UNAVAILABLE,  "READ_ONLY_DATABASE"}},    /* a standby, after a failover */
    {"25P03", {ST_UNAVAILABLE,  ""}},                      /* idle in transaction too long */
    {"40",    {ST_ABORTED,      ""}},                      /* serialization, deadlock */
    {"40003", {ST_UNAVAILABLE,  ""}},                      /* completion unknown */
    {"42501", {ST_DENIED,       ""}},                      /* also row-level security */
    {"53",    {ST_UNAVAILABLE,  "DATABASE_RESOURCES"}},    /* disk, memory, connections */
    {"55P03", {ST_ABORTED,      "LOCK_TIMEOUT"}},
    {"57",    {ST_UNAVAILABLE,  ""}},                      /* shutdown, crash, starting up */
    {"57014", {ST_DEADLINE,     ""}},                      /* statement_timeout */
    {"58",    {ST_UNAVAILABLE,  "DATABASE_IO"}},
    {"XX001", {ST_DATA_LOSS,    "DATABASE_CORRUPT"}},
    {"XX002", {ST_DATA_LOSS,    "DATABASE_CORRUPT"}},
    {"MC001", {ST_PRECONDITION, "FENCED"}},                /* metercache.ledger_commit */
    {"MC002", {ST_PRECONDITION, "WRONG_BATCH"}},
    {"MC003", {ST_PRECONDITION, "COUNTERS_DISAGREE"}},
    {"MC004", {ST_PRECONDITION, "RESERVATION_NOT_OPEN"}},
    {"MC005", {ST_DATA_LOSS,    "CHAIN_BROKEN"}},
};
// clang-format on

struct db_fault db_fault_of(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return (struct db_fault){ST_UNAVAILABLE, ""};
    struct db_fault best = {ST_INTERNAL, ""};
    size_t best_length = 0;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        size_t length = strlen(ROWS[i].prefix);

        if (length > best_length && strncmp(sqlstate, ROWS[i].prefix, length) == 0) {
            best = ROWS[i].fault;
            best_length = length;
        }
    }
    return best;
}
