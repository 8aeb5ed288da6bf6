#include "support/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

bool connect_parse(struct connect_address *out, const char *url, const char *scheme)
{
    size_t length;
    char *colon;

    if (strncmp(url, scheme, strlen(scheme)) != 0)
        return false;
    url += strlen(scheme);
    length = strcspn(url, "/");
    if (length >= sizeof(out->host))
        return false;
    out->rest = url + length;
    (void)snprintf(out->text, sizeof(out->text), "%.*s", (int)length, url);
    (void)snprintf(out->host, sizeof(out->host), "%.*s", (int)length, url);
    colon = strchr(out->host, ':');
    if (colon == NULL)
        return false;
    *colon = '\0';
    out->port = (uint16_t)strtoul(colon + 1, NULL, 10);
    return out->port != 0;
}

int connect_open(const struct connect_address *address, unsigned timeout_ms)
{
    struct timeval limit = {.tv_sec = timeout_ms / 1000,
                            .tv_usec = (timeout_ms % 1000) * 1000};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (inet_pton(AF_INET, address->host, &to.sin_addr) == 1 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

void connect_close(int fd)
{
    (void)close(fd);
}

bool connect_send(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

ssize_t connect_receive(int fd, void *data, size_t size)
{
    ssize_t got;

    do {
        got = recv(fd, data, size, 0);
    } while (got < 0 && errno == EINTR);
    return got;
}

bool connect_receive_all(int fd, void *data, size_t size)
{
    char *at = data;

    while (size > 0) {
        ssize_t got = connect_receive(fd, at, size);

        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}
