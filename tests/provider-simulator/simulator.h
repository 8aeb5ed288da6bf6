/*
 * simulator.h - one request from the routing table to its answer, and the state behind it.
 *
 * Handlers run one at a time on the HTTP thread; nothing here needs a lock.
 *
 * server.c reads the request -> routes.c finds the row, checks key and platform -> the row's
 * `check` validates -> counted as received -> behaviour.c says how to behave -> the row's
 * `answer` fills the reply and charges -> server.c sends, and counts it as answered.
 */
#ifndef SIMULATOR_SIMULATOR_H
#define SIMULATOR_SIMULATOR_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "behaviour.h"
#include "counts.h"
#include "endpoint.h"
#include "population.h"
#include "text.h"

struct clay;
struct parking;

struct simulator {
    struct population *population;
    struct counts *counts;
    struct clay *clay;
    struct parking *parking; /* requests held by a behaviour */
    uint64_t epoch;          /* resets so far; requests of an earlier one are not counted */
    struct behaviours behaviours;
    const char *modash_key;
    const char *clay_key;
    int64_t credits_milli_start;
    int64_t credits_milli; /* what is left */
};

/* Everything a handler may see of a request. `user` is the server's. */
struct request {
    struct simulator *simulator;
    const struct route *route;
    enum platform platform; /* when the path names one */
    char id[256];           /* the path's {id}; "" without one */
    json_t *json;           /* the body of a POST; NULL when it is none or not JSON */
    void *checked;          /* what `check` found out; freed with free() */
    const char *(*header)(const struct request *request, const char *name);
    const char *(*query)(const struct request *request, const char *name);
    void *user;
};

struct reply {
    unsigned status;
    struct text body;
    int retry_after_s; /* -1: no such header */
};

enum route_auth {
    AUTH_NONE,
    AUTH_MODASH,
    AUTH_CLAY,
};

struct route {
    const char *method;
    const char *path; /* segments; "{p}" is a platform, "{id}" anything */
    enum route_auth auth;
    enum endpoint endpoint;
    bool (*check)(struct request *request, struct reply *reply); /* false: refused */
    void (*answer)(struct request *request, struct reply *reply);
};

/* Find the route for a request and fill route, platform and id. False with an error reply. */
bool routes_find(struct request *request, const char *method, const char *path,
                 struct reply *reply);
/* Whether the key is the route's; false with the provider's 401. */
bool routes_authorise(const struct request *request, struct reply *reply);

/* Errors as each provider words them; a reply already begun is replaced. */
void reply_modash_error(struct reply *reply, const char *code, const char *message);
void reply_modash_status(struct reply *reply, unsigned status, const char *code,
                         const char *message);
void reply_clay_error(struct reply *reply, unsigned status, const char *message);

/* A whole number query parameter in [min, max]; `fallback` when absent; -1 when malformed. */
long request_query_number(const struct request *request, const char *name, long min,
                          long max, long fallback);

/* Take the price from the balance and count the success; false with 402 when it is spent. */
bool modash_charge(struct request *request, int64_t milli, uint64_t results,
                   struct reply *reply);

bool modash_check_search(struct request *request, struct reply *reply);
void modash_answer_search(struct request *request, struct reply *reply);
void modash_answer_report(struct request *request, struct reply *reply);
bool modash_check_performance(struct request *request, struct reply *reply);
void modash_answer_performance(struct request *request, struct reply *reply);
bool modash_check_overlap(struct request *request, struct reply *reply);
void modash_answer_overlap(struct request *request, struct reply *reply);
void modash_answer_user_info(struct request *request, struct reply *reply);
bool modash_check_list(struct request *request, struct reply *reply);
void modash_answer_users(struct request *request, struct reply *reply);
void modash_answer_dictionary(struct request *request, struct reply *reply);

struct clay *clay_new(void);
void clay_free(struct clay *clay);
void clay_reset(struct clay *clay);
void clay_set_polls(struct clay *clay, unsigned polls);
void clay_answer_me(struct request *request, struct reply *reply);
bool clay_check_run(struct request *request, struct reply *reply);
void clay_answer_run(struct request *request, struct reply *reply);
bool clay_check_results(struct request *request, struct reply *reply);
void clay_answer_results(struct request *request, struct reply *reply);

void control_answer_health(struct request *request, struct reply *reply);
void control_answer_counts(struct request *request, struct reply *reply);
void control_answer_reset(struct request *request, struct reply *reply);
void control_answer_behaviour(struct request *request, struct reply *reply);
void control_answer_creators(struct request *request, struct reply *reply);

#endif
