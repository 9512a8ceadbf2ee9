/* Connect: what commands need of the configuration to reach the services. */
#ifndef LOY_CTL_CONNECT_H
#define LOY_CTL_CONNECT_H

#include "adapters/kafka/kafka.h"
#include "runtime/config.h"

/* Borrows the configuration's texts. */
struct loy_kafka_connection loy_connection_of(const struct loy_config *config);

#endif
