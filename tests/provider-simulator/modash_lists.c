#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "catalog.h"
#include "simulator.h"
#include "spell.h"

/* The free endpoints: the account, the autocomplete of handles, and the dictionaries. */
enum { LIST_LIMIT_DEFAULT = 10, LIST_LIMIT_MAX = 1000 };

void modash_answer_user_info(struct request *request, struct reply *reply)
{
    int64_t milli = request->simulator->credits_milli;

    text_printf(&reply->body,
                "{\"email\":\"dev@example.org\",\"billing\":{\"credits\":%" PRId64
                ".%03" PRId64 ",\"rawRequests\":200}}",
                milli / 1000, milli % 1000);
}

bool modash_check_list(struct request *request, struct reply *reply)
{
    const char *query = request->query(request, "query");
    bool is_users = request->route->endpoint == ENDPOINT_USERS;

    if (request_query_number(request, "limit", 1, LIST_LIMIT_MAX, LIST_LIMIT_DEFAULT) < 0) {
        reply_modash_error(reply, "bad_request", "limit must be a number from 1 to 1000");
        return false;
    }
    if (is_users && (query == NULL || *query == '\0')) {
        reply_modash_error(reply, "bad_request", "query must not be empty");
        return false;
    }
    return true;
}

/* Whether the handle or the full name begins with what was typed. */
static bool begins_with(const struct creator *creator, const char *query, size_t length)
{
    char name[CREATOR_NAME_SIZE];

    creator_username(creator, name);
    if (strncasecmp(name, query, length) == 0) {
        return true;
    }
    if (memchr(query, ' ', length) == NULL) {
        return false;
    }
    creator_fullname(creator, name);
    return strncasecmp(name, query, length) == 0;
}

void modash_answer_users(struct request *request, struct reply *reply)
{
    const struct population *population = request->simulator->population;
    const char *query = request->query(request, "query");
    size_t length = strlen(query);
    long limit =
        request_query_number(request, "limit", 1, LIST_LIMIT_MAX, LIST_LIMIT_DEFAULT);
    long found = 0;

    text_append(&reply->body, "{\"error\":false,\"users\":[");
    for (uint32_t rank = 0; rank < population_size(population) && found < limit; rank++) {
        const struct creator *creator =
            population_ranked(population, request->platform, rank);

        if (begins_with(creator, query, length)) {
            text_comma(&reply->body);
            spell_user_row(creator, &reply->body);
            found++;
        }
    }
    text_append(&reply->body, "]}");
    counts_of(request->simulator->counts, ENDPOINT_USERS)->results += (uint64_t)found;
}

/* One dictionary: how many rows, how a row is called, and how it is printed. */
struct dictionary {
    enum endpoint endpoint;
    const char *key;
    int size;
    bool has_total;
    const char *(*name)(int row);
    void (*print)(int row, struct text *out);
};

static const char *location_name(int row)
{
    return row < CATALOG_COUNTRIES ? catalog_countries[row].name
                                   : catalog_cities[row - CATALOG_COUNTRIES].name;
}

static void print_location(int row, struct text *out)
{
    if (row < CATALOG_COUNTRIES) {
        text_printf(out, "{\"id\":%u,\"name\":\"%s\",\"title\":\"%s\"}",
                    catalog_countries[row].id, catalog_countries[row].name,
                    catalog_countries[row].name);
        return;
    }
    row -= CATALOG_COUNTRIES;
    text_printf(out, "{\"id\":%u,\"name\":\"%s\",\"title\":\"%s, %s\"}",
                catalog_cities[row].id, catalog_cities[row].name, catalog_cities[row].name,
                catalog_countries[catalog_cities[row].country].name);
}

static const char *language_name(int row)
{
    return catalog_languages[row].name;
}

static void print_language(int row, struct text *out)
{
    text_printf(out, "{\"code\":\"%s\",\"name\":\"%s\"}", catalog_languages[row].code,
                catalog_languages[row].name);
}

static const char *interest_name(int row)
{
    return catalog_interests[row].name;
}

static void print_interest(int row, struct text *out)
{
    text_printf(out, "{\"id\":%u,\"name\":\"%s\"}", catalog_interests[row].id,
                catalog_interests[row].name);
}

static const char *brand_name(int row)
{
    return catalog_brands[row].name;
}

static void print_brand(int row, struct text *out)
{
    text_printf(out, "{\"id\":%u,\"name\":\"%s\",\"count\":%d}", catalog_brands[row].id,
                catalog_brands[row].name, 123456 - row * 3701);
}

static const char *topic_name(int row)
{
    return catalog_topics[row].tag;
}

static void print_topic(int row, struct text *out)
{
    text_append_json(out, catalog_topics[row].tag);
}

static void print_hashtag(int row, struct text *out)
{
    text_printf(out, "\"#%s\"", catalog_topics[row].tag);
}

/* clang-format off */
static const struct dictionary dictionaries[] = {
    {ENDPOINT_LOCATIONS, "locations", CATALOG_COUNTRIES + CATALOG_CITIES, true, location_name, print_location},
    {ENDPOINT_LANGUAGES, "languages", CATALOG_LANGUAGES, true, language_name, print_language},
    {ENDPOINT_INTERESTS, "interests", CATALOG_INTERESTS, true, interest_name, print_interest},
    {ENDPOINT_BRANDS, "brands", CATALOG_BRANDS, true, brand_name, print_brand},
    {ENDPOINT_TOPICS, "tags", CATALOG_TOPICS, false, topic_name, print_topic},
    {ENDPOINT_HASHTAGS, "tags", CATALOG_TOPICS, false, topic_name, print_hashtag},
};
/* clang-format on */

void modash_answer_dictionary(struct request *request, struct reply *reply)
{
    const struct dictionary *dictionary = dictionaries;
    const char *query = request->query(request, "query");
    long limit =
        request_query_number(request, "limit", 1, LIST_LIMIT_MAX, LIST_LIMIT_DEFAULT);
    long total = 0;

    while (dictionary->endpoint != request->route->endpoint) {
        dictionary++;
    }
    query = query == NULL ? "" : query + (query[0] == '#');
    text_printf(&reply->body, "{\"error\":false,\"%s\":[", dictionary->key);
    for (int row = 0; row < dictionary->size; row++) {
        if (strncasecmp(dictionary->name(row), query, strlen(query)) != 0) {
            continue;
        }
        if (total++ < limit) {
            text_comma(&reply->body);
            dictionary->print(row, &reply->body);
        }
    }
    text_append(&reply->body, "]");
    if (dictionary->has_total) {
        text_printf(&reply->body, ",\"total\":%ld", total);
    }
    text_append(&reply->body, "}");
}
