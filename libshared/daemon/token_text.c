#include "daemon/token_text.h"

#include <sodium.h>
#include <string.h>
#include <zlib.h>

#include "core/rng.h"

#define PREFIX          "mct_"
#define PREFIX_LENGTH   4
#define RANDOM_BYTES    32
#define RANDOM_LENGTH   43 /* base64url without padding */
#define CHECKSUM_LENGTH 6
#define CHECKED_LENGTH  (PREFIX_LENGTH + RANDOM_LENGTH)

_Static_assert(CHECKED_LENGTH + CHECKSUM_LENGTH == TOKEN_TEXT_LENGTH, "parts of a token");
_Static_assert(TOKEN_HASH_SIZE == crypto_hash_sha256_BYTES, "SHA-256");

static bool is_base64url(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

static void make_checksum(char out[CHECKSUM_LENGTH], const char *checked)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned long crc = crc32(0, (const Bytef *)checked, CHECKED_LENGTH);

    for (size_t i = CHECKSUM_LENGTH; i > 0; i--) {
        out[i - 1] = digits[crc & 31];
        crc >>= 5;
    }
}

bool token_text_is_valid(const char *text, size_t size)
{
    char checksum[CHECKSUM_LENGTH];

    if (size != TOKEN_TEXT_LENGTH || memcmp(text, PREFIX, PREFIX_LENGTH) != 0)
        return false;
    for (size_t i = PREFIX_LENGTH; i < CHECKED_LENGTH; i++) {
        if (!is_base64url(text[i]))
            return false;
    }
    make_checksum(checksum, text);
    return memcmp(checksum, text + CHECKED_LENGTH, CHECKSUM_LENGTH) == 0;
}

void token_text_make(char out[TOKEN_TEXT_LENGTH + 1])
{
    uint8_t random[RANDOM_BYTES];

    rng_system_bytes(random, sizeof random);
    memcpy(out, PREFIX, PREFIX_LENGTH);
    sodium_bin2base64(out + PREFIX_LENGTH, RANDOM_LENGTH + 1, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    make_checksum(out + CHECKED_LENGTH, out);
    out[TOKEN_TEXT_LENGTH] = '\0';
    sodium_memzero(random, sizeof random);
}

void token_text_hash(uint8_t out[TOKEN_HASH_SIZE], const char *text, size_t size)
{
    crypto_hash_sha256(out, (const unsigned char *)text, size);
}
