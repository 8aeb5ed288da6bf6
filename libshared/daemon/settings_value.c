#include "daemon/settings_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/parse.h"
#include "daemon/secret.h"

#define NUMBER_TEXT_SIZE 32

struct unit {
    uint64_t factor;
    const char *name;
};

/* Longest first; what divides evenly is printed in it. */
static const struct unit TIME_UNITS[] = {
    {86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"},
};
static const struct unit SIZE_UNITS[] = {
    {1ULL << 30, "GiB"},
    {1ULL << 20, "MiB"},
    {1ULL << 10, "KiB"},
    {1, ""},
};

static bool is_text(const struct setting *row)
{
    return row->kind == SETTING_TEXT || row->kind == SETTING_SECRET;
}

static void format_units(char *out, size_t size, uint64_t number, const struct unit *units)
{
    while (number == 0 ? units->factor != 1 : number % units->factor != 0)
        units++;
    snprintf(out, size, "%" PRIu64 "%s", number / units->factor, units->name);
}

static void format_milli(char *out, size_t size, uint64_t milli)
{
    char decimals[4];
    size_t digits = 3;

    snprintf(decimals, sizeof decimals, "%03u", (unsigned)(milli % 1000));
    while (digits > 0 && decimals[digits - 1] == '0')
        digits--;
    snprintf(out, size, "%" PRIu64 "%s%.*s", milli / 1000, digits > 0 ? "." : "",
             (int)digits, decimals);
}

static void format_number(char *out, size_t size, const struct setting *row,
                          uint64_t number)
{
    switch (row->kind) {
    case SETTING_MILLIS:
        format_units(out, size, number, TIME_UNITS);
        break;
    case SETTING_BYTES:
        format_units(out, size, number, SIZE_UNITS);
        break;
    case SETTING_MILLI:
        format_milli(out, size, number);
        break;
    default:
        snprintf(out, size, "%" PRIu64, number);
    }
}

void settings_value_describe(char *out, size_t size, const struct setting *row)
{
    static const char *const KINDS[] = {
        [SETTING_TEXT] = "UTF-8 text without control characters",
        [SETTING_SECRET] = "UTF-8 text",
        [SETTING_COUNT] = "a whole number",
        [SETTING_MILLIS] = "a time such as 250ms, 30s, 5m, 3h or 28d",
        [SETTING_BYTES] = "a size such as 4096, 64KiB or 1MiB",
        [SETTING_MILLI] = "a decimal such as 0.25",
        [SETTING_BOOL] = "yes or no",
    };
    char min[NUMBER_TEXT_SIZE];
    char max[NUMBER_TEXT_SIZE];

    format_number(min, sizeof min, row, row->min);
    format_number(max, sizeof max, row, row->max);
    if (row->kind == SETTING_BOOL || (is_text(row) && row->max == 0))
        snprintf(out, size, "%s", KINDS[row->kind]);
    else if (is_text(row))
        snprintf(out, size, "%s, %s to %s bytes", KINDS[row->kind], min, max);
    else
        snprintf(out, size, "%s, from %s to %s", KINDS[row->kind], min, max);
}

static enum status refuse(const struct setting *row, const char *text, struct error *err)
{
    char expected[128];

    settings_value_describe(expected, sizeof expected, row);
    if (row->kind == SETTING_SECRET)
        return error_set(err, ST_INVALID, "expected %s", expected);
    return error_set(err, ST_INVALID, "'%.80s' given, expected %s", text, expected);
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

static bool parse_text(union settings_value *out, const struct setting *row,
                       const char *text)
{
    size_t size = strlen(text);

    if (row->max != 0 && (size < row->min || size > row->max))
        return false;
    if (!parse_is_utf8(text, size) || (row->kind == SETTING_TEXT && has_control(text)))
        return false;
    out->text = row->kind == SETTING_SECRET ? secret_copy(text, size) : mem_strdup(text);
    return true;
}

static bool parse_thousandths(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
    int64_t milli;

    if (!parse_milli(&milli, text) || milli < 0 || (uint64_t)milli < min ||
        (uint64_t)milli > max)
        return false;
    *out = (uint64_t)milli;
    return true;
}

enum status settings_value_parse(union settings_value *out, const struct setting *row,
                                 const char *text, struct error *err)
{
    union settings_value value = {.number = 0};
    bool good = false;

    switch (row->kind) {
    case SETTING_TEXT:
    case SETTING_SECRET:
        good = parse_text(&value, row, text);
        break;
    case SETTING_COUNT:
        good = parse_u64(&value.number, text, row->min, row->max);
        break;
    case SETTING_MILLIS:
        good = parse_duration_ms(&value.number, text, row->min, row->max);
        break;
    case SETTING_BYTES:
        good = parse_size_bytes(&value.number, text, row->min, row->max);
        break;
    case SETTING_MILLI:
        good = parse_thousandths(&value.number, text, row->min, row->max);
        break;
    case SETTING_BOOL:
        good = parse_bool(&value.flag, text);
        break;
    }
    if (!good)
        return refuse(row, text, err);
    *out = value;
    return ST_OK;
}

void settings_value_done(union settings_value *value, const struct setting *row)
{
    if (row->kind == SETTING_SECRET)
        secret_free(value->text);
    else if (row->kind == SETTING_TEXT)
        mem_free(value->text);
    *value = (union settings_value){.number = 0};
}

void settings_value_store(const union settings_value *value, const struct setting *row,
                          void *config)
{
    char *field = (char *)config + row->offset;

    if (is_text(row))
        memcpy(field, &value->text, sizeof value->text);
    else if (row->kind == SETTING_BOOL)
        memcpy(field, &value->flag, sizeof value->flag);
    else
        memcpy(field, &value->number, sizeof value->number);
}

union settings_value settings_value_fetch(const struct setting *row, const void *config)
{
    union settings_value value = {.number = 0};
    const char *field = (const char *)config + row->offset;

    if (is_text(row))
        memcpy(&value.text, field, sizeof value.text);
    else if (row->kind == SETTING_BOOL)
        memcpy(&value.flag, field, sizeof value.flag);
    else
        memcpy(&value.number, field, sizeof value.number);
    return value;
}

void settings_value_format(char *out, size_t size, const struct setting *row,
                           const union settings_value *value)
{
    if (row->kind == SETTING_SECRET)
        snprintf(out, size, "%s",
                 value->text != NULL && value->text[0] != '\0' ? "(secret)" : "");
    else if (row->kind == SETTING_TEXT)
        snprintf(out, size, "%s", value->text != NULL ? value->text : "");
    else if (row->kind == SETTING_BOOL)
        snprintf(out, size, "%s", value->flag ? "yes" : "no");
    else
        format_number(out, size, row, value->number);
}
