#include "support/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "support/connect.h"

#define TIMEOUT_MS   20000
#define HEAD_MAX     2048
#define READ_STEP    65536
#define ANSWER_BYTES (64u << 20)

static bool send_request(int fd, const char *host, const char *path, const char *headers,
                         const char *body)
{
    size_t body_size = body == NULL ? 0 : strlen(body);
    char head[HEAD_MAX];
    int size = snprintf(head, sizeof(head),
                        "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                        body == NULL ? "GET" : "POST", path, host,
                        headers == NULL ? "" : headers, body_size);

    return size > 0 && (size_t)size < sizeof(head) &&
           connect_send(fd, head, (size_t)size) &&
           (body_size == 0 || connect_send(fd, body, body_size));
}

static char *read_all(int fd, size_t *size)
{
    char *data = NULL;

    *size = 0;
    for (size_t room = READ_STEP; room <= ANSWER_BYTES; room += READ_STEP) {
        data = mem_realloc_array(data, room + 1, 1);
        while (*size < room) {
            ssize_t got = connect_receive(fd, data + *size, room - *size);

            if (got <= 0) {
                data[*size] = '\0';
                return data;
            }
            *size += (size_t)got;
        }
    }
    mem_free(data);
    return NULL;
}

/* Keeps the body alone when the answer is whole. */
static void parse(struct http_answer *out, char *data, size_t size)
{
    char *end = strstr(data, "\r\n\r\n");
    char *length;

    if (end == NULL || strncmp(data, "HTTP/1.", 7) != 0)
        return;
    *end = '\0';
    length = strstr(data, "Content-Length: ");
    out->size = size - (size_t)(end + 4 - data);
    if (length != NULL && strtoul(length + 16, NULL, 10) != out->size)
        return;
    out->status = (int)strtol(data + 9, NULL, 10);
    out->body = mem_alloc(out->size + 1);
    memcpy(out->body, end + 4, out->size);
}

void http_ask(struct http_answer *out, const char *url, const char *headers,
              const char *body)
{
    struct connect_address address;
    char *data = NULL;
    size_t size;
    int fd;

    *out = (struct http_answer){0};
    if (!connect_parse(&address, url, "http://"))
        return;
    fd = connect_open(&address, TIMEOUT_MS);
    if (fd < 0)
        return;
    if (send_request(fd, address.text, address.rest, headers, body))
        data = read_all(fd, &size);
    if (data != NULL)
        parse(out, data, size);
    mem_free(data);
    connect_close(fd);
}

void http_answer_done(struct http_answer *answer)
{
    mem_free(answer->body);
    *answer = (struct http_answer){0};
}
