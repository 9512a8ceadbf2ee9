#include "adapters/kafka/connection.h"

struct loy_kafka_connection loy_kafka_connection_of(const struct loy_config *config, const char *client_id)
{
    return (struct loy_kafka_connection){
        .brokers = config->kafka_brokers,
        .security_protocol = config->kafka_security_protocol,
        .sasl_mechanism = config->kafka_sasl_mechanism,
        .sasl_username = config->kafka_sasl_username,
        .sasl_password = config->kafka_sasl_password,
        .ssl_ca = config->kafka_ssl_ca,
        .ssl_certificate = config->kafka_ssl_certificate,
        .ssl_key = config->kafka_ssl_key,
        .client_id = client_id,
    };
}
