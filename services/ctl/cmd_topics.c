#include "adapters/kafka/admin.h"
#include "adapters/kafka/connection.h"
#include "ctl/commands.h"

#include <string.h>

enum { TOPICS_MAX = 14 + 6 }; /* inputs, as the configuration takes, and ours */

static uint32_t list_topics(const struct loy_config *config, struct loy_kafka_topic topics[TOPICS_MAX])
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < config->topics.count; i++) {
        topics[count++] = (struct loy_kafka_topic){config->topics.items[i], LOY_KAFKA_INPUT};
    }
    topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_internal), LOY_KAFKA_INPUT};
    topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_ticks), LOY_KAFKA_INPUT};
    topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_updates), LOY_KAFKA_UPDATES};
    topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_balances), LOY_KAFKA_BALANCES};
    topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_dead_letters), LOY_KAFKA_DEAD_LETTERS};
    if (config->topic_previews[0]) {
        topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_previews), LOY_KAFKA_UPDATES};
    }
    if (config->topic_outcomes[0]) {
        topics[count++] = (struct loy_kafka_topic){loy_str(config->topic_outcomes), LOY_KAFKA_UPDATES};
    }
    return count;
}

static void say(const struct loy_call *call, const struct loy_kafka_topics *wanted,
                const struct loy_kafka_topics_report *report)
{
    if (report->created > 0) {
        (void)printf("created %u topics\n", report->created);
    }
    if (report->no_admin) {
        (void)printf("this broker makes topics by itself (the embedded one does): nothing was created\n");
    }
    if (report->times_unverified) {
        (void)printf("the broker does not say whether it stamps the input topics itself (LogAppendTime): see to it\n");
    }
    for (uint32_t i = 0; i < wanted->count; i++) {
        (void)printf("%.*s is fine\n", LOY_STR_ARG(wanted->topics[i].name));
    }
    (void)printf("%u topics, input topics of %lld partitions\n", wanted->count, (long long)call->config->partitions);
}

enum loy_exit loy_cmd_topics(const struct loy_call *call)
{
    struct loy_kafka_topic topics[TOPICS_MAX];
    struct loy_kafka_connection connection = loy_kafka_connection_of(call->config, "loyalctl");
    struct loy_kafka_topics_report report = {0};
    struct loy_error error = {0};
    const struct loy_kafka_topics wanted = {
        .topics = topics,
        .count = list_topics(call->config, topics),
        .partitions = (int32_t)call->config->partitions,
        .replication = (int32_t)call->config->replication_factor,
    };
    enum loy_err err = LOY_OK;
    if (strcmp(call->words[0], "create") == 0) {
        err = loy_kafka_topics_create(&connection, &wanted, &report, &error);
    } else if (strcmp(call->words[0], "check") == 0) {
        err = loy_kafka_topics_check(&connection, &wanted, &report, &error);
    } else {
        err = loy_error_set(&error, LOY_ERR_CONFIG, "wanted: topics create, or topics check");
    }
    if (err) {
        return loy_call_failed(call, &error);
    }
    say(call, &wanted, &report);
    return LOY_EXIT_OK;
}
