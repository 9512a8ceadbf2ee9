/* loyald-scheduler: sends a tick to every account that time alone changes. Any number may run. */
#include "adapters/kafka/connection.h"
#include "adapters/kafka/kafka.h"
#include "adapters/pg/pg.h"
#include "runtime/clock.h"
#include "runtime/config.h"
#include "runtime/http.h"
#include "runtime/log.h"
#include "runtime/signals.h"
#include "scheduler/scheduler.h"

#include <poll.h>
#include <stdio.h>

extern char **environ;

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static bool always(void *context, char why[LOY_HTTP_WHY_MAX])
{
    (void)context;
    (void)why;
    return true;
}

static struct loy_kafka *open_producer(const struct loy_config *config, struct loy_error *error)
{
    struct loy_kafka_config kafka = {.connection = loy_kafka_connection_of(config, "loyald-scheduler"),
                                     .partitions = (int32_t)config->partitions};
    return loy_kafka_new(&kafka, error);
}

static enum loy_err loop(struct loy_scheduler *scheduler, const struct loy_bus *bus, const struct loy_store *store,
                         struct loy_error *error)
{
    enum loy_err err = LOY_OK;
    while (!err && !loy_signals_stop_asked()) {
        int64_t wait_us;
        err = loy_scheduler_turn(scheduler, &wait_us, error);
        struct pollfd fds[3] = {
            {.fd = bus->wake_fd(bus->self), .events = POLLIN}, {.fd = -1}, {.fd = loy_signals_fd(), .events = POLLIN}};
        store->wait_on(store->self, &fds[1].fd, &fds[1].events);
        (void)poll(fds, 3, (int)((wait_us + 999) / 1000));
    }
    return err;
}

static enum loy_err run(const struct loy_config *config, struct loy_error *error)
{
    static struct loy_scheduler_metrics metrics;
    const void *source = &metrics;
    struct loy_metric_group group = {.sources = &source, .source_count = 1};
    struct loy_http *http = NULL;
    struct loy_pg *pg = NULL;
    struct loy_scheduler *scheduler = NULL;
    struct loy_clock clock = loy_clock_of_system();
    group.rows = loy_scheduler_metric_rows(&group.count);
    struct loy_http_config port = {.address = config->http_address,
                                   .port = (int)config->http_port,
                                   .is_live = always,
                                   .is_ready = always,
                                   .groups = &group,
                                   .group_count = 1};
    struct loy_pg_options options = {.conninfo = config->postgres};
    struct loy_kafka *kafka = open_producer(config, error);
    enum loy_err err = kafka ? loy_pg_new(&options, &pg, error) : error->code;
    if (!err && config->http_port >= 0) {
        err = loy_http_start(&port, &http, error);
    }
    if (!err) {
        struct loy_bus bus = loy_kafka_bus(kafka);
        struct loy_store store = loy_pg_store(pg);
        struct loy_scheduler_config scheduling = {.topic_ticks = loy_str(config->topic_ticks),
                                                  .interval_us = config->scan_interval_ms * 1000,
                                                  .limit = (uint32_t)config->tick_batch};
        scheduler = loy_scheduler_new(&scheduling, &bus, &store, &clock, &metrics, error);
        LOY_INFO("started", LOY_LOG_INT("http_port", http ? loy_http_port(http) : -1));
        err = scheduler ? loop(scheduler, &bus, &store, error) : error->code;
    }
    loy_scheduler_destroy(scheduler);
    loy_http_stop(http);
    loy_pg_destroy(pg);
    loy_kafka_destroy(kafka); /* ticks under way are found again by the next look */
    return err;
}

int main(int argc, char **argv)
{
    struct loy_config config;
    struct loy_error error = {0};
    struct loy_config_args args = {.program = LOY_CONFIG_SCHEDULER, .argc = argc, .argv = argv, .environment = environ};
    if (loy_config_load(&args, &config, &error) != LOY_OK) {
        fprintf(stderr, "loyald-scheduler: %s\n", error.detail);
        return EXIT_USAGE;
    }
    if (loy_config_answer(stdout, &config, LOY_CONFIG_SCHEDULER)) {
        return 0;
    }
    loy_log_open((enum loy_log_level)config.log_level, (enum loy_log_format)config.log_format, 2);
    enum loy_err err = loy_signals_open(&error);
    if (!err) {
        err = run(&config, &error);
    }
    if (err) {
        LOY_ERROR("scheduler_failed", LOY_LOG_FAILURE(&error));
    }
    LOY_INFO("stopped", LOY_LOG_BOOL("well", err == LOY_OK));
    loy_config_fini(&config);
    return err ? EXIT_FAILED : 0;
}
