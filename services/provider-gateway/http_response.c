#include <string.h>
#include <strings.h>

#include "http_client.h"

void http_response_done(struct http_response *response)
{
    buf_done(&response->headers);
    buf_done(&response->body);
}

/* The value behind "name:" in a line of `size` bytes; NULL when it is another header. */
static const char *value_in_line(const char *line, size_t size, const char *name)
{
    size_t name_size = strlen(name);

    if (size <= name_size || line[name_size] != ':' ||
        strncasecmp(line, name, name_size) != 0)
        return NULL;
    return line + name_size + 1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool http_response_header(const struct http_response *response, const char *name, char *out,
                          size_t size)
{
    const char *line = buf_text(&response->headers);

    out[0] = '\0';
    while (*line != '\0') {
        size_t line_size = strcspn(line, "\n");
        const char *end = line + line_size;
        const char *value = value_in_line(line, line_size, name);

        if (value != NULL) {
            while (value < end && is_blank(*value))
                value++;
            while (end > value && is_blank(end[-1]))
                end--;
            if ((size_t)(end - value) >= size)
                return false;
            memcpy(out, value, (size_t)(end - value));
            out[end - value] = '\0';
            return true;
        }
        line += line_size + (line[line_size] == '\n');
    }
    return false;
}

bool http_response_is_json(const struct http_response *response)
{
    char type[128];
    size_t size;

    if (!http_response_header(response, "content-type", type, sizeof(type)))
        return false;
    size = strcspn(type, "; \t");
    type[size] = '\0';
    if (strcasecmp(type, "application/json") == 0)
        return true;
    return strncasecmp(type, "application/", 12) == 0 && size > 17 &&
           strcasecmp(type + size - 5, "+json") == 0;
}
