#include "adapters/kafka/kafka_conf.h"
#include "adapters/kafka/kafka_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SENT_FIRST = 1024, FLUSH_MS = 1 };

static_assert(sizeof(void *) >= sizeof(uint64_t), "a number travels through librdkafka as a pointer");

enum loy_err loy_kafka_producer_init(struct loy_kafka *kafka, struct loy_error *error)
{
    struct loy_kafka_producer *out = &kafka->out;
    rd_kafka_conf_t *conf = NULL;
    enum loy_err err = loy_kafka_conf_new(LOY_KAFKA_PRODUCER, &kafka->config.connection, &conf, error);
    if (err) {
        return err;
    }
    err = loy_kafka_conf_set(conf, "compression.codec", kafka->config.compression, error);
    if (err) {
        rd_kafka_conf_destroy(conf);
        return err;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
    err = loy_kafka_client_new(RD_KAFKA_PRODUCER, conf, &out->client, error);
    if (err) {
        return err;
    }
    out->queue = rd_kafka_queue_get_main(out->client);
    loy_kafka_wake_by(kafka, out->queue);
    out->many = calloc(LOY_KAFKA_MANY_MAX, sizeof *out->many);
    return out->many ? LOY_OK : loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the Kafka producer");
}

/* Reports that are still to come die with the queue. */
void loy_kafka_producer_fini(struct loy_kafka_producer *out)
{
    if (!out->client) {
        return;
    }
    if (out->reports) {
        rd_kafka_event_destroy(out->reports);
    }
    (void)rd_kafka_purge(out->client,
                         RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    for (uint32_t i = 0; i < out->output_count; i++) {
        rd_kafka_topic_destroy(out->outputs[i].topic);
    }
    rd_kafka_queue_io_event_enable(out->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(out->queue);
    rd_kafka_destroy(out->client);
    free(out->sent);
    free(out->many);
    *out = (struct loy_kafka_producer){0};
}

enum loy_err loy_kafka_producer_rebuild(struct loy_kafka *kafka, struct loy_error *error)
{
    loy_kafka_producer_fini(&kafka->out);
    return loy_kafka_producer_init(kafka, error);
}

/* The client's object of an output topic, made when first seen. */
static enum loy_err find_output(struct loy_kafka_producer *out, struct loy_str name, uint32_t *ret_output,
                                struct loy_error *error)
{
    for (uint32_t i = 0; i < out->output_count; i++) {
        if (loy_str_equal((struct loy_str){out->outputs[i].name, out->outputs[i].name_length}, name)) {
            *ret_output = i;
            return LOY_OK;
        }
    }
    if (name.len == 0 || name.len > LOY_KAFKA_TOPIC_NAME_MAX || out->output_count == LOY_KAFKA_OUTPUTS_MAX) {
        return loy_error_set(error, LOY_ERR_CONFIG, "topic %.*s cannot be written to: bad name, or over %d topics",
                             LOY_STR_ARG(name), (int)LOY_KAFKA_OUTPUTS_MAX);
    }
    struct loy_kafka_output *output = &out->outputs[out->output_count];
    memcpy(output->name, name.at, name.len);
    output->name[name.len] = '\0';
    output->name_length = name.len;
    output->topic = rd_kafka_topic_new(out->client, output->name, NULL);
    if (!output->topic) {
        return loy_error_set(error, LOY_ERR_CONFIG, "topic %s: %s", output->name,
                             rd_kafka_err2str(rd_kafka_last_error()));
    }
    *ret_output = out->output_count++;
    return LOY_OK;
}

/* NULL when there are none, or memory is short (then *ret_failed). */
static rd_kafka_headers_t *make_headers(const struct loy_bus_message *message, bool *ret_failed)
{
    *ret_failed = false;
    if (message->header_count == 0) {
        return NULL;
    }
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
    for (uint32_t i = 0; i < message->header_count; i++) {
        const struct loy_header *h = &message->headers[i];
        /* A header's empty value is not a null one, and librdkafka tells them apart by the pointer. */
        const void *value = h->value.at;
        if (rd_kafka_header_add(headers, h->name.at, (ssize_t)h->name.len, value, (ssize_t)h->value.len)) {
            rd_kafka_headers_destroy(headers);
            *ret_failed = true;
            return NULL;
        }
    }
    return headers;
}

/* An empty key or value is told from a null one by its pointer. */
static const char *told_from_null(bool is_there, struct loy_str text)
{
    return is_there ? (text.at ? text.at : "") : NULL;
}

static enum loy_err enqueue(rd_kafka_t *client, rd_kafka_topic_t *topic, const struct loy_bus_message *m,
                            uint64_t number, struct loy_error *error)
{
    bool failed;
    rd_kafka_headers_t *headers = make_headers(m, &failed);
    if (failed) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the headers of a message");
    }
    const char *value = told_from_null(m->has_value, m->value);
    const char *key = told_from_null(m->has_key, m->key);
    rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = m->partition >= 0 ? m->partition : RD_KAFKA_PARTITION_UA},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, value ? m->value.len : 0}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, key ? m->key.len : 0}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)number},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof fields / sizeof *fields - (headers ? 0 : 1);
    rd_kafka_error_t *refused = rd_kafka_produceva(client, fields, count);
    if (!refused) {
        return LOY_OK; /* and the headers are librdkafka's */
    }
    if (headers) {
        rd_kafka_headers_destroy(headers);
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(refused);
    enum loy_err err = loy_error_set(error, loy_kafka_err(code), "topic %s: %s", rd_kafka_topic_name(topic),
                                     rd_kafka_error_string(refused));
    rd_kafka_error_destroy(refused);
    return err;
}

/* After a fatal error the client takes nothing more: it is replaced, once its last report has come. */
static enum loy_err replace_if_fatal(struct loy_kafka *kafka, struct loy_error *error)
{
    struct loy_kafka_producer *out = &kafka->out;
    if (out->client && rd_kafka_fatal_error(out->client, NULL, 0) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return LOY_OK;
    }
    if (out->unreported > 0) {
        return loy_error_set(error, LOY_ERR_AGAIN, "the Kafka producer has failed; its last reports are under way");
    }
    return loy_kafka_producer_rebuild(kafka, error);
}

static struct loy_kafka_sent *sent_at(const struct loy_kafka_producer *out, uint64_t number)
{
    assert(number >= out->first && number < out->next);
    return &out->sent[number & (out->sent_capacity - 1)];
}

static size_t bytes_of(const struct loy_bus_message *message)
{
    return (message->has_key ? message->key.len : 0) + (message->has_value ? message->value.len : 0);
}

/* So many of `count` may be under way beside what is; one, of whatever size, where nothing is. */
static uint32_t room_for(const struct loy_kafka_producer *out, const struct loy_bus_message *messages, uint32_t count)
{
    size_t bytes = out->unreported_bytes;
    uint32_t fit = 0;
    while (fit < count && out->unreported + fit < LOY_KAFKA_UNREPORTED_MAX &&
           (bytes += bytes_of(&messages[fit])) <= LOY_KAFKA_UNREPORTED_BYTES_MAX) {
        fit++;
    }
    return fit == 0 && count > 0 && out->unreported == 0 ? 1 : fit;
}

/* Room in the ring for `more`. */
static enum loy_err grow(struct loy_kafka_producer *out, uint32_t more, struct loy_error *error)
{
    uint64_t count = out->next - out->first;
    if (count + more <= out->sent_capacity) {
        return LOY_OK;
    }
    uint32_t capacity = out->sent_capacity ? out->sent_capacity * 2 : SENT_FIRST;
    struct loy_kafka_sent *larger = calloc(capacity, sizeof *larger);
    if (!larger) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for %u messages under way", capacity);
    }
    for (uint64_t i = out->first; i < out->next; i++) {
        larger[i & (capacity - 1)] = *sent_at(out, i);
    }
    free(out->sent);
    out->sent = larger;
    out->sent_capacity = capacity;
    return LOY_OK;
}

static void count_sent(struct loy_kafka_producer *out, const struct loy_bus_message *message, uint64_t cookie)
{
    out->next++;
    out->unreported++;
    out->unreported_bytes += bytes_of(message);
    *sent_at(out, out->next - 1) = (struct loy_kafka_sent){.cookie = cookie};
}

enum loy_err loy_kafka_producer_produce(struct loy_kafka *kafka, const struct loy_bus_message *message, uint64_t cookie,
                                        struct loy_error *error)
{
    struct loy_kafka_producer *out = &kafka->out;
    enum loy_err err = replace_if_fatal(kafka, error);
    if (!err && room_for(out, message, 1) == 0) {
        err = loy_error_set(error, LOY_ERR_AGAIN, "too much waits for the broker's acknowledgement");
    }
    if (!err) {
        err = grow(out, 1, error);
    }
    uint32_t output = 0;
    if (!err) {
        err = find_output(out, message->topic, &output, error);
    }
    if (!err) {
        err = enqueue(out->client, out->outputs[output].topic, message, out->next, error);
    }
    if (!err) {
        count_sent(out, message, cookie);
    }
    return err;
}

/* Those of the messages that go to this output, in one call: librdkafka then looks at the time, and at the topic, once.
 * They have their numbers already: the first is `number`. Not RD_KAFKA_MSG_F_COPY: the values are the caller's until
 * they are reported (keys are copied in any case). */
static enum loy_err enqueue_output(struct loy_kafka_producer *out, uint8_t output, const uint8_t *outputs,
                                   const struct loy_bus_message *messages, uint32_t count, uint64_t number,
                                   struct loy_error *error)
{
    rd_kafka_topic_t *topic = out->outputs[output].topic;
    int some = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct loy_bus_message *m = &messages[i];
        if (outputs[i] != output) {
            continue;
        }
        const char *value = told_from_null(m->has_value, m->value);
        const char *key = told_from_null(m->has_key, m->key);
        out->many[some++] = (rd_kafka_message_t){.partition = m->partition >= 0 ? m->partition : RD_KAFKA_PARTITION_UA,
                                                 .payload = (void *)(uintptr_t)value,
                                                 .len = value ? m->value.len : 0,
                                                 .key = (void *)(uintptr_t)key,
                                                 .key_len = key ? m->key.len : 0,
                                                 ._private = (void *)(uintptr_t)(number + i)};
    }
    if (some == 0 ||
        rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_PARTITION, out->many, some) == some) {
        return LOY_OK;
    }
    int failed = 0;
    while (failed < some - 1 && !out->many[failed].err) {
        failed++;
    }
    rd_kafka_resp_err_t code = out->many[failed].err;
    return loy_error_set(error, loy_kafka_err(code), "topic %s: %s", out->outputs[output].name, rd_kafka_err2str(code));
}

/* Messages without headers, LOY_KAFKA_MANY_MAX at the most. */
static enum loy_err enqueue_plain(struct loy_kafka_producer *out, const struct loy_bus_message *messages,
                                  uint32_t count, uint64_t cookie, struct loy_error *error)
{
    uint8_t outputs[LOY_KAFKA_MANY_MAX];
    static_assert(LOY_KAFKA_OUTPUTS_MAX <= UINT8_MAX, "an output's place is a byte");
    uint64_t number = out->next;
    enum loy_err err = grow(out, count, error);
    for (uint32_t i = 0; i < count && !err; i++) {
        uint32_t output = 0;
        err = find_output(out, messages[i].topic, &output, error);
        outputs[i] = (uint8_t)output;
    }
    for (uint32_t i = 0; i < count && !err; i++) {
        count_sent(out, &messages[i], cookie);
    }
    for (uint8_t i = 0; i < out->output_count && !err; i++) {
        err = enqueue_output(out, i, outputs, messages, count, number, error);
    }
    return err;
}

enum loy_err loy_kafka_producer_produce_many(struct loy_kafka *kafka, const struct loy_bus_message *messages,
                                             uint32_t count, uint64_t cookie, uint32_t *ret_taken,
                                             struct loy_error *error)
{
    struct loy_kafka_producer *out = &kafka->out;
    enum loy_err err = replace_if_fatal(kafka, error);
    uint32_t fit = err ? 0 : room_for(out, messages, count);
    *ret_taken = 0;
    while (*ret_taken < fit && !err) {
        const struct loy_bus_message *next = &messages[*ret_taken];
        uint32_t plain = 0;
        while (*ret_taken + plain < fit && plain < LOY_KAFKA_MANY_MAX && next[plain].header_count == 0) {
            plain++;
        }
        err = plain ? enqueue_plain(out, next, plain, cookie, error)
                    : loy_kafka_producer_produce(kafka, next, cookie, error);
        *ret_taken += err ? 0 : plain ? plain : 1;
    }
    if (!err && fit < count) {
        err = loy_error_set(error, LOY_ERR_AGAIN, "too much waits for the broker's acknowledgement");
    }
    return err;
}

/* A flush ends all lingering, but only while it lasts: librdkafka wakes its threads for it and does not wait until they
 * looked. That takes them some hundred microseconds, and the caller has nothing to do. */
void loy_kafka_producer_send_now(struct loy_kafka_producer *out)
{
    if (out->client && out->sent_now < out->next) {
        out->sent_now = out->next;
        (void)rd_kafka_flush(out->client, FLUSH_MS);
    }
}

/* The oldest messages, once they are acknowledged: those of one cookie. */
static bool take_delivered(struct loy_kafka_producer *out, struct loy_bus_event *ret_event)
{
    ret_event->count = 0;
    for (; out->first < out->next && sent_at(out, out->first)->reported; out->first++) {
        uint64_t cookie = sent_at(out, out->first)->cookie;
        if (ret_event->count > 0 && cookie != ret_event->cookie) {
            break;
        }
        ret_event->cookie = cookie;
        ret_event->count++;
    }
    if (ret_event->count == 0) {
        return false;
    }
    ret_event->kind = LOY_BUS_DELIVERED;
    return true;
}

/* Reads the batch of reports at hand up to a failure. True: *ret_event tells of that one. */
static bool take_reports(struct loy_kafka_producer *out, struct loy_bus_event *ret_event)
{
    const rd_kafka_message_t *message;
    while (out->reports && (message = rd_kafka_event_message_next(out->reports))) {
        struct loy_kafka_sent *sent = sent_at(out, (uint64_t)(uintptr_t)message->_private);
        out->unreported--;
        out->unreported_bytes -= message->key_len + message->len;
        if (message->err) {
            /* Never marked: what follows it is not told to be delivered before a rebuild forgets it. */
            ret_event->kind = LOY_BUS_UNDELIVERED;
            ret_event->cookie = sent->cookie;
            ret_event->count = 1;
            (void)loy_error_set(&ret_event->error, loy_kafka_err(message->err), "topic %s: not delivered: %s",
                                rd_kafka_topic_name(message->rkt), rd_kafka_err2str(message->err));
            return true;
        }
        sent->reported = true;
    }
    if (out->reports) {
        rd_kafka_event_destroy(out->reports);
        out->reports = NULL;
    }
    return false;
}

bool loy_kafka_producer_poll(struct loy_kafka *kafka, struct loy_bus_event *ret_event)
{
    struct loy_kafka_producer *out = &kafka->out;
    if (!out->client) {
        return false;
    }
    for (int i = 0; i < LOY_KAFKA_SKIP_MAX; i++) {
        if (take_delivered(out, ret_event) || take_reports(out, ret_event) || take_delivered(out, ret_event)) {
            return true;
        }
        rd_kafka_event_t *event = rd_kafka_queue_poll(out->queue, 0);
        if (!event) {
            return false;
        }
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            out->reports = event;
            continue;
        }
        bool told = loy_kafka_take_common(kafka, "producer", out->client, event, ret_event);
        rd_kafka_event_destroy(event);
        if (told) {
            return true;
        }
    }
    return false;
}
