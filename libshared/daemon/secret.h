/*
 * secret.h - text that must not reach disk, a core dump or a neighbour: in locked memory
 * between guard pages, kept out of core dumps, wiped when freed.
 *
 * Where the kernel refuses to lock (RLIMIT_MEMLOCK), the text is kept all the same.
 *
 * Threads: any; a secret itself is one caller's at a time.
 */
#ifndef DAEMON_SECRET_H
#define DAEMON_SECRET_H

#include <stddef.h>

#include "core/error.h"

#define SECRET_FILE_MAX 65536 /* bytes of a secret's file */

/* A copy of `size` bytes with a NUL behind them; owned, never NULL. */
char *secret_copy(const char *data, size_t size) MUST_USE;

/*
 * The content of a file of at most SECRET_FILE_MAX bytes, without its last line end.
 * *out is owned. ST_INVALID: cannot be read, too long, or holds a NUL byte.
 */
MUST_USE enum status secret_read_file(char **out, const char *path, struct error *err);

void secret_free(char *secret); /* accepts NULL */

#endif /* DAEMON_SECRET_H */
