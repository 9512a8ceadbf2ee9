/* Lag: how many records of a topic the workers have not worked yet, from PostgreSQL and Kafka.
 *
 * The sum over the topic's partitions of (the offset that comes next) - (the partition row's next offset); what the
 * consumer group has told Kafka plays no part. One thread. Test: tests/integration/test_ctl_story.py. */
#ifndef LOY_CTL_LAG_H
#define LOY_CTL_LAG_H

#include "adapters/kafka/publish.h"
#include "adapters/pg/query.h"
#include "base/err.h"

#include <stdint.h>

/* Before any worker has started, everything is lag. LOY_ERR_CONFIG when the installation has no such input topic. */
LOY_MUST_USE enum loy_err loy_lag_read(struct loy_query *query, struct loy_publisher *publisher, const char *topic,
                                       int64_t *ret_lag, struct loy_error *error);

#endif
