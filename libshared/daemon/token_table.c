#include "daemon/token_table.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/parse.h"

#define FILE_MAX     (4u << 20)
#define FIELDS       5
#define EXPIRY_MAX   253402300799 /* the end of the year 9999 */
#define FORM_OF_LINE "expected 'id sha256-hex role subject expiry'"

bool token_table_name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._@:+-";
    size_t size = strspn(name, letters);

    return size > 0 && size < RPC_SUBJECT_SIZE && name[size] == '\0';
}

/* Cut the line at blanks. How many fields there are, FIELDS + 1 when too many. */
static size_t split(char *line, char *fields[FIELDS])
{
    size_t count = 0;

    for (;;) {
        line += strspn(line, " \t\r");
        if (*line == '\0')
            return count;
        if (count == FIELDS)
            return FIELDS + 1;
        fields[count++] = line;
        line += strcspn(line, " \t\r");
        if (*line != '\0')
            *line++ = '\0';
    }
}

static bool parse_expiry(int64_t *out, const char *text)
{
    if (strcmp(text, "never") == 0) {
        *out = 0;
        return true;
    }
    return parse_i64(out, text, 1, EXPIRY_MAX);
}

static enum status parse_entry(struct token_entry *out, char *fields[FIELDS],
                               struct error *err)
{
    const char *id = fields[0];
    const char *subject = fields[3];

    if (!token_table_name_is_valid(id))
        return error_set(err, ST_INVALID, "'%.70s' is no id", id);
    if (!parse_hex(out->hash, sizeof out->hash, fields[1]))
        return error_set(err, ST_INVALID,
                         "the hash of '%s' is not 64 hex digits of a SHA-256", id);
    if (!rpc_role_parse(&out->role, fields[2]))
        return error_set(
            err, ST_INVALID,
            "'%.32s' is no role: expected client, staff, admin, cron or service",
            fields[2]);
    if (!token_table_name_is_valid(subject))
        return error_set(err, ST_INVALID, "'%.70s' is no subject", subject);
    if (!parse_expiry(&out->expiry_unix, fields[4]))
        return error_set(err, ST_INVALID,
                         "'%.32s' is no expiry: expected unix seconds or never", fields[4]);
    memcpy(out->id, id, strlen(id) + 1);
    memcpy(out->subject, subject, strlen(subject) + 1);
    return ST_OK;
}

/* Nothing but a comment leaves the table as it is. */
static enum status parse_line(struct token_table *table, char *line, size_t number,
                              struct error *err)
{
    char *fields[FIELDS];
    struct token_entry entry = {.line = number};
    enum status status = ST_OK;

    line[strcspn(line, "#")] = '\0';

    size_t count = split(line, fields);

    if (count == 0)
        return ST_OK;
    if (count != FIELDS)
        status = error_set(err, ST_INVALID, FORM_OF_LINE);
    else
        status = parse_entry(&entry, fields, err);
    if (status != ST_OK)
        return error_wrap(err, "line %zu", number);
    table->entries[table->count++] = entry;
    return ST_OK;
}

static int by_hash(const void *a, const void *b)
{
    const struct token_entry *left = a;
    const struct token_entry *right = b;

    return sodium_compare(left->hash, right->hash, TOKEN_HASH_SIZE);
}

static int by_id(const void *a, const void *b)
{
    const struct token_entry *left = a;
    const struct token_entry *right = b;

    return strcmp(left->id, right->id);
}

/* Sorts as a side effect. */
static enum status check_twins(struct token_table *table,
                               int (*compare)(const void *, const void *), const char *what,
                               struct error *err)
{
    struct token_entry *entries = table->entries;

    qsort(entries, table->count, sizeof *entries, compare);
    for (size_t i = 1; i < table->count; i++) {
        size_t one = entries[i - 1].line;
        size_t other = entries[i].line;

        if (compare(&entries[i - 1], &entries[i]) == 0)
            return error_set(err, ST_INVALID, "line %zu: same %s as line %zu",
                             one > other ? one : other, what, one > other ? other : one);
    }
    return ST_OK;
}

static size_t count_lines(const char *text, size_t size)
{
    size_t lines = 1;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' && i + 1 < size)
            lines++;
    }
    return lines;
}

static enum status parse_lines(struct token_table *table, char *text, struct error *err)
{
    size_t number = 1;

    for (char *line = text; line != NULL; number++) {
        char *end = strchr(line, '\n');

        if (end != NULL)
            *end++ = '\0';

        enum status status = parse_line(table, line, number, err);

        if (status != ST_OK)
            return status;
        line = end;
    }
    return ST_OK;
}

/* `size` bytes with a NUL behind them, which are changed. */
static enum status parse_table(struct token_table **out, char *text, size_t size,
                               struct error *err)
{
    size_t lines = count_lines(text, size);

    if (memchr(text, '\0', size) != NULL)
        return error_set(err, ST_INVALID, "holds a NUL byte");
    if (lines > TOKEN_TABLE_LINES_MAX)
        return error_set(err, ST_INVALID, "%zu lines, %d at most", lines,
                         TOKEN_TABLE_LINES_MAX);

    struct token_table *table = mem_alloc(sizeof *table);

    table->entries = mem_alloc_array(lines, sizeof *table->entries);

    enum status status = parse_lines(table, text, err);

    if (status == ST_OK)
        status = check_twins(table, by_id, "id", err);
    if (status == ST_OK)
        status = check_twins(table, by_hash, "hash", err);
    if (status != ST_OK) {
        token_table_free(table);
        return status;
    }
    *out = table;
    return ST_OK;
}

/* Bytes read into *out, which is owned; -1 with errno. EFBIG: above FILE_MAX. */
static ssize_t read_file(char **out, int fd)
{
    char *text = mem_alloc(FILE_MAX + 1);
    size_t used = 0;

    for (;;) {
        ssize_t got = read(fd, text + used, FILE_MAX + 1 - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            break;
        if (got > 0)
            used += (size_t)got;
        if (got < 0 || used > FILE_MAX) {
            int error_number = got < 0 ? errno : EFBIG;

            mem_free(text);
            errno = error_number;
            return -1;
        }
    }
    text[used] = '\0';
    *out = text;
    return (ssize_t)used;
}

enum status token_table_read(struct token_table **out, const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return error_set(err, ST_INVALID, "cannot open the tokens file '%s': %s", path,
                         strerror(errno));

    char *text = NULL;
    ssize_t size = read_file(&text, fd);
    int error_number = errno;

    close(fd);
    if (size < 0)
        return error_set(err, ST_INVALID, "cannot read the tokens file '%s': %s", path,
                         strerror(error_number));

    enum status status = parse_table(out, text, (size_t)size, err);

    mem_free(text);
    if (status != ST_OK)
        return error_wrap(err, "tokens file '%s'", path);
    return ST_OK;
}

void token_table_free(struct token_table *table)
{
    if (table == NULL)
        return;
    mem_free(table->entries);
    mem_free(table);
}

/* sodium_compare takes the same time whatever it finds: only the depth can be told. */
const struct token_entry *token_table_find(const struct token_table *table,
                                           const uint8_t hash[TOKEN_HASH_SIZE])
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct token_entry *entry = &table->entries[middle];
        int order = sodium_compare(entry->hash, hash, TOKEN_HASH_SIZE);

        if (order == 0)
            return entry;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
