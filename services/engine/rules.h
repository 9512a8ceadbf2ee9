/* Rules: one event against the programme's rules, in the order of decision.
 *
 * First the rules that the event concerns are collected; then they are judged and granted. Standing rules come first,
 * so that what multiplies finds the base; a group's best is chosen when the first of the group comes.
 * Pure. Test: tests/unit/test_campaigns.c. */
#ifndef LOY_ENGINE_RULES_H
#define LOY_ENGINE_RULES_H

#include "engine/earning.h"
#include "engine/grant.h"

struct loy_candidate {
    const struct loy_rule *rule;
    struct loy_wanted wanted;
    bool judged;
    bool multiplied; /* by level and segments */
    bool settled;    /* its group has gone to another */
    bool compared;   /* with others of its group, of which the best is taken; by what was possible then */
    struct loy_room possible;
};

struct loy_deciding {
    const struct loy_programme *programme;
    const struct loy_event *event;
    int64_t at_us; /* the moment of validity */
    struct loy_arena *arena;
    struct loy_candidate *candidates;
    uint32_t count;
    uint32_t counters; /* the most that they can add */
    struct loy_rule_trace *traces;
    struct loy_base *bases; /* by wallet */
    struct loy_plain_amounts plain;
    struct loy_facts facts;
    int64_t multiplier; /* 0: not computed yet */
    bool campaign_granted, exclusive_granted;
};

/* Fills candidates and counters. programme, event, at_us and arena are set, the rest is zero. */
LOY_MUST_USE enum loy_err loy_rules_collect(struct loy_deciding *deciding);
/* Judges and grants; the traces are one a candidate. */
LOY_MUST_USE enum loy_err loy_rules_grant(struct loy_deciding *deciding, struct loy_granting *granting,
                                          struct loy_error *error);

#endif
