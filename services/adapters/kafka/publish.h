/* Publish: a bulk producer for tools: blocking, one topic, its deliveries counted.
 *
 * Keys are placed by murmur2, as loyald expects them; records without a key anywhere. Not for the worker, whose adapter
 * (kafka.h) never blocks. One thread. Test: tests/integration/test_ctl_story.py. */
#ifndef LOY_ADAPTERS_KAFKA_PUBLISH_H
#define LOY_ADAPTERS_KAFKA_PUBLISH_H

#include "adapters/kafka/kafka.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct loy_publisher;

/* Where acknowledgements go: from inside send, poll and flush. failure NULL: delivered; else why not, for good. */
struct loy_publisher_listener {
    void (*delivered)(void *self, uint64_t cookie, const char *failure);
    void *self;
};

/* Connects: LOY_ERR_UNAVAILABLE when no broker answers, LOY_ERR_NOT_FOUND when there is no such topic. */
LOY_MUST_USE enum loy_err loy_publisher_new(const struct loy_kafka_connection *connection, const char *topic,
                                            const struct loy_publisher_listener *listener,
                                            struct loy_publisher **ret_publisher, struct loy_error *error);
/* Forgets what is not acknowledged; flush first. NULL is fine. */
void loy_publisher_destroy(struct loy_publisher *publisher);

/* Takes a copy; waits while the queue is full. key->at NULL: no key. */
LOY_MUST_USE enum loy_err loy_publisher_send(struct loy_publisher *publisher, struct loy_str key, struct loy_str value,
                                             uint64_t cookie, struct loy_error *error);
/* Serves acknowledgements, waiting for one at most so long. */
void loy_publisher_poll(struct loy_publisher *publisher, int timeout_ms);
/* Waits until everything is acknowledged, at most so long: LOY_ERR_TIMEOUT. */
LOY_MUST_USE enum loy_err loy_publisher_flush(struct loy_publisher *publisher, int timeout_ms, struct loy_error *error);

int32_t loy_publisher_partitions(const struct loy_publisher *publisher);
/* The offset that comes next in each of the topic's partitions, in one round trip a broker. */
LOY_MUST_USE enum loy_err loy_publisher_ends(struct loy_publisher *publisher, int64_t *ret_ends,
                                             struct loy_error *error);

#endif
