#include "adapters/kafka/kafka.h"
#include "adapters/kafka/kafka_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SESSION_TIMEOUT_MS = 10000, RECORDS_A_LOOK = 64 };

/* --- errors and log lines ------------------------------------------------------------------------------------------
 */

/* The client retries on its own whatever can be retried: all but these is an outage. */
enum loy_err loy_kafka_err(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return LOY_OK;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return LOY_ERR_AGAIN;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return LOY_ERR_TOO_LARGE;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
        return LOY_ERR_TIMEOUT;
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return LOY_ERR_MISMATCH;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
        return LOY_ERR_CONFIG;
    default:
        return LOY_ERR_UNAVAILABLE;
    }
}

static void pass_log(const struct loy_kafka *kafka, rd_kafka_event_t *event)
{
    const char *facility = NULL, *text = NULL;
    int level = 0;
    /* CONFWARN comments on properties, at each start: ours are chosen (kafka_conf.c), there is nothing to be done. */
    if (kafka->config.log && rd_kafka_event_log(event, &facility, &text, &level) == 0 &&
        strcmp(facility, "CONFWARN") != 0) {
        kafka->config.log(kafka->config.log_self, level, text);
    }
}

bool loy_kafka_take_common(struct loy_kafka *kafka, const char *who, rd_kafka_t *client, rd_kafka_event_t *event,
                           struct loy_bus_event *ret_event)
{
    int type = rd_kafka_event_type(event);
    if (type == RD_KAFKA_EVENT_LOG) {
        pass_log(kafka, event);
        return false;
    }
    if (type != RD_KAFKA_EVENT_ERROR) {
        return false; /* the answer to a committed offset: only dashboards need it */
    }
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);
    bool fatal = rd_kafka_event_error_is_fatal(event) != 0;
    char why[LOY_ERROR_DETAIL_MAX] = "";
    if (fatal) {
        code = rd_kafka_fatal_error(client, why, sizeof why);
        text = why;
    }
    ret_event->kind = LOY_BUS_ERROR;
    enum loy_err err = loy_kafka_err(code);
    /* A producer that failed for good is replaced; a consumer only where its name was lost. */
    if (fatal && client == kafka->in.client) {
        kafka->in.fenced = code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
        err = kafka->in.fenced || loy_err_class(err) == LOY_CLASS_FATAL ? err : LOY_ERR_MISMATCH;
    }
    if (client == kafka->out.client) {
        err = LOY_ERR_UNAVAILABLE;
    }
    (void)loy_error_set(&ret_event->error, err, "Kafka %s: %s: %s", who, rd_kafka_err2name(code), text ? text : "");
    return true;
}

void loy_kafka_wake_by(const struct loy_kafka *kafka, rd_kafka_queue_t *queue)
{
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, kafka->wake_fd, &one, sizeof one);
}

/* --- the port ------------------------------------------------------------------------------------------------------
 */

/* While records come, the producer is asked for reports once in RECORDS_A_LOOK of them: asking takes a lock and the
 * time. */
static void poll_bus(void *self, struct loy_bus_event *ret_event)
{
    struct loy_kafka *kafka = self;
    bool look = kafka->records_before_look == 0;
    if (kafka->idle) {
        uint64_t ignored;
        (void)!read(kafka->wake_fd, &ignored, sizeof ignored);
    }
    kafka->idle = false;
    ret_event->kind = LOY_BUS_NOTHING;
    ret_event->error.code = LOY_OK;
    if (look && loy_kafka_producer_poll(kafka, ret_event)) {
        return; /* and there may be more: the next poll looks again */
    }
    if (loy_kafka_consumer_poll(kafka, ret_event)) {
        kafka->records_before_look = look ? RECORDS_A_LOOK : kafka->records_before_look - 1;
        return;
    }
    kafka->records_before_look = 0;
    if (!look && loy_kafka_producer_poll(kafka, ret_event)) {
        return;
    }
    ret_event->kind = LOY_BUS_NOTHING;
    kafka->idle = true;
}

static enum loy_err assign(void *self, const struct loy_bus_start *starts, uint32_t count, struct loy_error *error)
{
    struct loy_kafka *kafka = self;
    return loy_kafka_consumer_assign(&kafka->in, starts, count, error);
}

static void revoke_done(void *self)
{
    struct loy_kafka *kafka = self;
    loy_kafka_consumer_revoke_done(&kafka->in);
}

static void pause_k(void *self, int32_t k, int16_t topic)
{
    struct loy_kafka *kafka = self;
    loy_kafka_consumer_pause(&kafka->in, k, topic, true);
}

static void resume_k(void *self, int32_t k, int16_t topic)
{
    struct loy_kafka *kafka = self;
    loy_kafka_consumer_pause(&kafka->in, k, topic, false);
}

static enum loy_err seek(void *self, struct loy_position to, struct loy_error *error)
{
    struct loy_kafka *kafka = self;
    return loy_kafka_consumer_seek(&kafka->in, to, error);
}

static enum loy_err produce(void *self, const struct loy_bus_message *message, uint64_t cookie, struct loy_error *error)
{
    return loy_kafka_producer_produce(self, message, cookie, error);
}

static enum loy_err produce_many(void *self, const struct loy_bus_message *messages, uint32_t count, uint64_t cookie,
                                 uint32_t *ret_taken, struct loy_error *error)
{
    return loy_kafka_producer_produce_many(self, messages, count, cookie, ret_taken, error);
}

static void send_now(void *self)
{
    struct loy_kafka *kafka = self;
    loy_kafka_producer_send_now(&kafka->out);
}

static enum loy_err rebuild_producer(void *self, struct loy_error *error)
{
    return loy_kafka_producer_rebuild(self, error);
}

static void report_progress(void *self, const struct loy_bus_start *at, uint32_t count)
{
    struct loy_kafka *kafka = self;
    loy_kafka_consumer_report_progress(&kafka->in, at, count);
}

static int wake_fd(void *self)
{
    const struct loy_kafka *kafka = self;
    return kafka->wake_fd;
}

struct loy_bus loy_kafka_bus(struct loy_kafka *kafka)
{
    return (struct loy_bus){
        .poll = poll_bus,
        .assign = assign,
        .revoke_done = revoke_done,
        .pause = pause_k,
        .resume = resume_k,
        .seek = seek,
        .produce = produce,
        .produce_many = produce_many,
        .send_now = send_now,
        .rebuild_producer = rebuild_producer,
        .report_progress = report_progress,
        .wake_fd = wake_fd,
        .self = kafka,
    };
}

/* --- life ----------------------------------------------------------------------------------------------------------
 */

/* The producer is made anew long after new() returned: it needs its own copy of the strings. */
static enum loy_err copy_strings(struct loy_kafka *kafka, struct loy_error *error)
{
    struct loy_kafka_connection *c = &kafka->config.connection;
    const char **strings[] = {&c->brokers,
                              &c->security_protocol,
                              &c->sasl_mechanism,
                              &c->sasl_username,
                              &c->sasl_password,
                              &c->ssl_ca,
                              &c->ssl_certificate,
                              &c->ssl_key,
                              &c->client_id,
                              &kafka->config.group,
                              &kafka->config.instance,
                              &kafka->config.compression};
    enum { COUNT = sizeof strings / sizeof *strings };
    size_t size = 0;
    for (size_t i = 0; i < COUNT; i++) {
        size += *strings[i] ? strlen(*strings[i]) + 1 : 0;
    }
    char *at = kafka->text = malloc(size + 1);
    if (!at) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the Kafka client");
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (*strings[i]) {
            size_t bytes = strlen(*strings[i]) + 1;
            *strings[i] = memcpy(at, *strings[i], bytes);
            at += bytes;
        }
    }
    kafka->config.topics = NULL; /* the consumer has its copies */
    return LOY_OK;
}

static enum loy_err init(struct loy_kafka *kafka, const struct loy_kafka_config *config, struct loy_error *error)
{
    kafka->config = *config;
    bool consumes = config->group && *config->group;
    if (consumes && (config->topic_count < 1 || config->topic_count > LOY_TOPICS_MAX || config->partitions < 1)) {
        return loy_error_set(error, LOY_ERR_CONFIG,
                             "%d input topics of %d partitions: 1 to %d topics, at least 1 partition",
                             config->topic_count, config->partitions, (int)LOY_TOPICS_MAX);
    }
    if (kafka->config.session_timeout_ms <= 0) {
        kafka->config.session_timeout_ms = SESSION_TIMEOUT_MS;
    }
    kafka->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (kafka->wake_fd < 0) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no descriptor for the Kafka client");
    }
    enum loy_err err = consumes ? loy_kafka_consumer_init(kafka, error) : LOY_OK;
    if (!err) {
        err = copy_strings(kafka, error);
    }
    return err ? err : loy_kafka_producer_init(kafka, error);
}

struct loy_kafka *loy_kafka_new(const struct loy_kafka_config *config, struct loy_error *error)
{
    struct loy_kafka *kafka = calloc(1, sizeof *kafka);
    if (!kafka) {
        (void)loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the Kafka client");
        return NULL;
    }
    kafka->wake_fd = -1;
    if (init(kafka, config, error)) {
        loy_kafka_destroy(kafka);
        return NULL;
    }
    return kafka;
}

void loy_kafka_destroy(struct loy_kafka *kafka)
{
    if (!kafka) {
        return;
    }
    loy_kafka_producer_fini(&kafka->out);
    loy_kafka_consumer_fini(&kafka->in);
    if (kafka->wake_fd >= 0) {
        (void)close(kafka->wake_fd);
    }
    free(kafka->text);
    free(kafka);
}
