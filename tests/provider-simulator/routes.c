#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator.h"

/* clang-format off */
static const struct route routes[] = {
    {"GET",  "/health", AUTH_NONE, ENDPOINT_NONE, NULL, control_answer_health},
    {"GET",  "/v1/health", AUTH_NONE, ENDPOINT_NONE, NULL, control_answer_health},

    {"GET",  "/v1/user/info", AUTH_MODASH, ENDPOINT_USER_INFO, NULL, modash_answer_user_info},
    {"GET",  "/v1/{p}/users", AUTH_MODASH, ENDPOINT_USERS, modash_check_list, modash_answer_users},
    {"POST", "/v1/{p}/search", AUTH_MODASH, ENDPOINT_SEARCH, modash_check_search, modash_answer_search},
    {"GET",  "/v1/{p}/profile/{id}/report", AUTH_MODASH, ENDPOINT_REPORT, NULL, modash_answer_report},
    {"GET",  "/v1/{p}/performance-data", AUTH_MODASH, ENDPOINT_PERFORMANCE, modash_check_performance, modash_answer_performance},
    {"POST", "/v1/{p}/reports/audience/overlap", AUTH_MODASH, ENDPOINT_OVERLAP, modash_check_overlap, modash_answer_overlap},
    {"GET",  "/v1/{p}/locations", AUTH_MODASH, ENDPOINT_LOCATIONS, modash_check_list, modash_answer_dictionary},
    {"GET",  "/v1/{p}/languages", AUTH_MODASH, ENDPOINT_LANGUAGES, modash_check_list, modash_answer_dictionary},
    {"GET",  "/v1/{p}/interests", AUTH_MODASH, ENDPOINT_INTERESTS, modash_check_list, modash_answer_dictionary},
    {"GET",  "/v1/{p}/brands", AUTH_MODASH, ENDPOINT_BRANDS, modash_check_list, modash_answer_dictionary},
    {"GET",  "/v1/{p}/topics", AUTH_MODASH, ENDPOINT_TOPICS, modash_check_list, modash_answer_dictionary},
    {"GET",  "/v1/instagram/hashtags", AUTH_MODASH, ENDPOINT_HASHTAGS, modash_check_list, modash_answer_dictionary},

    {"GET",  "/public/v0/me", AUTH_CLAY, ENDPOINT_CLAY_ME, NULL, clay_answer_me},
    {"POST", "/public/v0/routines/{id}/run", AUTH_CLAY, ENDPOINT_CLAY_RUN, clay_check_run, clay_answer_run},
    {"GET",  "/public/v0/routines/run/{id}/results", AUTH_CLAY, ENDPOINT_CLAY_RESULTS, clay_check_results, clay_answer_results},

    {"GET",  "/_control/counts", AUTH_NONE, ENDPOINT_NONE, NULL, control_answer_counts},
    {"POST", "/_control/reset", AUTH_NONE, ENDPOINT_NONE, NULL, control_answer_reset},
    {"POST", "/_control/behaviour", AUTH_NONE, ENDPOINT_NONE, NULL, control_answer_behaviour},
    {"GET",  "/_control/creators", AUTH_NONE, ENDPOINT_NONE, NULL, control_answer_creators},
};
/* clang-format on */

static const char *skip_slash(const char *at)
{
    return *at == '/' ? at + 1 : at;
}

/* Whether `path` has the shape of `pattern`; the segments behind {p} and {id} are kept. */
static bool fits(const char *pattern, const char *path, char platform[16], char id[256])
{
    platform[0] = id[0] = '\0';
    while (*pattern == '/' && *path == '/') {
        size_t wanted;
        size_t length;

        pattern = skip_slash(pattern);
        path = skip_slash(path);
        wanted = strcspn(pattern, "/");
        length = strcspn(path, "/");
        if (strncmp(pattern, "{p}", wanted) == 0 && wanted == 3) {
            snprintf(platform, 16, "%.*s", (int)(length < 15 ? length : 15), path);
        } else if (strncmp(pattern, "{id}", wanted) == 0 && wanted == 4) {
            if (length == 0 || length > 255) {
                return false;
            }
            snprintf(id, 256, "%.*s", (int)length, path);
        } else if (wanted != length || strncmp(pattern, path, length) != 0) {
            return false;
        }
        pattern += wanted;
        path += length;
    }
    return *pattern == '\0' && *path == '\0';
}

static void refuse_path(const char *path, unsigned status, struct reply *reply)
{
    const char *message = status == 405 ? "method not allowed" : "no such path";

    if (strncmp(path, "/public/", 8) == 0) {
        reply_clay_error(reply, status, message);
    } else {
        reply_modash_status(reply, status, "bad_request", message);
    }
}

bool routes_find(struct request *request, const char *method, const char *path,
                 struct reply *reply)
{
    bool known = false;

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        char platform[16];

        if (!fits(routes[i].path, path, platform, request->id)) {
            continue;
        }
        known = true;
        if (strcmp(routes[i].method, method) != 0) {
            continue;
        }
        if (platform[0] != '\0' && !platform_parse(platform, &request->platform)) {
            reply_modash_error(reply, "invalid_body_params", "unknown platform");
            return false;
        }
        request->route = &routes[i];
        return true;
    }
    refuse_path(path, known ? 405 : 404, reply);
    return false;
}

bool routes_authorise(const struct request *request, struct reply *reply)
{
    const char *key;

    if (request->route->auth == AUTH_MODASH) {
        key = request->header(request, "Authorization");
        if (key == NULL || strncmp(key, "Bearer ", 7) != 0 ||
            strcmp(key + 7, request->simulator->modash_key) != 0) {
            reply_modash_error(reply, "api_token_invalid", "the api token is not valid");
            return false;
        }
    } else if (request->route->auth == AUTH_CLAY) {
        key = request->header(request, "clay-api-key");
        if (key == NULL || strcmp(key, request->simulator->clay_key) != 0) {
            reply_clay_error(reply, 401, "Unauthorized");
            return false;
        }
    }
    return true;
}

long request_query_number(const struct request *request, const char *name, long min,
                          long max, long fallback)
{
    const char *text = request->query(request, name);
    char *end;
    long value;

    if (text == NULL) {
        return fallback;
    }
    if (*text < '0' || *text > '9') {
        return -1;
    }
    value = strtol(text, &end, 10);
    return *end != '\0' || value < min || value > max ? -1 : value;
}
