#include "ledger/ledger_digest.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

_Static_assert(LEDGER_STORE_DIGEST_SIZE == crypto_hash_sha256_BYTES, "SHA-256");

/* Small pieces are gathered: hashing them one by one would cost more than the hash. */
struct gatherer {
    crypto_hash_sha256_state hash;
    size_t used;
    uint8_t bytes[1024];
};

static void flush(struct gatherer *to)
{
    crypto_hash_sha256_update(&to->hash, to->bytes, to->used);
    to->used = 0;
}

static void add_bytes(struct gatherer *to, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (size > sizeof(to->bytes) - to->used)
        flush(to);
    if (size > sizeof(to->bytes)) {
        crypto_hash_sha256_update(&to->hash, data, size);
        return;
    }
    memcpy(to->bytes + to->used, data, size);
    to->used += size;
}

static void add_number(struct gatherer *to, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);

    add_bytes(to, &wire, sizeof(wire));
}

static void add_text(struct gatherer *to, const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;

    add_number(to, (int64_t)size);
    add_bytes(to, text, size);
}

static void add_purpose(struct gatherer *to, const struct ledger_event *event)
{
    add_number(to, event->purpose.platform);
    add_text(to, event->purpose.provider);
    add_text(to, event->purpose.action);
    add_text(to, event->purpose.reason);
    add_text(to, event->purpose.creator);
    add_text(to, event->purpose.user);
    add_text(to, event->purpose.tenant);
    add_text(to, event->endpoint);
    add_text(to, event->cooldown_key);
    add_number(to, event->is_scheduled);
}

static void add_call(struct gatherer *to, const struct ledger_event *event)
{
    add_number(to, event->has_call);
    if (!event->has_call)
        return;
    add_number(to, event->call.outcome);
    add_number(to, event->call.started_at_us);
    add_number(to, event->call.latency_us);
    add_number(to, event->call.http_status);
    add_text(to, event->call.detail);
}

static void add_event(struct gatherer *to, const struct ledger_event *event)
{
    add_bytes(to, event->op_id.bytes, OP_ID_SIZE);
    add_bytes(to, event->reservation_id.bytes, OP_ID_SIZE);
    add_bytes(to, event->body_hash, sizeof(event->body_hash));
    add_number(to, event->kind);
    add_text(to, event->meter);
    add_number(to, event->period_start_us);
    add_number(to, event->amount_milli);
    add_number(to, event->released_milli);
    add_number(to, event->overage_milli);
    add_number(to, event->at_us);
    add_number(to, event->expires_at_us);
    add_number(to, event->limit_version);
    add_purpose(to, event);
    add_text(to, event->actor);
    add_text(to, event->note);
    add_call(to, event);
}

static void add_limit(struct gatherer *to, const struct ledger_limit *limit)
{
    add_number(to, limit->version);
    add_number(to, limit->scope);
    add_text(to, limit->meter);
    add_text(to, limit->subject);
    add_number(to, limit->mode);
    add_number(to, limit->limit_milli);
    add_number(to, limit->anchor_day);
    add_number(to, limit->cooldown_ms);
    add_text(to, limit->thresholds);
    add_number(to, limit->removed);
    add_number(to, limit->set_at_us);
    add_text(to, limit->set_by);
    add_text(to, limit->reason);
}

void ledger_digest(uint8_t out[LEDGER_STORE_DIGEST_SIZE], int64_t at_us,
                   const struct ledger_event *events, size_t event_count,
                   const struct ledger_limit *limits, size_t limit_count)
{
    struct gatherer to = {.used = 0};

    crypto_hash_sha256_init(&to.hash);
    add_number(&to, at_us);
    add_number(&to, (int64_t)event_count);
    for (size_t i = 0; i < event_count; i++)
        add_event(&to, &events[i]);
    add_number(&to, (int64_t)limit_count);
    for (size_t i = 0; i < limit_count; i++)
        add_limit(&to, &limits[i]);
    flush(&to);
    crypto_hash_sha256_final(&to.hash, out);
}

void ledger_digest_chain(uint8_t out[LEDGER_STORE_DIGEST_SIZE], const uint8_t *former,
                         size_t former_size, int64_t epoch, int64_t batch,
                         const uint8_t digest[LEDGER_STORE_DIGEST_SIZE])
{
    struct gatherer to = {.used = 0};

    crypto_hash_sha256_init(&to.hash);
    add_bytes(&to, former, former_size);
    add_number(&to, epoch);
    add_number(&to, batch);
    add_bytes(&to, digest, LEDGER_STORE_DIGEST_SIZE);
    flush(&to);
    crypto_hash_sha256_final(&to.hash, out);
}
