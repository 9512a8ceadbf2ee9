#include "sim/run.h"

#include "sim/customers.h"
#include "sim/fleet.h"
#include "sim/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SECOND_US = 1000000,
    DRAIN_STEP_US = 10000,
    DRAIN_MAX_US = 300 * SECOND_US, /* a healed world is done long before */
    STOP_MAX_US = 30 * SECOND_US,
    WIRE_US = 20000,
};

static const struct loy_str inputs[] = {{"events", 6}, {"web", 3}, {"internal", 8}, {"ticks", 5}};
enum { CUSTOMER_TOPICS = 2, INPUTS = 4 };

/* How often each thing is done to the world, in ten-thousandths of a step. */
struct intensity {
    uint32_t publish, advance_long, crash, crash_in_call, freeze, expire, stop, clock_jump, store_down, bus_down,
        cache_down, schedule, programme;
};

struct run {
    struct sim_world world;
    struct fake_broker broker;
    struct fake_db db;
    struct fake_redis redis;
    struct sim_customers customers;
    struct sim_model model;
    struct fake_published published;
    struct sim_fleet fleet;
    struct loy_worker_config config;
    struct intensity intensity;
    int64_t store_up_us, bus_up_us, cache_up_us;
    uint32_t records_left;
    bool failed;
};

/* --- the world of a seed --- */

/* Each fault is in half of the worlds, weak in most of them: some bugs need the absence of another fault. */
static void choose_faults(struct run *run)
{
    struct sim_world *world = &run->world;
    uint16_t *faults = (uint16_t *)&world->faults;
    for (size_t i = 0; i < sizeof world->faults / sizeof *faults; i++) {
        bool strong = sim_chance(world, 250);
        uint16_t per_mille = (uint16_t)sim_between(world, 1, strong ? 150 : 15);
        faults[i] = sim_chance(world, 500) ? per_mille : 0;
    }
    /* Those that end what is under way may not be so frequent that nothing is ever done. */
    uint16_t *const hard[] = {&world->faults.execute_late,       &world->faults.stall,
                              &world->faults.reply_lost,         &world->faults.delivery_fail,
                              &world->faults.delivery_fail_late, &world->faults.store_refuse};
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        *hard[i] = *hard[i] > 60 ? 60 : *hard[i];
    }
    world->faults.outlive = sim_chance(world, 500) ? 900 : 0;
    world->faults.zombie_delivery = sim_chance(world, 500) ? 900 : 0;
    world->faults.bus_error = world->faults.bus_error > 10 ? 10 : world->faults.bus_error;
}

static uint32_t sometimes(struct sim_world *world, uint32_t most)
{
    return sim_chance(world, 500) ? (uint32_t)sim_between(world, 1, most) : 0;
}

static void choose_intensity(struct run *run)
{
    struct sim_world *world = &run->world;
    run->intensity = (struct intensity){
        .publish = (uint32_t)sim_between(world, 200, 1500),
        .advance_long = sometimes(world, 30),
        .crash = sometimes(world, 20),
        .crash_in_call = sometimes(world, 20),
        .freeze = sometimes(world, 30),
        .expire = sometimes(world, 20),
        .stop = sometimes(world, 10),
        .clock_jump = sometimes(world, 10),
        .store_down = sometimes(world, 10),
        .bus_down = sometimes(world, 10),
        .cache_down = sometimes(world, 20),
        .schedule = (uint32_t)sim_between(world, 5, 60),
        .programme = sometimes(world, 30),
    };
}

static void published(void *context, uint16_t topic, int32_t partition, int64_t offset)
{
    struct run *run = context;
    sim_model_published(&run->model, topic, &run->broker.topics[topic].logs[partition].entries[offset]);
}

static void choose_config(struct run *run)
{
    struct sim_world *world = &run->world;
    run->config = (struct loy_worker_config){
        .topics = inputs,
        .topic_count = INPUTS,
        .partitions = run->broker.partitions,
        .incarnation = 1,
        .updates = LOY_STR("updates"),
        .balances = LOY_STR("balances"),
        .dead_letters = LOY_STR("dead-letters"),
        .previews = LOY_STR("previews"),
        .outcomes = LOY_STR("outcomes"),
        .enrol = true,
        .batch_min = (uint32_t)sim_between(world, 1, 8),
        .memory_bytes = (size_t)64 << 20,
        .cache_bytes = sim_chance(world, 800) ? (size_t)1 << 20 : (size_t)4 << 10,
    };
    run->config.batch_max = run->config.batch_min + (uint32_t)sim_between(world, 0, 40);
}

static void run_init(struct run *run, const struct sim_options *options)
{
    struct sim_world *world = &run->world;
    sim_world_init(world, options->seed);
    world->trace = options->trace;
    world->wire_us = sim_between(world, 1, WIRE_US);
    fake_broker_init(&run->broker, world, inputs, INPUTS, (int32_t)sim_between(world, 1, 6));
    fake_db_init(&run->db, world, INPUTS, run->broker.partitions);
    run->db.poison = LOY_STR(SIM_POISON);
    fake_redis_init(&run->redis, world);
    const struct loy_programme *programme = sim_programme((uint32_t)sim_below(world, 3));
    for (uint32_t i = 0; i < programme->budget_count; i++) {
        run->db.counters[run->db.counter_count++] = (struct loy_counter_row){programme->budgets[i].counter, 0};
    }
    sim_customers_init(&run->customers, world, &run->broker, programme, CUSTOMER_TOPICS);
    run->customers.misbehave = sim_chance(world, 900);
    choose_config(run);
    run->published.world = world;
    fake_published_add(&run->published, programme);
    run->fleet = (struct sim_fleet){.world = world,
                                    .broker = &run->broker,
                                    .db = &run->db,
                                    .redis = sim_chance(world, 800) ? &run->redis : NULL,
                                    .published = &run->published,
                                    .config = &run->config,
                                    .process_count = (int)sim_between(world, 1, SIM_PROCESSES_MAX),
                                    .thread_count = (int)sim_between(world, 1, SIM_THREADS_MAX)};
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        run->fleet.processes[i].number = i;
    }
    run->model = (struct sim_model){.world = world,
                                    .published = &run->published,
                                    .broker = &run->broker,
                                    .db = &run->db,
                                    .customers = &run->customers,
                                    .internal_topic = CUSTOMER_TOPICS,
                                    .tick_topic = CUSTOMER_TOPICS + 1,
                                    .clocks_were_right = true};
    run->broker.guarded = LOY_STR("balances");
    run->broker.on_append = published;
    run->broker.on_append_context = run;
    run->records_left = (uint32_t)sim_between(world, 20, 600);
    choose_faults(run);
    choose_intensity(run);
}

static void run_fini(struct run *run)
{
    sim_fleet_fini(&run->fleet);
    fake_redis_fini(&run->redis);
    fake_db_fini(&run->db);
    fake_broker_fini(&run->broker);
    sim_customers_fini(&run->customers);
    sim_world_fini(&run->world);
}

/* --- the part with faults --- */

static struct sim_process *some_process(struct run *run)
{
    return &run->fleet.processes[sim_below(&run->world, (uint64_t)run->fleet.process_count)];
}

static void end_outages(struct run *run)
{
    int64_t now_us = run->world.now_us;
    run->db.down = run->db.down && now_us < run->store_up_us;
    run->broker.down = run->broker.down && now_us < run->bus_up_us;
    run->redis.down = run->redis.down && now_us < run->cache_up_us;
}

static bool often(struct run *run, uint32_t per_10000)
{
    return per_10000 > 0 && sim_below(&run->world, 10000) < per_10000;
}

static void disturb_services(struct run *run)
{
    struct sim_world *world = &run->world;
    const struct intensity *how = &run->intensity;
    if (often(run, how->store_down) && !run->db.down) {
        run->db.down = true;
        run->store_up_us = world->now_us + sim_between(world, 0, 20 * SECOND_US);
        sim_happened(world, SIM_STORE_OUTAGE);
        sim_say(world, "store", "goes down");
    }
    if (often(run, how->bus_down) && !run->broker.down) {
        run->broker.down = true;
        run->bus_up_us = world->now_us + sim_between(world, 0, 20 * SECOND_US);
        sim_happened(world, SIM_BUS_OUTAGE);
        sim_say(world, "bus", "goes down");
    }
    if (often(run, how->cache_down)) {
        if (sim_chance(world, 500)) {
            fake_redis_flush(&run->redis);
        }
        run->redis.down = true;
        run->cache_up_us = world->now_us + sim_between(world, 0, 10 * SECOND_US);
    }
}

static void disturb_workers(struct run *run)
{
    struct sim_world *world = &run->world;
    const struct intensity *how = &run->intensity;
    struct sim_process *process = some_process(run);
    int thread = (int)sim_below(world, (uint64_t)run->fleet.thread_count);
    struct sim_thread *victim = &process->threads[thread];
    if (!process->alive) {
        return;
    }
    const struct fake_transaction *pending = victim->worker ? victim->store.pending : NULL;
    bool commits = pending && !pending->executed && pending->request.kind == LOY_STORE_COMMIT;
    if (often(run, commits ? how->crash * 20 : how->crash)) { /* the moment that matters is short */
        sim_fleet_crash(&run->fleet, process);
    } else if (often(run, how->crash_in_call)) {
        sim_fleet_turn(&run->fleet, process, thread, (uint32_t)sim_between(world, 1, 40));
    } else if (often(run, how->freeze) && victim->worker) {
        victim->frozen_until_us = world->now_us + sim_between(world, 0, 30 * SECOND_US);
        sim_happened(world, SIM_FREEZE);
        sim_say(world, victim->name, "is frozen");
    } else if (often(run, how->expire) && victim->worker) {
        fake_bus_expire(victim->bus);
    } else if (often(run, how->stop) && !process->stopping) {
        sim_fleet_stop(&run->fleet, process);
    } else if (often(run, how->clock_jump)) {
        process->wall_offset_us = sim_between(world, -4 * SECOND_US, 4 * SECOND_US);
        run->model.clocks_were_right = run->model.clocks_were_right && process->wall_offset_us >= 0;
        sim_happened(world, SIM_CLOCK_JUMP);
    }
}

static void restart_dead(struct run *run)
{
    for (int i = 0; i < run->fleet.process_count; i++) {
        struct sim_process *process = &run->fleet.processes[i];
        if (!process->alive && process->restart_at_us <= run->world.now_us) {
            if (process->lives > 0) {
                sim_happened(&run->world, SIM_RESTART);
            }
            sim_fleet_start(&run->fleet, process);
        }
    }
}

static void advance(struct run *run)
{
    struct sim_world *world = &run->world;
    if (often(run, run->intensity.advance_long)) {
        world->now_us += sim_between(world, 0, (sim_chance(world, 100) ? 15 : 3) * SECOND_US);
    } else if (sim_chance(world, 500)) {
        world->now_us += sim_between(world, 0, run->world.wire_us * 2);
    }
}

/* Crashes that are nobody's fault may stop a partition too: somebody looks, and has it tried again. */
static void operate(struct run *run, uint32_t per_mille)
{
    for (int32_t k = 0; k < run->broker.partitions; k++) {
        struct loy_partition *row = &run->db.partitions[k].row;
        if (row->alone >= LOY_STOP_AFTER_ALONE && sim_chance(&run->world, per_mille)) {
            row->alone = 0;
            row->epoch++;
            sim_happened(&run->world, SIM_PARTITION_RETRIED);
            sim_say(&run->world, "operator", "has partition %d tried again", k);
        }
    }
}

static void publish_programme(struct run *run)
{
    uint32_t count = run->published.count;
    if (count < FAKE_PROGRAMMES_MAX) {
        const struct loy_programme *next = sim_next_programme(&run->world, run->published.programmes[count - 1]);
        fake_published_add(&run->published, next);
        fake_db_publish(&run->db, next->from_us);
        sim_happened(&run->world, SIM_PUBLISHED);
        sim_say(&run->world, "marketer", "publishes revision %d from %lld", next->revision, (long long)next->from_us);
    }
}

static void step(struct run *run)
{
    struct sim_world *world = &run->world;
    end_outages(run);
    restart_dead(run);
    fake_db_run(&run->db);
    fake_broker_run(&run->broker);
    disturb_services(run);
    disturb_workers(run);
    operate(run, 10);
    if (run->records_left > 0 && often(run, run->intensity.publish)) {
        sim_customers_publish(&run->customers);
        run->records_left--;
    }
    if (often(run, run->intensity.programme)) {
        publish_programme(run);
    }
    if (often(run, run->intensity.schedule)) {
        sim_customers_tick(&run->customers, &run->db, false);
    }
    sim_fleet_turn(&run->fleet, some_process(run), (int)sim_below(world, (uint64_t)run->fleet.thread_count), 0);
    advance(run);
}

/* --- the end: heal everything, finish, judge --- */

static void heal(struct run *run)
{
    struct sim_world *world = &run->world;
    sim_say(world, "world", "everything is healed");
    world->faults = (struct sim_faults){0};
    run->intensity = (struct intensity){0};
    run->db.down = run->broker.down = run->redis.down = false;
    for (int i = 0; i < run->fleet.process_count; i++) {
        struct sim_process *process = &run->fleet.processes[i];
        process->restart_at_us = world->now_us;
        process->wall_offset_us = 0;
        for (int t = 0; t < run->fleet.thread_count; t++) {
            process->threads[t].frozen_until_us = 0;
        }
    }
}

/* Every record has an outcome, every message is out, and the outbox is empty. */
static bool everything_is_done(const struct run *run)
{
    if (run->broker.rebalancing || run->broker.flights || run->db.transactions) {
        return false;
    }
    for (int32_t k = 0; k < run->broker.partitions; k++) {
        if (run->db.partitions[k].outbox_count > 0) {
            return false;
        }
    }
    for (uint16_t topic = 0; topic < INPUTS; topic++) {
        for (int32_t k = 0; k < run->broker.partitions; k++) {
            if (run->db.partitions[k].row.next_offset[topic] < run->broker.topics[topic].logs[k].end) {
                return false;
            }
        }
    }
    return true;
}

static void turn_all(struct run *run)
{
    for (int p = 0; p < run->fleet.process_count; p++) {
        for (int t = 0; t < run->fleet.thread_count; t++) {
            sim_fleet_turn(&run->fleet, &run->fleet.processes[p], t, 0);
        }
    }
}

/* Turns the healed world until it has been quiet for a second. */
static bool drain(struct run *run)
{
    int64_t start_us = run->world.now_us, quiet_since_us = INT64_MAX;
    while (run->world.now_us - start_us < DRAIN_MAX_US) {
        restart_dead(run);
        fake_db_run(&run->db);
        fake_broker_run(&run->broker);
        operate(run, 1000);
        turn_all(run);
        if (run->fleet.error.code != LOY_OK) {
            return true; /* said by the caller */
        }
        bool quiet = everything_is_done(run) && sim_fleet_is_quiet(&run->fleet);
        quiet_since_us = !quiet ? INT64_MAX : quiet_since_us == INT64_MAX ? run->world.now_us : quiet_since_us;
        if (quiet && run->world.now_us - quiet_since_us > SECOND_US) {
            return true;
        }
        run->world.now_us += DRAIN_STEP_US;
    }
    return false;
}

static void say_where_it_hangs(struct run *run)
{
    for (uint16_t topic = 0; topic < INPUTS; topic++) {
        for (int32_t k = 0; k < run->broker.partitions; k++) {
            int64_t at = run->db.partitions[k].row.next_offset[topic], end = run->broker.topics[topic].logs[k].end;
            if (at < end) {
                sim_model_fail(&run->model, "I8: %d/%d hangs at %" PRId64 " of %" PRId64, topic, k, at, end);
            }
        }
    }
    for (int32_t k = 0; k < run->broker.partitions; k++) {
        if (run->db.partitions[k].outbox_count > 0) {
            sim_model_fail(&run->model, "I8: %u outbox rows of %d are left", run->db.partitions[k].outbox_count, k);
        }
    }
    sim_model_fail(&run->model, "I8: the healed world is not quiet after %d s", DRAIN_MAX_US / SECOND_US);
}

/* Whatever was due when the last ticks were sent has been booked. */
static void check_due(struct run *run, int64_t by_us)
{
    for (uint32_t i = 0; i < run->db.member_count; i++) {
        const struct fake_member *member = &run->db.members[i];
        if (member->due_at_us <= by_us) {
            sim_model_fail(&run->model, "I6: %.*s is still due at %" PRId64 ", though a tick came at %" PRId64,
                           LOY_STR_ARG(member->write.row.member_id), member->due_at_us, by_us);
        }
    }
}

static void finish(struct run *run)
{
    heal(run);
    bool drained = drain(run);
    int64_t ticked_us = run->world.now_us;
    if (drained && run->fleet.error.code == LOY_OK) {
        sim_customers_tick(&run->customers, &run->db, true);
        drained = drain(run);
    }
    if (run->fleet.error.code != LOY_OK) {
        sim_model_fail(&run->model, "a worker failed: %s", run->fleet.error.detail);
        return;
    }
    if (!drained) {
        say_where_it_hangs(run);
        return;
    }
    check_due(run, ticked_us);
    for (int i = 0; i < run->fleet.process_count; i++) {
        sim_fleet_stop(&run->fleet, &run->fleet.processes[i]);
    }
    int64_t start_us = run->world.now_us;
    bool alive = true;
    while (alive && run->world.now_us - start_us < STOP_MAX_US) {
        turn_all(run);
        alive = false;
        for (int i = 0; i < run->fleet.process_count; i++) {
            alive = alive || run->fleet.processes[i].alive;
        }
        run->world.now_us += DRAIN_STEP_US;
    }
    if (alive) {
        sim_model_fail(&run->model, "a worker does not stop");
    }
    sim_model_check(&run->model);
}

bool sim_run(const struct sim_options *options, uint64_t counts[SIM_HAPPENING_COUNT])
{
    struct run *run = calloc(1, sizeof *run);
    if (!run) {
        abort();
    }
    run_init(run, options);
    for (uint32_t i = 0; i < options->steps && run->fleet.error.code == LOY_OK && run->model.failures == 0; i++) {
        step(run);
    }
    finish(run);
    bool good = run->model.failures == 0;
    for (int i = 0; i < SIM_HAPPENING_COUNT; i++) {
        counts[i] += run->world.counts[i];
    }
    run_fini(run);
    free(run);
    return good;
}
