/* Rates: a purchase in a foreign currency, in the programme's. Pure. Test: tests/unit/test_earning.c. */
#ifndef LOY_ENGINE_RATES_H
#define LOY_ENGINE_RATES_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/event.h"
#include "engine/programme.h"

/* The event itself when its amounts are in the programme's currency; else a copy with each amount converted by the rate
 * of at_us, half-even, and the total their sum. The currency stays what was stated. UNKNOWN_CURRENCY; OVERFLOW. */
LOY_MUST_USE enum loy_err loy_rates_apply(const struct loy_programme *programme, const struct loy_event *event,
                                          int64_t at_us, struct loy_arena *arena, const struct loy_event **ret_event,
                                          struct loy_error *error);

#endif
