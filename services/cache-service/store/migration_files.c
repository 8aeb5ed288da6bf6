#include "store/migration_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/parse.h"

static bool ends_in_sql(const char *name)
{
    size_t length = strlen(name);

    return length > 4 && strcmp(name + length - 4, ".sql") == 0;
}

static bool is_numbered(const char *name)
{
    return strspn(name, "0123456789") == 4 && name[4] == '_' &&
           strspn(name + 5, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name) - 9;
}

static int by_name(const void *a, const void *b)
{
    const struct migration_file *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static enum status list_names(struct migration_files *files, const char *folder,
                              struct error *err)
{
    DIR *directory = opendir(folder);

    if (directory == NULL)
        return error_set(err, ST_INVALID, "cannot read the migrations folder '%s': %s",
                         folder, strerror(errno));
    enum status st = ST_OK;
    for (struct dirent *entry; st == ST_OK && (entry = readdir(directory)) != NULL;) {
        const char *name = entry->d_name;

        if (!ends_in_sql(name) || strcmp(name, "bootstrap.sql") == 0)
            continue;
        if (!is_numbered(name) || files->count == MIGRATION_FILES_MAX)
            st =
                error_set(err, ST_PRECONDITION,
                          "'%s' in the migrations folder is not named NNNN_what.sql", name);
        else
            files->files[files->count++].name = mem_strdup(name);
    }
    (void)closedir(directory);
    if (st == ST_OK && files->count == 0)
        st = error_set(err, ST_PRECONDITION, "no migrations in '%s'", folder);
    return st;
}

/* All of a file into `content`; its limit says when it is too large. */
static bool read_all(struct buf *content, const char *path)
{
    char chunk[16384];
    ssize_t size;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    while ((size = read(fd, chunk, sizeof(chunk))) > 0)
        buf_append(content, chunk, (size_t)size);
    (void)close(fd);
    return size == 0 && !content->overflowed;
}

static enum status read_file(struct migration_file *file, const char *folder,
                             struct error *err)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    struct buf content;

    buf_init(&content, MIGRATION_FILE_MAX_SIZE);
    char *path = mem_printf("%s/%s", folder, file->name);
    bool good =
        read_all(&content, path) && memchr(buf_text(&content), '\0', content.size) == NULL;
    mem_free(path);
    if (good) {
        crypto_hash_sha256(hash, (const unsigned char *)buf_text(&content), content.size);
        parse_format_hex(file->sha256, hash, sizeof(hash));
        file->sql = mem_strdup(buf_text(&content));
    }
    buf_done(&content);
    if (good)
        return ST_OK;
    return error_set(err, ST_PRECONDITION,
                     "migration '%s' cannot be read, is too large or is not text",
                     file->name);
}

static enum status read_files(struct migration_files *files, const char *folder,
                              struct error *err)
{
    qsort(files->files, files->count, sizeof(*files->files), by_name);
    for (size_t i = 0; i < files->count; i++) {
        const char *name = files->files[i].name;

        if (i > 0 && strncmp(files->files[i - 1].name, name, 4) == 0)
            return error_set(err, ST_PRECONDITION,
                             "migrations '%s' and '%s' have one number",
                             files->files[i - 1].name, name);
        enum status st = read_file(&files->files[i], folder, err);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

enum status migration_files_read(struct migration_files *out, const char *folder,
                                 struct error *err)
{
    if (sodium_init() < 0)
        return error_set(err, ST_INTERNAL, "libsodium does not start");
    struct migration_files files = {0};
    files.files = mem_alloc_array(MIGRATION_FILES_MAX, sizeof(*files.files));
    enum status st = list_names(&files, folder, err);
    if (st == ST_OK)
        st = read_files(&files, folder, err);
    if (st == ST_OK)
        *out = files;
    else
        migration_files_done(&files);
    return st;
}

void migration_files_done(struct migration_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        mem_free(files->files[i].name);
        mem_free(files->files[i].sql);
    }
    mem_free(files->files);
    *files = (struct migration_files){0};
}
