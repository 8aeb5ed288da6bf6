#include "retry_after.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "core/parse.h"

struct date {
    int64_t year, month, day, hour, minute, second; /* month 1 to 12 */
};

/* Days from 1970-01-01 to a date of the Gregorian calendar; year >= 1. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month <= 2 ? year - 1 : year; /* years begin in March */
    int64_t era = shifted / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

/* Take a number of at most `digits` digits off the front of *text. */
static bool take_number(int64_t *out, const char **text, size_t digits)
{
    size_t size = 0;
    int64_t value = 0;

    while (size < digits && (*text)[size] >= '0' && (*text)[size] <= '9')
        value = value * 10 + ((*text)[size++] - '0');
    *text += size;
    *out = value;
    return size > 0;
}

static bool take_char(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

static bool take_month(int64_t *out, const char **text)
{
    static const char NAMES[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int64_t i = 0; i < 12; i++) {
        if (strncasecmp(*text, NAMES + 3 * i, 3) == 0) {
            *text += 3;
            *out = i + 1;
            return true;
        }
    }
    return false;
}

static bool take_time(struct date *date, const char **text)
{
    return take_number(&date->hour, text, 2) && take_char(text, ':') &&
           take_number(&date->minute, text, 2) && take_char(text, ':') &&
           take_number(&date->second, text, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT", from the day on. */
static bool read_named_date(struct date *date, const char *text)
{
    char between;

    if (!take_number(&date->day, &text, 2))
        return false;
    between = *text;
    if ((between != ' ' && between != '-') || !take_char(&text, between) ||
        !take_month(&date->month, &text) || !take_char(&text, between) ||
        !take_number(&date->year, &text, between == '-' ? 2 : 4) ||
        !take_char(&text, ' ') || !take_time(date, &text))
        return false;
    if (between == '-')
        date->year += date->year < 70 ? 2000 : 1900;
    return strcmp(text, " GMT") == 0;
}

/* "Sun Nov  6 08:49:37 1994", from the month on. */
static bool read_asctime(struct date *date, const char *text)
{
    if (!take_month(&date->month, &text) || !take_char(&text, ' '))
        return false;
    while (*text == ' ')
        text++;
    return take_number(&date->day, &text, 2) && take_char(&text, ' ') &&
           take_time(date, &text) && take_char(&text, ' ') &&
           take_number(&date->year, &text, 4) && *text == '\0';
}

static bool read_date(int64_t *out_s, const char *text)
{
    const char *space = strchr(text, ' ');
    struct date date = {0};

    if (space == NULL || space == text)
        return false;
    if (space[-1] == ',' ? !read_named_date(&date, space + 1)
                         : !read_asctime(&date, space + 1))
        return false;
    if (date.year < 1 || date.day < 1 || date.day > 31 || date.hour > 23 ||
        date.minute > 59 || date.second > 60)
        return false;
    *out_s = days_from_civil(date.year, date.month, date.day) * 86400 + date.hour * 3600 +
             date.minute * 60 + date.second;
    return true;
}

bool retry_after_parse(uint64_t *out_ms, const char *text, int64_t now_s)
{
    const uint64_t max_s = RETRY_AFTER_MAX_MS / 1000;
    size_t digits = strspn(text, "0123456789");
    uint64_t seconds = max_s;
    int64_t date_s;

    if (digits > 0 && text[digits] == '\0') {
        if (!parse_u64(&seconds, text, 0, max_s))
            seconds = max_s; /* digits alone: only too large */
    } else if (read_date(&date_s, text)) {
        if (date_s <= now_s)
            seconds = 0;
        else if ((uint64_t)(date_s - now_s) < max_s)
            seconds = (uint64_t)(date_s - now_s);
    } else {
        return false;
    }
    *out_ms = seconds * 1000;
    return true;
}
