/*
 * render.h - replies as text for people. Pure: a message in, text out.
 */
#ifndef ADMIN_CLI_RENDER_H
#define ADMIN_CLI_RENDER_H

#include <stdio.h>

#include "metercache/v1/calls.pb-c.h"
#include "metercache/v1/creators.pb-c.h"

void render_search(FILE *out, const Metercache__V1__SearchResponse *reply);
void render_searches(FILE *out, const Metercache__V1__ListSearchesResponse *reply);
/* One creator as "name: value" lines, then where the answer came from and what it cost;
 * any of the last three may be NULL. */
void render_creator(FILE *out, const Metercache__V1__Creator *creator,
                    const Metercache__V1__Freshness *freshness,
                    const Metercache__V1__Cost *cost);
void render_enrichment(FILE *out, const Metercache__V1__EnrichCreatorResponse *reply);
void render_calls(FILE *out, const Metercache__V1__ListCallsResponse *reply);

/* How to ask for the next page; nothing on the last one, or for NULL. */
void render_next_page(FILE *out, const Metercache__V1__PageResponse *page);

#endif /* ADMIN_CLI_RENDER_H */
