/*
 * schema.h - the schema this binary was built for, and whether a database has it; prefix
 * `schema_`.
 *
 * A new migration is one file under migrations/ and one row in schema.c.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"

#define SCHEMA_HASH_SIZE 32

struct db_session;

struct schema_version {
    const char *name;   /* of the file */
    const char *sha256; /* of its bytes, 64 lower-case hex digits */
};

extern const struct schema_version SCHEMA_VERSIONS[];
extern const size_t SCHEMA_VERSION_COUNT;

/* ST_PRECONDITION names the setting or the right of the role that is not safe. */
MUST_USE enum status schema_check_settings(struct db_session *session, uint64_t deadline_us,
                                           struct error *err);
/* ST_PRECONDITION unless exactly SCHEMA_VERSIONS have been applied. */
MUST_USE enum status schema_check_version(struct db_session *session, struct arena *arena,
                                          uint64_t deadline_us, struct error *err);

/* One migration the database has, as the runner wrote it down. */
struct schema_applied {
    const char *name;
    char sha256[2 * SCHEMA_HASH_SIZE + 1];
};
/* All of them by name, into `arena`. */
MUST_USE enum status schema_list_applied(const struct schema_applied **out, size_t *count,
                                         struct db_session *session, struct arena *arena,
                                         uint64_t deadline_us, struct error *err);

#endif /* STORE_SCHEMA_H */
