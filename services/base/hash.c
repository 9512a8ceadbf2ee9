#include "base/hash.h"

#include <nettle/sha2.h>
#include <string.h>

/* Small parts are gathered first: nettle would copy each of them to and fro at the borders of its blocks. */
void loy_sha256_parts(const struct loy_str *parts, size_t count, uint8_t ret_sha256[32])
{
    enum { GATHERED = 1024, LENGTH = 8 };
    struct sha256_ctx ctx;
    uint8_t gathered[GATHERED];
    size_t used = 0;
    sha256_init(&ctx);
    for (size_t i = 0; i < count; i++) {
        if (used + LENGTH + parts[i].len > GATHERED) {
            sha256_update(&ctx, used, gathered);
            used = 0;
        }
        for (int b = 0; b < LENGTH; b++) {
            gathered[used++] = (uint8_t)((uint64_t)parts[i].len >> (8 * b));
        }
        if (used + parts[i].len > GATHERED) {
            sha256_update(&ctx, used, gathered);
            sha256_update(&ctx, parts[i].len, (const uint8_t *)parts[i].at);
            used = 0;
        } else if (parts[i].len) {
            memcpy(gathered + used, parts[i].at, parts[i].len);
            used += parts[i].len;
        }
    }
    sha256_update(&ctx, used, gathered);
    sha256_digest(&ctx, 32, ret_sha256);
}

struct loy_digest loy_digest_of(struct loy_str bytes)
{
    struct sha256_ctx ctx;
    struct loy_digest digest;
    sha256_init(&ctx);
    sha256_update(&ctx, bytes.len, (const uint8_t *)bytes.at);
    sha256_digest(&ctx, sizeof digest.bytes, digest.bytes);
    return digest;
}

static uint32_t load_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t loy_murmur2(struct loy_str key)
{
    const uint32_t m = 0x5bd1e995;
    const uint8_t *bytes = (const uint8_t *)key.at;
    size_t left = key.len;
    uint32_t h = 0x9747b28c ^ (uint32_t)key.len;
    for (; left >= 4; bytes += 4, left -= 4) {
        uint32_t k = load_le32(bytes) * m;
        k ^= k >> 24;
        h = (h * m) ^ (k * m);
    }
    if (left >= 3) {
        h ^= (uint32_t)bytes[2] << 16;
    }
    if (left >= 2) {
        h ^= (uint32_t)bytes[1] << 8;
    }
    if (left >= 1) {
        h = (h ^ bytes[0]) * m;
    }
    h = (h ^ (h >> 13)) * m;
    return h ^ (h >> 15);
}

int32_t loy_partition_of_hash(uint32_t hash, int32_t partitions)
{
    return (int32_t)((hash & 0x7fffffffU) % (uint32_t)partitions);
}

int32_t loy_partition_of(struct loy_str key, int32_t partitions)
{
    return loy_partition_of_hash(loy_murmur2(key), partitions);
}
