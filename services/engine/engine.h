/* Engine: the decision. A pure function of programme, account and event with its arrival (invariant I4).
 *
 * No clock, no I/O, no heap, no globals. Test: tests/unit/test_engine.c, tests/golden/. */
#ifndef LOY_ENGINE_ENGINE_H
#define LOY_ENGINE_ENGINE_H

#include "engine/account.h"
#include "engine/effects.h"
#include "engine/event.h"
#include "engine/programme.h"

/* What is used of a budget so far: the counter row, and what earlier events of the same batch have charged. */
struct loy_budget_view {
    int32_t counter;
    int64_t used;
};

struct loy_budget_views {
    const struct loy_budget_view *rows;
    uint32_t count;
};

/* Decides one event. First time passes: all that is due by the event's moment is booked in order of due time; then the
 * rules. On success *account is the account after the event (seq and version included); on failure it is unchanged and
 * the error is of class REJECT (the event cannot be applied) or NO_MEMORY; or NOT_FOUND: a budget that the programme
 * names is not among the views.
 * arrival_us: the broker's timestamp, never later than the worker's clock; ignored for historical sources.
 * budgets: a row for each of programme->budgets, found at once when they are in its order; NULL when it has none. What
 * the decision takes from them stands in ret_effects->charges, to be added to `used` before the next event, and charged
 * in the commit under the condition that the counter row holds no more than at_most: then no budget is passed by any
 * number of workers, and whoever takes the rest of one takes it to the point.
 * Effects and what the account points to are in the arena. */
LOY_MUST_USE enum loy_err loy_engine_decide(const struct loy_programme *programme, struct loy_account *account,
                                            const struct loy_event *event, int64_t arrival_us,
                                            const struct loy_budget_views *budgets, struct loy_arena *arena,
                                            struct loy_effects *ret_effects, struct loy_error *error);

#endif
