#include "sim/fleet.h"

#include <stdio.h>
#include <stdlib.h>

enum { CALLS_MAX = 200000 }; /* of ports, in one turn */

static void start_thread(struct sim_fleet *fleet, struct sim_process *process, int number)
{
    struct sim_world *world = fleet->world;
    struct sim_thread *thread = &process->threads[number];
    char *name = sim_alloc(&world->pool, 16);
    snprintf(name, 16, "w%dt%d.%u", process->number, number, process->lives);
    *thread = (struct sim_thread){.name = name, .config = *fleet->config};
    thread->clock = (struct sim_clock){world, process->wall_offset_us};
    thread->config.owner = loy_str(name);
    thread->bus = calloc(1, sizeof *thread->bus);
    if (!thread->bus || fleet->grave_count == SIM_GRAVES_MAX) {
        abort();
    }
    fleet->graves[fleet->grave_count++] = thread->bus;
    fake_bus_init(thread->bus, fleet->broker, name);
    fake_store_init(&thread->store, fleet->db, name);
    fake_cache_init(&thread->cache, fleet->redis);
    struct loy_bus bus = fake_bus_port(thread->bus);
    struct loy_store store = fake_store_port(&thread->store);
    struct loy_cache cache = fake_cache_port(&thread->cache);
    struct loy_clock clock = sim_clock_port(&thread->clock);
    struct loy_programmes programmes = fake_programmes_port(&process->programmes);
    thread->worker = loy_worker_new(&thread->config, &programmes, &bus, &store, fleet->redis ? &cache : NULL, &clock,
                                    &thread->metrics, &fleet->error);
    if (!thread->worker) {
        fprintf(stderr, "loy_worker_new: %s\n", fleet->error.detail);
        abort();
    }
}

void sim_fleet_start(struct sim_fleet *fleet, struct sim_process *process)
{
    process->alive = true;
    process->stopping = false;
    process->lives++;
    fake_programmes_init(&process->programmes, fleet->published);
    for (int i = 0; i < fleet->thread_count; i++) {
        start_thread(fleet, process, i);
    }
    sim_say(fleet->world, process->threads[0].name, "starts");
}

static void bury(struct sim_thread *thread)
{
    loy_worker_destroy(thread->worker);
    thread->worker = NULL;
    fake_cache_fini(&thread->cache);
}

void sim_fleet_crash(struct sim_fleet *fleet, struct sim_process *process)
{
    struct sim_world *world = fleet->world;
    sim_happened(world, SIM_CRASH);
    sim_say(world, process->threads[0].name, "crashes");
    for (int i = 0; i < fleet->thread_count; i++) {
        struct sim_thread *thread = &process->threads[i];
        if (!thread->worker) {
            continue; /* it has stopped in good order */
        }
        const struct fake_transaction *pending = thread->store.pending;
        if (pending && !pending->executed && pending->request.kind == LOY_STORE_COMMIT) {
            sim_happened(world, SIM_CRASH_IN_COMMIT);
        }
        fake_store_kill(&thread->store);
        fake_bus_kill(thread->bus);
        bury(thread);
    }
    process->alive = false;
    process->restart_at_us = world->now_us + sim_between(world, 0, 20000000);
}

void sim_fleet_stop(struct sim_fleet *fleet, struct sim_process *process)
{
    process->stopping = true;
    sim_happened(fleet->world, SIM_STOP);
    for (int i = 0; i < fleet->thread_count; i++) {
        sim_say(fleet->world, process->threads[i].name, "is asked to stop");
        loy_worker_stop(process->threads[i].worker);
    }
}

static void finish_thread(struct sim_fleet *fleet, struct sim_process *process, struct sim_thread *thread)
{
    sim_say(fleet->world, thread->name, "has stopped");
    thread->stopped = true;
    fake_store_fini(&thread->store);
    fake_bus_fini(thread->bus);
    bury(thread);
    for (int i = 0; i < fleet->thread_count; i++) {
        if (process->threads[i].worker) {
            return;
        }
    }
    process->alive = false;
    process->restart_at_us = fleet->world->now_us + sim_between(fleet->world, 0, 5000000);
}

void sim_fleet_turn(struct sim_fleet *fleet, struct sim_process *process, int number, uint32_t calls)
{
    struct sim_world *world = fleet->world;
    struct sim_thread *thread = &process->threads[number];
    if (!process->alive || !thread->worker || thread->frozen_until_us > world->now_us) {
        return;
    }
    thread->clock.wall_offset_us = process->wall_offset_us;
    uint64_t revoked = world->counts[SIM_REVOKED] + world->counts[SIM_LOST];
    bool asked = thread->store.pending != NULL;
    world->fuse = calls > 0 ? calls : CALLS_MAX;
    if (setjmp(world->on_death) != 0) {
        if (calls == 0) {
            loy_error_set(&fleet->error, LOY_ERR_INTERNAL, "a turn of %s made %d calls and did not end", thread->name,
                          CALLS_MAX);
        }
        sim_fleet_crash(fleet, process);
        return;
    }
    enum loy_worker_state state = loy_worker_turn(thread->worker, &thread->wait_us);
    world->fuse = 0;
    if (asked && revoked != world->counts[SIM_REVOKED] + world->counts[SIM_LOST]) {
        sim_happened(world, SIM_REVOKED_IN_FLIGHT);
    }
    if (state == LOY_WORKER_FAILED) {
        fleet->error = *loy_worker_error(thread->worker);
        sim_say(world, thread->name, "fails: %s", fleet->error.detail);
    } else if (state == LOY_WORKER_STOPPED) {
        finish_thread(fleet, process, thread);
    }
}

bool sim_fleet_is_quiet(const struct sim_fleet *fleet)
{
    for (int p = 0; p < fleet->process_count; p++) {
        for (int t = 0; t < fleet->thread_count; t++) {
            const struct sim_thread *thread = &fleet->processes[p].threads[t];
            if (!fleet->processes[p].alive || !thread->worker || thread->store.pending || thread->bus->produced > 0) {
                return false;
            }
        }
    }
    return true;
}

void sim_fleet_fini(struct sim_fleet *fleet)
{
    for (int p = 0; p < fleet->process_count; p++) {
        for (int t = 0; t < fleet->thread_count && fleet->processes[p].alive; t++) {
            struct sim_thread *thread = &fleet->processes[p].threads[t];
            if (thread->worker) {
                fake_store_fini(&thread->store);
                fake_bus_fini(thread->bus);
                bury(thread);
            }
        }
    }
    for (uint32_t i = 0; i < fleet->grave_count; i++) {
        free(fleet->graves[i]);
    }
}
