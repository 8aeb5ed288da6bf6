#include "resources/page_rpc.h"

uint32_t page_size(const Metercache__V1__PageRequest *request, uint32_t fallback,
                   uint32_t max)
{
    uint32_t size =
        request == NULL || request->page_size == 0 ? fallback : request->page_size;

    return size < max ? size : max;
}

const char *page_token(const Metercache__V1__PageRequest *request)
{
    return request == NULL ? "" : request->page_token;
}

Metercache__V1__PageResponse *page_response(char *token, struct arena *arena)
{
    Metercache__V1__PageResponse *page = arena_alloc(arena, sizeof(*page));

    if (page == NULL || token == NULL)
        return NULL;
    metercache__v1__page_response__init(page);
    page->next_page_token = token;
    return page;
}
