/* Alone: a record that kills its worker leaves nothing but a count behind, so it is counted before it is worked.
 *
 * From the third acquire at unchanged offsets, a partition's records are worked one at a time and decoded only then,
 * each after a mark in PostgreSQL. Three workers that marked the same record and did not come through stop its
 * partition, and that one only, until an operator says what becomes of the record. */
#include "worker/state.h"

#include <assert.h>
#include <stdio.h>

static bool is_marked(const struct loy_partition *row, const struct loy_position *at)
{
    return row->alone != 0 && row->alone_topic == at->topic && row->alone_offset == at->offset;
}

bool loy_alone_wanted(const struct loy_owned *owned)
{
    return owned->row.attempts >= LOY_ALONE_AFTER_ATTEMPTS || owned->row.alone != 0;
}

bool loy_alone_is_on(const struct loy_worker *worker, const struct loy_batch *batch)
{
    return worker->alone > 0 || worker->suspects || worker->deferred > 0 || batch->alone;
}

/* Of a partition that is suspected though nobody is cautious: it was idle, and its first record comes among others. */
enum loy_err loy_alone_defer(struct loy_worker *worker, struct loy_owned *owned, struct loy_position at)
{
    worker->deferred += !owned->deferred;
    owned->deferred = true;
    return worker->bus.seek(worker->bus.self, at, &worker->error);
}

void loy_alone_taken(struct loy_worker *worker, struct loy_batch *batch, struct loy_owned *owned)
{
    worker->deferred -= owned->deferred;
    owned->deferred = false;
    batch->alone = batch->alone || loy_alone_wanted(owned);
}

bool loy_alone_is_skipped(const struct loy_owned *owned, const struct loy_position *at)
{
    return owned->row.alone < 0 && is_marked(&owned->row, at);
}

static void say_stopped(const struct loy_worker *worker, const struct loy_partition *row)
{
    char command[96];
    (void)snprintf(command, sizeof command, "loyalctl partition skip %d --yes", row->k);
    LOY_ERROR("partition_stopped", LOY_LOG_STR("owner", worker->config.owner),
              LOY_LOG_STR("topic", worker->config.topics[row->alone_topic]), LOY_LOG_INT("partition", row->k),
              LOY_LOG_INT("offset", row->alone_offset), LOY_LOG_INT("workers", row->alone),
              LOY_LOG_TEXT("detail", "so many workers ended while they worked this record alone: look at it"),
              LOY_LOG_TEXT("command", command));
}

/* All threads of a process die with it: those that mark in step with the guilty one would be counted each time. */
static int64_t spread_us(const struct loy_worker *worker, int64_t now_us)
{
    struct loy_str moment = {(const char *)&now_us, sizeof now_us};
    return (int64_t)((loy_murmur2(worker->config.owner) ^ loy_murmur2(moment)) % LOY_MARK_SPREAD_US);
}

void loy_alone_hold(struct loy_worker *worker, struct loy_owned *owned, const struct loy_owned *before)
{
    const struct loy_partition *row = &owned->row;
    int64_t now_us = loy_worker_now_us(worker);
    bool same = before->row.alone_topic == row->alone_topic && before->row.alone_offset == row->alone_offset;
    assert(row->alone_topic >= 0 && row->alone_topic < LOY_TOPICS_MAX);
    owned->marked = row->alone > 0 && same && before->marked == row->alone ? row->alone : 0;
    /* A mark of our own that stands has not ended us: an outage came between. */
    owned->stopped = row->alone >= LOY_STOP_AFTER_ALONE && !owned->marked;
    owned->mark_after_us = row->alone > 0 ? now_us + spread_us(worker, now_us) : now_us;
    if (owned->stopped && !(before->stopped && same)) {
        say_stopped(worker, row);
    }
    owned->cautious = !owned->stopped && loy_alone_wanted(owned);
    if (owned->cautious && worker->alone == 0) {
        worker->alone = worker->config.batch_max;
    }
}

/* A marked record keeps its mark until it is done, whatever else of the partition is worked before it. */
static bool wants_mark(const struct loy_worker *worker, const struct loy_batch *batch)
{
    const struct loy_item *item = &batch->items[0];
    if (batch->count != 1 || item->settled) {
        return false;
    }
    const struct loy_owned *owned = &worker->owned[item->at.partition];
    if (owned->row.alone == 0) {
        return owned->row.attempts >= LOY_ALONE_AFTER_ATTEMPTS;
    }
    return owned->row.alone > 0 && !owned->marked && is_marked(&owned->row, &item->at);
}

enum loy_err loy_alone_start(struct loy_worker *worker, struct loy_batch *batch)
{
    if (!wants_mark(worker, batch)) {
        enum loy_err err = loy_intake_decode(worker, batch);
        return err ? err : loy_load_start(worker, batch);
    }
    const struct loy_position *at = &batch->items[0].at;
    const struct loy_owned *owned = &worker->owned[at->partition];
    if (loy_worker_now_us(worker) < owned->mark_after_us) {
        return LOY_OK;
    }
    batch->request = (struct loy_store_request){
        .kind = LOY_STORE_MARK,
        .mark = {at->partition, owned->row.epoch, owned->row.alone + 1, at->topic, at->offset},
    };
    batch->phase = LOY_BATCH_MARK;
    return LOY_FAILPOINT("mark");
}

void loy_alone_marked(struct loy_worker *worker, struct loy_batch *batch)
{
    const struct loy_store_mark *mark = &batch->request.mark;
    struct loy_owned *owned = &worker->owned[mark->k];
    owned->row.alone = mark->alone;
    owned->row.alone_topic = mark->topic;
    owned->row.alone_offset = mark->offset;
    owned->marked = mark->alone;
    batch->phase = LOY_BATCH_READY;
    LOY_INFO("record_marked", LOY_LOG_STR("owner", worker->config.owner),
             LOY_LOG_STR("topic", worker->config.topics[mark->topic]), LOY_LOG_INT("partition", mark->k),
             LOY_LOG_INT("offset", mark->offset), LOY_LOG_INT("workers", mark->alone));
}

void loy_alone_moved(struct loy_owned *owned)
{
    owned->row.attempts = 0;
    if (owned->row.next_offset[owned->row.alone_topic] > owned->row.alone_offset) {
        owned->row.alone = 0;
        owned->marked = 0;
    }
}

void loy_alone_look(struct loy_worker *worker, bool *ret_progress)
{
    int64_t now_us = loy_worker_now_us(worker);
    if (now_us < worker->look_us || now_us < worker->retry_us) {
        return;
    }
    for (uint32_t i = 0; i < worker->assigned_count; i++) {
        uint32_t at = (worker->look_next + i) % worker->assigned_count;
        const struct loy_owned *owned = &worker->owned[worker->assigned[at]];
        if (!owned->held || !owned->stopped) {
            continue;
        }
        const struct loy_partition *row = &owned->row;
        struct loy_store_request request = {
            .kind = LOY_STORE_MARK, .mark = {row->k, row->epoch, row->alone, row->alone_topic, row->alone_offset}};
        if (worker->store.submit(worker->store.self, &request) == LOY_OK) {
            worker->asked = LOY_ASKED_LOOK;
            worker->look_us = now_us + LOY_LOOK_US;
            worker->look_next = at + 1;
            *ret_progress = true;
        }
        return;
    }
}
