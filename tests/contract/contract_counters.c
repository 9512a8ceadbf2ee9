/* Histories of the store's counters: what is charged, under which condition, and by several at once. */
#include "contract/contract_store.h"

#include "support/cmocka_all.h"

#include <assert.h>

enum { LIMIT = 100 };

/* A client that owns one partition and charges without events. */
struct client {
    const struct loy_store_maker *maker;
    struct loy_store store;
    struct loy_partition partition;
};

static struct loy_store_result run(struct client *client, const struct loy_store_request *request)
{
    assert_int_equal(client->store.submit(client->store.self, request), LOY_OK);
    return contract_store_wait(client->maker, &client->store);
}

static void must_be(struct loy_store_result result, enum loy_store_status status, enum loy_guard guard)
{
    if (result.status != status || result.guard != guard) {
        print_error("status %d, guard %d: %s\n", result.status, result.guard, result.error.detail);
    }
    assert_int_equal(result.status, status);
    assert_int_equal(result.guard, guard);
}

static struct client open_client(const struct loy_store_maker *maker, int32_t k)
{
    assert(maker);
    struct client client = {.maker = maker, .store = maker->open(maker->self)};
    struct loy_store_request request = {.kind = LOY_STORE_ACQUIRE, .acquire = {&k, 1, LOY_STR("contract")}};
    struct loy_store_result result = run(&client, &request);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    client.partition = result.partitions[0];
    return client;
}

static struct client start(void **state)
{
    const struct loy_store_maker *maker = *state;
    maker->reset(maker->self);
    return open_client(maker, 1);
}

static void end(struct client *client)
{
    client->maker->close(client->maker->self, client->store);
}

/* The next record of the client's partition, ignored; it moves the offset. */
struct batch {
    struct loy_partition_write partition;
    struct loy_store_request request;
};

static void make_batch(struct batch *batch, const struct client *client, const struct loy_counter_charge *charges,
                       uint32_t count)
{
    const struct loy_partition *known = &client->partition;
    *batch = (struct batch){.partition = {.k = known->k, .epoch = known->epoch}};
    memcpy(batch->partition.old_next_offset, known->next_offset, sizeof known->next_offset);
    memcpy(batch->partition.new_next_offset, known->next_offset, sizeof known->next_offset);
    batch->partition.new_next_offset[0]++;
    batch->partition.add_totals[0][LOY_OUTCOME_IGNORED] = 1;
    batch->partition.old_next_n = batch->partition.new_next_n = known->next_n;
    batch->request = (struct loy_store_request){
        .kind = LOY_STORE_COMMIT,
        .commit = {.partitions = &batch->partition, .partition_count = 1, .charges = charges, .charge_count = count}};
}

static struct loy_store_result took(struct client *client, struct loy_store_result result)
{
    client->partition.next_offset[0] += result.status == LOY_STORE_DONE;
    return result;
}

static struct loy_store_result charge(struct client *client, const struct loy_counter_charge *charges, uint32_t count)
{
    struct batch batch;
    make_batch(&batch, client, charges, count);
    return took(client, run(client, &batch.request));
}

static struct loy_store_result charge_one(struct client *client, int32_t id, int64_t points, int64_t at_most)
{
    struct loy_counter_charge one = {id, points, at_most};
    return charge(client, &one, 1);
}

/* -1: there is no such counter. */
static int64_t used(struct client *client, int32_t id)
{
    struct loy_store_request request = {.kind = LOY_STORE_LOAD, .load = {.counters = &id, .counter_count = 1}};
    struct loy_store_result result = run(client, &request);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(result.member_count, 0);
    assert_true(result.counter_count <= 1);
    assert_true(result.counter_count == 0 || result.counters[0].id == id);
    return result.counter_count ? result.counters[0].used : -1;
}

static void nothing_was_written(struct client *client)
{
    struct loy_partition before = client->partition;
    struct loy_store_request request = {.kind = LOY_STORE_ACQUIRE, .acquire = {&before.k, 1, LOY_STR("contract")}};
    struct loy_store_result result = run(client, &request);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_memory_equal(result.partitions[0].next_offset, before.next_offset, sizeof before.next_offset);
    assert_int_equal(result.partitions[0].totals[0][LOY_OUTCOME_IGNORED], before.next_offset[0]);
    client->partition = result.partitions[0];
}

/* --- one client -------------------------------------------------------------------------------------------------- */

static void a_charge_is_read_back(void **state)
{
    struct client client = start(state);
    assert_int_equal(used(&client, 1), 0);
    must_be(charge_one(&client, 1, 30, 0), LOY_STORE_DONE, LOY_GUARD_NONE);
    must_be(charge_one(&client, 1, 12, 70), LOY_STORE_DONE, LOY_GUARD_NONE);
    must_be(charge_one(&client, 2, INT64_C(1) << 60, INT64_MAX), LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(used(&client, 1), 42);
    assert_int_equal(used(&client, 2), INT64_C(1) << 60);
    assert_int_equal(used(&client, 3), 0);
    end(&client);
}

static void counters_come_with_members_and_without(void **state)
{
    struct client client = start(state);
    must_be(charge_one(&client, 2, 5, 0), LOY_STORE_DONE, LOY_GUARD_NONE);
    const struct loy_account_key key = {1, LOY_STR("nobody")};
    const int32_t ids[] = {-4, 1, 2, CONTRACT_COUNTERS + 1};
    struct loy_store_request request = {.kind = LOY_STORE_LOAD, .load = {&key, 1, ids, 4}};
    struct loy_store_result result = run(&client, &request);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(result.member_count, 0);
    assert_int_equal(result.counter_count, 2); /* those that there are, in any order */
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(result.counters[i].id == 1 || result.counters[i].id == 2);
        assert_int_equal(result.counters[i].used, result.counters[i].id == 2 ? 5 : 0);
    }
    assert_int_not_equal(result.counters[0].id, result.counters[1].id);
    assert_int_equal(used(&client, CONTRACT_COUNTERS + 1), -1);
    end(&client);
}

static void the_counter_guard(void **state)
{
    struct client client = start(state);
    must_be(charge_one(&client, 2, 60, 0), LOY_STORE_DONE, LOY_GUARD_NONE);
    struct loy_store_result result = charge_one(&client, 2, 10, 59);
    must_be(result, LOY_STORE_GUARD, LOY_GUARD_COUNTER);
    assert_false(result.commit_unknown);
    nothing_was_written(&client);
    must_be(charge_one(&client, 2, 0, 59), LOY_STORE_GUARD, LOY_GUARD_COUNTER); /* asks without taking */
    must_be(charge_one(&client, CONTRACT_COUNTERS + 1, 1, INT64_MAX), LOY_STORE_GUARD, LOY_GUARD_COUNTER);
    nothing_was_written(&client);
    must_be(charge_one(&client, 2, 0, 60), LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(used(&client, 2), 60);
    end(&client);
}

static void one_short_counter_of_several_stops_all(void **state)
{
    struct client client = start(state);
    must_be(charge_one(&client, 2, 60, 0), LOY_STORE_DONE, LOY_GUARD_NONE);
    struct loy_counter_charge three[] = {{1, 10, 0}, {2, 10, 50}, {3, 10, 0}};
    must_be(charge(&client, three, 3), LOY_STORE_GUARD, LOY_GUARD_COUNTER);
    nothing_was_written(&client);
    assert_int_equal(used(&client, 1), 0);
    assert_int_equal(used(&client, 3), 0);
    three[1].at_most = 60;
    must_be(charge(&client, three, 3), LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(used(&client, 1), 10);
    assert_int_equal(used(&client, 2), 70);
    assert_int_equal(used(&client, 3), 10);
    end(&client);
}

/* What a zombie decided does not even look at the budget. */
static void the_partition_comes_before_the_counter(void **state)
{
    struct client client = start(state);
    client.partition.epoch--;
    must_be(charge_one(&client, 1, 10, -1), LOY_STORE_GUARD, LOY_GUARD_PARTITION);
    assert_int_equal(used(&client, 1), 0);
    end(&client);
}

/* --- several clients --------------------------------------------------------------------------------------------- */

static void two_clients_share_a_counter(void **state)
{
    struct client one = start(state);
    struct client other = open_client(one.maker, 2);
    assert_int_equal(used(&other, 1), 0);
    must_be(charge_one(&one, 1, 60, LIMIT - 60), LOY_STORE_DONE, LOY_GUARD_NONE);
    must_be(charge_one(&other, 1, 60, LIMIT - 60), LOY_STORE_GUARD, LOY_GUARD_COUNTER);
    nothing_was_written(&other);
    assert_int_equal(used(&other, 1), 60);
    must_be(charge_one(&other, 1, 40, 60), LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(used(&one, 1), LIMIT);
    end(&one);
    end(&other);
}

/* Both at once, on three counters in the same order: one after the other, whoever is first. */
static void clients_that_charge_at_once_wait_for_each_other(void **state)
{
    struct client clients[2] = {start(state)};
    clients[1] = open_client(clients[0].maker, 2);
    int64_t charged = 0;
    for (int round = 0; round < 40; round++) {
        struct loy_counter_charge three[2][3];
        struct batch batches[2];
        int done = 0;
        for (int i = 0; i < 2; i++) {
            for (int32_t id = 1; id <= 3; id++) {
                /* In every second round there is room for one of them only. */
                three[i][id - 1] = (struct loy_counter_charge){id, 1, round % 2 ? charged : INT64_MAX};
            }
            make_batch(&batches[i], &clients[i], three[i], 3);
            assert_int_equal(clients[i].store.submit(clients[i].store.self, &batches[i].request), LOY_OK);
        }
        for (int i = 0; i < 2; i++) {
            struct loy_store_result result = contract_store_wait(clients[i].maker, &clients[i].store);
            if (result.status != LOY_STORE_DONE) {
                must_be(result, LOY_STORE_GUARD, LOY_GUARD_COUNTER);
            }
            took(&clients[i], result);
            done += result.status == LOY_STORE_DONE;
        }
        assert_int_equal(done, round % 2 ? 1 : 2);
        charged += done;
    }
    for (int32_t id = 1; id <= 3; id++) {
        assert_int_equal(used(&clients[0], id), charged);
    }
    end(&clients[0]);
    end(&clients[1]);
}

int contract_counters_run(const struct loy_store_maker *maker)
{
    const struct loy_store_maker copy = *maker;
    void *state = (void *)(uintptr_t)&copy;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_charge_is_read_back, state),
        cmocka_unit_test_prestate(counters_come_with_members_and_without, state),
        cmocka_unit_test_prestate(the_counter_guard, state),
        cmocka_unit_test_prestate(one_short_counter_of_several_stops_all, state),
        cmocka_unit_test_prestate(the_partition_comes_before_the_counter, state),
        cmocka_unit_test_prestate(two_clients_share_a_counter, state),
        cmocka_unit_test_prestate(clients_that_charge_at_once_wait_for_each_other, state),
    };
    return cmocka_run_group_tests_name("counters of the store contract", tests, NULL, NULL);
}
