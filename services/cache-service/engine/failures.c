#include "engine/failures.h"

#include <string.h>

#include "core/list.h"
#include "core/map.h"
#include "core/mem.h"

#define US_PER_MS 1000

struct failure {
    struct list_link link; /* oldest first */
    char *key;
    struct error error;
    uint64_t until_us;
    unsigned count;
};

struct failures {
    struct map by_key;
    struct list by_age;
    uint64_t first_ms;
    uint64_t max_ms;
    size_t limit;
};

struct failures *failures_new(uint64_t first_ms, uint64_t max_ms, size_t limit)
{
    struct failures *failures = mem_alloc(sizeof(*failures));

    map_init(&failures->by_key);
    list_init(&failures->by_age);
    failures->first_ms = first_ms;
    failures->max_ms = max_ms;
    failures->limit = limit;
    return failures;
}

static void drop(struct failures *failures, struct failure *failure)
{
    (void)map_remove(&failures->by_key, failure->key, strlen(failure->key));
    list_remove(&failures->by_age, &failure->link);
    mem_free(failure->key);
    mem_free(failure);
}

void failures_free(struct failures *failures)
{
    struct list_link *link;

    if (failures == NULL)
        return;
    while ((link = list_first(&failures->by_age)) != NULL)
        drop(failures, list_item(link, struct failure, link));
    map_done(&failures->by_key);
    mem_free(failures);
}

static uint64_t pause_ms(const struct failures *failures, unsigned count)
{
    uint64_t pause = failures->first_ms;

    while (--count > 0 && pause > 0 && pause < failures->max_ms)
        pause *= 2;
    return pause < failures->max_ms ? pause : failures->max_ms;
}

void failures_note(struct failures *failures, const char *key, const struct error *error,
                   uint64_t now_us)
{
    struct failure *failure = map_get(&failures->by_key, key, strlen(key));

    if (failure != NULL) {
        list_remove(&failures->by_age, &failure->link);
    } else {
        if (failures->by_age.count >= failures->limit)
            drop(failures, list_item(list_first(&failures->by_age), struct failure, link));
        failure = mem_alloc(sizeof(*failure));
        failure->key = mem_strdup(key);
        (void)map_put(&failures->by_key, key, strlen(key), failure);
    }
    list_append(&failures->by_age, &failure->link);
    failure->count++;
    failure->error = *error;
    failure->until_us = now_us + pause_ms(failures, failure->count) * US_PER_MS;
}

void failures_forget(struct failures *failures, const char *key)
{
    struct failure *failure = map_get(&failures->by_key, key, strlen(key));

    if (failure != NULL)
        drop(failures, failure);
}

bool failures_find(struct error *error, const struct failures *failures, const char *key,
                   uint64_t now_us)
{
    const struct failure *failure = map_get(&failures->by_key, key, strlen(key));

    if (failure == NULL || now_us >= failure->until_us)
        return false;
    *error = failure->error;
    error->retry_after_ms = (failure->until_us - now_us + US_PER_MS - 1) / US_PER_MS;
    return true;
}
