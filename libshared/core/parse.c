#include "core/parse.h"

#include <string.h>
#include <strings.h>

struct unit {
    const char *suffix;
    uint64_t factor;
};

/* The digits at the start of *text, which is moved behind them. */
static bool take_digits(uint64_t *out, const char **text)
{
    const char *at = *text;
    uint64_t value = 0;

    while (*at >= '0' && *at <= '9') {
        unsigned digit = (unsigned)(*at - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
        at++;
    }
    if (at == *text)
        return false;
    *text = at;
    *out = value;
    return true;
}

bool parse_u64(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
    uint64_t value;

    if (text == NULL || !take_digits(&value, &text) || *text != '\0')
        return false;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

/* A magnitude and a sign as int64_t, when it fits. */
static bool with_sign(int64_t *out, uint64_t magnitude, bool negative)
{
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    if (negative && magnitude > 0)
        *out = -(int64_t)(magnitude - 1) - 1;
    else
        *out = (int64_t)magnitude;
    return true;
}

bool parse_i64(int64_t *out, const char *text, int64_t min, int64_t max)
{
    bool negative = text != NULL && *text == '-';
    uint64_t magnitude;
    int64_t value;

    if (negative)
        text++;
    if (!parse_u64(&magnitude, text, 0, UINT64_MAX) ||
        !with_sign(&value, magnitude, negative))
        return false;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool parse_bool(bool *out, const char *text)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {
        {"yes", true}, {"no", false},  {"true", true}, {"false", false},
        {"on", true},  {"off", false}, {"1", true},    {"0", false},
    };

    if (text == NULL)
        return false;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcasecmp(text, words[i].text) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

/* A whole number, then one of the suffixes. */
static bool parse_with_unit(uint64_t *out, const char *text, const struct unit *units,
                            size_t unit_count, uint64_t min, uint64_t max)
{
    uint64_t value;

    if (text == NULL || !take_digits(&value, &text))
        return false;
    for (size_t i = 0; i < unit_count; i++) {
        if (strcmp(text, units[i].suffix) != 0)
            continue;
        if (value > UINT64_MAX / units[i].factor)
            return false;
        value *= units[i].factor;
        if (value < min || value > max)
            return false;
        *out = value;
        return true;
    }
    return false;
}

bool parse_duration_ms(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
    static const struct unit units[] = {
        {"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
    };

    return parse_with_unit(out, text, units, COUNT_OF(units), min, max);
}

bool parse_size_bytes(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
    static const struct unit units[] = {
        {"", 1},
        {"KiB", 1024},
        {"MiB", 1048576},
        {"GiB", 1073741824},
    };

    return parse_with_unit(out, text, units, COUNT_OF(units), min, max);
}

bool parse_milli(int64_t *out, const char *text)
{
    bool negative = text != NULL && *text == '-';
    uint64_t whole;
    uint64_t thousandths = 0;

    if (negative)
        text++;
    if (text == NULL || !take_digits(&whole, &text) || whole > UINT64_MAX / 1000 - 1)
        return false;
    if (*text == '.') {
        const char *decimals = ++text;

        if (!take_digits(&thousandths, &text) || text - decimals > 3)
            return false;
        for (long places = text - decimals; places < 3; places++)
            thousandths *= 10;
    }
    return *text == '\0' && with_sign(out, whole * 1000 + thousandths, negative);
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool parse_hex(uint8_t *out, size_t size, const char *text)
{
    if (text == NULL || size > SIZE_MAX / 2 || strlen(text) != 2 * size)
        return false;
    for (size_t i = 0; i < 2 * size; i++) {
        if (hex_digit(text[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(hex_digit(text[2 * i]) * 16 + hex_digit(text[2 * i + 1]));
    return true;
}

void parse_format_hex(char *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 0x0f];
    }
    out[2 * size] = '\0';
}

/* RFC 3629 section 4 as rows: the first byte's range, the second byte's, the length. */
size_t parse_utf8_next(const char *data, size_t size)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max, length;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const unsigned char *bytes = (const unsigned char *)data;

    if (size == 0)
        return 0;
    if (bytes[0] < 0x80)
        return 1;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (bytes[0] < rows[i].first_min || bytes[0] > rows[i].first_max)
            continue;
        if (size < rows[i].length || bytes[1] < rows[i].second_min ||
            bytes[1] > rows[i].second_max)
            return 0;
        for (size_t at = 2; at < rows[i].length; at++) {
            if ((bytes[at] & 0xc0) != 0x80)
                return 0;
        }
        return rows[i].length;
    }
    return 0;
}

bool parse_is_utf8(const char *data, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t length = parse_utf8_next(data + at, size - at);

        if (length == 0 || data[at] == '\0')
            return false;
        at += length;
    }
    return true;
}

bool parse_json_is_shallow(const char *text, size_t size, unsigned depth_max)
{
    unsigned depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++; /* whatever is escaped does not end the string */
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > depth_max)
                return false;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}
