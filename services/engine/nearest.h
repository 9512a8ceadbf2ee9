/* Nearest: how much more of a basket would make a rule grant something, found by deciding larger baskets.
 *
 * Nothing is guessed from the rule's terms: each answer is a basket that the engine was asked about, and of the baskets
 * up to it those that were asked granted nothing. Pure; the caller's arena, which is left as it was but for the rows.
 * Test: tests/unit/test_nearest.c. */
#ifndef LOY_ENGINE_NEAREST_H
#define LOY_ENGINE_NEAREST_H

#include "engine/effects.h"
#include "engine/engine.h"

enum {
    LOY_NEAREST_MAX = 32,  /* rules that are tried */
    LOY_NEAREST_TIMES = 3, /* at most so many times the basket's own total more */
};

struct loy_nearest {
    const struct loy_rule *rule;
    int64_t more; /* minor units on the first line that counts for the rule; is_units: thousandths of its quantity */
    bool is_units;
    int64_t points; /* that the rule grants then */
};

struct loy_nearest_query {
    const struct loy_programme *programme;
    const struct loy_account *account; /* before the purchase */
    const struct loy_event *event;     /* a purchase; anything else has no nearest */
    int64_t arrival_us;
    struct loy_budget_views budgets;
    const struct loy_effects *effects; /* what was decided about it */
};

/* Rows by `more`, those in units behind. NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_nearest_find(const struct loy_nearest_query *query, struct loy_arena *arena,
                                           struct loy_nearest ret_rows[LOY_NEAREST_MAX], uint32_t *ret_count);

#endif
