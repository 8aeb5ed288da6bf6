/*
 * scratch_file.h - small files for tests, in the test's own folder.
 */
#ifndef TESTS_UNIT_DAEMON_SCRATCH_FILE_H
#define TESTS_UNIT_DAEMON_SCRATCH_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/test.h"

#define SCRATCH_PATH_SIZE 512

/* The path of `name`; the folder is the runner's, else the temporary one. */
static inline const char *scratch_path(char out[SCRATCH_PATH_SIZE], const char *name)
{
    const char *folder = getenv("TEST_DIR");

    if (folder != NULL)
        snprintf(out, SCRATCH_PATH_SIZE, "%s/%s", folder, name);
    else
        snprintf(out, SCRATCH_PATH_SIZE, P_tmpdir "/metercache-%ld-%s", (long)getpid(),
                 name);
    return out;
}

static inline void scratch_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void scratch_write_text(const char *path, const char *text)
{
    scratch_write(path, text, strlen(text));
}

#endif /* TESTS_UNIT_DAEMON_SCRATCH_FILE_H */
