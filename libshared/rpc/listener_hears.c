#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "rpc/listener.h"

#define IPC_SCHEME  "ipc://"
#define HEADER_SIZE 8

/* SP's greeting of a subscriber (protocol 0x21). */
static const uint8_t GREETING[HEADER_SIZE] = {0, 'S', 'P', 0, 0, 0x21, 0, 0};

static int connect_ipc(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A loopback or own address: connecting takes no time. */
static int connect_tcp(const char *url)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    nng_url *parsed;
    int fd = -1;

    if (nng_url_parse(&parsed, url) != 0)
        return -1;
    if (getaddrinfo(parsed->u_hostname, parsed->u_port, &hints, &found) == 0) {
        fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
        freeaddrinfo(found);
    }
    nng_url_free(parsed);
    return fd;
}

/* Something behind the publisher's own greeting. */
static bool hears(int fd, uint64_t deadline_us)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    uint8_t bytes[HEADER_SIZE + 1];
    size_t got = 0;

    if (send(fd, GREETING, sizeof(GREETING), MSG_NOSIGNAL) != (ssize_t)sizeof(GREETING))
        return false;
    while (got < sizeof(bytes)) {
        ssize_t size;

        if (poll(&waiting, 1, (int)clock_left_ms(deadline_us)) <= 0)
            return false;
        size = recv(fd, bytes + got, sizeof(bytes) - got, 0);
        if (size <= 0)
            return false;
        got += (size_t)size;
    }
    return true;
}

bool rpc_listener_hears(const struct rpc_listener *listener, uint64_t timeout_ms)
{
    const char *url = listener->dial_url;
    bool is_ipc = strncmp(url, IPC_SCHEME, strlen(IPC_SCHEME)) == 0;
    int fd = is_ipc ? connect_ipc(url + strlen(IPC_SCHEME)) : connect_tcp(url);
    bool is_heard;

    if (fd < 0)
        return false;
    is_heard = hears(fd, clock_deadline_ms(timeout_ms));
    close(fd);
    return is_heard;
}
