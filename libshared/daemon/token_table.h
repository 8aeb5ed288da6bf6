/*
 * token_table.h - the content of a tokens file, and look-up by hash. tokens.h has the form.
 */
#ifndef DAEMON_TOKEN_TABLE_H
#define DAEMON_TOKEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "daemon/token_text.h"
#include "rpc/identity.h"

#define TOKEN_TABLE_LINES_MAX 10000

struct token_entry {
    uint8_t hash[TOKEN_HASH_SIZE];
    char id[RPC_SUBJECT_SIZE];
    char subject[RPC_SUBJECT_SIZE];
    enum rpc_role role;
    int64_t expiry_unix; /* 0: never */
    size_t line;
};

/* Never changes once built, so any thread may read. */
struct token_table {
    struct token_entry *entries; /* sorted by hash */
    size_t count;
};

/* From a file. ST_INVALID names the line. *out is owned. */
MUST_USE enum status token_table_read(struct token_table **out, const char *path,
                                      struct error *err);
void token_table_free(struct token_table *table); /* accepts NULL */

/* The entry or NULL. The time taken says nothing about how much of a hash matched. */
const struct token_entry *token_table_find(const struct token_table *table,
                                           const uint8_t hash[TOKEN_HASH_SIZE]);

bool token_table_name_is_valid(const char *name);

#endif /* DAEMON_TOKEN_TABLE_H */
