/* Engine: the decision. A pure function of programme, account and event with its arrival (invariant I4).
 *
 * No clock, no I/O, no heap, no globals. Test: tests/unit/test_engine.c, tests/golden/. */
#ifndef LOY_ENGINE_ENGINE_H
#define LOY_ENGINE_ENGINE_H

#include "engine/account.h"
#include "engine/effects.h"
#include "engine/event.h"
#include "engine/programme.h"

/* Decides one event. First time passes: all that is due by the event's moment is booked in order of due time; then the
 * rules. On success *account is the account after the event (seq and version included); on failure it is unchanged and
 * the error is of class REJECT (the event cannot be applied) or NO_MEMORY.
 * arrival_us: the broker's timestamp, never later than the worker's clock; ignored for historical sources.
 * Effects and the account's lots are in the arena. */
LOY_MUST_USE enum loy_err loy_engine_decide(const struct loy_programme *programme, struct loy_account *account,
                                            const struct loy_event *event, int64_t arrival_us, struct loy_arena *arena,
                                            struct loy_effects *ret_effects, struct loy_error *error);

#endif
