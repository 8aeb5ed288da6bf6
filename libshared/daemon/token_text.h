/*
 * token_text.h - the text of a token: its form, its checksum and its hash.
 */
#ifndef DAEMON_TOKEN_TEXT_H
#define DAEMON_TOKEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_TEXT_LENGTH 53 /* "mct_" + 43 + 6 */
#define TOKEN_HASH_SIZE   32

/* Has it a token's length, prefix, letters and checksum? */
bool token_text_is_valid(const char *text, size_t size);

/* A fresh token from the kernel's random source, with its NUL. */
void token_text_make(char out[TOKEN_TEXT_LENGTH + 1]);

/* SHA-256 of the text. */
void token_text_hash(uint8_t out[TOKEN_HASH_SIZE], const char *text, size_t size);

#endif /* DAEMON_TOKEN_TEXT_H */
