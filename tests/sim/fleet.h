/* Fleet: the worker processes of a simulated run, their threads, and what happens to them.
 *
 * A process has a wall clock and dies as a whole; a thread is one loy_worker with a connection of each kind. One thread
 * of ours runs them all, a turn at a time. Used by run.c. */
#ifndef LOY_TESTS_SIM_FLEET_H
#define LOY_TESTS_SIM_FLEET_H

#include "sim/fake_bus.h"
#include "sim/fake_cache.h"
#include "sim/fake_programmes.h"
#include "sim/fake_store.h"
#include "worker/worker.h"
#include "worker/worker_metrics.h"

enum { SIM_PROCESSES_MAX = 4, SIM_THREADS_MAX = 2, SIM_GRAVES_MAX = 512 };

struct sim_thread {
    const char *name;          /* of this life */
    struct loy_worker *worker; /* NULL: dead */
    bool stopped;
    int64_t frozen_until_us;
    int64_t wait_us;
    struct fake_bus *bus;
    struct fake_store store;
    struct fake_cache cache;
    struct sim_clock clock;
    struct loy_worker_config config;
    struct loy_worker_metrics metrics;
};

struct sim_process {
    int number;
    bool alive;
    bool stopping;
    int64_t restart_at_us;
    int64_t wall_offset_us;
    uint32_t lives;
    struct fake_programmes programmes;
    struct sim_thread threads[SIM_THREADS_MAX];
};

struct sim_fleet {
    struct sim_world *world;
    struct fake_broker *broker;
    struct fake_db *db;
    struct fake_redis *redis; /* NULL: workers have no cache */
    const struct fake_published *published;
    const struct loy_worker_config *config; /* a pattern: owner is filled in */
    int process_count, thread_count;
    struct sim_process processes[SIM_PROCESSES_MAX];
    struct fake_bus *graves[SIM_GRAVES_MAX];
    uint32_t grave_count;
    struct loy_error error; /* why a worker failed; code LOY_OK: none did */
};

void sim_fleet_start(struct sim_fleet *fleet, struct sim_process *process);
/* kill -9. */
void sim_fleet_crash(struct sim_fleet *fleet, struct sim_process *process);
/* SIGTERM: goes on turning until its threads have stopped. */
void sim_fleet_stop(struct sim_fleet *fleet, struct sim_process *process);
/* One turn of one thread, unless it is dead or frozen. calls > 0: it dies at that call of a port. */
void sim_fleet_turn(struct sim_fleet *fleet, struct sim_process *process, int thread, uint32_t calls);
bool sim_fleet_is_quiet(const struct sim_fleet *fleet);
void sim_fleet_fini(struct sim_fleet *fleet);

#endif
