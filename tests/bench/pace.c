/* How long a balance update takes:
 *   pace BROKERS TOPIC UPDATES PARTITIONS RATE WARM_SECONDS TAG < EVENTS
 * Publishes the events of its standard input (lengths of 4 bytes, little-endian: key, event) at a steady rate, each
 * with "TAG@" and its number of nine digits in its id, and reads the updates that come of them. Open loop: each event
 * has a planned moment, and its latency runs from there to the moment that its update is in this program's hands, so
 * that a producer which is held up hides nothing. Those of the first WARM_SECONDS are not counted. Prints a line
 * "published answered others late_max_us", then the latencies in microseconds, a line each. pace.py makes the events
 * and reads the answer. Two threads: main publishes, the other one reads. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NUMBER_DIGITS = 9, TEXT_MAX = 512, STEP_NS = 200000, POLL_MS = 100, ANSWER_MS = 10000, FLUSH_MS = 60000 };

static const int64_t SECOND_NS = INT64_C(1000000000);
static const int64_t GRACE_NS = INT64_C(30000000000);
static const int64_t SETTLE_NS = INT64_C(300000000); /* for the first fetch to be under way */

struct event {
    const char *key;
    const char *value;
    uint32_t key_size;
    uint32_t value_size;
};

struct pace {
    const char *brokers;
    const char *topic;
    const char *updates;
    int32_t partitions;
    double rate;
    char mark[TEXT_MAX]; /* the tag and "@" */
    size_t mark_size;
    uint32_t count;
    char *bytes; /* of the events, which point into it */
    struct event *events;
    rd_kafka_t *consumer;
    int64_t *latency_ns; /* by number; -1: no update yet */
    uint32_t answered;
    uint32_t others;
    _Atomic int64_t start_ns;
    _Atomic int64_t deadline_ns;
    _Atomic uint32_t failed; /* events that the broker refused */
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "pace: %s: %s\n", what, why);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t planned_ns(const struct pace *pace, uint32_t number)
{
    return atomic_load(&pace->start_ns) + (int64_t)(number / pace->rate * (double)SECOND_NS);
}

static void reported(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct pace *pace = opaque;
    (void)client;
    if (message->err) {
        atomic_fetch_add(&pace->failed, 1);
    }
}

/* Both clients send at once what they have: Nagle's algorithm would wait for acknowledgements that are held back. */
static rd_kafka_t *open_client(struct pace *pace, rd_kafka_type_t type, const char *const (*settings)[2])
{
    char why[TEXT_MAX];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool taken = rd_kafka_conf_set(conf, "bootstrap.servers", pace->brokers, why, sizeof why) == RD_KAFKA_CONF_OK;
    for (; taken && (*settings)[0]; settings++) {
        taken = rd_kafka_conf_set(conf, (*settings)[0], (*settings)[1], why, sizeof why) == RD_KAFKA_CONF_OK;
    }
    rd_kafka_conf_set_opaque(conf, pace);
    if (type == RD_KAFKA_PRODUCER) {
        rd_kafka_conf_set_dr_msg_cb(conf, reported);
    }
    rd_kafka_t *client = taken ? rd_kafka_new(type, conf, why, sizeof why) : NULL;
    if (!client) {
        fail("client", why);
    }
    return client;
}

/* --- what is published
 * -------------------------------------------------------------------------------------------- */

static char *read_all(FILE *stream, size_t *ret_size)
{
    size_t room = 1 << 20;
    size_t size = 0;
    char *bytes = malloc(room);
    while (bytes && !feof(stream) && !ferror(stream)) {
        size += fread(bytes + size, 1, room - size, stream);
        if (size == room) {
            room *= 2;
            char *more = realloc(bytes, room);
            if (!more) {
                free(bytes);
            }
            bytes = more;
        }
    }
    if (!bytes) {
        fail("events", "no memory");
    }
    *ret_size = size;
    return bytes;
}

/* The next counted field; NULL when the input ends before it does. */
static const char *take_field(const char **at, const char *end, uint32_t *ret_size)
{
    if (end - *at < 4) {
        return NULL;
    }
    memcpy(ret_size, *at, 4);
    const char *field = *at + 4;
    if ((size_t)(end - field) < *ret_size) {
        return NULL;
    }
    *at = field + *ret_size;
    return field;
}

static void read_events(struct pace *pace)
{
    size_t size;
    pace->bytes = read_all(stdin, &size);
    const char *at = pace->bytes;
    const char *end = at + size;
    uint32_t room = 0;
    while (at < end) {
        struct event event;
        event.key = take_field(&at, end, &event.key_size);
        event.value = event.key ? take_field(&at, end, &event.value_size) : NULL;
        if (!event.value) {
            fail("events", "the input ends within one");
        }
        if (pace->count == room) {
            room = room ? room * 2 : 1024;
            pace->events = realloc(pace->events, room * sizeof *pace->events);
        }
        if (!pace->events) {
            fail("events", "no memory");
        }
        pace->events[pace->count++] = event;
    }
}

/* Publishes each event at its moment; returns how late the latest one was handed over, in microseconds. */
static int64_t publish(struct pace *pace, rd_kafka_t *producer)
{
    int64_t late_ns = 0;
    for (uint32_t sent = 0; sent < pace->count; sent++) {
        const struct event *event = &pace->events[sent];
        int64_t late_by_ns = now_ns() - planned_ns(pace, sent);
        if (late_by_ns < 0) { /* never a nap shorter than a step: what is due within it goes together, a little late */
            struct timespec nap = {.tv_nsec = -late_by_ns > STEP_NS ? -late_by_ns : STEP_NS};
            (void)rd_kafka_poll(producer, 0);
            (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
            late_by_ns = now_ns() - planned_ns(pace, sent);
        }
        late_ns = late_by_ns > late_ns ? late_by_ns : late_ns;
        rd_kafka_resp_err_t err =
            rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(pace->topic), RD_KAFKA_V_KEY(event->key, event->key_size),
                              RD_KAFKA_V_VALUE((void *)(uintptr_t)event->value, event->value_size), RD_KAFKA_V_END);
        if (err) {
            fail("produce", rd_kafka_err2str(err));
        }
    }
    (void)rd_kafka_flush(producer, FLUSH_MS);
    return late_ns / 1000;
}

/* --- what comes of it
 * --------------------------------------------------------------------------------------------- */

/* From the ends of all its partitions: nothing that is published from now on is missed. It asks every 5 ms, as much as
 * there is: with a request for each of the worker's, the reader would cost the broker more than the worker does. */
static void start_reading(struct pace *pace)
{
    static const char *const settings[][2] = {{"group.id", "bench.pace"},        {"enable.auto.commit", "false"},
                                              {"fetch.wait.max.ms", "5"},        {"fetch.min.bytes", "1000000"},
                                              {"check.crcs", "false"},           {"socket.nagle.disable", "true"},
                                              {"log.connection.close", "false"}, {NULL, NULL}};
    pace->consumer = open_client(pace, RD_KAFKA_CONSUMER, settings);
    (void)rd_kafka_poll_set_consumer(pace->consumer);
    rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_new(pace->partitions);
    for (int32_t k = 0; k < pace->partitions; k++) {
        int64_t first;
        int64_t end;
        rd_kafka_resp_err_t err =
            rd_kafka_query_watermark_offsets(pace->consumer, pace->updates, k, &first, &end, ANSWER_MS);
        if (err) {
            fail(pace->updates, rd_kafka_err2str(err));
        }
        rd_kafka_topic_partition_list_add(ends, pace->updates, k)->offset = end;
    }
    rd_kafka_resp_err_t err = rd_kafka_assign(pace->consumer, ends);
    if (err) {
        fail(pace->updates, rd_kafka_err2str(err));
    }
    rd_kafka_topic_partition_list_destroy(ends);
}

static void take_update(struct pace *pace, const rd_kafka_message_t *message, int64_t at_ns)
{
    const char *mark = message->len ? memmem(message->payload, message->len, pace->mark, pace->mark_size) : NULL;
    const char *end = (const char *)message->payload + message->len;
    if (!mark || end - mark < (ptrdiff_t)(pace->mark_size + NUMBER_DIGITS)) {
        pace->others++;
        return;
    }
    uint32_t number = 0;
    for (int i = 0; i < NUMBER_DIGITS; i++) {
        number = number * 10 + (uint32_t)(mark[pace->mark_size + (size_t)i] - '0');
    }
    if (number < pace->count && pace->latency_ns[number] < 0) {
        pace->latency_ns[number] = at_ns - planned_ns(pace, number);
        pace->answered++;
    }
}

static void *read_updates(void *context)
{
    struct pace *pace = context;
    while (pace->answered < pace->count && now_ns() < atomic_load(&pace->deadline_ns)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(pace->consumer, POLL_MS);
        if (message && !message->err) {
            take_update(pace, message, now_ns());
        }
        if (message) {
            rd_kafka_message_destroy(message);
        }
    }
    return NULL;
}

/* --- together
 * ------------------------------------------------------------------------------------------------------- */

static int64_t run(struct pace *pace)
{
    /* Lingers as Kafka's own client does since 4.0, and as librdkafka does by default. */
    static const char *const settings[][2] = {{"enable.idempotence", "true"},
                                              {"linger.ms", "5"},
                                              {"socket.nagle.disable", "true"},
                                              {"partitioner", "murmur2_random"},
                                              {"queue.buffering.max.messages", "1000000"},
                                              {"log.connection.close", "false"},
                                              {NULL, NULL}};
    rd_kafka_t *producer = open_client(pace, RD_KAFKA_PRODUCER, settings);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, pace->topic, NULL);
    rd_kafka_resp_err_t err = rd_kafka_metadata(producer, 0, topic, &metadata, ANSWER_MS);
    if (err) {
        fail(pace->topic, rd_kafka_err2str(err));
    }
    rd_kafka_metadata_destroy(metadata);
    start_reading(pace);
    int64_t start_ns = now_ns() + SETTLE_NS;
    atomic_store(&pace->start_ns, start_ns);
    atomic_store(&pace->deadline_ns, planned_ns(pace, pace->count) + GRACE_NS);
    pthread_t reader;
    if (pthread_create(&reader, NULL, read_updates, pace)) {
        fail("reader", "no thread");
    }
    int64_t late_us = publish(pace, producer);
    (void)pthread_join(reader, NULL);
    (void)rd_kafka_consumer_close(pace->consumer);
    rd_kafka_destroy(pace->consumer);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    return late_us;
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        (void)fprintf(stderr, "usage: pace BROKERS TOPIC UPDATES PARTITIONS RATE WARM_SECONDS TAG < EVENTS\n");
        return 2;
    }
    struct pace *pace = calloc(1, sizeof *pace);
    if (!pace) {
        fail("start", "no memory");
    }
    pace->brokers = argv[1];
    pace->topic = argv[2];
    pace->updates = argv[3];
    pace->partitions = atoi(argv[4]);
    pace->rate = atof(argv[5]);
    uint32_t warm = (uint32_t)(pace->rate * atof(argv[6]));
    pace->mark_size = (size_t)snprintf(pace->mark, sizeof pace->mark, "%s@", argv[7]);
    read_events(pace);
    pace->latency_ns = malloc(pace->count * sizeof *pace->latency_ns);
    if (!pace->latency_ns) {
        fail("events", "no memory");
    }
    memset(pace->latency_ns, 0xff, pace->count * sizeof *pace->latency_ns);
    int64_t late_us = run(pace);
    if (atomic_load(&pace->failed) > 0) {
        fail("delivery", "the broker refused events");
    }
    printf("%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRId64 "\n", pace->count, pace->answered, pace->others, late_us);
    for (uint32_t i = warm; i < pace->count; i++) {
        if (pace->latency_ns[i] >= 0) {
            printf("%" PRId64 "\n", pace->latency_ns[i] / 1000);
        }
    }
    return 0;
}
