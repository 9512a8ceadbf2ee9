/* Worker: one thread's share of the work. Takes the partitions that the group gives it, and turns records into effects.
 *
 * Written against the ports alone, so that a simulation drives it as main.c does: call loy_worker_turn until it says
 * that there is nothing to do now, then wait on the ports' descriptors. One thread. Tests: tests/unit/test_worker_*.c,
 * tests/sim/. */
#ifndef LOY_WORKER_WORKER_H
#define LOY_WORKER_WORKER_H

#include "base/err.h"
#include "base/str.h"
#include "ports/bus.h"
#include "ports/cache.h"
#include "ports/clock.h"
#include "ports/programmes.h"
#include "ports/store.h"

#include <stdbool.h>
#include <stdint.h>

struct loy_worker;
struct loy_worker_metrics;

/* What a thread has to know. Everything is borrowed until loy_worker_destroy. */
struct loy_worker_config {
    /* Input topics as in installation.topics: what customers do first, then the internal topic, then the ticks. */
    const struct loy_str *topics;
    uint16_t topic_count; /* 3 to LOY_TOPICS_MAX */
    int32_t partitions;   /* N */
    int32_t incarnation;
    /* Topics of what goes out; `previews` or `outcomes` empty: not published. */
    struct loy_str updates, balances, dead_letters, previews, outcomes;
    bool output_json;              /* false: protobuf */
    bool enrol;                    /* an unknown member's first event enrols it; false: rejected as unknown_member */
    uint32_t batch_min, batch_max; /* records */
    struct loy_str owner;          /* for people: host, process, thread */
    size_t memory_bytes;           /* at most, of each of the two batches and of one decision */
    size_t cache_bytes;            /* of the thread's own account cache */
};

/* Why a worker cannot go on, or how it is. */
enum loy_worker_state {
    LOY_WORKER_RUNNING,
    LOY_WORKER_STOPPING, /* after loy_worker_stop, until the batch under way is over */
    LOY_WORKER_STOPPED,
    LOY_WORKER_FAILED, /* fatal: loy_worker_error says what; stop the process, nothing is lost */
};

/* Allocates. NULL and *error when the configuration cannot work or memory is short. cache may be NULL. */
struct loy_worker *loy_worker_new(const struct loy_worker_config *config, const struct loy_programmes *programmes,
                                  const struct loy_bus *bus, const struct loy_store *store,
                                  const struct loy_cache *cache, const struct loy_clock *clock,
                                  struct loy_worker_metrics *metrics, struct loy_error *error);
void loy_worker_destroy(struct loy_worker *worker);

/* Handles what is there and submits what is next. Returns when there is nothing to do before something arrives;
 * *ret_wait_us says after how long to call again at the latest. */
enum loy_worker_state loy_worker_turn(struct loy_worker *worker, int64_t *ret_wait_us);

/* Whether the next turn looks at the bus: not while both batches are full, when only the store's or the cache's answer
 * helps. */
bool loy_worker_reads(const struct loy_worker *worker);

/* Finishes or rolls back the batch under way and takes no new one; then the state becomes STOPPED. */
void loy_worker_stop(struct loy_worker *worker);
const struct loy_error *loy_worker_error(const struct loy_worker *worker);

#endif
