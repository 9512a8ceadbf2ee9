/* The adapter on a real Redis that is well, ill, lying or gone, and on a server that speaks nonsense. */
#include "adapters/redis/redis.h"

#include "runtime/clock.h"
#include "runtime/log.h"
#include "support/cmocka_all.h"
#include "support/redis_server.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A time-out that no busy machine reaches by itself: who tests it skips the time. */
enum { TIMEOUT_MS = 10000, MEMBERS = 200 };

static struct redis_server server;

/* --- time of the tests' own: the system's, plus what is skipped ------------------------------------------------------
 */

static int64_t skipped_us;

static int64_t shifted_us(void *self)
{
    (void)self;
    struct loy_clock clock = loy_clock_of_system();
    return clock.monotonic_us(clock.self) + skipped_us;
}

static int64_t real_us(void)
{
    struct loy_clock clock = loy_clock_of_system();
    return clock.monotonic_us(clock.self);
}

static struct loy_redis_metrics metrics; /* of the connection that was opened last */

static struct loy_redis *open_with(const char *url, int64_t ttl_hours)
{
    metrics = (struct loy_redis_metrics){0};
    struct loy_clock clock = {shifted_us, shifted_us, NULL};
    struct loy_redis_config config = {
        .url = url, .timeout_ms = TIMEOUT_MS, .incarnation = 3, .ttl_hours = ttl_hours, .seed = 1};
    struct loy_redis *redis = NULL;
    struct loy_error error;
    if (loy_redis_new(&config, &clock, &metrics, &redis, &error)) {
        fail_msg("%s", error.detail);
    }
    return redis;
}

static struct loy_redis *open_at(const char *url)
{
    return open_with(url, 0);
}

static uint64_t metric(const char *name)
{
    size_t count;
    const struct loy_metric *rows = loy_redis_metric_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            struct loy_metric_value value = {0};
            rows[i].read(&rows[i], &metrics, &value);
            return (uint64_t)value.value;
        }
    }
    fail_msg("no metric %s", name);
    return 0;
}

/* Turns until the connection works. */
static void wait_until_up(struct loy_redis *redis)
{
    struct loy_cache cache = loy_redis_cache(redis);
    const struct loy_member_row *rows;
    uint32_t count;
    for (int i = 0; !metric("loyald_redis_connections"); i++) {
        assert_true(i < 5000);
        (void)cache.poll(cache.self, &rows, &count);
        (void)usleep(1000);
    }
}

static struct loy_redis *open_up(void)
{
    freeReplyObject(redis_server_do(&server, "FLUSHALL"));
    struct loy_redis *redis = open_at(server.url);
    wait_until_up(redis);
    return redis;
}

static struct loy_member_row row_of(const char *member_id, int64_t seq)
{
    struct loy_member_row row = {.k = 1, .n = 2, .member_id = loy_str(member_id), .seq = seq, .version = seq};
    row.state = LOY_STR("state");
    row.digest = loy_digest_of(row.state);
    return row;
}

static void store(struct loy_redis *redis, const char *member_id, int64_t seq, const char *balance)
{
    struct loy_cache cache = loy_redis_cache(redis);
    struct loy_cache_write write = {row_of(member_id, seq), loy_str(balance)};
    cache.store(cache.self, &write, 1);
    loy_redis_drain(redis, 2000);
}

/* The seq that is found; 0: a miss; -1: the cache cannot be asked. */
static int64_t found(struct loy_redis *redis, const char *member_id)
{
    struct loy_cache cache = loy_redis_cache(redis);
    struct loy_account_key key = {1, loy_str(member_id)};
    const struct loy_member_row *rows;
    uint32_t count;
    if (cache.load(cache.self, &key, 1) != LOY_OK) {
        return -1;
    }
    while (!cache.poll(cache.self, &rows, &count)) {
        struct pollfd fd;
        cache.wait_on(cache.self, &fd.fd, &fd.events);
        (void)poll(&fd, 1, 5);
    }
    return count ? rows->seq : 0;
}

/* --- well
 * --------------------------------------------------------------------------------------------------------------- */

static void writes_what_the_documentation_describes(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    store(redis, "m1", 7, "{\"version\":7}");
    assert_int_equal(found(redis, "m1"), 7);
    redisReply *value = redis_server_do(&server, "GET loyald:3:member:m1");
    assert_string_equal(strtok(value->str, ","), "{\"version\":7");
    freeReplyObject(value);
    redisReply *ttl = redis_server_do(&server, "PTTL loyald:3:member:m1");
    assert_int_equal(ttl->integer, -1);
    freeReplyObject(ttl);
    loy_redis_destroy(redis);
}

enum { MANY = 300 }; /* three chunks */

/* Writes m0 to m299 in one go; their seq is 1 and up. */
static void store_many(struct loy_redis *redis)
{
    static char ids[MANY][8];
    static struct loy_cache_write writes[MANY];
    struct loy_cache cache = loy_redis_cache(redis);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%d", i);
        writes[i] = (struct loy_cache_write){row_of(ids[i], i + 1), LOY_STR("{\"version\":1}")};
    }
    cache.store(cache.self, writes, MANY);
    loy_redis_drain(redis, 2000);
}

static void many_members_are_written_together(void **state)
{
    (void)state;
    for (int ttl_hours = 0; ttl_hours <= 2; ttl_hours += 2) {
        freeReplyObject(redis_server_do(&server, "FLUSHALL"));
        freeReplyObject(redis_server_do(&server, "CONFIG RESETSTAT"));
        struct loy_redis *redis = open_with(server.url, ttl_hours);
        wait_until_up(redis);
        store_many(redis);
        assert_int_equal(metric("loyald_redis_rows_written_total"), MANY);
        assert_int_equal(metric("loyald_redis_rows_dropped_total"), 0);
        for (int i = 0; i < MANY; i++) {
            char id[8];
            (void)snprintf(id, sizeof id, "m%d", i);
            assert_int_equal(found(redis, id), i + 1);
        }
        redisReply *ttl = redis_server_do(&server, "PTTL loyald:3:member:m299");
        assert_true(ttl_hours ? ttl->integer > 7100000 && ttl->integer <= 7200000 : ttl->integer == -1);
        freeReplyObject(ttl);
        loy_redis_destroy(redis);
    }
}

static void members_of_a_refused_command_are_counted(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    freeReplyObject(redis_server_do(&server, "ACL SETUSER default -mset -set"));
    store_many(redis);
    assert_int_equal(metric("loyald_redis_rows_dropped_total"), MANY);
    assert_int_equal(metric("loyald_redis_rows_written_total"), 0);
    freeReplyObject(redis_server_do(&server, "ACL SETUSER default +@all"));
    store_many(redis);
    assert_int_equal(metric("loyald_redis_rows_written_total"), MANY);
    loy_redis_destroy(redis);
}

/* A thread that was stopped for long must not put what it had to write over what its successor wrote. */
static void what_has_waited_too_long_is_not_written(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    struct loy_cache cache = loy_redis_cache(redis);
    struct loy_cache_write write = {row_of("m1", 0), LOY_STR("{\"version\":1}")};
    redis_server_signal(&server, SIGSTOP);
    for (write.row.seq = 1; write.row.seq <= 5; write.row.seq++) {
        cache.store(cache.self, &write, 1);
    }
    skipped_us += 2100000;
    redis_server_signal(&server, SIGCONT);
    loy_redis_drain(redis, 2000);
    assert_int_equal(metric("loyald_redis_rows_written_total"), 2); /* these were on their way */
    assert_int_equal(metric("loyald_redis_rows_dropped_total"), 3);
    assert_int_equal(found(redis, "m1"), 2);
    store(redis, "m1", 6, "{\"version\":1}");
    assert_int_equal(found(redis, "m1"), 6);
    loy_redis_destroy(redis);
}

/* The socket takes a part of what is written: what is left follows it, and nothing stands twice or is lost. */
static void what_a_full_socket_leaves_follows_later(void **state)
{
    (void)state;
    enum { LARGE = 64, BALANCE = 14000 }; /* one command of about 900 KB */
    static char ids[LARGE][8], balance[BALANCE + 1];
    static struct loy_cache_write writes[LARGE];
    (void)snprintf(balance, sizeof balance, "{\"version\":\"%0*d\"}", BALANCE - 15, 1);
    struct loy_redis *redis = open_up();
    struct loy_cache cache = loy_redis_cache(redis);
    for (int64_t round = 0; round < 2; round++) {
        redis_server_signal(&server, SIGSTOP);
        for (int i = 0; i < LARGE; i++) {
            (void)snprintf(ids[i], sizeof ids[i], "m%d", i);
            writes[i] = (struct loy_cache_write){row_of(ids[i], 1 + i + round * LARGE), loy_str(balance)};
        }
        cache.store(cache.self, writes, LARGE);
        redis_server_signal(&server, SIGCONT);
        loy_redis_drain(redis, 5000);
        assert_int_equal(metric("loyald_redis_rows_written_total"), (round + 1) * LARGE);
    }
    for (int i = 0; i < LARGE; i++) {
        assert_int_equal(found(redis, ids[i]), 1 + i + LARGE);
    }
    assert_int_equal(metric("loyald_redis_failures_total"), 0);
    loy_redis_destroy(redis);
}

static void logs_in_and_chooses_the_database(void **state)
{
    (void)state;
    char url[160];
    freeReplyObject(redis_server_do(&server, "FLUSHALL"));
    freeReplyObject(redis_server_do(&server, "ACL SETUSER app on >p@ss ~* +@all"));
    (void)snprintf(url, sizeof url, "unix://app:p%%40ss@%s?db=2", server.socket);
    struct loy_redis *redis = open_at(url);
    wait_until_up(redis);
    store(redis, "m1", 7, "{\"version\":1}");
    assert_int_equal(found(redis, "m1"), 7);
    redisReply *reply = redis_server_do(&server, "EXISTS loyald:3:member:m1");
    assert_int_equal(reply->integer, 0);
    freeReplyObject(reply);
    loy_redis_destroy(redis);
}

/* --- lying
 * -------------------------------------------------------------------------------------------------------------- */

static void a_row_copied_under_another_key_is_a_miss(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    store(redis, "m1", 7, "{\"version\":1}");
    freeReplyObject(redis_server_do(&server, "COPY loyald:3:member:m1 loyald:3:member:m2"));
    assert_int_equal(found(redis, "m2"), 0);
    assert_int_equal(metric("loyald_redis_rows_refused_total"), 1);
    assert_int_equal(found(redis, "m1"), 7);
    loy_redis_destroy(redis);
}

static void garbage_and_wrong_types_are_misses_and_are_replaced(void **state)
{
    (void)state;
    static const char *const poisons[] = {
        "SET loyald:3:member:m1 nonsense", "HSET loyald:3:member:m1 seq 7", "LPUSH loyald:3:member:m1 a b",
        "ZADD loyald:3:member:m1 1 a",     "SETBIT loyald:3:member:m1 7 1",
    };
    struct loy_redis *redis = open_up();
    for (size_t i = 0; i < sizeof poisons / sizeof *poisons; i++) {
        freeReplyObject(redis_server_do(&server, "DEL loyald:3:member:m1"));
        freeReplyObject(redis_server_do(&server, poisons[i]));
        assert_int_equal(found(redis, "m1"), 0);
        store(redis, "m1", 8, "{\"version\":1}");
        assert_int_equal(found(redis, "m1"), 8);
    }
    assert_int_equal(metric("loyald_redis_failures_total"), 0);
    loy_redis_destroy(redis);
}

static void an_oversized_row_is_a_miss(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    freeReplyObject(
        redis_server_do(&server, "EVAL %s 0", "redis.call('SET','loyald:3:member:m1',string.rep('x',500000))"));
    assert_int_equal(found(redis, "m1"), 0);
    assert_int_equal(metric("loyald_redis_failures_total"), 0);
    freeReplyObject(
        redis_server_do(&server, "EVAL %s 0", "redis.call('SET','loyald:3:member:m1',string.rep('x',50000000))"));
    assert_int_equal(found(redis, "m1"), 0);
    assert_int_equal(metric("loyald_redis_failures_total"), 1);
    assert_int_equal(found(redis, "m1"), -1);
    loy_redis_destroy(redis);
}

static void refused_writes_are_counted_and_reads_go_on(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    store(redis, "m1", 7, "{\"version\":1}");
    freeReplyObject(redis_server_do(&server, "REPLICAOF 127.0.0.1 1")); /* read-only from now on */
    store(redis, "m1", 8, "{\"version\":1}");
    assert_int_equal(found(redis, "m1"), 7);
    assert_int_equal(metric("loyald_redis_rows_dropped_total"), 1);
    freeReplyObject(redis_server_do(&server, "REPLICAOF NO ONE"));
    store(redis, "m1", 9, "{\"version\":1}");
    assert_int_equal(found(redis, "m1"), 9);
    loy_redis_destroy(redis);
}

/* --- gone
 * --------------------------------------------------------------------------------------------------------------- */

static void a_stalled_redis_costs_one_time_out_and_comes_back(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    store(redis, "m1", 7, "{\"version\":1}");
    struct loy_cache cache = loy_redis_cache(redis);
    struct loy_account_key key = {1, LOY_STR("m1")};
    const struct loy_member_row *rows;
    uint32_t count = 9;
    redis_server_signal(&server, SIGSTOP);
    assert_int_equal(cache.load(cache.self, &key, 1), LOY_OK);
    skipped_us += (int64_t)TIMEOUT_MS * 500;
    assert_false(cache.poll(cache.self, &rows, &count));
    skipped_us += (int64_t)TIMEOUT_MS * 500;
    assert_true(cache.poll(cache.self, &rows, &count));
    assert_int_equal(count, 0);
    assert_int_equal(metric("loyald_redis_time_outs_total"), 1);
    /* From now on it is not even asked: hundreds of batches cost nothing. */
    int64_t before = real_us();
    for (int i = 0; i < 500; i++) {
        assert_int_equal(found(redis, "m1"), -1);
        store(redis, "m1", 8, "{\"version\":1}");
    }
    assert_true(real_us() - before < 100000);
    assert_int_equal(metric("loyald_redis_rows_dropped_total"), 500);
    /* Nor does an attempt to connect wait, though the kernel takes connections in its stead. */
    skipped_us += 3000000;
    before = real_us();
    assert_int_equal(found(redis, "m1"), -1);
    assert_true(real_us() - before < 50000);
    redis_server_signal(&server, SIGCONT);
    wait_until_up(redis);
    assert_int_equal(found(redis, "m1"), 7);
    loy_redis_destroy(redis);
}

static void a_redis_that_is_not_there_costs_nothing(void **state)
{
    (void)state;
    static const char *const urls[] = {"unix:///nowhere/at/all", "redis://127.0.0.1:1", "redis://no-such-host.invalid",
                                       "redis://192.0.2.1"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        int64_t before = real_us();
        struct loy_redis *redis = open_at(urls[i]);
        for (int j = 0; j < 100; j++) {
            assert_int_equal(found(redis, "m1"), -1);
            struct loy_cache cache = loy_redis_cache(redis);
            struct loy_cache_write write = {row_of("m1", 1), LOY_STR("{\"version\":1}")};
            cache.store(cache.self, &write, 1);
        }
        assert_true(real_us() - before < 2000000); /* one time-out would be more */
        skipped_us += 2100000;
        assert_int_equal(found(redis, "m1"), -1);
        assert_true(metric("loyald_redis_failures_total") > 0);
        loy_redis_destroy(redis);
    }
}

static void a_redis_that_is_killed_is_found_again(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    store(redis, "m1", 7, "{\"version\":1}");
    redis_server_kill(&server);
    assert_true(found(redis, "m1") <= 0);
    assert_int_equal(found(redis, "m1"), -1);
    redis_server_restart(&server);
    skipped_us += 3000000;
    wait_until_up(redis);
    assert_int_equal(found(redis, "m1"), 0);
    store(redis, "m1", 8, "{\"version\":1}");
    assert_int_equal(found(redis, "m1"), 8);
    loy_redis_destroy(redis);
}

static void a_wrong_password_is_an_outage(void **state)
{
    (void)state;
    char url[160];
    (void)snprintf(url, sizeof url, "unix://nobody:wrong@%s", server.socket);
    struct loy_redis *redis = open_at(url);
    for (int i = 0; !metric("loyald_redis_failures_total"); i++) {
        assert_true(i < 2000);
        assert_int_equal(found(redis, "m1"), -1);
        (void)usleep(1000);
    }
    assert_int_equal(metric("loyald_redis_connects_total"), 0);
    loy_redis_destroy(redis);
}

static void writes_behind_a_stalled_redis_are_bounded(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    struct loy_cache cache = loy_redis_cache(redis);
    static char text[4096];
    struct loy_cache_write writes[MEMBERS];
    char ids[MEMBERS][16];
    for (int i = 0; i < MEMBERS; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "m%d", i);
        writes[i] = (struct loy_cache_write){row_of(ids[i], 5), LOY_STR("{\"version\":1}")};
        writes[i].row.state = (struct loy_str){text, sizeof text};
        writes[i].row.digest = loy_digest_of(writes[i].row.state);
    }
    redis_server_signal(&server, SIGSTOP);
    int64_t before = real_us();
    for (int i = 0; i < 20; i++) { /* 20 × 200 × 4 KiB = 16 MiB */
        cache.store(cache.self, writes, MEMBERS);
    }
    assert_true(real_us() - before < 1000000);
    assert_in_range(metric("loyald_redis_rows_dropped_total"), 1500, 2500);
    redis_server_signal(&server, SIGCONT);
    loy_redis_drain(redis, 5000);
    assert_in_range(metric("loyald_redis_rows_written_total"), 1500, 2500);
    assert_int_equal(metric("loyald_redis_rows_written_total") + metric("loyald_redis_rows_dropped_total"),
                     20 * MEMBERS);
    loy_redis_destroy(redis);
}

static void a_stalled_write_is_given_up(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    struct loy_cache cache = loy_redis_cache(redis);
    struct loy_cache_write write = {row_of("m1", 5), LOY_STR("{\"version\":1}")};
    const struct loy_member_row *rows;
    uint32_t count;
    redis_server_signal(&server, SIGSTOP);
    cache.store(cache.self, &write, 1);
    skipped_us += 5100000;
    assert_false(cache.poll(cache.self, &rows, &count));
    assert_int_equal(metric("loyald_redis_failures_total"), 1);
    assert_int_equal(metric("loyald_redis_rows_dropped_total"), 1);
    redis_server_signal(&server, SIGCONT);
    loy_redis_destroy(redis);
}

static void a_slow_caller_is_not_a_slow_redis(void **state)
{
    (void)state;
    struct loy_redis *redis = open_up();
    store(redis, "m1", 7, "{\"version\":1}");
    struct loy_cache cache = loy_redis_cache(redis);
    struct loy_account_key key = {1, LOY_STR("m1")};
    const struct loy_member_row *rows;
    uint32_t count = 0;
    assert_int_equal(cache.load(cache.self, &key, 1), LOY_OK);
    (void)usleep(50000);
    skipped_us += (int64_t)TIMEOUT_MS * 2000; /* we were busy elsewhere; the answer has been there for long */
    assert_true(cache.poll(cache.self, &rows, &count));
    assert_int_equal(count, 1);
    loy_redis_destroy(redis);
}

/* --- nonsense
 * ------------------------------------------------------------------------------------------------------------ */

/* A server that answers whatever comes with the same bytes. */
struct nonsense {
    int listening;
    int fd;
    char url[120];
    char path[100];
};

static void nonsense_open(struct nonsense *nonsense)
{
    *nonsense = (struct nonsense){.fd = -1};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(nonsense->path, sizeof nonsense->path, "%s/nonsense", server.folder);
    (void)snprintf(nonsense->url, sizeof nonsense->url, "unix://%s", nonsense->path);
    memcpy(address.sun_path, nonsense->path, sizeof nonsense->path);
    nonsense->listening = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(nonsense->listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(nonsense->listening, 4), 0);
}

static void nonsense_close(struct nonsense *nonsense)
{
    (void)close(nonsense->fd);
    (void)close(nonsense->listening);
    (void)unlink(nonsense->path);
}

static void say(int fd, const char *bytes, size_t length)
{
    assert_int_equal(write(fd, bytes, length), length);
}

static void nonsense_is_refused_and_costs_no_memory(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "*1000000000\r\n",
        "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        "$99999999999999999999\r\n",
        "$-7\r\n",
        "hello\r\n",
        "\r\n",
        ":x\r\n",
        "*-1\r\n*0\r\n",
        "$3\r\nabc",
        ":1\r\n:2\r\n:3\r\n",
        "-ERR no\r\n-ERR no\r\n",
        "+OK\r\n+OK\r\n",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct nonsense nonsense;
        nonsense_open(&nonsense);
        struct loy_redis *redis = open_at(nonsense.url);
        nonsense.fd = accept(nonsense.listening, NULL, NULL);
        assert_true(nonsense.fd >= 0);
        say(nonsense.fd, "$2\r\nok\r\n", 8); /* the greeting is answered well */
        wait_until_up(redis);
        struct loy_cache cache = loy_redis_cache(redis);
        struct loy_account_key key = {1, LOY_STR("m1")};
        const struct loy_member_row *rows;
        uint32_t count = 9;
        assert_int_equal(cache.load(cache.self, &key, 1), LOY_OK);
        say(nonsense.fd, answers[i], strlen(answers[i]));
        while (!cache.poll(cache.self, &rows, &count)) {
            skipped_us += (int64_t)TIMEOUT_MS * 100; /* for more bytes, which do not come */
        }
        assert_int_equal(count, 0);
        loy_redis_destroy(redis);
        nonsense_close(&nonsense);
    }
}

static void endless_bytes_are_cut_off(void **state)
{
    (void)state;
    struct nonsense nonsense;
    nonsense_open(&nonsense);
    struct loy_redis *redis = open_at(nonsense.url);
    nonsense.fd = accept(nonsense.listening, NULL, NULL);
    say(nonsense.fd, "$2\r\nok\r\n", 8);
    wait_until_up(redis);
    struct loy_cache cache = loy_redis_cache(redis);
    struct loy_account_key key = {1, LOY_STR("m1")};
    const struct loy_member_row *rows;
    uint32_t count;
    assert_int_equal(cache.load(cache.self, &key, 1), LOY_OK);
    say(nonsense.fd, "$400000000\r\n", 12);
    static char bytes[16384];
    size_t said = 0;
    while (!cache.poll(cache.self, &rows, &count)) {
        ssize_t written = send(nonsense.fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        said += written > 0 ? (size_t)written : 0;
        assert_true(said < 8 << 20);
    }
    assert_int_equal(count, 0);
    assert_int_equal(found(redis, "m1"), -1);
    loy_redis_destroy(redis);
    nonsense_close(&nonsense);
}

/* ---
 * ---------------------------------------------------------------------------------------------------------------------
 */

static int start(void **state)
{
    (void)state;
    loy_log_open(LOY_LOG_ERROR, LOY_LOG_LOGFMT, STDERR_FILENO); /* outages are what these tests are about */
    return redis_server_start(&server) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_the_documentation_describes),
        cmocka_unit_test(many_members_are_written_together),
        cmocka_unit_test(members_of_a_refused_command_are_counted),
        cmocka_unit_test(what_has_waited_too_long_is_not_written),
        cmocka_unit_test(what_a_full_socket_leaves_follows_later),
        cmocka_unit_test(logs_in_and_chooses_the_database),
        cmocka_unit_test(a_row_copied_under_another_key_is_a_miss),
        cmocka_unit_test(garbage_and_wrong_types_are_misses_and_are_replaced),
        cmocka_unit_test(an_oversized_row_is_a_miss),
        cmocka_unit_test(refused_writes_are_counted_and_reads_go_on),
        cmocka_unit_test(a_stalled_redis_costs_one_time_out_and_comes_back),
        cmocka_unit_test(a_redis_that_is_not_there_costs_nothing),
        cmocka_unit_test(a_redis_that_is_killed_is_found_again),
        cmocka_unit_test(a_wrong_password_is_an_outage),
        cmocka_unit_test(writes_behind_a_stalled_redis_are_bounded),
        cmocka_unit_test(a_stalled_write_is_given_up),
        cmocka_unit_test(a_slow_caller_is_not_a_slow_redis),
        cmocka_unit_test(nonsense_is_refused_and_costs_no_memory),
        cmocka_unit_test(endless_bytes_are_cut_off),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
