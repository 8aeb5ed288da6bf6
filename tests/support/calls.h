/*
 * calls.h - the calls the tests make, a line each.
 *
 * A caller is one credential at one service. Replies live in the caller's arena until
 * caller_forget. The error of the last call stays in caller->err.
 *
 * Threads: a caller has one owner at a time; its client may be shared.
 */
#ifndef SUPPORT_CALLS_H
#define SUPPORT_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"
#include "metercache/v1/admin.pb-c.h"
#include "metercache/v1/calls.pb-c.h"
#include "metercache/v1/creators.pb-c.h"
#include "metercache/v1/gateway.pb-c.h"
#include "metercache/v1/health.pb-c.h"
#include "metercache/v1/quota.pb-c.h"
#include "rpc/client.h"

#define INSTAGRAM METERCACHE__V1__PLATFORM__PLATFORM_INSTAGRAM
#define TIKTOK    METERCACHE__V1__PLATFORM__PLATFORM_TIKTOK
#define YOUTUBE   METERCACHE__V1__PLATFORM__PLATFORM_YOUTUBE

#define CALLS_TIMEOUT_MS 20000 /* of a call, unless the caller says otherwise */

struct caller {
    struct rpc_client *client;
    struct arena arena;
    struct error err;
    struct rpc_outcome outcome;
    uint64_t timeout_ms;      /* 0: CALLS_TIMEOUT_MS */
    const char *on_behalf_of; /* NULL: nobody */
};

void caller_init(struct caller *caller, struct rpc_client *client);
void caller_done(struct caller *caller);
void caller_forget(struct caller *caller); /* replies so far */

/* Any method, never repeated; the service's name without its package: "QuotaService". */
enum status call_method(struct caller *caller, const char *service, const char *method,
                        const ProtobufCMessageDescriptor *reply_type, const void *request,
                        void *reply);

typedef Metercache__V1__SearchResponse search_reply;
typedef Metercache__V1__SelectCreatorResponse select_reply;
typedef Metercache__V1__EnrichCreatorResponse enrich_reply;

/* `count` creators; the first page, or the one after `page_token`. */
struct search_question {
    int platform;
    const char *filters;
    const char *sort;
    uint32_t count;
    uint32_t page_size;
    const char *page_token;
};
enum status call_search(struct caller *caller, const struct search_question *question,
                        search_reply **reply);

/* By provider id; with a leading '@': by handle. */
enum status call_select(struct caller *caller, int platform, const char *creator,
                        bool omit_report, select_reply **reply);
enum status call_get(struct caller *caller, int platform, const char *creator,
                     Metercache__V1__GetCreatorResponse **reply);
enum status call_enrich(struct caller *caller, int platform, const char *creator,
                        enrich_reply **reply);
enum status call_list_searches(struct caller *caller, uint32_t page_size,
                               const char *page_token,
                               Metercache__V1__ListSearchesResponse **reply);
enum status call_list_calls(struct caller *caller, uint32_t page_size,
                            const char *page_token,
                            Metercache__V1__ListCallsResponse **reply);
enum status call_get_usage(struct caller *caller, const char *meter,
                           Metercache__V1__GetUsageResponse **reply);
enum status call_health(struct caller *caller, Metercache__V1__HealthCheckResponse **reply);

/* A reservation of 1 credit of modash.reports, with a fresh op id. */
enum status call_reserve(struct caller *caller, Metercache__V1__ReserveResponse **reply);

#endif /* SUPPORT_CALLS_H */
