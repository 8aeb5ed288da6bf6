#include "support/simulator.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "support/http.h"
#include "support/test.h"

#define CREATORS_A_CALL 1000
#define PATH_SIZE       256

/* Asks; the answer must be JSON with status 200. */
static json_t *ask(struct stack *stack, const char *path, const char *headers,
                   const char *body)
{
    char *url = mem_printf("%s%s", stack_value(stack, "STACK_SIMULATOR_URL"), path);
    struct http_answer answer;
    json_t *root;

    http_ask(&answer, url, headers, body);
    if (answer.status != 200)
        fail_msg("%s answers %d: %s", url, answer.status,
                 answer.body == NULL ? "" : answer.body);
    root = json_loadb(answer.body, answer.size, 0, NULL);
    if (root == NULL)
        fail_msg("%s answers something that is not JSON", url);
    http_answer_done(&answer);
    mem_free(url);
    return root;
}

static void tell(struct stack *stack, const char *path, char *body)
{
    json_decref(ask(stack, path, NULL, body));
    mem_free(body);
}

void simulator_reset(struct stack *stack)
{
    tell(stack, "/_control/reset", mem_strdup("{}"));
}

void simulator_behave(struct stack *stack, const char *provider, const char *endpoint,
                      const char *mode, const char *more)
{
    tell(stack, "/_control/behaviour",
         mem_printf("{\"provider\":\"%s\",\"endpoint\":\"%s\",\"mode\":\"%s\"%s%s}",
                    provider, endpoint, mode, more[0] == '\0' ? "" : ",", more));
}

void simulator_set_polls(struct stack *stack, unsigned polls)
{
    tell(stack, "/_control/behaviour", mem_printf("{\"polls\":%u}", polls));
}

json_t *simulator_read(struct stack *stack)
{
    return ask(stack, "/_control/counts?ops=1", NULL, NULL);
}

static int64_t number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_integer(value))
        fail_msg("the simulator counts no '%s'", name);
    return json_integer_value(value);
}

struct simulator_counts simulator_count(struct stack *stack, const char *provider,
                                        const char *endpoint)
{
    json_t *root = ask(stack, "/_control/counts", NULL, NULL);
    const json_t *counts = json_object_get(json_object_get(root, provider), endpoint);
    struct simulator_counts out = {
        .refused = number(counts, "refused"),
        .received = number(counts, "received"),
        .answered = number(counts, "answered"),
        .held = number(counts, "held"),
        .charged_milli = number(counts, "chargedMilli"),
        .results = number(counts, "results"),
    };

    json_decref(root);
    return out;
}

static void read_creators(struct stack *stack, const char *platform, unsigned offset,
                          size_t count, struct simulator_creator *out)
{
    char path[PATH_SIZE];
    json_t *root;
    const json_t *list;

    (void)snprintf(path, sizeof(path), "/_control/creators?platform=%s&offset=%u&limit=%zu",
                   platform, offset, count);
    root = ask(stack, path, NULL, NULL);
    list = json_object_get(root, "creators");
    assert_int_equal(json_array_size(list), count);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(list, i);

        (void)snprintf(out[i].user_id, sizeof(out[i].user_id), "%s",
                       json_string_value(json_object_get(row, "userId")));
        (void)snprintf(out[i].username, sizeof(out[i].username), "%s",
                       json_string_value(json_object_get(row, "username")));
        out[i].followers = number(row, "followers");
        out[i].is_private = json_is_true(json_object_get(row, "isPrivate"));
    }
    json_decref(root);
}

void simulator_creators(struct stack *stack, const char *platform, unsigned offset,
                        size_t count, struct simulator_creator *out)
{
    for (size_t done = 0; done < count; done += CREATORS_A_CALL) {
        size_t part = count - done < CREATORS_A_CALL ? count - done : CREATORS_A_CALL;

        read_creators(stack, platform, offset + (unsigned)done, part, out + done);
    }
}

json_t *simulator_report(struct stack *stack, const char *platform, const char *user_id)
{
    char key_path[PATH_SIZE];
    char headers[PATH_SIZE + 32];
    char path[PATH_SIZE];
    char key[PATH_SIZE];
    FILE *file;

    (void)snprintf(key_path, sizeof(key_path), "%s/keys/modash",
                   stack_value(stack, "STACK_DIR"));
    file = fopen(key_path, "r");
    if (file == NULL || fgets(key, sizeof(key), file) == NULL || fclose(file) != 0)
        fail_msg("no key in %s", key_path);
    key[strcspn(key, "\n")] = '\0';
    (void)snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", key);
    (void)snprintf(path, sizeof(path), "/v1/%s/profile/%s/report", platform, user_id);
    return ask(stack, path, headers, NULL);
}
