/* Earning: what one rule wants to grant for one event, before limits, caps and budgets.
 *
 * Computed once on the order's eligible total for each rule and rounded once. Pure. Test: tests/unit/test_earning.c. */
#ifndef LOY_ENGINE_EARNING_H
#define LOY_ENGINE_EARNING_H

#include "engine/effects.h"
#include "engine/facts_fill.h"
#include "engine/match.h"

#define LOY_MULTIPLIER_ONE INT64_C(1000000) /* multipliers of level and segments are in millionths */

/* What standing rules have granted to a wallet so far in this event. */
struct loy_base {
    int64_t *lines;   /* by line; NULL: nothing yet */
    int64_t by_lines; /* their sum */
    int64_t unallotted;
};

/* What is known when a rule is judged. */
struct loy_earning_input {
    const struct loy_purchase *purchase; /* NULL: the event is none */
    int64_t multiplier;
    int64_t rest;                /* carried so far */
    const struct loy_base *base; /* of the rule's wallet */
    struct loy_plain_amounts *plain;
    struct loy_facts *facts; /* for formulas */
    struct loy_arena *arena;
};

struct loy_wanted {
    int64_t points;
    int64_t eligible_minor;
    int64_t missing;        /* to the minimum or the first step */
    int64_t rest;           /* to be carried, when the rule carries and nothing but its size kept it from granting */
    const int64_t *weights; /* for the allotment to lines; NULL: not by lines */
    enum loy_reason reason;
    struct loy_str detail;
};

/* OVERFLOW or NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_earning_wanted(const struct loy_rule *rule, const struct loy_earning_input *input,
                                             struct loy_wanted *ret_wanted, struct loy_error *error);

#endif
