#include "client/message_bytes.h"

#include <string.h>

#include "core/op_id.h"
#include "core/parse.h"

#define HASH_SIZE 32

static const char ALPHABET[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);

    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static bool is_id(const char *field)
{
    return ends_with(field, "_id") || ends_with(field, "_ids");
}

static void print_base64(struct buf *out, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at += 3) {
        size_t have = size - at < 3 ? size - at : 3;
        uint32_t group = (uint32_t)data[at] << 16;
        char text[4];

        if (have > 1)
            group |= (uint32_t)data[at + 1] << 8;
        if (have > 2)
            group |= data[at + 2];
        text[0] = ALPHABET[group >> 18];
        text[1] = ALPHABET[(group >> 12) & 63];
        text[2] = have > 1 ? ALPHABET[(group >> 6) & 63] : '=';
        text[3] = have > 2 ? ALPHABET[group & 63] : '=';
        buf_append(out, text, sizeof(text));
    }
}

void message_bytes_print(struct buf *out, const char *field, const uint8_t *data,
                         size_t size)
{
    struct op_id id;

    if (is_id(field) && op_id_from_bytes(&id, data, size)) {
        char text[OP_ID_TEXT_SIZE];

        op_id_format(text, &id);
        buf_append_text(out, text);
    } else if (ends_with(field, "hash") && size == HASH_SIZE) {
        char text[2 * HASH_SIZE + 1];

        parse_format_hex(text, data, size);
        buf_append_text(out, text);
    } else {
        print_base64(out, data, size);
    }
}

size_t message_bytes_room(size_t text_size)
{
    size_t room = text_size / 4 * 3 + 3;

    return room < HASH_SIZE ? HASH_SIZE : room;
}

/* The 6 bits a character stands for, -1 when it is none. */
static int base64_value(char c)
{
    const char *at;

    if (c == '-')
        c = '+';
    else if (c == '_')
        c = '/';
    at = c != '\0' ? strchr(ALPHABET, c) : NULL;
    return at != NULL ? (int)(at - ALPHABET) : -1;
}

static bool parse_base64(uint8_t *out, size_t *size, const char *text, size_t text_size)
{
    size_t padding = 0, written = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;

    while (padding < 2 && text_size > padding && text[text_size - padding - 1] == '=')
        padding++;
    if ((padding > 0 && text_size % 4 != 0) || (text_size - padding) % 4 == 1)
        return false;
    for (size_t i = 0; i < text_size - padding; i++) {
        int value = base64_value(text[i]);

        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffff;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[written++] = (uint8_t)(bits >> bit_count);
        }
    }
    if ((bits & ((1u << bit_count) - 1)) != 0)
        return false;
    *size = written;
    return true;
}

bool message_bytes_parse(uint8_t *out, size_t *size, const char *field, const char *text,
                         size_t text_size)
{
    struct op_id id;

    if (is_id(field) && text_size == OP_ID_TEXT_SIZE - 1 && op_id_parse(&id, text)) {
        memcpy(out, id.bytes, OP_ID_SIZE);
        *size = OP_ID_SIZE;
        return true;
    }
    if (ends_with(field, "hash") && text_size == 2 * HASH_SIZE &&
        parse_hex(out, HASH_SIZE, text)) {
        *size = HASH_SIZE;
        return true;
    }
    return parse_base64(out, size, text, text_size);
}
