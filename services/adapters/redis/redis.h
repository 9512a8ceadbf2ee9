/* Redis: the cache port, and the read model that other services use (docs/redis.md).
 *
 * One string a member, loyald:<incarnation>:member:<member id> (row.h). Redis decides nothing: whatever is wrong, late,
 * oversized or gone counts as a miss, and a Redis that does not answer in timeout_ms is left alone for a while, so that
 * an outage costs one time-out and not one a batch. Nothing blocks; names are resolved in the background. One
 * connection, over hiredis. One thread. Tests: tests/unit/test_redis_*.c, tests/contract/contract_cache.c,
 * tests/integration/test_redis_cache.py. */
#ifndef LOY_ADAPTERS_REDIS_REDIS_H
#define LOY_ADAPTERS_REDIS_REDIS_H

#include "base/err.h"
#include "ports/cache.h"
#include "ports/clock.h"
#include "runtime/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loy_redis;

enum {
    LOY_REDIS_QUEUE_BYTES = 8 << 20,  /* writes that wait, of one connection; what comes above is dropped */
    LOY_REDIS_INBOX_BYTES = 32 << 20, /* addresses (not memory) for one load's rows */
};

/* What one connection did: written by its thread, read by the metrics page. Outlives the connection, as the page does.
 *   field, name, help */
#define LOY_REDIS_COUNTERS(X)                                                                                          \
    X(connects, "loyald_redis_connects_total", "Connections to Redis that came about")                                 \
    X(failures, "loyald_redis_failures_total", "Connections to Redis that failed or were given up")                    \
    X(time_outs, "loyald_redis_time_outs_total", "Requests that Redis did not answer in time")                         \
    X(found, "loyald_redis_rows_found_total", "Accounts that Redis had")                                               \
    X(missing, "loyald_redis_rows_missing_total", "Accounts that Redis did not have")                                  \
    X(refused, "loyald_redis_rows_refused_total",                                                                      \
      "Answers of Redis that were not the account's row: damaged, foreign or errors")                                  \
    X(written, "loyald_redis_rows_written_total", "Accounts written to Redis")                                         \
    X(dropped, "loyald_redis_rows_dropped_total", "Accounts not written because Redis was away, behind or refused")

struct loy_redis_metrics {
#define LOY_REDIS_FIELD(field, name, help) _Atomic uint64_t field;
    LOY_REDIS_COUNTERS(LOY_REDIS_FIELD)
#undef LOY_REDIS_FIELD
    _Atomic uint64_t connected; /* 1: the connection works */
};

const struct loy_metric *loy_redis_metric_rows(size_t *ret_count);

struct loy_redis_config {
    const char *url; /* redis://[user:password@]host[:port][/db], rediss://…, unix://[user:password@]/path[?db=n] */
    int64_t timeout_ms;
    int32_t incarnation;
    int64_t ttl_hours; /* 0: members never leave Redis */
    uint64_t seed;     /* of the back-off */
};

/* Starts connecting. LOY_ERR_CONFIG for an address that cannot work, also for TLS that this hiredis does not have. A
 * Redis that is not there is no error. config and clock are copied, metrics are borrowed. */
LOY_MUST_USE enum loy_err loy_redis_new(const struct loy_redis_config *config, const struct loy_clock *clock,
                                        struct loy_redis_metrics *metrics, struct loy_redis **ret_redis,
                                        struct loy_error *error);
/* Drops what was not written. Takes NULL. */
void loy_redis_destroy(struct loy_redis *redis);

/* The port; borrowed until loy_redis_destroy. */
struct loy_cache loy_redis_cache(struct loy_redis *redis);
/* Writes what waits, for at most timeout_ms: before a graceful end, so that the read model is not left behind. Blocks.
 */
void loy_redis_drain(struct loy_redis *redis, int64_t timeout_ms);

#endif
