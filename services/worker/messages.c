/* Messages: what a decided batch says to the world, packed for the outbox of each partition, in the order of the
 * records. */
#include "worker/state.h"

#include "adapters/wire/wire.h"
#include "base/expect.h"

#include <stdio.h>

enum { EXTRA_HEADERS = 8, NUMBER_TEXT = 24 };

static struct loy_buf *outbox_of(struct loy_worker *worker, struct loy_batch *batch, int32_t k)
{
    struct loy_span *span = loy_batch_span(worker, batch, k);
    if (!span->has_outbox) {
        span->has_outbox = true;
        loy_buf_init(&span->outbox, &batch->arena, span->outbox_bytes);
    }
    return &span->outbox;
}

static struct loy_str number_text(struct loy_arena *arena, int64_t number)
{
    char *text = loy_arena_alloc(arena, NUMBER_TEXT);
    if (!text) {
        return (struct loy_str){0};
    }
    return (struct loy_str){text, (size_t)snprintf(text, NUMBER_TEXT, "%lld", (long long)number)};
}

/* The record's own headers, with room for ours behind them. */
static struct loy_header *headers_of(struct loy_batch *batch, const struct loy_record *record)
{
    struct loy_header *headers =
        loy_arena_alloc(&batch->arena, (record->header_count + EXTRA_HEADERS) * sizeof *headers);
    if (headers && record->header_count) {
        memcpy(headers, record->headers, record->header_count * sizeof *headers);
    }
    return headers;
}

/* Bytes, key and headers untouched; what is wrong in headers named as Kafka Connect names them. */
static bool put_dead_letter(struct loy_worker *worker, struct loy_batch *batch, const struct loy_item *item)
{
    const struct loy_record *record = &item->record;
    struct loy_header *headers = headers_of(batch, record);
    if (!headers) {
        return false;
    }
    uint32_t count = record->header_count;
    headers[count++] =
        (struct loy_header){LOY_STR("__connect.errors.topic"), worker->config.topics[item->origin.topic]};
    headers[count++] =
        (struct loy_header){LOY_STR("__connect.errors.partition"), number_text(&batch->arena, item->origin.partition)};
    headers[count++] =
        (struct loy_header){LOY_STR("__connect.errors.offset"), number_text(&batch->arena, item->origin.offset)};
    headers[count++] =
        (struct loy_header){LOY_STR("__connect.errors.exception.class.name"), loy_str(loy_err_name(item->error))};
    headers[count++] = (struct loy_header){LOY_STR("__connect.errors.exception.message"), loy_str(item->reason)};
    headers[count++] = (struct loy_header){LOY_STR("loyald-arrival-us"), number_text(&batch->arena, item->arrival_us)};
    loy_outbox_put(outbox_of(worker, batch, item->at.partition), LOY_OUTPUT_DEAD_LETTERS,
                   &(struct loy_bus_message){.partition = -1,
                                             .has_key = record->has_key,
                                             .has_value = record->has_value,
                                             .key = record->key,
                                             .value = record->value,
                                             .headers = headers,
                                             .header_count = count});
    return true;
}

/* Unchanged, to the member's partition of the internal topic, with its first position and arrival. */
static bool put_forward(struct loy_worker *worker, struct loy_batch *batch, const struct loy_item *item)
{
    const struct loy_record *record = &item->record;
    struct loy_header *headers = headers_of(batch, record);
    char *origin = loy_arena_alloc(&batch->arena, 3 * NUMBER_TEXT);
    if (!headers || !origin) {
        return false;
    }
    int length = snprintf(origin, 3 * NUMBER_TEXT, "%d/%d/%lld", item->origin.topic, item->origin.partition,
                          (long long)item->origin.offset);
    uint32_t count = record->header_count;
    headers[count++] = (struct loy_header){LOY_STR("loyald-origin"), {origin, (size_t)length}};
    headers[count++] = (struct loy_header){LOY_STR("loyald-arrival-us"), number_text(&batch->arena, item->arrival_us)};
    struct loy_str member_id = item->event.member_id;
    loy_outbox_put(outbox_of(worker, batch, item->at.partition), LOY_OUTPUT_INTERNAL,
                   &(struct loy_bus_message){.partition = loy_partition_of(member_id, worker->config.partitions),
                                             .has_key = record->has_key,
                                             .has_value = true,
                                             .key = record->key,
                                             .value = record->value,
                                             .headers = headers,
                                             .header_count = count});
    return true;
}

/* An item's account stands at its last event: the update needs it as it was after this one, so updates are encoded as
 * they are decided (loy_message_update), and only packed here. The compacted topic gets a member's latest only. */
static void put_update(struct loy_worker *worker, struct loy_batch *batch, const struct loy_item *item)
{
    const struct loy_slot *slot = &batch->slots[item->slot];
    bool latest = &batch->items[slot->changed_by] == item;
    loy_outbox_put(
        outbox_of(worker, batch, item->at.partition), latest ? LOY_OUTPUT_LATEST : LOY_OUTPUT_UPDATES,
        &(struct loy_bus_message){
            .partition = -1, .has_key = true, .has_value = true, .key = slot->member_id, .value = item->update});
}

static void put_answer(struct loy_worker *worker, struct loy_batch *batch, const struct loy_item *item)
{
    loy_outbox_put(
        outbox_of(worker, batch, item->at.partition), LOY_OUTPUT_PREVIEWS,
        &(struct loy_bus_message){
            .partition = -1, .has_key = true, .has_value = true, .key = item->event.member_id, .value = item->update});
}

enum loy_err loy_message_update(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item,
                                const struct loy_account *account)
{
    struct loy_wire_update update = {.programme = item->programme,
                                     .newest = loy_revisions_newest(batch->revisions),
                                     .account = account,
                                     .event = &item->event,
                                     .effects = &item->effects,
                                     .incarnation = worker->config.incarnation};
    enum loy_err err = loy_wire_encode_update(&update, worker->config.output_json, &batch->arena, &item->update);
    return err ? loy_worker_fail(worker, err, "encoding a balance update") : LOY_OK;
}

/* Of the last change in this batch; where nothing changed, the balance is as it was, and the last event is its cause.
 */
enum loy_err loy_message_balance_json(struct loy_worker *worker, struct loy_batch *batch, const struct loy_slot *slot,
                                      struct loy_str *ret_json)
{
    const struct loy_item *item = &batch->items[slot->changed_by >= 0 ? slot->changed_by : slot->applied_by];
    struct loy_wire_update update = {.programme = item->programme,
                                     .newest = loy_revisions_newest(batch->revisions),
                                     .account = &slot->account,
                                     .event = &item->event,
                                     .effects = &item->effects,
                                     .incarnation = worker->config.incarnation};
    if (worker->config.output_json && slot->changed_by >= 0) {
        *ret_json = item->update;
        return LOY_OK;
    }
    return loy_wire_encode_update(&update, true, &worker->scratch, ret_json);
}

static enum loy_err put_outcome(struct loy_worker *worker, struct loy_batch *batch, const struct loy_item *item)
{
    static const char *const names[] = {
#define OUTCOME_NAME(symbol, name) name,
        LOY_OUTCOMES(OUTCOME_NAME)
#undef OUTCOME_NAME
    };
    struct loy_str bytes;
    struct loy_wire_outcome outcome = {.topic = worker->config.topics[item->at.topic],
                                       .partition = item->at.partition,
                                       .offset = item->at.offset,
                                       .outcome = loy_str(names[item->outcome]),
                                       .detail = loy_str(item->detail),
                                       .source = item->event.source,
                                       .event_id = item->event.event_id};
    enum loy_err err = loy_wire_encode_outcome(&outcome, worker->config.output_json, &batch->arena, &bytes);
    if (err) {
        return loy_worker_fail(worker, err, "encoding an outcome");
    }
    loy_outbox_put(outbox_of(worker, batch, item->at.partition), LOY_OUTPUT_OUTCOMES,
                   &(struct loy_bus_message){.partition = -1,
                                             .has_key = item->event.member_id.len > 0,
                                             .has_value = true,
                                             .key = item->event.member_id,
                                             .value = bytes});
    return LOY_OK;
}

static bool put_item(struct loy_worker *worker, struct loy_batch *batch, const struct loy_item *item)
{
    switch (item->outcome) {
    case LOY_OUTCOME_APPLIED:
        if (item->effects.changed) {
            put_update(worker, batch, item);
        }
        return true;
    case LOY_OUTCOME_REJECTED:
        return put_dead_letter(worker, batch, item);
    case LOY_OUTCOME_FORWARDED:
        return put_forward(worker, batch, item);
    case LOY_OUTCOME_IGNORED:
        if (loy_preview_is_answered(item)) {
            put_answer(worker, batch, item);
        }
        return true;
    default:
        return true;
    }
}

/* So that the outboxes need not grow, which would take as much again of the batch's memory. */
static void expect(struct loy_worker *worker, struct loy_batch *batch)
{
    for (uint32_t i = 0; i < batch->span_count; i++) {
        batch->spans[i].has_outbox = false;
        batch->spans[i].outbox_bytes = LOY_OUTBOX_OVERHEAD;
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct loy_item *item = &batch->items[i];
        if ((item->outcome == LOY_OUTCOME_APPLIED && item->effects.changed) || loy_preview_is_answered(item)) {
            loy_batch_span(worker, batch, item->at.partition)->outbox_bytes +=
                LOY_OUTBOX_OVERHEAD + batch->slots[item->slot].member_id.len + item->update.len;
        }
    }
}

/* An update that is soon to be copied was written long ago. */
static void expect_update(const struct loy_batch *batch, uint32_t at)
{
    enum { APART = 4 };
    if (at + APART < batch->count) {
        const struct loy_str update = batch->items[at + APART].update;
        loy_expect(update.at, update.len);
    }
}

enum loy_err loy_messages_build(struct loy_worker *worker, struct loy_batch *batch)
{
    expect(worker, batch);
    for (int ticks = 0; ticks <= 1; ticks++) { /* in the order of the decisions: a member's versions ascend */
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct loy_item *item = &batch->items[i];
            expect_update(batch, i);
            if ((item->at.topic == worker->tick_topic) != ticks) {
                continue;
            }
            if (!put_item(worker, batch, item)) {
                return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for the messages of %u records",
                                       batch->count);
            }
            enum loy_err err = worker->config.outcomes.len ? put_outcome(worker, batch, item) : LOY_OK;
            if (err) {
                return err;
            }
        }
    }
    for (uint32_t i = 0; i < batch->span_count; i++) {
        if (batch->spans[i].has_outbox && batch->spans[i].outbox.failed) {
            return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for the messages of %u records", batch->count);
        }
    }
    return LOY_OK;
}
