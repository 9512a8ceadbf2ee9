/* Writes to Redis that wait: bounded, in chunks of one script call each, newest dropped first when behind.
 *
 * The script keeps what is newer, so order and repeats do not matter. Heap, a block a chunk. One thread.
 * Test: tests/unit/test_redis_cache.c. */
#ifndef LOY_ADAPTERS_REDIS_WRITES_H
#define LOY_ADAPTERS_REDIS_WRITES_H

#include "ports/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOY_REDIS_CHUNK_MEMBERS = 64,
    LOY_REDIS_CHUNK_TRIES = 2, /* the second is after Redis forgot the script */
};

struct loy_redis_chunk {
    struct loy_redis_chunk *next;
    uint32_t members;
    uint32_t tries;
    size_t len;
    char bytes[]; /* EVALSHA … in Redis's protocol */
};

struct loy_redis_queue {
    struct loy_redis_chunk *first;
    struct loy_redis_chunk *last;
};

struct loy_redis_writes {
    int32_t incarnation;
    int64_t ttl_ms;
    char sha[41]; /* of the script, as Redis names it */
    struct loy_redis_queue waiting;
    struct loy_redis_queue flying;
    uint32_t flying_count;
    size_t bytes; /* of both queues */
};

/* The script: writes each member whose seq is higher than what stands there; answers how many. */
struct loy_str loy_redis_script(void);
void loy_redis_writes_init(struct loy_redis_writes *writes, int32_t incarnation, int64_t ttl_hours);
/* Copies the rows into chunks; returns how many there was no room for. */
uint32_t loy_redis_writes_put(struct loy_redis_writes *writes, const struct loy_cache_write *rows, uint32_t count);
/* Moves the next chunk to those in flight; NULL: none waits. */
struct loy_redis_chunk *loy_redis_writes_take(struct loy_redis_writes *writes);
/* The oldest in flight was answered: frees it, or puts it back in front to be sent again. Returns its members. */
uint32_t loy_redis_writes_done(struct loy_redis_writes *writes, bool again, bool *ret_was_put_back);
/* Frees everything; returns how many members that were. */
uint32_t loy_redis_writes_drop(struct loy_redis_writes *writes);

/* loyald:<incarnation>:member:<member id>; returns its length, 0 when it does not fit. */
enum { LOY_REDIS_KEY_MAX = 512 };
size_t loy_redis_key(int32_t incarnation, struct loy_str member_id, char ret_key[LOY_REDIS_KEY_MAX]);

#endif
