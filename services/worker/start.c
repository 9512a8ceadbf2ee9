#include "worker/start.h"

#include "adapters/kafka/admin.h"
#include "adapters/kafka/connection.h"
#include "adapters/pg/installation.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/signals.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    WAIT_FOR_SERVICES_MS = 30000,
    TRY_AGAIN_MS = 500,
    OUTPUTS_MAX = 5,
};

static enum loy_err list_topics(const struct loy_config *config, struct loy_start *start, struct loy_error *error)
{
    if (config->topics.count + 2 > LOY_TOPICS_MAX) {
        return loy_error_set(error, LOY_ERR_CONFIG, "topics names %u topics: at most %d", config->topics.count,
                             LOY_TOPICS_MAX - 2);
    }
    for (uint16_t i = 0; i < config->topics.count; i++) {
        start->topics[i] = config->topics.items[i];
    }
    start->topics[config->topics.count] = loy_str(config->topic_internal);
    start->topics[config->topics.count + 1] = loy_str(config->topic_ticks);
    start->topic_count = (uint16_t)(config->topics.count + 2);
    return LOY_OK;
}

static enum loy_err check_topics(const struct loy_config *config, struct loy_start *start, struct loy_error *error)
{
    struct loy_kafka_topic topics[LOY_TOPICS_MAX + OUTPUTS_MAX];
    uint32_t count = 0;
    for (uint16_t i = 0; i < start->topic_count; i++) {
        topics[count++] = (struct loy_kafka_topic){start->topics[i], LOY_KAFKA_INPUT};
    }
    topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_updates), LOY_KAFKA_UPDATES};
    topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_balances), LOY_KAFKA_BALANCES};
    topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_dead_letters), LOY_KAFKA_DEAD_LETTERS};
    if (*config->topic_previews) {
        topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_previews), LOY_KAFKA_UPDATES};
    }
    if (*config->topic_outcomes) {
        topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_outcomes), LOY_KAFKA_UPDATES};
    }
    struct loy_kafka_connection connection = loy_kafka_connection_of(config, "loyald-start");
    struct loy_kafka_topics wanted = {topics, count, (int32_t)config->partitions, 1};
    struct loy_kafka_topics_report report;
    enum loy_err err = loy_kafka_topics_check(&connection, &wanted, &report, error);
    if (!err && report.times_unverified) {
        LOY_WARN("topic_times_unverified",
                 LOY_LOG_TEXT("advice", "this broker does not tell whether input topics use LogAppendTime"));
    }
    return err;
}

static enum loy_err agree_installation(const struct loy_config *config, struct loy_start *start,
                                       struct loy_error *error)
{
    struct loy_installation_state state;
    struct loy_installation wanted = {.topics = start->topics,
                                      .topic_count = start->topic_count,
                                      .partitions = (int32_t)config->partitions,
                                      .group = loy_str(config->group)};
    enum loy_err err = loy_installation_agree(config->postgres, &wanted, true, &state, error);
    if (!err) {
        start->incarnation = state.incarnation;
    }
    return err;
}

/* Calls a step until it works, refuses, or has had no answer for too long. */
static enum loy_err wait_for(enum loy_err (*step)(const struct loy_config *, struct loy_start *, struct loy_error *),
                             const char *event, const struct loy_config *config, struct loy_start *start,
                             struct loy_error *error)
{
    for (int waited_ms = 0;; waited_ms += TRY_AGAIN_MS) {
        enum loy_err err = step(config, start, error);
        if (loy_err_class(err) != LOY_CLASS_RETRY || waited_ms >= WAIT_FOR_SERVICES_MS || loy_signals_stop_asked()) {
            return err;
        }
        if (waited_ms == 0) {
            LOY_LOG(LOY_LOG_WARN, event, LOY_LOG_FAILURE(error));
        }
        struct pollfd stop = {.fd = loy_signals_fd(), .events = POLLIN};
        (void)poll(&stop, 1, TRY_AGAIN_MS);
    }
}

enum loy_err loy_start_agree(const struct loy_config *config, struct loy_start *ret_start, struct loy_error *error)
{
    enum loy_err err = list_topics(config, ret_start, error);
    if (!err) {
        err = wait_for(check_topics, "waiting_for_kafka", config, ret_start, error);
    }
    return err ? err : wait_for(agree_installation, "waiting_for_postgresql", config, ret_start, error);
}

/* Without a seat a worker is a member without a name: its successor waits for the end of the session, nothing else. */
static void take_seat(const struct loy_config *config, struct loy_start *start)
{
    struct loy_str what[] = {loy_str(config->kafka_brokers), loy_str(config->group)};
    struct loy_error error;
    if (loy_seat_take(what, sizeof what / sizeof *what, &start->seat, &error) != LOY_OK) {
        LOY_WARN("no_seat", LOY_LOG_FAILURE(&error));
        return;
    }
    (void)snprintf(start->instance, sizeof start->instance, "%s", start->seat.name);
}

enum loy_err loy_start_instance(const struct loy_config *config, struct loy_start *ret_start, struct loy_error *error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *name = config->kafka_instance;
    ret_start->seat.held = false;
    ret_start->instance[0] = '\0';
    if (strcmp(name, "auto") == 0) {
        take_seat(config, ret_start);
        return LOY_OK;
    }
    if (name[strspn(name, allowed)] != '\0') {
        return loy_error_set(error, LOY_ERR_CONFIG, "kafka_instance: only letters, digits, '.', '_' and '-'");
    }
    (void)snprintf(ret_start->instance, sizeof ret_start->instance, "%s", name);
    return LOY_OK;
}
