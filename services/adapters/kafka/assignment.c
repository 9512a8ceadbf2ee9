#include "adapters/kafka/kafka_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

struct loy_kafka_slot *loy_kafka_slot(const struct loy_kafka_consumer *in, int16_t topic, int32_t k)
{
    assert(topic >= 0 && topic < in->topic_count && k >= 0 && k < in->partitions);
    return &in->slots[(size_t)topic * (size_t)in->partitions + (size_t)k];
}

int16_t loy_kafka_topic_at(const struct loy_kafka_consumer *in, const char *name)
{
    for (int16_t t = 0; t < (int16_t)in->topic_count; t++) {
        if (strcmp(in->topics[t], name) == 0) {
            return t;
        }
    }
    return -1;
}

/* librdkafka gets one assignment a rebalance and never another in between: 2.0.2 and 2.8.0 abort on an assignment that
 * meets fetchers of the one before, still stopping. So everything is assigned paused, and assign() seeks and resumes.
 */

/* A refusal means that the client is closing or fenced, and an event says so. */
static void assign(struct loy_kafka_consumer *in, const rd_kafka_topic_partition_list_t *list)
{
    memset(in->started, 0, (size_t)in->partitions * sizeof *in->started);
    (void)rd_kafka_assign(in->client, list);
}

void loy_kafka_assign_nothing(struct loy_kafka_consumer *in)
{
    assign(in, NULL);
}

void loy_kafka_assign_paused(struct loy_kafka_consumer *in, const rd_kafka_topic_partition_list_t *given)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(given->cnt);
    for (int i = 0; i < given->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &given->elems[i];
        int16_t topic = loy_kafka_topic_at(in, p->topic);
        if (topic >= 0 && p->partition < in->partitions && in->owned[p->partition]) {
            /* Any offset: what is fetched before the pause is outdated by it, and dropped. */
            rd_kafka_topic_partition_list_add(list, p->topic, p->partition)->offset = 0;
            loy_kafka_slot(in, topic, p->partition)->paused = true;
        }
    }
    assign(in, list);
    if (list->cnt > 0) {
        (void)rd_kafka_pause_partitions(in->client, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

int64_t loy_kafka_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Fetches from the offsets of the list from now on; what was fetched and not handed out is dropped. A thread of the
 * client's own answers, without the network. librdkafka 2.0.2 waits for so many µs where it should be ms, and then
 * tells of a time-out: asked again, which is harmless, it comes to the same. */
static enum loy_err seek(struct loy_kafka_consumer *in, rd_kafka_topic_partition_list_t *list, struct loy_error *error)
{
    enum { ANSWER_MS = 1000 };
    int64_t until = loy_kafka_now_ms() + ANSWER_MS;
    rd_kafka_error_t *refused = rd_kafka_seek_partitions(in->client, list, ANSWER_MS);
    while (refused && rd_kafka_error_code(refused) == RD_KAFKA_RESP_ERR__TIMED_OUT && loy_kafka_now_ms() < until) {
        rd_kafka_error_destroy(refused);
        refused = rd_kafka_seek_partitions(in->client, list, ANSWER_MS);
    }
    if (refused) {
        (void)loy_error_set(error, LOY_ERR_UNAVAILABLE, "Kafka seek: %s", rd_kafka_error_string(refused));
        rd_kafka_error_destroy(refused);
        return LOY_ERR_UNAVAILABLE;
    }
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        if (p->err) {
            return loy_error_set(error, LOY_ERR_UNAVAILABLE, "Kafka seek: topic %s, partition %" PRId32 ": %s",
                                 p->topic, p->partition, rd_kafka_err2str(p->err));
        }
    }
    return LOY_OK;
}

static void place(struct loy_kafka_consumer *in, rd_kafka_topic_partition_list_t *list, struct loy_position to)
{
    struct loy_kafka_slot *slot = loy_kafka_slot(in, to.topic, to.partition);
    slot->next = to.offset;
    slot->went_back = false;
    rd_kafka_topic_partition_list_add(list, in->topics[to.topic], to.partition)->offset = to.offset;
}

static void resume(struct loy_kafka_consumer *in, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        loy_kafka_slot(in, loy_kafka_topic_at(in, list->elems[i].topic), list->elems[i].partition)->paused = false;
    }
    (void)rd_kafka_resume_partitions(in->client, list);
}

/* Where nothing else is fetched, what was resumed is fetched only when the thread of that broker's connection looks
 * around, once a second: resuming does not wake it, a seek does. */
static void wake(struct loy_kafka_consumer *in, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        p->offset = loy_kafka_slot(in, loy_kafka_topic_at(in, p->topic), p->partition)->next;
    }
    enum loy_err ignored = seek(in, list, NULL);
    (void)ignored; /* then it is fetched a little later */
}

/* By a seek that nobody waits for, of what has least to lose: a paused topic was not read ahead, and the last one
 * (ticks) is small. It goes to where that stands, so nothing changes but that the fetcher looks around. */
void loy_kafka_wake_fetcher(struct loy_kafka_consumer *in)
{
    int32_t k = 0;
    while (k < in->partitions && !in->started[k]) {
        k++;
    }
    if (k == in->partitions || in->revoking) {
        return;
    }
    int16_t topic = (int16_t)(in->topic_count - 1);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, in->topics[topic], k)->offset = loy_kafka_slot(in, topic, k)->next;
    rd_kafka_error_t *ignored = rd_kafka_seek_partitions(in->client, list, 0);
    if (ignored) {
        rd_kafka_error_destroy(ignored); /* then it is fetched a little later */
    }
    rd_kafka_topic_partition_list_destroy(list);
}

enum loy_err loy_kafka_consumer_assign(struct loy_kafka_consumer *in, const struct loy_bus_start *starts,
                                       uint32_t count, struct loy_error *error)
{
    if (in->revoking || in->fenced || count == 0) {
        return LOY_OK; /* what is being taken is not started any more */
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count * in->topic_count);
    for (uint32_t i = 0; i < count; i++) {
        int32_t k = starts[i].k;
        if (k < 0 || k >= in->partitions || !in->owned[k]) {
            continue;
        }
        for (int16_t t = 0; t < (int16_t)in->topic_count; t++) {
            place(in, list, (struct loy_position){t, k, starts[i].next_offset[t]});
        }
    }
    enum loy_err err = list->cnt > 0 ? seek(in, list, error) : LOY_OK;
    for (uint32_t i = 0; i < count && !err; i++) {
        int32_t k = starts[i].k;
        if (k >= 0 && k < in->partitions && in->owned[k]) {
            in->started[k] = true;
        }
    }
    if (!err && list->cnt > 0) {
        resume(in, list);
        wake(in, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return err;
}

void loy_kafka_consumer_revoke_done(struct loy_kafka_consumer *in)
{
    if (!in->revoking) {
        return;
    }
    in->revoking = false;
    memset(in->owned, 0, (size_t)in->partitions * sizeof *in->owned);
    loy_kafka_assign_nothing(in);
}

void loy_kafka_consumer_pause(struct loy_kafka_consumer *in, int32_t k, int16_t topic, bool pause)
{
    if (!in->client || k < 0 || k >= in->partitions || !in->started[k] || topic >= in->topic_count) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(in->topic_count);
    for (int16_t t = 0; t < (int16_t)in->topic_count; t++) {
        struct loy_kafka_slot *slot = loy_kafka_slot(in, t, k);
        /* Never without need: librdkafka 2.0.2 takes even that as a reason to fetch anew, from its last seek. */
        if ((topic < 0 || topic == t) && slot->paused != pause) {
            slot->paused = pause;
            (void)rd_kafka_topic_partition_list_add(list, in->topics[t], k);
        }
    }
    if (list->cnt > 0 && pause) {
        (void)rd_kafka_pause_partitions(in->client, list);
    } else if (list->cnt > 0) {
        resume(in, list);
    }
    if (list->cnt > 0 && !pause && topic < 0) {
        wake(in, list); /* a single topic joins the others of its partition in their next request */
    }
    rd_kafka_topic_partition_list_destroy(list);
}

enum loy_err loy_kafka_consumer_seek(struct loy_kafka_consumer *in, struct loy_position to, struct loy_error *error)
{
    if (to.partition < 0 || to.partition >= in->partitions || !in->started[to.partition] || in->revoking ||
        in->fenced) {
        return LOY_OK; /* nothing is fetched there any more */
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    place(in, list, to);
    enum loy_err err = seek(in, list, error);
    rd_kafka_topic_partition_list_destroy(list);
    return err;
}

void loy_kafka_consumer_report_progress(struct loy_kafka_consumer *in, const struct loy_bus_start *at, uint32_t count)
{
    if (!in->client || in->revoking || count == 0) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count * in->topic_count);
    for (uint32_t i = 0; i < count; i++) {
        for (int16_t t = 0; t < (int16_t)in->topic_count && in->started[at[i].k]; t++) {
            rd_kafka_topic_partition_list_add(list, in->topics[t], at[i].k)->offset = at[i].next_offset[t];
        }
    }
    if (list->cnt > 0) {
        (void)rd_kafka_commit(in->client, list, 1);
    }
    rd_kafka_topic_partition_list_destroy(list);
}
