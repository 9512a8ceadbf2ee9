/* Fake bus: a broker with its logs and one consumer group, and the clients of it.
 *
 * struct fake_broker is the cluster: it outlives its clients, and messages that they had under way. struct fake_bus is
 * one worker thread's consumer and producer and implements ports/bus.h. The group is eager with assignor `range`: at a
 * change every member is asked to give back all it has, and nothing is given out before all of them have answered or
 * their sessions expired. Logs are open for checks. One thread. Tests: tests/unit/test_fakes.c, tests/contract/. */
#ifndef LOY_TESTS_SIM_FAKE_BUS_H
#define LOY_TESTS_SIM_FAKE_BUS_H

#include "ports/bus.h"
#include "ports/store.h" /* LOY_TOPICS_MAX */
#include "sim/world.h"

enum { FAKE_TOPICS_MAX = 24, FAKE_MEMBERS_MAX = 64, FAKE_PARTITIONS_MAX = 64 };

/* One offset of a log. */
struct fake_entry {
    bool is_gap; /* a control record, or one that compaction removed: never handed out */
    int64_t timestamp_us;
    struct loy_bus_message message; /* in the world's memory */
    const char *producer;           /* in the trace; "" from outside */
    bool is_zombie;                 /* its producer was dead or rebuilt when it came */
};

struct fake_log {
    struct fake_entry *entries; /* by offset, from 0 */
    int64_t end;
    int64_t capacity;
};

struct fake_topic {
    struct loy_str name;
    struct fake_log logs[FAKE_PARTITIONS_MAX];
};

struct fake_bus;

struct fake_broker {
    struct sim_world *world;
    int32_t partitions;   /* of every topic */
    uint16_t input_count; /* the first topics are the inputs, in the installation's order */
    uint16_t topic_count;
    struct fake_topic topics[FAKE_TOPICS_MAX];
    struct fake_bus *members[FAKE_MEMBERS_MAX]; /* of the group, in the order of their ids */
    uint32_t member_count;
    bool rebalancing;
    int64_t session_timeout_us;
    struct fake_flight *flights; /* messages under way, in order of production */
    struct loy_str guarded;      /* a topic that refuses what was produced long ago (message.timestamp.before.max.ms) */
    bool down;
    /* Sees every message that a client's producer brings to a log; may be NULL. */
    void (*on_append)(void *context, uint16_t topic, int32_t partition, int64_t offset);
    void *on_append_context;
};

void fake_broker_init(struct fake_broker *broker, struct sim_world *world, const struct loy_str *inputs,
                      uint16_t input_count, int32_t partitions);
void fake_broker_fini(struct fake_broker *broker);
/* Moves what is due: deliveries, expired sessions, the group. */
void fake_broker_run(struct fake_broker *broker);
int64_t fake_broker_next_us(const struct fake_broker *broker);
/* The topic's place, made when it is not there yet. */
uint16_t fake_broker_topic(struct fake_broker *broker, struct loy_str name);
/* Puts a record at the end of a log, as a producer from outside; partition -1: by murmur2 of the key. */
struct loy_position fake_broker_append(struct fake_broker *broker, const struct loy_bus_message *message,
                                       int64_t timestamp_us);
/* An offset that holds nothing. */
void fake_broker_append_gap(struct fake_broker *broker, uint16_t topic, int32_t partition);

enum { FAKE_REPORTS_MAX = 4096 };

struct fake_report {
    uint64_t cookie;
    bool delivered;
    int64_t at_us;
};

struct fake_fetch {
    int64_t next;
    int64_t end_told;   /* END was told at this offset; -1: not */
    int64_t sure_until; /* what was sought back for is not lost again */
    bool paused;
};

struct fake_bus {
    struct fake_broker *broker;
    const char *name; /* in the trace; its id in the group */
    int64_t last_poll_us;
    bool joined;
    bool expired; /* its session is over, and it does not know before lost_at_us */
    int64_t lost_at_us;
    bool wants_join;
    bool owns[FAKE_PARTITIONS_MAX];    /* as the group sees it */
    bool started[FAKE_PARTITIONS_MAX]; /* assign() was called for it */
    enum { FAKE_HOLDS, FAKE_TO_REVOKE, FAKE_REVOKING, FAKE_TO_LOSE, FAKE_LOSING, FAKE_TO_ASSIGN } step;
    struct fake_fetch fetches[LOY_TOPICS_MAX][FAKE_PARTITIONS_MAX];
    struct fake_report reports[FAKE_REPORTS_MAX]; /* a ring */
    uint64_t report_first, report_count;
    uint32_t produced; /* under way, without a report */
    uint64_t producer_generation;
    bool producer_failed; /* gapless: after one failure everything fails until the producer is rebuilt */
    int64_t last_delivery_us;
    int64_t progress[LOY_TOPICS_MAX][FAKE_PARTITIONS_MAX]; /* as reported */
    int32_t told[FAKE_PARTITIONS_MAX];                     /* what an event points to */
    char *record_bytes;                                    /* what the record of the last poll points to */
    size_t record_size;
    struct loy_header *record_headers;
    uint32_t next_k; /* where the next search for a record begins */
};

/* Joins the group. */
void fake_bus_init(struct fake_bus *bus, struct fake_broker *broker, const char *name);
/* Leaves in good order: the group knows at once. Messages under way are given up. */
void fake_bus_fini(struct fake_bus *bus);
/* The process died: the group finds out when the session expires; messages under way may still arrive. */
void fake_bus_kill(struct fake_bus *bus);
/* The group takes the session for dead, though the process lives. */
void fake_bus_expire(struct fake_bus *bus);
struct loy_bus fake_bus_port(struct fake_bus *bus);

/* For fake_broker.c and fake_bus.c only. */
struct fake_flight {
    struct fake_flight *next;
    struct fake_bus *bus; /* NULL: its producer is dead or was rebuilt */
    const char *producer;
    struct loy_bus_message message;
    const char *borrowed; /* the value where the caller has it until this is delivered; NULL: it was copied */
    uint64_t cookie;
    int64_t produced_us;
    int64_t arrive_at_us;
    bool fails, arrives; /* what becomes of it */
};

/* Aborts where a value that its caller lent to the producer is not what it was. */
void fake_flight_check(const struct fake_flight *flight);

/* What every client does before it looks: heartbeat, group, deliveries. */
void fake_group_leave(struct fake_broker *broker, struct fake_bus *bus);
void fake_group_step(struct fake_broker *broker);
void fake_bus_rejoin(struct fake_bus *bus);
void fake_bus_report(struct fake_bus *bus, uint64_t cookie, bool delivered);

#endif
