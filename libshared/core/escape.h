/*
 * escape.h - text as it may stand inside a JSON string or a log line.
 *
 * Quotes, backslashes and control characters (C0, DEL and C1) become JSON escapes, each
 * byte that is no UTF-8 becomes \ufffd, all else stays. Pure; no allocation.
 */
#ifndef CORE_ESCAPE_H
#define CORE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#define ESCAPE_TEXT_MAX 6 /* bytes of the longest escape */

struct escape_step {
    size_t taken; /* bytes of the input it stands for, at least 1 */
    size_t size;  /* bytes of `text`; no NUL behind them */
    bool escaped; /* false when `text` equals the input */
    char text[ESCAPE_TEXT_MAX];
};

/* The first character of `text`; size > 0. */
struct escape_step escape_next(const char *text, size_t size);

/* How many leading bytes are ASCII that needs no escape: to copy whole runs. */
size_t escape_plain_run(const char *text, size_t size);

#endif /* CORE_ESCAPE_H */
