/* Redis: the cache port, and the read model that other services use (docs/redis.md).
 *
 * One hash a member, loyald:<incarnation>:member:<member id>, fields seq, row, balance. Redis decides nothing: whatever
 * is wrong, late, oversized or gone counts as a miss, and a Redis that does not answer in timeout_ms is left alone for
 * a while, so that an outage costs one time-out and not one a batch. Nothing blocks; names are resolved in the
 * background. One connection, over hiredis. One thread, but for the stats. Tests: tests/unit/test_redis_*.c,
 * tests/contract/contract_cache.c, tests/integration/test_redis_cache.py. */
#ifndef LOY_ADAPTERS_REDIS_REDIS_H
#define LOY_ADAPTERS_REDIS_REDIS_H

#include "base/err.h"
#include "ports/cache.h"
#include "ports/clock.h"
#include "runtime/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loy_redis;

enum {
    LOY_REDIS_QUEUE_BYTES = 8 << 20,  /* writes that wait, of one connection; what comes above is dropped */
    LOY_REDIS_INBOX_BYTES = 32 << 20, /* addresses (not memory) for one load's rows */
};

struct loy_redis_config {
    const char *url; /* redis://[user:password@]host[:port][/db], rediss://…, unix://[user:password@]/path[?db=n] */
    int64_t timeout_ms;
    int32_t incarnation;
    int64_t ttl_hours; /* 0: members never leave Redis */
    uint64_t seed;     /* of the back-off */
};

/* Starts connecting. LOY_ERR_CONFIG for an address that cannot work, also for TLS that this hiredis does not have. A
 * Redis that is not there is no error. The config and the clock are not kept; the clock's self is. */
LOY_MUST_USE enum loy_err loy_redis_new(const struct loy_redis_config *config, const struct loy_clock *clock,
                                        struct loy_redis **ret_redis, struct loy_error *error);
/* Drops what was not written. Takes NULL. */
void loy_redis_destroy(struct loy_redis *redis);

/* The port; borrowed until loy_redis_destroy. */
struct loy_cache loy_redis_cache(struct loy_redis *redis);
/* Writes what waits, for at most timeout_ms: before a graceful end, so that the read model is not left behind. Blocks.
 */
void loy_redis_drain(struct loy_redis *redis, int64_t timeout_ms);

/* Rows for the metrics page, and the source to go with them. */
const struct loy_metric *loy_redis_metrics(size_t *ret_count);
const void *loy_redis_metrics_source(const struct loy_redis *redis);

#endif
