#include "support/http_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/parse.h"
#include "core/thread.h"

#define ANSWERS_MAX     64
#define REQUESTS_MAX    4096
#define CONNECTIONS_MAX 256
#define REQUEST_BYTES   ((size_t)64 * 1024)

struct answer {
    char *bytes;
    size_t size;
    enum http_peer_then then;
};

struct connection {
    struct http_peer *peer;
    pthread_t thread;
    int fd;
};

struct http_peer {
    int listener;
    char url[HTTP_PEER_URL_SIZE];
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows */
    bool is_closing;
    struct answer answers[ANSWERS_MAX];
    size_t answer_count;
    size_t answers_used;
    char *requests[REQUESTS_MAX];
    size_t request_count;
    struct connection connections[CONNECTIONS_MAX];
    size_t connection_count;
};

static const char DEFAULT_ANSWER[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/* Where the request in `text` ends; 0 when it is not complete yet. */
static size_t request_end(const char *text, size_t size)
{
    const char *head_end = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, "Content-Length: ");
    char digits[12] = "";
    uint64_t body = 0;
    size_t head;

    if (head_end == NULL)
        return 0;
    head = (size_t)(head_end - text) + 4;
    if (length != NULL && length < head_end) {
        length += strlen("Content-Length: ");
        memcpy(digits, length, strspn(length, "0123456789") % sizeof(digits));
        if (!parse_u64(&body, digits, 0, REQUEST_BYTES))
            body = 0;
    }
    return head + body <= size ? head + (size_t)body : 0;
}

/* Read one request into `text`; false when the client has left. */
static bool read_request(int fd, char *text)
{
    size_t size = 0;

    text[0] = '\0';
    while (request_end(text, size) == 0) {
        ssize_t got = recv(fd, text + size, REQUEST_BYTES - 1 - size, 0);

        if (got <= 0)
            return false;
        size += (size_t)got;
        text[size] = '\0';
    }
    return true;
}

/* Keep the request and take its answer; the answer is borrowed. */
static struct answer next_answer(struct http_peer *peer, const char *request)
{
    struct answer answer = {(char *)DEFAULT_ANSWER, sizeof(DEFAULT_ANSWER) - 1,
                            HTTP_PEER_KEEP};

    mutex_lock(&peer->lock);
    if (peer->request_count < REQUESTS_MAX)
        peer->requests[peer->request_count++] = mem_strdup(request);
    if (peer->answers_used < peer->answer_count)
        answer = peer->answers[peer->answers_used++];
    mutex_unlock(&peer->lock);
    return answer;
}

static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void *serve(void *context)
{
    struct connection *connection = context;
    char *request = mem_alloc(REQUEST_BYTES);
    char rest[256];

    while (read_request(connection->fd, request)) {
        struct answer answer = next_answer(connection->peer, request);

        if (!send_all(connection->fd, answer.bytes, answer.size) ||
            answer.then == HTTP_PEER_CLOSE)
            break;
        while (answer.then == HTTP_PEER_HANG &&
               recv(connection->fd, rest, sizeof(rest), 0) > 0)
            continue;
    }
    (void)shutdown(connection->fd, SHUT_RDWR);
    mem_free(request);
    return NULL;
}

static void *accept_all(void *context)
{
    struct http_peer *peer = context;

    for (;;) {
        int fd = accept(peer->listener, NULL, NULL);
        struct connection *connection;

        mutex_lock(&peer->lock);
        if (fd < 0 || peer->is_closing || peer->connection_count == CONNECTIONS_MAX) {
            mutex_unlock(&peer->lock);
            if (fd >= 0)
                (void)close(fd);
            break;
        }
        connection = &peer->connections[peer->connection_count++];
        connection->peer = peer;
        connection->fd = fd;
        thread_start(&connection->thread, "peer-connection", 0, serve, connection);
        mutex_unlock(&peer->lock);
    }
    return NULL;
}

struct http_peer *http_peer_open(void)
{
    struct http_peer *peer = mem_alloc(sizeof(*peer));
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer->listener < 0 ||
        bind(peer->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(peer->listener, CONNECTIONS_MAX) != 0 ||
        getsockname(peer->listener, (struct sockaddr *)&address, &size) != 0)
        log_abort("the test's HTTP server cannot listen", 0);
    (void)snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%u",
                   (unsigned)ntohs(address.sin_port));
    mutex_init(&peer->lock);
    thread_start(&peer->thread, "peer", 0, accept_all, peer);
    return peer;
}

void http_peer_close(struct http_peer *peer)
{
    mutex_lock(&peer->lock);
    peer->is_closing = true;
    for (size_t i = 0; i < peer->connection_count; i++)
        (void)shutdown(peer->connections[i].fd, SHUT_RDWR);
    mutex_unlock(&peer->lock);
    (void)shutdown(peer->listener, SHUT_RDWR);
    thread_join(peer->thread);
    for (size_t i = 0; i < peer->connection_count; i++) {
        thread_join(peer->connections[i].thread);
        (void)close(peer->connections[i].fd);
    }
    (void)close(peer->listener);
    for (size_t i = 0; i < peer->answer_count; i++)
        mem_free(peer->answers[i].bytes);
    for (size_t i = 0; i < peer->request_count; i++)
        mem_free(peer->requests[i]);
    mutex_done(&peer->lock);
    mem_free(peer);
}

const char *http_peer_url(const struct http_peer *peer)
{
    return peer->url;
}

void http_peer_will_send(struct http_peer *peer, const void *bytes, size_t size,
                         enum http_peer_then then)
{
    char *copy = mem_alloc(size + 1);

    memcpy(copy, bytes, size);
    mutex_lock(&peer->lock);
    if (peer->answer_count == ANSWERS_MAX)
        log_abort("too many scripted answers", 0);
    peer->answers[peer->answer_count++] = (struct answer){copy, size, then};
    mutex_unlock(&peer->lock);
}

void http_peer_will_answer(struct http_peer *peer, unsigned status, const char *json)
{
    char *text = mem_printf("HTTP/1.1 %u Scripted\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            status, strlen(json), json);

    http_peer_will_send(peer, text, strlen(text), HTTP_PEER_KEEP);
    mem_free(text);
}

size_t http_peer_request_count(struct http_peer *peer)
{
    size_t count;

    mutex_lock(&peer->lock);
    count = peer->request_count;
    mutex_unlock(&peer->lock);
    return count;
}

void http_peer_request(struct http_peer *peer, size_t index, char *out, size_t size)
{
    mutex_lock(&peer->lock);
    (void)snprintf(out, size, "%s",
                   index < peer->request_count ? peer->requests[index] : "");
    mutex_unlock(&peer->lock);
}
