/* One worker thread in a perfect simulated world: a record goes from topic to balance update. */
#include "support/cmocka_all.h"

#include "sim/fake_bus.h"
#include "sim/fake_cache.h"
#include "sim/fake_store.h"
#include "worker/worker.h"
#include "worker/worker_metrics.h"

#include <stdlib.h>

enum { PARTITIONS = 4, TOPICS = 3 };

static const struct loy_str topics[TOPICS] = {{"events", 6}, {"internal", 8}, {"ticks", 5}};

struct bench {
    struct sim_world world;
    struct fake_broker broker;
    struct fake_bus bus;
    struct fake_db db;
    struct fake_store store;
    struct fake_redis redis;
    struct fake_cache cache;
    struct sim_clock clock;
    struct loy_bus bus_port;
    struct loy_store store_port;
    struct loy_cache cache_port;
    struct loy_clock clock_port;
    struct loy_worker_metrics metrics;
    struct loy_worker *worker;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    sim_world_init(&bench->world, 1);
    fake_broker_init(&bench->broker, &bench->world, topics, TOPICS, PARTITIONS);
    fake_bus_init(&bench->bus, &bench->broker, "one");
    fake_db_init(&bench->db, &bench->world, TOPICS, PARTITIONS);
    fake_store_init(&bench->store, &bench->db, "one");
    fake_redis_init(&bench->redis, &bench->world);
    fake_cache_init(&bench->cache, &bench->redis);
    bench->clock = (struct sim_clock){.world = &bench->world};
    bench->bus_port = fake_bus_port(&bench->bus);
    bench->store_port = fake_store_port(&bench->store);
    bench->cache_port = fake_cache_port(&bench->cache);
    bench->clock_port = sim_clock_port(&bench->clock);
    struct loy_worker_config config = {.topics = topics,
                                       .topic_count = TOPICS,
                                       .partitions = PARTITIONS,
                                       .incarnation = 1,
                                       .updates = LOY_STR("updates"),
                                       .balances = LOY_STR("balances"),
                                       .dead_letters = LOY_STR("dead-letters"),
                                       .output_json = true,
                                       .enrol = true,
                                       .batch_min = 10,
                                       .batch_max = 100,
                                       .owner = LOY_STR("test"),
                                       .memory_bytes = (size_t)80 << 20,
                                       .cache_bytes = 1 << 20};
    struct loy_error error;
    bench->worker = loy_worker_new(&config, loy_programme_builtin(LOY_STR("retail_prorata")), &bench->bus_port,
                                   &bench->store_port, &bench->cache_port, &bench->clock_port, &bench->metrics, &error);
    *state = bench;
    return bench->worker ? 0 : -1;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    loy_worker_destroy(bench->worker);
    fake_cache_fini(&bench->cache);
    fake_redis_fini(&bench->redis);
    fake_store_fini(&bench->store);
    fake_db_fini(&bench->db);
    fake_bus_fini(&bench->bus);
    fake_broker_fini(&bench->broker);
    sim_world_fini(&bench->world);
    free(bench);
    return 0;
}

static void run_for(struct bench *bench, int64_t us)
{
    int64_t until_us = bench->world.now_us + us;
    while (bench->world.now_us < until_us) {
        int64_t wait_us;
        fake_broker_run(&bench->broker);
        fake_db_run(&bench->db);
        enum loy_worker_state state = loy_worker_turn(bench->worker, &wait_us);
        if (state == LOY_WORKER_FAILED) {
            fail_msg("worker: %s", loy_worker_error(bench->worker)->detail);
        }
        bench->world.now_us += 1000;
    }
}

static void publish(struct bench *bench, const char *member_id, const char *json)
{
    struct loy_bus_message message = {.topic = topics[0],
                                      .partition = -1,
                                      .has_key = true,
                                      .has_value = true,
                                      .key = loy_str(member_id),
                                      .value = loy_str(json)};
    fake_broker_append(&bench->broker, &message, bench->world.now_us);
}

static const struct fake_log *log_of(struct bench *bench, const char *topic, int32_t k)
{
    return &bench->broker.topics[fake_broker_topic(&bench->broker, loy_str(topic))].logs[k];
}

static int64_t total_of(const struct bench *bench, enum loy_outcome outcome)
{
    int64_t sum = 0;
    for (int k = 0; k < PARTITIONS; k++) {
        for (int topic = 0; topic < TOPICS; topic++) {
            sum += bench->db.partitions[k].row.totals[topic][outcome];
        }
    }
    return sum;
}

#define PURCHASE(id, member, order, amount)                                                                            \
    "{\"event_id\":\"" id "\",\"source\":\"pos\",\"member_id\":\"" member                                              \
    "\",\"occurred_at\":\"2026-11-01T09:30:00Z\",\"purchase\":{\"order_id\":\"" order                                  \
    "\",\"currency\":\"GBP\",\"lines\":[{\"sku\":\"A\",\"amount_minor\":" amount "}]}}"

static void a_purchase_becomes_points_and_an_update(void **state)
{
    struct bench *bench = *state;
    int32_t k = loy_partition_of(LOY_STR("anna"), PARTITIONS);
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"999990\""));
    run_for(bench, 2000000);
    const struct fake_member *member = fake_db_member(&bench->db, LOY_STR("anna"));
    assert_non_null(member);
    assert_int_equal(member->write.available[0], 99);
    assert_int_equal(member->write.row.version, 1);
    assert_int_equal(total_of(bench, LOY_OUTCOME_APPLIED), 1);
    assert_int_equal(log_of(bench, "updates", k)->end, 1);
    assert_int_equal(log_of(bench, "balances", k)->end, 1);
    assert_int_equal(bench->db.partitions[k].outbox_count, 0);
}

static void a_repeat_a_second_channel_and_a_reused_id_are_told_apart(void **state)
{
    struct bench *bench = *state;
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"100000\""));
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"100000\""));
    run_for(bench, 1000000);
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"100000\""));
    publish(bench, "anna", PURCHASE("2", "anna", "order-1", "\"100000\""));
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"777000\""));
    publish(bench, "anna", PURCHASE("3", "anna", "order-2", "\"100000\""));
    run_for(bench, 2000000);
    assert_int_equal(total_of(bench, LOY_OUTCOME_APPLIED), 2);
    assert_int_equal(total_of(bench, LOY_OUTCOME_DUPLICATE), 3);
    assert_int_equal(total_of(bench, LOY_OUTCOME_REJECTED), 1);
    assert_int_equal(fake_db_member(&bench->db, LOY_STR("anna"))->write.available[0], 20);
}

enum { RECORDS = 60 };

/* Every partition was acquired again and again without its offsets moving, as when workers die of a record. */
static void suspect_everything(struct bench *bench)
{
    for (int k = 0; k < PARTITIONS; k++) {
        bench->db.partitions[k].row.attempts = 5;
    }
}

static uint64_t batches_for_repeats(struct bench *bench)
{
    for (int i = 0; i < RECORDS; i++) {
        publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"100000\""));
    }
    run_for(bench, 5000000);
    assert_int_equal(total_of(bench, LOY_OUTCOME_APPLIED), 1);
    assert_int_equal(total_of(bench, LOY_OUTCOME_DUPLICATE), RECORDS - 1);
    return bench->metrics.batches;
}

static void a_backlog_that_stopped_others_is_worked_one_at_a_time(void **state)
{
    struct bench *bench = *state;
    suspect_everything(bench);
    assert_true(batches_for_repeats(bench) >= RECORDS);
}

/* A growing group rebalances a few times before anything is published; that made a worker slow for 4,000 records. */
static void rebalances_without_records_are_no_reason_for_caution(void **state)
{
    struct bench *bench = *state;
    suspect_everything(bench);
    run_for(bench, 1000000);
    assert_true(batches_for_repeats(bench) < RECORDS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_purchase_becomes_points_and_an_update, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeat_a_second_channel_and_a_reused_id_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_backlog_that_stopped_others_is_worked_one_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rebalances_without_records_are_no_reason_for_caution, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
