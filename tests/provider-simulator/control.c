#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "parking.h"
#include "simulator.h"

/* What tests steer the simulator with; never part of what a provider offers. */
enum {
    CREATORS_DEFAULT = 100,
    CREATORS_MAX = 1000,
    POLLS_MAX = 10000,
    DELAY_MAX_MS = 600000,
};

void control_answer_health(struct request *request, struct reply *reply)
{
    (void)request;
    text_append(&reply->body, "{\"status\":\"ok\"}");
}

void control_answer_counts(struct request *request, struct reply *reply)
{
    bool list_ops = request_query_number(request, "ops", 0, 1, 0) == 1;

    counts_print(request->simulator->counts, request->simulator->credits_milli, list_ops,
                 &reply->body);
}

static void refuse(struct reply *reply, const char *message)
{
    reply_modash_status(reply, 400, "control", message);
}

void control_answer_reset(struct request *request, struct reply *reply)
{
    struct simulator *simulator = request->simulator;
    const json_t *milli = json_object_get(request->json, "creditsMilli");

    if (milli != NULL && (!json_is_integer(milli) || json_integer_value(milli) < 0)) {
        refuse(reply, "creditsMilli must be a whole number");
        return;
    }
    simulator->credits_milli =
        milli == NULL ? simulator->credits_milli_start : json_integer_value(milli);
    simulator->behaviours = (struct behaviours){0};
    simulator->epoch++;
    counts_reset(simulator->counts);
    clay_reset(simulator->clay);
    parking_release(simulator->parking, NULL, "*");
    text_append(&reply->body, "{\"status\":\"ok\"}");
}

/* A whole number member in [min, max]; `fallback` when absent. False when it is neither. */
static bool read_number(const json_t *object, const char *name, long min, long max,
                        long fallback, long *out)
{
    const json_t *value = json_object_get(object, name);

    if (value == NULL) {
        *out = fallback;
        return true;
    }
    *out = (long)json_integer_value(value);
    return json_is_integer(value) && *out >= min && *out <= max;
}

static bool read_behaviour(const json_t *body, struct behaviour *out)
{
    const char *mode = json_string_value(json_object_get(body, "mode"));
    const char *code = json_string_value(json_object_get(body, "code"));
    long status;
    long delay;
    long times;
    long retry;

    if (mode == NULL || behaviour_mode_parse(mode) < 0 ||
        !read_number(body, "status", 200, 599, 500, &status) ||
        !read_number(body, "delay_ms", 0, DELAY_MAX_MS, 0, &delay) ||
        !read_number(body, "times", -1, 1000000000, -1, &times) || times == 0 ||
        !read_number(body, "retry_after", 0, 86400, -1, &retry)) {
        return false;
    }
    *out = (struct behaviour){
        .mode = (enum behaviour_mode)behaviour_mode_parse(mode),
        .status = (unsigned)status,
        .delay_ms = (unsigned)delay,
        .times = (int)times,
        .retry_after_s = (int)retry,
        .effect = json_is_true(json_object_get(body, "effect")),
    };
    snprintf(out->code, sizeof out->code, "%s",
             code != NULL    ? code
             : status == 429 ? "too_many_requests"
                             : "internal_server_error");
    return true;
}

/* Set the rule of one endpoint, or the provider's rule for "*"; "*" also clears the rules of
 * its endpoints. False when there is no such name. */
static bool set_behaviour(struct behaviours *behaviours, const char *provider,
                          const char *endpoint, const struct behaviour *behaviour)
{
    bool every = strcmp(endpoint, "*") == 0;
    bool known = false;

    for (int e = 0; e < ENDPOINT_COUNT; e++) {
        if (strcmp(endpoint_provider((enum endpoint)e), provider) != 0) {
            continue;
        }
        if (every) {
            known = true;
            behaviours->rules[e] = (struct behaviour){.mode = BEHAVIOUR_OK};
            behaviours->everywhere[strcmp(provider, "clay") == 0] = *behaviour;
        } else if (strcmp(endpoint_name((enum endpoint)e), endpoint) == 0) {
            known = true;
            behaviours->rules[e] = *behaviour;
        }
    }
    return known;
}

void control_answer_behaviour(struct request *request, struct reply *reply)
{
    struct simulator *simulator = request->simulator;
    const char *provider = json_string_value(json_object_get(request->json, "provider"));
    const char *endpoint = json_string_value(json_object_get(request->json, "endpoint"));
    bool has_mode = json_object_get(request->json, "mode") != NULL;
    struct behaviour behaviour;
    long polls;

    if (!read_number(request->json, "polls", 0, POLLS_MAX, -1, &polls)) {
        refuse(reply, "polls must be a number from 0 to 10000");
        return;
    }
    if (polls >= 0) {
        clay_set_polls(simulator->clay, (unsigned)polls);
    }
    if (has_mode || polls < 0) {
        if (provider == NULL || endpoint == NULL ||
            !read_behaviour(request->json, &behaviour)) {
            refuse(reply, "provider, endpoint and mode with its numbers are needed");
            return;
        }
        if (!set_behaviour(&simulator->behaviours, provider, endpoint, &behaviour)) {
            refuse(reply, "there is no such provider or endpoint");
            return;
        }
        parking_release(simulator->parking, provider, endpoint);
    }
    text_append(&reply->body, "{\"status\":\"ok\"}");
}

void control_answer_creators(struct request *request, struct reply *reply)
{
    const struct population *population = request->simulator->population;
    const char *name = request->query(request, "platform");
    long offset = request_query_number(request, "offset", 0, POPULATION_MAX, 0);
    long limit = request_query_number(request, "limit", 1, CREATORS_MAX, CREATORS_DEFAULT);
    struct text *out = &reply->body;
    enum platform platform;

    if (name == NULL || !platform_parse(name, &platform) || offset < 0 || limit < 0) {
        refuse(reply, "platform, offset and limit (1..1000) are needed");
        return;
    }
    text_printf(out, "{\"total\":%" PRIu32 ",\"creators\":[", population_size(population));
    for (long i = offset; i < offset + limit && i < (long)population_size(population);
         i++) {
        const struct creator *creator = population_at(population, platform, (uint32_t)i);
        char id[CREATOR_NAME_SIZE];
        char username[CREATOR_NAME_SIZE];

        creator_user_id(creator, id);
        creator_username(creator, username);
        text_comma(out);
        text_printf(out,
                    "{\"userId\":\"%s\",\"username\":\"%s\",\"followers\":%" PRIu32
                    ",\"isPrivate\":%s}",
                    id, username, creator->followers,
                    creator->is_private ? "true" : "false");
    }
    text_append(out, "]}");
}
