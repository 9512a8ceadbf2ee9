/* Earning: what the standing rules grant for a purchase.
 *
 * Computed once on the order's eligible total for each rule and rounded once; the result is allotted to the lines in
 * proportion to their amounts by largest remainder, ties in line order. Pure. Test: tests/unit/test_engine.c. */
#ifndef LOY_ENGINE_EARNING_H
#define LOY_ENGINE_EARNING_H

#include "engine/effects.h"
#include "engine/event.h"
#include "engine/programme.h"

/* One rule on one purchase. granted is 0 with a reason, or > 0 with the allotment to the lines. */
LOY_MUST_USE enum loy_err loy_earning_apply(const struct loy_rule *rule, const struct loy_purchase *purchase,
                                            struct loy_arena *arena, struct loy_rule_trace *ret_trace,
                                            struct loy_error *error);

/* Allots `total` (≥ 0) over weights (≥ 0, not all 0) by largest remainder, ties by position. The sum of ret_parts is
 * total. The method of Hamilton. */
LOY_MUST_USE enum loy_err loy_allot(int64_t total, const int64_t *weights, uint32_t count, struct loy_arena *arena,
                                    int64_t *ret_parts);

#endif
