/*
 * behaviour.h - how the provider misbehaves, by endpoint.
 *
 * Rules are looked up for a request that is already valid, authorised and counted: first the
 * rule of its endpoint, then the provider's rule for "*". A rule is used up after `times`.
 *
 * Pure values; the HTTP thread only.
 */
#ifndef SIMULATOR_BEHAVIOUR_H
#define SIMULATOR_BEHAVIOUR_H

#include <stdbool.h>

#include "endpoint.h"

enum behaviour_mode {
    BEHAVIOUR_OK,
    BEHAVIOUR_STATUS,   /* answer an error; nothing happens, nothing is charged */
    BEHAVIOUR_HANG,     /* hold until the behaviour changes or the client leaves */
    BEHAVIOUR_SLOW,     /* hold delay_ms, then answer */
    BEHAVIOUR_CLOSE,    /* close without an answer */
    BEHAVIOUR_TRUNCATE, /* half of the body, then close */
    BEHAVIOUR_GARBAGE,  /* 200 with a body that is not JSON */
};

struct behaviour {
    enum behaviour_mode mode;
    unsigned status;
    unsigned delay_ms;
    int times;         /* -1 until changed */
    int retry_after_s; /* a Retry-After header when >= 0 */
    bool effect;       /* hang, close: the provider did (and charged) the work */
    char code[64];     /* error code; for Clay the message */
};

/* Modes by name; -1 when unknown. */
int behaviour_mode_parse(const char *name);

struct behaviours {
    struct behaviour rules[ENDPOINT_COUNT];
    struct behaviour everywhere[2]; /* "*": Modash, Clay */
};

/* The behaviour of the next request, used up by one. */
struct behaviour behaviours_take(struct behaviours *behaviours, enum endpoint endpoint);

#endif
