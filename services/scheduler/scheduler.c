#include "scheduler/scheduler.h"

#include "adapters/wire/wire.h"
#include "base/table.h"
#include "runtime/log.h"
#include "runtime/region.h"

#include <stdlib.h>

enum {
    MEMORY = 64 << 20,
    SENT_MAX = 200000,            /* accounts remembered as ticked */
    SEND_AGAIN_US = 60 * 1000000, /* a tick that did nothing by then is sent again */
    SAY_AGAIN_US = 10 * 1000000,
};

struct loy_scheduler {
    struct loy_scheduler_config config;
    struct loy_bus bus;
    struct loy_store store;
    struct loy_clock clock;
    struct loy_scheduler_metrics *metrics;
    struct loy_region region;
    struct loy_arena arena;
    struct loy_table sent; /* account and due time, as bytes */
    int64_t sent_since_us;
    bool asked;
    int64_t next_us;
    struct loy_log_repeat outage_said;
};

const struct loy_metric *loy_scheduler_metric_rows(size_t *ret_count)
{
    static const struct loy_metric rows[] = {
#define COUNTER_ROW(field, name, help) LOY_METRIC_COUNTER_ROW(struct loy_scheduler_metrics, field, name, help),
        LOY_SCHEDULER_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
    };
    *ret_count = sizeof rows / sizeof rows[0];
    return rows;
}

static void count(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

/* Forgets what was sent, now and then: a tick may have been lost with its producer. */
static enum loy_err forget_sent(struct loy_scheduler *scheduler, int64_t now_us)
{
    loy_arena_reset(&scheduler->arena);
    scheduler->sent_since_us = now_us;
    return loy_table_init(&scheduler->sent, &scheduler->arena, SENT_MAX) ? LOY_OK : LOY_ERR_NO_MEMORY;
}

struct loy_scheduler *loy_scheduler_new(const struct loy_scheduler_config *config, const struct loy_bus *bus,
                                        const struct loy_store *store, const struct loy_clock *clock,
                                        struct loy_scheduler_metrics *metrics, struct loy_error *error)
{
    struct loy_scheduler *scheduler = calloc(1, sizeof *scheduler);
    if (!scheduler || loy_region_map(MEMORY, &scheduler->region, error) != LOY_OK) {
        loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the scheduler");
        free(scheduler);
        return NULL;
    }
    scheduler->config = *config;
    scheduler->bus = *bus;
    scheduler->store = *store;
    scheduler->clock = *clock;
    scheduler->metrics = metrics;
    loy_region_arena(&scheduler->region, &scheduler->arena);
    if (forget_sent(scheduler, clock->monotonic_us(clock->self)) != LOY_OK) {
        loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the scheduler");
        loy_scheduler_destroy(scheduler);
        return NULL;
    }
    return scheduler;
}

void loy_scheduler_destroy(struct loy_scheduler *scheduler)
{
    if (scheduler) {
        loy_region_unmap(&scheduler->region);
        free(scheduler);
    }
}

/* True when this tick was sent lately. */
static bool was_sent(struct loy_scheduler *scheduler, const struct loy_due_row *due)
{
    char *bytes = loy_arena_alloc(&scheduler->arena, due->member_id.len + sizeof due->at_us);
    if (!bytes || scheduler->sent.used == SENT_MAX) {
        return false;
    }
    memcpy(bytes, &due->at_us, sizeof due->at_us);
    memcpy(bytes + sizeof due->at_us, due->member_id.at, due->member_id.len);
    struct loy_str key = {bytes, due->member_id.len + sizeof due->at_us};
    int32_t next = (int32_t)scheduler->sent.used;
    return loy_table_put(&scheduler->sent, key, next) != next;
}

static enum loy_err send_tick(struct loy_scheduler *scheduler, const struct loy_due_row *due, struct loy_error *error)
{
    struct loy_str bytes;
    enum loy_err err = loy_wire_encode_tick(due->member_id, due->at_us, &scheduler->arena, &bytes);
    if (err) {
        return loy_error_set(error, err, "encoding a tick");
    }
    struct loy_bus_message message = {.topic = scheduler->config.topic_ticks,
                                      .partition = due->k,
                                      .has_key = true,
                                      .has_value = true,
                                      .key = due->member_id,
                                      .value = bytes};
    err = scheduler->bus.produce(scheduler->bus.self, &message, 0, error);
    if (err == LOY_OK) {
        count(&scheduler->metrics->ticks, 1);
    }
    return err == LOY_ERR_AGAIN ? LOY_OK : err; /* full: the next look finds it again */
}

static enum loy_err take_due(struct loy_scheduler *scheduler, const struct loy_store_result *result, int64_t now_us,
                             struct loy_error *error)
{
    for (uint32_t i = 0; i < result->due_count; i++) {
        enum loy_err err = was_sent(scheduler, &result->due[i]) ? LOY_OK : send_tick(scheduler, &result->due[i], error);
        if (err) {
            return err;
        }
    }
    /* a full answer means that there is more: look again soon, once these were worked */
    bool full = result->due_count == scheduler->config.limit;
    scheduler->next_us = now_us + (full ? scheduler->config.interval_us / 4 : scheduler->config.interval_us);
    return LOY_OK;
}

static enum loy_err take_result(struct loy_scheduler *scheduler, int64_t now_us, struct loy_error *error)
{
    struct loy_store_result result;
    uint64_t unsaid;
    if (!scheduler->store.poll(scheduler->store.self, &result)) {
        return LOY_OK;
    }
    scheduler->asked = false;
    scheduler->next_us = now_us + scheduler->config.interval_us;
    if (result.status == LOY_STORE_OUTAGE) {
        count(&scheduler->metrics->outages, 1);
        if (loy_log_repeat_failed(&scheduler->outage_said, now_us, SAY_AGAIN_US, &unsaid)) {
            LOY_WARN("store_outage", LOY_LOG_FAILURE(&result.error), LOY_LOG_INT("repeated", (int64_t)unsaid));
        }
        return LOY_OK;
    }
    if (result.status != LOY_STORE_DONE) {
        return loy_error_set(error, result.error.code, "PostgreSQL: %s", result.error.detail);
    }
    if (loy_log_repeat_works(&scheduler->outage_said)) {
        LOY_INFO("store_back");
    }
    return take_due(scheduler, &result, now_us, error);
}

static enum loy_err take_bus(struct loy_scheduler *scheduler, struct loy_error *error)
{
    for (;;) {
        struct loy_bus_event event;
        scheduler->bus.poll(scheduler->bus.self, &event);
        switch (event.kind) {
        case LOY_BUS_NOTHING:
            return LOY_OK;
        case LOY_BUS_UNDELIVERED: { /* found again by a later look */
            enum loy_err err = scheduler->bus.rebuild_producer(scheduler->bus.self, error);
            if (err) {
                return err;
            }
            break;
        }
        case LOY_BUS_ERROR:
            if (loy_err_class(event.error.code) == LOY_CLASS_FATAL) {
                *error = event.error;
                return event.error.code;
            }
            break;
        default:
            break;
        }
    }
}

enum loy_err loy_scheduler_turn(struct loy_scheduler *scheduler, int64_t *ret_wait_us, struct loy_error *error)
{
    int64_t now_us = scheduler->clock.monotonic_us(scheduler->clock.self);
    *ret_wait_us = scheduler->config.interval_us;
    enum loy_err err = take_bus(scheduler, error);
    if (!err && scheduler->asked) {
        err = take_result(scheduler, now_us, error);
    }
    if (!err && now_us - scheduler->sent_since_us > SEND_AGAIN_US) {
        err = forget_sent(scheduler, now_us);
    }
    if (err || scheduler->asked || now_us < scheduler->next_us) {
        *ret_wait_us = scheduler->asked ? 50000 : scheduler->next_us - now_us;
        return err;
    }
    struct loy_store_request request = {
        .kind = LOY_STORE_DUE,
        .due = {.until_us = scheduler->clock.wall_us(scheduler->clock.self), .limit = scheduler->config.limit}};
    if (scheduler->store.submit(scheduler->store.self, &request) == LOY_OK) {
        scheduler->asked = true;
        count(&scheduler->metrics->scans, 1);
        *ret_wait_us = 50000;
    }
    return LOY_OK;
}
