/*
 * siphash.h - SipHash-2-4, a keyed hash for tables whose keys a peer chooses.
 */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash_bytes(const uint64_t key[2], const void *data, size_t size);

#endif /* CORE_SIPHASH_H */
