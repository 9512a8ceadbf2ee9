/* Thread: one worker with its own consumer, producer and connections, and the loop that drives it.
 *
 * Threads share nothing but the programme, which is immutable. Test: tests/integration/. */
#ifndef LOY_WORKER_THREAD_H
#define LOY_WORKER_THREAD_H

#include "adapters/redis/redis.h"
#include "runtime/config.h"
#include "worker/worker.h"
#include "worker/worker_metrics.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LOY_THREAD_INSTANCE_MAX = 224 };

struct loy_thread_parts;

struct loy_thread {
    int number;
    const struct loy_config *config;
    struct loy_programmes programmes;
    struct loy_worker_config worker_config; /* owner and topics are filled by the starter */
    char owner[128];
    char instance[LOY_THREAD_INSTANCE_MAX]; /* empty: a member of the group without a name */
    struct loy_worker_metrics metrics;
    struct loy_redis_metrics redis_metrics;
    struct loy_redis *redis;        /* NULL: none */
    _Atomic int64_t turned_us;      /* monotonic: when the loop last came round; for /livez */
    struct loy_thread_parts *parts; /* its worker and connections */
    pthread_t handle;
    bool started;
    bool failed; /* the worker could not go on; read after the join */
};

/* Makes the connections and starts the loop, which ends when a stop is asked or when the worker cannot go on; then it
 * asks the process to stop. */
LOY_MUST_USE enum loy_err loy_thread_start(struct loy_thread *thread, struct loy_error *error);
/* Waits for the end of the loop and closes the connections. Takes one that was not started. */
void loy_thread_join(struct loy_thread *thread);

#endif
