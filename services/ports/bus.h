/* Bus port: records in, records out, ownership of partitions. Submit and complete, never block.
 *
 * One bus a worker thread: one consumer of the group and one producer. Topics are numbered by their place in the
 * installation's list. Implementations: adapters/kafka (real), tests/sim (simulated); one contract test for both. One
 * thread. */
#ifndef LOY_PORTS_BUS_H
#define LOY_PORTS_BUS_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct loy_header {
    struct loy_str name;
    struct loy_str value; /* at NULL: a null value */
};

/* Where a record comes from, or goes to. */
struct loy_position {
    int16_t topic; /* place in the installation's list of input topics */
    int32_t partition;
    int64_t offset;
};

struct loy_record {
    struct loy_position position;
    int64_t timestamp_us; /* the broker's (LogAppendTime) or the producer's; -1: none */
    bool has_key;
    bool has_value; /* false: tombstone */
    struct loy_str key;
    struct loy_str value;
    const struct loy_header *headers;
    uint32_t header_count;
};

enum loy_bus_event_kind {
    LOY_BUS_NOTHING,   /* nothing there now */
    LOY_BUS_RECORD,    /* `record`, borrowed until the next poll */
    LOY_BUS_END,       /* position.topic, .partition: read to its end; .offset is the next one to come */
    LOY_BUS_ASSIGNED,  /* `partitions` k now belong to this member of the group, all topics of each; nothing is fetched
                          for them until assign() gives the offsets */
    LOY_BUS_REVOKED,   /* `partitions` are being taken in good order: finish or drop, then revoke_done() */
    LOY_BUS_LOST,      /* `partitions` were taken already (session expired); then revoke_done() */
    LOY_BUS_DELIVERED, /* `count` messages of `cookie` are acknowledged by the broker; in order of production unless
                          one failed */
    LOY_BUS_UNDELIVERED, /* `cookie` failed for good: rebuild_producer() and produce again what is not acknowledged */
    LOY_BUS_ERROR, /* error.code says what to do: RETRY classes are news (the client goes on trying), FATAL stops */
};

struct loy_bus_event {
    enum loy_bus_event_kind kind;
    struct loy_record record;
    struct loy_position position;
    const int32_t *partitions; /* ascending; borrowed until the next poll */
    uint32_t partition_count;
    uint64_t cookie;
    uint32_t count;
    struct loy_error error;
};

/* Offsets to start partition k from: one for each input topic. */
struct loy_bus_start {
    int32_t k;
    const int64_t *next_offset;
};

/* An output. topic is a name, since outputs are not in the list of inputs; partition -1: by murmur2 of the key. */
struct loy_bus_message {
    struct loy_str topic;
    int32_t partition;
    bool has_key;
    bool has_value;
    struct loy_str key;
    struct loy_str value;
    const struct loy_header *headers;
    uint32_t header_count;
};

struct loy_bus {
    /* The next thing that happened. Never blocks. */
    void (*poll)(void *self, struct loy_bus_event *ret_event);
    /* Starts fetching each k, all topics, from its offsets. Offsets are loyald's own, never the group's. */
    enum loy_err (*assign)(void *self, const struct loy_bus_start *starts, uint32_t count, struct loy_error *error);
    /* Answers REVOKED or LOST: after it the partitions may be given away. */
    void (*revoke_done)(void *self);
    /* Stops and restarts fetching of k, of one topic (-1: all). A record already handed out is not taken back. */
    void (*pause)(void *self, int32_t k, int16_t topic);
    void (*resume)(void *self, int32_t k, int16_t topic);
    /* Fetches (topic, k) from offset again; records polled before that are stale and the caller drops them. */
    enum loy_err (*seek)(void *self, struct loy_position to, struct loy_error *error);
    /* Takes a copy. LOY_ERR_AGAIN when the queue is full. cookie comes back in DELIVERED or UNDELIVERED. */
    enum loy_err (*produce)(void *self, const struct loy_bus_message *message, uint64_t cookie,
                            struct loy_error *error);
    /* The same of several, in their order within each topic: *ret_taken are taken, all of them unless AGAIN. After any
     * other error nobody knows which: rebuild_producer(). Their values are not copied: each stays where it is,
     * unchanged, until it is DELIVERED, or the producer was rebuilt, or the bus is gone. */
    enum loy_err (*produce_many)(void *self, const struct loy_bus_message *messages, uint32_t count, uint64_t cookie,
                                 uint32_t *ret_taken, struct loy_error *error);
    /* The caller produces no more before something happens: messages that linger for others go out. Blocks a
     * millisecond at the most. */
    void (*send_now)(void *self);
    /* Forgets everything that was produced and not acknowledged, and starts a new producer. No reports of the old
     * one come afterwards. */
    enum loy_err (*rebuild_producer)(void *self, struct loy_error *error);
    /* For lag dashboards only: tells the group how far we are. Never decides where we start. */
    void (*report_progress)(void *self, const struct loy_bus_start *at, uint32_t count);
    /* A file descriptor that turns readable when poll has something (read it empty before polling); -1: none. */
    int (*wake_fd)(void *self);
    void *self;
};

#endif
