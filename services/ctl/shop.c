#include "ctl/shop.h"

#include "base/calendar.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* id, sku prefix, weight, articles, from, to, weighed, gift card, label */
static const struct loy_shop_category categories[] = {
    {"grocery", "GRO", 26, 400, 3990, 49990, false, false, NULL},
    {"dairy", "DAI", 16, 120, 4990, 39990, false, false, "own_brand"},
    {"bakery", "BAK", 14, 80, 2500, 24990, false, false, "fresh"},
    {"produce", "PRO", 14, 90, 3990, 59990, true, false, "fresh"},
    {"coffee", "COF", 7, 40, 29990, 189990, false, false, NULL},
    {"tobacco", "TOB", 5, 30, 14900, 32000, false, false, NULL},
    {"household", "HOU", 7, 150, 7990, 129990, false, false, "own_brand"},
    {"cosmetics", "COS", 5, 200, 14990, 349990, false, false, NULL},
    {"electronics", "ELE", 3, 60, 99000, 4999000, false, false, NULL},
    {"gift_card", "GIF", 2, 4, 100000, 500000, false, true, NULL},
    {"clothing", "CLO", 1, 160, 49990, 999990, false, false, "seasonal"},
};

static const char *const brands[] = {"Malina", "Severny", "Polyana", "Taiga", "Nordlicht", "Casa Verde", "Ostrov"};

static const struct loy_shop_store stores[] = {
    {"s01", "hypermarket", "Moscow", "Moscow"},   {"s02", "corner", "Moscow", "Moscow"},
    {"s03", "corner", "Khimki", "Moscow Oblast"}, {"s04", "hypermarket", "Kazan", "Tatarstan"},
    {"s05", "corner", "Kazan", "Tatarstan"},      {"s06", "hypermarket", "Perm", "Perm Krai"},
    {"s07", "corner", "Tomsk", "Tomsk Oblast"},   {"s08", "outlet", "Tula", "Tula Oblast"},
};

static const char *const activities[] = {"check_in",       "daily_login",     "app_install",      "social_share",
                                         "content_viewed", "ticket_resolved", "profile_completed"};

/* Monday first: the week rises to Saturday. December and the sales of June and November are busier. */
static const uint32_t weekday_weight[7] = {84, 80, 84, 92, 118, 142, 100};
static const uint32_t month_weight[12] = {88, 90, 97, 98, 100, 104, 94, 95, 98, 101, 108, 127};

/* Out of 1,000 events of a day: closed at night but for the web shop, peaks at noon and after work. */
static const uint32_t hour_weight[24] = {4,  2,  1,  1,  2,  6,  14, 30, 48, 56, 62, 66,
                                         74, 66, 58, 58, 64, 84, 96, 84, 58, 36, 20, 10};

/* Any fixed scrambling will do: an article's price never changes. */
static uint64_t scramble(uint64_t value)
{
    struct loy_rng rng = {value * UINT64_C(0xd6e8feb86659fd93)};
    return loy_rng_next(&rng);
}

struct loy_shop_article loy_shop_pick_article(struct loy_rng *rng)
{
    uint32_t total = 0;
    for (size_t i = 0; i < COUNT(categories); i++) {
        total += categories[i].weight;
    }
    uint32_t at = (uint32_t)loy_rng_below(rng, total);
    size_t i = 0;
    while (at >= categories[i].weight) {
        at -= categories[i++].weight;
    }
    const struct loy_shop_category *category = &categories[i];
    uint32_t number = (uint32_t)loy_rng_below(rng, category->skus) + 1;
    uint64_t fixed = scramble(i * 10000 + number);
    int64_t range = category->to_minor - category->from_minor;
    /* The square of a share: cheap articles are more common than dear ones. */
    int64_t share = (int64_t)(fixed % 1001);
    int64_t price = category->from_minor + range * share / 1000 * share / 1000;
    if (category->gift_card) {
        price = category->from_minor * (int64_t)number;
    } else {
        price -= price % 10;
    }
    return (struct loy_shop_article){
        .category = category,
        .number = number,
        .price_minor = price,
        .brand = category->gift_card ? NULL : brands[(fixed >> 32) % COUNT(brands)],
    };
}

const struct loy_shop_store *loy_shop_pick_store(struct loy_rng *rng)
{
    return &stores[loy_rng_below(rng, COUNT(stores))];
}

const char *loy_shop_pick_activity(struct loy_rng *rng)
{
    return activities[loy_rng_below(rng, COUNT(activities))];
}

const char *loy_shop_city(uint64_t member)
{
    return stores[scramble(member) % COUNT(stores)].city;
}

uint32_t loy_shop_day_weight(uint8_t weekday, uint8_t month)
{
    return weekday_weight[weekday] * month_weight[month - 1] / 100;
}

int64_t loy_shop_time_of_day_us(uint32_t share)
{
    uint64_t total = 0;
    for (size_t hour = 0; hour < COUNT(hour_weight); hour++) {
        total += hour_weight[hour];
    }
    uint64_t at = (uint64_t)share * total; /* in 2^-32 of a weight */
    size_t hour = 0;
    while (at >= (uint64_t)hour_weight[hour] << 32) {
        at -= (uint64_t)hour_weight[hour++] << 32;
    }
    int64_t within = (int64_t)((unsigned __int128)at * 3600000 / ((uint64_t)hour_weight[hour] << 32));
    return ((int64_t)hour * 3600000 + within) * 1000; /* whole milliseconds */
}
