#include "parking.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "text.h"

struct parking {
    pthread_mutex_t lock; /* guards first, count, next_ticket, closed and every parked */
    struct parked *first; /* newest ticket first */
    size_t count;
    uint64_t next_ticket;
    bool closed;
    int wake_read;
    int wake_write;
    volatile sig_atomic_t stopping;
};

/* What the watcher remembers while it polls without the lock. */
struct watched {
    uint64_t ticket;
    bool readable;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct parking *parking_new(void)
{
    struct parking *parking = must_alloc(sizeof *parking);
    int ends[2];

    if (pipe(ends) != 0) {
        perror("provider-simulator: pipe");
        abort();
    }
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    }
    parking->wake_read = ends[0];
    parking->wake_write = ends[1];
    pthread_mutex_init(&parking->lock, NULL);
    return parking;
}

void parking_free(struct parking *parking)
{
    if (parking != NULL) {
        close(parking->wake_read);
        close(parking->wake_write);
        pthread_mutex_destroy(&parking->lock);
        free(parking);
    }
}

/* A full pipe wakes as well as one more byte would. */
static void wake(const struct parking *parking)
{
    int saved = errno;
    ssize_t written = write(parking->wake_write, "", 1);

    (void)written;
    errno = saved;
}

void parking_stop(struct parking *parking)
{
    parking->stopping = 1;
    wake(parking);
}

bool parking_hold(struct parking *parking, struct parked *parked,
                  struct MHD_Connection *connection, enum endpoint endpoint, int delay_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    bool held;

    pthread_mutex_lock(&parking->lock);
    held = !parking->closed;
    if (held) {
        *parked = (struct parked){
            .next = parking->first,
            .connection = connection,
            .ticket = ++parking->next_ticket,
            .deadline_ms = delay_ms < 0 ? -1 : now_ms() + delay_ms,
            .fd = info == NULL ? -1 : info->connect_fd,
            .endpoint = endpoint,
        };
        parking->first = parked;
        parking->count++;
        MHD_suspend_connection(connection);
    }
    pthread_mutex_unlock(&parking->lock);
    if (held) {
        wake(parking);
    }
    return held;
}

enum parking_outcome parking_outcome(struct parking *parking, struct parked *parked)
{
    enum parking_outcome outcome;

    pthread_mutex_lock(&parking->lock);
    outcome = parked->outcome;
    pthread_mutex_unlock(&parking->lock);
    return outcome;
}

/* Take the entry `*link` off the list and let it go on. The lock is held. */
static void resume(struct parking *parking, struct parked **link,
                   enum parking_outcome outcome)
{
    struct parked *parked = *link;

    *link = parked->next;
    parking->count--;
    parked->outcome = outcome;
    MHD_resume_connection(parked->connection);
}

static bool covers(const char *provider, const char *endpoint, const struct parked *parked)
{
    if (provider == NULL) {
        return true;
    }
    return parked->deadline_ms < 0 &&
           strcmp(endpoint_provider(parked->endpoint), provider) == 0 &&
           (strcmp(endpoint, "*") == 0 ||
            strcmp(endpoint_name(parked->endpoint), endpoint) == 0);
}

void parking_release(struct parking *parking, const char *provider, const char *endpoint)
{
    struct parked **link = &parking->first;

    pthread_mutex_lock(&parking->lock);
    while (*link != NULL) {
        if (covers(provider, endpoint, *link)) {
            resume(parking, link, PARKING_RELEASED);
        } else {
            link = &(*link)->next;
        }
    }
    pthread_mutex_unlock(&parking->lock);
}

void parking_close(struct parking *parking)
{
    pthread_mutex_lock(&parking->lock);
    parking->closed = true;
    while (parking->first != NULL) {
        resume(parking, &parking->first, PARKING_CLOSED);
    }
    pthread_mutex_unlock(&parking->lock);
}

/* Write down what to poll; answers the time to the next deadline, -1 for none. */
static int list_watched(struct parking *parking, struct pollfd *fds,
                        struct watched *watched)
{
    int64_t now = now_ms();
    int64_t left = -1;
    size_t i = 0;

    for (const struct parked *at = parking->first; at != NULL; at = at->next, i++) {
        fds[i] = (struct pollfd){.fd = at->fd, .events = at->unread ? 0 : POLLIN};
        watched[i] = (struct watched){.ticket = at->ticket};
        if (at->deadline_ms >= 0) {
            int64_t wait = at->deadline_ms > now ? at->deadline_ms - now : 0;

            left = left < 0 || wait < left ? wait : left;
        }
    }
    return (int)left;
}

/* Whether the other end of a readable or broken socket is gone. */
static bool has_left(struct parked *parked)
{
    char byte;
    ssize_t got = recv(parked->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (got > 0) {
        parked->unread = true;
        return false;
    }
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* Resume what is due, and what nobody waits for. The lock is held. Both lists run from the
 * newest ticket to the oldest; a ticket still parked still owns the socket that was polled. */
static void resume_due(struct parking *parking, const struct watched *watched, size_t count)
{
    struct parked **link = &parking->first;
    int64_t now = now_ms();
    size_t i = 0;

    while (*link != NULL) {
        bool readable;

        while (i < count && watched[i].ticket > (*link)->ticket) {
            i++;
        }
        readable = i < count && watched[i].ticket == (*link)->ticket && watched[i].readable;
        if (readable && has_left(*link)) {
            resume(parking, link, PARKING_CLIENT_LEFT);
        } else if ((*link)->deadline_ms >= 0 && (*link)->deadline_ms <= now) {
            resume(parking, link, PARKING_EXPIRED);
        } else {
            link = &(*link)->next;
        }
    }
}

static void drain_wake(const struct parking *parking)
{
    char bytes[256];

    while (read(parking->wake_read, bytes, sizeof bytes) > 0) {}
}

void parking_run(struct parking *parking)
{
    struct pollfd *fds = NULL;
    struct watched *watched = NULL;

    while (!parking->stopping) {
        size_t count;
        int timeout;

        pthread_mutex_lock(&parking->lock);
        count = parking->count;
        fds = must_grow(fds, (count + 1) * sizeof *fds);
        watched = must_grow(watched, (count + 1) * sizeof *watched);
        timeout = list_watched(parking, fds, watched);
        pthread_mutex_unlock(&parking->lock);

        fds[count] = (struct pollfd){.fd = parking->wake_read, .events = POLLIN};
        if (poll(fds, (nfds_t)(count + 1), timeout) < 0) {
            continue; /* a signal: it has set `stopping`, or means nothing here */
        }
        drain_wake(parking);
        for (size_t i = 0; i < count; i++) {
            watched[i].readable = fds[i].revents != 0;
        }
        pthread_mutex_lock(&parking->lock);
        resume_due(parking, watched, count);
        pthread_mutex_unlock(&parking->lock);
    }
    free(fds);
    free(watched);
}
