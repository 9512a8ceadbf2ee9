/* Intake: records become items of the batch that is being filled. */
#include "worker/state.h"

#include "adapters/wire/wire.h"

#include <assert.h>

/* Headers of a forwarded record: where it came in first, and when. */
static const struct loy_str header_origin = {"loyald-origin", 13};
static const struct loy_str header_arrival = {"loyald-arrival-us", 17};

void loy_batch_start(struct loy_worker *worker, struct loy_batch *batch)
{
    loy_region_reset(&batch->region, &batch->arena, LOY_BATCH_KEEP);
    *batch = (struct loy_batch){.region = batch->region,
                                .arena = batch->arena,
                                .phase = LOY_BATCH_FILLING,
                                .capacity = worker->config.batch_max};
    batch->items = loy_arena_alloc(&batch->arena, batch->capacity * sizeof *batch->items);
    batch->spans = loy_arena_alloc(&batch->arena, (size_t)worker->config.partitions * sizeof *batch->spans);
    assert(batch->items && batch->spans); /* loy_worker_new made sure */
}

struct loy_span *loy_batch_span(struct loy_worker *worker, struct loy_batch *batch, int32_t k)
{
    for (uint32_t i = batch->span_count; i > 0; i--) { /* records come partition by partition: the last one, mostly */
        if (batch->spans[i - 1].k == k) {
            return &batch->spans[i - 1];
        }
    }
    struct loy_span *span = &batch->spans[batch->span_count++];
    *span = (struct loy_span){.k = k};
    memcpy(span->next_offset, worker->owned[k].read_next, sizeof span->next_offset);
    return span;
}

static void skip_to(struct loy_worker *worker, const struct loy_position *at, int64_t offset)
{
    struct loy_owned *owned = &worker->owned[at->partition];
    struct loy_span *span = loy_batch_span(worker, worker->filling, at->partition);
    span->gaps[at->topic] += offset - owned->read_next[at->topic];
    span->next_offset[at->topic] = offset;
    owned->read_next[at->topic] = offset;
}

/* Takes (topic, k) forward to `offset`: true when what comes there is next. A hole is looked at twice, by seeking back
 * once; what is still missing then is counted as a gap of the log. What is missing for the first time is a new hole. */
static enum loy_err reach(struct loy_worker *worker, const struct loy_position *at, bool *ret_next)
{
    struct loy_owned *owned = &worker->owned[at->partition];
    int64_t expected = owned->read_next[at->topic];
    bool looked_twice = owned->hole_from[at->topic] == expected;
    *ret_next = false;
    if (at->offset < expected) {
        return LOY_OK; /* stale, from before a seek */
    }
    if (at->offset > expected && looked_twice && at->offset > owned->hole_until[at->topic]) {
        skip_to(worker, at, owned->hole_until[at->topic]);
        expected = owned->read_next[at->topic];
        looked_twice = false;
    }
    if (at->offset > expected && !looked_twice) {
        owned->hole_from[at->topic] = expected;
        owned->hole_until[at->topic] = at->offset;
        return worker->bus.seek(worker->bus.self, (struct loy_position){at->topic, at->partition, expected},
                                &worker->error);
    }
    skip_to(worker, at, at->offset);
    *ret_next = true;
    return LOY_OK;
}

/* A text that the batch has already, or a copy. */
static struct loy_str keep_text(struct loy_arena *arena, struct loy_str text, struct loy_str kept)
{
    return kept.len > 0 && loy_str_equal(text, kept) ? kept : loy_str_copy(arena, text);
}

/* The record so far is the bus's: what comes next takes its place. Dead letters and forwards need all of it, but most
 * keys are the member's id, and most values the event as the journal keeps it. */
static bool keep_record(struct loy_arena *arena, struct loy_item *item)
{
    struct loy_record *record = &item->record;
    const struct loy_header *from = record->headers;
    struct loy_header *headers = loy_arena_alloc(arena, record->header_count * sizeof *headers);
    record->key = keep_text(arena, record->key, item->event.member_id);
    record->value = keep_text(arena, record->value, item->event.encoded);
    if (!headers || !record->key.at || !record->value.at) {
        return false;
    }
    for (uint32_t i = 0; i < record->header_count; i++) {
        headers[i].name = loy_str_copy(arena, from[i].name);
        headers[i].value = from[i].value.at ? loy_str_copy(arena, from[i].value) : (struct loy_str){0};
        if (!headers[i].name.at || (from[i].value.at && !headers[i].value.at)) {
            return false;
        }
    }
    record->headers = headers;
    return true;
}

/* "topic/partition/offset" with the topic as its place. */
static bool parse_origin(struct loy_str text, uint16_t topic_count, struct loy_position *ret)
{
    int64_t numbers[3];
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        size_t end = at;
        while (end < text.len && text.at[end] != '/') {
            end++;
        }
        if (!loy_str_to_i64((struct loy_str){text.at + at, end - at}, &numbers[i])) {
            return false;
        }
        at = end < text.len ? end + 1 : end;
    }
    if (numbers[0] < 0 || numbers[0] >= topic_count || numbers[1] < 0 || numbers[1] > INT32_MAX || numbers[2] < 0) {
        return false;
    }
    *ret = (struct loy_position){(int16_t)numbers[0], (int32_t)numbers[1], numbers[2]};
    return true;
}

/* A forwarded record keeps its first position and arrival. */
static void read_origin(const struct loy_worker *worker, struct loy_item *item)
{
    for (uint32_t i = 0; i < item->record.header_count; i++) {
        const struct loy_header *header = &item->record.headers[i];
        if (loy_str_equal(header->name, header_origin)) {
            struct loy_position origin;
            if (parse_origin(header->value, worker->config.topic_count, &origin)) {
                item->origin = origin;
            }
        } else if (loy_str_equal(header->name, header_arrival)) {
            int64_t arrival_us;
            if (loy_str_to_i64(header->value, &arrival_us) && arrival_us < item->arrival_us) {
                item->arrival_us = arrival_us;
            }
        }
    }
}

/* What can be said of a decoded event without any account. */
static enum loy_err route(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item)
{
    const struct loy_event *event = &item->event;
    if (event->preview && (worker->config.previews.len == 0 || event->kind == LOY_EVENT_TICK)) {
        loy_item_settle(item, LOY_OUTCOME_IGNORED, "preview");
        return LOY_OK;
    }
    if (event->member_id.len == 0 && event->identifier_value.len > 0) {
        return loy_item_reject(worker, batch, item, LOY_ERR_UNKNOWN_MEMBER,
                               "identifier: this version does not resolve identifiers; publish with member_id");
    }
    if (event->member_id.len == 0) {
        loy_item_settle(item, LOY_OUTCOME_IGNORED, "no_member");
        return LOY_OK;
    }
    item->member_hash = loy_murmur2(event->member_id);
    int32_t k = loy_partition_of_hash(item->member_hash, worker->config.partitions);
    if (k == item->at.partition) {
        loy_duplicates_identify(item);
        return LOY_OK;
    }
    if (item->at.topic >= worker->internal_topic) {
        return loy_worker_fail(
            worker, LOY_ERR_INTERNAL, "record %s/%d/%lld of loyald's own belongs to partition %d: who published it?",
            worker->config.topics[item->at.topic].at, item->at.partition, (long long)item->at.offset, k);
    }
    loy_item_settle(item, LOY_OUTCOME_FORWARDED, "other_partition");
    return LOY_FAILPOINT("forward");
}

static enum loy_err decode(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item)
{
    struct loy_error error;
    enum loy_err err = LOY_FAILPOINT("decode");
    if (err) {
        return err;
    }
    if (!item->record.has_value) {
        item->event = (struct loy_event){0};
        loy_item_settle(item, LOY_OUTCOME_IGNORED, "tombstone");
        return LOY_OK;
    }
    bool internal = item->at.topic >= worker->internal_topic;
    loy_region_reset(&worker->scratch_region, &worker->scratch, LOY_SCRATCH_KEEP);
    err = loy_wire_decode_in(&item->record, internal, &batch->arena, &worker->scratch, &item->event, &error);
    if (err && loy_err_class(err) != LOY_CLASS_REJECT) {
        return loy_worker_fail(worker, err, "decoding: %s", error.detail);
    }
    if (err) {
        item->event = (struct loy_event){0};
        return loy_item_reject(worker, batch, item, err, error.detail);
    }
    err = LOY_FAILPOINT("decoded");
    return err ? err : route(worker, batch, item);
}

enum loy_err loy_intake_decode(struct loy_worker *worker, struct loy_batch *batch)
{
    enum loy_err err = LOY_OK;
    for (uint32_t i = 0; !err && i < batch->count; i++) {
        struct loy_item *item = &batch->items[i];
        if (item->undecoded) {
            item->undecoded = false;
            err = decode(worker, batch, item);
            item->settled = item->settled || item->outcome == LOY_OUTCOME_REJECTED;
        }
    }
    return err;
}

/* What is worked alone is decoded alone: nothing else shall be near when it is the end of the worker. */
static enum loy_err decode_in_turn(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item)
{
    const struct loy_owned *owned = &worker->owned[item->at.partition];
    bool is_skipped = loy_alone_is_skipped(owned, &item->at);
    item->undecoded = !is_skipped && (worker->alone > 0 || worker->deferred > 0 || batch->alone);
    if (is_skipped || item->undecoded) {
        item->event = (struct loy_event){0};
    }
    if (is_skipped) {
        return loy_item_reject(worker, batch, item, LOY_ERR_POISON, "skipped by an operator");
    }
    return item->undecoded ? LOY_OK : decode(worker, batch, item);
}

/* The broker's timestamp, never later than our clock: which is asked once a turn, and for records younger than that. */
static int64_t arrival_of(struct loy_worker *worker, const struct loy_record *record)
{
    if (record->timestamp_us < 0 || record->timestamp_us >= worker->wall_us) {
        worker->wall_us = worker->clock.wall_us(worker->clock.self);
    }
    bool has_timestamp = record->timestamp_us >= 0 && record->timestamp_us < worker->wall_us;
    return has_timestamp ? record->timestamp_us : worker->wall_us;
}

static enum loy_err take_record(struct loy_worker *worker, const struct loy_record *record)
{
    struct loy_batch *batch = worker->filling;
    const struct loy_position at = record->position;
    struct loy_owned *owned = &worker->owned[at.partition];
    bool next;
    if (!owned->held || owned->stopped) {
        return LOY_OK;
    }
    if (worker->throttled) { /* it was on its way when we paused: it comes again */
        return worker->bus.seek(worker->bus.self, at, &worker->error);
    }
    enum loy_err err = reach(worker, &at, &next);
    if (err || !next) {
        return err;
    }
    if (batch->count > 0 && loy_alone_wanted(owned)) { /* it comes again, when it can be alone */
        return loy_alone_defer(worker, owned, at);
    }
    loy_alone_taken(worker, batch, owned);
    owned->read_next[at.topic] = at.offset + 1;
    loy_batch_span(worker, batch, at.partition)->next_offset[at.topic] = at.offset + 1;
    owned->drained[at.topic] = false;
    struct loy_item *item = &batch->items[batch->count];
    static_assert(offsetof(struct loy_item, event) + sizeof item->event == sizeof *item, "the event is the last");
    memset(item, 0,
           offsetof(struct loy_item, event)); /* decoding begins with a clear event, which is the larger part */
    item->at = item->origin = at;
    item->arrival_us = arrival_of(worker, record);
    item->slot = -1;
    item->record = *record;
    if (at.topic >= worker->internal_topic) {
        read_origin(worker, item);
    }
    if (batch->count++ == 0) {
        batch->first_us = loy_worker_now_us(worker);
    }
    err = decode_in_turn(worker, batch, item);
    if (!err && !keep_record(&batch->arena, item)) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "a batch of %u records fills its memory", batch->count);
    }
    return err;
}

/* Ticks are read when the other topics of their partition are drained: an event that came before a tick is decided
 * before it. */
static void regulate_ticks(struct loy_worker *worker, int32_t k, bool backlog)
{
    struct loy_owned *owned = &worker->owned[k];
    bool drained = true;
    for (uint16_t topic = 0; topic < worker->tick_topic; topic++) {
        drained = drained && owned->drained[topic];
    }
    if (owned->ticks_paused && drained) {
        owned->ticks_paused = false;
        worker->bus.resume(worker->bus.self, k, (int16_t)worker->tick_topic);
    } else if (!owned->ticks_paused && !drained && backlog) {
        owned->ticks_paused = true;
        worker->bus.pause(worker->bus.self, k, (int16_t)worker->tick_topic);
    }
}

static enum loy_err take_end(struct loy_worker *worker, const struct loy_position *at)
{
    struct loy_owned *owned = &worker->owned[at->partition];
    bool next;
    if (!owned->held || owned->stopped) {
        return LOY_OK;
    }
    enum loy_err err = LOY_OK;
    if (at->offset > owned->read_next[at->topic]) {
        err = reach(worker, at, &next);
    }
    if (!err && at->offset == owned->read_next[at->topic]) {
        owned->drained[at->topic] = true;
        loy_ownership_drained(worker, at->partition);
        regulate_ticks(worker, at->partition, false);
    }
    return err;
}

static bool has_room(const struct loy_worker *worker)
{
    const struct loy_batch *batch = worker->filling;
    uint32_t most = loy_alone_is_on(worker, batch) ? 1 : worker->target;
    /* a record of the largest size still decodes, and as much again is left for deciding */
    return batch->count < most && batch->arena.size - batch->arena.used > 2 * (size_t)LOY_WIRE_DECODE_ARENA;
}

bool loy_worker_reads(const struct loy_worker *worker)
{
    return worker->throttled || has_room(worker);
}

static enum loy_err take_event(struct loy_worker *worker, const struct loy_bus_event *event)
{
    switch (event->kind) {
    case LOY_BUS_NOTHING:
        return LOY_OK;
    case LOY_BUS_RECORD:
        return take_record(worker, &event->record);
    case LOY_BUS_END:
        return take_end(worker, &event->position);
    case LOY_BUS_ASSIGNED:
    case LOY_BUS_REVOKED:
    case LOY_BUS_LOST:
        return loy_ownership_event(worker, event);
    case LOY_BUS_DELIVERED:
        loy_publish_delivered(worker, event->cookie, event->count);
        return LOY_FAILPOINT("delivered");
    case LOY_BUS_UNDELIVERED:
        return loy_publish_undelivered(worker);
    case LOY_BUS_ERROR:
        if (loy_err_class(event->error.code) == LOY_CLASS_FATAL) {
            return loy_worker_fail(worker, event->error.code, "%s", event->error.detail);
        }
        return LOY_OK; /* the client goes on trying, and says so itself */
    }
    return LOY_OK;
}

/* While the store keeps us waiting, records stop and everything else of the bus goes on: rebalances, deliveries. */
static void throttle(struct loy_worker *worker, bool on)
{
    if (worker->throttled == on) {
        return;
    }
    worker->throttled = on;
    for (uint32_t i = 0; i < worker->assigned_count; i++) {
        int32_t k = worker->assigned[i];
        if (worker->owned[k].held && !worker->owned[k].full && !worker->owned[k].stopped) {
            (on ? worker->bus.pause : worker->bus.resume)(worker->bus.self, k, -1);
        }
        if (!on && worker->owned[k].held && worker->owned[k].ticks_paused) {
            worker->bus.pause(worker->bus.self, k, (int16_t)worker->tick_topic);
        }
    }
}

enum loy_err loy_intake_take(struct loy_worker *worker, bool *ret_progress)
{
    int64_t now_us = loy_worker_now_us(worker);
    worker->wall_us = worker->clock.wall_us(worker->clock.self);
    bool room = has_room(worker);
    worker->room_us = room ? now_us : worker->room_us;
    throttle(worker, !room && now_us - worker->room_us > LOY_THROTTLE_US);
    for (int i = 0; i < LOY_TURN_EVENTS_MAX && loy_worker_reads(worker); i++) {
        struct loy_bus_event event;
        worker->bus.poll(worker->bus.self, &event);
        if (event.kind == LOY_BUS_NOTHING) {
            return LOY_OK;
        }
        *ret_progress = true;
        enum loy_err err = LOY_FAILPOINT("polled");
        err = err ? err : take_event(worker, &event);
        if (err) {
            return err;
        }
    }
    if (!has_room(worker)) { /* a full batch: there is a backlog */
        for (uint32_t i = 0; i < worker->filling->span_count; i++) {
            regulate_ticks(worker, worker->filling->spans[i].k, true);
        }
    }
    return LOY_OK;
}
