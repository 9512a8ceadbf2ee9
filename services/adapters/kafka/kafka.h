/* Kafka: the bus port over librdkafka, one consumer of the group and one producer a thread.
 *
 * Everything comes through librdkafka's event queues, none of its callbacks is used. Works with librdkafka 2.0.2
 * and 2.8.0; why what is as it is stands in docs/adr/kafka-client.md. One thread a bus (librdkafka starts its own
 * beside it). Blocks only in new and destroy, and in rebuild_producer while the old producer's threads end. Tests:
 * tests/unit/test_kafka_config.c, tests/contract/contract_bus.c, tests/integration/test_bus.py. */
#ifndef LOY_ADAPTERS_KAFKA_KAFKA_H
#define LOY_ADAPTERS_KAFKA_KAFKA_H

#include "base/err.h"
#include "base/str.h"
#include "ports/bus.h"

#include <stdint.h>

struct loy_kafka;

enum { LOY_KAFKA_MESSAGE_BYTES_MAX = 4 * 1024 * 1024 }; /* of one message, with key and headers, before compression */

/* How to reach the cluster. Borrowed during the call they are given to. NULL or "": librdkafka's default. */
struct loy_kafka_connection {
    const char *brokers;           /* host:port, … */
    const char *security_protocol; /* plaintext, ssl, sasl_plaintext, sasl_ssl */
    const char *sasl_mechanism;    /* PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI, OAUTHBEARER */
    const char *sasl_username;
    const char *sasl_password;
    const char *ssl_ca; /* paths of PEM files */
    const char *ssl_certificate;
    const char *ssl_key;
    const char *client_id; /* what the broker's logs and quotas call us */
};

struct loy_kafka_config {
    struct loy_kafka_connection connection;
    const char *group; /* NULL or "": a producer only; poll then gives delivery reports and errors */
    /* Nobody else's in the group: who joins under it after our death gets our partitions at once, and two who have it
     * end the older one. Letters, digits, . _ -; NULL or "": a member without a name. */
    const char *instance;
    const struct loy_str *topics; /* the installation's input topics, in its order */
    uint16_t topic_count;         /* 1 to LOY_TOPICS_MAX (ports/store.h) */
    int32_t partitions;           /* N */
    const char *compression;      /* of what is produced: none, lz4, zstd, snappy, gzip; NULL or "": none */
    int session_timeout_ms;       /* a member silent for so long loses its partitions; 0: 10 000 */
    /* librdkafka's own log lines, level as in syslog(3); called from poll. NULL: they are dropped. */
    void (*log)(void *log_self, int level, const char *text);
    void *log_self;
};

/* Joins the group in the background: an unreachable cluster is no error here, but news of poll. NULL and *error when
 * the configuration cannot work. */
struct loy_kafka *loy_kafka_new(const struct loy_kafka_config *config, struct loy_error *error);
/* Leaves the group at once (no session time-out) and forgets what was not acknowledged. NULL is fine. */
void loy_kafka_destroy(struct loy_kafka *kafka);

/* The port; valid until destroy. UNDELIVERED carries in `error` why. */
struct loy_bus loy_kafka_bus(struct loy_kafka *kafka);

#endif
