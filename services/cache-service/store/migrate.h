/*
 * migrate.h - `cache-service migrate`: brings a database to the schema of the binary.
 *
 * Under an advisory lock, each file of the folder that is missing runs in one transaction
 * with the row that says so (name, SHA-256). What was applied must lie in the folder
 * unchanged, and the folder must hold what the binary was built with: else nothing is done.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "store/schema.h"

struct migrate_options {
    const char *conninfo; /* of the owner's role */
    const char *folder;
    uint64_t wait_ms; /* for the database to come up */
    /* What the folder must hold; NULL: anything. Serving binaries pass SCHEMA_VERSIONS. */
    const struct schema_version *expected;
    size_t expected_count;
};

struct migrate_outcome {
    size_t applied; /* now */
    size_t total;
};

/*
 * ST_PRECONDITION: the folder, the database and the binary disagree; the message names the
 * file. ST_UNAVAILABLE: no database within wait_ms. A failing file leaves those before it.
 */
MUST_USE enum status migrate_run(struct migrate_outcome *out,
                                 const struct migrate_options *options, struct error *err);

#endif /* STORE_MIGRATE_H */
