#include "ledger/ledger_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "ledger/ledger_digest.h"

#define PAGE_BATCHES 32
#define PAGE_ARENA   ((size_t)64 * 1024 * 1024) /* 32 batches of 1024 events */

/* The chain as far as it was followed. */
struct chain {
    uint8_t hash[LEDGER_STORE_DIGEST_SIZE];
    size_t size; /* 0: before the first batch */
};

/* One page of batches with all that their hashes cover. */
struct page {
    const struct ledger_stored_batch *batches;
    size_t batch_count;
    const struct ledger_event *events;
    size_t event_count;
    size_t event_at; /* the next batch's first */
    const struct ledger_limit *limits;
    const int64_t *limit_batches;
    size_t limit_count;
    size_t limit_at;
};

static enum status read_page(struct page *out, const struct store_call *call, int64_t first,
                             struct error *err)
{
    enum status st;
    int64_t last;

    *out = (struct page){.batch_count = 0};
    st = ledger_store_batches(&out->batches, &out->batch_count, call, first, PAGE_BATCHES,
                              err);
    if (st != ST_OK || out->batch_count == 0)
        return st;
    first = out->batches[0].batch;
    last = out->batches[out->batch_count - 1].batch;
    st = ledger_store_batch_events(&out->events, &out->event_count, call, first, last, err);
    if (st == ST_OK)
        st = ledger_store_batch_limits(&out->limits, &out->limit_batches, &out->limit_count,
                                       call, first, last, err);
    return st;
}

static enum status hash_of(struct chain *out, struct page *page,
                           const struct ledger_stored_batch *batch,
                           const struct chain *former, size_t events,
                           const struct store_call *call, struct error *err)
{
    uint8_t digest[LEDGER_STORE_DIGEST_SIZE];
    size_t limits = 0;

    out->size = sizeof(out->hash);
    if (batch->format == 1)
        return ledger_store_text_hash(out->hash, call, batch->batch, former->hash,
                                      former->size, err);
    while (page->limit_at + limits < page->limit_count &&
           page->limit_batches[page->limit_at + limits] == batch->batch)
        limits++;
    ledger_digest(digest, batch->at_us, page->events + page->event_at, events,
                  page->limits + page->limit_at, limits);
    ledger_digest_chain(out->hash, former->hash, former->size, batch->epoch, batch->batch,
                        digest);
    page->limit_at += limits;
    return ST_OK;
}

static size_t events_of(const struct page *page, int64_t batch)
{
    size_t count = 0;

    while (page->event_at + count < page->event_count &&
           page->events[page->event_at + count].batch == batch)
        count++;
    return count;
}

static enum status check_batch(struct ledger_verdict *out, struct page *page,
                               const struct ledger_stored_batch *batch, struct chain *chain,
                               const struct store_call *call, struct error *err)
{
    size_t events = events_of(page, batch->batch);
    struct chain made;
    enum status st = hash_of(&made, page, batch, chain, events, call, err);

    if (st != ST_OK)
        return st;
    out->batches++;
    out->events += events;
    page->event_at += events;
    if (events != (size_t)batch->events)
        snprintf(out->fault, sizeof(out->fault),
                 "quota_batch %" PRId64 ": has %zu events, was committed with %" PRId64,
                 batch->batch, events, batch->events);
    else if (memcmp(made.hash, batch->hash, sizeof(made.hash)) != 0)
        snprintf(out->fault, sizeof(out->fault),
                 "quota_batch %" PRId64 ": its hash is not that of its events",
                 batch->batch);
    *chain = made;
    return ST_OK;
}

/* Where the chain stands before `first`; the first batch there is, without events of its
 * own left to hash it from, is taken as given. */
static enum status start_chain(struct chain *out, int64_t *first,
                               const struct store_call *call, struct error *err)
{
    const struct ledger_stored_batch *batches;
    size_t count;
    enum status st;

    out->size = 0;
    if (*first <= 1) {
        st = ledger_store_batches(&batches, &count, call, 0, 1, err);
        if (st != ST_OK || count == 0 || batches[0].batch == 1)
            return st;
        *first = batches[0].batch + 1;
    } else {
        st = ledger_store_batches(&batches, &count, call, *first - 1, 1, err);
        if (st != ST_OK || count == 0 || batches[0].batch != *first - 1)
            return st != ST_OK ? st : error_field(err, "from_batch", "no batch before it");
    }
    memcpy(out->hash, batches[0].hash, sizeof(out->hash));
    out->size = sizeof(out->hash);
    return ST_OK;
}

/* The end: the head, and what follows from the events. A writer may have gone on since. */
static enum status check_end(struct ledger_verdict *out, const struct chain *chain,
                             int64_t last, const struct store_call *call, struct error *err)
{
    uint8_t head[LEDGER_STORE_DIGEST_SIZE];
    int64_t head_batch;
    int64_t counters = 0;
    const char *fault;
    size_t size;
    enum status st = ledger_store_head(head, &size, &head_batch, call, err);

    if (st != ST_OK)
        return st;
    if (head_batch < last ||
        (head_batch == last && size > 0 && memcmp(head, chain->hash, sizeof(head)) != 0)) {
        snprintf(out->fault, sizeof(out->fault),
                 "quota_writer: its head is not the hash of batch %" PRId64, last);
        return ST_OK;
    }
    st = ledger_store_cross_check(&fault, &counters, call, err);
    if (st != ST_OK)
        return st;
    out->counters = (uint64_t)counters;
    snprintf(out->fault, sizeof(out->fault), "%s", fault);
    return ST_OK;
}

static enum status check_page(struct ledger_verdict *out, struct page *page,
                              struct chain *chain, int64_t *next,
                              const struct store_call *call, struct error *err)
{
    for (size_t i = 0; i < page->batch_count && out->fault[0] == '\0'; i++) {
        const struct ledger_stored_batch *batch = &page->batches[i];

        if (*next > 0 && batch->batch != *next) {
            snprintf(out->fault, sizeof(out->fault), "quota_batch %" PRId64 ": is missing",
                     *next);
            return ST_OK;
        }
        *next = batch->batch + 1;
        enum status st = check_batch(out, page, batch, chain, call, err);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

static enum status follow(struct ledger_verdict *out, struct store_call *call,
                          int64_t first, uint64_t until_us, struct error *err)
{
    struct arena *arena = call->arena;
    struct chain chain;
    int64_t next = first > 0 ? first : 1;
    enum status st = start_chain(&chain, &next, call, err);

    while (st == ST_OK && out->fault[0] == '\0') {
        struct page page;

        if (clock_mono_us() >= until_us) {
            out->next_batch = next;
            return ST_OK;
        }
        st = read_page(&page, call, next, err);
        if (st == ST_OK && page.batch_count == 0)
            return check_end(out, &chain, next - 1, call, err);
        if (st == ST_OK)
            st = check_page(out, &page, &chain, &next, call, err);
        arena_reset(arena);
    }
    return st;
}

enum status ledger_verify(struct ledger_verdict *out, const struct store_call *call,
                          int64_t from_batch, uint64_t until_us, struct error *err)
{
    struct store_call own = *call;
    struct arena arena;

    *out = (struct ledger_verdict){.events = 0};
    arena_init(&arena, PAGE_ARENA);
    own.arena = &arena;
    enum status st = follow(out, &own, from_batch, until_us, err);
    arena_done(&arena);
    return st;
}
