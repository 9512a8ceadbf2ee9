#include "adapters/redis/writes.h"

#include "adapters/redis/redis.h"
#include "adapters/redis/row.h"
#include "base/num.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void loy_redis_writes_init(struct loy_redis_writes *writes, int32_t incarnation, int64_t ttl_hours)
{
    *writes = (struct loy_redis_writes){.incarnation = incarnation, .ttl_ms = ttl_hours * 3600 * 1000};
    writes->key_head_len = loy_redis_key(incarnation, (struct loy_str){0}, writes->key_head);
}

size_t loy_redis_key(int32_t incarnation, struct loy_str member_id, char ret_key[LOY_REDIS_KEY_MAX])
{
    static const char first[] = "loyald:";
    static const char second[] = ":member:";
    memcpy(ret_key, first, sizeof first - 1);
    size_t head = sizeof first - 1;
    head += loy_decimal_format(incarnation, 0, ret_key + head);
    memcpy(ret_key + head, second, sizeof second - 1);
    head += sizeof second - 1;
    if (member_id.len > LOY_REDIS_KEY_MAX - head) {
        return 0;
    }
    if (member_id.len) {
        memcpy(ret_key + head, member_id.at, member_id.len);
    }
    return head + member_id.len;
}

/* --- one chunk -------------------------------------------------------------------------------------------------------
 */

enum { COMMAND_MAX = 192 }; /* a member in a command, without its id and value */

/* At least as many bytes as the chunk's commands take. */
static size_t room_for(const struct loy_cache_write *rows, uint32_t count)
{
    size_t bytes = COMMAND_MAX;
    for (uint32_t i = 0; i < count; i++) {
        bytes += COMMAND_MAX + rows[i].row.member_id.len + loy_redis_row_length(&rows[i].row, rows[i].balance_json);
    }
    return bytes;
}

/* Many numbers a member: by printf they were a twentieth of the worker's time. */
static void put_head(struct loy_redis_chunk *chunk, char sort, size_t number)
{
    chunk->bytes[chunk->len++] = sort;
    chunk->len += loy_decimal_format((int64_t)number, 0, chunk->bytes + chunk->len);
    memcpy(chunk->bytes + chunk->len, "\r\n", 2);
    chunk->len += 2;
}

static void put_tail(struct loy_redis_chunk *chunk, struct loy_str text)
{
    if (text.len) {
        memcpy(chunk->bytes + chunk->len, text.at, text.len);
        chunk->len += text.len;
    }
    memcpy(chunk->bytes + chunk->len, "\r\n", 2);
    chunk->len += 2;
}

static void put_bulk(struct loy_redis_chunk *chunk, const char *text, size_t length)
{
    put_head(chunk, '$', length);
    put_tail(chunk, (struct loy_str){text, length});
}

static void put_key_and_value(const struct loy_redis_writes *writes, struct loy_redis_chunk *chunk,
                              const struct loy_cache_write *write)
{
    size_t length = loy_redis_row_length(&write->row, write->balance_json);
    put_head(chunk, '$', writes->key_head_len + write->row.member_id.len);
    memcpy(chunk->bytes + chunk->len, writes->key_head, writes->key_head_len);
    chunk->len += writes->key_head_len;
    put_tail(chunk, write->row.member_id);
    put_head(chunk, '$', length);
    loy_redis_row_encode(&write->row, write->balance_json, writes->incarnation, chunk->bytes + chunk->len);
    memcpy(chunk->bytes + chunk->len + length, "\r\n", 2);
    chunk->len += length + 2;
}

/* No MSET has an expiry. */
static void put_sets(const struct loy_redis_writes *writes, struct loy_redis_chunk *chunk,
                     const struct loy_cache_write *rows)
{
    char milliseconds[LOY_DECIMAL_TEXT_MAX];
    size_t length = loy_decimal_format(writes->ttl_ms, 0, milliseconds);
    chunk->commands = chunk->members;
    for (uint32_t i = 0; i < chunk->members; i++) {
        put_head(chunk, '*', 5);
        put_bulk(chunk, "SET", 3);
        put_key_and_value(writes, chunk, &rows[i]);
        put_bulk(chunk, "PX", 2);
        put_bulk(chunk, milliseconds, length);
    }
}

/* What a command costs Redis beside its keys was more than a quarter of a SET. */
static void put_mset(const struct loy_redis_writes *writes, struct loy_redis_chunk *chunk,
                     const struct loy_cache_write *rows)
{
    chunk->commands = 1;
    put_head(chunk, '*', 1 + 2 * (size_t)chunk->members);
    put_bulk(chunk, "MSET", 4);
    for (uint32_t i = 0; i < chunk->members; i++) {
        put_key_and_value(writes, chunk, &rows[i]);
    }
}

static struct loy_redis_chunk *make_chunk(const struct loy_redis_writes *writes, const struct loy_cache_write *rows,
                                          uint32_t count, int64_t now_us)
{
    size_t room = room_for(rows, count);
    struct loy_redis_chunk *chunk = malloc(sizeof *chunk + room);
    if (!chunk) {
        return NULL;
    }
    *chunk = (struct loy_redis_chunk){.made_us = now_us, .members = count};
    (writes->ttl_ms > 0 ? put_sets : put_mset)(writes, chunk, rows);
    assert(chunk->len <= room);
    return chunk;
}

/* --- queues
 * ------------------------------------------------------------------------------------------------------------ */

static void append(struct loy_redis_queue *queue, struct loy_redis_chunk *chunk)
{
    chunk->next = NULL;
    *(queue->last ? &queue->last->next : &queue->first) = chunk;
    queue->last = chunk;
}

static struct loy_redis_chunk *remove_first(struct loy_redis_queue *queue)
{
    struct loy_redis_chunk *chunk = queue->first;
    if (chunk) {
        queue->first = chunk->next;
        queue->last = queue->first ? queue->last : NULL;
    }
    return chunk;
}

static bool is_writable(const struct loy_redis_writes *writes, const struct loy_cache_write *write)
{
    return loy_redis_row_fits(&write->row, write->balance_json) &&
           write->row.member_id.len <= LOY_REDIS_KEY_MAX - writes->key_head_len;
}

uint32_t loy_redis_writes_put(struct loy_redis_writes *writes, const struct loy_cache_write *rows, uint32_t count,
                              int64_t now_us)
{
    uint32_t dropped = 0;
    for (uint32_t at = 0; at < count;) {
        uint32_t some = 0;
        while (at + some < count && some < LOY_REDIS_CHUNK_MEMBERS && is_writable(writes, &rows[at + some])) {
            some++;
        }
        if (some == 0) {
            dropped++;
            at++;
            continue;
        }
        struct loy_redis_chunk *chunk =
            writes->bytes < LOY_REDIS_QUEUE_BYTES ? make_chunk(writes, &rows[at], some, now_us) : NULL;
        if (chunk) {
            append(&writes->waiting, chunk);
            writes->bytes += chunk->len;
        } else {
            dropped += some;
        }
        at += some;
    }
    return dropped;
}

static void discard(struct loy_redis_writes *writes, struct loy_redis_chunk *chunk)
{
    writes->bytes -= chunk->len;
    free(chunk);
}

uint32_t loy_redis_writes_drop_late(struct loy_redis_writes *writes, int64_t now_us)
{
    uint32_t members = 0;
    while (writes->waiting.first && now_us - writes->waiting.first->made_us > LOY_REDIS_LATE_US) {
        struct loy_redis_chunk *chunk = remove_first(&writes->waiting);
        members += chunk->members;
        discard(writes, chunk);
    }
    return members;
}

void loy_redis_writes_sent(struct loy_redis_writes *writes)
{
    struct loy_redis_chunk *chunk = remove_first(&writes->waiting);
    assert(chunk);
    append(&writes->flying, chunk);
    writes->flying_count++;
}

/* How many members one of the chunk's commands is about. */
static uint32_t members_of(const struct loy_redis_chunk *chunk)
{
    return chunk->members / chunk->commands;
}

uint32_t loy_redis_writes_answered(struct loy_redis_writes *writes)
{
    struct loy_redis_chunk *chunk = writes->flying.first;
    assert(chunk);
    uint32_t members = members_of(chunk);
    if (++chunk->answered == chunk->commands) {
        (void)remove_first(&writes->flying);
        writes->flying_count--;
        discard(writes, chunk);
    }
    return members;
}

static uint32_t drop_queue(struct loy_redis_queue *queue)
{
    uint32_t members = 0;
    for (struct loy_redis_chunk *chunk; (chunk = remove_first(queue));) {
        members += (chunk->commands - chunk->answered) * members_of(chunk);
        free(chunk);
    }
    return members;
}

uint32_t loy_redis_writes_drop(struct loy_redis_writes *writes)
{
    uint32_t members = drop_queue(&writes->waiting) + drop_queue(&writes->flying);
    writes->flying_count = 0;
    writes->bytes = 0;
    return members;
}
