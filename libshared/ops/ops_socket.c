#include "ops/ops_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/parse.h"

#define HOST_SIZE 64
#define BACKLOG   64

struct host_port {
    char host[HOST_SIZE];
    char port[8];
};

static bool split(struct host_port *out, const char *address)
{
    const char *colon = strrchr(address, ':');
    const char *host = address;
    uint64_t port;

    if (colon == NULL || !parse_u64(&port, colon + 1, 0, UINT16_MAX))
        return false;

    size_t size = (size_t)(colon - address);

    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    } else if (memchr(host, ':', size) != NULL) {
        return false;
    }
    if (size == 0 || size >= sizeof out->host)
        return false;
    memcpy(out->host, host, size);
    out->host[size] = '\0';
    snprintf(out->port, sizeof out->port, "%u", (unsigned)port);
    return true;
}

static bool read_bound_address(struct ops_socket *out)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char host[HOST_SIZE];
    char port[8];

    if (getsockname(out->fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    out->is_ipv6 = bound.ss_family == AF_INET6;
    snprintf(out->address, sizeof out->address, out->is_ipv6 ? "[%s]:%s" : "%s:%s", host,
             port);
    return true;
}

static bool listen_on(int fd, const struct addrinfo *at)
{
    int on = 1;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
}

static enum status open_at(struct ops_socket *out, const struct addrinfo *at,
                           const char *address, struct error *err)
{
    struct ops_socket opened = {.fd = -1};

    opened.fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (opened.fd < 0)
        return error_set(err, ST_UNAVAILABLE, "no socket for '%s': %s", address,
                         strerror(errno));
    if (!listen_on(opened.fd, at) || !read_bound_address(&opened)) {
        error_set(err, ST_UNAVAILABLE, "cannot listen on '%s': %s", address,
                  strerror(errno));
        close(opened.fd);
        return ST_UNAVAILABLE;
    }
    *out = opened;
    return ST_OK;
}

enum status ops_socket_open(struct ops_socket *out, const char *address, struct error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    struct host_port parts;

    if (!split(&parts, address))
        return error_set(err, ST_INVALID, "'%s' is no address: expected host:port",
                         address);

    int failure = getaddrinfo(parts.host, parts.port, &hints, &found);

    if (failure != 0)
        return error_set(err, ST_INVALID, "'%s' is no address: %s", address,
                         gai_strerror(failure));

    enum status status = open_at(out, found, address, err);

    freeaddrinfo(found);
    return status;
}
