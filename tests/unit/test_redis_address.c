#include "adapters/redis/address.h"

#include "adapters/redis/redis.h"
#include "runtime/clock.h"
#include "support/cmocka_all.h"

static char room[16384];
static struct loy_arena arena;

static enum loy_err parse(const char *url, struct loy_redis_address *ret_address, struct loy_error *error)
{
    loy_arena_init(&arena, room, sizeof room);
    return loy_redis_address_parse(url, &arena, ret_address, error);
}

static struct loy_redis_address parsed(const char *url)
{
    struct loy_redis_address address;
    struct loy_error error;
    if (parse(url, &address, &error) != LOY_OK) {
        fail_msg("%s: %s", url, error.detail);
    }
    return address;
}

static void host_port_and_database(void **state)
{
    (void)state;
    struct loy_redis_address address = parsed("redis://cache.example:6380/5");
    assert_string_equal(address.host, "cache.example");
    assert_string_equal(address.port, "6380");
    assert_int_equal(address.db, 5);
    assert_null(address.password);
    assert_false(address.tls);
    address = parsed("redis://localhost");
    assert_string_equal(address.port, "6379");
    assert_int_equal(address.db, 0);
    address = parsed("redis://[::1]:7000/");
    assert_string_equal(address.host, "::1");
    assert_string_equal(address.port, "7000");
    address = parsed("redis://[fe80::1]");
    assert_string_equal(address.host, "fe80::1");
    assert_true(parsed("rediss://h:1").tls);
}

static void user_and_password(void **state)
{
    (void)state;
    struct loy_redis_address address = parsed("redis://app:p%40ss%25@h:1/2");
    assert_string_equal(address.user, "app");
    assert_string_equal(address.password, "p@ss%");
    assert_string_equal(address.host, "h");
    address = parsed("redis://:hush@h");
    assert_null(address.user);
    assert_string_equal(address.password, "hush");
    assert_string_equal(parsed("redis://hush@h").password, "hush");
    assert_string_equal(parsed("redis://a:b@c@h").password, "b@c");
}

static void unix_sockets(void **state)
{
    (void)state;
    struct loy_redis_address address = parsed("unix:///run/redis/redis.sock");
    assert_string_equal(address.path, "/run/redis/redis.sock");
    address = parsed("unix://:hush@/run/redis.sock?db=3");
    assert_string_equal(address.path, "/run/redis.sock");
    assert_string_equal(address.password, "hush");
    assert_int_equal(address.db, 3);
}

static void what_cannot_work_is_refused_without_showing_the_password(void **state)
{
    (void)state;
    static const char *const urls[] = {"",
                                       "localhost:6379",
                                       "http://h",
                                       "redis://",
                                       "redis://:6379",
                                       "redis://h:0",
                                       "redis://h:65536",
                                       "redis://h:port",
                                       "redis://h/x",
                                       "redis://h/-1",
                                       "redis://h/70000",
                                       "redis://h?timeout=1",
                                       "redis://[::1",
                                       "redis://[::1]6379",
                                       "redis://a:hush%zz@h",
                                       "redis://a:hush%2@h",
                                       "redis://a:hush%00@h",
                                       "unix://relative",
                                       "unix:///path?ttl=1",
                                       "redis://a:hush@"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct loy_redis_address address;
        struct loy_error error;
        if (parse(urls[i], &address, &error) != LOY_ERR_CONFIG) {
            fail_msg("%s was taken", urls[i]);
        }
        assert_non_null(strstr(error.detail, "redis://[user:password@]host"));
        assert_null(strstr(error.detail, "hush"));
    }
}

static void tls_is_there_or_clearly_refused(void **state)
{
    (void)state;
    struct loy_clock clock = loy_clock_of_system();
    struct loy_redis_config config = {.url = "rediss://127.0.0.1:1", .timeout_ms = 100};
    struct loy_redis_metrics metrics = {0};
    struct loy_redis *redis = NULL;
    struct loy_error error;
    enum loy_err err = loy_redis_new(&config, &clock, &metrics, &redis, &error);
    assert_true(err == LOY_OK || err == LOY_ERR_CONFIG);
    if (err) {
        assert_non_null(strstr(error.detail, "rediss:// needs TLS"));
    }
    loy_redis_destroy(redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_port_and_database),
        cmocka_unit_test(user_and_password),
        cmocka_unit_test(unix_sockets),
        cmocka_unit_test(what_cannot_work_is_refused_without_showing_the_password),
        cmocka_unit_test(tls_is_there_or_clearly_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
