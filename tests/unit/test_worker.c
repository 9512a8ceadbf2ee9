/* One worker thread in a perfect simulated world: a record goes from topic to balance update. */
#include "support/cmocka_all.h"
#include "support/programmes.h"

#include "runtime/log.h"
#include "sim/fake_bus.h"
#include "sim/fake_cache.h"
#include "sim/fake_programmes.h"
#include "sim/fake_store.h"
#include "worker/worker.h"
#include "worker/worker_metrics.h"

#include <setjmp.h>
#include <stdlib.h>

enum { PARTITIONS = 4, TOPICS = 3, LIVES_MAX = 12 };

static const struct loy_str topics[TOPICS] = {{"events", 6}, {"internal", 8}, {"ticks", 5}};

struct bench {
    struct sim_world world;
    struct fake_broker broker;
    struct fake_db db;
    struct fake_redis redis;
    struct fake_bus buses[LIVES_MAX]; /* of the dead too: their group notices later */
    struct fake_store store;
    struct fake_cache cache;
    struct fake_published published;
    struct fake_programmes programmes;
    uint32_t lives;
    struct sim_clock clock;
    struct loy_bus bus_port;
    struct loy_store store_port;
    struct loy_cache cache_port;
    struct loy_clock clock_port;
    struct loy_worker_metrics metrics;
    struct loy_worker *worker;
    const char *deadly; /* who would commit an event that has it in its bytes, dies; NULL: nobody does */
    bool lose_commits;  /* they never arrive, and nobody knows */
    bool lost;
    jmp_buf death;
};

/* --- a store between the worker and the fake: what it does to commits ------------------------------------------------
 */

static bool contains(struct loy_str text, const char *word)
{
    return memmem(text.at, text.len, word, strlen(word)) != NULL;
}

static enum loy_err submit(void *self, const struct loy_store_request *request)
{
    struct bench *bench = self;
    bool is_commit = request->kind == LOY_STORE_COMMIT && request->commit.journal_count > 0;
    for (uint32_t i = 0; is_commit && bench->deadly && i < request->commit.journal_count; i++) {
        if (contains(request->commit.journal[i].event, bench->deadly)) {
            longjmp(bench->death, 1);
        }
    }
    bench->lost = is_commit && bench->lose_commits;
    return bench->lost ? LOY_OK : bench->store_port.submit(bench->store_port.self, request);
}

static bool poll_store(void *self, struct loy_store_result *ret_result)
{
    struct bench *bench = self;
    if (!bench->lost) {
        return bench->store_port.poll(bench->store_port.self, ret_result);
    }
    bench->lost = false;
    *ret_result = (struct loy_store_result){.status = LOY_STORE_OUTAGE, .commit_unknown = true};
    (void)loy_error_set(&ret_result->error, LOY_ERR_UNAVAILABLE, "test: the commit was lost");
    return true;
}

static void wait_on_store(void *self, int *ret_fd, short *ret_events)
{
    struct bench *bench = self;
    bench->store_port.wait_on(bench->store_port.self, ret_fd, ret_events);
}

/* --- lives of a worker ----------------------------------------------------------------------------------------------
 */

static void start_life(struct bench *bench)
{
    assert_true(bench->lives < LIVES_MAX);
    struct fake_bus *bus = &bench->buses[bench->lives++];
    fake_bus_init(bus, &bench->broker, "one");
    fake_store_init(&bench->store, &bench->db, "one");
    fake_cache_init(&bench->cache, &bench->redis);
    memset(&bench->metrics, 0, sizeof bench->metrics);
    bench->lost = false;
    bench->clock = (struct sim_clock){.world = &bench->world};
    bench->bus_port = fake_bus_port(bus);
    bench->store_port = fake_store_port(&bench->store);
    bench->cache_port = fake_cache_port(&bench->cache);
    bench->clock_port = sim_clock_port(&bench->clock);
    struct loy_store store = {submit, poll_store, wait_on_store, bench};
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
    fake_programmes_init(&bench->programmes, &bench->published);
    struct loy_programmes programmes = fake_programmes_port(&bench->programmes);
    bench->worker = loy_worker_new(&config, &programmes, &bench->bus_port, &store, &bench->cache_port,
                                   &bench->clock_port, &bench->metrics, &error);
    assert_non_null(bench->worker);
}

static void die(struct bench *bench)
{
    fake_store_kill(&bench->store);
    fake_bus_kill(&bench->buses[bench->lives - 1]);
    loy_worker_destroy(bench->worker);
    fake_cache_fini(&bench->cache);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    sim_world_init(&bench->world, 1);
    bench->published.world = &bench->world;
    fake_published_add(&bench->published, test_programme("retail_prorata"));
    fake_broker_init(&bench->broker, &bench->world, topics, TOPICS, PARTITIONS);
    fake_db_init(&bench->db, &bench->world, TOPICS, PARTITIONS);
    fake_redis_init(&bench->redis, &bench->world);
    start_life(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    loy_worker_destroy(bench->worker);
    fake_cache_fini(&bench->cache);
    fake_redis_fini(&bench->redis);
    fake_store_fini(&bench->store);
    fake_db_fini(&bench->db);
    for (uint32_t i = 0; i < bench->lives; i++) {
        fake_bus_fini(&bench->buses[i]);
    }
    fake_broker_fini(&bench->broker);
    sim_world_fini(&bench->world);
    free(bench);
    return 0;
}

/* Whoever dies is followed by another one. */
static void run_for(struct bench *bench, int64_t us)
{
    int64_t until_us = bench->world.now_us + us;
    while (bench->world.now_us < until_us) {
        int64_t wait_us;
        fake_broker_run(&bench->broker);
        fake_db_run(&bench->db);
        if (setjmp(bench->death) != 0) {
            die(bench);
            start_life(bench);
            continue;
        }
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

static uint64_t count_of(const struct loy_histogram *histogram)
{
    uint64_t sum = 0;
    for (int i = 0; i < LOY_HISTOGRAM_BUCKETS; i++) {
        sum += histogram->buckets[i];
    }
    return sum;
}

/* One row of the outbox each, however many messages it has. */
static void how_long_publishing_takes_is_told(void **state)
{
    struct bench *bench = *state;
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"100000\""));
    run_for(bench, 2000000);
    assert_int_equal(bench->metrics.published, 2);
    assert_int_equal(count_of(&bench->metrics.publish_seconds), 1);
    publish(bench, "anna", PURCHASE("2", "anna", "order-2", "\"100000\""));
    run_for(bench, 2000000);
    assert_int_equal(count_of(&bench->metrics.publish_seconds), 2);
    assert_in_range(bench->metrics.publish_seconds.sum_us, 0, 4000000);
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

/* --- a record that kills its worker ----------------------------------------------------------------------------------
 */

static struct loy_partition *row_of(struct bench *bench, const char *member_id)
{
    return &bench->db.partitions[loy_partition_of(loy_str(member_id), PARTITIONS)].row;
}

static int64_t points_of(const struct bench *bench, const char *member_id)
{
    const struct fake_member *member = fake_db_member(&bench->db, loy_str(member_id));
    return member ? member->write.available[0] : 0;
}

/* As loyalctl partition skip and retry do it. */
static void operate(struct loy_partition *row, int32_t alone)
{
    row->alone = alone;
    row->epoch++;
}

/* anna's second of three events kills; bob's partition is another one. */
static void publish_a_killer(struct bench *bench)
{
    assert_ptr_not_equal(row_of(bench, "anna"), row_of(bench, "bob"));
    bench->deadly = "killer";
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"100000\""));
    publish(bench, "anna", PURCHASE("killer", "anna", "order-2", "\"200000\""));
    publish(bench, "anna", PURCHASE("3", "anna", "order-3", "\"400000\""));
    publish(bench, "bob", PURCHASE("4", "bob", "order-4", "\"100000\""));
    run_for(bench, 200000000);
}

static void a_record_that_kills_stops_its_partition_only(void **state)
{
    struct bench *bench = *state;
    publish_a_killer(bench);
    /* Two die with the batch, one after the record before it, two more before it is suspected, three alone. */
    assert_int_equal(bench->lives, 1 + 2 + 1 + 2 + LOY_STOP_AFTER_ALONE);
    uint32_t lives = bench->lives;
    assert_int_equal(row_of(bench, "anna")->alone, LOY_STOP_AFTER_ALONE);
    assert_int_equal(row_of(bench, "anna")->alone_topic, 0);
    assert_int_equal(row_of(bench, "anna")->alone_offset, 1);
    assert_int_equal(row_of(bench, "anna")->next_offset[0], 1);
    assert_int_equal(bench->metrics.partitions_stopped, 1);
    assert_int_equal(bench->metrics.partitions, PARTITIONS - 1);
    assert_int_equal(points_of(bench, "anna"), 10);
    assert_int_equal(points_of(bench, "bob"), 10);

    publish(bench, "bob", PURCHASE("5", "bob", "order-5", "\"100000\""));
    run_for(bench, 20000000);
    assert_int_equal(points_of(bench, "bob"), 20);
    assert_int_equal(points_of(bench, "anna"), 10);
    assert_int_equal(total_of(bench, LOY_OUTCOME_REJECTED), 0);
    assert_int_equal(bench->lives, lives);
}

static void what_is_skipped_is_a_dead_letter_and_the_next_goes_on(void **state)
{
    struct bench *bench = *state;
    publish_a_killer(bench);
    uint32_t lives = bench->lives;
    int32_t k = row_of(bench, "anna")->k;
    operate(row_of(bench, "anna"), -1);
    run_for(bench, 20000000);
    assert_int_equal(bench->lives, lives);
    assert_int_equal(total_of(bench, LOY_OUTCOME_REJECTED), 1);
    assert_int_equal(points_of(bench, "anna"), 50);
    assert_int_equal(row_of(bench, "anna")->alone, 0);
    assert_int_equal(row_of(bench, "anna")->next_offset[0], 3);
    assert_int_equal(bench->metrics.partitions_stopped, 0);
    assert_int_equal(bench->metrics.partitions, PARTITIONS);
    const struct fake_log *letters = log_of(bench, "dead-letters", k);
    assert_int_equal(letters->end, 1);
    const struct loy_bus_message *letter = &letters->entries[0].message;
    assert_true(contains(letter->value, "killer"));
    bool has_reason = false;
    for (uint32_t i = 0; i < letter->header_count; i++) {
        has_reason = has_reason || contains(letter->headers[i].value, "skipped by an operator");
    }
    assert_true(has_reason);
}

static void a_repaired_worker_tries_again(void **state)
{
    struct bench *bench = *state;
    publish_a_killer(bench);
    bench->deadly = NULL;
    run_for(bench, 20000000); /* being repaired is not enough: somebody has to say so */
    assert_int_equal(points_of(bench, "anna"), 10);
    operate(row_of(bench, "anna"), 0);
    run_for(bench, 20000000);
    assert_int_equal(points_of(bench, "anna"), 70);
    assert_int_equal(total_of(bench, LOY_OUTCOME_REJECTED), 0);
    assert_int_equal(row_of(bench, "anna")->alone, 0);
}

static void an_outage_in_the_middle_counts_once(void **state)
{
    struct bench *bench = *state;
    row_of(bench, "anna")->attempts = 5;
    bench->lose_commits = true;
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"100000\""));
    run_for(bench, 120000000);
    assert_in_range(bench->metrics.commits_unknown, 5, UINT32_MAX);
    assert_int_equal(row_of(bench, "anna")->alone, 1);
    assert_int_equal(bench->metrics.partitions_stopped, 0);
    bench->lose_commits = false;
    run_for(bench, 20000000);
    assert_int_equal(points_of(bench, "anna"), 10);
    assert_int_equal(row_of(bench, "anna")->alone, 0);
}

static void who_stops_in_good_order_is_not_suspected(void **state)
{
    struct bench *bench = *state;
    for (int life = 0; life < 4; life++) {
        run_for(bench, 20000000);
        assert_int_equal(row_of(bench, "anna")->attempts, 1);
        loy_worker_stop(bench->worker);
        run_for(bench, 2000000);
        assert_int_equal(row_of(bench, "anna")->attempts, 0);
        die(bench);
        start_life(bench);
    }
    for (int32_t life = 1; life <= 3; life++) { /* who is killed is counted */
        run_for(bench, 20000000);
        assert_int_equal(row_of(bench, "anna")->attempts, life);
        die(bench);
        start_life(bench);
    }
}

static void an_idle_partition_is_never_marked(void **state)
{
    struct bench *bench = *state;
    for (int k = 0; k < PARTITIONS; k++) {
        bench->db.partitions[k].row.attempts = 9;
    }
    run_for(bench, 20000000);
    assert_int_equal(bench->world.counts[SIM_MARK], 0);
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"100000\""));
    publish(bench, "anna", PURCHASE("2", "anna", "order-2", "\"100000\""));
    run_for(bench, 2000000);
    assert_int_equal(bench->world.counts[SIM_MARK], 1); /* the first came through: no suspicion is left */
    assert_int_equal(points_of(bench, "anna"), 20);
}

/* Nobody is cautious any more when the first record of an idle partition comes, and it comes among others. */
static void a_suspected_record_among_others_comes_again_alone(void **state)
{
    struct bench *bench = *state;
    row_of(bench, "anna")->attempts = 5;
    run_for(bench, 1000000);
    for (int i = 0; i < RECORDS; i++) {
        publish(bench, "bob", PURCHASE("1", "bob", "order-1", "\"100000\""));
        publish(bench, "anna", PURCHASE("2", "anna", "order-2", "\"100000\""));
    }
    bench->deadly = "order-2";
    run_for(bench, 10000000);
    assert_in_range(bench->lives, 2, LIVES_MAX);
    assert_int_equal(row_of(bench, "anna")->alone_offset, 0);
    assert_in_range(row_of(bench, "anna")->alone, 1, LOY_STOP_AFTER_ALONE);
    assert_int_equal(points_of(bench, "bob"), 10);
    bench->deadly = NULL;
    operate(row_of(bench, "anna"), 0);
    run_for(bench, 60000000);
    assert_int_equal(total_of(bench, LOY_OUTCOME_APPLIED), 2);
    assert_int_equal(total_of(bench, LOY_OUTCOME_DUPLICATE), 2 * RECORDS - 2);
}

static void a_suspected_record_is_refused_like_any_other(void **state)
{
    struct bench *bench = *state;
    row_of(bench, "anna")->attempts = 5;
    publish(bench, "anna", "{\"event_id\": ");
    publish(bench, "anna", PURCHASE("2", "anna", "order-2", "\"100000\""));
    run_for(bench, 2000000);
    assert_int_equal(total_of(bench, LOY_OUTCOME_REJECTED), 1);
    assert_int_equal(points_of(bench, "anna"), 10);
    assert_int_equal(row_of(bench, "anna")->alone, 0);
}

static void a_batch_waits_for_a_newer_revision_and_is_decided_by_it(void **state)
{
    struct bench *bench = *state;
    struct loy_programme second = *test_programme("retail_full_steps");
    second.revision = 2;
    second.from_us = 0;
    fake_db_publish(&bench->db, second.from_us); /* it is in force, and could not be loaded yet */
    publish(bench, "anna", PURCHASE("1", "anna", "order-1", "\"999990\""));
    run_for(bench, 20000000); /* longer than any number of refused batches would last */
    assert_int_equal(total_of(bench, LOY_OUTCOME_APPLIED), 0);
    assert_int_equal(atomic_load(&bench->metrics.guard_revision), 1);
    assert_int_equal(atomic_load(&bench->metrics.revision_waits), 1);
    fake_published_add(&bench->published, &second);
    run_for(bench, 2000000);
    assert_int_equal(points_of(bench, "anna"), 90); /* 99 by the first */
    assert_int_equal(bench->db.journal[0].revision, 2);
    assert_int_equal(atomic_load(&bench->metrics.guard_revision), 1);
    assert_int_equal(atomic_load(&bench->metrics.revision_waits), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_purchase_becomes_points_and_an_update, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeat_a_second_channel_and_a_reused_id_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_backlog_that_stopped_others_is_worked_one_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rebalances_without_records_are_no_reason_for_caution, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_that_kills_stops_its_partition_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_skipped_is_a_dead_letter_and_the_next_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repaired_worker_tries_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_outage_in_the_middle_counts_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_stops_in_good_order_is_not_suspected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(how_long_publishing_takes_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_partition_is_never_marked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_suspected_record_among_others_comes_again_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_suspected_record_is_refused_like_any_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_waits_for_a_newer_revision_and_is_decided_by_it, set_up, tear_down),
    };
    loy_log_open(LOY_LOG_ERROR, LOY_LOG_LOGFMT, 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
