/* Start: what a worker makes sure of before it takes any work: topics, schema, installation.
 *
 * Blocking. Services that cannot be reached yet are waited for, for a while; what does not fit is refused with a
 * sentence. One thread. Test: tests/integration/test_how_it_fails.py. */
#ifndef LOY_WORKER_START_H
#define LOY_WORKER_START_H

#include "ports/store.h"
#include "runtime/config.h"
#include "runtime/seat.h"

enum { LOY_START_INSTANCE_MAX = 208 };

/* What was agreed. Texts are borrowed from the configuration. */
struct loy_start {
    struct loy_str topics[LOY_TOPICS_MAX]; /* the configured ones, the internal one, the ticks */
    uint16_t topic_count;
    int32_t incarnation;
    struct loy_seat seat;
    char instance[LOY_START_INSTANCE_MAX]; /* of this process in the group; empty: none */
};

LOY_MUST_USE enum loy_err loy_start_agree(const struct loy_config *config, struct loy_start *ret_start,
                                          struct loy_error *error);

/* Finds ret_start->instance, as `kafka_instance` wants it. The seat, if it takes one, is held from now on. */
LOY_MUST_USE enum loy_err loy_start_instance(const struct loy_config *config, struct loy_start *ret_start,
                                             struct loy_error *error);

#endif
