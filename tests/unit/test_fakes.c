/* The simulated ports in a perfect world, and the promises that faults must not break. */
#include "support/cmocka_all.h"

#include "base/hash.h"
#include "sim/fake_bus.h"
#include "sim/fake_cache.h"
#include "sim/fake_store.h"

enum { TOPICS = 3, PARTITIONS = 4 };

/* --- store --- */

static struct loy_store_result call(struct fake_store *store, const struct loy_store_request *request)
{
    struct loy_store port = fake_store_port(store);
    struct loy_store_result result;
    assert_int_equal(port.submit(port.self, request), LOY_OK);
    for (int i = 0; !port.poll(port.self, &result); i++) {
        assert_true(i < 1000);
        store->db->world->now_us += 100000;
    }
    return result;
}

static int64_t acquire(struct fake_store *store, int32_t k)
{
    struct loy_store_request request = {.kind = LOY_STORE_ACQUIRE, .acquire = {&k, 1, LOY_STR("test")}};
    struct loy_store_result result = call(store, &request);
    assert_int_equal(result.status, LOY_STORE_DONE);
    assert_int_equal(result.partition_count, 1);
    return result.partitions[0].epoch;
}

/* A commit of one event of one new member, as a test changes it. */
struct one {
    struct loy_partition_write partition;
    struct loy_journal_row journal;
    struct loy_member_write member;
    struct loy_outbox_row outbox;
    struct loy_store_request request;
};

static void one_init(struct one *one, int64_t epoch)
{
    *one = (struct one){
        .partition =
            {.k = 1, .epoch = epoch, .new_next_offset = {1}, .old_next_n = 1, .new_next_n = 2, .new_outbox_seq = 1},
        .journal = {.key = {1, 1, {{7}}}, .seq = 1, .event = LOY_STR("event")},
        .member = {.row = {1, 1, LOY_STR("anna"), 1, 1, {{0}}, LOY_STR("state")}, .is_new = true},
        .outbox = {1, 1, LOY_STR("messages")},
    };
    one->partition.add_totals[0][LOY_OUTCOME_APPLIED] = 1;
    one->member.row.digest = loy_digest_of(one->member.row.state);
    one->request = (struct loy_store_request){.kind = LOY_STORE_COMMIT,
                                              .commit = {.revision = 1,
                                                         .partitions = &one->partition,
                                                         .partition_count = 1,
                                                         .journal = &one->journal,
                                                         .journal_count = 1,
                                                         .members = &one->member,
                                                         .member_count = 1,
                                                         .outbox = &one->outbox,
                                                         .outbox_count = 1}};
}

struct store_bench {
    struct sim_world world;
    struct fake_db db;
    struct fake_store store;
};

static void store_bench_init(struct store_bench *bench)
{
    sim_world_init(&bench->world, 1);
    fake_db_init(&bench->db, &bench->world, TOPICS, PARTITIONS);
    fake_store_init(&bench->store, &bench->db, "one");
}

static void store_bench_fini(struct store_bench *bench)
{
    fake_store_fini(&bench->store);
    fake_db_fini(&bench->db);
    sim_world_fini(&bench->world);
}

static void a_commit_is_there_afterwards(void **state)
{
    (void)state;
    struct store_bench bench;
    store_bench_init(&bench);
    struct one one;
    one_init(&one, acquire(&bench.store, 1));
    assert_int_equal(call(&bench.store, &one.request).status, LOY_STORE_DONE);
    assert_int_equal(bench.db.journal_count, 1);
    assert_int_equal(bench.db.partitions[1].row.next_offset[0], 1);
    assert_int_equal(bench.db.partitions[1].row.totals[0][LOY_OUTCOME_APPLIED], 1);
    assert_int_equal(bench.db.partitions[1].row.attempts, 0);
    assert_int_equal(bench.db.partitions[1].outbox_count, 1);
    struct loy_account_key key = {1, LOY_STR("anna")};
    struct loy_store_request load = {.kind = LOY_STORE_LOAD, .load = {.keys = &key, .count = 1}};
    struct loy_store_result result = call(&bench.store, &load);
    assert_int_equal(result.member_count, 1);
    assert_true(loy_str_equal(result.members[0].state, LOY_STR("state")));
    store_bench_fini(&bench);
}

/* Everything that a refused commit could have written is as before. */
static void assert_nothing_written(const struct store_bench *bench)
{
    assert_int_equal(bench->db.journal_count, 1);
    assert_int_equal(bench->db.member_count, 1);
    assert_int_equal(bench->db.members[0].write.row.seq, 1);
    assert_int_equal(bench->db.partitions[1].row.next_offset[0], 1);
    assert_int_equal(bench->db.partitions[1].outbox_count, 1);
}

static void second_of(struct one *second, const struct one *first)
{
    *second = *first;
    second->partition.old_next_offset[0] = 1;
    second->partition.new_next_offset[0] = 2;
    second->partition.old_outbox_seq = 1;
    second->partition.new_outbox_seq = 2;
    second->partition.old_next_n = 2;
    second->outbox.seq = 2;
    second->journal.key.event_key.bytes[0] = 8;
    second->member.is_new = false;
    second->member.old_seq = 1;
    second->member.old_digest = first->member.row.digest;
    second->member.row.seq = 2;
    second->request.commit.partitions = &second->partition;
    second->request.commit.journal = &second->journal;
    second->request.commit.members = &second->member;
    second->request.commit.outbox = &second->outbox;
}

static void each_guard_refuses_and_nothing_is_written(void **state)
{
    (void)state;
    struct store_bench bench;
    store_bench_init(&bench);
    struct one first, second;
    one_init(&first, acquire(&bench.store, 1));
    assert_int_equal(call(&bench.store, &first.request).status, LOY_STORE_DONE);
    for (int guard = LOY_GUARD_PARTITION; guard <= LOY_GUARD_MEMBER; guard++) {
        second_of(&second, &first);
        second.partition.epoch += guard == LOY_GUARD_PARTITION;
        bench.db.revision_count = guard == LOY_GUARD_REVISION ? 2 : 1;
        bench.db.revisions[1] = (struct fake_revision){.number = 2, .from_us = INT64_MIN};
        second.journal.key = guard == LOY_GUARD_JOURNAL ? first.journal.key : second.journal.key;
        second.member.old_digest.bytes[3] ^= guard == LOY_GUARD_MEMBER;
        struct loy_store_result result = call(&bench.store, &second.request);
        assert_int_equal(result.status, LOY_STORE_GUARD);
        assert_int_equal(result.guard, guard);
        assert_nothing_written(&bench);
    }
    second_of(&second, &first);
    assert_int_equal(call(&bench.store, &second.request).status, LOY_STORE_DONE);
    store_bench_fini(&bench);
}

static void two_events_of_one_key_in_a_commit_are_refused(void **state)
{
    (void)state;
    struct store_bench bench;
    store_bench_init(&bench);
    struct one one;
    one_init(&one, acquire(&bench.store, 1));
    struct loy_journal_row both[2] = {one.journal, one.journal};
    one.request.commit.journal = both;
    one.request.commit.journal_count = 2;
    struct loy_store_result result = call(&bench.store, &one.request);
    assert_int_equal(result.guard, LOY_GUARD_JOURNAL);
    assert_int_equal(bench.db.journal_count, 0);
    store_bench_fini(&bench);
}

static void the_dead_commit_before_an_acquire_and_not_after(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        struct store_bench bench;
        store_bench_init(&bench);
        struct one one;
        one_init(&one, acquire(&bench.store, 1));
        bench.world.wire_us = 1000000;
        struct loy_store port = fake_store_port(&bench.store);
        assert_int_equal(port.submit(port.self, &one.request), LOY_OK);
        bench.db.transactions->execute_at_us = bench.world.now_us + 500000;
        fake_store_kill(&bench.store);
        bench.world.wire_us = 0;
        bench.world.now_us += after ? 0 : 600000;
        fake_db_run(&bench.db);
        struct fake_store heir;
        fake_store_init(&heir, &bench.db, "heir");
        acquire(&heir, 1);
        bench.world.now_us += 600000;
        fake_db_run(&bench.db);
        assert_int_equal(bench.db.journal_count, after ? 0 : 1);
        fake_store_fini(&heir);
        store_bench_fini(&bench);
    }
}

static void an_acquire_ends_a_stalled_transaction(void **state)
{
    (void)state;
    struct store_bench bench;
    store_bench_init(&bench);
    struct one one;
    one_init(&one, acquire(&bench.store, 1));
    bench.world.wire_us = 2;
    struct loy_store port = fake_store_port(&bench.store);
    assert_int_equal(port.submit(port.self, &one.request), LOY_OK);
    fake_store_stall(&bench.store);
    struct fake_store heir;
    fake_store_init(&heir, &bench.db, "heir");
    int64_t before_us = bench.world.now_us;
    acquire(&heir, 1);
    assert_true(bench.world.now_us - before_us >= 1000000);
    struct loy_store_result result;
    bench.world.now_us += 10;
    assert_true(port.poll(port.self, &result));
    assert_int_equal(result.status, LOY_STORE_OUTAGE);
    assert_true(result.commit_unknown);
    assert_int_equal(bench.db.journal_count, 0);
    assert_int_equal(bench.world.counts[SIM_TERMINATED], 1);
    fake_store_fini(&heir);
    store_bench_fini(&bench);
}

/* --- bus --- */

static const struct loy_str inputs[TOPICS] = {{"events", 6}, {"internal", 8}, {"ticks", 5}};

static struct loy_position publish(struct fake_broker *broker, const char *key, const char *value)
{
    struct loy_bus_message message = {.topic = inputs[0],
                                      .partition = -1,
                                      .has_key = true,
                                      .has_value = true,
                                      .key = loy_str(key),
                                      .value = loy_str(value)};
    return fake_broker_append(broker, &message, broker->world->now_us);
}

static void start_all(struct loy_bus *bus, const struct loy_bus_event *event)
{
    int64_t zeros[LOY_TOPICS_MAX] = {0};
    for (uint32_t i = 0; i < event->partition_count; i++) {
        struct loy_bus_start start = {event->partitions[i], zeros};
        assert_int_equal(bus->assign(bus->self, &start, 1, NULL), LOY_OK);
    }
}

static void expect(struct loy_bus *bus, enum loy_bus_event_kind kind, struct loy_bus_event *event)
{
    bus->poll(bus->self, event);
    assert_int_equal(event->kind, kind);
}

static void records_come_in_order_and_then_the_end(void **state)
{
    (void)state;
    struct sim_world world;
    struct fake_broker broker;
    static struct fake_bus client;
    sim_world_init(&world, 1);
    fake_broker_init(&broker, &world, inputs, TOPICS, PARTITIONS);
    fake_bus_init(&client, &broker, "a");
    struct loy_bus bus = fake_bus_port(&client);
    struct loy_bus_event event;
    expect(&bus, LOY_BUS_ASSIGNED, &event);
    assert_int_equal(event.partition_count, PARTITIONS);
    struct loy_position at = publish(&broker, "anna", "one");
    fake_broker_append_gap(&broker, 0, at.partition);
    publish(&broker, "anna", "two");
    start_all(&bus, &event);
    int ends = 0, records = 0;
    for (int i = 0; i < 14; i++) {
        bus.poll(bus.self, &event);
        ends += event.kind == LOY_BUS_END;
        if (event.kind == LOY_BUS_RECORD) {
            assert_int_equal(event.record.position.offset, records++ == 0 ? 0 : 2);
        }
    }
    assert_int_equal(records, 2);
    assert_int_equal(ends, TOPICS * PARTITIONS);
    expect(&bus, LOY_BUS_NOTHING, &event);
    assert_int_equal(bus.seek(bus.self, (struct loy_position){0, at.partition, 2}, NULL), LOY_OK);
    bus.pause(bus.self, at.partition, -1);
    expect(&bus, LOY_BUS_NOTHING, &event);
    bus.resume(bus.self, at.partition, 0);
    expect(&bus, LOY_BUS_RECORD, &event);
    assert_true(loy_str_equal(event.record.value, LOY_STR("two")));
    expect(&bus, LOY_BUS_END, &event);
    fake_bus_fini(&client);
    fake_broker_fini(&broker);
    sim_world_fini(&world);
}

static void a_second_member_waits_until_the_first_has_given_back(void **state)
{
    (void)state;
    struct sim_world world;
    struct fake_broker broker;
    static struct fake_bus one, two;
    sim_world_init(&world, 1);
    fake_broker_init(&broker, &world, inputs, TOPICS, PARTITIONS);
    fake_bus_init(&one, &broker, "a");
    struct loy_bus a = fake_bus_port(&one), b = fake_bus_port(&two);
    struct loy_bus_event event;
    expect(&a, LOY_BUS_ASSIGNED, &event);
    start_all(&a, &event);
    fake_bus_init(&two, &broker, "b");
    publish(&broker, "anna", "one");
    expect(&a, LOY_BUS_REVOKED, &event);
    expect(&b, LOY_BUS_NOTHING, &event);
    expect(&a, LOY_BUS_NOTHING, &event);
    a.revoke_done(a.self);
    expect(&a, LOY_BUS_ASSIGNED, &event);
    assert_int_equal(event.partition_count, PARTITIONS / 2);
    assert_int_equal(event.partitions[0], 0);
    expect(&b, LOY_BUS_ASSIGNED, &event);
    assert_int_equal(event.partitions[0], PARTITIONS / 2);
    /* b stops to poll: its session expires, a gets all, b learns that it lost. */
    world.now_us += broker.session_timeout_us + 1;
    one.last_poll_us = world.now_us;
    expect(&a, LOY_BUS_REVOKED, &event);
    a.revoke_done(a.self);
    expect(&a, LOY_BUS_ASSIGNED, &event);
    assert_int_equal(event.partition_count, PARTITIONS);
    expect(&b, LOY_BUS_LOST, &event);
    assert_int_equal(event.partition_count, PARTITIONS / 2);
    fake_bus_fini(&one);
    fake_bus_fini(&two);
    fake_broker_fini(&broker);
    sim_world_fini(&world);
}

static void after_a_failed_delivery_all_fail_until_rebuilt(void **state)
{
    (void)state;
    struct sim_world world;
    struct fake_broker broker;
    static struct fake_bus client;
    sim_world_init(&world, 1);
    fake_broker_init(&broker, &world, inputs, TOPICS, PARTITIONS);
    fake_bus_init(&client, &broker, "a");
    struct loy_bus bus = fake_bus_port(&client);
    struct loy_bus_event event;
    expect(&bus, LOY_BUS_ASSIGNED, &event);
    struct loy_bus_message message = {.topic = LOY_STR("out"),
                                      .partition = -1,
                                      .has_key = true,
                                      .key = LOY_STR("anna"),
                                      .has_value = true,
                                      .value = LOY_STR("v")};
    assert_int_equal(bus.produce(bus.self, &message, 1, NULL), LOY_OK);
    expect(&bus, LOY_BUS_DELIVERED, &event);
    assert_int_equal(event.cookie, 1);
    world.faults.delivery_fail = 1000;
    assert_int_equal(bus.produce(bus.self, &message, 2, NULL), LOY_OK);
    world.faults.delivery_fail = 0;
    assert_int_equal(bus.produce(bus.self, &message, 3, NULL), LOY_OK);
    expect(&bus, LOY_BUS_UNDELIVERED, &event);
    expect(&bus, LOY_BUS_UNDELIVERED, &event);
    assert_int_equal(bus.rebuild_producer(bus.self, NULL), LOY_OK);
    assert_int_equal(bus.produce(bus.self, &message, 4, NULL), LOY_OK);
    expect(&bus, LOY_BUS_DELIVERED, &event);
    uint16_t out = fake_broker_topic(&broker, LOY_STR("out"));
    assert_int_equal(broker.topics[out].logs[loy_partition_of(message.key, PARTITIONS)].end, 2);
    fake_bus_fini(&client);
    fake_broker_fini(&broker);
    sim_world_fini(&world);
}

/* --- cache --- */

static void the_cache_keeps_what_came_last(void **state)
{
    (void)state;
    struct sim_world world;
    struct fake_redis redis;
    struct fake_cache client;
    sim_world_init(&world, 1);
    fake_redis_init(&redis, &world);
    fake_cache_init(&client, &redis);
    struct loy_cache cache = fake_cache_port(&client);
    struct loy_cache_write write = {.row = {1, 1, LOY_STR("anna"), 2, 2, {{0}}, LOY_STR("first")}};
    cache.store(cache.self, &write, 1);
    write.row.seq = 1; /* of a worker that was late */
    write.row.state = LOY_STR("last");
    cache.store(cache.self, &write, 1);
    struct loy_account_key keys[2] = {{1, LOY_STR("anna")}, {1, LOY_STR("boris")}};
    assert_int_equal(cache.load(cache.self, keys, 2), LOY_OK);
    const struct loy_member_row *rows;
    uint32_t count;
    assert_true(cache.poll(cache.self, &rows, &count));
    assert_int_equal(count, 1);
    assert_true(loy_str_equal(rows[0].state, LOY_STR("last")));
    assert_false(cache.poll(cache.self, &rows, &count));
    fake_cache_fini(&client);
    fake_redis_fini(&redis);
    sim_world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_is_there_afterwards),
        cmocka_unit_test(each_guard_refuses_and_nothing_is_written),
        cmocka_unit_test(two_events_of_one_key_in_a_commit_are_refused),
        cmocka_unit_test(the_dead_commit_before_an_acquire_and_not_after),
        cmocka_unit_test(an_acquire_ends_a_stalled_transaction),
        cmocka_unit_test(records_come_in_order_and_then_the_end),
        cmocka_unit_test(a_second_member_waits_until_the_first_has_given_back),
        cmocka_unit_test(after_a_failed_delivery_all_fail_until_rebuilt),
        cmocka_unit_test(the_cache_keeps_what_came_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
