#include "daemon/settings.h"

#include <string.h>

#include "core/mem.h"
#include "daemon/secret.h"
#include "daemon/settings_value.h"

#define NAME_MAX_BYTES 128
#define FILE_SUFFIX    "_FILE"

/* The environment as the rows see it. */
struct source {
    const struct setting *rows;
    size_t count;
    char *const *environment;
};

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The value of `name` + `suffix`, or NULL. */
static const char *lookup(const struct source *source, const char *name, const char *suffix)
{
    size_t name_size = strlen(name);
    size_t suffix_size = strlen(suffix);

    for (char *const *entry = source->environment; *entry != NULL; entry++) {
        if (strncmp(*entry, name, name_size) == 0 &&
            strncmp(*entry + name_size, suffix, suffix_size) == 0 &&
            (*entry)[name_size + suffix_size] == '=')
            return *entry + name_size + suffix_size + 1;
    }
    return NULL;
}

static bool is_known(const struct source *source, const char *name)
{
    for (size_t i = 0; i < source->count; i++) {
        const struct setting *row = &source->rows[i];

        if (strcmp(name, row->env) == 0)
            return true;
        if (row->kind == SETTING_SECRET && has_prefix(name, row->env) &&
            strcmp(name + strlen(row->env), FILE_SUFFIX) == 0)
            return true;
    }
    return false;
}

/* How many letters to insert, drop or change (Levenshtein) between two short names. */
static size_t name_distance(const char *from, const char *to)
{
    size_t costs[NAME_MAX_BYTES + 1];
    size_t width = strnlen(to, NAME_MAX_BYTES);

    for (size_t i = 0; i <= width; i++)
        costs[i] = i;
    for (size_t row = 0; row < NAME_MAX_BYTES && from[row] != '\0'; row++) {
        size_t diagonal = costs[0];

        costs[0] = row + 1;
        for (size_t i = 0; i < width; i++) {
            size_t best = diagonal + (from[row] == to[i] ? 0 : 1);

            diagonal = costs[i + 1];
            if (costs[i] + 1 < best)
                best = costs[i] + 1;
            if (diagonal + 1 < best)
                best = diagonal + 1;
            costs[i + 1] = best;
        }
    }
    return costs[width];
}

static const char *nearest_name(const struct source *source, const char *name)
{
    const char *nearest = "";
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < source->count; i++) {
        size_t distance = name_distance(name, source->rows[i].env);

        if (distance < least) {
            least = distance;
            nearest = source->rows[i].env;
        }
    }
    return nearest;
}

static enum status check_name(const struct source *source, const char *name,
                              const char *const *prefixes, struct error *err)
{
    for (; *prefixes != NULL; prefixes++) {
        if (has_prefix(name, *prefixes) && !is_known(source, name))
            return error_set(err, ST_INVALID, "%s is no setting; the nearest one is %s",
                             name, nearest_name(source, name));
    }
    return ST_OK;
}

static enum status check_names(const struct source *source, const char *const *prefixes,
                               struct error *err)
{
    for (char *const *entry = source->environment; *entry != NULL; entry++) {
        char name[NAME_MAX_BYTES];
        size_t size = strcspn(*entry, "=");

        if (size >= sizeof name)
            size = sizeof name - 1;
        memcpy(name, *entry, size);
        name[size] = '\0';

        enum status status = check_name(source, name, prefixes, err);

        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static enum status read_secret_file(union settings_value *out, const struct setting *row,
                                    const char *path, struct error *err)
{
    char *text;
    enum status status = secret_read_file(&text, path, err);

    if (status == ST_OK) {
        status = settings_value_parse(out, row, text, err);
        secret_free(text);
    }
    if (status != ST_OK)
        return error_wrap(err, "%s" FILE_SUFFIX, row->env);
    return ST_OK;
}

/* The fallback's length is not held against the bounds of text. */
static enum status parse_fallback(union settings_value *out, const struct setting *row,
                                  struct error *err)
{
    struct setting unbounded = *row;

    if (row->kind == SETTING_TEXT || row->kind == SETTING_SECRET)
        unbounded.max = 0;
    return settings_value_parse(out, &unbounded, row->fallback, err);
}

static enum status read_row(const struct source *source, const struct setting *row,
                            union settings_value *out, struct error *err)
{
    const char *text = lookup(source, row->env, "");
    const char *path =
        row->kind == SETTING_SECRET ? lookup(source, row->env, FILE_SUFFIX) : NULL;

    if (text != NULL && path != NULL)
        return error_set(err, ST_INVALID, "%s and %s" FILE_SUFFIX " are both set", row->env,
                         row->env);
    if (path != NULL)
        return read_secret_file(out, row, path, err);
    if (text == NULL && row->fallback == NULL)
        return error_set(err, ST_INVALID, "%s is not set: %s", row->env, row->help);

    enum status status = text != NULL ? settings_value_parse(out, row, text, err)
                                      : parse_fallback(out, row, err);

    if (status != ST_OK)
        return error_wrap(err, "%s", row->env);
    return ST_OK;
}

enum status settings_load(const struct setting *rows, size_t count, void *config,
                          char *const *environment, const char *const *prefixes,
                          struct error *err)
{
    const struct source source = {.rows = rows, .count = count, .environment = environment};
    enum status status = check_names(&source, prefixes, err);

    if (status != ST_OK)
        return status;

    union settings_value *values = mem_alloc_array(count + 1, sizeof *values);
    size_t read = 0;

    while (read < count && status == ST_OK) {
        status = read_row(&source, &rows[read], &values[read], err);
        if (status == ST_OK)
            read++;
    }
    for (size_t i = 0; i < read; i++) {
        if (status == ST_OK)
            settings_value_store(&values[i], &rows[i], config);
        else
            settings_value_done(&values[i], &rows[i]);
    }
    mem_free(values);
    return status;
}

void settings_release(const struct setting *rows, size_t count, void *config)
{
    for (size_t i = 0; i < count; i++) {
        union settings_value value = settings_value_fetch(&rows[i], config);

        settings_value_done(&value, &rows[i]);
        settings_value_store(&value, &rows[i], config);
    }
}

void settings_print_help(FILE *out, const struct setting *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct setting *row = &rows[i];
        char expected[128];

        settings_value_describe(expected, sizeof expected, row);
        fprintf(out, "  %s\n      %s\n      %s; ", row->env, row->help, expected);
        if (row->kind == SETTING_SECRET)
            fprintf(out, "or its file in %s" FILE_SUFFIX "; ", row->env);
        if (row->fallback == NULL)
            fputs("required\n", out);
        else
            fprintf(out, "default %s\n",
                    row->fallback[0] != '\0' ? row->fallback : "empty");
    }
}

void settings_print_names(FILE *out, const struct setting *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\n", rows[i].env);
}

void settings_print(FILE *out, const struct setting *rows, size_t count, const void *config)
{
    for (size_t i = 0; i < count; i++) {
        char text[1024];

        settings_format(text, sizeof text, &rows[i], config);
        fprintf(out, "%s=%s\n", rows[i].env, text);
    }
}

void settings_format(char *out, size_t size, const struct setting *row, const void *config)
{
    union settings_value value = settings_value_fetch(row, config);

    settings_value_format(out, size, row, &value);
}

bool settings_is_default(const struct setting *row, const void *config)
{
    union settings_value value = settings_value_fetch(row, config);
    union settings_value fallback;
    struct error err;
    bool same;

    if (row->fallback == NULL || parse_fallback(&fallback, row, &err) != ST_OK)
        return false;
    if (row->kind == SETTING_TEXT || row->kind == SETTING_SECRET)
        same = value.text != NULL && strcmp(value.text, fallback.text) == 0;
    else if (row->kind == SETTING_BOOL)
        same = value.flag == fallback.flag;
    else
        same = value.number == fallback.number;
    settings_value_done(&fallback, row);
    return same;
}
