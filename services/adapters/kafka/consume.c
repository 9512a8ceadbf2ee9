#include "adapters/kafka/kafka_conf.h"
#include "adapters/kafka/kafka_internal.h"
#include "base/expect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEARTBEAT_MS_MAX = 300,
    URGE_MS = 100,
    LOOK_RECORDS = 250,                          /* how often it is looked how many are read ahead */
    ENOUGH = LOY_KAFKA_AHEAD - LOOK_RECORDS - 1, /* that many left: there may have been enough since the last look */
    LARGE_BYTES = 1024 * 1024, /* handed out until nothing was left: few, but large ones were read ahead */
};

/* --- life --------------------------------------------------------------------------------------------------------- */

static enum loy_err subscribe(struct loy_kafka_consumer *in, struct loy_error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(in->topic_count);
    for (uint16_t t = 0; t < in->topic_count; t++) {
        (void)rd_kafka_topic_partition_list_add(list, in->topics[t], RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(in->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code) {
        return loy_error_set(error, LOY_ERR_CONFIG, "subscribe: %s", rd_kafka_err2str(code));
    }
    return LOY_OK;
}

static enum loy_err allocate(struct loy_kafka_consumer *in, const struct loy_kafka_config *config,
                             struct loy_error *error)
{
    size_t n = (size_t)config->partitions;
    in->topic_count = config->topic_count;
    in->partitions = config->partitions;
    in->slots = calloc(n * config->topic_count, sizeof *in->slots);
    in->owned = calloc(n, sizeof *in->owned);
    in->started = calloc(n, sizeof *in->started);
    in->topics_of = calloc(n, sizeof *in->topics_of);
    in->list = calloc(n, sizeof *in->list);
    bool whole = in->slots && in->owned && in->started && in->topics_of && in->list;
    for (uint16_t t = 0; t < config->topic_count; t++) {
        in->topics[t] = strndup(config->topics[t].at, config->topics[t].len);
        whole = whole && in->topics[t];
    }
    return whole ? LOY_OK : loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for %zu partitions", n);
}

/* A member of the group, with a name when `instance` is one. */
static enum loy_err join(struct loy_kafka *kafka, const char *instance, struct loy_error *error)
{
    struct loy_kafka_consumer *in = &kafka->in;
    rd_kafka_conf_t *conf = NULL;
    enum loy_err err = loy_kafka_conf_new(LOY_KAFKA_CONSUMER, &kafka->config.connection, &conf, error);
    if (err) {
        return err;
    }
    char timeout[16];
    (void)snprintf(timeout, sizeof timeout, "%d", kafka->config.session_timeout_ms);
    err = loy_kafka_conf_set(conf, "group.id", kafka->config.group, error);
    if (!err) {
        err = loy_kafka_conf_set(conf, "group.instance.id", instance, error);
    }
    if (!err && kafka->config.session_timeout_ms > 0) {
        err = loy_kafka_conf_set(conf, "session.timeout.ms", timeout, error);
    }
    if (!err && kafka->config.session_timeout_ms > 0) {
        /* Three chances to be heard, and often: a heartbeat's answer is what tells of a rebalance, which all wait for.
         */
        int every_ms = kafka->config.session_timeout_ms / 3;
        (void)snprintf(timeout, sizeof timeout, "%d", every_ms < HEARTBEAT_MS_MAX ? every_ms : HEARTBEAT_MS_MAX);
        err = loy_kafka_conf_set(conf, "heartbeat.interval.ms", timeout, error);
    }
    if (err) {
        rd_kafka_conf_destroy(conf);
        return err;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR |
                                       RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_LOG);
    err = loy_kafka_client_new(RD_KAFKA_CONSUMER, conf, &in->client, error);
    if (err) {
        return err;
    }
    (void)rd_kafka_poll_set_consumer(in->client);
    in->queue = rd_kafka_queue_get_consumer(in->client);
    in->named = instance && *instance;
    loy_kafka_wake_by(kafka, in->queue);
    return subscribe(in, error);
}

enum loy_err loy_kafka_consumer_init(struct loy_kafka *kafka, struct loy_error *error)
{
    enum loy_err err = allocate(&kafka->in, &kafka->config, error);
    return err ? err : join(kafka, kafka->config.instance, error);
}

static void release(rd_kafka_event_t **event)
{
    if (*event) {
        rd_kafka_event_destroy(*event);
        *event = NULL;
    }
}

/* Still a member of the group, or about to be one. */
static bool is_member(const struct loy_kafka_consumer *in)
{
    char *member = rd_kafka_memberid(in->client);
    bool is = member && *member;
    if (member) {
        rd_kafka_mem_free(in->client, member);
    }
    return is;
}

/* Closing a member that has a name does not take it out of the group, since it may come again; but who is stopped in
 * good order gives its partitions to the others at once. Unsubscribing takes it out. */
static void leave_group(struct loy_kafka_consumer *in)
{
    enum { LEAVE_MS = 1000, LOOK_MS = 10 };
    int64_t until_ms = loy_kafka_now_ms() + LEAVE_MS;
    (void)rd_kafka_unsubscribe(in->client);
    while (is_member(in) && loy_kafka_now_ms() < until_ms) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(in->queue, LOOK_MS);
        if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE) {
            loy_kafka_assign_nothing(in);
        }
        release(&event);
    }
}

static void close_client(struct loy_kafka_consumer *in)
{
    release(&in->current);
    release(&in->stashed);
    if (in->queue) {
        rd_kafka_queue_io_event_enable(in->queue, -1, NULL, 0);
        if (in->named && !in->fenced) {
            leave_group(in);
        }
        rd_kafka_queue_destroy(in->queue);
    }
    if (in->client) {
        (void)rd_kafka_consumer_close(in->client);
        rd_kafka_destroy(in->client);
    }
    in->queue = NULL;
    in->client = NULL;
}

void loy_kafka_consumer_fini(struct loy_kafka_consumer *in)
{
    close_client(in);
    for (int t = 0; t < LOY_TOPICS_MAX; t++) {
        free(in->topics[t]);
    }
    free(in->slots);
    free(in->owned);
    free(in->started);
    free(in->topics_of);
    free(in->list);
    free(in->headers);
    *in = (struct loy_kafka_consumer){0};
}

/* --- reading ahead -------------------------------------------------------------------------------------------------
 */

static void wake_fetcher(struct loy_kafka_consumer *in)
{
    in->bytes_since_wake = 0;
    loy_kafka_wake_fetcher(in);
}

/* A fetcher that finds enough read ahead sleeps, up to a second (librdkafka 2.0.2), and nobody wakes it when that has
 * been taken: a thread would run dry before the next look. So it is woken when fewer are left than it wants, or nearly:
 * what it saw may have been gone before we looked. */
static void look_ahead(struct loy_kafka_consumer *in, const struct loy_record *record)
{
    in->bytes_since_wake += record->key.len + record->value.len;
    if (in->records_before_look-- > 0) {
        return;
    }
    bool ahead = rd_kafka_queue_length(in->queue) >= ENOUGH;
    if (in->ahead && !ahead) {
        wake_fetcher(in);
    }
    in->ahead = ahead;
    in->records_before_look = LOOK_RECORDS;
}

/* Who waits for partitions may have to join once more, since the group began another round meanwhile. librdkafka does
 * so a second after it joined before, but then looks once in a second only, unless something is asked of it. */
static void urge_to_join(struct loy_kafka_consumer *in)
{
    int64_t now_ms = loy_kafka_now_ms();
    if (now_ms - in->urged_ms >= URGE_MS && !memchr(in->owned, true, (size_t)in->partitions * sizeof *in->owned)) {
        in->urged_ms = now_ms;
        (void)is_member(in);
    }
}

/* Nothing is left. Where that came of large records the fetcher may sleep over their bytes. */
static void run_dry(struct loy_kafka_consumer *in)
{
    urge_to_join(in);
    if (in->ahead || in->bytes_since_wake >= LARGE_BYTES) {
        wake_fetcher(in);
    }
    in->ahead = false;
}

/* --- records and ends --------------------------------------------------------------------------------------------- */

/* The headers of a record, into in->headers. False: no memory. */
static bool take_headers(struct loy_kafka_consumer *in, const rd_kafka_message_t *message, uint32_t *ret_count)
{
    rd_kafka_headers_t *headers = NULL;
    *ret_count = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return true;
    }
    size_t count = rd_kafka_header_cnt(headers);
    if (count > in->headers_capacity) {
        struct loy_header *more = realloc(in->headers, count * sizeof *more);
        if (!more) {
            return false;
        }
        in->headers = more;
        in->headers_capacity = (uint32_t)count;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t size = 0;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &size)) {
            break;
        }
        in->headers[i] = (struct loy_header){loy_str(name), {value, value ? size : 0}};
        *ret_count = (uint32_t)i + 1;
    }
    return true;
}

/* Another thread wrote what is read next; it comes while librdkafka looks for headers. */
static void expect_value(const rd_kafka_message_t *message)
{
    enum { NEAR = 4 * LOY_CPU_LINE };
    loy_expect(message->payload, message->len < NEAR ? message->len : NEAR);
}

static bool fill_record(struct loy_kafka_consumer *in, const rd_kafka_message_t *message, int16_t topic,
                        struct loy_record *ret_record)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    uint32_t header_count = 0;
    expect_value(message);
    if (!take_headers(in, message, &header_count)) {
        return false;
    }
    *ret_record = (struct loy_record){
        .position = {topic, message->partition, message->offset},
        .timestamp_us = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms * 1000,
        .has_key = message->key != NULL,
        .has_value = message->payload != NULL,
        .key = {message->key, message->key ? message->key_len : 0},
        .value = {message->payload, message->payload ? message->len : 0},
        .headers = in->headers,
        .header_count = header_count,
    };
    return true;
}

/* What comes at `at` is not what was to come next. True: *ret_event tells of it, or it is to be passed over (NOTHING).
 */
static bool check_order(struct loy_kafka_consumer *in, struct loy_position at, struct loy_bus_event *ret_event)
{
    struct loy_kafka_slot *slot = loy_kafka_slot(in, at.topic, at.partition);
    if (at.offset >= slot->next) {
        int64_t first = -1, end = -1;
        const char *name = in->topics[at.topic];
        bool lost = at.offset > slot->next &&
                    rd_kafka_get_watermark_offsets(in->client, name, at.partition, &first, &end) == 0 &&
                    first > slot->next;
        if (lost) {
            ret_event->kind = LOY_BUS_ERROR;
            (void)loy_error_set(&ret_event->error, LOY_ERR_UNAVAILABLE,
                                "topic %s, partition %" PRId32 ": offsets %" PRId64 " to %" PRId64
                                " left the log before they were read (retention); going on at %" PRId64,
                                name, at.partition, slot->next, at.offset - 1, at.offset);
        }
        return lost;
    }
    ret_event->kind = LOY_BUS_NOTHING;
    if (!slot->went_back) {
        struct loy_position again = {at.topic, at.partition, slot->next};
        enum loy_err ignored = loy_kafka_consumer_seek(in, again, NULL);
        (void)ignored; /* then fetching goes on, and the next record comes here */
        slot->went_back = true;
        return true;
    }
    ret_event->kind = LOY_BUS_ERROR;
    (void)loy_error_set(&ret_event->error, LOY_ERR_MISMATCH,
                        "topic %s, partition %" PRId32 ": offset %" PRId64 " is beyond the log, which has %" PRId64
                        ": the topic was truncated or made anew since this installation read it",
                        in->topics[at.topic], at.partition, slot->next, at.offset);
    return true;
}

/* *ret_event holds what came at `at`. True: the caller gets something now; what came is kept for the next poll when
 * something has to be said first. False: it was stale. */
static bool hand_out(struct loy_kafka_consumer *in, struct loy_position at, int64_t next,
                     struct loy_bus_event *ret_event)
{
    struct loy_kafka_slot *slot = loy_kafka_slot(in, at.topic, at.partition);
    if (at.offset != slot->next) {
        in->held = *ret_event;
    }
    if (at.offset != slot->next && check_order(in, at, ret_event)) {
        in->has_held = at.offset >= slot->next;
        if (!in->has_held) {
            return ret_event->kind != LOY_BUS_NOTHING;
        }
    }
    slot->next = next;
    slot->went_back = false;
    return true;
}

static bool take_record(struct loy_kafka_consumer *in, rd_kafka_event_t **event, struct loy_bus_event *ret_event)
{
    const rd_kafka_message_t *message = rd_kafka_event_message_next(*event);
    int16_t topic = message ? loy_kafka_topic_at(in, rd_kafka_topic_name(message->rkt)) : -1;
    if (topic < 0 || message->partition >= in->partitions || !in->started[message->partition]) {
        return false;
    }
    if (!fill_record(in, message, topic, &ret_event->record)) {
        ret_event->kind = LOY_BUS_ERROR;
        (void)loy_error_set(&ret_event->error, LOY_ERR_NO_MEMORY, "no memory for the headers of a record");
        return true;
    }
    ret_event->kind = LOY_BUS_RECORD;
    if (!hand_out(in, ret_event->record.position, message->offset + 1, ret_event)) {
        return false;
    }
    in->current = *event;
    *event = NULL;
    look_ahead(in, &ret_event->record);
    return true;
}

static bool take_end(struct loy_kafka_consumer *in, struct loy_position at, struct loy_bus_event *ret_event)
{
    ret_event->kind = LOY_BUS_END;
    ret_event->position = at;
    return hand_out(in, at, at.offset, ret_event);
}

/* An error of one partition: its end, or anything else, which is news. */
static bool take_error(struct loy_kafka *kafka, rd_kafka_event_t *event, struct loy_bus_event *ret_event)
{
    struct loy_kafka_consumer *in = &kafka->in;
    rd_kafka_topic_partition_t *p = NULL;
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        p = rd_kafka_event_topic_partition(event);
    }
    if (!p) {
        return loy_kafka_take_common(kafka, "consumer", in->client, event, ret_event);
    }
    struct loy_position at = {loy_kafka_topic_at(in, p->topic), p->partition, p->offset};
    rd_kafka_topic_partition_destroy(p);
    bool ours = at.topic >= 0 && at.partition >= 0 && at.partition < in->partitions && in->started[at.partition];
    return ours && take_end(in, at, ret_event);
}

/* --- somebody else has our name --------------------------------------------------------------------------------------
 */

/* Mostly it is ourselves: a request to join that was held up somewhere and came after the one that was sent in its
 * place. Who joins again has the name again, and nobody waits for a ghost's session. The second time it may be another
 * worker that was given the same name, and the two would fence each other for ever: then without a name.
 * True: *ret_event tells what was owned, or that it failed. */
static bool join_again(struct loy_kafka *kafka, struct loy_bus_event *ret_event)
{
    struct loy_kafka_consumer *in = &kafka->in;
    if (loy_kafka_take_away(in, LOY_BUS_LOST, ret_event)) {
        return true;
    }
    close_client(in);
    in->fenced = false;
    memset(in->slots, 0, in->topic_count * (size_t)in->partitions * sizeof *in->slots);
    memset(in->started, 0, (size_t)in->partitions * sizeof *in->started);
    bool keeps_name = in->fenced_times++ == 0;
    ret_event->kind = LOY_BUS_ERROR;
    return join(kafka, keeps_name ? kafka->config.instance : NULL, &ret_event->error) != LOY_OK;
}

/* --- poll --------------------------------------------------------------------------------------------------------- */

static bool take(struct loy_kafka *kafka, rd_kafka_event_t **event, struct loy_bus_event *ret_event)
{
    switch (rd_kafka_event_type(*event)) {
    case RD_KAFKA_EVENT_FETCH:
        return take_record(&kafka->in, event, ret_event);
    case RD_KAFKA_EVENT_REBALANCE:
        return loy_kafka_take_rebalance(&kafka->in, event, ret_event);
    case RD_KAFKA_EVENT_ERROR:
        return take_error(kafka, *event, ret_event);
    default:
        return loy_kafka_take_common(kafka, "consumer", kafka->in.client, *event, ret_event);
    }
}

bool loy_kafka_consumer_poll(struct loy_kafka *kafka, struct loy_bus_event *ret_event)
{
    struct loy_kafka_consumer *in = &kafka->in;
    if (in->has_held) {
        in->has_held = false;
        *ret_event = in->held;
        return true;
    }
    release(&in->current);
    if (in->fenced && !in->revoking && join_again(kafka, ret_event)) {
        return true;
    }
    /* Until the caller has let go of what is taken away, nothing else of the group may come between. */
    for (int i = 0; i < LOY_KAFKA_SKIP_MAX && in->client && !in->revoking; i++) {
        rd_kafka_event_t *event = in->stashed ? in->stashed : rd_kafka_queue_poll(in->queue, 0);
        in->stashed = NULL;
        if (!event) {
            run_dry(in);
            return false;
        }
        bool told = take(kafka, &event, ret_event);
        release(&event);
        if (told) {
            return true;
        }
    }
    return false;
}
