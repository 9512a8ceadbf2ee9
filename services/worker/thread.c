#include "worker/thread.h"

#include "adapters/kafka/connection.h"
#include "adapters/kafka/kafka.h"
#include "adapters/pg/pg.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/signals.h"

#include <poll.h>
#include <stdlib.h>

/* What a thread's worker is made of. */
struct loy_thread_parts {
    struct loy_kafka *kafka;
    struct loy_pg *pg;
    struct loy_worker *worker;
    struct loy_bus bus;
    struct loy_store store;
    struct loy_cache cache;
};

static void log_client(void *self, int level, const char *text)
{
    const struct loy_thread *thread = self;
    LOY_LOG(level <= 3 ? LOY_LOG_WARN : LOY_LOG_DEBUG, "kafka_client", LOY_LOG_INT("thread", thread->number),
            LOY_LOG_TEXT("text", text));
}

static struct loy_kafka *open_kafka(struct loy_thread *thread, struct loy_error *error)
{
    const struct loy_config *config = thread->config;
    struct loy_kafka_config kafka = {
        .connection = loy_kafka_connection_of(config, thread->owner),
        .group = config->group,
        .instance = thread->instance,
        .topics = thread->worker_config.topics,
        .topic_count = thread->worker_config.topic_count,
        .partitions = thread->worker_config.partitions,
        .compression = config->kafka_compression,
        .session_timeout_ms = (int)config->kafka_session_timeout_ms,
        .log = log_client,
        .log_self = thread,
    };
    return loy_kafka_new(&kafka, error);
}

static enum loy_err open_redis(struct loy_thread *thread, struct loy_error *error)
{
    struct loy_clock clock = loy_clock_of_system();
    struct loy_redis_config redis = {.url = thread->config->redis,
                                     .timeout_ms = thread->config->redis_timeout_ms,
                                     .incarnation = thread->worker_config.incarnation,
                                     .ttl_hours = thread->config->redis_ttl_hours,
                                     .seed = (uint64_t)clock.wall_us(clock.self) + (uint64_t)thread->number};
    return *thread->config->redis ? loy_redis_new(&redis, &clock, &thread->redis_metrics, &thread->redis, error)
                                  : LOY_OK;
}

static void close_parts(struct loy_thread *thread, struct loy_thread_parts *parts)
{
    loy_kafka_destroy(parts->kafka); /* first: its producer reads from the worker's rows */
    loy_worker_destroy(parts->worker);
    loy_pg_destroy(parts->pg);
    loy_redis_destroy(thread->redis);
    free(parts);
}

static struct loy_thread_parts *open_parts(struct loy_thread *thread, struct loy_error *error)
{
    struct loy_thread_parts *parts = calloc(1, sizeof *parts);
    if (!parts) {
        loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a thread");
        return NULL;
    }
    struct loy_pg_options pg = {.conninfo = thread->config->postgres,
                                .arena_bytes = thread->worker_config.memory_bytes};
    parts->kafka = open_kafka(thread, error);
    if (!parts->kafka || loy_pg_new(&pg, &parts->pg, error) != LOY_OK || open_redis(thread, error) != LOY_OK) {
        close_parts(thread, parts);
        return NULL;
    }
    parts->bus = loy_kafka_bus(parts->kafka);
    parts->store = loy_pg_store(parts->pg);
    if (thread->redis) {
        parts->cache = loy_redis_cache(thread->redis);
    }
    struct loy_clock clock = loy_clock_of_system();
    parts->worker = loy_worker_new(&thread->worker_config, &thread->programmes, &parts->bus, &parts->store,
                                   thread->redis ? &parts->cache : NULL, &clock, &thread->metrics, error);
    if (!parts->worker) {
        close_parts(thread, parts);
        return NULL;
    }
    return parts;
}

/* Sleeps until something arrives or the time is over. */
static void wait_for(const struct loy_thread_parts *parts, const struct loy_thread *thread, int64_t wait_us)
{
    /* A full batch leaves what wakes us where it is: to wait for that would be to spin until the commit's reply. */
    int bus_fd = loy_worker_reads(parts->worker) ? parts->bus.wake_fd(parts->bus.self) : -1;
    struct pollfd fds[4] = {{.fd = bus_fd, .events = POLLIN},
                            {.fd = -1},
                            {.fd = -1},
                            {.fd = loy_signals_stop_asked() ? -1 : loy_signals_fd(), .events = POLLIN}};
    parts->store.wait_on(parts->store.self, &fds[1].fd, &fds[1].events);
    if (thread->redis) {
        parts->cache.wait_on(parts->cache.self, &fds[2].fd, &fds[2].events);
    }
    (void)poll(fds, 4, (int)((wait_us + 999) / 1000));
}

static void *run(void *context)
{
    struct loy_thread *thread = context;
    struct loy_thread_parts *parts = thread->parts;
    struct loy_clock clock = loy_clock_of_system();
    enum loy_worker_state state;
    do {
        int64_t wait_us;
        if (loy_signals_stop_asked()) {
            loy_worker_stop(parts->worker);
        }
        atomic_store(&thread->turned_us, clock.monotonic_us(clock.self));
        state = loy_worker_turn(parts->worker, &wait_us);
        if (wait_us > 0) {
            wait_for(parts, thread, wait_us);
        }
    } while (state == LOY_WORKER_RUNNING || state == LOY_WORKER_STOPPING);
    if (state == LOY_WORKER_FAILED) {
        LOY_ERROR("worker_failed", LOY_LOG_INT("thread", thread->number),
                  LOY_LOG_FAILURE(loy_worker_error(parts->worker)));
        thread->failed = true;
        loy_signals_ask_stop();
    }
    if (thread->redis && state == LOY_WORKER_STOPPED) {
        loy_redis_drain(thread->redis, 500);
    }
    return NULL;
}

enum loy_err loy_thread_start(struct loy_thread *thread, struct loy_error *error)
{
    struct loy_clock clock = loy_clock_of_system();
    atomic_store(&thread->turned_us, clock.monotonic_us(clock.self));
    thread->parts = open_parts(thread, error);
    if (!thread->parts) {
        return error->code;
    }
    if (pthread_create(&thread->handle, NULL, run, thread) != 0) {
        close_parts(thread, thread->parts);
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "thread %d cannot be started", thread->number);
    }
    thread->started = true;
    return LOY_OK;
}

void loy_thread_join(struct loy_thread *thread)
{
    if (!thread->started) {
        return;
    }
    (void)pthread_join(thread->handle, NULL);
    close_parts(thread, thread->parts);
    thread->started = false;
}
