#include "clay_parse.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "json_read.h"

#define RUN_ID_BYTES ((size_t)128)
#define EMAIL_BYTES  ((size_t)254)

bool clay_parse_run(struct clay_result *out, const json_t *root, struct arena *arena)
{
    const char *run_id = json_read_text(root, "routine_run_id", arena);

    if (run_id == NULL || run_id[0] == '\0' || strlen(run_id) > RUN_ID_BYTES)
        return false;
    *out = (struct clay_result){
        .state = CLAY_PENDING, .email = "", .run_id = run_id, .result_json = ""};
    return true;
}

static bool text_is(const json_t *object, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL && strcmp(text, wanted) == 0;
}

static bool is_running(const json_t *object)
{
    return text_is(object, "status", "in_progress") ||
           text_is(object, "status", "pending") || text_is(object, "status", "queued");
}

static const json_t *find_item(const json_t *root, const char *item_id)
{
    const json_t *data = json_read_array(root, "data");

    for (size_t i = 0; i < json_array_size(data); i++) {
        const json_t *item = json_array_get(data, i);

        if (json_is_object(item) && (item_id[0] == '\0' || text_is(item, "id", item_id)))
            return item;
    }
    return NULL;
}

static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');

    return at != NULL && at != text && at[1] != '\0' && strlen(text) <= EMAIL_BYTES &&
           strpbrk(text, " \t\r\n<>\"") == NULL;
}

/* Behind the first `words` in `text` that begin a word, whatever their case; or NULL. */
static const char *skip_past(const char *text, const char *words)
{
    size_t size = strlen(words);

    for (const char *at = text; *at != '\0'; at++) {
        if ((at == text || !isalpha((unsigned char)at[-1])) &&
            strncasecmp(at, words, size) == 0)
            return at + size;
    }
    return NULL;
}

/* "No email found", "no results were found": what a search says that came to its end. */
static bool says_nothing_found(const json_t *item)
{
    const char *text =
        json_string_value(json_object_get(json_read_object(item, "error"), "message"));
    const char *behind_no = text == NULL ? NULL : skip_past(text, "no ");

    return behind_no != NULL && skip_past(behind_no, "found") != NULL;
}

static enum clay_state state_of(const json_t *item, const char *email)
{
    if (text_is(item, "status", "complete"))
        return is_email(email) ? CLAY_FOUND : CLAY_NOT_FOUND;
    return says_nothing_found(item) ? CLAY_NOT_FOUND : CLAY_FAILED;
}

bool clay_parse_results(struct clay_result *out, const json_t *root, const char *item_id,
                        const char *email_key, struct arena *arena)
{
    const json_t *item = find_item(root, item_id);
    struct clay_result result = {
        .state = CLAY_PENDING,
        .email = "",
        .run_id = json_read_text(root, "routine_run_id", arena),
        .result_json = "",
    };
    const char *email;

    if (result.run_id == NULL)
        return false;
    if (item == NULL ? is_running(root) : is_running(item)) {
        *out = result;
        return true;
    }
    if (item == NULL)
        return false;
    email = json_read_text(json_read_object(item, "result"), email_key, arena);
    result.result_json = json_read_compact(item, arena);
    if (email == NULL || result.result_json == NULL)
        return false;
    result.state = state_of(item, email);
    if (result.state == CLAY_FOUND)
        result.email = email;
    *out = result;
    return true;
}
