/*
 * tokens.h - opaque bearer tokens and the file that says what each may do.
 *
 * A token is "mct_" + 43 characters base64url of 256 random bits + 6 characters of
 * checksum (CRC-32 of what precedes, base32 lower case), so that a typing error is told from a
 * stranger. The file holds hashes only, a line each:
 *
 *     id sha256-hex role subject expiry
 *
 * `expiry` is unix seconds or "never"; '#' starts a comment. Look-up is by SHA-256 and
 * compared in constant time.
 */
#ifndef DAEMON_TOKENS_H
#define DAEMON_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "rpc/identity.h"

#define TOKENS_TEXT_SIZE 64 /* a token's text and its NUL fit */

struct tokens;

/* Read the file. Errors name the line. At most 10,000 lines. *out is owned. */
MUST_USE enum status tokens_open(struct tokens **out, const char *path, struct error *err);
/* Read it again; on failure the old content stays. Any thread. */
MUST_USE enum status tokens_reload(struct tokens *tokens, struct error *err);
void tokens_close(struct tokens *tokens);

/* rpc_authenticate with context = struct tokens *. Never blocks for long. */
enum status tokens_authenticate(void *context, const uint8_t *bearer, size_t size,
                                struct rpc_identity *out, struct error *err);

/* A fresh token's text, and the line for the file (without newline, up to line_size). */
void tokens_make(char token[TOKENS_TEXT_SIZE], char *line, size_t line_size,
                 const char *id, enum rpc_role role, const char *subject,
                 int64_t expiry_unix); /* 0: never */

#endif /* DAEMON_TOKENS_H */
