#include "adapters/kafka/kafka_internal.h"

#include <inttypes.h>
#include <string.h>

bool loy_kafka_take_away(struct loy_kafka_consumer *in, enum loy_bus_event_kind kind, struct loy_bus_event *ret_event)
{
    uint32_t count = 0;
    for (int32_t k = 0; k < in->partitions; k++) {
        if (in->owned[k]) {
            in->list[count++] = k;
        }
    }
    if (count == 0) {
        loy_kafka_assign_nothing(in);
        return false;
    }
    in->revoking = true;
    ret_event->kind = kind;
    ret_event->partitions = in->list;
    ret_event->partition_count = count;
    return true;
}

/* Which topics of each k are in the list. An input with more partitions than agreed stops the process. */
static enum loy_err collect(struct loy_kafka_consumer *in, const rd_kafka_topic_partition_list_t *list,
                            struct loy_error *error)
{
    memset(in->topics_of, 0, (size_t)in->partitions * sizeof *in->topics_of);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        int16_t topic = loy_kafka_topic_at(in, p->topic);
        if (topic < 0) {
            continue;
        }
        if (p->partition >= in->partitions) {
            return loy_error_set(error, LOY_ERR_MISMATCH,
                                 "topic %s has a partition %" PRId32 ", but the installation has %" PRId32
                                 " partitions: all input topics must have as many",
                                 p->topic, p->partition, in->partitions);
        }
        in->topics_of[p->partition] |= 1U << topic;
    }
    return LOY_OK;
}

/* The group gave some topics of k, not all. A topic nobody has seen yet is waited for; another count is for people. */
static void say_incomplete(const struct loy_kafka_consumer *in, int32_t k, uint32_t seen,
                           struct loy_bus_event *ret_event)
{
    int16_t missing = 0;
    while (in->topics_of[k] & 1U << missing) {
        missing++;
    }
    ret_event->kind = LOY_BUS_ERROR;
    if (seen & 1U << missing) {
        (void)loy_error_set(&ret_event->error, LOY_ERR_MISMATCH,
                            "the group gave partition %" PRId32
                            " of other topics but not of %s: the input topics have different numbers of partitions, "
                            "or a member of the group uses another assignor",
                            k, in->topics[missing]);
        return;
    }
    (void)loy_error_set(&ret_event->error, LOY_ERR_UNAVAILABLE,
                        "topic %s is not there yet: waiting for it (loyalctl topics create)", in->topics[missing]);
}

static bool take_assignment(struct loy_kafka_consumer *in, const rd_kafka_topic_partition_list_t *list,
                            struct loy_bus_event *ret_event)
{
    if (collect(in, list, &ret_event->error)) {
        loy_kafka_assign_nothing(in);
        ret_event->kind = LOY_BUS_ERROR;
        return true;
    }
    uint32_t all = (1U << in->topic_count) - 1, seen = 0, count = 0;
    int32_t incomplete = -1;
    for (int32_t k = 0; k < in->partitions; k++) {
        seen |= in->topics_of[k];
        if (in->topics_of[k] == all) {
            in->owned[k] = true;
            in->list[count++] = k;
        } else if (in->topics_of[k] && incomplete < 0) {
            incomplete = k;
        }
    }
    if (incomplete >= 0) {
        memset(in->owned, 0, (size_t)in->partitions * sizeof *in->owned);
        loy_kafka_assign_nothing(in);
        say_incomplete(in, incomplete, seen, ret_event);
        return true;
    }
    loy_kafka_assign_paused(in, list);
    ret_event->kind = LOY_BUS_ASSIGNED;
    ret_event->partitions = in->list;
    ret_event->partition_count = count;
    return count > 0;
}

bool loy_kafka_take_rebalance(struct loy_kafka_consumer *in, rd_kafka_event_t **event, struct loy_bus_event *ret_event)
{
    if (rd_kafka_event_error(*event) != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        bool lost = rd_kafka_assignment_lost(in->client) != 0;
        return loy_kafka_take_away(in, lost ? LOY_BUS_LOST : LOY_BUS_REVOKED, ret_event);
    }
    for (int32_t k = 0; k < in->partitions; k++) {
        if (in->owned[k]) {
            /* The group went on without asking for what we held. */
            in->stashed = *event;
            *event = NULL;
            return loy_kafka_take_away(in, LOY_BUS_LOST, ret_event);
        }
    }
    return take_assignment(in, rd_kafka_event_topic_partition_list(*event), ret_event);
}
