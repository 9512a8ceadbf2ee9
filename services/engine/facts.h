/* Facts: what conditions and formulas may name, in one place: for the checker of programmes and for the engine.
 *
 * Records: event, store, purchase (with its lines), activity, feedback, member. A value that an event or a member does
 * not have is absent: a condition that needs it is false, and the trace names it. Facts of a member are those before
 * the event. Only what a program needs is filled. Money is int in minor units of the programme's currency;
 * money('1.50') makes one. The table of fields is in facts_env.c.
 * Pure: the environment is built once in an arena, then shared by threads. Test: tests/unit/test_campaigns.c,
 * tests/golden/. */
#ifndef LOY_ENGINE_FACTS_H
#define LOY_ENGINE_FACTS_H

#include "cel/cel.h"
#include "engine/account.h"
#include "engine/event.h"
#include "engine/programme.h"

enum { LOY_FACTS_FUEL = 1000000 }; /* of one evaluation; check with options.max_cost = LOY_FACTS_FUEL */

struct loy_facts_env; /* owns a struct loy_cel_env and the numbers of its records and fields */

/* What the environment depends on: wallets' ids (member.balance.<id>), the currency's digits (money()), the declared
 * windows (member.last_<n>_days), all taken from the programme, whose rules are not looked at and may be missing yet.
 * matcher and zones may be NULL. Texts are borrowed. */
LOY_MUST_USE enum loy_err loy_facts_env_new(const struct loy_programme *programme,
                                            const struct loy_cel_matcher *matcher, const struct loy_cel_zone *zones,
                                            size_t zone_count, struct loy_arena *arena,
                                            const struct loy_facts_env **ret_env, struct loy_error *error);
/* For loy_cel_compile. */
const struct loy_cel_env *loy_facts_cel(const struct loy_facts_env *env);
/* Whether the program names what programme.history keeps (a window of last_<n>_days needs it too). */
bool loy_facts_needs_history(const struct loy_facts_env *env, const struct loy_cel_program *program);
/* Whether it names member.segments, which a segment's own condition may not. */
bool loy_facts_needs_segments(const struct loy_facts_env *env, const struct loy_cel_program *program);
/* The profile's parts that it names: bits 1 << enum loy_trait_kind. */
uint32_t loy_facts_needs_traits(const struct loy_facts_env *env, const struct loy_cel_program *program);

#endif
