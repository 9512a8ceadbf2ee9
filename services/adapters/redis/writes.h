/* Writes to Redis that wait: bounded, in chunks, newest dropped first when behind. A chunk is one MSET, or where
 * members expire a SET a member.
 *
 * One connection writes in the order of its commits, so what stands there is the latest. Another owner of the account
 * may come between: what has waited for LOY_REDIS_LATE_US is dropped, so that a thread that slept does not put old
 * values over new ones (docs/adr/0019). Heap, a block a chunk. One thread. Test: tests/unit/test_redis_cache.c. */
#ifndef LOY_ADAPTERS_REDIS_WRITES_H
#define LOY_ADAPTERS_REDIS_WRITES_H

#include "ports/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOY_REDIS_CHUNK_MEMBERS = 128,
    LOY_REDIS_LATE_US = 2000000, /* less than a group takes to give a partition of somebody silent to another */
};

struct loy_redis_chunk {
    struct loy_redis_chunk *next;
    int64_t made_us; /* monotonic */
    uint32_t members;
    uint32_t commands;
    uint32_t answered; /* of the commands */
    size_t len;
    char bytes[]; /* in Redis's protocol */
};

struct loy_redis_queue {
    struct loy_redis_chunk *first;
    struct loy_redis_chunk *last;
};

enum { LOY_REDIS_KEY_MAX = 512 };

struct loy_redis_writes {
    int32_t incarnation;
    int64_t ttl_ms;
    char key_head[LOY_REDIS_KEY_MAX]; /* what each key begins with */
    size_t key_head_len;
    struct loy_redis_queue waiting;
    struct loy_redis_queue flying;
    uint32_t flying_count;
    size_t bytes; /* of both queues */
};

void loy_redis_writes_init(struct loy_redis_writes *writes, int32_t incarnation, int64_t ttl_hours);
/* Copies the rows into chunks; returns how many there was no room for. */
uint32_t loy_redis_writes_put(struct loy_redis_writes *writes, const struct loy_cache_write *rows, uint32_t count,
                              int64_t now_us);
/* Frees the chunks that have waited too long; returns how many members that were. */
uint32_t loy_redis_writes_drop_late(struct loy_redis_writes *writes, int64_t now_us);
/* The first that waits (waiting.first) is on its way. */
void loy_redis_writes_sent(struct loy_redis_writes *writes);
/* The next command in flight was answered: returns how many members it was about. A chunk that is answered whole is
 * freed. */
uint32_t loy_redis_writes_answered(struct loy_redis_writes *writes);
/* Frees everything; returns how many members that were. */
uint32_t loy_redis_writes_drop(struct loy_redis_writes *writes);

/* loyald:<incarnation>:member:<member id>; returns its length, 0 when it does not fit. */
size_t loy_redis_key(int32_t incarnation, struct loy_str member_id, char ret_key[LOY_REDIS_KEY_MAX]);

#endif
