#include "adapters/redis/writes.h"

#include "adapters/redis/redis.h"
#include "adapters/redis/row.h"
#include "base/num.h"

#include <assert.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands there counts only if it is a hash whose seq is a plain number: anything else is replaced. An empty
 * balance leaves the one that is there: the event changed the account, but not what is published of it. */
static const char script[] = "local ttl = tonumber(ARGV[1])\n"
                             "local written = 0\n"
                             "for i, key in ipairs(KEYS) do\n"
                             "  local seq, row, balance = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]\n"
                             "  local stands = redis.pcall('HGET', key, 'seq')\n"
                             "  if type(stands) == 'table' then\n"
                             "    redis.call('DEL', key)\n"
                             "    stands = false\n"
                             "  end\n"
                             "  if not stands or #stands > 15 or not string.match(stands, '^%d+$')\n"
                             "     or tonumber(stands) < tonumber(seq) then\n"
                             "    if balance == '' then\n"
                             "      redis.call('HSET', key, 'seq', seq, 'row', row)\n"
                             "    else\n"
                             "      redis.call('HSET', key, 'seq', seq, 'row', row, 'balance', balance)\n"
                             "    end\n"
                             "    if ttl > 0 then redis.call('PEXPIRE', key, ttl) end\n"
                             "    written = written + 1\n"
                             "  end\n"
                             "end\n"
                             "return written\n";

struct loy_str loy_redis_script(void)
{
    return (struct loy_str){script, sizeof script - 1};
}

void loy_redis_writes_init(struct loy_redis_writes *writes, int32_t incarnation, int64_t ttl_hours)
{
    *writes = (struct loy_redis_writes){.incarnation = incarnation, .ttl_ms = ttl_hours * 3600 * 1000};
    struct sha1_ctx sha1;
    uint8_t digest[SHA1_DIGEST_SIZE];
    sha1_init(&sha1);
    sha1_update(&sha1, sizeof script - 1, (const uint8_t *)script);
    sha1_digest(&sha1, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        (void)snprintf(writes->sha + 2 * i, 3, "%02x", digest[i]);
    }
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

enum { BULK_HEAD = 16 }; /* "$4294967295\r\n" and the "\r\n" behind */

/* At least as many bytes as the chunk's command takes. */
static size_t room_for(const struct loy_cache_write *rows, uint32_t count)
{
    size_t bytes = (size_t)8 * BULK_HEAD + 160;
    for (uint32_t i = 0; i < count; i++) {
        bytes += (size_t)4 * BULK_HEAD + 32 + rows[i].row.member_id.len + 20 + LOY_REDIS_ROW_HEAD +
                 rows[i].row.state.len + rows[i].balance_json.len;
    }
    return bytes;
}

/* Six numbers a member: by printf they were a twentieth of the worker's time. */
static void put_head(struct loy_redis_chunk *chunk, char sort, size_t number)
{
    chunk->bytes[chunk->len++] = sort;
    chunk->len += loy_decimal_format((int64_t)number, 0, chunk->bytes + chunk->len);
    memcpy(chunk->bytes + chunk->len, "\r\n", 2);
    chunk->len += 2;
}

static void put_bulk(struct loy_redis_chunk *chunk, const char *text, size_t length)
{
    put_head(chunk, '$', length);
    if (length) {
        memcpy(chunk->bytes + chunk->len, text, length);
        chunk->len += length;
    }
    memcpy(chunk->bytes + chunk->len, "\r\n", 2);
    chunk->len += 2;
}

static void put_number(struct loy_redis_chunk *chunk, int64_t number)
{
    char text[LOY_DECIMAL_TEXT_MAX];
    put_bulk(chunk, text, loy_decimal_format(number, 0, text));
}

static void put_row(struct loy_redis_chunk *chunk, const struct loy_member_row *row, int32_t incarnation)
{
    size_t length = LOY_REDIS_ROW_HEAD + row->state.len;
    put_head(chunk, '$', length);
    loy_redis_row_encode(row, incarnation, chunk->bytes + chunk->len);
    chunk->len += length;
    memcpy(chunk->bytes + chunk->len, "\r\n", 2);
    chunk->len += 2;
}

static struct loy_redis_chunk *make_chunk(const struct loy_redis_writes *writes, const struct loy_cache_write *rows,
                                          uint32_t count)
{
    size_t room = room_for(rows, count);
    struct loy_redis_chunk *chunk = malloc(sizeof *chunk + room);
    if (!chunk) {
        return NULL;
    }
    *chunk = (struct loy_redis_chunk){.members = count};
    /* EVALSHA sha count key… ttl (seq row balance)… */
    put_head(chunk, '*', 4 + (size_t)count * 4);
    put_bulk(chunk, "EVALSHA", 7);
    put_bulk(chunk, writes->sha, 40);
    put_number(chunk, count);
    for (uint32_t i = 0; i < count; i++) {
        char key[LOY_REDIS_KEY_MAX];
        put_bulk(chunk, key, loy_redis_key(writes->incarnation, rows[i].row.member_id, key));
    }
    put_number(chunk, writes->ttl_ms);
    for (uint32_t i = 0; i < count; i++) {
        put_number(chunk, rows[i].row.seq);
        put_row(chunk, &rows[i].row, writes->incarnation);
        put_bulk(chunk, rows[i].balance_json.at, rows[i].balance_json.len);
    }
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

static bool is_writable(const struct loy_redis_writes *writes, const struct loy_cache_write *row)
{
    char key[LOY_REDIS_KEY_MAX];
    return row->row.state.len <= LOY_REDIS_ROW_MAX - LOY_REDIS_ROW_HEAD && row->balance_json.len <= LOY_REDIS_ROW_MAX &&
           loy_redis_key(writes->incarnation, row->row.member_id, key) > 0;
}

uint32_t loy_redis_writes_put(struct loy_redis_writes *writes, const struct loy_cache_write *rows, uint32_t count)
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
            writes->bytes < LOY_REDIS_QUEUE_BYTES ? make_chunk(writes, &rows[at], some) : NULL;
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

struct loy_redis_chunk *loy_redis_writes_take(struct loy_redis_writes *writes)
{
    struct loy_redis_chunk *chunk = remove_first(&writes->waiting);
    if (chunk) {
        chunk->tries++;
        append(&writes->flying, chunk);
        writes->flying_count++;
    }
    return chunk;
}

uint32_t loy_redis_writes_done(struct loy_redis_writes *writes, bool again, bool *ret_was_put_back)
{
    struct loy_redis_chunk *chunk = remove_first(&writes->flying);
    assert(chunk);
    writes->flying_count--;
    uint32_t members = chunk->members;
    *ret_was_put_back = again && chunk->tries < LOY_REDIS_CHUNK_TRIES;
    if (*ret_was_put_back) {
        chunk->next = writes->waiting.first;
        writes->waiting.first = chunk;
        writes->waiting.last = writes->waiting.last ? writes->waiting.last : chunk;
        return members;
    }
    writes->bytes -= chunk->len;
    free(chunk);
    return members;
}

static uint32_t drop_queue(struct loy_redis_queue *queue)
{
    uint32_t members = 0;
    for (struct loy_redis_chunk *chunk; (chunk = remove_first(queue));) {
        members += chunk->members;
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
