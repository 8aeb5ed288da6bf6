#include "render.h"

#include <inttypes.h>

#include "output.h"

void render_next_page(FILE *out, const Metercache__V1__PageResponse *page)
{
    if (page != NULL && page->next_page_token[0] != '\0') {
        fputs("more: --page-token ", out);
        output_print_text(out, page->next_page_token);
        fputc('\n', out);
    }
}

/* "2 provider calls, 0.300 credits" */
static void print_cost(FILE *out, const Metercache__V1__Cost *cost)
{
    uint32_t calls = cost != NULL ? cost->provider_calls : 0;
    int64_t milli = cost != NULL ? cost->credits_milli : 0;

    fprintf(out, "%" PRIu32 " provider call%s, %s credits", calls, calls == 1 ? "" : "s",
            output_milli(milli).text);
}

/* Why an answer is older than it should be. */
static void print_staleness(FILE *out, const Metercache__V1__Freshness *freshness)
{
    if (freshness != NULL && freshness->source == METERCACHE__V1__SOURCE__SOURCE_STALE) {
        fprintf(out, "stale since %s: ", output_time(freshness->fresh_until_us).text);
        output_print_text(out, freshness->stale_reason);
        fputc('\n', out);
    }
}

void render_search(FILE *out, const Metercache__V1__SearchResponse *reply)
{
    struct output_table table;

    output_table_init(&table,
                      (const char *const[]){"HANDLE", "NAME", "ID", ">FOLLOWERS",
                                            ">ENGAGEMENT", "E-MAIL", "REPORT", NULL});
    for (size_t i = 0; i < reply->n_creators; i++) {
        const Metercache__V1__Creator *creator = reply->creators[i];

        output_table_add(&table, creator->handle);
        output_table_add(&table, creator->full_name);
        output_table_add(&table, creator->provider_user_id);
        output_table_add_count(&table, creator->followers);
        output_table_add(&table, output_percent(creator->engagement_rate_ppm).text);
        output_table_add(&table, creator->email[0] != '\0' ? creator->email : "-");
        output_table_add(&table, creator->has_report ? "yes" : "-");
    }
    output_table_print(out, &table);
    output_table_done(&table);
    fprintf(out, "\n%" PRIu32 " creators: %" PRIu32 " from cache, %" PRIu32 " discovered; ",
            reply->available, reply->from_cache, reply->discovered);
    print_cost(out, reply->cost);
    if (reply->total >= 0)
        fprintf(out, "; %" PRId64 " match in all", reply->total);
    fputs(reply->exhausted ? "; the provider has no more\n" : "\n", out);
    print_staleness(out, reply->freshness);
    render_next_page(out, reply->page);
}

void render_searches(FILE *out, const Metercache__V1__ListSearchesResponse *reply)
{
    struct output_table table;

    output_table_init(&table,
                      (const char *const[]){"AT", "PLATFORM", ">COUNT", ">FROM CACHE",
                                            ">DISCOVERED", "FILTERS", NULL});
    for (size_t i = 0; i < reply->n_searches; i++) {
        const Metercache__V1__SearchRecord *search = reply->searches[i];

        output_table_add_time(&table, search->at_us);
        output_table_add_enum(&table, &metercache__v1__platform__descriptor,
                              (int)search->platform);
        output_table_add_count(&table, search->count);
        output_table_add_count(&table, search->from_cache);
        output_table_add_count(&table, search->discovered);
        output_table_add(&table, search->filters_json);
    }
    output_table_print(out, &table);
    output_table_done(&table);
    render_next_page(out, reply->page);
}

void render_creator(FILE *out, const Metercache__V1__Creator *creator,
                    const Metercache__V1__Freshness *freshness,
                    const Metercache__V1__Cost *cost)
{
    if (creator != NULL) {
        output_print_line(
            out, "platform",
            output_enum(&metercache__v1__platform__descriptor, (int)creator->platform)
                .text);
        output_print_line(out, "id", creator->provider_user_id);
        output_print_line(out, "handle", creator->handle);
        output_print_line(out, "name", creator->full_name);
        output_print_line(out, "url", creator->url);
        output_print_line(out, "followers", output_count(creator->followers).text);
        output_print_line(out, "engagements", output_count(creator->engagements).text);
        output_print_line(out, "engagement",
                          output_percent(creator->engagement_rate_ppm).text);
        output_print_line(out, "average views", output_count(creator->average_views).text);
        output_print_line(out, "e-mail", creator->email[0] != '\0' ? creator->email : "-");
        output_print_line(out, "private", creator->is_private ? "yes" : "no");
        output_print_line(out, "verified", creator->is_verified ? "yes" : "no");
        output_print_line(out, "report", creator->has_report ? "yes" : "no");
    }
    if (freshness != NULL) {
        output_print_line(
            out, "source",
            output_enum(&metercache__v1__source__descriptor, (int)freshness->source).text);
        output_print_line(out, "fetched at", output_time(freshness->fetched_at_us).text);
        output_print_line(out, "fresh until", output_time(freshness->fresh_until_us).text);
        output_print_line(out, "stale because", freshness->stale_reason);
    }
    if (cost != NULL) {
        fprintf(out, "%-*s ", OUTPUT_LABEL_WIDTH, "cost");
        print_cost(out, cost);
        fputc('\n', out);
    }
}

void render_enrichment(FILE *out, const Metercache__V1__EnrichCreatorResponse *reply)
{
    output_print_line(
        out, "enrichment",
        output_enum(&metercache__v1__enrichment_state__descriptor, (int)reply->state).text);
    output_print_line(out, "address", reply->email);
    if (reply->state == METERCACHE__V1__ENRICHMENT_STATE__ENRICHMENT_STATE_PENDING)
        fputs("The provider works on it; ask again later.\n", out);
    render_creator(out, reply->creator, reply->freshness, reply->cost);
}

void render_calls(FILE *out, const Metercache__V1__ListCallsResponse *reply)
{
    struct output_table table;

    output_table_init(&table,
                      (const char *const[]){"STARTED", "PROVIDER", "ACTION", "REASON",
                                            "CREATOR", "USER", "OUTCOME", ">CREDITS",
                                            ">LATENCY", ">HTTP", "DETAIL", NULL});
    for (size_t i = 0; i < reply->n_calls; i++) {
        const Metercache__V1__CallRecord *call = reply->calls[i];

        output_table_add_time(&table, call->started_at_us);
        output_table_add(&table, call->provider);
        output_table_add(&table, call->action);
        output_table_add(&table, call->reason);
        output_table_add(&table, call->creator[0] != '\0' ? call->creator : "-");
        output_table_add(&table, call->user[0] != '\0' ? call->user : "-");
        output_table_add_enum(&table, &metercache__v1__call_outcome__descriptor,
                              (int)call->outcome);
        output_table_add_milli(&table, call->credits_milli);
        output_table_add(&table, output_millis(call->latency_us).text);
        output_table_add_count(&table,
                               call->http_status > 0 ? (int64_t)call->http_status : -1);
        output_table_add(&table, call->detail);
    }
    output_table_print(out, &table);
    output_table_done(&table);
    render_next_page(out, reply->page);
}
