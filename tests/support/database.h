/*
 * database.h - questions to the stack's Postgres, as one of its roles.
 *
 * A statement that fails ends the test, unless the function says otherwise. A connection
 * that was lost is made anew by the next question.
 *
 * Threads: one owner.
 */
#ifndef SUPPORT_DATABASE_H
#define SUPPORT_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base.h"
#include "support/stack.h"

enum database_role {
    DATABASE_OWNER,
    DATABASE_RUNTIME,
    DATABASE_READER,
    DATABASE_SUPERUSER, /* sees all rows, whatever the policies say */
};

struct database;

struct database *database_open(struct stack *stack, enum database_role role);
void database_close(struct database *database); /* accepts NULL */

/* One number from one row; `parameters` are text for $1.., ended by NULL, or NULL. */
int64_t database_number(struct database *database, const char *sql,
                        const char *const *parameters);
/* One text, or NULL when there is no row; owned by the caller (mem_free). */
char *database_text(struct database *database, const char *sql,
                    const char *const *parameters);
/* Run it; true when it succeeded. The SQLSTATE of a failure is in state[]. */
bool database_try(struct database *database, const char *sql, char state[6]) MUST_USE;

#endif /* SUPPORT_DATABASE_H */
