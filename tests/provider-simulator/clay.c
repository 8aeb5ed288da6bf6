#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dice.h"
#include "simulator.h"

/*
 * Routine runs: POST run -> 202 and a run id; results -> 202 for `polls` times, then pages of
 * items. Whether an item is found depends on its inputs alone, so it can be predicted by
 * asking once.
 */
enum {
    RUNS_KEPT = 4096, /* older runs are forgotten, as the provider forgets them in a day */
    ITEMS_MAX = 100,
    ITEM_ID_MAX = 64,
    EMAIL_SIZE = 160,
    PAGE_DEFAULT = 20,
    PAGE_MAX = 100,
    FOUND_PERCENT = 70,
    MILLI_PER_FOUND = 1000,
};

struct clay_item {
    char id[ITEM_ID_MAX + 1];
    char email[EMAIL_SIZE]; /* "" when nothing was found */
};

struct clay_run {
    char id[32];
    uint32_t total;
    unsigned polls_left;
    struct clay_item *items;
};

struct clay {
    struct clay_run runs[RUNS_KEPT]; /* run n lives in place n % RUNS_KEPT */
    uint64_t next;
    unsigned polls;
};

struct clay *clay_new(void)
{
    struct clay *clay = must_alloc(sizeof *clay);

    clay->polls = 1;
    return clay;
}

void clay_reset(struct clay *clay)
{
    uint64_t next = clay->next; /* run ids are not used twice, not even after a reset */

    for (int i = 0; i < RUNS_KEPT; i++) {
        free(clay->runs[i].items);
    }
    *clay = (struct clay){.next = next, .polls = 1};
}

void clay_free(struct clay *clay)
{
    if (clay != NULL) {
        clay_reset(clay);
        free(clay);
    }
}

void clay_set_polls(struct clay *clay, unsigned polls)
{
    clay->polls = polls;
}

void clay_answer_me(struct request *request, struct reply *reply)
{
    (void)request;
    text_append(&reply->body, "{\"user\":{\"id\":\"u_1\",\"name\":\"Dev\"},"
                              "\"workspace\":{\"id\":\"230552\"}}");
}

static bool check_item(const json_t *item, struct reply *reply)
{
    const json_t *id = json_object_get(item, "id");

    if (!json_is_string(id) || json_string_length(id) == 0 ||
        json_string_length(id) > ITEM_ID_MAX) {
        reply_clay_error(reply, 400, "items[].id must have 1 to 64 characters");
        return false;
    }
    if (!json_is_object(json_object_get(item, "inputs"))) {
        reply_clay_error(reply, 400, "items[].inputs must be an object");
        return false;
    }
    return true;
}

bool clay_check_run(struct request *request, struct reply *reply)
{
    const json_t *items = json_object_get(request->json, "items");
    const json_t *webhook = json_object_get(request->json, "webhook_id");
    size_t i;
    json_t *item;

    if (!json_is_object(request->json)) {
        reply_clay_error(reply, 400, "the body must be a JSON object");
        return false;
    }
    if (!json_is_array(items) || json_array_size(items) < 1 ||
        json_array_size(items) > ITEMS_MAX) {
        reply_clay_error(reply, 400, "items must contain 1 to 100 items");
        return false;
    }
    if (webhook != NULL && !json_is_string(webhook)) {
        reply_clay_error(reply, 400, "webhook_id must be a string");
        return false;
    }
    json_array_foreach(items, i, item) {
        if (!check_item(item, reply)) {
            return false;
        }
    }
    return true;
}

/* The first text input whose key has `word` and not `without` in it (lower or upper first
 * letter); "" when there is none. */
static const char *find_input(const json_t *inputs, const char *word, const char *without)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)inputs, key, value) {
        if (strstr(key, word + 1) != NULL && json_is_string(value) &&
            (without == NULL || strstr(key, without + 1) == NULL)) {
            return json_string_value(value);
        }
    }
    return "";
}

/* Letters and digits of `name` in lower case; words joined by `joint` (0 = nothing). */
static void append_plain(char *out, size_t size, const char *name, char joint)
{
    size_t length = strlen(out);

    for (; *name != '\0' && length + 2 < size; name++) {
        char byte = *name;

        if (byte >= 'A' && byte <= 'Z') {
            byte = (char)(byte + ('a' - 'A'));
        }
        if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) {
            out[length++] = byte;
        } else if (byte == ' ' && joint != '\0' && length > 0 && out[length - 1] != joint) {
            out[length++] = joint;
        }
    }
    out[length] = '\0';
}

/* The address found for these inputs; "" for about three in ten, and without a name. */
static void find_email(const json_t *inputs, char email[EMAIL_SIZE])
{
    char *text = json_dumps(inputs, JSON_SORT_KEYS | JSON_COMPACT);
    struct dice dice = {text == NULL ? 0 : dice_hash_text(text)};
    const char *name = find_input(inputs, "Name", "Company");
    const char *domain = find_input(inputs, "Domain", NULL);
    char user[64] = "";
    char host[64] = "";

    free(text);
    email[0] = '\0';
    append_plain(user, sizeof user, name, '.');
    if (user[0] == '\0' || dice_below(&dice, 100) >= FOUND_PERCENT) {
        return;
    }
    if (domain[0] != '\0' && strlen(domain) < sizeof host &&
        strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(domain)) {
        snprintf(host, sizeof host, "%s", domain);
    } else {
        append_plain(host, sizeof host - 8, find_input(inputs, "Company", "Domain"), '\0');
        snprintf(host + strlen(host), 9, "%s", host[0] == '\0' ? "mail.org" : ".example");
    }
    snprintf(email, EMAIL_SIZE, "%s@%s", user, host);
}

void clay_answer_run(struct request *request, struct reply *reply)
{
    struct clay *clay = request->simulator->clay;
    struct endpoint_counts *counts =
        counts_of(request->simulator->counts, ENDPOINT_CLAY_RUN);
    const json_t *items = json_object_get(request->json, "items");
    uint64_t number = clay->next++;
    struct clay_run *run = &clay->runs[number % RUNS_KEPT];
    size_t i;
    json_t *item;

    free(run->items);
    *run = (struct clay_run){.total = (uint32_t)json_array_size(items),
                             .polls_left = clay->polls};
    run->items = must_alloc(run->total * sizeof *run->items);
    snprintf(run->id, sizeof run->id, "run_%08" PRIx32 "%08" PRIx32, (uint32_t)number,
             (uint32_t)(dice_mix(number) >> 32));
    json_array_foreach(items, i, item) {
        snprintf(run->items[i].id, sizeof run->items[i].id, "%s",
                 json_string_value(json_object_get(item, "id")));
        find_email(json_object_get(item, "inputs"), run->items[i].email);
        if (run->items[i].email[0] != '\0') {
            counts->charged_milli += MILLI_PER_FOUND;
        }
    }
    counts->charged++;
    counts->results += run->total;
    reply->status = 202;
    text_printf(&reply->body, "{\"routine_run_id\":\"%s\",\"status\":\"in_progress\"}",
                run->id);
}

static struct clay_run *find_run(struct clay *clay, const char *id)
{
    unsigned number;
    struct clay_run *run;

    if (sscanf(id, "run_%8x", &number) != 1) {
        return NULL;
    }
    run = &clay->runs[number % RUNS_KEPT];
    return run->items != NULL && strcmp(run->id, id) == 0 ? run : NULL;
}

/* Where a cursor ("c" and a place) points; 0 without one, -1 when it is not ours. */
static long read_cursor(const struct request *request)
{
    const char *cursor = request->query(request, "cursor");
    char *end;
    long at;

    if (cursor == NULL) {
        return 0;
    }
    if (cursor[0] != 'c' || cursor[1] < '0' || cursor[1] > '9') {
        return -1;
    }
    at = strtol(cursor + 1, &end, 10);
    return *end != '\0' || at > ITEMS_MAX ? -1 : at;
}

bool clay_check_results(struct request *request, struct reply *reply)
{
    if (request_query_number(request, "limit", 1, PAGE_MAX, PAGE_DEFAULT) < 0) {
        reply_clay_error(reply, 400, "limit must be a number from 1 to 100");
        return false;
    }
    if (read_cursor(request) < 0) {
        reply_clay_error(reply, 400, "unknown cursor");
        return false;
    }
    return true;
}

static void print_item(const struct clay_item *item, struct text *out)
{
    text_comma(out);
    text_append(out, "{\"id\":");
    text_append_json(out, item->id);
    if (item->email[0] == '\0') {
        text_append(out, ",\"status\":\"failed\",\"error\":{\"message\":"
                         "\"No email found\"}}");
        return;
    }
    text_append(out, ",\"status\":\"complete\",\"result\":{\"email\":");
    text_append_json(out, item->email);
    text_append(out, "}}");
}

void clay_answer_results(struct request *request, struct reply *reply)
{
    struct clay_run *run = find_run(request->simulator->clay, request->id);
    struct text *out = &reply->body;
    uint32_t at = (uint32_t)read_cursor(request);
    uint32_t end =
        at + (uint32_t)request_query_number(request, "limit", 1, PAGE_MAX, PAGE_DEFAULT);

    if (run == NULL) {
        reply_clay_error(reply, 404, "Routine run not found");
        return;
    }
    if (run->polls_left > 0) {
        run->polls_left--;
        reply->status = 202;
        text_printf(out,
                    "{\"routine_run_id\":\"%s\",\"total\":%" PRIu32
                    ",\"finished\":0,\"status\":\"in_progress\"}",
                    run->id, run->total);
        return;
    }
    text_printf(out,
                "{\"routine_run_id\":\"%s\",\"total\":%" PRIu32 ",\"finished\":%" PRIu32
                ",\"status\":\"complete\"",
                run->id, run->total, run->total);
    if (end < run->total) {
        text_printf(out, ",\"cursor\":\"c%" PRIu32 "\"", end);
    }
    text_append(out, ",\"data\":[");
    for (; at < end && at < run->total; at++) {
        print_item(&run->items[at], out);
        counts_of(request->simulator->counts, ENDPOINT_CLAY_RESULTS)->results++;
    }
    text_append(out, "]}");
}
