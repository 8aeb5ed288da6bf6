/*
 * page_rpc.h - the page of a request that lists, and of its reply; prefix `page_`.
 *
 * What a token says is the listing's own matter.
 */
#ifndef RESOURCES_PAGE_RPC_H
#define RESOURCES_PAGE_RPC_H

#include <stdint.h>

#include "core/arena.h"
#include "metercache/v1/common.pb-c.h"

/* As many entries as asked for, `fallback` when the request does not say; at most `max`. */
uint32_t page_size(const Metercache__V1__PageRequest *request, uint32_t fallback,
                   uint32_t max);

/* "" asks for the first page. Borrowed from the request, which may be NULL. */
const char *page_token(const Metercache__V1__PageRequest *request);

/*
 * With the token of the next page, "" after the last one; it is borrowed. NULL when the
 * arena is full, and for a NULL token, so that one just made in the arena can be handed in.
 */
Metercache__V1__PageResponse *page_response(char *token, struct arena *arena);

#endif /* RESOURCES_PAGE_RPC_H */
