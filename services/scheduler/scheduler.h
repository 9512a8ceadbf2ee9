/* Scheduler: finds accounts that time alone changes, and sends each a tick where nothing else comes.
 *
 * A tick is idempotent (its identity is the account and the due time), so two schedulers, repeats and delays are
 * harmless; any number may run. Written against the ports, as the worker is. One thread. Test:
 * tests/integration/test_scheduler.py. */
#ifndef LOY_SCHEDULER_SCHEDULER_H
#define LOY_SCHEDULER_SCHEDULER_H

#include "base/err.h"
#include "ports/bus.h"
#include "ports/clock.h"
#include "ports/store.h"
#include "runtime/metrics.h"

#include <stdatomic.h>

struct loy_scheduler;

/*   field, name, help */
#define LOY_SCHEDULER_COUNTERS(X)                                                                                      \
    X(scans, "loyald_scheduler_scans_total", "Looks at what is due")                                                   \
    X(ticks, "loyald_scheduler_ticks_total", "Ticks sent")                                                             \
    X(outages, "loyald_scheduler_outages_total", "Looks that PostgreSQL did not answer")

struct loy_scheduler_metrics {
#define LOY_SCHEDULER_FIELD(field, name, help) _Atomic uint64_t field;
    LOY_SCHEDULER_COUNTERS(LOY_SCHEDULER_FIELD)
#undef LOY_SCHEDULER_FIELD
};

const struct loy_metric *loy_scheduler_metric_rows(size_t *ret_count);

struct loy_scheduler_config {
    struct loy_str topic_ticks; /* borrowed */
    int64_t interval_us;        /* between two looks */
    uint32_t limit;             /* accounts of one look */
};

/* NULL and *error when memory is short. The ports are copied; metrics are borrowed. */
struct loy_scheduler *loy_scheduler_new(const struct loy_scheduler_config *config, const struct loy_bus *bus,
                                        const struct loy_store *store, const struct loy_clock *clock,
                                        struct loy_scheduler_metrics *metrics, struct loy_error *error);
void loy_scheduler_destroy(struct loy_scheduler *scheduler);

/* Handles what is there and asks what is next; *ret_wait_us: when to call again at the latest. An error ends it. */
LOY_MUST_USE enum loy_err loy_scheduler_turn(struct loy_scheduler *scheduler, int64_t *ret_wait_us,
                                             struct loy_error *error);

#endif
