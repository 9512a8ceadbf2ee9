#include "adapters/kafka/publish.h"

#include "adapters/kafka/kafka_conf.h"

#include <stdlib.h>

enum {
    ANSWER_MS = 15000, /* the longest wait for a broker's answer */
    FULL_WAIT_MS = 100,
};

struct loy_publisher {
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    struct loy_publisher_listener listener;
    int32_t partitions;
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *self)
{
    (void)client;
    const struct loy_publisher *publisher = self;
    publisher->listener.delivered(publisher->listener.self, (uint64_t)(uintptr_t)message->_private,
                                  message->err ? rd_kafka_err2str(message->err) : NULL);
}

/* Beside what every client of ours has. A tool gives up on a record after two minutes; a worker never does. */
static enum loy_err set_up(rd_kafka_conf_t *conf, struct loy_error *error)
{
    static const char *const properties[][2] = {
        {"enable.idempotence", "true"},
        {"message.timeout.ms", "120000"},
        {"linger.ms", "10"},
        {"compression.codec", "lz4"},
        {"partitioner", "murmur2_random"},
        {"queue.buffering.max.messages", "50000"},
        {"queue.buffering.max.kbytes", "65536"},
    };
    enum loy_err err = LOY_OK;
    for (size_t i = 0; !err && i < sizeof properties / sizeof properties[0]; i++) {
        err = loy_kafka_conf_set(conf, properties[i][0], properties[i][1], error);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return err;
}

static enum loy_err look_up(struct loy_publisher *publisher, const char *brokers, const char *topic,
                            struct loy_error *error)
{
    const rd_kafka_metadata_t *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(publisher->client, 0, publisher->topic, &metadata, ANSWER_MS);
    if (code) {
        return loy_error_set(error, LOY_ERR_UNAVAILABLE,
                             "Kafka cannot be reached at %s: %s (LOYALD_KAFKA_BROKERS or --kafka-brokers says where)",
                             brokers, rd_kafka_err2str(code));
    }
    publisher->partitions = metadata && metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (publisher->partitions == 0) {
        return loy_error_set(error, LOY_ERR_NOT_FOUND,
                             "there is no topic %s: `loyalctl topics create` makes the topics", topic);
    }
    return LOY_OK;
}

enum loy_err loy_publisher_new(const struct loy_kafka_connection *connection, const char *topic,
                               const struct loy_publisher_listener *listener, struct loy_publisher **ret_publisher,
                               struct loy_error *error)
{
    rd_kafka_conf_t *conf = NULL;
    struct loy_publisher *publisher = calloc(1, sizeof *publisher);
    if (!publisher) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a producer");
    }
    publisher->listener = *listener;
    enum loy_err err = loy_kafka_conf_new(LOY_KAFKA_ADMIN, connection, &conf, error);
    err = err ? err : set_up(conf, error);
    if (err) {
        goto fail;
    }
    rd_kafka_conf_set_opaque(conf, publisher);
    err = loy_kafka_client_new(RD_KAFKA_PRODUCER, conf, &publisher->client, error);
    conf = NULL;
    if (err) {
        goto fail;
    }
    publisher->topic = rd_kafka_topic_new(publisher->client, topic, NULL);
    err = publisher->topic ? look_up(publisher, connection->brokers, topic, error)
                           : loy_error_set(error, LOY_ERR_CONFIG, "'%s' cannot be the name of a topic", topic);
    if (err) {
        goto fail;
    }
    *ret_publisher = publisher;
    return LOY_OK;
fail:
    if (conf) {
        rd_kafka_conf_destroy(conf);
    }
    loy_publisher_destroy(publisher);
    return err;
}

void loy_publisher_destroy(struct loy_publisher *publisher)
{
    if (!publisher) {
        return;
    }
    if (publisher->topic) {
        rd_kafka_topic_destroy(publisher->topic);
    }
    if (publisher->client) {
        /* Nothing is reported any more while it goes. */
        (void)rd_kafka_purge(publisher->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(publisher->client);
    }
    free(publisher);
}

enum loy_err loy_publisher_send(struct loy_publisher *publisher, struct loy_str key, struct loy_str value,
                                uint64_t cookie, struct loy_error *error)
{
    for (;;) {
        int failed = rd_kafka_produce(publisher->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                      (void *)(uintptr_t)value.at, value.len, key.at, key.len,
                                      (void *)(uintptr_t)cookie); // NOLINT(performance-no-int-to-ptr)
        rd_kafka_resp_err_t code = failed ? rd_kafka_last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            (void)rd_kafka_poll(publisher->client, 0);
            return LOY_OK;
        }
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            return loy_error_set(error,
                                 code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? LOY_ERR_TOO_LARGE : LOY_ERR_UNAVAILABLE,
                                 "Kafka refuses a record of %zu bytes: %s", value.len, rd_kafka_err2str(code));
        }
        (void)rd_kafka_poll(publisher->client, FULL_WAIT_MS);
    }
}

void loy_publisher_poll(struct loy_publisher *publisher, int timeout_ms)
{
    (void)rd_kafka_poll(publisher->client, timeout_ms);
}

enum loy_err loy_publisher_flush(struct loy_publisher *publisher, int timeout_ms, struct loy_error *error)
{
    if (rd_kafka_flush(publisher->client, timeout_ms)) {
        return loy_error_set(error, LOY_ERR_TIMEOUT, "Kafka has not acknowledged %d records in %d ms",
                             rd_kafka_outq_len(publisher->client), timeout_ms);
    }
    return LOY_OK;
}

int32_t loy_publisher_partitions(const struct loy_publisher *publisher)
{
    return publisher->partitions;
}

enum loy_err loy_publisher_ends(struct loy_publisher *publisher, int64_t *ret_ends, struct loy_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(publisher->partitions);
    const char *topic = rd_kafka_topic_name(publisher->topic);
    for (int32_t partition = 0; partition < publisher->partitions; partition++) {
        /* "The offset at a time": at the end of time. */
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset = RD_KAFKA_OFFSET_END;
    }
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(publisher->client, list, ANSWER_MS);
    for (int i = 0; !code && i < list->cnt; i++) {
        code = list->elems[i].err;
        ret_ends[list->elems[i].partition] = list->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code ? loy_error_set(error, LOY_ERR_UNAVAILABLE, "Kafka does not say how long topic %s is: %s", topic,
                                rd_kafka_err2str(code))
                : LOY_OK;
}
