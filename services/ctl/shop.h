/* Shop: what the invented retailer of `loyalctl generate` sells, where, and when people come.
 *
 * Constant data and pure functions of a random number; integers only, so that every machine makes the same stream.
 * Test: tests/unit/test_ctl_generate.c. */
#ifndef LOY_CTL_SHOP_H
#define LOY_CTL_SHOP_H

#include "ctl/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loy_shop_category {
    const char *id;
    const char *sku_prefix;
    uint32_t weight;              /* how often it is bought, against the others */
    uint32_t skus;                /* different articles */
    int64_t from_minor, to_minor; /* price of a piece or a kilogramme */
    bool weighed;
    bool gift_card;
    const char *label; /* NULL: none */
};

struct loy_shop_store {
    const char *id, *kind, *city, *region;
};

/* One article: its category and number there decide everything else of it. */
struct loy_shop_article {
    const struct loy_shop_category *category;
    uint32_t number;
    int64_t price_minor;
    const char *brand;
};

struct loy_shop_article loy_shop_pick_article(struct loy_rng *rng);
const struct loy_shop_store *loy_shop_pick_store(struct loy_rng *rng);
/* Stable names that activities carry ("check_in", …). */
const char *loy_shop_pick_activity(struct loy_rng *rng);
const char *loy_shop_city(uint64_t member);

/* How busy a day is, by weekday (0 = Monday) and month (1 to 12); about 100 on an average day. */
uint32_t loy_shop_day_weight(uint8_t weekday, uint8_t month);
/* The moment of the day (microseconds since midnight) before which `share` of 2^32 of the day's events happen:
 * rises with share, so ascending shares give ascending times. */
int64_t loy_shop_time_of_day_us(uint32_t share);

#endif
