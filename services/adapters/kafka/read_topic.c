#include "adapters/kafka/read_topic.h"

#include "adapters/kafka/kafka_conf.h"

#include <stdlib.h>

enum {
    ANSWER_MS = 15000,
    HEADERS_MAX = 64,
};

struct loy_topic_reader {
    rd_kafka_t *client;
    const char *topic;
    int32_t partitions;
    int32_t partition;
    int64_t end; /* of the partition being read */
    int64_t next;
    rd_kafka_message_t *message; /* lent out */
    struct loy_header headers[HEADERS_MAX];
};

static enum loy_err look_up(struct loy_topic_reader *reader, const char *brokers, struct loy_error *error)
{
    const rd_kafka_metadata_t *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(reader->client, reader->topic, NULL);
    rd_kafka_resp_err_t code =
        topic ? rd_kafka_metadata(reader->client, 0, topic, &metadata, ANSWER_MS) : rd_kafka_last_error();
    if (topic) {
        rd_kafka_topic_destroy(topic);
    }
    if (code) {
        return loy_error_set(error, LOY_ERR_UNAVAILABLE,
                             "Kafka cannot be reached at %s: %s (LOYALD_KAFKA_BROKERS or --kafka-brokers says where)",
                             brokers, rd_kafka_err2str(code));
    }
    reader->partitions = metadata && metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    return reader->partitions > 0
               ? LOY_OK
               : loy_error_set(error, LOY_ERR_NOT_FOUND,
                               "there is no topic %s: `loyalctl topics create` makes the topics", reader->topic);
}

/* Beside what every client of ours has. No group is joined, but assigning partitions by hand wants a name for one. */
static enum loy_err set_up(rd_kafka_conf_t *conf, struct loy_error *error)
{
    static const char *const properties[][2] = {
        {"group.id", "loyalctl"},         {"fetch.wait.max.ms", "10"},       {"enable.auto.commit", "false"},
        {"enable.partition.eof", "true"}, {"auto.offset.reset", "earliest"}, {"queued.max.messages.kbytes", "16384"},
    };
    enum loy_err err = LOY_OK;
    for (size_t i = 0; !err && i < sizeof properties / sizeof properties[0]; i++) {
        err = loy_kafka_conf_set(conf, properties[i][0], properties[i][1], error);
    }
    return err;
}

enum loy_err loy_topic_reader_new(const struct loy_kafka_connection *connection, const char *topic,
                                  struct loy_topic_reader **ret_reader, struct loy_error *error)
{
    rd_kafka_conf_t *conf = NULL;
    struct loy_topic_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a consumer");
    }
    reader->topic = topic;
    reader->partition = -1;
    enum loy_err err = loy_kafka_conf_new(LOY_KAFKA_ADMIN, connection, &conf, error);
    err = err ? err : set_up(conf, error);
    if (err) {
        goto fail;
    }
    err = loy_kafka_client_new(RD_KAFKA_CONSUMER, conf, &reader->client, error);
    conf = NULL;
    if (err) {
        goto fail;
    }
    (void)rd_kafka_poll_set_consumer(reader->client);
    err = look_up(reader, connection->brokers, error);
    if (err) {
        goto fail;
    }
    *ret_reader = reader;
    return LOY_OK;
fail:
    if (conf) {
        rd_kafka_conf_destroy(conf);
    }
    loy_topic_reader_destroy(reader);
    return err;
}

static void give_back(struct loy_topic_reader *reader)
{
    if (reader->message) {
        rd_kafka_message_destroy(reader->message);
        reader->message = NULL;
    }
}

void loy_topic_reader_destroy(struct loy_topic_reader *reader)
{
    if (!reader) {
        return;
    }
    give_back(reader);
    if (reader->client) {
        (void)rd_kafka_consumer_close(reader->client);
        rd_kafka_destroy(reader->client);
    }
    free(reader);
}

int32_t loy_topic_reader_partitions(const struct loy_topic_reader *reader)
{
    return reader->partitions;
}

enum loy_err loy_topic_reader_start(struct loy_topic_reader *reader, int32_t partition, int64_t offset,
                                    int64_t *ret_first, int64_t *ret_end, struct loy_error *error)
{
    int64_t low = 0, high = 0;
    give_back(reader);
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(reader->client, reader->topic, partition, &low, &high, ANSWER_MS);
    if (!code) {
        reader->partition = partition;
        reader->end = high;
        reader->next = offset > low ? offset : low;
        *ret_first = low;
        *ret_end = high;
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, reader->topic, partition)->offset = reader->next;
        code = rd_kafka_assign(reader->client, list);
        rd_kafka_topic_partition_list_destroy(list);
    }
    return code ? loy_error_set(error, LOY_ERR_UNAVAILABLE, "topic %s, partition %d cannot be read: %s", reader->topic,
                                partition, rd_kafka_err2str(code))
                : LOY_OK;
}

static void fill(struct loy_topic_reader *reader, struct loy_record *record)
{
    const rd_kafka_message_t *message = reader->message;
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    *record = (struct loy_record){
        .position = {.topic = 0, .partition = message->partition, .offset = message->offset},
        .timestamp_us = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms * 1000,
        .has_key = message->key != NULL,
        .has_value = message->payload != NULL,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
        .headers = reader->headers,
    };
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *value = NULL;
    size_t size = 0;
    if (rd_kafka_message_headers(message, &headers)) {
        return;
    }
    for (size_t i = 0; i < HEADERS_MAX && !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
        reader->headers[record->header_count++] = (struct loy_header){loy_str(name), {value, size}};
    }
}

enum loy_err loy_topic_reader_next(struct loy_topic_reader *reader, struct loy_record *ret_record,
                                   struct loy_error *error)
{
    while (reader->next < reader->end) {
        give_back(reader);
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->client, ANSWER_MS);
        if (!message) {
            return loy_error_set(error, LOY_ERR_TIMEOUT, "topic %s, partition %d: no answer from Kafka in %d s",
                                 reader->topic, reader->partition, ANSWER_MS / 1000);
        }
        reader->message = message;
        bool ours = message->partition == reader->partition && message->rkt &&
                    strcmp(rd_kafka_topic_name(message->rkt), reader->topic) == 0;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && ours) {
            break;
        }
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && ours && message->offset >= reader->next) {
            reader->next = message->offset + 1;
            if (message->offset >= reader->end) {
                break;
            }
            fill(reader, ret_record);
            return LOY_OK;
        }
        if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF &&
            message->err != RD_KAFKA_RESP_ERR__TRANSPORT) {
            return loy_error_set(error, LOY_ERR_UNAVAILABLE, "topic %s, partition %d cannot be read: %s", reader->topic,
                                 reader->partition, rd_kafka_message_errstr(message));
        }
        /* Else a connection that is made again, or what is left of a partition read before. */
    }
    give_back(reader);
    return LOY_ERR_NOT_FOUND;
}
