/* Examples: what a member does and what it should earn, in YAML beside the programme, run through the real engine.
 *
 * Each example is a new member; its events are decided in their order, budgets begin unused. Only wallets and rules
 * that are named are compared: `expect`, what the event earned; `balances`, what can be spent after it. Memory: the
 * arena. One thread. Test: tests/integration/test_programme.py. */
#ifndef LOY_PROGRAMME_EXAMPLES_H
#define LOY_PROGRAMME_EXAMPLES_H

#include "engine/effects.h"
#include "engine/engine.h"
#include "programme/issue.h"

struct loy_example_result {
    struct loy_str name;
    uint32_t line;
    bool passed;
    struct loy_str detail; /* what differs, a line each */
};

struct loy_examples {
    struct loy_example_result *results;
    uint32_t count, failed;
};

/* LOY_ERR_INVALID_VALUE: the file of examples is wrong, see *ret_issues; LOY_ERR_NO_MEMORY. Examples that fail are no
 * error. */
LOY_MUST_USE enum loy_err loy_examples_run(const struct loy_programme *programme, struct loy_str text,
                                           struct loy_arena *arena, struct loy_examples *ret_examples,
                                           struct loy_programme_issues *ret_issues);

/* Decides with all budgets as `views` says and adds what is charged to them. views has a row a budget; see
 * loy_example_budgets. */
LOY_MUST_USE enum loy_err loy_example_decide(const struct loy_programme *programme, struct loy_account *account,
                                             const struct loy_event *event, struct loy_budget_view *views,
                                             struct loy_arena *arena, struct loy_effects *ret_effects,
                                             struct loy_error *error);
/* A row for each budget, unused; NULL: no room. */
struct loy_budget_view *loy_example_budgets(const struct loy_programme *programme, struct loy_arena *arena);
/* Points that an event's own entries credit to a wallet, pending or not. */
int64_t loy_example_earned(const struct loy_effects *effects, uint16_t wallet);
/* A basket of one line of goods. */
void loy_example_basket(struct loy_event *event, struct loy_line *line, int64_t amount_minor, int64_t at_us);

#endif
