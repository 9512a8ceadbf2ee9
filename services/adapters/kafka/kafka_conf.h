/* librdkafka's configuration: which properties we set, and why, in one table a client.
 *
 * Not pure: allocates librdkafka's objects. Any thread. Test: tests/unit/test_kafka_config.c. */
#ifndef LOY_ADAPTERS_KAFKA_KAFKA_CONF_H
#define LOY_ADAPTERS_KAFKA_KAFKA_CONF_H

#include "adapters/kafka/kafka.h"
#include "base/err.h"

#include <librdkafka/rdkafka.h>

/* With so many records read ahead by a consumer, of all its partitions together, librdkafka asks for no more. */
#define LOY_KAFKA_AHEAD 2000

enum loy_kafka_client { LOY_KAFKA_CONSUMER, LOY_KAFKA_PRODUCER, LOY_KAFKA_ADMIN };

/* Everything but the group and its time-out. The caller owns *ret_conf. LOY_ERR_CONFIG names the property refused. */
LOY_MUST_USE enum loy_err loy_kafka_conf_new(enum loy_kafka_client client,
                                             const struct loy_kafka_connection *connection, rd_kafka_conf_t **ret_conf,
                                             struct loy_error *error);
/* One property more; an empty or NULL value is none. */
LOY_MUST_USE enum loy_err loy_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                                             struct loy_error *error);
/* A client whose log lines come as events of its main queue. Takes conf, also on failure. */
LOY_MUST_USE enum loy_err loy_kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **ret_client,
                                               struct loy_error *error);

#endif
