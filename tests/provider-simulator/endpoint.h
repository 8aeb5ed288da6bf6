/*
 * endpoint.h - what the simulator imitates, one row for each provider endpoint.
 *
 * Behaviours are set for, and counts are kept by, these names.
 */
#ifndef SIMULATOR_ENDPOINT_H
#define SIMULATOR_ENDPOINT_H

#define ENDPOINTS(X)                        \
    X(USER_INFO, "modash", "user_info")     \
    X(USERS, "modash", "users")             \
    X(SEARCH, "modash", "search")           \
    X(REPORT, "modash", "report")           \
    X(PERFORMANCE, "modash", "performance") \
    X(OVERLAP, "modash", "overlap")         \
    X(LOCATIONS, "modash", "locations")     \
    X(LANGUAGES, "modash", "languages")     \
    X(INTERESTS, "modash", "interests")     \
    X(BRANDS, "modash", "brands")           \
    X(TOPICS, "modash", "topics")           \
    X(HASHTAGS, "modash", "hashtags")       \
    X(CLAY_ME, "clay", "me")                \
    X(CLAY_RUN, "clay", "run")              \
    X(CLAY_RESULTS, "clay", "results")

enum endpoint {
#define X(symbol, provider, name) ENDPOINT_##symbol,
    ENDPOINTS(X)
#undef X
        ENDPOINT_COUNT,
    ENDPOINT_NONE = ENDPOINT_COUNT, /* control and health: neither counted nor disturbed */
};

const char *endpoint_provider(enum endpoint endpoint);
const char *endpoint_name(enum endpoint endpoint);

#endif
