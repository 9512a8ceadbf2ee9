/* Effects: what one decision does. Written to the journal as they stand; nothing else changes an account.
 *
 * Pure data, in the batch's arena. */
#ifndef LOY_ENGINE_EFFECTS_H
#define LOY_ENGINE_EFFECTS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Ledger entries. amount is signed; the three factors say what amount does to available, pending and reserved.
 * Numbers are stored, and stand in table entry_kind: never reuse one.
 * symbol, number, name, available, pending, reserved */
#define LOY_ENTRY_KINDS(X)                                                                                             \
    X(EARN, 1, "earn", 1, 0, 0)                                                                                        \
    X(EARN_PENDING, 2, "earn_pending", 0, 1, 0)                                                                        \
    X(RELEASE, 3, "release", 1, -1, 0)                                                                                 \
    X(EXPIRE, 4, "expire", 1, 0, 0)                                                                                    \
    X(JOIN, 5, "join", 1, 0, 0) /* out of a lot and into another, engine/lots_near.h; in an event they add up to 0 */  \
    X(JOIN_PENDING, 6, "join_pending", 0, 1, 0)

enum loy_entry_kind {
#define LOY_ENTRY_KIND_ENUM(symbol, number, name, available, pending, reserved) LOY_ENTRY_##symbol = number,
    LOY_ENTRY_KINDS(LOY_ENTRY_KIND_ENUM)
#undef LOY_ENTRY_KIND_ENUM
};

struct loy_entry {
    enum loy_entry_kind kind;
    uint16_t wallet;
    int64_t amount;
    int32_t lot;               /* id of the lot, first id of a joined one */
    int32_t rule;              /* number in the dictionary; 0: time alone */
    int32_t funder;            /* number in the dictionary; 0: the programme */
    int64_t available_from_us; /* EARN_PENDING: when it is released */
    int64_t expires_at_us;     /* EARN and EARN_PENDING; LOY_NEVER */
};

/* What the journal's row says of an applied event.   symbol, number, name */
#define LOY_APPLIED_KINDS(X)                                                                                           \
    X(EFFECT, 1, "effect")                                                                                             \
    X(NO_EFFECT, 2, "no_effect")                                                                                       \
    X(WAITING, 3, "waiting")                                                                                           \
    X(REFUSED, 4, "refused")

enum loy_applied {
#define LOY_APPLIED_ENUM(symbol, number, name) LOY_APPLIED_##symbol = number,
    LOY_APPLIED_KINDS(LOY_APPLIED_ENUM)
#undef LOY_APPLIED_ENUM
};

/* Why a rule that the event concerns granted nothing, or less than wanted: stable names, kept in the trace.
 * symbol, name, in words */
#define LOY_REASONS(X)                                                                                                 \
    X(OTHER_WEEKDAY, "other_weekday", "not on this weekday")                                                           \
    X(OTHER_DATE, "other_date", "not on this date")                                                                    \
    X(OTHER_HOUR, "other_hour", "not at this hour")                                                                    \
    X(OTHER_TENDER, "other_tender", "not paid in the way that is asked for")                                           \
    X(NOT_IN_SEGMENT, "not_in_segment", "the member is in none of its segments")                                       \
    X(CONDITION, "condition", "its condition is false")                                                                \
    X(UNKNOWN_FACT, "unknown_fact", "its condition needs a fact that is not known")                                    \
    X(CONDITION_ERROR, "condition_error", "its condition cannot be computed")                                          \
    X(NOTHING_ELIGIBLE, "nothing_eligible", "no line counts")                                                          \
    X(BELOW_MINIMUM, "below_minimum", "less than the minimum")                                                         \
    X(BELOW_ONE_STEP, "below_one_step", "not enough for one point")                                                    \
    X(NO_BASE, "no_base", "there are no base points to multiply")                                                      \
    X(COOLDOWN, "cooldown", "granted too short a time ago")                                                            \
    X(LIMIT, "limit", "granted as many times as allowed")                                                              \
    X(STACK, "stack", "another campaign of its group was granted")                                                     \
    X(EXCLUSIVE, "exclusive", "it does not go together with another campaign")                                         \
    X(CAP, "cap", "the rule's cap")                                                                                    \
    X(WALLET_CAP, "wallet_cap", "the wallet's cap")                                                                    \
    X(BUDGET, "budget", "the budget is used up")

enum loy_reason {
    LOY_REASON_NONE,
#define LOY_REASON_ENUM(symbol, name, words) LOY_REASON_##symbol,
    LOY_REASONS(LOY_REASON_ENUM)
#undef LOY_REASON_ENUM
};

/* One rule's part in the decision, fired or not. Enough to explain it without deciding again. Rules that the event does
 * not concern (programme.h) have no row. */
struct loy_rule_trace {
    int32_t rule;
    int64_t wanted; /* before caps and budget */
    int64_t granted;
    int64_t eligible_minor;
    const char *reason;   /* NULL: granted as wanted; else a stable name, borrowed constant */
    const int64_t *lines; /* the grant allotted to the event's lines; NULL when nothing was granted, or not by lines */
    uint32_t line_count;
    struct loy_str detail; /* in words: what the deciding clause saw, the fact that is not known, the segment */
    int64_t missing;       /* minor units (PER_UNIT: thousandths) to the minimum or the first step; 0: not that */
    int64_t left;          /* what limit, cap or budget had left when it decided; cooldown: microseconds to wait */
    int64_t multiplier;    /* of level and segments, in millionths; 0: none */
};

/* A budget that the decision looked at, whether or not it took something. */
struct loy_charge {
    int32_t counter;
    int64_t points;  /* to take from its counter row; >= 0 */
    int64_t at_most; /* the decision is the same for every `used` from the one it was decided with up to this one */
    bool is_short;   /* it cut or refused something: good only if `used` was read for this batch */
};

struct loy_effects {
    enum loy_applied applied;
    bool changed;       /* the account's balance changed: version goes up, an update is published */
    int64_t arrival_us; /* as decided with: a historical source's is its occurred_at */
    int64_t moment_us;  /* of the event: max(account's clock, arrival) */
    const struct loy_entry *entries;
    uint32_t entry_count;
    uint32_t advanced; /* the first so many entries were booked by time alone */
    const struct loy_rule_trace *rules;
    uint32_t rule_count;
    const struct loy_charge *charges; /* a row a counter that was looked at, ascending */
    uint32_t charge_count;
    bool late;
};

const char *loy_entry_kind_name(enum loy_entry_kind kind);
const char *loy_applied_name(enum loy_applied applied);
const char *loy_reason_name(enum loy_reason reason); /* NULL for NONE */
/* What a reason's name means in words; NULL for a name that is none. */
const char *loy_reason_words(const char *name);

#endif
