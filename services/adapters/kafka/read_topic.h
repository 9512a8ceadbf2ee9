/* Read topic: a topic's records from its start to where it ended when we looked, a partition at a time, for tools.
 *
 * Joins no group. Blocking. One thread. Test: tests/integration/test_audit.py. */
#ifndef LOY_ADAPTERS_KAFKA_READ_TOPIC_H
#define LOY_ADAPTERS_KAFKA_READ_TOPIC_H

#include "adapters/kafka/kafka.h"
#include "base/err.h"
#include "ports/bus.h"

#include <stdbool.h>
#include <stdint.h>

struct loy_topic_reader;

/* Connects: LOY_ERR_UNAVAILABLE when no broker answers, LOY_ERR_NOT_FOUND when there is no such topic. topic is
 * borrowed until destroy. */
LOY_MUST_USE enum loy_err loy_topic_reader_new(const struct loy_kafka_connection *connection, const char *topic,
                                               struct loy_topic_reader **ret_reader, struct loy_error *error);
void loy_topic_reader_destroy(struct loy_topic_reader *reader);

int32_t loy_topic_reader_partitions(const struct loy_topic_reader *reader);

/* Goes to a place of a partition (at least 0; too early means its first record), and notes where it ends now.
 * *ret_first: the first offset that the broker still has; *ret_end: the one that comes next. */
LOY_MUST_USE enum loy_err loy_topic_reader_start(struct loy_topic_reader *reader, int32_t partition, int64_t offset,
                                                 int64_t *ret_first, int64_t *ret_end, struct loy_error *error);
/* The next record, borrowed until the next call; LOY_ERR_NOT_FOUND at the end; LOY_ERR_TIMEOUT when the broker does
 * not answer. */
LOY_MUST_USE enum loy_err loy_topic_reader_next(struct loy_topic_reader *reader, struct loy_record *ret_record,
                                                struct loy_error *error);

#endif
