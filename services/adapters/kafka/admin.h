/* Topics: what each is for, creating them, and whether what is there can work.
 *
 * Blocking, for starts and for loyalctl; never on a worker's path. Any thread. Test: tests/integration/test_bus.py. */
#ifndef LOY_ADAPTERS_KAFKA_ADMIN_H
#define LOY_ADAPTERS_KAFKA_ADMIN_H

#include "adapters/kafka/kafka.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What a topic is for; kafka/admin.c has a row of settings for each. */
enum loy_kafka_purpose {
    LOY_KAFKA_INPUT,        /* events, internal, ticks: the broker's clock stamps them */
    LOY_KAFKA_UPDATES,      /* one message for every event that changed something; outcomes too */
    LOY_KAFKA_BALANCES,     /* each member's latest balance: compacted */
    LOY_KAFKA_DEAD_LETTERS, /* kept long enough for people */
    LOY_KAFKA_PURPOSES
};

struct loy_kafka_topic {
    struct loy_str name;
    enum loy_kafka_purpose purpose;
};

struct loy_kafka_topics {
    const struct loy_kafka_topic *topics;
    uint32_t count;
    int32_t partitions;  /* of every topic */
    int32_t replication; /* used by create only */
};

struct loy_kafka_topics_report {
    uint32_t created;      /* by this call */
    bool no_admin;         /* the broker takes no admin calls (the embedded one): nothing was created */
    bool times_unverified; /* it did not tell (or not us) whether inputs use LogAppendTime */
};

/* Creates those that are missing, as their purpose asks, and then checks all as below. Existing topics are not
 * changed. */
LOY_MUST_USE enum loy_err loy_kafka_topics_create(const struct loy_kafka_connection *connection,
                                                  const struct loy_kafka_topics *wanted,
                                                  struct loy_kafka_topics_report *ret_report, struct loy_error *error);

/* LOY_ERR_NOT_FOUND, LOY_ERR_MISMATCH: a topic is missing, an input has another number of partitions or the producer's
 * timestamps, and *error says which and what to do. LOY_ERR_UNAVAILABLE: nobody answered. Outputs need only exist, and
 * may have any number of partitions. *ret_report is written also on failure. */
LOY_MUST_USE enum loy_err loy_kafka_topics_check(const struct loy_kafka_connection *connection,
                                                 const struct loy_kafka_topics *wanted,
                                                 struct loy_kafka_topics_report *ret_report, struct loy_error *error);

#endif
