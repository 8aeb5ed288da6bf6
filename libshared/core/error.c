#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/escape.h"

/* Copy, cut to fit, and replace what may not stand in a log line or a protobuf string. */
static void copy_text(char *out, size_t out_size, const char *text)
{
    size_t left = strlen(text);
    size_t used = 0;

    while (left > 0) {
        struct escape_step step = escape_next(text, left);
        bool keep = !step.escaped || *text == '"' || *text == '\\';
        size_t size = keep ? step.taken : 1;

        if (used + size >= out_size)
            break;
        if (keep)
            memcpy(out + used, text, size);
        else
            out[used] = '?';
        used += size;
        text += step.taken;
        left -= step.taken;
    }
    out[used] = '\0';
}

/* Sized so that cutting happens in copy_text, which never splits a character. */
#define DRAFT_SIZE (2 * sizeof(((struct error *)0)->message))

/* The arguments may point into *err, so they are formatted before it changes. */
PRINTF_LIKE(4, 0)
static enum status set_from_list(struct error *err, enum status status, const char *field,
                                 const char *format, va_list arguments)
{
    char draft[DRAFT_SIZE];
    char field_draft[sizeof(err->field)];

    if (vsnprintf(draft, sizeof(draft), format, arguments) < 0)
        draft[0] = '\0';
    copy_text(field_draft, sizeof(field_draft), field);
    *err = (struct error){.status = status == ST_OK ? ST_INTERNAL : status};
    copy_text(err->message, sizeof(err->message), draft);
    memcpy(err->field, field_draft, sizeof(field_draft));
    return err->status;
}

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_from_list(err, status, "", format, arguments);
    va_end(arguments);
    return err->status;
}

enum status error_field(struct error *err, const char *field, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set_from_list(err, ST_INVALID, field, format, arguments);
    va_end(arguments);
    return err->status;
}

enum status error_wrap(struct error *err, const char *format, ...)
{
    char draft[DRAFT_SIZE];
    size_t used;
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(draft, sizeof(draft), format, arguments) < 0)
        draft[0] = '\0';
    va_end(arguments);
    used = strlen(draft);
    snprintf(draft + used, sizeof(draft) - used, ": %s", err->message);
    copy_text(err->message, sizeof(err->message), draft);
    return err->status;
}

enum status error_reason(struct error *err, const char *reason)
{
    copy_text(err->reason, sizeof(err->reason), reason);
    return err->status;
}

void error_add_violation(struct error *err, const char *subject, int64_t left_milli,
                         int64_t resets_at_us)
{
    struct error_violation *violation;

    if (err->violation_count >= ERROR_VIOLATIONS_MAX)
        return;
    violation = &err->violations[err->violation_count];
    copy_text(violation->subject, sizeof(violation->subject), subject);
    violation->left_milli = left_milli;
    violation->resets_at_us = resets_at_us;
    err->violation_count++;
}

enum status error_out_of_arena(struct error *err)
{
    return error_set(err, ST_EXHAUSTED, "the request needs more memory than it may use");
}
