/* Counters: what one thread knows of the budgets' counter rows, and what the batch under way takes from them.
 *
 * Known is what was read last, plus what the thread has charged since: never more than the row holds, which only grows.
 * A batch is decided with that and charges under a condition (ports/store.h); it reads the rows again when a decision
 * was short of a budget, since only what was read for this batch may cut or refuse, or when the condition failed.
 * No I/O; one thread. Test: tests/unit/test_worker_counters.c. */
#ifndef LOY_WORKER_COUNTERS_H
#define LOY_WORKER_COUNTERS_H

#include "engine/engine.h"
#include "ports/store.h"

enum { LOY_COUNTERS_MAX = 4 * LOY_BUDGETS_MAX }; /* that are known at a time: of several revisions */

struct loy_counters;

/* NULL when memory is short. */
struct loy_counters *loy_counters_new(void);
void loy_counters_destroy(struct loy_counters *counters);
/* Nothing is known any more. */
void loy_counters_forget(struct loy_counters *counters);

/* --- a batch, in this order --------------------------------------------------------------------------------------- */

/* A batch begins: nothing was read for it yet. What was short last time is wanted from the start. */
void loy_counters_begin(struct loy_counters *counters);
/* The programme decides in this batch: its budgets are wanted where they are not known. True: all are known. */
bool loy_counters_know(struct loy_counters *counters, const struct loy_programme *programme);
/* Ids of what is wanted, ascending; borrowed until the next call. 0: nothing. */
uint32_t loy_counters_wanted(struct loy_counters *counters, const int32_t **ret_ids);
/* The answer to that. False: *ret_missing is not among the rows. */
bool loy_counters_read(struct loy_counters *counters, const struct loy_counter_row *rows, uint32_t count,
                       int32_t *ret_missing);
/* The batch is decided, from its first event. */
void loy_counters_restart(struct loy_counters *counters);
/* For the next event, which this programme decides and whose budgets are known. NULL: it has none. Borrowed until the
 * next call. */
const struct loy_budget_views *loy_counters_views(struct loy_counters *counters, const struct loy_programme *programme);
/* What its decision takes: what the engine says after it was shown these views. */
void loy_counters_take(struct loy_counters *counters, const struct loy_effects *effects);
/* The batch was decided. True: it may be committed. False: it was short of what was not read for it, which is wanted
 * now; then it is to be decided again. */
bool loy_counters_hold(struct loy_counters *counters);
/* The charges of the batch into rows[], ascending, and their number; NULL: only their number. */
uint32_t loy_counters_charges(const struct loy_counters *counters, struct loy_counter_charge *rows);
/* Others were faster: whatever the batch charges is wanted. */
void loy_counters_collided(struct loy_counters *counters);
/* The charges stand. */
void loy_counters_committed(struct loy_counters *counters);

#endif
