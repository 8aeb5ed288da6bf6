/*
 * settings.h - configuration as rows: environment in, a plain struct out.
 *
 * A row names the variable, its kind, where it goes, its default, bounds and help. Rows
 * print --help, --list-settings and --print-config, and a lint check holds them against
 * README and docker-compose.yml. A SECRET row NAME may also be given as NAME_FILE (both at
 * once is an error). A variable with the daemon's prefixes that no row knows, or a value
 * that does not parse, stops the start with one clear line and exit status 78.
 *
 * Of text and secrets min..max is the length in bytes, and 0..0 any length. The fallback is
 * parsed as any other value, but its length is the row's own business. A secret's file is
 * at most 64 KiB; one line end behind it is cut.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/error.h"

enum setting_kind {
    SETTING_TEXT,   /* const char * */
    SETTING_SECRET, /* const char *: in locked memory, shown as "(secret)" */
    SETTING_COUNT,  /* uint64_t, min..max */
    SETTING_MILLIS, /* uint64_t milliseconds, "30s" and such; min..max in ms */
    SETTING_BYTES,  /* uint64_t, "1MiB" and such; min..max in bytes */
    SETTING_MILLI,  /* uint64_t thousandths from a decimal; min..max in thousandths */
    SETTING_BOOL,   /* bool */
};

struct setting {
    const char *env; /* full variable name; for SETTING_SECRET NAME_FILE works too */
    enum setting_kind kind;
    size_t offset;        /* of the field in the config struct */
    const char *fallback; /* as text; NULL: required, "" : empty text is fine */
    uint64_t min;
    uint64_t max;
    const char *help;
};

#define SETTING_ROW(config, env_, kind_, field, fallback_, min_, max_, help_)  \
    {                                                                          \
        .env = (env_), .kind = (kind_), .offset = offsetof(config, field),     \
        .fallback = (fallback_), .min = (min_), .max = (max_), .help = (help_) \
    }

/*
 * Read `environ` through the rows into `config`. `prefixes` (ended by NULL, such as
 * {"CACHE_", NULL}) name variables that must be known. On failure ST_INVALID whose message
 * names the variable. Text lives until settings_release.
 */
MUST_USE enum status settings_load(const struct setting *rows, size_t count, void *config,
                                   char *const *environment, const char *const *prefixes,
                                   struct error *err);
void settings_release(const struct setting *rows, size_t count, void *config);

void settings_print_help(FILE *out, const struct setting *rows, size_t count);
void settings_print_names(FILE *out, const struct setting *rows, size_t count);
/* One "NAME=value" line each; secrets hidden. */
void settings_print(FILE *out, const struct setting *rows, size_t count,
                    const void *config);
/* Text of one value, secrets hidden, cut at `size` bytes with the NUL. */
void settings_format(char *out, size_t size, const struct setting *row, const void *config);
/* Does the field hold what the fallback says? False for a row without one. */
bool settings_is_default(const struct setting *row, const void *config);

#endif /* DAEMON_SETTINGS_H */
