#include "url.h"

#include <string.h>
#include <strings.h>

#include "core/parse.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool is_loopback_host(const char *host, size_t size)
{
    static const char *const NAMES[] = {"127.0.0.1", "[::1]", "localhost"};

    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (strlen(NAMES[i]) == size && strncasecmp(NAMES[i], host, size) == 0)
            return true;
    }
    return false;
}

/* Length of the host that `text` starts with; 0 when it starts with none. */
static size_t host_size(const char *text)
{
    size_t size;

    if (text[0] != '[')
        return strspn(text, ALNUM ".-");
    size = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
    return text[size] == ']' ? size + 1 : 0;
}

/* What may follow the host: a port, a path, or nothing. */
static bool is_good_tail(const char *tail)
{
    char port[6] = "";
    uint64_t number;

    if (*tail == ':') {
        size_t size = strspn(++tail, "0123456789");

        if (size >= sizeof(port))
            return false;
        memcpy(port, tail, size);
        if (!parse_u64(&number, port, 1, 65535))
            return false;
        tail += size;
    }
    return (*tail == '\0' || *tail == '/') && tail[strspn(tail, ALNUM "/._~-")] == '\0' &&
           strstr(tail, "/.") == NULL;
}

enum status url_check_base(bool *is_loopback, const char *base, bool loopback_allowed,
                           struct error *err)
{
    bool is_tls = strncmp(base, "https://", 8) == 0;
    bool is_plain = strncmp(base, "http://", 7) == 0;
    const char *host = base + (is_tls ? 8 : 7);
    size_t size = is_tls || is_plain ? host_size(host) : 0;
    bool is_local;

    if (size == 0 || strlen(base) > URL_SIZE_MAX / 4 || !is_good_tail(host + size))
        return error_set(err, ST_INVALID, "'%s' is no base url such as https://host/path",
                         base);
    is_local = is_loopback_host(host, size);
    if (is_local && !loopback_allowed)
        return error_set(err, ST_INVALID,
                         "'%s' is a loopback address, which "
                         "GATEWAY_ALLOW_PLAIN_HTTP_LOOPBACK would allow",
                         base);
    if (is_plain && !is_local)
        return error_set(err, ST_INVALID, "'%s' is not https", base);
    *is_loopback = is_local;
    return ST_OK;
}

void url_begin(struct buf *url, const char *base, const char *path)
{
    size_t size = strlen(base);

    while (size > 0 && base[size - 1] == '/')
        size--;
    buf_append(url, base, size);
    buf_append_text(url, path);
}

void url_path(struct buf *url, const char *path)
{
    buf_append_text(url, path);
}

static void append_encoded(struct buf *url, const char *value)
{
    while (*value != '\0') {
        size_t plain = strspn(value, ALNUM "-._~");

        if (plain > 0)
            buf_append(url, value, plain);
        value += plain;
        if (*value != '\0')
            buf_printf(url, "%%%02X", (unsigned)(unsigned char)*value++);
    }
}

void url_segment(struct buf *url, const char *value)
{
    buf_append_text(url, "/");
    append_encoded(url, value);
}

void url_query(struct buf *url, const char *name, const char *value)
{
    buf_append_text(url, strchr(buf_text(url), '?') == NULL ? "?" : "&");
    buf_append_text(url, name);
    buf_append_text(url, "=");
    append_encoded(url, value);
}
