#include "support/programmes.h"

#define DAYS(n) ((n)*LOY_US_PER_DAY)
#define MINUTES(n) ((n)*60 * LOY_US_PER_SECOND)

static const struct loy_wallet held_wallets[] = {{.id = {"points", 6}, .pending.us = DAYS(14)}};
static const struct loy_wallet plain_wallets[] = {{.id = {"points", 6}}};

static const struct loy_str not_earning[] = {{"tobacco", 7}, {"gift_card", 9}};
static const struct loy_str service_codes[] = {{"POST", 4}, {"D", 1},    {"M", 1},    {"BANK CHARGES", 12},
                                               {"DOT", 3},  {"CRUK", 4}, {"PADS", 4}, {"C2", 2}};

/* 10 points for each full 100.00 of an order of at least 50.00, without tobacco and gift cards */
static const struct loy_rule shop_rules[] = {
    {.number = 1,
     .id = {"base", 4},
     .title = {"Points for your purchase", 24},
     .trigger = LOY_EVENT_PURCHASE,
     .lines = {.except_categories = {not_earning, 2}},
     .minimum_minor = 5000,
     .reward = {.kind = LOY_REWARD_PER_AMOUNT, .points = 10, .per = 10000}},
};

/* amounts in thousandths of a pound: 10 points per 100, shared */
static const struct loy_rule prorata_rules[] = {
    {.number = 1,
     .id = {"base", 4},
     .title = {"Points", 6},
     .trigger = LOY_EVENT_PURCHASE,
     .reward = {.kind = LOY_REWARD_PER_AMOUNT, .points = 10, .per = 100000, .prorata = true}},
};

static const struct loy_rule full_steps_rules[] = {
    {.number = 1,
     .id = {"base", 4},
     .title = {"Points", 6},
     .trigger = LOY_EVENT_PURCHASE,
     .reward = {.kind = LOY_REWARD_PER_AMOUNT, .points = 10, .per = 100000}},
};

static const struct loy_rule without_services_rules[] = {
    {.number = 1,
     .id = {"base", 4},
     .title = {"Points", 6},
     .trigger = LOY_EVENT_PURCHASE,
     .lines = {.except_skus = {service_codes, 8}},
     .reward = {.kind = LOY_REWARD_PER_AMOUNT, .points = 10, .per = 100000, .prorata = true}},
};

#define RETAIL(name, rules_)                                                                                           \
    {                                                                                                                  \
        .id = {name, sizeof name - 1}, .revision = 1, .from_us = INT64_MIN, .currency = {"GBP", 3},                    \
        .currency_digits = 3, .wallets = plain_wallets, .wallet_count = 1, .rules = rules_, .rule_count = 1,           \
        .late.us = DAYS(30), .early.us = MINUTES(5)                                                                    \
    }

static const struct loy_programme programmes[] = {
    {.id = {"shop", 4},
     .revision = 1,
     .from_us = INT64_MIN,
     .currency = {"RUB", 3},
     .currency_digits = 2,
     .wallets = held_wallets,
     .wallet_count = 1,
     .rules = shop_rules,
     .rule_count = 1,
     .late.us = DAYS(30),
     .early.us = MINUTES(5)},
    RETAIL("retail_prorata", prorata_rules),
    RETAIL("retail_full_steps", full_steps_rules),
    RETAIL("retail_without_services", without_services_rules),
};

enum { PROGRAMME_COUNT = sizeof programmes / sizeof programmes[0] };

const struct loy_programme *test_programme(const char *id)
{
    for (uint32_t i = 0; i < PROGRAMME_COUNT; i++) {
        if (loy_str_equal(programmes[i].id, loy_str(id))) {
            return &programmes[i];
        }
    }
    return NULL;
}
