/* Period: when a length of time is over, in seconds or in calendar months of the programme's zone.
 *
 * What waits in months (pending, cooldown) waits until the start of the same local date; what lasts in months (expiry,
 * how late an event may come) lasts to the end of it. A date that the month lacks becomes its last. Pure.
 * Test: tests/unit/test_period.c. */
#ifndef LOY_ENGINE_PERIOD_H
#define LOY_ENGINE_PERIOD_H

#include "engine/account.h"

/* The moment at which a wait that begins at from_us is over. */
int64_t loy_period_wait(const struct loy_zone *zone, int64_t from_us, struct loy_period span);
/* The first moment at which something that began at from_us does not last any more. */
int64_t loy_period_last(const struct loy_zone *zone, int64_t from_us, struct loy_period span);
/* When points that were earned at earned_us expire; LOY_NEVER where the expiry says nothing. */
int64_t loy_period_expiry(const struct loy_zone *zone, int64_t earned_us, const struct loy_expiry *expiry);
/* Whether what occurred then and arrived now is judged as of when it occurred: neither too late nor too early. */
bool loy_period_believes(const struct loy_programme *programme, int64_t occurred_us, int64_t arrival_us);

#endif
