#include "adapters/kafka/kafka_conf.h"

#include <stdbool.h>
#include <stddef.h>

/* A number of the preprocessor as a property's text. */
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

enum { CONF_TEXT_MAX = 512 };

enum { ALL = 1 << LOY_KAFKA_CONSUMER | 1 << LOY_KAFKA_PRODUCER | 1 << LOY_KAFKA_ADMIN };
enum { IN = 1 << LOY_KAFKA_CONSUMER, OUT = 1 << LOY_KAFKA_PRODUCER };

static const struct property {
    const char *name;
    const char *value;
    int clients; /* bits, by enum loy_kafka_client */
    bool newer;  /* librdkafka 2.0.2 does not know it */
} properties[] = {
    {"log.queue", "true", IN | OUT, false},
    {"socket.keepalive.enable", "true", ALL, false},
    /* Nagle's algorithm keeps a small request back until the broker acknowledges the one before. */
    {"socket.nagle.disable", "true", ALL, false},
    /* After an outage be back within a second, not ten. */
    {"reconnect.backoff.max.ms", "1000", ALL, false},
    {"message.max.bytes", "4194304", ALL, false},

    /* Eager: all partitions k of every topic come and go together. Cooperative assignors split them. */
    {"partition.assignment.strategy", "range", IN, false},
    /* Offsets are PostgreSQL's; what the group knows is for dashboards. */
    {"enable.auto.commit", "false", IN, false},
    {"enable.auto.offset.store", "false", IN, false},
    /* Where fetching goes on when an offset is not in the log; consume.c sees it and says so. "error" would end it. */
    {"auto.offset.reset", "earliest", IN, false},
    {"enable.partition.eof", "true", IN, false},
    /* What an aborted transaction wrote never happened; its offsets are gaps. */
    {"isolation.level", "read_committed", IN, false},
    /* A topic that is created after us, or grows, is noticed; the default is five minutes. */
    {"topic.metadata.refresh.interval.ms", "10000", IN, false},
    /* A thread that stopped turning gives its partitions up. */
    {"max.poll.interval.ms", "60000", IN, false},
    /* Read ahead by a consumer, and what one answer brings on top of it, for each partition; the defaults are 100,000
     * records and 64 MiB a thread. When all of that is there librdkafka 2.0.2 looks again after a second only:
     * consume.c wakes it before the last of these records is handed out. A larger record comes all the same. */
    {"queued.min.messages", TEXT(LOY_KAFKA_AHEAD), IN, false},
    {"queued.max.messages.kbytes", "8192", IN, false},
    {"fetch.message.max.bytes", "262144", IN, false},
    {"fetch.max.bytes", "8388608", IN, false},
    /* Some dozens of records make an answer: each one costs the broker and us as much as a hundred records do, and
     * becomes a batch, whose transaction costs as much again. Where there is little to do, the time decides: an idle
     * consumer costs the broker fifty answers a second. At a fifth of what a machine of two cores could do, two threads
     * with 8 KiB took as much CPU time as with 64 KiB and 10 ms, and updates came as soon; 4 KiB took a quarter more of
     * PostgreSQL. A partition that is resumed joins the next request: the wait bounds how late a tick is read. */
    {"fetch.wait.max.ms", "20", IN, false},
    {"fetch.min.bytes", "8192", IN, false},
    /* How long fetching rests after an error or with a full queue; the queue holds more than what is worked then. */
    {"fetch.error.backoff.ms", "50", IN, false},
    {"fetch.queue.backoff.ms", "50", IN, true},

    /* In order and once a producer's life, or an error that makes the worker replay its outbox. */
    {"enable.idempotence", "true", OUT, false},
    {"enable.gapless.guarantee", "true", OUT, false},
    {"acks", "all", OUT, false},
    /* An outage delays messages, it never fails them. */
    {"message.timeout.ms", "0", OUT, false},
    /* A batch's messages come all at once. But a thread that loses its core in the middle of them for longer than this
     * has the rest sent one by one; and with messages of a partition under way and others waiting behind them, an
     * idempotent producer's thread turns without rest until the broker answers. 5 ms is what Kafka's own clients wait.
     */
    {"linger.ms", "5", OUT, false},
    /* Java's placing of a key. */
    {"partitioner", "murmur2_random", OUT, false},
    /* More than LOY_KAFKA_UNREPORTED_MAX and _BYTES_MAX: what is refused is refused before it comes here. */
    {"queue.buffering.max.messages", "1000000", OUT, false},
    {"queue.buffering.max.kbytes", "131072", OUT, false},
};

enum loy_err loy_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct loy_error *error)
{
    if (!value || !*value) {
        return LOY_OK;
    }
    char text[CONF_TEXT_MAX];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        return loy_error_set(error, LOY_ERR_CONFIG, "Kafka client: %s: %s", name, text);
    }
    return LOY_OK;
}

static enum loy_err set_properties(rd_kafka_conf_t *conf, enum loy_kafka_client client, struct loy_error *error)
{
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        const struct property *p = &properties[i];
        if (!(p->clients & 1 << client)) {
            continue;
        }
        char text[CONF_TEXT_MAX];
        rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, p->name, p->value, text, sizeof text);
        if (result == RD_KAFKA_CONF_UNKNOWN && p->newer) {
            continue;
        }
        if (result != RD_KAFKA_CONF_OK) {
            return loy_error_set(error, LOY_ERR_CONFIG, "Kafka client: %s: %s", p->name, text);
        }
    }
    return LOY_OK;
}

static enum loy_err set_connection(rd_kafka_conf_t *conf, const struct loy_kafka_connection *c, struct loy_error *error)
{
    const struct {
        const char *name, *value;
    } rows[] = {
        {"bootstrap.servers", c->brokers},
        {"security.protocol", c->security_protocol},
        {"sasl.mechanism", c->sasl_mechanism},
        {"sasl.username", c->sasl_username},
        {"sasl.password", c->sasl_password},
        {"ssl.ca.location", c->ssl_ca},
        {"ssl.certificate.location", c->ssl_certificate},
        {"ssl.key.location", c->ssl_key},
        {"client.id", c->client_id},
    };
    if (!c->brokers || !*c->brokers) {
        return loy_error_set(error, LOY_ERR_CONFIG, "Kafka client: no brokers named (host:port, …)");
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum loy_err err = loy_kafka_conf_set(conf, rows[i].name, rows[i].value, error);
        if (err) {
            return err;
        }
    }
    return LOY_OK;
}

enum loy_err loy_kafka_conf_new(enum loy_kafka_client client, const struct loy_kafka_connection *connection,
                                rd_kafka_conf_t **ret_conf, struct loy_error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum loy_err err = set_properties(conf, client, error);
    if (!err) {
        err = set_connection(conf, connection, error);
    }
    if (err) {
        rd_kafka_conf_destroy(conf);
        return err;
    }
    if (client == LOY_KAFKA_ADMIN) {
        rd_kafka_conf_set_log_cb(conf, NULL);
    }
    *ret_conf = conf;
    return LOY_OK;
}

enum loy_err loy_kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **ret_client,
                                  struct loy_error *error)
{
    char text[CONF_TEXT_MAX];
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        return loy_error_set(error, LOY_ERR_CONFIG, "Kafka client: %s", text);
    }
    /* Fails only where log.queue is not set: the admin client, which does not log. */
    (void)rd_kafka_set_log_queue(client, NULL);
    *ret_client = client;
    return LOY_OK;
}
