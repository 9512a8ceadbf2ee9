/* The cache's contract on real Redis (a private one), and on the simulated cache. Exits 0 when both keep it. */
#include "contract/contract_cache.h"

#include "adapters/redis/redis.h"
#include "runtime/clock.h"
#include "sim/fake_cache.h"
#include "support/cmocka_all.h"
#include "support/redis_server.h"

#include <stdlib.h>
#include <unistd.h>

/* --- Redis --- */

static void *open_redis(void *context)
{
    struct redis_server *server = context;
    struct loy_clock clock = loy_clock_of_system();
    struct loy_redis_config config = {.url = server->url, .timeout_ms = 5000, .incarnation = 1, .ttl_hours = 1};
    static struct loy_redis_metrics metrics;
    struct loy_redis *redis = NULL;
    struct loy_error error;
    if (!server->commands) {
        return NULL;
    }
    assert_int_equal(loy_redis_new(&config, &clock, &metrics, &redis, &error), LOY_OK);
    struct loy_cache port = loy_redis_cache(redis);
    struct loy_account_key key = {0, LOY_STR("nobody")};
    const struct loy_member_row *rows;
    uint32_t count;
    for (int i = 0; port.load(port.self, &key, 1) != LOY_OK; i++) {
        assert_true(i < 2000);
        (void)usleep(1000);
    }
    while (!port.poll(port.self, &rows, &count)) {
        (void)usleep(1000);
    }
    return redis;
}

static void *open_empty_redis(void *context)
{
    struct redis_server *server = context;
    if (server->commands) {
        freeReplyObject(redis_server_do(server, "FLUSHALL"));
    }
    return open_redis(context);
}

static struct loy_cache port_of_redis(void *cache)
{
    return loy_redis_cache(cache);
}

static void settle_redis(void *context, void *cache)
{
    (void)context;
    loy_redis_drain(cache, 5000);
    (void)usleep(100);
}

static void close_redis(void *context, void *cache)
{
    (void)context;
    loy_redis_destroy(cache);
}

/* --- the fake --- */

struct fake_context {
    struct sim_world world;
    struct fake_redis redis;
};

static void *open_another_fake(void *context)
{
    struct fake_context *fake = context;
    struct fake_cache *cache = calloc(1, sizeof *cache);
    assert_non_null(cache);
    fake_cache_init(cache, &fake->redis);
    return cache;
}

static void *open_fake(void *context)
{
    struct fake_context *fake = context;
    fake_redis_flush(&fake->redis);
    return open_another_fake(context);
}

static struct loy_cache port_of_fake(void *cache)
{
    return fake_cache_port(cache);
}

static void settle_fake(void *context, void *cache)
{
    (void)cache;
    ((struct fake_context *)context)->world.now_us += 100000;
}

static void close_fake(void *context, void *cache)
{
    (void)context;
    fake_cache_fini(cache);
    free(cache);
}

int main(void)
{
    static struct redis_server server;
    static struct fake_context fake;
    bool has_redis = redis_server_start(&server);
    sim_world_init(&fake.world, 1);
    fake_redis_init(&fake.redis, &fake.world);
    const struct contract_cache_maker makers[] = {
        {.name = "cache: redis",
         .is_honest = true,
         .open = open_empty_redis,
         .open_another = open_redis,
         .port = port_of_redis,
         .settle = settle_redis,
         .close = close_redis,
         .context = &server},
        {.name = "cache: simulated",
         .is_honest = true,
         .open = open_fake,
         .open_another = open_another_fake,
         .port = port_of_fake,
         .settle = settle_fake,
         .close = close_fake,
         .context = &fake},
    };
    int failed = contract_cache_run(&makers[0]) + contract_cache_run(&makers[1]);
    if (has_redis) {
        redis_server_stop(&server);
    }
    fake_redis_fini(&fake.redis);
    sim_world_fini(&fake.world);
    return failed ? 1 : 0;
}
