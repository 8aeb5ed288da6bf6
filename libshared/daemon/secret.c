#include "daemon/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"

static char *allocate(size_t size)
{
    if (sodium_init() < 0)
        log_abort("libsodium does not start", 0);

    char *memory = sodium_malloc(size);

    if (memory == NULL)
        log_abort("no memory for a secret", errno);
    return memory;
}

char *secret_copy(const char *data, size_t size)
{
    char *copy = allocate(size + 1);

    memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

void secret_free(char *secret)
{
    sodium_free(secret);
}

/* Bytes read, at most `size`; -1 with errno on failure. */
static ssize_t read_all(int fd, char *out, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got = read(fd, out + used, size - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

static size_t without_line_end(const char *data, size_t size)
{
    if (size > 0 && data[size - 1] == '\n')
        size--;
    if (size > 0 && data[size - 1] == '\r')
        size--;
    return size;
}

enum status secret_read_file(char **out, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return error_set(err, ST_INVALID, "cannot open '%s': %s", path, strerror(errno));

    char *content = allocate(SECRET_FILE_MAX + 1);
    ssize_t got = read_all(fd, content, SECRET_FILE_MAX + 1);
    int read_errno = errno;
    enum status status = ST_OK;

    close(fd);
    if (got < 0)
        status =
            error_set(err, ST_INVALID, "cannot read '%s': %s", path, strerror(read_errno));
    else if (got > SECRET_FILE_MAX)
        status = error_set(err, ST_INVALID, "'%s' is longer than %d bytes", path,
                           SECRET_FILE_MAX);
    else if (memchr(content, '\0', (size_t)got) != NULL)
        status = error_set(err, ST_INVALID, "'%s' holds a NUL byte", path);
    if (status == ST_OK)
        *out = secret_copy(content, without_line_end(content, (size_t)got));
    secret_free(content);
    return status;
}
