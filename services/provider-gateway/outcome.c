#include "outcome.h"

#include <stddef.h>
#include <string.h>

#include "core/base.h"

#define SECOND_MS      1000u
#define THROTTLE_MS    (30 * SECOND_MS)
#define RETRY_LATER_MS (300 * SECOND_MS)
#define ANY_CODE       NULL

/* A row fits when provider and code fit and the HTTP status lies in [low, high]. */
struct row {
    enum provider_kind provider;
    const char *code;
    unsigned low;
    unsigned high;
    struct outcome outcome;
};

// clang-format off
#define FAILED(outcome_, status_, reason_, text_, charge_, retry_) \
    {(outcome_), (status_), (reason_), (text_), (charge_), (retry_)}

#define BAD_KEY      FAILED(CALL_AUTH_FAILED, ST_UNAVAILABLE, "PROVIDER_AUTH", \
                            "refuses our key", CHARGE_NOTHING, 0)
#define NO_CREDIT    FAILED(CALL_NO_CREDIT, ST_UNAVAILABLE, "PROVIDER_NO_CREDIT", \
                            "says our balance is spent", CHARGE_NOTHING, 0)
#define BAD_REQUEST  FAILED(CALL_REJECTED, ST_INVALID, "PROVIDER_REJECTED", \
                            "refuses the request as wrong", CHARGE_NOTHING, 0)
#define NOT_ALLOWED  FAILED(CALL_REJECTED, ST_PRECONDITION, "PROVIDER_REJECTED", \
                            "does not allow this request", CHARGE_NOTHING, 0)
#define NOT_FOUND    FAILED(CALL_NOT_FOUND, ST_NOT_FOUND, "PROVIDER_NOT_FOUND", \
                            "does not know it", CHARGE_NOTHING, 0)
#define PRIVATE      FAILED(CALL_NOT_FOUND, ST_NOT_FOUND, "PROVIDER_PRIVATE", \
                            "says the account is private", CHARGE_NOTHING, 0)
#define NO_ROUTINE   FAILED(CALL_REJECTED, ST_PRECONDITION, "PROVIDER_REJECTED", \
                            "knows no such routine", CHARGE_NOTHING, 0)
#define RUN_LOST     FAILED(CALL_NOT_FOUND, ST_NOT_FOUND, "RUN_LOST", \
                            "does not know that run, or no longer", CHARGE_NOTHING, 0)
#define RUN_FAILED   FAILED(CALL_PROVIDER_ERROR, ST_UNAVAILABLE, "RUN_FAILED", \
                            "says that the run failed", CHARGE_NOTHING, 0)
#define NO_RESULT    FAILED(CALL_EMPTY, ST_OK, "", "has no result", CHARGE_NOTHING, 0)
#define LAST_PAGE    FAILED(CALL_REJECTED, ST_RANGE, "PROVIDER_REJECTED", \
                            "has no such page", CHARGE_NOTHING, 0)
#define IN_WORK      FAILED(CALL_PENDING, ST_UNAVAILABLE, "PROVIDER_PENDING", \
                            "is still working on it", CHARGE_NOTHING, RETRY_LATER_MS)
#define THROTTLED    FAILED(CALL_THROTTLED, ST_UNAVAILABLE, "PROVIDER_THROTTLED", \
                            "wants fewer requests", CHARGE_NOTHING, THROTTLE_MS)
#define BROKEN_FREE  FAILED(CALL_PROVIDER_ERROR, ST_UNAVAILABLE, "PROVIDER_ERROR", \
                            "failed", CHARGE_NOTHING, SECOND_MS)
#define BROKEN_PAID  FAILED(CALL_PROVIDER_ERROR, ST_UNAVAILABLE, "PROVIDER_ERROR", \
                            "gave an answer that cannot be used", CHARGE_RESERVED, SECOND_MS)
#define RUN_IN_DOUBT FAILED(CALL_UNKNOWN, ST_UNAVAILABLE, "PROVIDER_ERROR", \
                            "failed, perhaps after it began", CHARGE_RESERVED, SECOND_MS)

/*
 * The first row that fits. Codes of Modash stand in its documentation. Clay has none: those
 * are its adapter's words for what an HTTP status means to the one question asked.
 *
 * "Not found" is remembered, so it takes a code to say it: a 404 alone may be a wrong base
 * URL, or some proxy's page.
 */
static const struct row ROWS[] = {
    {PROVIDER_MODASH, "api_token_invalid",     0, 999, BAD_KEY},
    {PROVIDER_MODASH, "not_enough_credits",    0, 999, NO_CREDIT},
    {PROVIDER_MODASH, "bad_request",           0, 999, BAD_REQUEST},
    {PROVIDER_MODASH, "invalid_body_params",   0, 999, BAD_REQUEST},
    {PROVIDER_MODASH, "page_limit",            0, 999, LAST_PAGE},
    {PROVIDER_MODASH, "no_result",             0, 999, NO_RESULT},
    {PROVIDER_MODASH, "feature_not_available", 0, 999, NOT_ALLOWED},
    {PROVIDER_MODASH, "account_not_found",     0, 999, NOT_FOUND},
    {PROVIDER_MODASH, "handle_not_found",      0, 999, NOT_FOUND},
    {PROVIDER_MODASH, "account_removed",       0, 999, NOT_FOUND},
    {PROVIDER_MODASH, "media_not_found",       0, 999, NOT_FOUND},
    {PROVIDER_MODASH, "entity_not_found",      0, 999, NOT_FOUND},
    {PROVIDER_MODASH, "empty_audience",        0, 999, NOT_FOUND},
    {PROVIDER_MODASH, "private_account",       0, 999, PRIVATE},
    {PROVIDER_MODASH, "retry_later",           0, 999, IN_WORK},
    {PROVIDER_MODASH, "internal_server_error", 0, 999, BROKEN_FREE},

    {PROVIDER_CLAY,   CLAY_NO_ROUTINE,  400, 499, NO_ROUTINE},
    {PROVIDER_CLAY,   CLAY_RUN_LOST,    400, 499, RUN_LOST},
    {PROVIDER_CLAY,   CLAY_ITEM_FAILED, 200, 299, RUN_FAILED},

    {PROVIDER_ANY,    ANY_CODE, 200, 299, BROKEN_PAID},
    {PROVIDER_ANY,    ANY_CODE, 300, 399, BROKEN_FREE}, /* redirects are not followed */
    {PROVIDER_ANY,    ANY_CODE, 401, 401, BAD_KEY},
    {PROVIDER_ANY,    ANY_CODE, 402, 402, NO_CREDIT},
    {PROVIDER_ANY,    ANY_CODE, 403, 403, BAD_KEY},
    {PROVIDER_ANY,    ANY_CODE, 404, 404, BROKEN_FREE},
    {PROVIDER_ANY,    ANY_CODE, 410, 410, BROKEN_FREE},
    {PROVIDER_ANY,    ANY_CODE, 429, 429, THROTTLED},
    {PROVIDER_ANY,    ANY_CODE, 400, 400, BAD_REQUEST},
    {PROVIDER_ANY,    ANY_CODE, 422, 422, BAD_REQUEST},
    {PROVIDER_ANY,    ANY_CODE, 401, 499, NOT_ALLOWED},
    /* Modash states that failed requests are not billed; Clay says nothing of a run. */
    {PROVIDER_MODASH, ANY_CODE, 500, 599, BROKEN_FREE},
    {PROVIDER_CLAY,   ANY_CODE, 500, 599, RUN_IN_DOUBT},
    {PROVIDER_ANY,    ANY_CODE, 0,   999, BROKEN_PAID},
};

static const struct outcome NEVER_SENT =
    FAILED(CALL_NOT_SENT, ST_UNAVAILABLE, "PROVIDER_ERROR", "cannot be reached", CHARGE_VOID,
           SECOND_MS);
static const struct outcome NO_ANSWER =
    FAILED(CALL_UNKNOWN, ST_UNAVAILABLE, "PROVIDER_NO_ANSWER", "gave no complete answer",
           CHARGE_RESERVED, SECOND_MS);
// clang-format on

static bool row_fits(const struct row *row, const struct outcome_facts *facts)
{
    return (row->provider == PROVIDER_ANY || row->provider == facts->provider) &&
           (row->code == ANY_CODE || strcmp(row->code, facts->reading.code) == 0) &&
           facts->http_status >= row->low && facts->http_status <= row->high;
}

static struct outcome answered(const struct outcome_facts *facts)
{
    if (facts->reading.is_usable && facts->reading.code[0] == '\0' &&
        facts->http_status >= 200 && facts->http_status <= 299)
        return (struct outcome){facts->reading.outcome, ST_OK, "", "", CHARGE_ACTUAL, 0};
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        if (row_fits(&ROWS[i], facts))
            return ROWS[i].outcome;
    }
    return NO_ANSWER; /* an HTTP status above 999 */
}

struct outcome outcome_decide(const struct outcome_facts *facts)
{
    struct outcome outcome;

    if (facts->transport == TRANSPORT_ANSWERED || facts->is_too_large)
        return answered(facts);
    outcome = facts->transport == TRANSPORT_NOT_SENT ? NEVER_SENT : NO_ANSWER;
    if (facts->timed_out && facts->transport != TRANSPORT_NOT_SENT)
        outcome.reason = "PROVIDER_TIMEOUT";
    return outcome;
}

int64_t outcome_cost_milli(enum charge charge, int64_t reserved_milli, int64_t read_milli)
{
    switch (charge) {
    case CHARGE_ACTUAL:
        return read_milli;
    case CHARGE_RESERVED:
        return reserved_milli;
    case CHARGE_VOID:
    case CHARGE_NOTHING:
        break;
    }
    return 0;
}

const char *outcome_name(enum call_outcome outcome)
{
    static const char *const NAMES[] = {
        [CALL_UNSPECIFIED] = "UNSPECIFIED",
        [CALL_OK] = "OK",
        [CALL_EMPTY] = "EMPTY",
        [CALL_NOT_FOUND] = "NOT_FOUND",
        [CALL_THROTTLED] = "THROTTLED",
        [CALL_PENDING] = "PENDING",
        [CALL_REJECTED] = "REJECTED",
        [CALL_AUTH_FAILED] = "AUTH_FAILED",
        [CALL_NO_CREDIT] = "NO_CREDIT",
        [CALL_PROVIDER_ERROR] = "PROVIDER_ERROR",
        [CALL_NOT_SENT] = "NOT_SENT",
        [CALL_UNKNOWN] = "UNKNOWN",
    };

    return (size_t)outcome < COUNT_OF(NAMES) ? NAMES[outcome] : "UNSPECIFIED";
}

void outcome_copy_code(char out[OUTCOME_CODE_SIZE], const char *code)
{
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_.-";
    size_t size = strlen(code);

    out[0] = '\0';
    if (size < OUTCOME_CODE_SIZE && strspn(code, ALLOWED) == size)
        memcpy(out, code, size + 1);
}
