/*
 * db_status.h - what a SQLSTATE means to us, in one table. Pure; prefix `db_`.
 */
#ifndef STORE_DB_STATUS_H
#define STORE_DB_STATUS_H

#include "core/status.h"

struct db_fault {
    enum status status;
    const char *reason; /* for error_reason; "" when none */
};

/* The longest row that `sqlstate` starts with; ST_INTERNAL when there is none. NULL or ""
 * (no answer came): the connection is lost. */
struct db_fault db_fault_of(const char *sqlstate);

#endif /* STORE_DB_STATUS_H */
