/* Facts of one event and one member: filled as far as a program needs them, then evaluated. Inside the room only.
 *
 * Pure; the event's arena. Test: tests/unit/test_campaigns.c, tests/golden/. */
#ifndef LOY_ENGINE_FACTS_FILL_H
#define LOY_ENGINE_FACTS_FILL_H

#include "engine/effects.h"
#include "engine/facts_fields.h"

/* What is filled together; the bits of loy_facts.filled. */
enum loy_facts_group {
    LOY_FACTS_EVENT,
    LOY_FACTS_LOCAL,
    LOY_FACTS_ATTRIBUTES,
    LOY_FACTS_STORE,
    LOY_FACTS_PURCHASE,
    LOY_FACTS_SUMS,
    LOY_FACTS_LINES,
    LOY_FACTS_TENDERS,
    LOY_FACTS_ACTIVITY,
    LOY_FACTS_FEEDBACK,
    LOY_FACTS_MEMBER,
    LOY_FACTS_BALANCES,
    LOY_FACTS_MONTHS,
    LOY_FACTS_TRAITS,
    LOY_FACTS_SEGMENTS
};

struct loy_facts {
    const struct loy_programme *programme;
    const struct loy_account *account; /* before the event, time passed */
    const struct loy_event *event;     /* amounts in the programme's currency */
    int64_t at_us;                     /* the moment of validity */
    struct loy_arena *arena;
    uint32_t filled;                 /* bits of what is there already */
    bool failed;                     /* the arena is full */
    bool segments_known;             /* … and evaluated */
    uint64_t segments;               /* bits of programme->segments that are true */
    uint64_t segments_told;          /* those whose condition stands in the trace already */
    struct loy_civil civil;          /* of at_us, when filled */
    struct loy_cel_value *variables; /* NULL: nothing filled yet */
    struct loy_cel_value *event_slots, *store_slots, *purchase_slots, *activity_slots, *feedback_slots, *member_slots;
};

/* Every member of *facts above `filled` is set by the caller, the others are zero. */

/* Steps of the filling, for the files of facts alone. A field < 0: all of them. An arena that is full sets `failed`. */
typedef void loy_facts_fill_fn(struct loy_facts *facts);
void loy_facts_fill_once(struct loy_facts *facts, enum loy_facts_group group, loy_facts_fill_fn *fill);
void loy_facts_fill_event(struct loy_facts *facts, int32_t field);
void loy_facts_fill_store(struct loy_facts *facts);
void loy_facts_fill_purchase(struct loy_facts *facts, int32_t field);
void loy_facts_fill_activity(struct loy_facts *facts);
void loy_facts_fill_feedback(struct loy_facts *facts);
void loy_facts_fill_member(struct loy_facts *facts, int32_t field);
struct loy_cel_value loy_facts_text(struct loy_str text); /* absent when it is empty */
/* So many slots, all absent; NULL and `failed` without memory. */
struct loy_cel_value *loy_facts_slots(struct loy_facts *facts, size_t count);

/* One evaluation with its explanation: reason NONE (true, or the value), CONDITION, UNKNOWN_FACT or CONDITION_ERROR,
 * and of conditions and what failed in words what decided. LOY_ERR_NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_facts_condition(struct loy_facts *facts, const struct loy_cel_program *when,
                                              enum loy_reason *ret_reason, struct loy_str *ret_detail);
LOY_MUST_USE enum loy_err loy_facts_formula(struct loy_facts *facts, const struct loy_cel_program *amount,
                                            int64_t *ret_amount, enum loy_reason *ret_reason,
                                            struct loy_str *ret_detail);
/* Bits of the segments that the member is in. A condition that cannot be computed is false. */
LOY_MUST_USE enum loy_err loy_facts_segments(struct loy_facts *facts, uint64_t *ret_segments);
/* Appends the segment's id and, once an event, what decided that the member is in it or is not. */
LOY_MUST_USE enum loy_err loy_facts_tell_segment(struct loy_facts *facts, uint32_t segment, struct loy_buf *buf);
/* The local civil time of the moment of validity. */
const struct loy_civil *loy_facts_civil(struct loy_facts *facts);

#endif
