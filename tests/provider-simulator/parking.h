/*
 * parking.h - requests that are held without a thread: hung until released, or delayed.
 *
 * The HTTP thread parks a connection (libmicrohttpd suspends it); one more thread, which
 * calls parking_run, watches deadlines and clients that leave, and resumes. A resumed
 * request comes back through the ordinary request callback, which asks parking_outcome.
 *
 * Threads: parking_hold, _outcome and _release from the HTTP thread, _run and _close from
 * the watcher, _stop from anywhere, signal handlers included.
 */
#ifndef SIMULATOR_PARKING_H
#define SIMULATOR_PARKING_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoint.h"

struct MHD_Connection;
struct parking;

enum parking_outcome {
    PARKING_WAITING,
    PARKING_RELEASED,    /* the behaviour changed */
    PARKING_EXPIRED,     /* the delay is over */
    PARKING_CLIENT_LEFT, /* nobody waits for the answer */
    PARKING_CLOSED,      /* the simulator ends */
};

/* Embedded in the request; lives until the outcome has been read. */
struct parked {
    struct parked *next;
    struct MHD_Connection *connection;
    uint64_t ticket;
    int64_t deadline_ms; /* monotonic; -1 = until released */
    int fd;
    bool unread; /* the client sent more bytes: its end can no longer be seen by reading */
    enum endpoint endpoint;
    enum parking_outcome outcome;
};

struct parking *parking_new(void);
void parking_free(struct parking *parking);

/* Suspend the connection for delay_ms, or until released when that is negative. False when
 * the simulator is about to end: then answer at once or close. */
bool parking_hold(struct parking *parking, struct parked *parked,
                  struct MHD_Connection *connection, enum endpoint endpoint, int delay_ms);
enum parking_outcome parking_outcome(struct parking *parking, struct parked *parked);

/* Release what hangs at this endpoint; endpoint "*" is all of the provider's, provider NULL
 * everything, delayed requests included. */
void parking_release(struct parking *parking, const char *provider, const char *endpoint);

/* Watch until parking_stop is called. */
void parking_run(struct parking *parking);
void parking_stop(struct parking *parking);

/* Release everything and hold nothing any more. */
void parking_close(struct parking *parking);

#endif
