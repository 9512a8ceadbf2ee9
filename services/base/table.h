/* Table: an index from text keys to ints, in an arena. For the accounts and the identities of one batch.
 *
 * Open addressing, fixed capacity chosen at init. Keys are borrowed. Pure; one thread. Test: tests/unit/test_base.c.
 */
#ifndef LOY_BASE_TABLE_H
#define LOY_BASE_TABLE_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>

struct loy_table_slot {
    struct loy_str key;
    uint32_t hash;
    int32_t value; /* -1: empty */
};

struct loy_table {
    struct loy_table_slot *slots;
    uint32_t mask;
    uint32_t used;
    uint32_t capacity; /* keys, not slots */
};

/* Room for `capacity` keys; false when the arena is full. */
LOY_MUST_USE bool loy_table_init(struct loy_table *table, struct loy_arena *arena, uint32_t capacity);
/* The value stored under key, or -1. */
int32_t loy_table_find(const struct loy_table *table, struct loy_str key);
/* Stores value (≥ 0) unless the key is there already; returns the value that stands there now. */
int32_t loy_table_put(struct loy_table *table, struct loy_str key, int32_t value);
/* The same where loy_murmur2 of the key is known. */
int32_t loy_table_put_hashed(struct loy_table *table, struct loy_str key, uint32_t hash, int32_t value);

#endif
