/*
 * outcome.h - the one table of what a provider call can come to.
 *
 * From what is known about a call (transport, error code, HTTP status, what the adapter
 * read in the body) to what follows: how the call log names it, what the caller gets, and
 * what it costs. The provider's error code decides before the HTTP status.
 *
 * The rule of the costs: an answer costs what the adapter read; a documented failure costs
 * nothing; whatever may have been charged counts as charged; only what provably never left
 * this host is given back as if it had not been tried.
 *
 * Pure: values only.
 */
#ifndef GATEWAY_OUTCOME_H
#define GATEWAY_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/* The numbers of metercache.v1.CallOutcome. */
enum call_outcome {
    CALL_UNSPECIFIED = 0,
    CALL_OK = 1,
    CALL_EMPTY = 2,
    CALL_NOT_FOUND = 3,
    CALL_THROTTLED = 4,
    CALL_PENDING = 5,
    CALL_REJECTED = 6,
    CALL_AUTH_FAILED = 7,
    CALL_NO_CREDIT = 8,
    CALL_PROVIDER_ERROR = 9,
    CALL_NOT_SENT = 10,
    CALL_UNKNOWN = 11,
};

enum provider_kind {
    PROVIDER_ANY, /* in table rows only */
    PROVIDER_MODASH,
    PROVIDER_CLAY,
};

/* How far the request got. */
enum transport {
    TRANSPORT_NOT_SENT,     /* provably no byte of it left this host */
    TRANSPORT_SENT_UNKNOWN, /* perhaps sent, no complete answer */
    TRANSPORT_ANSWERED,     /* a complete answer is here */
};

enum charge {
    CHARGE_VOID,     /* as if never tried */
    CHARGE_NOTHING,  /* tried, costs nothing */
    CHARGE_ACTUAL,   /* what the adapter read from the answer */
    CHARGE_RESERVED, /* presumed: everything that was reserved */
};

#define OUTCOME_CODE_SIZE 48

/* What Clay's adapter says in place of the code that Clay does not send. */
#define CLAY_NO_ROUTINE  "no_routine"  /* to start a run of */
#define CLAY_RUN_LOST    "run_lost"    /* asked after, and not known */
#define CLAY_ITEM_FAILED "item_failed" /* ended, and not by finding nothing */

/* What an adapter found in a body. All zero: nothing it could use. */
struct outcome_reading {
    bool is_usable;               /* the body holds what was asked for */
    enum call_outcome outcome;    /* then: CALL_OK, _EMPTY, _NOT_FOUND or _PENDING */
    int64_t cost_milli;           /* then: what it costs */
    char code[OUTCOME_CODE_SIZE]; /* the provider's error code; "" when none */
};

struct outcome_facts {
    enum provider_kind provider;
    enum transport transport;
    bool timed_out;
    bool is_too_large; /* an answer came that was not read: only its HTTP status counts */
    unsigned http_status;
    struct outcome_reading reading;
};

struct outcome {
    enum call_outcome outcome;
    enum status status; /* ST_OK: the reading is the answer, or it is a plain EMPTY */
    const char *reason; /* for struct error; static; "" with ST_OK */
    const char *text;   /* what happened, behind the provider's name; static */
    enum charge charge;
    uint64_t retry_after_ms; /* when the provider named none; 0: no hint */
};

struct outcome outcome_decide(const struct outcome_facts *facts);

/* What to post for a charge. */
int64_t outcome_cost_milli(enum charge charge, int64_t reserved_milli, int64_t read_milli);

const char *outcome_name(enum call_outcome outcome); /* "OK", "NOT_FOUND" ... */

/* Keep a provider's error code when it looks like one ([A-Za-z0-9_.-], at most 47). */
void outcome_copy_code(char out[OUTCOME_CODE_SIZE], const char *code);

#endif /* GATEWAY_OUTCOME_H */
