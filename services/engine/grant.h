/* Grant: what limits, caps, wallets' caps and budgets leave of what a rule wants; and the booking of it.
 *
 * Pure. Test: tests/unit/test_campaigns.c. */
#ifndef LOY_ENGINE_GRANT_H
#define LOY_ENGINE_GRANT_H

#include "engine/effects.h"
#include "engine/engine.h"
#include "engine/lots.h"

struct loy_granting {
    const struct loy_programme *programme;
    struct loy_booking *booking; /* its account's history has room (loy_counters_of) */
    const struct loy_budget_views *budgets;
    int64_t moment_us;                  /* decides windows */
    int64_t today;                      /* its local day */
    int64_t earned_us;                  /* decides validity */
    int64_t to_wallet[LOY_WALLETS_MAX]; /* granted so far in this event */
    struct loy_charge *charges;         /* ascending; room for one a rule that may be looked at */
    uint32_t charge_count;
};

/* What a rule could be granted now. */
struct loy_room {
    int64_t points;
    int64_t left;           /* of what cut it */
    enum loy_reason reason; /* NONE: all that was wanted */
    /* Of the rule's budget, as struct loy_charge says: what this room holds for, and whether the budget made it
     * smaller. Nothing that can shrink further, or nothing taken: INT64_MAX. */
    int64_t at_most;
    bool is_short;
};

/* The most counters that one grant of the rule can add. */
uint32_t loy_counters_of(const struct loy_rule *rule, const struct loy_programme *programme);

/* Cooldown and limits, which do not depend on how much: reason NONE, or why not, and what was left. */
struct loy_room loy_grant_allowed(const struct loy_granting *granting, const struct loy_rule *rule);
/* Caps and budget. NOT_FOUND: the budget is not among the views. */
LOY_MUST_USE enum loy_err loy_grant_room(const struct loy_granting *granting, const struct loy_rule *rule,
                                         int64_t wanted, struct loy_room *ret_room, struct loy_error *error);
/* Writes down that the decision rests on this room of the rule's budget; for rules without one, nothing. */
void loy_grant_note(struct loy_granting *granting, const struct loy_rule *rule, const struct loy_room *room);
/* Books points (> 0) of a room that was noted, and counts them. */
LOY_MUST_USE enum loy_err loy_grant_book(struct loy_granting *granting, const struct loy_rule *rule, int64_t points,
                                         struct loy_error *error);

#endif
