#include "core/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/escape.h"

/* What closes a line that was cut always fits into the last bytes. */
#define CLOSING_MAX    32
#define BODY_MAX       (LOG_LINE_MAX - CLOSING_MAX)
#define NAME_MAX_BYTES 64

struct line {
    char data[LOG_LINE_MAX];
    size_t size;
    bool cut; /* set once; nothing but closing marks is added afterwards */
};

static const char *const level_names[] = {"ERROR", "WARN", "INFO", "DEBUG"};

static const char *log_service = "-";
static enum log_format log_form = LOG_TEXT;
static atomic_int log_level_now = LOG_INFO;

void log_setup(const char *service, enum log_format format, enum log_level level)
{
    log_service = service;
    log_form = format;
    log_set_level(level);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level_now, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

bool log_level_parse(enum log_level *out, const char *text)
{
    if (text == NULL)
        return false;
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (strcasecmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

const char *log_level_name(enum log_level level)
{
    return (size_t)level < COUNT_OF(level_names) ? level_names[level] : "ERROR";
}

/* All of `data` or, at the end of the line, nothing from then on. */
static void put(struct line *line, const char *data, size_t size)
{
    if (line->cut || line->size + size > BODY_MAX) {
        line->cut = true;
        return;
    }
    memcpy(line->data + line->size, data, size);
    line->size += size;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Also after a cut: into the bytes kept free for it. */
static void put_closing(struct line *line, const char *text)
{
    size_t size = strlen(text);

    memcpy(line->data + line->size, text, size);
    line->size += size;
}

static void put_escaped(struct line *line, const char *text)
{
    size_t left = strlen(text);

    while (left > 0 && !line->cut) {
        struct escape_step step = escape_next(text, left);

        put(line, step.text, step.size);
        text += step.taken;
        left -= step.taken;
    }
}

/* A value that stands bare in the text form: one word without quotes, '=' or escapes. */
static bool is_word(const char *text)
{
    size_t left = strlen(text);

    if (left == 0)
        return false;
    while (left > 0) {
        struct escape_step step = escape_next(text, left);

        if (step.escaped || *text == ' ' || *text == '=')
            return false;
        text += step.taken;
        left -= step.taken;
    }
    return true;
}

static void put_quoted(struct line *line, const char *opening, const char *text)
{
    put_text(line, opening);
    if (line->cut)
        return;
    put_escaped(line, text);
    put_closing(line, "\"");
}

static void put_string(struct line *line, const char *name, const char *text)
{
    char opening[NAME_MAX_BYTES + 8];

    if (log_form == LOG_JSON) {
        snprintf(opening, sizeof(opening), ",\"%.*s\":\"", NAME_MAX_BYTES, name);
        put_quoted(line, opening, text);
        return;
    }
    if (is_word(text)) {
        snprintf(opening, sizeof(opening), " %.*s=", NAME_MAX_BYTES, name);
        put_text(line, opening);
        put_escaped(line, text);
        return;
    }
    snprintf(opening, sizeof(opening), " %.*s=\"", NAME_MAX_BYTES, name);
    put_quoted(line, opening, text);
}

/* A number or a truth value, whole or not at all. */
static void put_bare(struct line *line, const char *name, const char *value)
{
    char piece[NAME_MAX_BYTES + 32];

    snprintf(piece, sizeof(piece), log_form == LOG_JSON ? ",\"%.*s\":%s" : " %.*s=%s",
             NAME_MAX_BYTES, name, value);
    put_text(line, piece);
}

static void put_field(struct line *line, const struct log_field *field)
{
    char digits[24];

    switch (field->kind) {
    case LOG_FIELD_STR:
        put_string(line, field->name, field->value.text == NULL ? "" : field->value.text);
        return;
    case LOG_FIELD_I64:
        snprintf(digits, sizeof(digits), "%" PRId64, field->value.i64);
        put_bare(line, field->name, digits);
        return;
    case LOG_FIELD_U64:
        snprintf(digits, sizeof(digits), "%" PRIu64, field->value.u64);
        put_bare(line, field->name, digits);
        return;
    case LOG_FIELD_BOOL:
        put_bare(line, field->name, field->value.flag ? "true" : "false");
        return;
    }
}

/* Milliseconds are enough in a log: "...30.123456Z" becomes "...30.123Z". */
static void put_time(struct line *line)
{
    char text[CLOCK_TEXT_SIZE];
    size_t size;

    clock_format_utc(text, clock_wall_us());
    size = strlen(text);
    put(line, text, size - 4);
    put_text(line, "Z");
}

static void put_head(struct line *line, enum log_level level, const char *event)
{
    if (log_form == LOG_JSON) {
        put_text(line, "{\"time\":\"");
        put_time(line);
        put_text(line, "\"");
        put_string(line, "level", log_level_name(level));
        put_string(line, "service", log_service);
        put_string(line, "event", event);
        return;
    }
    put_time(line);
    put_text(line, " ");
    put_text(line, log_level_name(level));
    put_text(line, " ");
    put_escaped(line, log_service);
    put_text(line, " ");
    put_escaped(line, event);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t field_count)
{
    int saved_errno = errno;
    struct line line;
    ssize_t written;

    if (level > log_get_level())
        return;
    line.size = 0;
    line.cut = false;
    put_head(&line, level, event);
    for (size_t i = 0; i < field_count && !line.cut; i++)
        put_field(&line, &fields[i]);
    if (line.cut)
        put_closing(&line, log_form == LOG_JSON ? ",\"cut\":true" : " cut=true");
    put_closing(&line, log_form == LOG_JSON ? "}\n" : "\n");
    do
        written = write(STDERR_FILENO, line.data, line.size);
    while (written < 0 && errno == EINTR);
    errno = saved_errno;
}

void log_abort(const char *event, int error_number)
{
    log_event(LOG_ERROR, event, LOG_I64("errno", error_number));
    abort();
}
