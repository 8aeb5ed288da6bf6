#include "body_hash.h"

#include <sodium.h>
#include <string.h>

static void add_u64(crypto_hash_sha256_state *hash, uint64_t value)
{
    unsigned char bytes[8];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    crypto_hash_sha256_update(hash, bytes, sizeof(bytes));
}

static void add_bytes(crypto_hash_sha256_state *hash, const void *data, size_t size)
{
    add_u64(hash, size);
    crypto_hash_sha256_update(hash, data, size);
}

static void add_text(crypto_hash_sha256_state *hash, const char *text)
{
    add_bytes(hash, text, strlen(text));
}

/* The purpose as it was packed before flags and the cooldown key stood in it: hashes of then
 * are in the ledger. */
static void add_purpose(crypto_hash_sha256_state *hash, const struct purpose *purpose)
{
    const char *key;
    size_t key_size = purpose_text(purpose, PURPOSE_cooldown_key, &key);
    unsigned char platform = (unsigned char)purpose_platform(purpose);
    size_t size = purpose->size - key_size - 1;

    add_u64(hash, size);
    crypto_hash_sha256_update(hash, &platform, 1);
    crypto_hash_sha256_update(hash, purpose->bytes + 1, size - 1);
    add_bytes(hash, key, key_size);
    add_u64(hash, !purpose_has(purpose, PURPOSE_SCHEDULED));
    if (purpose_has(purpose, PURPOSE_SHEDDABLE))
        add_u64(hash, PURPOSE_SHEDDABLE);
}

static void add_reserve(crypto_hash_sha256_state *hash, const struct quota_op *op,
                        uint64_t asked_hold_ms)
{
    add_text(hash, METERS[op->meter].name); /* numbers may move, names never */
    add_u64(hash, asked_hold_ms);
    add_purpose(hash, &op->purpose);
}

static void add_close(crypto_hash_sha256_state *hash, const struct quota_op *op)
{
    add_bytes(hash, op->reservation_id.bytes, OP_ID_SIZE);
    add_u64(hash, op->call.outcome);
    add_u64(hash, op->call.http_status);
    add_u64(hash, (uint64_t)op->call.started_at_us);
    add_u64(hash, op->call.latency_us);
    add_text(hash, op->call.detail);
}

static void add_admin(crypto_hash_sha256_state *hash, const struct quota_op *op)
{
    if (op->kind == QUOTA_ADJUST)
        add_text(hash, METERS[op->meter].name);
    else
        add_bytes(hash, op->reservation_id.bytes, OP_ID_SIZE);
    add_text(hash, op->actor);
    add_text(hash, op->note);
}

void body_hash_set(struct quota_op *op, uint64_t asked_hold_ms)
{
    crypto_hash_sha256_state hash;
    unsigned char digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256_init(&hash);
    add_u64(&hash, (uint64_t)op->kind);
    add_u64(&hash, (uint64_t)op->amount_milli);
    if (op->kind == QUOTA_RESERVE)
        add_reserve(&hash, op, asked_hold_ms);
    else if (op->kind == QUOTA_SETTLE || op->kind == QUOTA_VOID)
        add_close(&hash, op);
    else
        add_admin(&hash, op);
    crypto_hash_sha256_final(&hash, digest);
    memcpy(op->body_hash, digest, sizeof(op->body_hash));
}
