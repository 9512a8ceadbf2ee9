/* Hashes: SHA-256 (nettle's) for identities and digests, murmur2 for Kafka's partitions and for hash tables.
 *
 * Pure; any thread. Test: tests/unit/test_base.c. */
#ifndef LOY_BASE_HASH_H
#define LOY_BASE_HASH_H

#include "base/str.h"

#include <stdint.h>

/* The first 16 bytes of a SHA-256. */
struct loy_digest {
    uint8_t bytes[16];
};

/* SHA-256 over the parts, each preceded by its length as 8 bytes little-endian, so that no two lists of parts give the
 * same bytes. */
void loy_sha256_parts(const struct loy_str *parts, size_t count, uint8_t ret_sha256[32]);
/* First 16 bytes of the plain SHA-256 of one text. */
struct loy_digest loy_digest_of(struct loy_str bytes);

/* MurmurHash2 with Kafka's seed, as Apache Kafka's Utils.murmur2 and librdkafka's murmur2 partitioner. */
uint32_t loy_murmur2(struct loy_str key);
/* The partition of a key among `partitions`: (murmur2 & 0x7fffffff) mod partitions, as Java clients place it. */
int32_t loy_partition_of(struct loy_str key, int32_t partitions);
/* The same where loy_murmur2 of the key is known. */
int32_t loy_partition_of_hash(uint32_t hash, int32_t partitions);

/* The place of a key with that murmur2 in a table of mask + 1 places, a power of two. Not hash & mask: the keys of one
 * partition are alike in just those bits, and would crowd into a share of the places. */
static inline uint32_t loy_hash_place(uint32_t hash, uint32_t mask)
{
    return (uint32_t)((hash * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & mask;
}

#endif
