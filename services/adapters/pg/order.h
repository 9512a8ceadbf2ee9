/* Order: rows of a commit in the order of their keys, so that PostgreSQL finds neighbours side by side.
 *
 * A merge of keys that stand in the array itself: qsort with a function that follows two pointers took four times as
 * long. Pure; any thread. Test: tests/unit/test_pg_order.c. */
#ifndef LOY_ADAPTERS_PG_ORDER_H
#define LOY_ADAPTERS_PG_ORDER_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loy_pg_place {
    uint64_t key; /* k and n */
    uint64_t tie; /* among rows of one account */
    const void *row;
};

static inline uint64_t loy_pg_place_key(int32_t k, int32_t n)
{
    return (uint64_t)(uint32_t)k << 32 | (uint32_t)n;
}

/* Sorts by key, then tie; equal ones stay as they came. False when the arena is full: it takes as much again. */
LOY_MUST_USE bool loy_pg_order(struct loy_pg_place *places, uint32_t count, struct loy_arena *arena);

#endif
