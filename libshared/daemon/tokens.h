/*
 * tokens.h - opaque bearer tokens and the file that says what each may do.
 *
 * A token is "mct_" + 43 characters base64url of 256 random bits + 6 characters of
 * checksum (the low 30 bits of the CRC-32 of what precedes, base32 lower case, highest
 * bits first), so that a typing error is told from a stranger. The file holds hashes only,
 * a line each:
 *
 *     id sha256-hex role subject expiry
 *
 * `expiry` is unix seconds or "never"; '#' starts a comment. Ids and subjects are names
 * (tokens_name_is_valid); an id and a hash stand once. The hash is SHA-256 of the token's
 * whole text. Look-up is by hash and compared in constant time.
 */
#ifndef DAEMON_TOKENS_H
#define DAEMON_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "rpc/identity.h"

#define TOKENS_TEXT_SIZE 64 /* a token's text and its NUL fit */

struct tokens;

/* Read the file. Errors name the line (ST_INVALID). At most 10,000 lines. *out is owned. */
MUST_USE enum status tokens_open(struct tokens **out, const char *path, struct error *err);
/* Read it again; on failure the old content stays. Any thread. */
MUST_USE enum status tokens_reload(struct tokens *tokens, struct error *err);
void tokens_close(struct tokens *tokens); /* accepts NULL */
/* Tokens in the file as last read, expired ones too. Any thread. */
size_t tokens_count(struct tokens *tokens);

/*
 * rpc_authenticate with context = struct tokens *. Fills role, token_id and subject; user
 * stays empty. Never blocks for long. ST_UNAUTHENTICATED with the reason TOKEN_MALFORMED,
 * TOKEN_UNKNOWN or TOKEN_EXPIRED. Any thread.
 */
enum status tokens_authenticate(void *context, const uint8_t *bearer, size_t size,
                                struct rpc_identity *out, struct error *err);

/* 1 to 63 letters, digits and any of "._@:+-"; no secret part of a token. */
bool tokens_name_is_valid(const char *name);

#define TOKENS_LINE_SIZE 256 /* any line and its NUL fit */

/* A fresh token's text, and the line for the file (without newline, up to line_size). `id`
 * and `subject` are valid names. */
void tokens_make(char token[TOKENS_TEXT_SIZE], char *line, size_t line_size, const char *id,
                 enum rpc_role role, const char *subject,
                 int64_t expiry_unix); /* 0: never */

#endif /* DAEMON_TOKENS_H */
