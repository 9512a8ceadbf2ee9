/* The contract of the store on the simulated one: the same histories as on PostgreSQL. */
#include "contract/contract_store.h"

#include "sim/fake_store.h"

#include <stdlib.h>

struct bench {
    struct sim_world world;
    struct fake_db db;
    bool made;
};

static void clear(struct bench *bench)
{
    if (bench->made) {
        fake_db_fini(&bench->db);
        sim_world_fini(&bench->world);
    }
    bench->made = false;
}

static void reset(void *self)
{
    struct bench *bench = self;
    clear(bench);
    sim_world_init(&bench->world, 1);
    bench->world.wire_us = 1000;
    fake_db_init(&bench->db, &bench->world, CONTRACT_TOPICS, CONTRACT_PARTITIONS);
    bench->db.refuses_bad_text = true;
    for (int32_t id = 1; id <= CONTRACT_COUNTERS; id++) {
        bench->db.counters[bench->db.counter_count++] = (struct loy_counter_row){id, 0};
    }
    bench->made = true;
}

static struct loy_store open_store(void *self)
{
    struct bench *bench = self;
    struct fake_store *store = calloc(1, sizeof *store);
    if (!store) {
        abort();
    }
    fake_store_init(store, &bench->db, "client");
    return fake_store_port(store);
}

static void close_store(void *self, struct loy_store store)
{
    (void)self;
    fake_store_fini(store.self);
    free(store.self);
}

static void add_revision(void *self, int32_t number, int64_t from_us)
{
    struct bench *bench = self;
    bench->db.revisions[bench->db.revision_count++] = (struct fake_revision){number, from_us};
}

static void pass_time(void *self, const struct loy_store *store)
{
    (void)store;
    struct bench *bench = self;
    bench->world.now_us += 10000;
    fake_db_run(&bench->db);
}

/* A commit that would do nothing to k's row, stopped in its middle. */
static void *stall(void *self, int32_t k)
{
    struct bench *bench = self;
    struct loy_store store = open_store(self);
    struct loy_partition_write write = {.k = k, .epoch = bench->db.partitions[k].row.epoch};
    write.old_next_n = write.new_next_n = bench->db.partitions[k].row.next_n;
    struct loy_store_request request = {.kind = LOY_STORE_COMMIT,
                                        .commit = {.revision = 1, .partitions = &write, .partition_count = 1}};
    if (store.submit(store.self, &request) != LOY_OK) {
        abort();
    }
    fake_store_stall(store.self);
    return store.self;
}

static bool has_ended(void *self, void *stalled)
{
    struct fake_store *store = stalled;
    struct loy_store port = fake_store_port(store);
    struct loy_store_result result;
    pass_time(self, NULL);
    bool ended = port.poll(port.self, &result) && result.status == LOY_STORE_OUTAGE;
    close_store(self, port);
    return ended;
}

static void lose_replies(void *self, bool lost)
{
    ((struct bench *)self)->world.faults.reply_lost = lost ? 1000 : 0;
}

static void take_away(void *self, bool away)
{
    ((struct bench *)self)->db.down = away;
}

static void swallow(void *self, bool swallowed)
{
    ((struct bench *)self)->db.silent = swallowed;
}

int main(void)
{
    static struct bench bench;
    const struct loy_store_maker maker = {
        .self = &bench,
        .reset = reset,
        .open = open_store,
        .close = close_store,
        .add_revision = add_revision,
        .pass_time = pass_time,
        .stall = stall,
        .has_ended = has_ended,
        .lose_replies = lose_replies,
        .take_away = take_away,
        .swallow = swallow,
        .refuses_bad_text = true,
    };
    int failed = contract_store_run(&maker);
    clear(&bench);
    return failed;
}
