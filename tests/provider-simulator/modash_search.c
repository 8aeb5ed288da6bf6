#include <stdlib.h>

#include "search_parse.h"
#include "simulator.h"
#include "spell.h"

enum { MILLI_PER_RESULT = 10 };

bool modash_check_search(struct request *request, struct reply *reply)
{
    struct search_request *search = must_alloc(sizeof *search);
    struct search_problem problem = {0};

    request->checked = search;
    if (request->json == NULL) {
        reply_modash_error(reply, "bad_request", "the body is not valid JSON");
        return false;
    }
    if (!search_parse(request->json, request->simulator->population, request->platform,
                      search, &problem)) {
        reply_modash_error(reply, problem.code, problem.message);
        return false;
    }
    return true;
}

static void print_hit(const struct search_hit *hit, struct text *out)
{
    char id[CREATOR_NAME_SIZE];

    creator_user_id(hit->creator, id);
    text_comma(out);
    text_printf(out, "{\"userId\":\"%s\",\"profile\":{", id);
    spell_profile(hit->creator, out);
    text_printf(out, ",\"isPrivate\":%s},\"match\":{}}",
                hit->creator->is_private ? "true" : "false");
}

static void print_hits(const struct search_page *page, bool direct, struct text *out)
{
    for (uint32_t i = 0; i < page->count; i++) {
        if (page->hits[i].direct == direct) {
            print_hit(&page->hits[i], out);
        }
    }
}

void modash_answer_search(struct request *request, struct reply *reply)
{
    struct search_page page;
    struct text *out = &reply->body;

    search_run(request->simulator->population, request->platform, request->checked, &page);
    if (!modash_charge(request, (int64_t)page.count * MILLI_PER_RESULT, page.count,
                       reply)) {
        return;
    }
    text_printf(out, "{\"error\":false,\"total\":%u,\"isExactMatch\":true,\"directs\":[",
                page.total);
    print_hits(&page, true, out);
    text_append(out, "],\"lookalikes\":[");
    print_hits(&page, false, out);
    text_append(out, "]}");
}
