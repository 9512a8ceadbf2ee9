/* Programme: one revision of the rules, compiled. Immutable, shared by threads; whoever fills it owns its memory.
 *
 * Numbers of wallets and rules are those of the dictionary table: stable across revisions. Pure data. */
#ifndef LOY_ENGINE_PROGRAMME_H
#define LOY_ENGINE_PROGRAMME_H

#include "base/calendar.h"
#include "base/num.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOY_ENGINE_VERSION = 1 }; /* raised when the same programme, state and event would be decided otherwise */
enum { LOY_WALLETS_MAX = 8 };

struct loy_wallet {
    struct loy_str id;
    int64_t pending_us;      /* how long an accrual stays pending; 0: available at once */
    int64_t expire_after_us; /* from occurred_at; 0: never */
};

/* A standing earning rule on purchases: `points` for each `per_minor` of the order's eligible total. */
struct loy_earning_rule {
    int32_t number; /* in the dictionary */
    struct loy_str id;
    struct loy_str title;
    uint16_t wallet;
    int64_t points;
    int64_t per_minor;
    bool prorata;               /* false: full steps only */
    enum loy_rounding rounding; /* of the pro rata share */
    int64_t minimum_minor;      /* an eligible total below it earns nothing */
    const struct loy_str *except_skus;
    uint32_t except_sku_count;
    const struct loy_str *except_categories;
    uint32_t except_category_count;
};

struct loy_programme {
    struct loy_str id;
    int32_t revision;
    int64_t from_us;
    struct loy_str currency; /* ISO 4217 */
    int32_t currency_digits; /* decimals of a minor unit: 2 for kopecks and pence */
    const struct loy_zone *zone;
    const struct loy_wallet *wallets;
    uint16_t wallet_count; /* 1 to LOY_WALLETS_MAX */
    const struct loy_earning_rule *rules;
    uint32_t rule_count;
    /* What is accepted as occurred_at, around the arrival; beyond, the event is judged as of its arrival, marked late.
     */
    int64_t late_us;
    int64_t early_us;
    /* Sources whose arrival is their occurred_at (imports, backtests). */
    const struct loy_str *historical_sources;
    uint32_t historical_source_count;
};

/* The programmes that need no file, by name; NULL when there is none of that name. */
const struct loy_programme *loy_programme_builtin(struct loy_str id);
/* The i-th of them, NULL past the end: for --help and messages. */
const struct loy_programme *loy_programme_builtin_at(uint32_t i);

bool loy_programme_is_historical(const struct loy_programme *programme, struct loy_str source);

#endif
