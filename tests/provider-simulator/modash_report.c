#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report_body.h"
#include "simulator.h"

/* The paid answers about creators already known by name. */
enum {
    MILLI_PER_REPORT = 1000,
    MILLI_PER_PERFORMANCE = 250,
    MILLI_PER_OVERLAP = 1000,
    OVERLAP_MAX = 30, /* influencers in one comparison */
};

bool modash_charge(struct request *request, int64_t milli, uint64_t results,
                   struct reply *reply)
{
    struct simulator *simulator = request->simulator;
    struct endpoint_counts *counts = counts_of(simulator->counts, request->route->endpoint);

    if (milli > simulator->credits_milli) {
        reply_modash_error(reply, "not_enough_credits", "not enough credits");
        return false;
    }
    simulator->credits_milli -= milli;
    counts->charged++;
    counts->charged_milli += (uint64_t)milli;
    counts->results += results;
    return true;
}

/* The public creator behind a name; NULL with the error. */
static const struct creator *find_public(struct request *request, const char *name,
                                         struct reply *reply)
{
    const struct creator *creator =
        population_find(request->simulator->population, request->platform, name);

    if (creator == NULL) {
        reply_modash_error(reply, "account_not_found", "account not found");
        return NULL;
    }
    if (creator->is_private) {
        reply_modash_error(reply, "private_account", "the account is private");
        return NULL;
    }
    return creator;
}

void modash_answer_report(struct request *request, struct reply *reply)
{
    const struct creator *creator = find_public(request, request->id, reply);

    if (creator != NULL && modash_charge(request, MILLI_PER_REPORT, 1, reply)) {
        report_body_print(request->simulator->population, creator, (int64_t)time(NULL),
                          &reply->body);
    }
}

bool modash_check_performance(struct request *request, struct reply *reply)
{
    const char *url = request->query(request, "url");

    if (url == NULL || *url == '\0') {
        reply_modash_error(reply, "bad_request", "url must not be empty");
        return false;
    }
    return true;
}

/* {"mean":[...],"min":[...],"max":[...],"median":[...]} over the last 6, 12 and 30 items. */
static void print_series(const char *name, uint64_t value, struct text *out)
{
    static const char *const series[] = {"mean", "min", "max", "median"};
    static const unsigned percent[] = {100, 30, 290, 94};
    static const int items[] = {6, 12, 30};

    text_comma(out);
    text_printf(out, "\"%s\":{", name);
    for (int s = 0; s < 4; s++) {
        text_comma(out);
        text_printf(out, "\"%s\":[", series[s]);
        for (int i = 0; i < 3; i++) {
            text_comma(out);
            text_printf(out, "{\"numberOfItems\":%d,\"value\":%" PRIu64 "}", items[i],
                        value * percent[s] / 100);
        }
        text_append(out, "]");
    }
    text_append(out, "}");
}

void modash_answer_performance(struct request *request, struct reply *reply)
{
    const struct creator *creator =
        find_public(request, request->query(request, "url"), reply);
    struct text *out = &reply->body;

    if (creator == NULL || !modash_charge(request, MILLI_PER_PERFORMANCE, 1, reply)) {
        return;
    }
    text_append(out, "{\"posts\":{\"total\":30,\"posts_with_hidden_likes\":0");
    print_series("likes", creator->engagements, out);
    print_series("comments", creator->engagements / 25, out);
    print_series("views", creator->average_views, out);
    text_append(out, ",\"engagement_rate\":[{\"numberOfItems\":6,\"value\":");
    text_append_ppm(out, (long)creator->engagement_rate_ppm);
    text_append(out, "}],\"posting_statistics\":{\"weekDayHour\":{},\"daily\":{}}},"
                     "\"reels\":{}}");
}

bool modash_check_overlap(struct request *request, struct reply *reply)
{
    json_t *names = json_object_get(request->json, "influencers");
    size_t count = json_array_size(names);
    size_t i;
    json_t *name;

    if (request->json == NULL) {
        reply_modash_error(reply, "bad_request", "the body is not valid JSON");
        return false;
    }
    if (!json_is_array(names) || count < 2 || count > OVERLAP_MAX) {
        reply_modash_error(reply, "invalid_body_params",
                           "influencers must contain 2 to 30 values");
        return false;
    }
    json_array_foreach(names, i, name) {
        if (!json_is_string(name)) {
            reply_modash_error(reply, "invalid_body_params",
                               "each value in influencers must be a string");
            return false;
        }
    }
    return true;
}

void modash_answer_overlap(struct request *request, struct reply *reply)
{
    const struct creator *creators[OVERLAP_MAX];
    json_t *names = json_object_get(request->json, "influencers");
    size_t count = json_array_size(names);
    uint64_t total = 0;
    struct text *out = &reply->body;

    for (size_t i = 0; i < count; i++) {
        creators[i] =
            find_public(request, json_string_value(json_array_get(names, i)), reply);
        if (creators[i] == NULL) {
            return;
        }
        total += creators[i]->followers;
    }
    if (!modash_charge(request, MILLI_PER_OVERLAP, count, reply)) {
        return;
    }
    text_printf(out,
                "{\"error\":false,\"reportInfo\":{\"totalFollowers\":%" PRIu64
                ",\"totalUniqueFollowers\":%" PRIu64 "},\"data\":[",
                total, total / 5 * 4);
    for (size_t i = 0; i < count; i++) {
        char id[CREATOR_NAME_SIZE];
        char username[CREATOR_NAME_SIZE];

        creator_user_id(creators[i], id);
        creator_username(creators[i], username);
        text_comma(out);
        text_printf(out,
                    "{\"userId\":\"%s\",\"username\":\"%s\",\"followers\":%" PRIu32
                    ",\"uniquePercentage\":0.8,\"overlappingPercentage\":0.2}",
                    id, username, creators[i]->followers);
    }
    text_append(out, "]}");
}
