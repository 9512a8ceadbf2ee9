/* Index: which rules an event may concern, found by trigger and by the rules' own constants.
 *
 * With an index and without it the same is decided, trace included: it only leaves out rules that loy_rule_concerns
 * would refuse. Built once in the revision's arena, then shared by threads. Pure. Test: tests/unit/test_index.c. */
#ifndef LOY_ENGINE_INDEX_H
#define LOY_ENGINE_INDEX_H

#include "base/arena.h"
#include "engine/event.h"
#include "engine/programme.h"

/* Puts rules into the order of decision (programme.h). */
void loy_rules_sort(struct loy_rule *rules, uint32_t count);

/* Narrows the rule to the channels, stores, store kinds, partners and activities that its condition names outright
 * (`event.channel == 'app' && …`, `store.id in ['1', '2']`), where the rule does not name any itself: an event with
 * others then does not concern it, instead of making its condition false. The condition stays. For whoever compiles a
 * programme; NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_rule_narrow(struct loy_rule *rule, struct loy_arena *arena);

/* The index of rules that are in order. LOY_ERR_NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_index_new(const struct loy_rule *rules, uint32_t count, struct loy_arena *arena,
                                        const struct loy_index **ret_index);

/* Whether the event concerns the rule, judged at at_us: see struct loy_rule. */
bool loy_rule_concerns(const struct loy_rule *rule, const struct loy_event *event, int64_t at_us);

/* Sets bit i of candidates (cleared by the caller, (count + 63) / 64 words) for every rule i that may be concerned. */
void loy_index_candidates(const struct loy_index *index, const struct loy_event *event, int64_t at_us,
                          uint64_t *candidates);

#endif
