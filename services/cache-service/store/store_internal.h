/*
 * store_internal.h - what the domain stores share; not for files outside store/.
 *
 * `params` are consumed by every function here, on failure too. Results read their texts
 * into the call's arena.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "core/error.h"
#include "store/db.h"
#include "store/statement.h"
#include "store/store.h"

/* One statement, one transaction, on the primary. */
MUST_USE enum status store_write(struct db_result *out, const struct store_call *call,
                                 const struct db_statement *statement,
                                 struct db_params *params, struct error *err);
/* The same for a read; on a replica where the call allows and one answers. */
MUST_USE enum status store_read(struct db_result *out, const struct store_call *call,
                                const struct db_statement *statement,
                                struct db_params *params, struct error *err);

/* The number of the row type metercache.ledger_event in this database; 0: not known. */
uint32_t store_event_type(struct store *store);
void store_set_event_type(struct store *store, uint32_t oid);

/* Several statements in one transaction, on the primary. */
struct store_tx {
    const struct store_call *call;
    struct db_session *session;
};

/* `user` NULL: nobody's, see db_begin_as. On failure there is nothing to end. */
MUST_USE enum status store_begin(struct store_tx *tx, const struct store_call *call,
                                 const char *user, struct error *err);
MUST_USE enum status store_step(struct db_result *out, struct store_tx *tx,
                                const struct db_statement *statement,
                                struct db_params *params, struct error *err);
/* Commit when `st` is ST_OK, else roll back and hand `st` on. */
MUST_USE enum status store_end(struct store_tx *tx, enum status st, struct error *err);

#endif /* STORE_STORE_INTERNAL_H */
