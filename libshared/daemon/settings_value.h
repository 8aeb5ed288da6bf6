/*
 * settings_value.h - one value of a settings row: from text, to text, in a config struct.
 */
#ifndef DAEMON_SETTINGS_VALUE_H
#define DAEMON_SETTINGS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "daemon/settings.h"

/* Which member counts follows from the row's kind. */
union settings_value {
    uint64_t number;
    bool flag;
    char *text; /* owned: a secret's by secret.h, else by mem.h */
};

/* ST_INVALID says what was expected and what came, but never a secret's text. */
MUST_USE enum status settings_value_parse(union settings_value *out,
                                          const struct setting *row, const char *text,
                                          struct error *err);
void settings_value_done(union settings_value *value, const struct setting *row);

/* Move between a value and its field. */
void settings_value_store(const union settings_value *value, const struct setting *row,
                          void *config);
union settings_value settings_value_fetch(const struct setting *row, const void *config);

/* As settings_value_parse takes it, but "(secret)" for a secret that is not empty. */
void settings_value_format(char *out, size_t size, const struct setting *row,
                           const union settings_value *value);

/* "a whole number from 1 to 64". */
void settings_value_describe(char *out, size_t size, const struct setting *row);

#endif /* DAEMON_SETTINGS_VALUE_H */
