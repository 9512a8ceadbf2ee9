/* I1 and I8: the outcome of every record, and what is said about it. */
#include "sim/model.h"

#include "loyalty/v1/update.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What identifies an event of a member (FEATURES, "Order, identity, time"): a purchase's order, else source and id. */
static struct loy_str identity_of(struct sim_model *model, const struct sim_record *record)
{
    char text[256];
    int len = record->is_purchase
                  ? snprintf(text, sizeof text, "%.*s order %s", LOY_STR_ARG(record->member_id), record->order_id)
                  : snprintf(text, sizeof text, "%.*s event %s %s", LOY_STR_ARG(record->member_id), record->source,
                             record->event_id);
    return sim_copy(&model->world->pool, (struct loy_str){text, (size_t)len});
}

static const struct sim_record *record_of_row(const struct sim_model *model, int32_t row)
{
    const struct loy_journal_row *at = &model->db->journal[row];
    return sim_customers_at(model->customers,
                            (struct loy_position){at->from.topic, at->from.partition, at->from.offset});
}

/* Which record of each identity was applied: one only. */
static void index_identities(struct sim_model *model)
{
    for (uint32_t i = 0; i < model->db->journal_count; i++) {
        const struct sim_record *record = record_of_row(model, (int32_t)i);
        if (!record) {
            sim_model_fail(model, "I1: journal row %u is of a record that nobody published", i);
            continue;
        }
        if (record->class == SIM_TICK) {
            continue;
        }
        struct loy_str identity = identity_of(model, record);
        if (record->class != SIM_EVENT) {
            sim_model_fail(model, "I1: %.*s was applied and should not", LOY_STR_ARG(identity));
        }
        if (sim_map_find(&model->first_of_identity, identity) >= 0) {
            sim_model_fail(model, "I1: %.*s was applied twice", LOY_STR_ARG(identity));
        }
        sim_map_put(&model->first_of_identity, identity, (int32_t)i);
    }
}

/* What should have become of an event at its home partition. `copies` had the same origin before. */
static enum loy_outcome outcome_of_event(struct sim_model *model, const struct sim_record *record, uint32_t copies)
{
    if (sim_model_row_at(model, record->at) >= 0) {
        return copies == 0 ? LOY_OUTCOME_APPLIED : LOY_OUTCOME_DUPLICATE;
    }
    struct loy_str identity = identity_of(model, record);
    int32_t row = sim_map_find(&model->first_of_identity, identity);
    const struct sim_record *first = row < 0 ? NULL : record_of_row(model, row);
    if (!first) {
        sim_model_fail(model, "I8: %.*s at %d/%d@%" PRId64 " was never applied", LOY_STR_ARG(identity),
                       record->at.topic, record->at.partition, record->at.offset);
        return LOY_OUTCOME_APPLIED;
    }
    if (first->at.topic == record->at.topic && first->at.partition == record->at.partition &&
        record->at.offset < first->at.offset) {
        sim_model_fail(model, "I1: %.*s: a later record of the same log was applied before the first",
                       LOY_STR_ARG(identity));
    }
    bool same_id = strcmp(first->event_id, record->event_id) == 0 && strcmp(first->source, record->source) == 0;
    bool same = loy_str_equal(first->message.value, record->message.value);
    return same_id && !same ? LOY_OUTCOME_REJECTED : LOY_OUTCOME_DUPLICATE;
}

static enum loy_outcome outcome_of(struct sim_model *model, const struct sim_record *record, int32_t partition,
                                   uint32_t copies)
{
    switch (record->class) {
    case SIM_TOMBSTONE:
    case SIM_NO_MEMBER:
        return LOY_OUTCOME_IGNORED;
    case SIM_BROKEN:
        return LOY_OUTCOME_REJECTED;
    case SIM_EVENT:
    case SIM_TICK:
    case SIM_REFUSED:
    case SIM_POISONOUS:
    case SIM_PREVIEW:
        break;
    }
    if (partition != record->home) {
        return LOY_OUTCOME_FORWARDED;
    }
    if (record->class == SIM_PREVIEW) {
        return LOY_OUTCOME_IGNORED; /* and answered: check_previews */
    }
    if (record->class == SIM_REFUSED || record->class == SIM_POISONOUS) {
        return LOY_OUTCOME_REJECTED;
    }
    if (record->class == SIM_TICK) {
        return sim_model_row_at(model, record->at) >= 0 ? LOY_OUTCOME_APPLIED : LOY_OUTCOME_IGNORED;
    }
    return outcome_of_event(model, record, copies);
}

/* The outcome that the worker said, from its topic; -1: none, or a tick (which may be ignored or a duplicate). */
struct said {
    struct sim_map by_position;
};

struct said_key {
    int64_t offset;
    int32_t partition;
    int32_t topic;
};

static int outcome_number(const char *name)
{
    static const char *const names[] = {
#define OUTCOME_NAME(symbol, name) [LOY_OUTCOME_##symbol] = name,
        LOY_OUTCOMES(OUTCOME_NAME)
#undef OUTCOME_NAME
    };
    for (int i = 0; i < LOY_OUTCOME_COUNT; i++) {
        if (name && strcmp(name, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static void listen_to(struct sim_model *model, struct said *said, struct loy_str value)
{
    Loyalty__V1__Outcome *outcome = loyalty__v1__outcome__unpack(NULL, value.len, (const uint8_t *)value.at);
    int number = outcome ? outcome_number(outcome->outcome) : -1;
    if (number < 0 || !outcome->topic) {
        sim_model_fail(model, "a message on the outcomes' topic is no outcome");
    } else {
        struct said_key key = {outcome->offset, outcome->partition, -1};
        for (int i = 0; i < model->broker->input_count; i++) {
            if (loy_str_equal(model->broker->topics[i].name, loy_str(outcome->topic))) {
                key.topic = i;
            }
        }
        struct loy_str bytes = {(const char *)&key, sizeof key};
        int32_t before = sim_map_find(&said->by_position, bytes);
        if (before >= 0 && before != number) {
            sim_model_fail(model, "I1: record %d/%d@%" PRId64 " was said to be %d and %d", key.topic, key.partition,
                           key.offset, before, number);
        }
        sim_map_put(&said->by_position, sim_copy(&model->world->pool, bytes), number);
    }
    if (outcome) {
        loyalty__v1__outcome__free_unpacked(outcome, NULL);
    }
}

static bool listen(struct sim_model *model, struct said *said)
{
    for (int t = 0; t < model->broker->topic_count; t++) {
        const struct fake_topic *topic = &model->broker->topics[t];
        if (!loy_str_equal(topic->name, LOY_STR("outcomes"))) {
            continue;
        }
        for (int32_t k = 0; k < model->broker->partitions; k++) {
            for (int64_t i = 0; i < topic->logs[k].end; i++) {
                listen_to(model, said, topic->logs[k].entries[i].message.value);
            }
        }
        return true;
    }
    return false;
}

/* How many copies of the same origin stand before offset in the log. */
static uint32_t copies_before(const struct fake_log *log, int64_t offset, struct loy_position origin)
{
    uint32_t copies = 0;
    for (int64_t i = 0; i < offset; i++) {
        struct loy_position other;
        copies += !log->entries[i].is_gap && sim_model_origin(&log->entries[i].message, &other) &&
                  other.topic == origin.topic && other.partition == origin.partition && other.offset == origin.offset;
    }
    return copies;
}

/* The outcome that one offset should have; -1 when its record is unknown. */
static int expect_at(struct sim_model *model, uint16_t topic, int32_t k, int64_t offset)
{
    const struct fake_log *log = &model->broker->topics[topic].logs[k];
    const struct fake_entry *entry = &log->entries[offset];
    struct loy_position at = {(int16_t)topic, k, offset};
    uint32_t copies = 0;
    if (entry->is_gap) {
        return LOY_OUTCOME_GAP;
    }
    if (topic == model->internal_topic) {
        if (!sim_model_origin(&entry->message, &at)) {
            return -1;
        }
        copies = copies_before(log, offset, at);
    }
    const struct sim_record *record = sim_customers_at(model->customers, at);
    if (!record) {
        sim_model_fail(model, "I1: %d/%d@%" PRId64 " is the copy of a record that nobody published", topic, k, offset);
        return -1;
    }
    if (topic == model->internal_topic && !loy_str_equal(entry->message.value, record->message.value)) {
        sim_model_fail(model, "I1: %d/%d@%" PRId64 " was changed on its way", topic, k, offset);
    }
    return (int)outcome_of(model, record, k, copies);
}

static void check_log(struct sim_model *model, const struct said *said, bool says, uint16_t topic, int32_t k)
{
    const struct fake_log *log = &model->broker->topics[topic].logs[k];
    const struct fake_partition *partition = &model->db->partitions[k];
    int64_t expected[LOY_OUTCOME_COUNT] = {0};
    int64_t sum = 0;
    for (int64_t offset = 0; offset < log->end; offset++) {
        int outcome = expect_at(model, topic, k, offset);
        if (outcome < 0) {
            continue;
        }
        struct said_key key = {offset, k, topic};
        int heard = sim_map_find(&said->by_position, (struct loy_str){(const char *)&key, sizeof key});
        bool is_repeated_tick =
            topic == model->tick_topic && outcome == LOY_OUTCOME_IGNORED && heard == LOY_OUTCOME_DUPLICATE;
        outcome = is_repeated_tick ? LOY_OUTCOME_DUPLICATE : outcome;
        if (says && outcome != LOY_OUTCOME_GAP && heard != outcome) {
            sim_model_fail(model, "I1: record %d/%d@%" PRId64 " should be outcome %d and was said to be %d", topic, k,
                           offset, outcome, heard);
        }
        expected[outcome]++;
    }
    for (int i = 0; i < LOY_OUTCOME_COUNT; i++) {
        sum += partition->row.totals[topic][i];
        if (partition->row.totals[topic][i] != expected[i]) {
            sim_model_fail(model, "I1: %d/%d has %" PRId64 " of outcome %d, expected %" PRId64, topic, k,
                           partition->row.totals[topic][i], i, expected[i]);
        }
    }
    if (partition->row.next_offset[topic] != log->end || sum != log->end - partition->start_offset[topic]) {
        sim_model_fail(model, "I1: %d/%d is at %" PRId64 " of %" PRId64 " with %" PRId64 " outcomes", topic, k,
                       partition->row.next_offset[topic], log->end, sum);
    }
}

/* Every forwarded record has a copy. */
static void check_forwarded(struct sim_model *model)
{
    for (uint32_t i = 0; i < model->customers->record_count; i++) {
        const struct sim_record *record = &model->customers->records[i];
        if (record->class == SIM_TICK || outcome_of(model, record, record->at.partition, 0) != LOY_OUTCOME_FORWARDED) {
            continue;
        }
        const struct fake_log *log = &model->broker->topics[model->internal_topic].logs[record->home];
        if (copies_before(log, log->end, record->at) == 0) {
            sim_model_fail(model, "I8: record %d/%d@%" PRId64 " was never forwarded", record->at.topic,
                           record->at.partition, record->at.offset);
        }
    }
}

/* --- previews --- */

/* An answer names the purchase that was asked about, and has no version: it changed nothing. */
static void listen_to_answer(struct sim_model *model, struct sim_map *answered, struct loy_str value)
{
    Loyalty__V1__Update *update = loyalty__v1__update__unpack(NULL, value.len, (const uint8_t *)value.at);
    if (!update || update->kind_case != LOYALTY__V1__UPDATE__KIND_PREVIEW || update->has_version || !update->cause ||
        !update->cause->event_id) {
        sim_model_fail(model, "a message on the previews' topic is no answer");
    } else {
        sim_map_put(answered, sim_copy(&model->world->pool, loy_str(update->cause->event_id)), 1);
    }
    if (update) {
        loyalty__v1__update__free_unpacked(update, NULL);
    }
}

/* Every preview is answered, and nothing else is. */
static void check_previews(struct sim_model *model)
{
    struct sim_map answered = {0}, asked = {0};
    for (int t = 0; t < model->broker->topic_count; t++) {
        const struct fake_topic *topic = &model->broker->topics[t];
        for (int32_t k = 0; loy_str_equal(topic->name, LOY_STR("previews")) && k < model->broker->partitions; k++) {
            for (int64_t i = 0; i < topic->logs[k].end; i++) {
                listen_to_answer(model, &answered, topic->logs[k].entries[i].message.value);
            }
        }
    }
    for (uint32_t i = 0; i < model->customers->record_count; i++) {
        const struct sim_record *record = &model->customers->records[i];
        if (record->class == SIM_PREVIEW) {
            sim_map_put(&asked, loy_str(record->event_id), 1);
            if (sim_map_find(&answered, loy_str(record->event_id)) < 0) {
                sim_model_fail(model, "preview %s was not answered", record->event_id);
            }
        }
    }
    if (answered.used > asked.used) {
        sim_model_fail(model, "%u previews were answered of %u", answered.used, asked.used);
    }
    sim_map_fini(&answered);
    sim_map_fini(&asked);
}

void sim_model_check_outcomes(struct sim_model *model)
{
    struct said said = {0};
    bool says = listen(model, &said);
    index_identities(model);
    for (uint16_t topic = 0; topic < model->broker->input_count; topic++) {
        for (int32_t k = 0; k < model->broker->partitions; k++) {
            check_log(model, &said, says, topic, k);
        }
    }
    check_forwarded(model);
    check_previews(model);
    sim_map_fini(&said.by_position);
}

/* --- dead letters --- */

static bool has_value(const struct loy_bus_message *message, struct loy_str value)
{
    return message->has_value && loy_str_equal(message->value, value);
}

static const struct fake_topic *dead_letters(const struct sim_model *model)
{
    for (int t = 0; t < model->broker->topic_count; t++) {
        if (loy_str_equal(model->broker->topics[t].name, LOY_STR("dead-letters"))) {
            return &model->broker->topics[t];
        }
    }
    return NULL;
}

static bool is_dead_letter(const struct sim_model *model, const struct sim_record *record)
{
    const struct fake_topic *topic = dead_letters(model);
    for (int32_t k = 0; topic && k < model->broker->partitions; k++) {
        for (int64_t i = 0; i < topic->logs[k].end; i++) {
            const struct loy_bus_message *message = &topic->logs[k].entries[i].message;
            if (has_value(message, record->message.value) && message->has_key == record->message.has_key &&
                loy_str_equal(message->key, record->message.key)) {
                return true;
            }
        }
    }
    return false;
}

/* Every rejected record is there, bytes and key untouched; and nothing else is (I8). */
void sim_model_check_dead_letters(struct sim_model *model)
{
    struct sim_map rejected = {0};
    for (uint32_t i = 0; i < model->customers->record_count; i++) {
        const struct sim_record *record = &model->customers->records[i];
        if (outcome_of(model, record, record->home, 0) != LOY_OUTCOME_REJECTED) {
            continue;
        }
        sim_map_put(&rejected, record->message.value, 1);
        if (!is_dead_letter(model, record)) {
            sim_model_fail(model, "record %d/%d@%" PRId64 " was rejected and is no dead letter", record->at.topic,
                           record->at.partition, record->at.offset);
        }
    }
    const struct fake_topic *topic = dead_letters(model);
    for (int32_t k = 0; topic && k < model->broker->partitions; k++) {
        for (int64_t i = 0; i < topic->logs[k].end; i++) {
            if (sim_map_find(&rejected, topic->logs[k].entries[i].message.value) < 0) {
                sim_model_fail(model, "I8: dead letter %d@%" PRId64 " is of a record that is right", k, i);
            }
        }
    }
    sim_map_fini(&rejected);
}
