/* History: what an account remembers of earlier events: counters of limits and caps, purchases by day.
 *
 * The arrays belong to the decision that changes them: loy_history_init copies them with room. Pure.
 * Test: tests/unit/test_history.c. */
#ifndef LOY_ENGINE_HISTORY_H
#define LOY_ENGINE_HISTORY_H

#include "engine/account.h"
#include "engine/programme.h"

/* Copies days and counters into the arena, with room for one more day and `extra` more counters; forgets what calendar
 * windows before the moment's counted. What is left is all of the moment's windows; the account's clock is still that
 * of the event before. */
LOY_MUST_USE enum loy_err loy_history_init(struct loy_account *account, const struct loy_zone *zone, int64_t moment_us,
                                           uint32_t extra, struct loy_arena *arena);

uint32_t loy_counter_key(int32_t number, enum loy_counted counted, enum loy_window window);
/* The number of the window that a local day lies in (account.h). */
int64_t loy_window_at(enum loy_window window, int64_t local_day);

/* What is counted under the key; 0 when there is nothing. All that is there is of the moment's windows. */
int64_t loy_counter_used(const struct loy_account *account, uint32_t key);
/* Sets it, 0 forgets it. There must be room (loy_history_init). */
void loy_counter_set(struct loy_account *account, uint32_t key, int64_t window, int64_t used);

/* A purchase in event time. Days that no declared window sees from the latest day are forgotten; what a newer revision
 * keeps, an older one does not know, and leaves: it comes with events from before the newer one began. */
LOY_MUST_USE enum loy_err loy_history_purchase(struct loy_account *account, const struct loy_programme *programme,
                                               int64_t at_us, int64_t total_minor);
/* Purchases and spend of the `days` local days that end with last_day. */
void loy_history_window(const struct loy_account *account, int64_t last_day, uint32_t days, int64_t *ret_purchases,
                        int64_t *ret_spend_minor);

#endif
