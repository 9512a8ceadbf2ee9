/* The field `row` of a member's hash: one account as bytes.
 *
 * Byte 1 | 16 bytes of SHA-256 over the rest, the member id and the incarnation | k, n (4 bytes each), seq, version (8
 * each), little-endian | digest (16) | state. Bytes that were damaged, cut, or copied from under another key are told
 * by the sum. The digest travels as it is: whether it fits the account is for the worker to see, and whether it still
 * stands for the commit. Pure; any thread. Test: tests/unit/test_redis_row.c. */
#ifndef LOY_ADAPTERS_REDIS_ROW_H
#define LOY_ADAPTERS_REDIS_ROW_H

#include "ports/store.h"

enum {
    LOY_REDIS_ROW_HEAD = 1 + 16 + 4 + 4 + 8 + 8 + 16,
    LOY_REDIS_ROW_MAX = 16384, /* bytes of a row that is written or believed */
};

/* Writes LOY_REDIS_ROW_HEAD + row->state.len bytes. */
void loy_redis_row_encode(const struct loy_member_row *row, int32_t incarnation, char *ret_bytes);
/* False: not a row of this key. ret_row->state points into bytes, member_id into key. */
LOY_MUST_USE bool loy_redis_row_decode(struct loy_str bytes, const struct loy_account_key *key, int32_t incarnation,
                                       struct loy_member_row *ret_row);

#endif
