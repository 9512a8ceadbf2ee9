#include "worker/state.h"

#include "adapters/wire/wire.h"
#include "runtime/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALL_REGION = 16 << 20 };

enum loy_err loy_worker_fail(struct loy_worker *worker, enum loy_err code, const char *format, ...)
{
    char detail[LOY_ERROR_DETAIL_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    return loy_error_set(&worker->error, code, "%s", detail);
}

int64_t loy_worker_now_us(const struct loy_worker *worker)
{
    return worker->clock.monotonic_us(worker->clock.self);
}

/* Waits longer each time, with a spread that keeps workers from coming back all at once. */
void loy_worker_back_off(struct loy_worker *worker)
{
    int64_t now_us = loy_worker_now_us(worker);
    int64_t delay_us = worker->retry_delay_us ? worker->retry_delay_us * 2 : LOY_RETRY_MIN_US;
    worker->retry_delay_us = delay_us < LOY_RETRY_MAX_US ? delay_us : LOY_RETRY_MAX_US;
    uint32_t spread = loy_murmur2((struct loy_str){(const char *)&now_us, sizeof now_us}) % 1000;
    worker->retry_us = now_us + worker->retry_delay_us / 2 + worker->retry_delay_us / 2 * spread / 1000;
}

/* --- a batch from step to step
 * ------------------------------------------------------------------------------------------ */

static void finish_batch(struct loy_worker *worker)
{
    bool was_full = worker->current->count >= worker->target;
    uint32_t target = was_full ? worker->target * 2 : worker->target / 2;
    target = target > worker->config.batch_max ? worker->config.batch_max : target;
    worker->target = target < worker->config.batch_min ? worker->config.batch_min : target;
    loy_batch_start(worker, worker->current);
}

static bool may_close(const struct loy_worker *worker)
{
    const struct loy_batch *batch = worker->filling;
    if (batch->count == 0 && batch->span_count == 0) {
        return false;
    }
    uint32_t most = loy_alone_is_on(worker, batch) ? 1 : worker->target;
    return batch->count >= most || loy_worker_now_us(worker) - batch->first_us >= LOY_FILL_US ||
           batch->count < worker->config.batch_min;
}

/* The filled batch becomes the current one. */
static void swap_batches(struct loy_worker *worker)
{
    struct loy_batch *filled = worker->filling;
    worker->filling = worker->current;
    worker->current = filled;
    loy_batch_start(worker, worker->filling);
    filled->phase = LOY_BATCH_READY;
}

static enum loy_err submit_request(struct loy_worker *worker)
{
    struct loy_batch *batch = worker->current;
    enum loy_err err = worker->store.submit(worker->store.self, &batch->request);
    if (err == LOY_OK) {
        worker->asked = LOY_ASKED_BATCH;
        worker->abandoned = false;
        batch->submitted_us = loy_worker_now_us(worker);
        err = batch->request.kind == LOY_STORE_COMMIT ? LOY_FAILPOINT("commit_sent") : LOY_OK;
    }
    return err == LOY_ERR_AGAIN ? LOY_OK : err;
}

static enum loy_err decide_and_commit(struct loy_worker *worker)
{
    struct loy_batch *batch = worker->current;
    enum loy_err err = batch->identified ? LOY_OK : loy_duplicates_expect(worker, batch);
    if (err || batch->phase == LOY_BATCH_FIND) {
        return err;
    }
    err = LOY_FAILPOINT("decide");
    err = err ? err : loy_decide(worker, batch);
    if (err == LOY_ERR_CORRUPT && !batch->skip_caches) {
        loy_load_again(worker, batch);
        return LOY_OK;
    }
    if (batch->phase == LOY_BATCH_REVISION) {
        return LOY_OK;
    }
    if (err == LOY_ERR_AGAIN) {
        loy_load_counters(worker, batch);
        return LOY_OK;
    }
    if (!err) {
        err = loy_messages_build(worker, batch);
        err = err ? err : LOY_FAILPOINT("decided");
    }
    return err ? err : loy_commit_submit(worker, batch);
}

static enum loy_err batch_step(struct loy_worker *worker, bool *ret_progress)
{
    struct loy_batch *batch = worker->current;
    enum loy_batch_phase before = batch->phase;
    enum loy_err err = LOY_OK;
    switch (batch->phase) {
    case LOY_BATCH_FILLING:
        if (may_close(worker)) {
            swap_batches(worker);
            *ret_progress = true;
            err = LOY_FAILPOINT("batch");
        }
        return err;
    case LOY_BATCH_READY:
        err = loy_alone_start(worker, batch);
        break;
    case LOY_BATCH_CACHE:
        err = loy_load_from_cache(worker, batch);
        break;
    case LOY_BATCH_DECIDE:
        err = decide_and_commit(worker);
        if (err == LOY_ERR_NO_MEMORY && batch->count > 1) { /* half as many fit: nothing of this batch has left us */
            worker->target = batch->count / 2;
            LOY_WARN("batch_too_large", LOY_LOG_STR("owner", worker->config.owner),
                     LOY_LOG_INT("records", batch->count));
            err = loy_ownership_rewind(worker);
        }
        break;
    case LOY_BATCH_REVISION:
        loy_decide_refreshed(worker, batch);
        break;
    case LOY_BATCH_DROPPED:
        return LOY_OK;
    case LOY_BATCH_MARK:
    case LOY_BATCH_LOAD:
    case LOY_BATCH_COMMIT:
    case LOY_BATCH_FIND:
        if (worker->asked == LOY_ASKED_NOTHING && loy_worker_now_us(worker) >= worker->retry_us) {
            err = submit_request(worker);
            *ret_progress = *ret_progress || worker->asked == LOY_ASKED_BATCH;
        }
        return err;
    }
    *ret_progress = *ret_progress || batch->phase != before;
    return err;
}

/* --- what the store says
 * ------------------------------------------------------------------------------------------------ */

/* Others charged the same budget meanwhile, which is nobody's fault: read and decide again, a little later each time.
 * Half as many records are decided in half the time, in which half as many others come. */
static enum loy_err collide(struct loy_worker *worker)
{
    struct loy_batch *batch = worker->current;
    loy_count(&worker->metrics->guard_counter, 1);
    batch->misses--;
    if (++batch->collisions > LOY_COLLISIONS_MAX) {
        return loy_worker_fail(worker, LOY_ERR_INTERNAL, "a batch of %u records met others on a budget %d times",
                               batch->count, LOY_COLLISIONS_MAX);
    }
    int64_t now_us = loy_worker_now_us(worker);
    uint32_t most_us = (uint32_t)LOY_COLLISION_MIN_US << (batch->collisions < 8 ? batch->collisions - 1 : 7);
    worker->retry_us = now_us + loy_murmur2((struct loy_str){(const char *)&now_us, sizeof now_us}) % most_us;
    if (batch->collisions >= LOY_COLLISIONS_HALVE && batch->count > 1) {
        worker->target = batch->count / 2;
        return loy_ownership_rewind(worker);
    }
    loy_counters_collided(worker->counters);
    loy_load_counters(worker, batch);
    return LOY_OK;
}

static enum loy_err batch_guard(struct loy_worker *worker, const struct loy_store_result *result)
{
    struct loy_batch *batch = worker->current;
    switch (result->guard) {
    case LOY_GUARD_PARTITION:
        loy_count(&worker->metrics->guard_partition, 1);
        LOY_WARN("partition_guard", LOY_LOG_STR("owner", worker->config.owner), LOY_LOG_FAILURE(&result->error));
        loy_worker_back_off(worker); /* the group's word may be on its way: let it come first */
        loy_ownership_reset(worker);
        return LOY_OK;
    case LOY_GUARD_REVISION:
        loy_count(&worker->metrics->guard_revision, 1);
        loy_decide_refresh(worker, batch);
        return LOY_OK;
    case LOY_GUARD_JOURNAL:
        loy_count(&worker->metrics->guard_journal, 1);
        return loy_duplicates_find(worker, batch);
    case LOY_GUARD_MEMBER:
        loy_count(&worker->metrics->guard_member, 1);
        if (batch->skip_caches) {
            return loy_worker_fail(worker, LOY_ERR_INTERNAL,
                                   "an account read from PostgreSQL is not what it was: is there a second writer?");
        }
        loy_load_again(worker, batch);
        return LOY_OK;
    case LOY_GUARD_COUNTER:
        return collide(worker);
    case LOY_GUARD_NONE:
        break;
    }
    return loy_worker_fail(worker, LOY_ERR_INTERNAL, "the store failed a guard without a name");
}

/* The data of one event is refused by PostgreSQL: one record at a time finds out which. Until all of this batch are
 * done, since they need not come first when they are read again. */
static enum loy_err batch_poison(struct loy_worker *worker, const struct loy_store_result *result)
{
    struct loy_batch *batch = worker->current;
    if (batch->count > 1) {
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct loy_position *at = &batch->items[i].at;
            int64_t *until = &worker->owned[at->partition].alone_until[at->topic];
            *until = at->offset + 1 > *until ? at->offset + 1 : *until;
        }
        loy_ownership_suspect(worker);
        return loy_ownership_rewind(worker);
    }
    loy_count(&worker->metrics->poison_alone, 1);
    if (batch->count == 0 || batch->items[0].settled) {
        return loy_worker_fail(worker, LOY_ERR_INTERNAL, "PostgreSQL refuses a batch without events: %s",
                               result->error.detail);
    }
    struct loy_item *item = &batch->items[0];
    enum loy_err err = loy_item_reject(worker, batch, item, LOY_ERR_POISON, result->error.detail);
    item->settled = true;
    batch->loaded = loy_arena_mark(&batch->arena);
    batch->phase = LOY_BATCH_DECIDE;
    return err;
}

static enum loy_err batch_done(struct loy_worker *worker, const struct loy_store_result *result)
{
    struct loy_batch *batch = worker->current;
    enum loy_err err;
    switch (batch->request.kind) {
    case LOY_STORE_LOAD:
        return loy_load_from_store(worker, batch, result);
    case LOY_STORE_FIND:
        return loy_duplicates_found(worker, batch, result);
    case LOY_STORE_COMMIT:
        err = LOY_FAILPOINT("commit_replied");
        if (err) {
            return err;
        }
        err = loy_commit_done(worker, batch);
        finish_batch(worker);
        return err;
    case LOY_STORE_MARK:
        loy_alone_marked(worker, batch);
        return LOY_FAILPOINT("marked");
    case LOY_STORE_ACQUIRE:
    case LOY_STORE_DUE:
    case LOY_STORE_RELEASE:
        break;
    }
    return loy_worker_fail(worker, LOY_ERR_INTERNAL, "a batch never asks for that");
}

static enum loy_err take_outage(struct loy_worker *worker, const struct loy_store_result *result, enum loy_asked asked)
{
    uint64_t unsaid;
    loy_count(&worker->metrics->outages, 1);
    atomic_store(&worker->metrics->store_down, 1);
    loy_worker_back_off(worker);
    if (loy_log_repeat_failed(&worker->outage_said, loy_worker_now_us(worker), LOY_SAY_AGAIN_US, &unsaid)) {
        LOY_WARN("store_outage", LOY_LOG_STR("owner", worker->config.owner), LOY_LOG_FAILURE(&result->error),
                 LOY_LOG_BOOL("commit_unknown", result->commit_unknown), LOY_LOG_INT("repeated", (int64_t)unsaid));
    }
    if (asked == LOY_ASKED_ACQUIRE) {
        worker->acquire_wanted = worker->assigned_count > 0 && !worker->revoke_wanted;
    } else if (result->commit_unknown && asked != LOY_ASKED_RELEASE) {
        loy_count(&worker->metrics->commits_unknown, 1);
        loy_ownership_reset(worker);
    } /* else: the batch still holds its request, and is submitted again */
    return LOY_OK;
}

static enum loy_err take_result(struct loy_worker *worker, const struct loy_store_result *result)
{
    enum loy_asked asked = worker->asked;
    worker->asked = LOY_ASKED_NOTHING;
    if (result->status == LOY_STORE_FATAL) {
        return loy_worker_fail(worker, result->error.code, "PostgreSQL: %s", result->error.detail);
    }
    if (worker->abandoned) {
        worker->abandoned = false;
        if (worker->current->phase == LOY_BATCH_DROPPED) {
            loy_batch_start(worker, worker->current);
        }
        return LOY_OK; /* of a batch that was dropped; acquire reads back what became of it */
    }
    if (result->status == LOY_STORE_OUTAGE) {
        return take_outage(worker, result, asked);
    }
    worker->retry_delay_us = 0;
    worker->retry_us = 0;
    atomic_store(&worker->metrics->store_down, 0);
    if (loy_log_repeat_works(&worker->outage_said)) {
        LOY_INFO("store_back", LOY_LOG_STR("owner", worker->config.owner));
    }
    if (asked == LOY_ASKED_ACQUIRE) {
        return result->status == LOY_STORE_DONE
                   ? loy_ownership_acquired(worker, result)
                   : loy_worker_fail(worker, LOY_ERR_INTERNAL, "acquire: %s", result->error.detail);
    }
    if (asked == LOY_ASKED_RELEASE) {
        return LOY_OK;
    }
    if (asked == LOY_ASKED_TRIM) {
        if (result->status == LOY_STORE_DONE) {
            loy_publish_trimmed(worker);
            return LOY_FAILPOINT("trimmed");
        }
        return result->status == LOY_STORE_GUARD
                   ? batch_guard(worker, result)
                   : loy_worker_fail(worker, LOY_ERR_INTERNAL, "trimming the outbox: %s", result->error.detail);
    }
    if (asked == LOY_ASKED_LOOK && result->status == LOY_STORE_DONE) {
        return LOY_OK; /* still stopped */
    }
    return result->status == LOY_STORE_GUARD    ? batch_guard(worker, result)
           : result->status == LOY_STORE_POISON ? batch_poison(worker, result)
                                                : batch_done(worker, result);
}

static enum loy_err store_step(struct loy_worker *worker, bool *ret_progress)
{
    struct loy_store_result result;
    if (worker->asked == LOY_ASKED_NOTHING || !worker->store.poll(worker->store.self, &result)) {
        return LOY_OK;
    }
    *ret_progress = true;
    return take_result(worker, &result);
}

/* --- the turn
 * ------------------------------------------------------------------------------------------------------------- */

static bool has_stopped(struct loy_worker *worker)
{
    bool busy =
        worker->asked != LOY_ASKED_NOTHING || worker->current->phase != LOY_BATCH_FILLING || worker->outgoing_first;
    for (uint32_t i = 0; !busy && i < worker->assigned_count; i++) {
        const struct loy_owned *owned = &worker->owned[worker->assigned[i]];
        busy = owned->held && owned->acknowledged_through > owned->trimmed_through;
    }
    busy = busy || loy_ownership_release(worker);
    return !busy || loy_worker_now_us(worker) - worker->stop_us > LOY_STOP_WAIT_US;
}

/* The cache writes, connects and answers inside poll only. Without a load of the current batch its answer is nobody's:
 * that of a batch that was dropped. */
static void cache_step(struct loy_worker *worker)
{
    const struct loy_member_row *rows;
    uint32_t count;
    if (worker->has_cache && worker->current->phase != LOY_BATCH_CACHE) {
        (void)worker->cache.poll(worker->cache.self, &rows, &count);
    }
}

/* Every step once. */
static enum loy_err steps(struct loy_worker *worker, bool *ret_progress)
{
    cache_step(worker);
    enum loy_err err = store_step(worker, ret_progress);
    if (!err) {
        err = loy_intake_take(worker, ret_progress);
    }
    if (!err) {
        err = loy_ownership_step(worker, ret_progress);
    }
    bool take_new = worker->state == LOY_WORKER_RUNNING || worker->current->phase != LOY_BATCH_FILLING;
    if (!err && take_new && !worker->revoke_wanted && !worker->acquire_wanted && worker->asked != LOY_ASKED_ACQUIRE) {
        err = batch_step(worker, ret_progress);
    }
    if (!err) {
        err = loy_publish_step(worker, ret_progress);
    }
    if (!err && worker->asked == LOY_ASKED_NOTHING && worker->current->phase == LOY_BATCH_FILLING) {
        err = loy_publish_trim(worker, ret_progress);
    }
    if (!err && worker->asked == LOY_ASKED_NOTHING && worker->current->phase == LOY_BATCH_FILLING &&
        worker->state == LOY_WORKER_RUNNING) {
        loy_alone_look(worker, ret_progress);
    }
    return err;
}

static int64_t wait_of(const struct loy_worker *worker)
{
    int64_t now_us = loy_worker_now_us(worker);
    int64_t wait_us = worker->asked != LOY_ASKED_NOTHING ? 100000 : LOY_TRIM_IDLE_US / 2;
    if (worker->filling->count > 0 && worker->current->phase == LOY_BATCH_FILLING) {
        wait_us = LOY_FILL_US;
    }
    if (worker->current->phase == LOY_BATCH_CACHE) {
        wait_us = LOY_CACHE_TURN_US;
    }
    if (worker->current->phase == LOY_BATCH_REVISION) {
        wait_us = LOY_REVISION_TURN_US;
    }
    if (worker->retry_us > now_us && worker->retry_us - now_us < wait_us) {
        wait_us = worker->retry_us - now_us;
    }
    return wait_us;
}

enum loy_worker_state loy_worker_turn(struct loy_worker *worker, int64_t *ret_wait_us)
{
    enum { ROUNDS = 64 };
    bool progress = true;
    *ret_wait_us = 0;
    for (int round = 0; progress && round < ROUNDS; round++) {
        if (worker->state == LOY_WORKER_STOPPED || worker->state == LOY_WORKER_FAILED) {
            return worker->state;
        }
        progress = false;
        enum loy_err err = steps(worker, &progress);
        if (loy_err_class(err) == LOY_CLASS_RETRY) {
            LOY_WARN("start_again", LOY_LOG_STR("owner", worker->config.owner), LOY_LOG_FAILURE(&worker->error));
            loy_worker_back_off(worker);
            loy_ownership_reset(worker);
        } else if (err) {
            worker->state = LOY_WORKER_FAILED;
            return worker->state;
        }
        if (worker->state == LOY_WORKER_STOPPING && has_stopped(worker)) {
            worker->state = LOY_WORKER_STOPPED;
        }
    }
    atomic_store(&worker->metrics->revision_waits, worker->current->phase == LOY_BATCH_REVISION);
    *ret_wait_us = progress ? 0 : wait_of(worker);
    if (*ret_wait_us > 0) {
        worker->bus.send_now(worker->bus.self);
    }
    return worker->state;
}

void loy_worker_stop(struct loy_worker *worker)
{
    if (worker->state == LOY_WORKER_RUNNING) {
        worker->state = LOY_WORKER_STOPPING;
        worker->stop_us = loy_worker_now_us(worker);
    }
}

const struct loy_error *loy_worker_error(const struct loy_worker *worker)
{
    return &worker->error;
}

/* --- life
 * ------------------------------------------------------------------------------------------------------------------ */

static enum loy_err check_config(const struct loy_worker_config *config, struct loy_error *error)
{
    size_t items = config->batch_max * sizeof(struct loy_item) + (size_t)config->partitions * sizeof(struct loy_span);
    if (config->topic_count < 3 || config->topic_count > LOY_TOPICS_MAX) {
        return loy_error_set(error, LOY_ERR_CONFIG,
                             "%u topics: at least one, the internal and the tick topic, at most %d",
                             config->topic_count, LOY_TOPICS_MAX);
    }
    if (config->memory_bytes < items + 3 * (size_t)LOY_WIRE_DECODE_ARENA) {
        return loy_error_set(error, LOY_ERR_CONFIG, "batches of %u records need memory_mb of at least %zu",
                             config->batch_max, (items + 3 * (size_t)LOY_WIRE_DECODE_ARENA + (1 << 20) - 1) >> 20);
    }
    return LOY_OK;
}

struct loy_worker *loy_worker_new(const struct loy_worker_config *config, const struct loy_programmes *programmes,
                                  const struct loy_bus *bus, const struct loy_store *store,
                                  const struct loy_cache *cache, const struct loy_clock *clock,
                                  struct loy_worker_metrics *metrics, struct loy_error *error)
{
    if (check_config(config, error) != LOY_OK) {
        return NULL;
    }
    struct loy_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a worker");
        return NULL;
    }
    worker->config = *config;
    worker->programmes = *programmes;
    worker->bus = *bus;
    worker->store = *store;
    worker->has_cache = cache != NULL;
    if (cache) {
        worker->cache = *cache;
    }
    worker->clock = *clock;
    worker->metrics = metrics;
    worker->tick_topic = (uint16_t)(config->topic_count - 1);
    worker->internal_topic = (uint16_t)(config->topic_count - 2);
    worker->target = config->batch_min;
    worker->owned = calloc((size_t)config->partitions, sizeof *worker->owned);
    worker->assigned = calloc((size_t)config->partitions, sizeof *worker->assigned);
    worker->release_ks = calloc((size_t)config->partitions, sizeof *worker->release_ks);
    worker->release_epochs = calloc((size_t)config->partitions, sizeof *worker->release_epochs);
    worker->accounts = loy_account_cache_new(config->cache_bytes);
    worker->recent = loy_recent_new();
    worker->counters = loy_counters_new();
    if (!worker->owned || !worker->assigned || !worker->release_ks || !worker->release_epochs || !worker->accounts ||
        !worker->recent || !worker->counters || loy_region_map(SMALL_REGION, &worker->small_region, error) != LOY_OK ||
        loy_region_map(config->memory_bytes, &worker->scratch_region, error) != LOY_OK ||
        loy_region_map(config->memory_bytes, &worker->batches[0].region, error) != LOY_OK ||
        loy_region_map(config->memory_bytes, &worker->batches[1].region, error) != LOY_OK) {
        loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for batches of %zu MiB", config->memory_bytes >> 20);
        loy_worker_destroy(worker);
        return NULL;
    }
    loy_region_arena(&worker->small_region, &worker->small);
    loy_region_arena(&worker->scratch_region, &worker->scratch);
    loy_region_arena(&worker->batches[0].region, &worker->batches[0].arena);
    loy_region_arena(&worker->batches[1].region, &worker->batches[1].arena);
    worker->current = &worker->batches[0];
    worker->filling = &worker->batches[1];
    loy_batch_start(worker, worker->current);
    loy_batch_start(worker, worker->filling);
    return worker;
}

void loy_worker_destroy(struct loy_worker *worker)
{
    if (!worker) {
        return;
    }
    for (struct loy_outgoing *row = worker->outgoing_first; row;) {
        struct loy_outgoing *next = row->next;
        free(row);
        row = next;
    }
    loy_region_unmap(&worker->batches[0].region);
    loy_region_unmap(&worker->batches[1].region);
    loy_region_unmap(&worker->small_region);
    loy_region_unmap(&worker->scratch_region);
    loy_account_cache_destroy(worker->accounts);
    loy_recent_destroy(worker->recent);
    loy_counters_destroy(worker->counters);
    free(worker->release_epochs);
    free(worker->release_ks);
    free(worker->assigned);
    free(worker->owned);
    free(worker);
}
