#include "adapters/redis/redis.h"

#include "adapters/redis/link.h"
#include "adapters/redis/row.h"
#include "adapters/redis/writes.h"
#include "base/num.h"
#include "runtime/region.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_ROW = LOY_REDIS_GREETING + 1, /* GET key */
    TAG_WRITE,                        /* the commands of a chunk */
};

enum {
    ADDRESS_BYTES = 16384,
    CHUNKS_IN_FLIGHT = 2,    /* so that a read never waits long behind writes */
    INBOX_KEEP = 4 << 20,    /* memory that a usual load may keep */
    WRITE_STALLED_MS = 5000, /* an unanswered write closes the connection */
};

enum load_state { LOAD_NONE, LOAD_UNDER_WAY, LOAD_OVER };

struct loy_redis {
    struct loy_redis_link link;
    struct loy_redis_writes writes;
    struct loy_redis_metrics *metrics;
    int32_t incarnation;
    int64_t timeout_us;
    bool write_answered; /* or the first one sent: the deadline moves */
    int64_t write_deadline_us;
    /* The load under way. All of it lives in the inbox until the next one. */
    enum load_state load;
    int64_t load_deadline_us;
    struct loy_region region;
    struct loy_arena inbox;
    const struct loy_account_key *keys;
    uint32_t key_count;
    uint32_t answered;
    struct loy_member_row *rows;
    uint32_t row_count;
    char address_texts[ADDRESS_BYTES];
};

static void count(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static int64_t now_us(const struct loy_redis *redis)
{
    return redis->link.clock.monotonic_us(redis->link.clock.self);
}

/* --- answers ---------------------------------------------------------------------------------------------------------
 */

/* One GET's: a row that can be believed so far, or a miss. */
static void take_row(struct loy_redis *redis, const struct loy_redis_answer *answer)
{
    const struct loy_account_key *key = &redis->keys[redis->answered++];
    struct loy_member_row row;
    if (answer->kind == LOY_ANSWER_NIL) {
        count(&redis->metrics->missing, 1);
    } else if (answer->kind != LOY_ANSWER_TEXT ||
               !loy_redis_row_decode(answer->text, key, redis->incarnation, &redis->inbox, &row)) {
        count(&redis->metrics->refused, 1);
    } else {
        redis->rows[redis->row_count++] = row;
        count(&redis->metrics->found, 1);
    }
    if (redis->answered == redis->key_count) {
        redis->load = LOAD_OVER;
    }
}

static void take_written(struct loy_redis *redis, const struct loy_redis_answer *answer)
{
    bool written = answer->kind == LOY_ANSWER_TEXT; /* the status OK */
    count(written ? &redis->metrics->written : &redis->metrics->dropped, loy_redis_writes_answered(&redis->writes));
    redis->write_answered = true;
}

static void on_answer(void *self, int tag, const struct loy_redis_answer *answer)
{
    switch (tag) {
    case TAG_ROW:
        take_row(self, answer);
        return;
    case TAG_WRITE:
        take_written(self, answer);
        return;
    default:
        return;
    }
}

static void on_down(void *self)
{
    struct loy_redis *redis = self;
    count(&redis->metrics->dropped, loy_redis_writes_drop(&redis->writes));
    if (redis->load == LOAD_UNDER_WAY) {
        redis->load = LOAD_OVER;
        redis->row_count = 0;
    }
}

/* --- what has to be done now
 * -------------------------------------------------------------------------------------------- */

static void send_writes(struct loy_redis *redis)
{
    if (!redis->writes.waiting.first) {
        return;
    }
    int64_t now = now_us(redis);
    count(&redis->metrics->dropped, loy_redis_writes_drop_late(&redis->writes, now));
    while (redis->link.state == LOY_LINK_UP && redis->writes.waiting.first &&
           redis->writes.flying_count < CHUNKS_IN_FLIGHT) {
        const struct loy_redis_chunk *next = redis->writes.waiting.first;
        if (!loy_redis_link_send(&redis->link, (struct loy_str){next->bytes, next->len}, TAG_WRITE, next->commands)) {
            return;
        }
        redis->write_answered = redis->write_answered || redis->writes.flying_count == 0;
        loy_redis_writes_sent(&redis->writes);
    }
}

static void turn(struct loy_redis *redis)
{
    loy_redis_link_turn(&redis->link);
    send_writes(redis);
    if (redis->link.has_unsent) {
        loy_redis_link_turn(&redis->link);
    }
    if (redis->write_answered) {
        redis->write_answered = false;
        redis->write_deadline_us = now_us(redis) + WRITE_STALLED_MS * INT64_C(1000);
    }
    if (redis->load == LOAD_UNDER_WAY && now_us(redis) >= redis->load_deadline_us) {
        count(&redis->metrics->time_outs, 1);
        loy_redis_link_fail(&redis->link, "a read was not answered in redis_timeout_ms");
    } else if (redis->writes.flying_count > 0 && now_us(redis) >= redis->write_deadline_us) {
        count(&redis->metrics->time_outs, 1);
        loy_redis_link_fail(&redis->link, "a write was not answered within 5 s");
    }
}

/* --- the port
 * ----------------------------------------------------------------------------------------------------------- */

static void put_get(const struct loy_redis *redis, struct loy_str member_id, struct loy_buf *commands)
{
    char key[LOY_REDIS_KEY_MAX];
    char number[LOY_DECIMAL_TEXT_MAX];
    size_t length = loy_redis_key(redis->incarnation, member_id, key);
    loy_buf_append(commands, LOY_STR("*2\r\n$3\r\nGET\r\n$"));
    loy_buf_append(commands, (struct loy_str){number, loy_decimal_format((int64_t)length, 0, number)});
    loy_buf_append(commands, LOY_STR("\r\n"));
    loy_buf_append(commands, (struct loy_str){key, length});
    loy_buf_append(commands, LOY_STR("\r\n"));
}

/* The keys, copied, and the commands that ask for them; empty when they do not fit. */
static struct loy_str ask_for(struct loy_redis *redis, const struct loy_account_key *keys, uint32_t key_count)
{
    struct loy_buf commands;
    struct loy_account_key *copies = LOY_NEW_ARRAY(&redis->inbox, struct loy_account_key, key_count);
    redis->rows = LOY_NEW_ARRAY(&redis->inbox, struct loy_member_row, key_count);
    if (!copies || !redis->rows) {
        return (struct loy_str){0};
    }
    for (uint32_t i = 0; i < key_count; i++) {
        copies[i] = (struct loy_account_key){keys[i].k, loy_str_copy(&redis->inbox, keys[i].member_id)};
        if (!copies[i].member_id.at) {
            return (struct loy_str){0};
        }
    }
    loy_buf_init(&commands, &redis->inbox, (size_t)key_count * 96 + 64);
    for (uint32_t i = 0; i < key_count; i++) {
        put_get(redis, copies[i].member_id, &commands);
    }
    redis->keys = copies;
    return loy_buf_str(&commands);
}

static enum loy_err cache_load(void *self, const struct loy_account_key *keys, uint32_t key_count)
{
    struct loy_redis *redis = self;
    turn(redis);
    if (redis->load != LOAD_NONE) {
        return LOY_ERR_AGAIN;
    }
    if (redis->link.state != LOY_LINK_UP || key_count == 0) {
        return LOY_ERR_UNAVAILABLE;
    }
    loy_region_reset(&redis->region, &redis->inbox, INBOX_KEEP);
    struct loy_str commands = ask_for(redis, keys, key_count);
    if (!commands.len || !loy_redis_link_send(&redis->link, commands, TAG_ROW, key_count)) {
        return LOY_ERR_UNAVAILABLE;
    }
    redis->key_count = key_count;
    redis->answered = 0;
    redis->row_count = 0;
    redis->load = LOAD_UNDER_WAY;
    redis->load_deadline_us = now_us(redis) + redis->timeout_us;
    turn(redis);
    return LOY_OK;
}

static bool cache_poll(void *self, const struct loy_member_row **ret_rows, uint32_t *ret_count)
{
    struct loy_redis *redis = self;
    turn(redis);
    if (redis->load != LOAD_OVER) {
        return false;
    }
    redis->load = LOAD_NONE;
    *ret_rows = redis->rows;
    *ret_count = redis->row_count;
    return true;
}

static void cache_store(void *self, const struct loy_cache_write *rows, uint32_t row_count)
{
    struct loy_redis *redis = self;
    bool is_off = redis->link.state == LOY_LINK_OFF;
    count(&redis->metrics->dropped,
          is_off ? row_count : loy_redis_writes_put(&redis->writes, rows, row_count, now_us(redis)));
    turn(redis);
}

static void cache_wait_on(void *self, int *ret_fd, short *ret_events)
{
    struct loy_redis *redis = self;
    loy_redis_link_wait_on(&redis->link, ret_fd, ret_events);
}

struct loy_cache loy_redis_cache(struct loy_redis *redis)
{
    return (struct loy_cache){
        .load = cache_load, .poll = cache_poll, .store = cache_store, .wait_on = cache_wait_on, .self = redis};
}

void loy_redis_drain(struct loy_redis *redis, int64_t timeout_ms)
{
    int64_t deadline_us = now_us(redis) + timeout_ms * 1000;
    turn(redis);
    while (redis->link.state == LOY_LINK_UP && redis->writes.bytes > 0 && now_us(redis) < deadline_us) {
        struct pollfd fd;
        loy_redis_link_wait_on(&redis->link, &fd.fd, &fd.events);
        (void)poll(&fd, 1, 10);
        turn(redis);
    }
}

/* --- life
 * ---------------------------------------------------------------------------------------------------------------- */

enum loy_err loy_redis_new(const struct loy_redis_config *config, const struct loy_clock *clock,
                           struct loy_redis_metrics *metrics, struct loy_redis **ret_redis, struct loy_error *error)
{
    struct loy_redis *redis = calloc(1, sizeof *redis);
    if (!redis) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for Redis's connection");
    }
    struct loy_arena arena;
    loy_arena_init(&arena, redis->address_texts, sizeof redis->address_texts);
    redis->incarnation = config->incarnation;
    redis->timeout_us = config->timeout_ms * 1000;
    redis->metrics = metrics;
    redis->link.metrics = metrics;
    redis->link.clock = *clock;
    redis->link.on_answer = on_answer;
    redis->link.on_down = on_down;
    redis->link.self = redis;
    loy_redis_link_init(&redis->link, config->seed);
    loy_redis_writes_init(&redis->writes, config->incarnation, config->ttl_hours);
    enum loy_err err = loy_redis_address_parse(config->url, &arena, &redis->link.address, error);
    if (!err && redis->link.address.tls) {
        err = loy_redis_tls_new(&redis->link.tls, error);
    }
    err = err ? err : loy_region_map(LOY_REDIS_INBOX_BYTES, &redis->region, error);
    if (err) {
        loy_redis_destroy(redis);
        return err;
    }
    loy_region_arena(&redis->region, &redis->inbox);
    turn(redis);
    *ret_redis = redis;
    return LOY_OK;
}

void loy_redis_destroy(struct loy_redis *redis)
{
    if (!redis) {
        return;
    }
    loy_redis_link_fini(&redis->link);
    (void)loy_redis_writes_drop(&redis->writes);
    loy_region_unmap(&redis->region);
    explicit_bzero(redis->address_texts, sizeof redis->address_texts);
    free(redis);
}

const struct loy_metric *loy_redis_metric_rows(size_t *ret_count)
{
    static const struct loy_metric rows[] = {
#define ROW(field, name, help) LOY_METRIC_COUNTER_ROW(struct loy_redis_metrics, field, name, help),
        LOY_REDIS_COUNTERS(ROW)
#undef ROW
            LOY_METRIC_GAUGE_ROW(struct loy_redis_metrics, connected, "loyald_redis_connections",
                                 "Connections to Redis that work"),
    };
    *ret_count = sizeof rows / sizeof *rows;
    return rows;
}
