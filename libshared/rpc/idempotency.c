#include "rpc/idempotency.h"

#include <string.h>

#include "core/list.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/siphash.h"
#include "core/thread.h"
#include "rpc/identity.h"

#define ENTRIES_DEFAULT    4096
#define BYTES_DEFAULT      ((size_t)16 * 1024 * 1024)
#define TTL_DEFAULT_US     ((uint64_t)600 * 1000 * 1000)
#define KEY_MAX            64
#define METHOD_MAX         256
#define IN_FLIGHT_RETRY_MS 100

/* Subject, user and method with their NULs, then the caller's key. */
struct full_key {
    uint8_t bytes[2 * RPC_SUBJECT_SIZE + METHOD_MAX + KEY_MAX];
    size_t size;
};

struct rpc_idempotency_entry {
    struct list_link link; /* in `stored`, oldest first; unlinked while running */
    struct full_key key;
    uint64_t payload_hash[2];
    bool is_stored;
    uint8_t *answer;
    size_t answer_size;
    uint64_t expires_us;
};

struct rpc_idempotency {
    pthread_mutex_t mutex;
    struct rpc_idempotency_options options;
    uint64_t hash_keys[2][2];
    struct map by_key;
    struct list stored;
    size_t bytes;
};

struct rpc_idempotency *rpc_idempotency_new(struct rpc_idempotency_options options)
{
    struct rpc_idempotency *table = mem_alloc(sizeof(*table));

    table->options = options;
    if (options.entries == 0)
        table->options.entries = ENTRIES_DEFAULT;
    if (options.bytes == 0)
        table->options.bytes = BYTES_DEFAULT;
    if (options.ttl_us == 0)
        table->options.ttl_us = TTL_DEFAULT_US;
    mutex_init(&table->mutex);
    map_init(&table->by_key);
    list_init(&table->stored);
    rng_system_bytes(table->hash_keys, sizeof(table->hash_keys));
    return table;
}

/* The table is locked; the entry is in no list. */
static void remove_entry(struct rpc_idempotency *table, struct rpc_idempotency_entry *entry)
{
    map_remove(&table->by_key, entry->key.bytes, entry->key.size);
    mem_free(entry->answer);
    mem_free(entry);
}

static void remove_oldest(struct rpc_idempotency *table)
{
    struct list_link *link = list_take_first(&table->stored);
    struct rpc_idempotency_entry *entry =
        list_item(link, struct rpc_idempotency_entry, link);

    table->bytes -= entry->answer_size;
    remove_entry(table, entry);
}

void rpc_idempotency_free(struct rpc_idempotency *table)
{
    size_t cursor = 0;
    const void *key;
    size_t key_size;
    void *value;

    if (table == NULL)
        return;
    while (map_next(&table->by_key, &cursor, &key, &key_size, &value)) {
        struct rpc_idempotency_entry *entry = value;

        mem_free(entry->answer);
        mem_free(entry);
    }
    map_done(&table->by_key);
    mutex_done(&table->mutex);
    mem_free(table);
}

static void append(struct full_key *key, const void *data, size_t size)
{
    memcpy(key->bytes + key->size, data, size);
    key->size += size;
}

static enum status make_key(struct full_key *out,
                            const struct rpc_idempotency_request *request,
                            struct error *err)
{
    size_t subject_size = strlen(request->subject) + 1;
    size_t user_size = strlen(request->user) + 1;
    size_t method_size = strlen(request->method) + 1;

    if (request->key_size == 0 || request->key_size > KEY_MAX)
        return error_field(err, "idempotency_key", "idempotency key is 1 to %d bytes",
                           KEY_MAX);
    if (subject_size > RPC_SUBJECT_SIZE || user_size > RPC_SUBJECT_SIZE ||
        method_size > METHOD_MAX)
        return error_set(err, ST_INVALID, "subject or method name is too long");
    out->size = 0;
    append(out, request->subject, subject_size);
    append(out, request->user, user_size);
    append(out, request->method, method_size);
    append(out, request->key, request->key_size);
    return ST_OK;
}

static void expire(struct rpc_idempotency *table, uint64_t now_us)
{
    while (!list_is_empty(&table->stored)) {
        const struct rpc_idempotency_entry *oldest =
            list_item(list_first(&table->stored), struct rpc_idempotency_entry, link);

        if (oldest->expires_us > now_us)
            return;
        remove_oldest(table);
    }
}

static enum status answer_known(struct rpc_idempotency_claim *out,
                                const struct rpc_idempotency_entry *entry,
                                const uint64_t payload_hash[2], struct arena *arena,
                                struct error *err)
{
    uint8_t *copy;

    if (memcmp(entry->payload_hash, payload_hash, sizeof(entry->payload_hash)) != 0) {
        error_set(err, ST_EXISTS, "idempotency key was used for another request");
        return error_reason(err, "KEY_REUSED");
    }
    if (!entry->is_stored) {
        error_set(err, ST_ABORTED, "a request with this idempotency key is still running");
        err->retry_after_ms = IN_FLIGHT_RETRY_MS;
        return error_reason(err, "KEY_IN_FLIGHT");
    }
    copy = arena_memdup(arena, entry->answer, entry->answer_size);
    if (copy == NULL)
        return error_set(err, ST_EXHAUSTED, "stored answer does not fit");
    *out =
        (struct rpc_idempotency_claim){.answer = copy, .answer_size = entry->answer_size};
    return ST_OK;
}

static enum status claim_new(struct rpc_idempotency_claim *out,
                             struct rpc_idempotency *table, const struct full_key *key,
                             const uint64_t payload_hash[2], struct error *err)
{
    struct rpc_idempotency_entry *entry;

    if (table->by_key.count >= table->options.entries) {
        if (list_is_empty(&table->stored)) {
            error_set(err, ST_EXHAUSTED, "too many idempotency keys in flight");
            err->retry_after_ms = IN_FLIGHT_RETRY_MS;
            return err->status;
        }
        remove_oldest(table);
    }
    entry = mem_alloc(sizeof(*entry));
    entry->key = *key;
    memcpy(entry->payload_hash, payload_hash, sizeof(entry->payload_hash));
    map_put(&table->by_key, key->bytes, key->size, entry);
    *out = (struct rpc_idempotency_claim){.entry = entry};
    return ST_OK;
}

enum status rpc_idempotency_begin(struct rpc_idempotency_claim *out,
                                  struct rpc_idempotency *table,
                                  const struct rpc_idempotency_request *request,
                                  uint64_t now_us, struct arena *arena, struct error *err)
{
    const struct rpc_idempotency_entry *known;
    struct full_key key;
    uint64_t hash[2];
    enum status st = make_key(&key, request, err);

    if (st != ST_OK)
        return st;
    for (size_t i = 0; i < 2; i++)
        hash[i] =
            siphash_bytes(table->hash_keys[i], request->payload, request->payload_size);
    mutex_lock(&table->mutex);
    expire(table, now_us);
    known = map_get(&table->by_key, key.bytes, key.size);
    if (known != NULL)
        st = answer_known(out, known, hash, arena, err);
    else
        st = claim_new(out, table, &key, hash, err);
    mutex_unlock(&table->mutex);
    return st;
}

void rpc_idempotency_store(struct rpc_idempotency *table,
                           struct rpc_idempotency_entry *entry, const uint8_t *answer,
                           size_t size, uint64_t now_us)
{
    if (size > table->options.bytes / 4) {
        rpc_idempotency_drop(table, entry);
        return;
    }
    mutex_lock(&table->mutex);
    while (table->bytes + size > table->options.bytes)
        remove_oldest(table);
    entry->answer = mem_alloc(size + 1);
    if (size > 0)
        memcpy(entry->answer, answer, size);
    entry->answer_size = size;
    entry->expires_us = now_us + table->options.ttl_us;
    entry->is_stored = true;
    table->bytes += size;
    list_append(&table->stored, &entry->link);
    mutex_unlock(&table->mutex);
}

void rpc_idempotency_drop(struct rpc_idempotency *table,
                          struct rpc_idempotency_entry *entry)
{
    mutex_lock(&table->mutex);
    remove_entry(table, entry);
    mutex_unlock(&table->mutex);
}
