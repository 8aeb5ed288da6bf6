/*
 * search_parse.h - a search body, checked as strictly as the provider documents it.
 *
 * Pure. Unknown keys, wrong types and values out of range are refused: a client that
 * misspells a filter must not be sold everybody.
 */
#ifndef SIMULATOR_SEARCH_PARSE_H
#define SIMULATOR_SEARCH_PARSE_H

#include <stdbool.h>

#include <jansson.h>

#include "search_filter.h"

/* Why a body was refused: the provider's error code and a line for people. */
struct search_problem {
    const char *code; /* "invalid_body_params" or "page_limit" */
    char message[160];
};

/*
 * Fill `request` from `body`. `population` resolves "@handle" and must outlive the request.
 * False with `problem` filled when the provider would refuse.
 */
bool search_parse(const json_t *body, const struct population *population,
                  enum platform platform, struct search_request *request,
                  struct search_problem *problem);

#endif
