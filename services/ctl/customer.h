/* Customer: makes one plausible event at a time for `generate`, and remembers recent orders so that returns, statuses
 * and feedback name orders that exist.
 *
 * Builds protobuf-c messages in the caller's arena; deterministic. One thread. Test: tests/unit/test_ctl_generate.c. */
#ifndef LOY_CTL_CUSTOMER_H
#define LOY_CTL_CUSTOMER_H

#include "base/arena.h"
#include "ctl/generate.h"
#include "ctl/rng.h"
#include "loyalty/v1/event.pb-c.h"

#include <stdint.h>

enum {
    LOY_BASKET_MAX = 8,         /* lines of a purchase, delivery not counted */
    LOY_RECENT_ORDERS = 4096,   /* that later events may name */
    LOY_EVENT_ROOM = 64 * 1024, /* of the arena: more than any event takes */
};

struct loy_recent_order {
    uint64_t number; /* 0: none */
    uint64_t member;
    uint32_t line_count;
    uint32_t returned; /* a bit a line: never returned twice */
    int64_t quantity_milli[LOY_BASKET_MAX];
    char sku[LOY_BASKET_MAX][12];
    bool online;
    bool over; /* cancelled or closed */
};

struct loy_customers {
    const struct loy_generate_options *options;
    struct loy_rng rng;
    uint64_t serial; /* of the event being made, from 1 */
    uint64_t order_count;
    struct loy_recent_order recent[LOY_RECENT_ORDERS];
};

/* One event of a member at a moment, everything in the arena; NULL when that has less room than
 * LOY_EVENT_ROOM. */
Loyalty__V1__Event *loy_customers_event(struct loy_customers *customers, int64_t moment_us, struct loy_arena *arena);
/* The same, a purchase of at least one line for certain. */
Loyalty__V1__Event *loy_customers_purchase(struct loy_customers *customers, int64_t moment_us, struct loy_arena *arena);

#endif
