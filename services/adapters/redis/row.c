#include "adapters/redis/row.h"

#include <string.h>

enum { FORMAT = 1, SUM_AT = 1, PLAIN_AT = 17, DIGEST_AT = PLAIN_AT + 24 };

static void put(char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (char)(value >> (8 * i));
    }
}

static uint64_t get(const char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)(uint8_t)at[i] << (8 * i);
    }
    return value;
}

/* Over everything behind it, and what the key says. */
static void sum(struct loy_str rest, struct loy_str member_id, int32_t incarnation, char ret_sum[16])
{
    char number[4];
    uint8_t sha256[32];
    put(number, (uint32_t)incarnation, sizeof number);
    struct loy_str parts[] = {member_id, {number, sizeof number}, rest};
    loy_sha256_parts(parts, sizeof parts / sizeof *parts, sha256);
    memcpy(ret_sum, sha256, 16);
}

void loy_redis_row_encode(const struct loy_member_row *row, int32_t incarnation, char *ret_bytes)
{
    ret_bytes[0] = FORMAT;
    char *plain = ret_bytes + PLAIN_AT;
    put(plain, (uint32_t)row->k, 4);
    put(plain + 4, (uint32_t)row->n, 4);
    put(plain + 8, (uint64_t)row->seq, 8);
    put(plain + 16, (uint64_t)row->version, 8);
    memcpy(ret_bytes + DIGEST_AT, row->digest.bytes, sizeof row->digest.bytes);
    if (row->state.len) {
        memcpy(ret_bytes + LOY_REDIS_ROW_HEAD, row->state.at, row->state.len);
    }
    struct loy_str rest = {plain, LOY_REDIS_ROW_HEAD - PLAIN_AT + row->state.len};
    sum(rest, row->member_id, incarnation, ret_bytes + SUM_AT);
}

bool loy_redis_row_decode(struct loy_str bytes, const struct loy_account_key *key, int32_t incarnation,
                          struct loy_member_row *ret_row)
{
    if (bytes.len < LOY_REDIS_ROW_HEAD || bytes.len > LOY_REDIS_ROW_MAX || bytes.at[0] != FORMAT) {
        return false;
    }
    const char *plain = bytes.at + PLAIN_AT;
    struct loy_member_row row = {
        .k = (int32_t)(uint32_t)get(plain, 4),
        .n = (int32_t)(uint32_t)get(plain + 4, 4),
        .member_id = key->member_id,
        .seq = (int64_t)get(plain + 8, 8),
        .version = (int64_t)get(plain + 16, 8),
        .state = {bytes.at + LOY_REDIS_ROW_HEAD, bytes.len - LOY_REDIS_ROW_HEAD},
    };
    memcpy(row.digest.bytes, bytes.at + DIGEST_AT, sizeof row.digest.bytes);
    char expected[16];
    sum((struct loy_str){plain, bytes.len - PLAIN_AT}, key->member_id, incarnation, expected);
    if (memcmp(expected, bytes.at + SUM_AT, sizeof expected) != 0 || row.k != key->k || row.n < 0 || row.seq < 0 ||
        row.version < 0) {
        return false;
    }
    *ret_row = row;
    return true;
}
