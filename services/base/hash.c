#include "base/hash.h"

#include <endian.h>
#include <nettle/sha2.h>
#include <string.h>

enum { GATHERED = 1024, LENGTH = 8, BLOCK = 64 };

/* `used` gathered bytes are all there is, and behind them lies room for what SHA-256 appends. Appended here, all of it
 * is whole blocks that nettle takes as they lie; its own way of ending copies the last of them, and every word twice.
 */
static void digest_gathered(uint8_t *gathered, size_t used, uint8_t ret_sha256[32])
{
    struct sha256_ctx ctx;
    size_t end = (used + 1 + LENGTH + BLOCK - 1) / BLOCK * BLOCK;
    uint64_t bits = htobe64((uint64_t)used * 8);
    gathered[used] = 0x80;
    memset(gathered + used + 1, 0, end - LENGTH - used - 1);
    memcpy(gathered + end - LENGTH, &bits, LENGTH);
    sha256_init(&ctx);
    sha256_update(&ctx, end, gathered);
    for (size_t i = 0; i < 8; i++) {
        uint32_t word = htobe32(ctx.state[i]);
        memcpy(ret_sha256 + i * sizeof word, &word, sizeof word);
    }
}

static uint8_t *put_length(uint8_t *at, size_t length)
{
    uint64_t little = htole64((uint64_t)length);
    memcpy(at, &little, LENGTH);
    return at + LENGTH;
}

/* Parts that are too large to be gathered. */
static void digest_large(const struct loy_str *parts, size_t count, uint8_t ret_sha256[32])
{
    struct sha256_ctx ctx;
    uint8_t length[LENGTH];
    sha256_init(&ctx);
    for (size_t i = 0; i < count; i++) {
        (void)put_length(length, parts[i].len);
        sha256_update(&ctx, LENGTH, length);
        sha256_update(&ctx, parts[i].len, (const uint8_t *)parts[i].at);
    }
    sha256_digest(&ctx, 32, ret_sha256);
}

/* Parts are gathered first: nettle would copy each of them to and fro at the borders of its blocks. */
void loy_sha256_parts(const struct loy_str *parts, size_t count, uint8_t ret_sha256[32])
{
    uint8_t gathered[GATHERED + BLOCK + LENGTH];
    uint8_t *at = gathered;
    for (size_t i = 0; i < count; i++) {
        size_t left = GATHERED - (size_t)(at - gathered);
        if (left < LENGTH || parts[i].len > left - LENGTH) {
            digest_large(parts, count, ret_sha256);
            return;
        }
        at = put_length(at, parts[i].len);
        if (parts[i].len) {
            memcpy(at, parts[i].at, parts[i].len);
            at += parts[i].len;
        }
    }
    digest_gathered(gathered, (size_t)(at - gathered), ret_sha256);
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
