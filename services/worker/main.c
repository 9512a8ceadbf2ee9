/* loyald-worker: takes partitions of the input topics and turns records into a ledger and balance updates. */
#include "base/calendar.h"
#include "runtime/clock.h"
#include "runtime/http.h"
#include "runtime/log.h"
#include "runtime/signals.h"
#include "worker/revisions.h"
#include "worker/start.h"
#include "worker/thread.h"

#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

enum {
    LIVE_AFTER_US = 60 * 1000000, /* a thread that has not come round for so long is stuck */
    LOADED_MS = 20,               /* how soon it is noticed that a programme was loaded */
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    MALLOC_ARENAS = 2,
    MALLOC_PAD = 1 << 20,
    MALLOC_TRIM = 8 << 20,
    MALLOC_MMAP = 1 << 20,
};

/* Everything that lives as long as the process. */
struct process {
    struct loy_config config;
    struct loy_start start;
    struct loy_thread *threads;
    uint32_t thread_count;
    struct loy_worker_revisions *revisions;
    const void **metric_sources;        /* of the workers, then of Redis */
    struct loy_metric_group metrics[2]; /* the workers', and Redis's where there is one */
};

static bool is_live(void *context, char why[LOY_HTTP_WHY_MAX])
{
    const struct process *process = context;
    struct loy_clock clock = loy_clock_of_system();
    for (uint32_t i = 0; i < process->thread_count; i++) {
        int64_t turned_us = atomic_load(&process->threads[i].turned_us); /* 0: it waits for a programme */
        int64_t ago_us = clock.monotonic_us(clock.self) - turned_us;
        if (turned_us && ago_us > LIVE_AFTER_US) {
            snprintf(why, LOY_HTTP_WHY_MAX, "thread %u has not come round for %lld s", i,
                     (long long)(ago_us / LOY_US_PER_SECOND));
            return false;
        }
    }
    return true;
}

static bool is_ready(void *context, char why[LOY_HTTP_WHY_MAX])
{
    const struct process *process = context;
    uint64_t assigned = 0;
    if (!loy_worker_revisions_ready(process->revisions, why, LOY_HTTP_WHY_MAX)) {
        return false;
    }
    for (uint32_t i = 0; i < process->thread_count; i++) {
        const struct loy_worker_metrics *metrics = &process->threads[i].metrics;
        if (atomic_load(&metrics->store_down)) {
            snprintf(why, LOY_HTTP_WHY_MAX, "thread %u waits for PostgreSQL", i);
            return false;
        }
        if (atomic_load(&metrics->revision_waits)) {
            snprintf(why, LOY_HTTP_WHY_MAX, "thread %u waits for a newer programme revision", i);
            return false;
        }
        /* A stopped partition waits for a person: that must not hold up a roll-out. */
        if (atomic_load(&metrics->assigned) !=
            atomic_load(&metrics->partitions) + atomic_load(&metrics->partitions_stopped)) {
            snprintf(why, LOY_HTTP_WHY_MAX, "thread %u has not acquired all of its partitions yet", i);
            return false;
        }
        assigned += atomic_load(&metrics->assigned);
    }
    if (assigned == 0) {
        snprintf(why, LOY_HTTP_WHY_MAX, "the group has given this worker no partitions yet");
    }
    return assigned > 0;
}

static void prepare_threads(struct process *process)
{
    const struct loy_config *config = &process->config;
    char host[64] = "";
    (void)gethostname(host, sizeof host - 1);
    for (uint32_t i = 0; i < process->thread_count; i++) {
        struct loy_thread *thread = &process->threads[i];
        thread->number = (int)i;
        thread->config = config;
        thread->programmes = loy_worker_revisions_port(process->revisions);
        snprintf(thread->owner, sizeof thread->owner, "%s/%d/%u", host, (int)getpid(), i);
        if (*process->start.instance) {
            snprintf(thread->instance, sizeof thread->instance, "%s.%u", process->start.instance, i);
        }
        thread->worker_config = (struct loy_worker_config){
            .topics = process->start.topics,
            .topic_count = process->start.topic_count,
            .partitions = (int32_t)config->partitions,
            .incarnation = process->start.incarnation,
            .updates = loy_str(config->topic_updates),
            .balances = loy_str(config->topic_balances),
            .dead_letters = loy_str(config->topic_dead_letters),
            .previews = loy_str(config->topic_previews),
            .outcomes = loy_str(config->topic_outcomes),
            .output_json = config->output_format == LOY_OUTPUT_JSON,
            .enrol = config->enrol,
            .batch_min = (uint32_t)config->batch_min,
            .batch_max = (uint32_t)config->batch_max,
            .owner = loy_str(thread->owner),
            .memory_bytes = (size_t)config->memory_mb << 20,
            .cache_bytes = (size_t)config->cache_mb << 20,
        };
        process->metric_sources[i] = &thread->metrics;
        process->metric_sources[process->thread_count + i] = &thread->redis_metrics;
    }
}

/* When there is a programme; LOY_OK without any when a stop is asked before. */
static enum loy_err start_threads(struct process *process, struct loy_error *error)
{
    struct loy_programmes programmes = loy_worker_revisions_port(process->revisions);
    while (!programmes.current(programmes.self) && !loy_signals_stop_asked()) {
        struct pollfd stop = {.fd = loy_signals_fd(), .events = POLLIN};
        (void)poll(&stop, 1, LOADED_MS);
    }
    for (uint32_t i = 0; i < process->thread_count && !loy_signals_stop_asked(); i++) {
        enum loy_err err = loy_thread_start(&process->threads[i], error);
        if (err) {
            return err;
        }
    }
    return LOY_OK;
}

static enum loy_err start_http(struct process *process, struct loy_http **ret_http, struct loy_error *error)
{
    for (uint32_t i = 0; i < 2; i++) {
        process->metrics[i].sources = process->metric_sources + i * process->thread_count;
        process->metrics[i].source_count = process->thread_count;
    }
    process->metrics[0].rows = loy_worker_metric_rows(&process->metrics[0].count);
    process->metrics[1].rows = loy_redis_metric_rows(&process->metrics[1].count);
    struct loy_http_config http = {.address = process->config.http_address,
                                   .port = (int)process->config.http_port,
                                   .is_live = is_live,
                                   .is_ready = is_ready,
                                   .context = process,
                                   .groups = process->metrics,
                                   .group_count = *process->config.redis ? 2 : 1};
    if (process->config.http_port < 0) {
        return LOY_OK;
    }
    enum loy_err err = loy_http_start(&http, ret_http, error);
    if (!err) {
        LOY_INFO("http", LOY_LOG_TEXT("address", process->config.http_address),
                 LOY_LOG_INT("port", loy_http_port(*ret_http)));
    }
    return err;
}

/* Joins what was started, in any state. True when all of it ended well. */
static bool stop_threads(struct process *process)
{
    bool well = true;
    loy_signals_ask_stop();
    for (uint32_t i = 0; i < process->thread_count; i++) {
        loy_thread_join(&process->threads[i]);
        well = well && !process->threads[i].failed;
    }
    return well;
}

static enum loy_err start(struct process *process, struct loy_http **ret_http, struct loy_error *error)
{
    enum loy_err err = loy_start_agree(&process->config, &process->start, error);
    err = err ? err : loy_start_instance(&process->config, &process->start, error);
    err = err ? err : loy_worker_revisions_start(&process->config, &process->revisions, error);
    if (err) {
        return err;
    }
    prepare_threads(process);
    err = start_http(process, ret_http, error);
    err = err ? err : start_threads(process, error);
    if (!err) {
        LOY_INFO("started", LOY_LOG_INT("threads", process->thread_count),
                 LOY_LOG_INT("incarnation", process->start.incarnation));
    }
    return err;
}

static int run(struct process *process)
{
    struct loy_error error = {0};
    struct loy_http *http = NULL;
    process->thread_count = (uint32_t)process->config.threads;
    process->threads = calloc(process->thread_count, sizeof *process->threads);
    process->metric_sources = calloc((size_t)process->thread_count * 2, sizeof *process->metric_sources);
    if (!process->threads || !process->metric_sources) {
        loy_error_set(&error, LOY_ERR_NO_MEMORY, "no memory for %u threads", process->thread_count);
    } else if (start(process, &http, &error) == LOY_OK) {
        while (!loy_signals_stop_asked()) {
            struct pollfd stop = {.fd = loy_signals_fd(), .events = POLLIN};
            (void)poll(&stop, 1, -1);
        }
        LOY_INFO("stopping");
        error.code = LOY_OK;
    }
    bool stopped_early = error.code != LOY_OK && loy_signals_stop_asked();
    if (error.code != LOY_OK && !stopped_early) {
        LOY_ERROR("start_failed", LOY_LOG_FAILURE(&error));
    }
    bool well = process->threads ? stop_threads(process) : false;
    loy_http_stop(http);
    loy_worker_revisions_stop(process->revisions);
    loy_seat_leave(&process->start.seat); /* who gets it has not to end a member that still leaves */
    LOY_INFO("stopped", LOY_LOG_BOOL("well", well && error.code == LOY_OK));
    return well && (error.code == LOY_OK || stopped_early) ? 0 : EXIT_FAILED;
}

/* Some twenty threads, most of them librdkafka's, hand memory to each other: with an arena each, what one of them frees
 * is no use to the others. And what a batch took is wanted by the next one: giving it back costs page faults. */
static void tame_malloc(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    (void)mallopt(M_TOP_PAD, MALLOC_PAD);
    (void)mallopt(M_TRIM_THRESHOLD, MALLOC_TRIM);
    (void)mallopt(M_MMAP_THRESHOLD, MALLOC_MMAP);
#endif
}

int main(int argc, char **argv)
{
    tame_malloc();
    struct process process = {0};
    struct loy_error error;
    struct loy_config_args args = {.program = LOY_CONFIG_WORKER, .argc = argc, .argv = argv, .environment = environ};
    if (loy_config_load(&args, &process.config, &error) != LOY_OK) {
        fprintf(stderr, "loyald-worker: %s\n", error.detail);
        return EXIT_USAGE;
    }
    if (loy_config_answer(stdout, &process.config, LOY_CONFIG_WORKER)) {
        return 0;
    }
    loy_log_open((enum loy_log_level)process.config.log_level, (enum loy_log_format)process.config.log_format, 2);
    if (loy_signals_open(&error) != LOY_OK) {
        LOY_ERROR("start_failed", LOY_LOG_FAILURE(&error));
        return EXIT_FAILED;
    }
    int status = run(&process);
    free(process.threads);
    free(process.metric_sources);
    loy_config_fini(&process.config);
    return status;
}
