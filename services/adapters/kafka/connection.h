/* Connection: the part of the configuration that says how to reach Kafka, the same for every program. Pure. */
#ifndef LOY_ADAPTERS_KAFKA_CONNECTION_H
#define LOY_ADAPTERS_KAFKA_CONNECTION_H

#include "adapters/kafka/kafka.h"
#include "runtime/config.h"

/* Borrows the configuration's texts; client_id is what the broker's logs and quotas call us. */
struct loy_kafka_connection loy_kafka_connection_of(const struct loy_config *config, const char *client_id);

#endif
