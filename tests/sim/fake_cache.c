#include "sim/fake_cache.h"

#include <stdlib.h>

enum { CACHE_TIMEOUT_US = 200000 };

void fake_redis_init(struct fake_redis *redis, struct sim_world *world)
{
    *redis = (struct fake_redis){.world = world};
}

void fake_redis_flush(struct fake_redis *redis)
{
    redis->count = 0;
    sim_map_fini(&redis->ids);
}

void fake_redis_fini(struct fake_redis *redis)
{
    fake_redis_flush(redis);
    free(redis->rows);
}

/* --- lies --- */

static struct loy_member_row copy_row(struct sim_pool *pool, const struct loy_member_row *row)
{
    struct loy_member_row copy = *row;
    copy.member_id = sim_copy(pool, row->member_id);
    copy.state = sim_copy(pool, row->state);
    return copy;
}

static bool strikes(struct sim_world *world, uint16_t per_mille, enum sim_happening happening)
{
    if (!sim_chance(world, per_mille)) {
        return false;
    }
    sim_happened(world, happening);
    return true;
}

/* The digest as engine/account.h documents it: a lie that fits in itself passes everything but the store's guard. */
static struct loy_digest digest_of_row(const struct loy_member_row *row)
{
    uint8_t numbers[24];
    for (int i = 0; i < 4; i++) {
        numbers[i] = (uint8_t)((uint32_t)row->k >> (8 * i));
        numbers[4 + i] = (uint8_t)((uint32_t)row->n >> (8 * i));
    }
    for (int i = 0; i < 8; i++) {
        numbers[8 + i] = (uint8_t)((uint64_t)row->seq >> (8 * i));
        numbers[16 + i] = (uint8_t)((uint64_t)row->version >> (8 * i));
    }
    const struct loy_str parts[3] = {row->member_id, {(const char *)numbers, sizeof numbers}, row->state};
    uint8_t sha256[32];
    struct loy_digest digest;
    loy_sha256_parts(parts, 3, sha256);
    memcpy(digest.bytes, sha256, sizeof digest.bytes);
    return digest;
}

/* Another state: the row of some other member, or one byte changed. */
static struct loy_str another_state(struct fake_redis *redis, struct sim_pool *pool, struct loy_str state)
{
    struct loy_str other = redis->rows[sim_below(redis->world, redis->count)].row.state;
    if (!loy_str_equal(other, state)) {
        return sim_copy(pool, other);
    }
    struct loy_str changed = sim_copy(pool, state);
    if (changed.len > 0) {
        ((char *)changed.at)[sim_below(redis->world, changed.len)] ^= 1;
    }
    return changed;
}

static void lie(struct fake_cache *cache, struct loy_member_row *row)
{
    struct sim_world *world = cache->redis->world;
    if (strikes(world, world->faults.cache_lie_state, SIM_CACHE_LIED_STATE)) {
        row->state = another_state(cache->redis, &cache->pool, row->state);
        row->digest = digest_of_row(row);
    }
    if (strikes(world, world->faults.cache_lie_digest, SIM_CACHE_LIED_DIGEST)) {
        row->state = another_state(cache->redis, &cache->pool, row->state);
    }
    if (strikes(world, world->faults.cache_lie_columns, SIM_CACHE_LIED_COLUMNS)) {
        switch (sim_below(world, 3)) {
        case 0:
            row->version += sim_between(world, 1, 3);
            break;
        case 1:
            row->n = cache->redis->rows[sim_below(world, cache->redis->count)].row.n;
            break;
        default:
            row->seq += sim_between(world, 1, 3);
            break;
        }
        if (sim_chance(world, 500)) {
            row->digest = digest_of_row(row);
        }
    }
    if (strikes(world, world->faults.cache_garbage, SIM_CACHE_GARBAGE)) {
        char *bytes = sim_alloc(&cache->pool, 64);
        size_t len = sim_below(world, 64);
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)sim_random(world);
        }
        row->state = (struct loy_str){bytes, len};
        row->digest = digest_of_row(row);
    }
}

/* --- the port --- */

static void answer_one(struct fake_cache *cache, struct loy_str member_id, int32_t k)
{
    struct fake_redis *redis = cache->redis;
    struct sim_world *world = redis->world;
    int32_t at = sim_map_find(&redis->ids, member_id);
    struct loy_member_row *row = &cache->rows[cache->row_count];
    if (at < 0) {
        if (redis->count > 0 && strikes(world, world->faults.cache_invent, SIM_CACHE_INVENTED)) {
            *row = copy_row(&cache->pool, &redis->rows[sim_below(world, redis->count)].row);
            row->member_id = sim_copy(&cache->pool, member_id);
            row->k = k;
            row->digest = digest_of_row(row);
            cache->row_count++;
        }
        return;
    }
    if (strikes(world, world->faults.cache_lose, SIM_CACHE_LOST)) {
        return;
    }
    const struct fake_cached *cached = &redis->rows[at];
    bool stale = cached->before.seq >= 0 && strikes(world, world->faults.cache_stale, SIM_CACHE_STALE);
    *row = copy_row(&cache->pool, stale ? &cached->before : &cached->row);
    lie(cache, row);
    cache->row_count++;
}

static enum loy_err cache_load(void *self, const struct loy_account_key *keys, uint32_t count)
{
    struct fake_cache *cache = self;
    struct sim_world *world = cache->redis->world;
    if (cache->loading) {
        return LOY_ERR_AGAIN;
    }
    if (cache->redis->down || sim_chance(world, world->faults.cache_off)) {
        sim_happened(world, SIM_CACHE_OFF);
        return LOY_ERR_UNAVAILABLE;
    }
    for (uint32_t i = 0; i < cache->row_count; i++) {
        memset((char *)cache->rows[i].state.at, 0xdb, cache->rows[i].state.len);
    }
    sim_pool_fini(&cache->pool);
    cache->rows = sim_alloc(&cache->pool, count * sizeof *cache->rows);
    cache->row_count = 0;
    cache->loading = true;
    cache->ready_at_us = sim_soon(world);
    if (strikes(world, world->faults.cache_slow, SIM_CACHE_SLOW)) {
        cache->ready_at_us = world->now_us + CACHE_TIMEOUT_US;
        if (sim_chance(world, 500)) {
            return LOY_OK; /* the time-out comes first */
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        answer_one(cache, keys[i].member_id, keys[i].k);
    }
    return LOY_OK;
}

static bool cache_poll(void *self, const struct loy_member_row **ret_rows, uint32_t *ret_count)
{
    struct fake_cache *cache = self;
    if (!cache->loading || cache->ready_at_us > cache->redis->world->now_us) {
        return false;
    }
    cache->loading = false;
    *ret_rows = cache->rows;
    *ret_count = cache->row_count;
    return true;
}

static void store_one(struct fake_redis *redis, const struct loy_member_row *row)
{
    struct sim_pool *pool = &redis->world->pool;
    int32_t at = sim_map_find(&redis->ids, row->member_id);
    if (at < 0) {
        if (redis->count == redis->capacity) {
            redis->capacity = redis->capacity * 2 + 64;
            redis->rows = sim_grow(redis->rows, redis->capacity, sizeof *redis->rows);
        }
        at = (int32_t)redis->count++;
        redis->rows[at] = (struct fake_cached){copy_row(pool, row), {.seq = -1}};
        sim_map_put(&redis->ids, redis->rows[at].row.member_id, at);
    } else { /* also an older one: of a worker that was late */
        redis->rows[at].before = redis->rows[at].row;
        redis->rows[at].row = copy_row(pool, row);
    }
}

static void cache_store(void *self, const struct loy_cache_write *writes, uint32_t count)
{
    struct fake_redis *redis = ((struct fake_cache *)self)->redis;
    sim_touch(redis->world);
    for (uint32_t i = 0; i < count && !redis->down; i++) {
        if (!strikes(redis->world, redis->world->faults.cache_lose, SIM_CACHE_LOST)) {
            store_one(redis, &writes[i].row);
        }
    }
}

static void cache_wait_on(void *self, int *ret_fd, short *ret_events)
{
    (void)self;
    *ret_fd = -1;
    *ret_events = 0;
}

void fake_cache_init(struct fake_cache *cache, struct fake_redis *redis)
{
    *cache = (struct fake_cache){.redis = redis};
}

void fake_cache_fini(struct fake_cache *cache)
{
    sim_pool_fini(&cache->pool);
}

struct loy_cache fake_cache_port(struct fake_cache *cache)
{
    return (struct loy_cache){
        .load = cache_load, .poll = cache_poll, .store = cache_store, .wait_on = cache_wait_on, .self = cache};
}
