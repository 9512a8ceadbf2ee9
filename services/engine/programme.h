/* Programme: one revision of the rules, compiled. Immutable, shared by threads; whoever fills it owns its memory.
 *
 * Numbers of wallets, rules, funders and budgets are those of the dictionary table: stable across revisions. A member
 * that is left zero means "none", "any" or "no limit", so that a short rule is short here too. Pure data.
 * What each word means: FEATURES.md; the order of a decision: struct loy_rule, from top to bottom. */
#ifndef LOY_ENGINE_PROGRAMME_H
#define LOY_ENGINE_PROGRAMME_H

#include "base/calendar.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/event.h"

#include <stdbool.h>
#include <stdint.h>

struct loy_cel_program;
struct loy_facts_env;
struct loy_index;

enum { LOY_ENGINE_VERSION = 1 }; /* raised when the same programme, state and event would be decided otherwise */
enum {
    LOY_WALLETS_MAX = 8,
    LOY_RULES_MAX = 4096,
    LOY_SEGMENTS_MAX = 64,
    LOY_BUDGETS_MAX = 1024,
    LOY_FACT_WINDOWS_MAX = 8,
    LOY_FACT_DAYS_MAX = 366,
    LOY_RULE_NUMBER_MAX = (1 << 24) - 1,
};

/* Texts compared byte for byte; empty: any. */
struct loy_text_set {
    const struct loy_str *texts;
    uint32_t count;
};

/* --- how often and how much --------------------------------------------------------------------------------------- */

/* Calendar windows are those of the programme's zone at the moment of the event (max(account's clock, arrival), which
 * never goes back: so one counter is enough and no late event slips under a cap). Weeks begin on Monday. Numbers are
 * stored in the member's state: never reuse one.   symbol, number, name */
#define LOY_WINDOWS(X)                                                                                                 \
    X(LIFETIME, 0, "lifetime") /* of the member; for a campaign, the whole campaign */                                 \
    X(DAY, 1, "day")                                                                                                   \
    X(WEEK, 2, "week")                                                                                                 \
    X(MONTH, 3, "month")                                                                                               \
    X(YEAR, 4, "year")                                                                                                 \
    X(ORDER, 5, "order")     /* this one event */                                                                      \
    X(BALANCE, 6, "balance") /* caps only: available + pending of the wallet, before the grant, plus the grant */

enum loy_window {
#define LOY_WINDOW_ENUM(symbol, number, name) LOY_WINDOW_##symbol = number,
    LOY_WINDOWS(LOY_WINDOW_ENUM)
#undef LOY_WINDOW_ENUM
};

/* A rule is granted at most `times` in a window (not BALANCE). Counted when it granted something. */
struct loy_limit {
    enum loy_window window;
    int64_t times;
};

/* At most `points` in a window. partial (full false): what is left is granted. full: nothing, if not all fits. */
struct loy_cap {
    enum loy_window window;
    int64_t points;
    bool full;
};

/* A campaign's total over all members, in points. `counter` is the counter row's id; its use comes with each decision
 * as struct loy_budget_view (engine.h). Rules may share one. */
struct loy_budget {
    int32_t counter;
    struct loy_str id;
    int64_t limit;
    bool refuse; /* short: grant nothing; else the last grant takes what is left */
};

/* --- lengths of time ---------------------------------------------------------------------------------------------- */

/* Of microseconds, or of calendar months in the programme's zone: one of them is 0. What they mean: engine/period.h. */
struct loy_period {
    int64_t us;
    int32_t months;
};

enum loy_end_of { LOY_END_OF_NOTHING, LOY_END_OF_MONTH, LOY_END_OF_QUARTER, LOY_END_OF_YEAR };

struct loy_month_day {
    uint8_t month, day;
};

/* Points last `after` from occurred_at, then to the end of the month, quarter or year that this falls in, then to the
 * end of the next of the dates. All zero: they never expire. */
struct loy_expiry {
    struct loy_period after;
    enum loy_end_of end_of;
    const struct loy_month_day *dates;
    uint32_t date_count;
};

/* What other systems tell of a member, kept as far as a programme asks for it (engine/traits.h). Numbers are stored:
 * never reuse one.   symbol, number */
#define LOY_TRAIT_KINDS(X)                                                                                             \
    X(BIRTH_DATE, 1) /* YYYY-MM-DD */                                                                                  \
    X(GENDER, 2)                                                                                                       \
    X(CITY, 3)                                                                                                         \
    X(LANGUAGE, 4)                                                                                                     \
    X(CONTACT, 5)                                                                                                      \
    X(CONSENT, 6) /* any number of them */                                                                             \
    X(SEGMENT, 7)                                                                                                      \
    X(ATTRIBUTE, 8)                                                                                                    \
    X(CATEGORY, 9) /* when one of these was last bought: of purchases, not of what others tell */                      \
    X(SKU, 10)

enum loy_trait_kind {
#define LOY_TRAIT_ENUM(symbol, number) LOY_TRAIT_##symbol = number,
    LOY_TRAIT_KINDS(LOY_TRAIT_ENUM)
#undef LOY_TRAIT_ENUM
};

/* --- wallets, levels, segments, rates ----------------------------------------------------------------------------- */

struct loy_wallet {
    struct loy_str id;
    struct loy_period pending; /* how long an accrual stays pending; 0: available at once */
    struct loy_expiry expiry;
    bool is_money; /* its unit is the currency's minor unit (cashback) */
    /* Over all rules, consumed in the order of decision: standing rules first, then campaigns by priority, then id. */
    const struct loy_cap *caps;
    uint32_t cap_count;
};

/* A level of the tier ladder; loy_account.level is its number, 0: none. */
struct loy_level {
    int32_t number;
    struct loy_str id;
    int32_t multiply_milli; /* of what standing rules grant; 0: not multiplied */
};

/* Members for whom the condition is true, judged before the event, or whom another system says to be in it by member
 * change events. In CEL: 'silent' in member.segments. A segment's condition may not name member.segments. */
struct loy_segment {
    struct loy_str id;
    const struct loy_cel_program *when; /* bool; NULL: another system says */
    int32_t multiply_milli;             /* as a level's; of several the highest; times the level's. 0: none */
};

/* Amounts in `currency` are × numerator ÷ denominator, each line and tender half-even, minor units to minor units.
 * In force from from_us until the next row of the currency; sorted by from_us; before the first: rejected. Judged at
 * the moment of validity (occurred_at, unless too late or early). */
struct loy_rate {
    struct loy_str currency;
    int64_t from_us;
    int64_t numerator, denominator; /* > 0 */
};

/* --- what a rule looks at ----------------------------------------------------------------------------------------- */

/* Lines that count. A line must be in every set that is not empty and in no except set. */
struct loy_line_filter {
    struct loy_text_set skus, categories, brands, labels; /* labels: it has one of them */
    uint32_t kinds;                                       /* bits 1 << enum loy_line_kind; 0: any */
    struct loy_text_set except_skus, except_categories, except_brands, except_labels;
    uint32_t except_kinds;
    bool except_discounted; /* lines with discount_minor > 0 */
    bool
        except_paid_with_points; /* tenders with points > 0 or kind "points" are taken off all lines of the order first,
                                    in proportion to their amounts by largest remainder, at most the line's basis */
};

/* Minutes of the local day at the moment of validity, from included, until excluded; 0 ≤ from < until ≤ 1440. A range
 * over midnight is two of them: what is after midnight belongs to the night of the day before. */
struct loy_minutes {
    uint16_t from, until;
    bool of_day_before; /* judged with its weekday and date */
};

/* Days on which a rule comes again, in the programme's zone; one of them is enough. A day that a month lacks is its
 * last one. */
struct loy_recurrence {
    uint8_t first, last; /* bits of weekdays as in struct loy_rule: the first, the last such day of a month */
    uint32_t month_days; /* bits 1 << 1 to 1 << 31 */
    const struct loy_month_day *dates;
    uint32_t date_count;
};

enum loy_reward_kind {
    LOY_REWARD_NONE,       /* nothing; never fires */
    LOY_REWARD_PER_AMOUNT, /* `points` for each `per` minor units of the eligible amount */
    LOY_REWARD_PER_ORDER,  /* `points` for the event; of any trigger. A purchase needs an eligible line above 0 when the
                              rule has line sets or a minimum, else none */
    LOY_REWARD_PER_UNIT, /* `points` for each `per` thousandths of the quantity of the eligible lines (1000: a piece) */
    LOY_REWARD_PERCENT,  /* eligible amount × `points` ÷ 100,000: `points` is thousandths of a percent, 5 % = 5,000 */
    LOY_REWARD_MULTIPLY, /* bonus = base × (`points` − 1,000) ÷ 1,000: 2,000 doubles. Base: what standing rules (not
                            other MULTIPLY) granted to the same wallet in this event, on the eligible lines by their
                            allotment; grants without allotment count when the rule has no line sets */
    LOY_REWARD_FORMULA,  /* `amount`, CEL int, evaluated as `when` is; ≤ 0: nothing; an error: nothing, named */
};

struct loy_reward {
    enum loy_reward_kind kind;
    uint16_t wallet;
    int64_t points;
    int64_t per;                /* > 0 for PER_AMOUNT and PER_UNIT */
    bool prorata;               /* PER_AMOUNT, PER_UNIT: shares; else full steps only */
    enum loy_rounding rounding; /* of shares, percents, multiples */
    bool carry;                 /* PER_AMOUNT, PER_UNIT, PERCENT: what the rounding (floor, whatever `rounding` says) or
                                   the last full step leaves is added to the member's next event of this rule */
    const struct loy_cel_program *amount;
};

/* --- stacking ----------------------------------------------------------------------------------------------------- */

enum loy_pick {
    LOY_PICK_ALL,
    LOY_PICK_BEST,      /* the one that would grant most after its limits, caps and budget; ties: first in order */
    LOY_PICK_EXCLUSIVE, /* the first in order that would grant anything */
};

struct loy_stack_group {
    struct loy_str id;
    enum loy_pick pick;
};

/* How a return treats the grant; kept for the returns of a later version, not acted on here. */
enum loy_returns { LOY_RETURNS_DEFAULT, LOY_RETURNS_PROPORTIONAL, LOY_RETURNS_RECHECK, LOY_RETURNS_KEEP };

/* --- a rule: standing earning rule or campaign ----------------------------------------------------------------------
 */

struct loy_rule {
    int32_t number; /* in the dictionary, 1 to LOY_RULE_NUMBER_MAX */
    struct loy_str id;
    struct loy_str title;
    bool is_campaign; /* false: base points */
    int32_t funder;   /* number in the dictionary; 0: the programme */

    /* Whom it concerns. A rule that an event does not concern leaves no line in the trace: trigger, activities,
     * channels, stores, store kinds, partners, period, and for purchases at least one line in each of the four sets of
     * `lines` that is not empty. All judged at the moment of validity. */
    enum loy_event_kind trigger;    /* PURCHASE, ACTIVITY, and any other kind that reaches the engine */
    struct loy_text_set activities; /* of ACTIVITY: names */
    struct loy_text_set channels, stores, store_kinds, partners;
    int64_t from_us, until_us; /* until excluded; 0: open */

    /* What it takes, in this order; the first that fails is the reason in the trace. */
    uint8_t weekdays; /* bits 1 << 0 Monday … 1 << 6 Sunday; 0: any.                             "other_weekday" */
    const struct loy_recurrence *recurrence; /* NULL: any day.                                       "other_date" */
    const struct loy_minutes *minutes;       /* any of them; none: all day.                            "other_hour" */
    uint32_t minute_count;
    struct loy_text_set tenders; /* at least one tender of these kinds.                   "other_tender" */
    uint64_t audience;           /* bits of programme.segments, one is enough; 0: all.    "not_in_segment" */
    const struct loy_cel_program
        *when;                      /* bool; NULL: true.               "condition", "unknown_fact", "condition_error" */
    struct loy_line_filter lines;   /* of purchases.                                         "nothing_eligible" */
    bool before_discount;           /* the basis of a line: amount + discount … */
    bool without_tax;               /* … − tax; below 0 counts as 0 */
    int64_t minimum_minor;          /* of the eligible total, purchases only.                "below_minimum" */
    struct loy_reward reward;       /* 0 so far:                                             "below_one_step" */
    struct loy_period cooldown;     /* since its last grant, by moments.                     "cooldown" */
    const struct loy_limit *limits; /*                                                       "limit" */
    uint32_t limit_count;
    const struct loy_stack_group *group; /*                                                      "stack" */
    bool exclusive;   /* campaigns: not after another campaign's grant in the event, none after it. "exclusive" */
    int32_t priority; /* of campaigns: lower goes first */
    const struct loy_cap *caps; /* of this rule, then of the wallet.                    "cap", "wallet_cap" */
    uint32_t cap_count;
    const struct loy_budget *budget;  /*                                                      "budget" */
    const struct loy_period *pending; /* of its points; NULL: the wallet's */
    const struct loy_expiry *expiry;
    enum loy_returns returns;
    bool not_multiplied; /* standing rules: levels and segments do not multiply it. PERCENT and FORMULA never are */
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
    /* In the order of decision, which loy_rules_sort (engine/index.h) makes: standing rules in the file's order, those
     * that multiply last; then campaigns by priority, then id. */
    const struct loy_rule *rules;
    uint32_t rule_count;
    const struct loy_level *levels;
    uint32_t level_count;
    const struct loy_segment *segments;
    uint32_t segment_count;
    const struct loy_budget *budgets; /* all that rules name */
    uint32_t budget_count;
    const struct loy_rate *rates;
    uint32_t rate_count;
    /* Facts that conditions name: what a member's state keeps. history: first and last purchase, number and spend in
     * all. fact_days: the declared windows, ascending, each 1 to LOY_FACT_DAYS_MAX; needs history. */
    bool history;
    uint16_t fact_days[LOY_FACT_WINDOWS_MAX];
    uint32_t fact_window_count;
    uint32_t traits;                /* bits 1 << enum loy_trait_kind that conditions name; segments by their rows */
    struct loy_text_set attributes; /* names of those that are kept */
    struct loy_text_set fact_categories, fact_skus; /* of which the last purchase is kept */
    const struct loy_facts_env *facts; /* what `when` and `amount` were compiled in (engine/facts.h); NULL: no CEL */
    const struct loy_index *index;     /* engine/index.h; NULL: every rule is looked at */
    /* What is accepted as occurred_at, around the arrival; beyond, the event is judged as of its arrival, marked late.
     */
    struct loy_period late;
    struct loy_period early;
    /* Sources whose arrival is their occurred_at (imports, backtests). */
    const struct loy_str *historical_sources;
    uint32_t historical_source_count;
};

bool loy_programme_is_historical(const struct loy_programme *programme, struct loy_str source);

const char *loy_window_name(enum loy_window window);

#endif
