#include "core/escape.h"

#include <string.h>

#include "core/parse.h"

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

size_t escape_plain_run(const char *text, size_t size)
{
    size_t run = 0;

    while (run < size && is_plain((unsigned char)text[run]))
        run++;
    return run;
}

static struct escape_step step_short(char letter)
{
    return (struct escape_step){
        .taken = 1, .size = 2, .escaped = true, .text = {'\\', letter}};
}

static struct escape_step step_code(size_t taken, unsigned code)
{
    static const char digits[] = "0123456789abcdef";
    struct escape_step step = {.taken = taken, .size = 6, .escaped = true};

    step.text[0] = '\\';
    step.text[1] = 'u';
    for (unsigned i = 0; i < 4; i++)
        step.text[2 + i] = digits[(code >> (12 - 4 * i)) & 0xf];
    return step;
}

static struct escape_step step_control(unsigned char byte)
{
    switch (byte) {
    case '\b':
        return step_short('b');
    case '\t':
        return step_short('t');
    case '\n':
        return step_short('n');
    case '\f':
        return step_short('f');
    case '\r':
        return step_short('r');
    default:
        return step_code(1, byte);
    }
}

struct escape_step escape_next(const char *text, size_t size)
{
    unsigned char first = (unsigned char)text[0];
    size_t length = parse_utf8_next(text, size);
    struct escape_step step = {.taken = length, .size = length};

    if (length == 0)
        return step_code(1, 0xfffd);
    if (first == '"' || first == '\\')
        return step_short((char)first);
    if (first < 0x20 || first == 0x7f)
        return step_control(first);
    if (first == 0xc2 && (unsigned char)text[1] < 0xa0)
        return step_code(2, (unsigned char)text[1]);
    memcpy(step.text, text, length);
    return step;
}
