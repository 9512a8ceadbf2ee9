/* Story: a programme built in C, a member and what the member does, for tests that read like a story.
 *
 * The programme counts in roubles and kopecks, in Moscow's time; wallets are points, cashback (money) and stamps. */
#ifndef LOY_TESTS_STORY_H
#define LOY_TESTS_STORY_H

#include "cel/cel.h"
#include "engine/engine.h"
#include "engine/facts.h"
#include "engine/index.h"

enum { STORY_RULES = 16, STORY_BUDGETS = 4, STORY_LINES = 16, STORY_TENDERS = 4 };
enum { POINTS, CASHBACK, STAMPS };

struct story {
    struct loy_arena arena;
    struct loy_programme programme;
    struct loy_wallet wallets[3];
    struct loy_rule rules[STORY_RULES];
    struct loy_segment segments[4];
    struct loy_budget_view views[STORY_BUDGETS];
    struct loy_budget_views budgets;
    struct loy_account account;
    struct loy_event event; /* the next one; line() and buy() fill it */
    struct loy_line lines[STORY_LINES];
    struct loy_tender tenders[STORY_TENDERS];
    struct loy_effects effects; /* of the last event */
    struct loy_error error;
};

void story_init(struct story *s);
void story_fini(struct story *s);
/* Declares the windows of last_<n>_days; then conditions can be compiled. */
void story_facts(struct story *s, const uint16_t *days, uint32_t count);
const struct loy_cel_program *story_cel(struct story *s, const char *text, const char *type);
struct loy_rule *story_rule(struct story *s, struct loy_rule rule);

/* A line of the next purchase. */
struct loy_line *story_line(struct story *s, const char *category, int64_t amount_minor);
/* The purchase of the lines so far, at a moment in RFC 3339; arrives at once. */
enum loy_err story_try(struct story *s, const char *at);
void story_buy(struct story *s, const char *at);
/* A purchase of one line of goods. */
void story_spend(struct story *s, const char *at, int64_t amount_minor);
void story_do(struct story *s, const char *at, const char *activity);
/* Of the last event; NULL: it did not concern the rule. */
const struct loy_rule_trace *story_trace(const struct story *s, int32_t rule);
int64_t story_granted(const struct story *s, int32_t rule);
/* Why the rule granted nothing or less; "" when it granted what it wanted, "not concerned" without a trace. */
const char *story_reason(const struct story *s, int32_t rule);
int64_t story_available(const struct story *s, int wallet);

#endif
