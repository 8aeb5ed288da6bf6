#include "clay_request.h"

#include <string.h>

#include "core/parse.h"
#include "url.h"

#define API           "/public/v0/routines"
#define RESULTS_LIMIT "100"

static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return false;
    }
    return true;
}

/* An id that goes into a path or comes back in an answer: visible ASCII. */
static enum status check_id(const char *id, size_t limit, const char *field,
                            struct error *err)
{
    size_t size = strlen(id);

    if (size == 0 || size > limit || !is_plain(id, size) || strcmp(id, ".") == 0 ||
        strcmp(id, "..") == 0 || strpbrk(id, "/\\") != NULL)
        return error_field(err, field, "must be 1 to %zu visible ASCII characters", limit);
    return ST_OK;
}

/* One input of the item, under the column name that Clay's e-mail routines use. */
static enum status append_input(struct buf *body, bool *is_first, const char *name,
                                const char *value, const char *field, struct error *err)
{
    size_t size = strlen(value);

    if (size == 0)
        return ST_OK;
    if (size > CLAY_INPUT_BYTES || !parse_is_utf8(value, size))
        return error_field(err, field, "must be utf-8 text of at most %zu bytes",
                           CLAY_INPUT_BYTES);
    buf_printf(body, "%s\"%s\":\"", *is_first ? "" : ",", name);
    buf_append_json_escaped(body, value, size);
    buf_append_text(body, "\"");
    *is_first = false;
    return ST_OK;
}

static enum status append_person(struct buf *body, const struct clay_person *person,
                                 struct error *err)
{
    const struct {
        const char *name, *value, *field;
    } inputs[] = {
        {"Full Name", person->full_name, "full_name"},
        {"Handle", person->handle, "handle"},
        {"Profile URL", person->profile_url, "profile_url"},
        {"Company Name", person->company_name, "company_name"},
        {"Company Domain", person->company_domain, "company_domain"},
    };
    bool is_first = true;

    for (size_t i = 0; i < COUNT_OF(inputs); i++) {
        enum status st = append_input(body, &is_first, inputs[i].name, inputs[i].value,
                                      inputs[i].field, err);
        if (st != ST_OK)
            return st;
    }
    if (is_first)
        return error_field(err, "full_name", "nothing is known of the person");
    return ST_OK;
}

enum status clay_request_run(struct buf *url, struct buf *body, const char *base,
                             const char *routine_id, const char *item_id,
                             const struct clay_person *person, struct error *err)
{
    enum status st = check_id(item_id, CLAY_ITEM_ID_CHARS, "item_id", err);

    if (st != ST_OK)
        return st;
    url_begin(url, base, API);
    url_segment(url, routine_id);
    url_path(url, "/run");
    buf_append_text(body, "{\"items\":[{\"id\":\"");
    buf_append_json_escaped(body, item_id, strlen(item_id));
    buf_append_text(body, "\",\"inputs\":{");
    st = append_person(body, person, err);
    buf_append_text(body, "}}]}");
    return st;
}

enum status clay_request_results(struct buf *url, const char *base, const char *run_id,
                                 struct error *err)
{
    enum status st = check_id(run_id, CLAY_RUN_ID_BYTES, "run_id", err);

    if (st != ST_OK)
        return st;
    url_begin(url, base, API "/run");
    url_segment(url, run_id);
    url_path(url, "/results");
    url_query(url, "limit", RESULTS_LIMIT);
    return ST_OK;
}
