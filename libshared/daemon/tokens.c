#include "daemon/tokens.h"

#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/parse.h"
#include "daemon/token_table.h"
#include "daemon/token_text.h"

_Static_assert(TOKENS_TEXT_SIZE > TOKEN_TEXT_LENGTH, "a token's text fits");

struct tokens {
    char *path;
    pthread_rwlock_t lock;     /* guards `table`, the pointer */
    struct token_table *table; /* replaced whole on reload */
};

static void must(int error_number)
{
    if (error_number != 0)
        log_abort("tokens lock", error_number);
}

static void start_sodium(void)
{
    if (sodium_init() < 0)
        log_abort("libsodium does not start", 0);
}

enum status tokens_open(struct tokens **out, const char *path, struct error *err)
{
    struct token_table *table;

    start_sodium();

    enum status status = token_table_read(&table, path, err);

    if (status != ST_OK)
        return status;

    struct tokens *tokens = mem_alloc(sizeof *tokens);

    tokens->path = mem_strdup(path);
    tokens->table = table;
    must(pthread_rwlock_init(&tokens->lock, NULL));
    *out = tokens;
    return ST_OK;
}

enum status tokens_reload(struct tokens *tokens, struct error *err)
{
    struct token_table *fresh;
    enum status status = token_table_read(&fresh, tokens->path, err);

    if (status != ST_OK)
        return status;

    must(pthread_rwlock_wrlock(&tokens->lock));

    struct token_table *former = tokens->table;

    tokens->table = fresh;
    must(pthread_rwlock_unlock(&tokens->lock));
    token_table_free(former);
    return ST_OK;
}

void tokens_close(struct tokens *tokens)
{
    if (tokens == NULL)
        return;
    must(pthread_rwlock_destroy(&tokens->lock));
    token_table_free(tokens->table);
    mem_free(tokens->path);
    mem_free(tokens);
}

size_t tokens_count(struct tokens *tokens)
{
    must(pthread_rwlock_rdlock(&tokens->lock));

    size_t count = tokens->table->count;

    must(pthread_rwlock_unlock(&tokens->lock));
    return count;
}

bool tokens_name_is_valid(const char *name)
{
    return token_table_name_is_valid(name);
}

static bool find_entry(struct tokens *tokens, const uint8_t hash[TOKEN_HASH_SIZE],
                       struct token_entry *out)
{
    must(pthread_rwlock_rdlock(&tokens->lock));

    const struct token_entry *entry = token_table_find(tokens->table, hash);

    if (entry != NULL)
        *out = *entry;
    must(pthread_rwlock_unlock(&tokens->lock));
    return entry != NULL;
}

static enum status refuse(struct error *err, const char *reason, const char *message)
{
    error_set(err, ST_UNAUTHENTICATED, "%s", message);
    return error_reason(err, reason);
}

enum status tokens_authenticate(void *context, const uint8_t *bearer, size_t size,
                                struct rpc_identity *out, struct error *err)
{
    struct tokens *tokens = context;
    struct token_entry entry;
    uint8_t hash[TOKEN_HASH_SIZE];

    if (!token_text_is_valid((const char *)bearer, size))
        return refuse(err, "TOKEN_MALFORMED",
                      "the credential is no token: mistyped, or not whole");
    token_text_hash(hash, (const char *)bearer, size);
    if (!find_entry(tokens, hash, &entry))
        return refuse(err, "TOKEN_UNKNOWN", "the token is not known here");
    if (entry.expiry_unix != 0 &&
        clock_wall_us() / CLOCK_US_PER_SECOND >= entry.expiry_unix)
        return refuse(err, "TOKEN_EXPIRED", "the token has expired");

    struct rpc_identity identity = {.role = entry.role};

    memcpy(identity.token_id, entry.id, sizeof identity.token_id);
    memcpy(identity.subject, entry.subject, sizeof identity.subject);
    *out = identity;
    return ST_OK;
}

void tokens_make(char token[TOKENS_TEXT_SIZE], char *line, size_t line_size, const char *id,
                 enum rpc_role role, const char *subject, int64_t expiry_unix)
{
    uint8_t hash[TOKEN_HASH_SIZE];
    char hex[2 * TOKEN_HASH_SIZE + 1];
    char expiry[24] = "never";

    start_sodium();
    token_text_make(token);
    token_text_hash(hash, token, TOKEN_TEXT_LENGTH);
    parse_format_hex(hex, hash, sizeof hash);
    if (expiry_unix != 0)
        snprintf(expiry, sizeof expiry, "%" PRId64, expiry_unix);
    snprintf(line, line_size, "%s %s %s %s %s", id, hex, rpc_role_name(role), subject,
             expiry);
}
