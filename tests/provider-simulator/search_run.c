#include <stdlib.h>

#include "search_filter.h"
#include "text.h"

struct candidate {
    int64_t key;
    uint32_t rank; /* by followers: breaks ties, and makes the order total */
    bool direct;
};

/* Direct hits first, then the larger key, then the rank. */
static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;

    if (a->direct != b->direct) {
        return a->direct ? -1 : 1;
    }
    if (a->key != b->key) {
        return a->key > b->key ? -1 : 1;
    }
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

void search_run(const struct population *population, enum platform platform,
                const struct search_request *request, struct search_page *page)
{
    uint32_t size = population_size(population);
    struct candidate *found = must_alloc(size * sizeof *found);
    bool sorted = request->sort == SORT_FOLLOWERS && !request->ascending;
    uint32_t first = request->page * SEARCH_PAGE_SIZE;

    *page = (struct search_page){0};
    for (uint32_t rank = 0; rank < size; rank++) {
        const struct creator *creator = population_ranked(population, platform, rank);
        int64_t key;

        if (!search_filter_match(&request->filter, creator)) {
            continue;
        }
        key = search_sort_key(request, creator);
        found[page->total] = (struct candidate){
            .key = request->ascending ? -key : key,
            .rank = rank,
            .direct = search_names_creator(&request->filter, creator),
        };
        sorted = sorted && !found[page->total].direct;
        page->total++;
    }
    if (!sorted) {
        qsort(found, page->total, sizeof *found, compare_candidates);
    }
    for (uint32_t i = first; i < page->total && page->count < SEARCH_PAGE_SIZE; i++) {
        page->hits[page->count++] = (struct search_hit){
            .creator = population_ranked(population, platform, found[i].rank),
            .direct = found[i].direct,
        };
    }
    free(found);
}
