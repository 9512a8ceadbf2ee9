/* Fake cache: a shared store of account rows that forgets, delays, invents and lies.
 *
 * struct fake_redis is the server, struct fake_cache one client of it, which implements ports/cache.h. In a world
 * without faults it is an honest cache. One thread. Tests: tests/unit/test_fakes.c, tests/contract/. */
#ifndef LOY_TESTS_SIM_FAKE_CACHE_H
#define LOY_TESTS_SIM_FAKE_CACHE_H

#include "ports/cache.h"
#include "sim/world.h"

struct fake_cached {
    struct loy_member_row row;
    struct loy_member_row before; /* as it stood one write earlier; seq -1: none */
};

struct fake_redis {
    struct sim_world *world;
    struct fake_cached *rows;
    uint32_t count, capacity;
    struct sim_map ids;
    bool down;
};

struct fake_cache {
    struct fake_redis *redis;
    bool loading;
    int64_t ready_at_us;
    struct sim_pool pool; /* of the last answer */
    struct loy_member_row *rows;
    uint32_t row_count;
};

void fake_redis_init(struct fake_redis *redis, struct sim_world *world);
void fake_redis_fini(struct fake_redis *redis);
/* Everything is gone, as after a FLUSHALL. */
void fake_redis_flush(struct fake_redis *redis);

void fake_cache_init(struct fake_cache *cache, struct fake_redis *redis);
void fake_cache_fini(struct fake_cache *cache);
struct loy_cache fake_cache_port(struct fake_cache *cache);

#endif
