#include "adapters/kafka/admin.h"
#include "adapters/kafka/kafka_conf.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    ANSWER_MS = 10000, /* of one request */
    TELL_MS = 2000,    /* of one that the embedded broker leaves without an answer, and that we can do without */
    APPEAR_TRIES = 50, /* until created topics stand in the metadata, */
    APPEAR_STEP_MS = 200,
    CONTROLLER_MS = 500,  /* it stands in the metadata just read */
    NAME_MAX_BYTES = 249, /* Kafka's own limit */
    SETTINGS_MAX = 4,
    TOPICS_AT_ONCE_MAX = 64,
    SCRAM_MENDED = 0x02060100, /* librdkafka#4895: before, its nonce was one that only Kafka 3 takes */
};

#define MESSAGE_BYTES "4194304" /* LOY_KAFKA_MESSAGE_BYTES_MAX */

/* What a topic of each purpose is created with; anything else is the cluster's default. */
static const struct setting {
    const char *name;
    const char *value;
    const char *before_3_6; /* its name for brokers that do not know the first one */
} settings[LOY_KAFKA_PURPOSES][SETTINGS_MAX] = {
    /* Arrival is the broker's clock: ours may be down when an event arrives, and a producer's may be wrong. */
    [LOY_KAFKA_INPUT] = {{"message.timestamp.type", "LogAppendTime", NULL}, {"max.message.bytes", MESSAGE_BYTES, NULL}},
    [LOY_KAFKA_UPDATES] = {{"max.message.bytes", MESSAGE_BYTES, NULL}},
    /* A stopped worker that wakes up much later cannot put an old balance over a newer one. */
    [LOY_KAFKA_BALANCES] = {{"cleanup.policy", "compact", NULL},
                            {"message.timestamp.before.max.ms", "600000", "message.timestamp.difference.max.ms"},
                            {"max.message.bytes", MESSAGE_BYTES, NULL}},
    [LOY_KAFKA_DEAD_LETTERS] = {{"retention.ms", "2592000000", NULL}, {"max.message.bytes", MESSAGE_BYTES, NULL}},
};

struct admin {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
};

static void admin_fini(struct admin *admin)
{
    if (admin->queue) {
        rd_kafka_queue_destroy(admin->queue);
    }
    if (admin->client) {
        rd_kafka_destroy(admin->client);
    }
}

static enum loy_err admin_init(const struct loy_kafka_connection *connection, struct admin *ret_admin,
                               struct loy_error *error)
{
    rd_kafka_conf_t *conf = NULL;
    enum loy_err err = loy_kafka_conf_new(LOY_KAFKA_ADMIN, connection, &conf, error);
    if (err) {
        return err;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR); /* for why_not */
    rd_kafka_t *client = NULL;
    err = loy_kafka_client_new(RD_KAFKA_PRODUCER, conf, &client, error);
    if (err) {
        return err;
    }
    *ret_admin = (struct admin){client, rd_kafka_queue_new(client)};
    return LOY_OK;
}

/* The caller destroys *ret_event. LOY_ERR_UNAVAILABLE, or LOY_ERR_NOT_FOUND for a broker without such calls. */
static enum loy_err await(const struct admin *admin, const char *what, int wait_ms, rd_kafka_event_t **ret_event,
                          struct loy_error *error)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, wait_ms);
    if (!event) {
        return loy_error_set(error, LOY_ERR_UNAVAILABLE, "%s: no answer from Kafka in %d s", what, wait_ms / 1000);
    }
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (!code) {
        *ret_event = event;
        return LOY_OK;
    }
    bool unsupported = code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE || code == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION;
    enum loy_err err = loy_error_set(error, unsupported ? LOY_ERR_NOT_FOUND : LOY_ERR_UNAVAILABLE, "%s: %s", what,
                                     rd_kafka_event_error_string(event));
    rd_kafka_event_destroy(event);
    return err;
}

/* --- what is there -------------------------------------------------------------------------------------------------
 */

/* A request that failed only tells that it failed. Why the brokers cannot be reached stands in the client's own events:
 * a certificate or a login that was refused says more than that all brokers are down. */
static enum loy_err why_not(const struct admin *admin, rd_kafka_resp_err_t code, struct loy_error *error)
{
    char why[LOY_ERROR_DETAIL_MAX / 2];
    (void)snprintf(why, sizeof why, "%s", rd_kafka_err2str(code));
    enum loy_err err = LOY_ERR_UNAVAILABLE;
    bool is_known = false;
    rd_kafka_queue_t *events = rd_kafka_queue_get_main(admin->client);
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(events, 0)); rd_kafka_event_destroy(event)) {
        rd_kafka_resp_err_t cause = rd_kafka_event_error(event);
        if (cause == RD_KAFKA_RESP_ERR__SSL || cause == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
            (void)snprintf(why, sizeof why, "%s", rd_kafka_event_error_string(event));
            err = cause == RD_KAFKA_RESP_ERR__AUTHENTICATION ? LOY_ERR_CONFIG : LOY_ERR_UNAVAILABLE;
            is_known = true;
        } else if (cause && !is_known) {
            (void)snprintf(why, sizeof why, "%s", rd_kafka_event_error_string(event));
        }
    }
    rd_kafka_queue_destroy(events);
    bool is_too_old = strstr(why, "SCRAM") && rd_kafka_version() < SCRAM_MENDED;
    return loy_error_set(error, err, "Kafka's topics cannot be read: %s%s%s%s", why,
                         is_too_old ? " (Kafka 4 refuses every SCRAM login by librdkafka before 2.6.1, and this is "
                                    : "",
                         is_too_old ? rd_kafka_version_str() : "", is_too_old ? ")" : "");
}

/* All topics: a request for one topic would create it, on the embedded broker and on clusters that allow that. */
static enum loy_err read_metadata(const struct admin *admin, const struct rd_kafka_metadata **ret_metadata,
                                  struct loy_error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_metadata(admin->client, 1, NULL, ret_metadata, ANSWER_MS);
    return code ? why_not(admin, code, error) : LOY_OK;
}

/* Admin calls go to the controller. The embedded broker names one that is not there, and librdkafka would look for it
 * until the call times out. */
static bool has_controller(const struct admin *admin, const struct rd_kafka_metadata *metadata)
{
    int32_t controller = rd_kafka_controllerid(admin->client, CONTROLLER_MS);
    for (int i = 0; i < metadata->broker_cnt; i++) {
        if (metadata->brokers[i].id == controller) {
            return true;
        }
    }
    return false;
}

/* -1: no such topic. */
static int32_t partitions_of(const struct rd_kafka_metadata *metadata, struct loy_str topic)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *t = &metadata->topics[i];
        if (!t->err && loy_str_equal(loy_str(t->topic), topic)) {
            return t->partition_cnt;
        }
    }
    return -1;
}

static enum loy_err check_partitions(const struct rd_kafka_metadata *metadata, const struct loy_kafka_topics *wanted,
                                     struct loy_error *error)
{
    for (uint32_t i = 0; i < wanted->count; i++) {
        const struct loy_kafka_topic *topic = &wanted->topics[i];
        int32_t partitions = partitions_of(metadata, topic->name);
        if (partitions < 0) {
            return loy_error_set(error, LOY_ERR_NOT_FOUND,
                                 "topic %.*s does not exist: create it with %" PRId32
                                 " partitions (loyalctl topics create; loyald-broker --topics)",
                                 LOY_STR_ARG(topic->name), wanted->partitions);
        }
        if (topic->purpose == LOY_KAFKA_INPUT && partitions != wanted->partitions) {
            return loy_error_set(error, LOY_ERR_MISMATCH,
                                 "topic %.*s has %" PRId32 " partitions, not %" PRId32
                                 ": all input topics must have the number that this installation was started with",
                                 LOY_STR_ARG(topic->name), partitions, wanted->partitions);
        }
    }
    return LOY_OK;
}

/* --- how its inputs are stamped ------------------------------------------------------------------------------------
 */

/* The value of message.timestamp.type; NULL when it is not told. */
static const char *timestamp_type(const rd_kafka_ConfigResource_t *resource)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count && !rd_kafka_ConfigResource_error(resource); i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "message.timestamp.type") == 0) {
            return rd_kafka_ConfigEntry_value(entries[i]);
        }
    }
    return NULL;
}

static rd_kafka_event_t *describe_inputs(const struct admin *admin, const struct loy_kafka_topics *wanted)
{
    rd_kafka_ConfigResource_t *inputs[TOPICS_AT_ONCE_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < wanted->count && count < TOPICS_AT_ONCE_MAX; i++) {
        const struct loy_kafka_topic *topic = &wanted->topics[i];
        char name[NAME_MAX_BYTES + 1];
        if (topic->purpose == LOY_KAFKA_INPUT && topic->name.len < sizeof name) {
            (void)snprintf(name, sizeof name, "%.*s", LOY_STR_ARG(topic->name));
            inputs[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
        }
    }
    rd_kafka_event_t *event = NULL;
    if (count > 0) {
        rd_kafka_DescribeConfigs(admin->client, inputs, count, NULL, admin->queue);
        if (await(admin, "describe topics", TELL_MS, &event, NULL)) {
            event = NULL; /* it does not tell, or not us: the report says so */
        }
    }
    rd_kafka_ConfigResource_destroy_array(inputs, count);
    return event;
}

static enum loy_err check_times(const struct admin *admin, const struct loy_kafka_topics *wanted,
                                struct loy_kafka_topics_report *report, struct loy_error *error)
{
    rd_kafka_event_t *event = describe_inputs(admin, wanted);
    report->times_unverified = !event;
    if (!event) {
        return LOY_OK;
    }
    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    enum loy_err err = LOY_OK;
    for (size_t i = 0; i < count && !err; i++) {
        const char *type = timestamp_type(resources[i]);
        report->times_unverified |= !type;
        if (type && strcmp(type, "LogAppendTime") != 0) {
            err = loy_error_set(error, LOY_ERR_MISMATCH,
                                "topic %s has message.timestamp.type=%s: an event's arrival must be the broker's time; "
                                "set it to LogAppendTime (kafka-configs.sh --alter)",
                                rd_kafka_ConfigResource_name(resources[i]), type);
        }
    }
    rd_kafka_event_destroy(event);
    return err;
}

static enum loy_err check(const struct admin *admin, const struct loy_kafka_topics *wanted,
                          struct loy_kafka_topics_report *report, struct loy_error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    enum loy_err err = read_metadata(admin, &metadata, error);
    if (err) {
        return err;
    }
    err = check_partitions(metadata, wanted, error);
    bool answers = has_controller(admin, metadata);
    rd_kafka_metadata_destroy(metadata);
    report->times_unverified = true;
    return err || !answers ? err : check_times(admin, wanted, report, error);
}

enum loy_err loy_kafka_topics_check(const struct loy_kafka_connection *connection,
                                    const struct loy_kafka_topics *wanted, struct loy_kafka_topics_report *ret_report,
                                    struct loy_error *error)
{
    *ret_report = (struct loy_kafka_topics_report){.times_unverified = true};
    struct admin admin = {0};
    enum loy_err err = admin_init(connection, &admin, error);
    if (!err) {
        err = check(&admin, wanted, ret_report, error);
    }
    admin_fini(&admin);
    return err;
}

/* --- creating ------------------------------------------------------------------------------------------------------
 */

static rd_kafka_NewTopic_t *new_topic(const struct loy_kafka_topics *wanted, const struct loy_kafka_topic *topic,
                                      bool before_3_6)
{
    char name[NAME_MAX_BYTES + 1];
    if (topic->name.len == 0 || topic->name.len >= sizeof name) {
        return NULL;
    }
    (void)snprintf(name, sizeof name, "%.*s", LOY_STR_ARG(topic->name));
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(name, wanted->partitions, wanted->replication, NULL, 0);
    for (int i = 0; made && i < SETTINGS_MAX && settings[topic->purpose][i].name; i++) {
        const struct setting *s = &settings[topic->purpose][i];
        const char *key = before_3_6 && s->before_3_6 ? s->before_3_6 : s->name;
        (void)rd_kafka_NewTopic_set_config(made, key, s->value);
    }
    return made;
}

/* One topic a request, so that its error is its own. *ret_code: what the broker said of it. */
static enum loy_err request(const struct admin *admin, rd_kafka_NewTopic_t *topic, rd_kafka_resp_err_t *ret_code,
                            struct loy_error *error)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, NULL, 0);
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, ANSWER_MS, NULL, 0);
    rd_kafka_CreateTopics(admin->client, &topic, 1, options, admin->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = NULL;
    enum loy_err err = await(admin, "create topics", ANSWER_MS + 1000, &event, error);
    if (err) {
        return err;
    }
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    *ret_code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (*ret_code) {
        const char *why = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
        (void)loy_error_set(error, LOY_ERR_CONFIG, "%s", why ? why : rd_kafka_err2str(*ret_code));
    }
    rd_kafka_event_destroy(event);
    return LOY_OK;
}

static enum loy_err create_one(const struct admin *admin, const struct loy_kafka_topics *wanted,
                               const struct loy_kafka_topic *topic, struct loy_kafka_topics_report *report,
                               struct loy_error *error)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_UNKNOWN;
    struct loy_error said = {.code = LOY_OK};
    for (int before_3_6 = 0; before_3_6 < 2; before_3_6++) {
        rd_kafka_NewTopic_t *made = new_topic(wanted, topic, before_3_6);
        if (!made) {
            return loy_error_set(error, LOY_ERR_CONFIG,
                                 "topic %.*s cannot be created: bad name or number of partitions",
                                 LOY_STR_ARG(topic->name));
        }
        enum loy_err err = request(admin, made, &code, &said);
        rd_kafka_NewTopic_destroy(made);
        if (err) {
            report->no_admin = err == LOY_ERR_NOT_FOUND;
            return report->no_admin ? LOY_OK : loy_error_set(error, err, "%s", said.detail);
        }
        if (code != RD_KAFKA_RESP_ERR_INVALID_CONFIG) {
            break;
        }
    }
    if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return loy_error_set(error, LOY_ERR_CONFIG, "topic %.*s cannot be created: %s", LOY_STR_ARG(topic->name),
                             said.detail);
    }
    report->created += code == RD_KAFKA_RESP_ERR_NO_ERROR;
    return LOY_OK;
}

static enum loy_err create_missing(const struct admin *admin, const struct loy_kafka_topics *wanted,
                                   struct loy_kafka_topics_report *report, struct loy_error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    enum loy_err err = read_metadata(admin, &metadata, error);
    report->no_admin = !err && !has_controller(admin, metadata);
    for (uint32_t i = 0; i < wanted->count && !err && !report->no_admin; i++) {
        if (partitions_of(metadata, wanted->topics[i].name) < 0) {
            err = create_one(admin, wanted, &wanted->topics[i], report, error);
        }
    }
    if (metadata) {
        rd_kafka_metadata_destroy(metadata);
    }
    return err;
}

enum loy_err loy_kafka_topics_create(const struct loy_kafka_connection *connection,
                                     const struct loy_kafka_topics *wanted, struct loy_kafka_topics_report *ret_report,
                                     struct loy_error *error)
{
    *ret_report = (struct loy_kafka_topics_report){.times_unverified = true};
    struct admin admin = {0};
    enum loy_err err = admin_init(connection, &admin, error);
    if (!err) {
        err = create_missing(&admin, wanted, ret_report, error);
    }
    /* A created topic stands in the metadata a little later. */
    int tries = ret_report->created > 0 ? APPEAR_TRIES : 1;
    for (enum loy_err seen = LOY_ERR_NOT_FOUND; !err && seen == LOY_ERR_NOT_FOUND && tries > 0; tries--) {
        seen = check(&admin, wanted, ret_report, error);
        if (seen != LOY_ERR_NOT_FOUND || tries == 1) {
            err = seen;
            break;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = APPEAR_STEP_MS * 1000000L}, NULL);
    }
    admin_fini(&admin);
    return err;
}
