/* What stands in Redis under a member's key: the JSON that other services read, and in its last field the account.
 *
 * {"member_id":…, … ,"loyald":"text"}: one string, so that a member is one command. The text is base64 without
 * padding of byte 3 | 8 bytes of check over the rest, the member id and the incarnation | 2 zeros | k, n (4 bytes
 * each), seq, version (8 each), little-endian | digest (16) | state. Bytes that were damaged, cut, or copied from under
 * another key are told by the check, which is no defence: whether the digest, a SHA-256, fits the account is for the
 * worker to see, and whether it still stands for the commit. Pure; any thread. Test: tests/unit/test_redis_row.c. */
#ifndef LOY_ADAPTERS_REDIS_ROW_H
#define LOY_ADAPTERS_REDIS_ROW_H

#include "base/arena.h"
#include "ports/store.h"

enum {
    LOY_REDIS_ROW_HEAD = 1 + 8 + 2 + 4 + 4 + 8 + 8 + 16,
    LOY_REDIS_ROW_MAX = 16384,  /* bytes of a row that is written or believed, head and state */
    LOY_REDIS_JSON_MAX = 16384, /* bytes of the JSON before it */
};

/* True when there is a value for it: row and JSON are not too large, and the JSON is an object that has fields. */
LOY_MUST_USE bool loy_redis_row_fits(const struct loy_member_row *row, struct loy_str json);
/* The length of what encode writes for a row that fits. */
size_t loy_redis_row_length(const struct loy_member_row *row, struct loy_str json);
/* Writes that many bytes. */
void loy_redis_row_encode(const struct loy_member_row *row, struct loy_str json, int32_t incarnation, char *ret_bytes);
/* False: has not a row of this key, or there is no memory. ret_row->state lies in the arena, member_id in key. */
LOY_MUST_USE bool loy_redis_row_decode(struct loy_str value, const struct loy_account_key *key, int32_t incarnation,
                                       struct loy_arena *arena, struct loy_member_row *ret_row);

#endif
