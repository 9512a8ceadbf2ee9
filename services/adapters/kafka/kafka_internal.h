/* What the two halves of the Kafka adapter share: the consumer (consume.c,
 * rebalance.c, assignment.c) and the producer (produce.c), joined by kafka.c. Private to this room. */
#ifndef LOY_ADAPTERS_KAFKA_KAFKA_INTERNAL_H
#define LOY_ADAPTERS_KAFKA_KAFKA_INTERNAL_H

#include "adapters/kafka/kafka.h"
#include "ports/bus.h"
#include "ports/store.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum { LOY_KAFKA_OUTPUTS_MAX = 32 };     /* topics that one producer writes to */
enum { LOY_KAFKA_TOPIC_NAME_MAX = 249 }; /* Kafka's own limit */
enum { LOY_KAFKA_MANY_MAX = 512 };       /* messages handed to librdkafka in one call */
/* Under way in a producer. librdkafka's own limits are higher: it would refuse messages out of the middle. */
enum { LOY_KAFKA_UNREPORTED_MAX = 100000, LOY_KAFKA_UNREPORTED_BYTES_MAX = 64 << 20 };
enum { LOY_KAFKA_SKIP_MAX = 256 }; /* events passed over in one poll: those that are nobody's business */

/* Where one (topic, k) stands. */
struct loy_kafka_slot {
    int64_t next;   /* the offset after the last record handed out, or the one to start from */
    bool went_back; /* something older than `next` came; asked again for `next`, since that may have been stale */
    bool paused;    /* librdkafka was told so; it keeps that beyond an assignment */
};

struct loy_kafka_consumer {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *current; /* the record or partition list that the caller borrows now */
    rd_kafka_event_t *stashed; /* read from the queue, to be handled by the next poll */
    char *topics[LOY_TOPICS_MAX];
    uint16_t topic_count;
    int32_t partitions;           /* N */
    struct loy_kafka_slot *slots; /* topic × N + k */
    bool *owned;                  /* by k: reported by ASSIGNED */
    bool *started;                /* by k: assign() gave offsets */
    uint32_t *topics_of;          /* by k: scratch of a rebalance, a bit a topic */
    int32_t *list;                /* scratch: the partitions of an event */
    bool revoking;                /* REVOKED or LOST is not answered yet */
    bool named;                   /* has a name in the group, see struct loy_kafka_config */
    bool fenced;                  /* another member has that name: this client is of no more use */
    uint32_t fenced_times;
    struct loy_bus_event held; /* to be handed out by the next poll, after what explains it */
    bool has_held;
    int64_t urged_ms;             /* monotonic: when it was last asked to look whether it has to join again */
    uint32_t records_before_look; /* until it is looked again how many are read ahead */
    bool ahead;                   /* there were enough when it was last looked: the fetcher may sleep */
    size_t bytes_since_wake;      /* of records handed out since the fetcher was last woken */
    struct loy_header *headers;   /* of the current record */
    uint32_t headers_capacity;
};

struct loy_kafka_output {
    char name[LOY_KAFKA_TOPIC_NAME_MAX + 1];
    size_t name_length;
    rd_kafka_topic_t *topic;
};

/* A message that was produced. */
struct loy_kafka_sent {
    uint64_t cookie;
    bool reported;
};

struct loy_kafka_producer {
    rd_kafka_t *client; /* NULL: could not be rebuilt */
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *reports; /* a batch of delivery reports, not read to its end */
    struct loy_kafka_output outputs[LOY_KAFKA_OUTPUTS_MAX];
    uint32_t output_count;
    /* What was produced, in order: [first, next) of a ring of sent_capacity (a power of two). Reports of different
     * partitions come in any order, the port gives them in the order of production. */
    struct loy_kafka_sent *sent;
    uint32_t sent_capacity;
    uint64_t first;
    uint64_t next;
    uint64_t sent_now;        /* those before it do not linger any more */
    uint64_t unreported;      /* of them, without a report of librdkafka yet */
    size_t unreported_bytes;  /* keys and values of these */
    rd_kafka_message_t *many; /* LOY_KAFKA_MANY_MAX: what one call hands over */
};

struct loy_kafka {
    struct loy_kafka_config config; /* strings are copies, kept in `text` */
    char *text;
    struct loy_kafka_consumer in;
    struct loy_kafka_producer out;
    int wake_fd;
    bool idle;                    /* the last poll found nothing: the descriptor may be set */
    uint32_t records_before_look; /* from the consumer, before the producer is asked again */
};

/* What to do about an error of the client, by its code. */
enum loy_err loy_kafka_err(rd_kafka_resp_err_t code);
/* An event that both clients know: an error or a log line. True: *ret_event tells it. */
bool loy_kafka_take_common(struct loy_kafka *kafka, const char *who, rd_kafka_t *client, rd_kafka_event_t *event,
                           struct loy_bus_event *ret_event);
/* Writes to wake_fd whenever the queue stops being empty. */
void loy_kafka_wake_by(const struct loy_kafka *kafka, rd_kafka_queue_t *queue);

/* --- consume.c --- */

LOY_MUST_USE enum loy_err loy_kafka_consumer_init(struct loy_kafka *kafka, struct loy_error *error);
void loy_kafka_consumer_fini(struct loy_kafka_consumer *in);
/* True: *ret_event is the next thing that happened. */
bool loy_kafka_consumer_poll(struct loy_kafka *kafka, struct loy_bus_event *ret_event);
enum loy_err loy_kafka_consumer_assign(struct loy_kafka_consumer *in, const struct loy_bus_start *starts,
                                       uint32_t count, struct loy_error *error);
void loy_kafka_consumer_revoke_done(struct loy_kafka_consumer *in);
void loy_kafka_consumer_pause(struct loy_kafka_consumer *in, int32_t k, int16_t topic, bool pause);
enum loy_err loy_kafka_consumer_seek(struct loy_kafka_consumer *in, struct loy_position to, struct loy_error *error);
void loy_kafka_consumer_report_progress(struct loy_kafka_consumer *in, const struct loy_bus_start *at, uint32_t count);

/* --- rebalance.c: what the group says --- */

/* True: *ret_event is set. May keep the event (then *event is NULL), to be taken when what came before is answered. */
bool loy_kafka_take_rebalance(struct loy_kafka_consumer *in, rd_kafka_event_t **event, struct loy_bus_event *ret_event);

/* Reports everything owned as taken. False when nothing is: then it is answered already. */
bool loy_kafka_take_away(struct loy_kafka_consumer *in, enum loy_bus_event_kind kind, struct loy_bus_event *ret_event);

/* --- assignment.c: what librdkafka fetches --- */

/* Gives librdkafka what is owned, without fetching from it, or nothing at all: each answers a rebalance. */
void loy_kafka_assign_paused(struct loy_kafka_consumer *in, const rd_kafka_topic_partition_list_t *given);
void loy_kafka_assign_nothing(struct loy_kafka_consumer *in);
int64_t loy_kafka_now_ms(void);
/* Has what may be fetched looked for at once, without waiting for an answer. */
void loy_kafka_wake_fetcher(struct loy_kafka_consumer *in);
struct loy_kafka_slot *loy_kafka_slot(const struct loy_kafka_consumer *in, int16_t topic, int32_t k);
/* Place of a topic among the inputs, -1: not one of them. */
int16_t loy_kafka_topic_at(const struct loy_kafka_consumer *in, const char *name);

/* --- produce.c --- */

LOY_MUST_USE enum loy_err loy_kafka_producer_init(struct loy_kafka *kafka, struct loy_error *error);
void loy_kafka_producer_fini(struct loy_kafka_producer *out);
bool loy_kafka_producer_poll(struct loy_kafka *kafka, struct loy_bus_event *ret_event);
enum loy_err loy_kafka_producer_produce(struct loy_kafka *kafka, const struct loy_bus_message *message, uint64_t cookie,
                                        struct loy_error *error);
enum loy_err loy_kafka_producer_produce_many(struct loy_kafka *kafka, const struct loy_bus_message *messages,
                                             uint32_t count, uint64_t cookie, uint32_t *ret_taken,
                                             struct loy_error *error);
void loy_kafka_producer_send_now(struct loy_kafka_producer *out);
enum loy_err loy_kafka_producer_rebuild(struct loy_kafka *kafka, struct loy_error *error);

#endif
