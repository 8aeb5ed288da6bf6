/*
 * log.h - one line an event on standard error: text or JSON lines.
 *
 * Libraries are silent; daemons and handlers' edges log. Fields are typed pairs, so that
 * both forms carry the same data:
 *
 *     log_event(LOG_WARN, "request failed",
 *               LOG_STR("method", method), LOG_U64("ms", elapsed_ms));
 *
 * Never pass a secret: nothing here can tell. The event is a constant phrase, field names
 * are constant words; values may be anything, for they are escaped (escape.h):
 *
 *     2026-11-21T11:20:30.123Z WARN cache-service request failed method=Search ms=31
 *     {"time":"...","level":"WARN","service":"...","event":"request failed","ms":31}
 *
 * Threads: any. A line is one write(2) of at most LOG_LINE_MAX bytes; a longer one is cut
 * between two characters, stays well-formed and ends with the field cut=true. A line that
 * standard error does not take is lost. Allocates nothing and keeps errno.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"

#define LOG_LINE_MAX 4096

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO,
    LOG_DEBUG,
};

enum log_format {
    LOG_TEXT,
    LOG_JSON,
};

enum log_field_kind { LOG_FIELD_STR, LOG_FIELD_I64, LOG_FIELD_U64, LOG_FIELD_BOOL };

struct log_field {
    const char *name;
    enum log_field_kind kind;
    union {
        const char *text; /* NULL prints as "" */
        int64_t i64;
        uint64_t u64;
        bool flag;
    } value;
};

#define LOG_STR(n, v)  ((struct log_field){(n), LOG_FIELD_STR, {.text = (v)}})
#define LOG_I64(n, v)  ((struct log_field){(n), LOG_FIELD_I64, {.i64 = (v)}})
#define LOG_U64(n, v)  ((struct log_field){(n), LOG_FIELD_U64, {.u64 = (v)}})
#define LOG_BOOL(n, v) ((struct log_field){(n), LOG_FIELD_BOOL, {.flag = (v)}})

/* Before any thread starts. `service` is kept, not copied. */
void log_setup(const char *service, enum log_format format, enum log_level level);
void log_set_level(enum log_level level); /* any time */
enum log_level log_get_level(void);
/* "error", "warn", "info" or "debug", in any case; else false. */
bool log_level_parse(enum log_level *out, const char *text) MUST_USE;
const char *log_level_name(enum log_level level);

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t field_count);

/* With at least one field; without any, call log_write(level, event, NULL, 0). */
#define log_event(level, event, ...)                                     \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__}, \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/* Log the event at LOG_ERROR with its errno value and abort: for bugs and for a system that
 * refuses the basics, never for input. */
NO_RETURN void log_abort(const char *event, int error_number);

#endif /* CORE_LOG_H */
