/*
 * migration_files.h - the numbered files of a migrations folder, read and hashed.
 */
#ifndef STORE_MIGRATION_FILES_H
#define STORE_MIGRATION_FILES_H

#include <stddef.h>

#include "core/error.h"
#include "store/schema.h"

#define MIGRATION_FILES_MAX     1000
#define MIGRATION_FILE_MAX_SIZE (1u << 20)

struct migration_file {
    char *name;
    char *sql; /* NUL-terminated */
    char sha256[2 * SCHEMA_HASH_SIZE + 1];
};

struct migration_files {
    struct migration_file *files; /* by number */
    size_t count;
};

/*
 * Files are named NNNN_what.sql; bootstrap.sql and what does not end in .sql are not ours.
 * ST_PRECONDITION names another .sql file, a number used twice, a file too large or one
 * with a NUL byte. ST_INVALID when the folder cannot be read.
 */
MUST_USE enum status migration_files_read(struct migration_files *out, const char *folder,
                                          struct error *err);
void migration_files_done(struct migration_files *files);

#endif /* STORE_MIGRATION_FILES_H */
