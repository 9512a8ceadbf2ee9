/* Ownership: which partitions are ours, by the group's word and by the epoch in PostgreSQL.
 *
 * The group says who should work a partition; acquire makes it so, by raising the epoch that every commit is fenced
 * with. Whoever has the highest epoch works, the others are harmless. Assignments are eager: always all or nothing. */
#include "worker/state.h"

#include <assert.h>

/* Nothing of what is in memory counts any more. */
static void drop_batches(struct loy_worker *worker)
{
    worker->abandoned = worker->asked != LOY_ASKED_NOTHING;
    loy_batch_start(worker, worker->filling);
    if (worker->asked == LOY_ASKED_BATCH) {
        worker->current->phase = LOY_BATCH_DROPPED;
    } else {
        loy_batch_start(worker, worker->current);
    }
    for (uint32_t i = 0; i < worker->assigned_count; i++) {
        worker->owned[worker->assigned[i]].held = false;
        worker->owned[worker->assigned[i]].deferred = false;
    }
    worker->deferred = 0;
    atomic_store(&worker->metrics->partitions, 0);
}

void loy_ownership_reset(struct loy_worker *worker)
{
    drop_batches(worker);
    worker->acquire_wanted = worker->assigned_count > 0 && !worker->revoke_wanted;
}

void loy_ownership_suspect(struct loy_worker *worker)
{
    worker->suspects = false;
    for (uint32_t i = 0; i < worker->assigned_count; i++) {
        const struct loy_owned *owned = &worker->owned[worker->assigned[i]];
        for (uint16_t topic = 0; topic < worker->config.topic_count; topic++) {
            worker->suspects = worker->suspects || owned->row.next_offset[topic] < owned->alone_until[topic];
        }
    }
}

/* A partition that has nothing to read stopped nobody: its acquires were rebalances, as a group has them while it
 * grows. When no other gives reason for caution, batches may grow again. */
void loy_ownership_drained(struct loy_worker *worker, int32_t k)
{
    struct loy_owned *owned = &worker->owned[k];
    if (!owned->cautious) {
        return;
    }
    for (int topic = 0; topic < worker->tick_topic; topic++) {
        if (!owned->drained[topic] || owned->row.next_offset[topic] != owned->read_next[topic]) {
            return;
        }
    }
    owned->cautious = false;
    for (uint32_t i = 0; i < worker->assigned_count; i++) {
        if (worker->owned[worker->assigned[i]].cautious) {
            return;
        }
    }
    worker->alone = 0;
}

static enum loy_err rewind_partition(struct loy_worker *worker, struct loy_owned *owned)
{
    enum loy_err err = LOY_OK;
    for (uint16_t topic = 0; !err && topic < worker->config.topic_count; topic++) {
        struct loy_position to = {(int16_t)topic, owned->row.k, owned->row.next_offset[topic]};
        owned->hole_from[topic] = -1;
        if (owned->read_next[topic] != to.offset) {
            owned->read_next[topic] = to.offset;
            owned->drained[topic] = false;
            err = worker->bus.seek(worker->bus.self, to, &worker->error);
        }
    }
    return err;
}

/* Not by acquiring again: that publishes the outbox again, and what it forwards comes back as more to read. */
enum loy_err loy_ownership_rewind(struct loy_worker *worker)
{
    enum loy_err err = LOY_OK;
    loy_batch_start(worker, worker->current);
    loy_batch_start(worker, worker->filling);
    for (uint32_t i = 0; !err && i < worker->assigned_count; i++) {
        struct loy_owned *owned = &worker->owned[worker->assigned[i]];
        err = owned->held ? rewind_partition(worker, owned) : LOY_OK;
    }
    return err;
}

/* What we hold was worked as far as we came: the next owner need not count us among those who ended over it. */
static void list_release(struct loy_worker *worker)
{
    worker->release_count = 0;
    for (uint32_t i = 0; i < worker->assigned_count; i++) {
        const struct loy_owned *owned = &worker->owned[worker->assigned[i]];
        if (owned->held && owned->row.attempts > 0) {
            worker->release_ks[worker->release_count] = owned->row.k;
            worker->release_epochs[worker->release_count++] = owned->row.epoch;
        }
    }
}

static bool submit_release(struct loy_worker *worker)
{
    struct loy_store_request request = {.kind = LOY_STORE_RELEASE,
                                        .release = {worker->release_ks, worker->release_epochs, worker->release_count}};
    if (worker->release_count == 0 || worker->retry_delay_us > 0 ||
        worker->store.submit(worker->store.self, &request) != LOY_OK) {
        return false; /* without PostgreSQL nobody waits for it */
    }
    worker->asked = LOY_ASKED_RELEASE;
    worker->release_count = 0;
    return true;
}

bool loy_ownership_release(struct loy_worker *worker)
{
    if (worker->asked == LOY_ASKED_NOTHING && !worker->has_released) {
        worker->has_released = true;
        list_release(worker);
        (void)submit_release(worker);
    }
    return worker->asked == LOY_ASKED_RELEASE;
}

static enum loy_err give_up(struct loy_worker *worker)
{
    drop_batches(worker);
    for (uint32_t i = 0; i < worker->assigned_count; i++) {
        struct loy_owned *owned = &worker->owned[worker->assigned[i]];
        memset(owned->alone_until, 0, sizeof owned->alone_until);
        owned->stopped = false;
    }
    atomic_store(&worker->metrics->partitions_stopped, 0);
    worker->suspects = false;
    worker->assigned_count = 0;
    atomic_store(&worker->metrics->assigned, 0);
    worker->acquire_wanted = false;
    worker->assigned_to_bus = false;
    loy_account_cache_drop_all(worker->accounts);
    loy_counters_forget(worker->counters);
    return loy_publish_forget(worker);
}

static enum loy_err take_assignment(struct loy_worker *worker, const struct loy_bus_event *event)
{
    enum loy_err err = give_up(worker);
    if (err) {
        return err;
    }
    for (uint32_t i = 0; i < event->partition_count; i++) {
        if (event->partitions[i] < 0 || event->partitions[i] >= worker->config.partitions) {
            return loy_worker_fail(worker, LOY_ERR_MISMATCH,
                                   "partition %d was assigned, but the installation has %d partitions",
                                   event->partitions[i], worker->config.partitions);
        }
        worker->assigned[i] = event->partitions[i];
    }
    worker->assigned_count = event->partition_count;
    atomic_store(&worker->metrics->assigned, event->partition_count);
    worker->acquire_wanted = event->partition_count > 0;
    if (event->partition_count > 0) {
        return LOY_FAILPOINT("assigned");
    }
    return worker->bus.assign(worker->bus.self, NULL, 0, &worker->error);
}

enum loy_err loy_ownership_event(struct loy_worker *worker, const struct loy_bus_event *event)
{
    if (event->kind == LOY_BUS_ASSIGNED) {
        return take_assignment(worker, event);
    }
    LOY_INFO(event->kind == LOY_BUS_LOST ? "partitions_lost" : "partitions_revoked",
             LOY_LOG_STR("owner", worker->config.owner), LOY_LOG_INT("count", worker->assigned_count));
    worker->revoke_wanted = true;
    worker->revoke_us = loy_worker_now_us(worker);
    if (event->kind == LOY_BUS_REVOKED && !worker->has_released) {
        list_release(worker);
    }
    enum loy_err err = give_up(worker);
    return err ? err : LOY_FAILPOINT("revoked");
}

static void submit_acquire(struct loy_worker *worker)
{
    loy_arena_reset(&worker->small);
    const int32_t *ks =
        loy_arena_copy(&worker->small, worker->assigned, worker->assigned_count * sizeof *worker->assigned);
    struct loy_store_request request = {
        .kind = LOY_STORE_ACQUIRE,
        .acquire = {.ks = ks, .count = worker->assigned_count, .owner = worker->config.owner}};
    assert(ks); /* the arena is empty and large */
    if (worker->store.submit(worker->store.self, &request) == LOY_OK) {
        worker->asked = LOY_ASKED_ACQUIRE;
        worker->abandoned = false;
        worker->acquire_wanted = false;
    }
}

enum loy_err loy_ownership_step(struct loy_worker *worker, bool *ret_progress)
{
    bool nothing_asked = worker->asked == LOY_ASKED_NOTHING;
    int64_t now_us = loy_worker_now_us(worker);
    enum loy_err err = LOY_OK;
    if (worker->revoke_wanted && nothing_asked && submit_release(worker)) {
        *ret_progress = true;
        return LOY_OK;
    }
    if (worker->revoke_wanted && (nothing_asked || now_us - worker->revoke_us > LOY_REVOKE_WAIT_US)) {
        worker->revoke_wanted = false;
        worker->bus.revoke_done(worker->bus.self);
        *ret_progress = true;
        err = LOY_FAILPOINT("revoke_done");
    }
    if (worker->acquire_wanted && nothing_asked && now_us >= worker->retry_us && worker->state == LOY_WORKER_RUNNING) {
        err = err ? err : LOY_FAILPOINT("acquire");
        if (!err) {
            submit_acquire(worker);
            *ret_progress = true;
        }
    }
    return err;
}

/* Takes over one partition as it stands in PostgreSQL. */
static void hold(struct loy_worker *worker, const struct loy_partition *row)
{
    struct loy_owned *owned = &worker->owned[row->k];
    assert(!owned->outgoing_first);
    const struct loy_owned before = *owned;
    *owned = (struct loy_owned){.row = *row, .held = true};
    memcpy(owned->alone_until, before.alone_until, sizeof owned->alone_until);
    memcpy(owned->read_next, row->next_offset, sizeof owned->read_next);
    for (int i = 0; i < LOY_TOPICS_MAX; i++) {
        owned->hole_from[i] = -1;
    }
    owned->ticks_paused = true;
    loy_alone_hold(worker, owned, &before);
}

static enum loy_err start_reading(struct loy_worker *worker, const struct loy_store_result *result)
{
    struct loy_bus_start *starts = loy_arena_alloc(&worker->small, result->partition_count * sizeof *starts);
    if (!starts) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for %u partitions", result->partition_count);
    }
    for (uint32_t i = 0; i < result->partition_count; i++) {
        int32_t k = result->partitions[i].k;
        starts[i] = (struct loy_bus_start){k, worker->owned[k].read_next};
    }
    enum loy_err err = LOY_OK;
    if (!worker->assigned_to_bus) {
        worker->throttled = false;
        err = worker->bus.assign(worker->bus.self, starts, result->partition_count, &worker->error);
        worker->assigned_to_bus = err == LOY_OK; /* else the next acquire has to start the fetching */
    } else {
        for (uint32_t i = 0; !err && i < result->partition_count; i++) {
            for (uint16_t topic = 0; !err && topic < worker->config.topic_count; topic++) {
                struct loy_position to = {(int16_t)topic, starts[i].k, starts[i].next_offset[topic]};
                err = worker->bus.seek(worker->bus.self, to, &worker->error);
            }
        }
        worker->throttled = false;
        for (uint32_t i = 0; !err && i < result->partition_count; i++) {
            worker->bus.resume(worker->bus.self, starts[i].k, -1);
        }
    }
    for (uint32_t i = 0; !err && i < result->partition_count; i++) {
        const struct loy_owned *owned = &worker->owned[starts[i].k];
        bool waits = owned->stopped || owned->full;
        worker->bus.pause(worker->bus.self, starts[i].k, waits ? -1 : (int16_t)worker->tick_topic);
    }
    return err;
}

enum loy_err loy_ownership_acquired(struct loy_worker *worker, const struct loy_store_result *result)
{
    loy_arena_reset(&worker->small);
    loy_batch_start(worker, worker->current);
    loy_batch_start(worker, worker->filling);
    loy_account_cache_drop_all(worker->accounts);
    loy_counters_forget(worker->counters);
    enum loy_err err = loy_publish_forget(worker);
    err = err ? err : LOY_FAILPOINT("acquired");
    uint32_t stopped = 0;
    for (uint32_t i = 0; !err && i < result->partition_count; i++) {
        hold(worker, &result->partitions[i]);
        stopped += worker->owned[result->partitions[i].k].stopped;
    }
    for (uint32_t i = 0; !err && i < result->outbox_count; i++) {
        const struct loy_outbox_row *row = &result->outbox[i];
        err = loy_publish_add(worker, row->k, row->seq, row->payload);
        err = err ? err : LOY_FAILPOINT("republish");
    }
    loy_ownership_suspect(worker);
    LOY_INFO("partitions_acquired", LOY_LOG_STR("owner", worker->config.owner),
             LOY_LOG_INT("count", result->partition_count), LOY_LOG_INT("outbox_rows", result->outbox_count));
    loy_count(&worker->metrics->acquires, result->partition_count);
    atomic_store(&worker->metrics->partitions, result->partition_count - stopped);
    atomic_store(&worker->metrics->partitions_stopped, stopped);
    return err ? err : start_reading(worker, result);
}
