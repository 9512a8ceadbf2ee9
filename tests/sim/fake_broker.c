/* The cluster: logs, the group, and messages under way. */
#include "sim/fake_bus.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_AGE_US = 5000000 };

/* --- logs --- */

static struct fake_entry *log_extend(struct fake_log *log)
{
    if (log->end == log->capacity) {
        log->capacity = log->capacity * 2 + 16;
        log->entries = sim_grow(log->entries, (size_t)log->capacity, sizeof *log->entries);
    }
    struct fake_entry *entry = &log->entries[log->end++];
    *entry = (struct fake_entry){.producer = ""};
    return entry;
}

static void copy_message(struct sim_pool *pool, const struct loy_bus_message *from, struct loy_bus_message *to)
{
    *to = *from;
    to->topic = sim_copy(pool, from->topic);
    to->key = sim_copy(pool, from->key);
    to->value = sim_copy(pool, from->value);
    struct loy_header *headers = sim_alloc(pool, from->header_count * sizeof *headers);
    for (uint32_t i = 0; i < from->header_count; i++) {
        headers[i].name = sim_copy(pool, from->headers[i].name);
        headers[i].value = sim_copy(pool, from->headers[i].value);
        if (!from->headers[i].value.at) {
            headers[i].value.at = NULL;
        }
    }
    to->headers = headers;
}

uint16_t fake_broker_topic(struct fake_broker *broker, struct loy_str name)
{
    for (uint16_t i = 0; i < broker->topic_count; i++) {
        if (loy_str_equal(broker->topics[i].name, name)) {
            return i;
        }
    }
    if (broker->topic_count == FAKE_TOPICS_MAX) {
        fprintf(stderr, "fake broker: too many topics\n");
        abort();
    }
    broker->topics[broker->topic_count].name = sim_copy(&broker->world->pool, name);
    return broker->topic_count++;
}

static struct loy_position append(struct fake_broker *broker, const struct loy_bus_message *message,
                                  int64_t timestamp_us, const char *producer)
{
    uint16_t topic = fake_broker_topic(broker, message->topic);
    int32_t partition = message->partition;
    if (partition < 0) {
        partition = message->has_key ? loy_partition_of(message->key, broker->partitions) : 0;
    }
    if (partition >= broker->partitions) {
        fprintf(stderr, "fake broker: partition %d of %d\n", partition, broker->partitions);
        abort();
    }
    struct fake_log *log = &broker->topics[topic].logs[partition];
    struct fake_entry *entry = log_extend(log);
    copy_message(&broker->world->pool, message, &entry->message);
    entry->message.partition = partition;
    entry->timestamp_us = timestamp_us;
    entry->producer = producer;
    return (struct loy_position){(int16_t)topic, partition, log->end - 1};
}

struct loy_position fake_broker_append(struct fake_broker *broker, const struct loy_bus_message *message,
                                       int64_t timestamp_us)
{
    return append(broker, message, timestamp_us, "");
}

void fake_broker_append_gap(struct fake_broker *broker, uint16_t topic, int32_t partition)
{
    log_extend(&broker->topics[topic].logs[partition])->is_gap = true;
}

void fake_broker_init(struct fake_broker *broker, struct sim_world *world, const struct loy_str *inputs,
                      uint16_t input_count, int32_t partitions)
{
    if (partitions > FAKE_PARTITIONS_MAX) {
        abort();
    }
    *broker = (struct fake_broker){
        .world = world, .partitions = partitions, .input_count = input_count, .session_timeout_us = 10000000};
    for (uint16_t i = 0; i < input_count; i++) {
        fake_broker_topic(broker, inputs[i]);
    }
}

void fake_broker_fini(struct fake_broker *broker)
{
    for (uint16_t i = 0; i < broker->topic_count; i++) {
        for (int32_t k = 0; k < broker->partitions; k++) {
            free(broker->topics[i].logs[k].entries);
        }
    }
    while (broker->flights) {
        struct fake_flight *next = broker->flights->next;
        free(broker->flights);
        broker->flights = next;
    }
}

/* --- messages under way --- */

/* A real producer reads the value where its caller has it, whenever it likes. What was freed is not what it was:
 * sim_main has freed memory filled. */
void fake_flight_check(const struct fake_flight *flight)
{
    struct loy_str value = flight->message.value;
    if (flight->bus && flight->borrowed && memcmp(flight->borrowed, value.at, value.len) != 0) {
        (void)fprintf(stderr, "sim: a value that is under way was freed or changed\n");
        abort();
    }
}

static void land(struct fake_broker *broker, struct fake_flight *flight)
{
    fake_flight_check(flight);
    bool failed = flight->fails || (flight->bus && flight->bus->producer_failed);
    bool arrives = !failed || (flight->arrives && !(flight->bus && flight->bus->producer_failed));
    if (flight->bus && failed) {
        flight->bus->producer_failed = true;
        sim_happened(broker->world, arrives ? SIM_DELIVERY_FAILED_LATE : SIM_DELIVERY_FAILED);
        sim_say(broker->world, flight->producer, "message to %.*s fails%s", LOY_STR_ARG(flight->message.topic),
                arrives ? ", though the broker has it" : "");
    }
    if (!flight->bus && arrives) {
        bool refused = loy_str_equal(flight->message.topic, broker->guarded) &&
                       broker->world->now_us - flight->produced_us > GUARD_AGE_US;
        sim_happened(broker->world, refused ? SIM_ZOMBIE_REFUSED : SIM_ZOMBIE_DELIVERY);
        arrives = !refused;
    }
    if (arrives) {
        struct loy_position at = append(broker, &flight->message, broker->world->now_us, flight->producer);
        broker->topics[at.topic].logs[at.partition].entries[at.offset].is_zombie = !flight->bus;
        sim_say(broker->world, flight->producer, "message arrives: %.*s/%d@%lld key %.*s%s",
                LOY_STR_ARG(flight->message.topic), at.partition, (long long)at.offset,
                LOY_STR_ARG(flight->message.key), flight->bus ? "" : " (of a dead producer)");
        if (broker->on_append) {
            broker->on_append(broker->on_append_context, (uint16_t)at.topic, at.partition, at.offset);
        }
    }
    if (flight->bus) {
        fake_bus_report(flight->bus, flight->cookie, !failed);
    }
}

static void run_flights(struct fake_broker *broker)
{
    while (!broker->down) {
        struct fake_flight **at = &broker->flights;
        while (*at && (*at)->arrive_at_us > broker->world->now_us) {
            at = &(*at)->next;
        }
        struct fake_flight *flight = *at;
        if (!flight) {
            return;
        }
        *at = flight->next;
        land(broker, flight);
        free(flight);
    }
}

/* --- the group --- */

static void assign_range(struct fake_broker *broker)
{
    int32_t members = (int32_t)broker->member_count;
    int32_t each = broker->partitions / members, more = broker->partitions % members;
    int32_t k = 0;
    for (int32_t i = 0; i < members; i++) {
        struct fake_bus *bus = broker->members[i];
        memset(bus->owns, 0, sizeof bus->owns);
        for (int32_t n = each + (i < more); n > 0; n--) {
            bus->owns[k++] = true;
        }
        bus->step = FAKE_TO_ASSIGN;
    }
    sim_happened(broker->world, SIM_REBALANCE);
    sim_say(broker->world, "group", "rebalanced over %d members", members);
}

static bool holds_any(const struct fake_bus *bus)
{
    for (int k = 0; k < FAKE_PARTITIONS_MAX; k++) {
        if (bus->owns[k]) {
            return true;
        }
    }
    return false;
}

static void start_rebalance(struct fake_broker *broker)
{
    broker->rebalancing = true;
    for (uint32_t i = 0; i < broker->member_count; i++) {
        struct fake_bus *bus = broker->members[i];
        if (bus->step == FAKE_TO_ASSIGN) {
            /* It was never told: nothing to give back. */
            memset(bus->owns, 0, sizeof bus->owns);
            bus->step = FAKE_HOLDS;
        } else if (bus->step == FAKE_HOLDS && holds_any(bus)) {
            bus->step = FAKE_TO_REVOKE;
        }
    }
}

static void expire(struct fake_broker *broker, struct fake_bus *bus)
{
    sim_happened(broker->world, SIM_SESSION_EXPIRED);
    sim_say(broker->world, "group", "session of %s expired", bus->name);
    fake_group_leave(broker, bus);
    bus->expired = true;
    bus->lost_at_us = sim_soon(broker->world);
}

void fake_group_leave(struct fake_broker *broker, struct fake_bus *bus)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < broker->member_count; i++) {
        if (broker->members[i] != bus) {
            broker->members[kept++] = broker->members[i];
        }
    }
    if (kept != broker->member_count) {
        broker->member_count = kept;
        bus->joined = false;
        start_rebalance(broker);
    }
}

void fake_group_step(struct fake_broker *broker)
{
    if (!broker->rebalancing || broker->down) {
        return;
    }
    for (uint32_t i = 0; i < broker->member_count; i++) {
        if (broker->members[i]->step != FAKE_HOLDS || holds_any(broker->members[i])) {
            return;
        }
    }
    broker->rebalancing = false;
    if (broker->member_count > 0) {
        assign_range(broker);
    }
}

static void expire_sessions(struct fake_broker *broker)
{
    for (uint32_t i = 0; i < broker->member_count; i++) {
        struct fake_bus *bus = broker->members[i];
        if (broker->world->now_us - bus->last_poll_us > broker->session_timeout_us) {
            expire(broker, bus);
            i = UINT32_MAX; /* the list has changed: from its start again */
        }
    }
}

void fake_bus_expire(struct fake_bus *bus)
{
    if (bus->joined) {
        expire(bus->broker, bus);
    }
}

static void join(struct fake_broker *broker, struct fake_bus *bus)
{
    if (broker->member_count == FAKE_MEMBERS_MAX) {
        abort();
    }
    uint32_t at = broker->member_count++;
    while (at > 0 && strcmp(broker->members[at - 1]->name, bus->name) > 0) {
        broker->members[at] = broker->members[at - 1];
        at--;
    }
    broker->members[at] = bus;
    bus->joined = true;
    bus->wants_join = false;
    start_rebalance(broker);
}

void fake_bus_init(struct fake_bus *bus, struct fake_broker *broker, const char *name)
{
    memset(bus, 0, sizeof *bus);
    bus->broker = broker;
    bus->name = name;
    bus->last_poll_us = broker->world->now_us;
    join(broker, bus);
}

void fake_bus_rejoin(struct fake_bus *bus)
{
    if (bus->wants_join && !bus->broker->down) {
        join(bus->broker, bus);
    }
}

void fake_broker_run(struct fake_broker *broker)
{
    run_flights(broker);
    if (!broker->down) {
        expire_sessions(broker);
        fake_group_step(broker);
    }
}

int64_t fake_broker_next_us(const struct fake_broker *broker)
{
    int64_t next = INT64_MAX;
    for (const struct fake_flight *flight = broker->flights; flight; flight = flight->next) {
        next = flight->arrive_at_us < next ? flight->arrive_at_us : next;
    }
    return next;
}
