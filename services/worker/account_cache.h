/* Account cache: member rows that this thread wrote or read lately, so that a regular customer costs no query.
 *
 * Oldest first out, but for what was asked for meanwhile; bounded in bytes. Never trusted: the commit compares seq and
 * digest. One thread. Test: tests/unit/test_worker_account_cache.c, tests/unit/test_worker.c, tests/sim/. */
#ifndef LOY_WORKER_ACCOUNT_CACHE_H
#define LOY_WORKER_ACCOUNT_CACHE_H

#include "ports/store.h"

struct loy_account_cache;

/* NULL when memory is short. */
struct loy_account_cache *loy_account_cache_new(size_t bytes_max);
void loy_account_cache_destroy(struct loy_account_cache *cache);

/* hash: loy_murmur2 of the member's id. */

/* A row borrowed until the next put; false when it is not there. */
bool loy_account_cache_get(struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash,
                           struct loy_member_row *ret_row);
/* Begins to bring near what a get or put of that member will read: its place (step 0), its entry (1), the rest (2).
 * Ask some members ahead, as many between the steps: far memory takes as long as a hundred instructions. */
void loy_account_cache_expect(const struct loy_account_cache *cache, uint32_t hash, int step);
enum { LOY_ACCOUNT_CACHE_STEPS = 3 };
/* Copies the row in, in place of what stands there. Drops others, and itself when it is too large. */
void loy_account_cache_put(struct loy_account_cache *cache, const struct loy_member_row *row, uint32_t hash);
void loy_account_cache_drop(struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash);
void loy_account_cache_drop_all(struct loy_account_cache *cache);

#endif
