/* One client: its consumer and its producer. */
#include "sim/fake_bus.h"

#include "base/hash.h"

#include <stdlib.h>

enum {
    REPORT_DELAY_US = 5000000,
    ZOMBIE_US = 20000000, /* what a dead producer had under way arrives within this */
};

/* --- the consumer: events of the group --- */

static void list_owned(struct fake_bus *bus, struct loy_bus_event *event)
{
    event->partitions = bus->told;
    event->partition_count = 0;
    for (int32_t k = 0; k < bus->broker->partitions; k++) {
        if (bus->owns[k]) {
            bus->told[event->partition_count++] = k;
        }
    }
}

static bool poll_group(struct fake_bus *bus, struct loy_bus_event *event)
{
    struct sim_world *world = bus->broker->world;
    if (bus->expired && bus->lost_at_us <= world->now_us && bus->step != FAKE_TO_LOSE && bus->step != FAKE_LOSING) {
        /* An assignment that it was never told of needs no answer, and neither has it anything to lose. */
        if (bus->step == FAKE_TO_ASSIGN) {
            memset(bus->owns, 0, sizeof bus->owns);
        }
        bus->step = FAKE_TO_LOSE;
    }
    switch (bus->step) {
    case FAKE_TO_ASSIGN:
        bus->step = FAKE_HOLDS;
        memset(bus->started, 0, sizeof bus->started);
        event->kind = LOY_BUS_ASSIGNED;
        list_owned(bus, event);
        sim_say(world, bus->name, "assigned %u partitions", event->partition_count);
        return true;
    case FAKE_TO_REVOKE:
        bus->step = FAKE_REVOKING;
        event->kind = LOY_BUS_REVOKED;
        list_owned(bus, event);
        sim_happened(world, SIM_REVOKED);
        sim_say(world, bus->name, "revoked %u partitions", event->partition_count);
        return true;
    case FAKE_TO_LOSE:
        bus->step = FAKE_LOSING;
        bus->expired = false;
        event->kind = LOY_BUS_LOST;
        list_owned(bus, event);
        sim_happened(world, SIM_LOST);
        sim_say(world, bus->name, "lost %u partitions", event->partition_count);
        return true;
    case FAKE_HOLDS:
    case FAKE_REVOKING:
    case FAKE_LOSING:
        return false;
    }
    return false;
}

static void bus_revoke_done(void *self)
{
    struct fake_bus *bus = self;
    sim_touch(bus->broker->world);
    if (bus->step != FAKE_REVOKING && bus->step != FAKE_LOSING) {
        return;
    }
    bus->wants_join = bus->step == FAKE_LOSING || bus->expired;
    bus->expired = false;
    bus->step = FAKE_HOLDS;
    memset(bus->owns, 0, sizeof bus->owns);
    memset(bus->started, 0, sizeof bus->started);
    fake_bus_rejoin(bus);
    fake_group_step(bus->broker);
}

/* --- the consumer: records --- */

/* What a client reads after it was told not to, it reads as nonsense. */
static void forget_record(struct fake_bus *bus)
{
    if (bus->record_bytes) {
        memset(bus->record_bytes, 0xdb, bus->record_size);
    }
    free(bus->record_bytes);
    free(bus->record_headers);
    bus->record_bytes = NULL;
    bus->record_headers = NULL;
}

static struct loy_str put_bytes(char **at, struct loy_str text)
{
    struct loy_str copy = {*at, text.len};
    if (text.len > 0) {
        memcpy(*at, text.at, text.len);
    }
    *at += text.len;
    return copy;
}

static void hand_out(struct fake_bus *bus, const struct fake_entry *entry, struct loy_position position,
                     struct loy_bus_event *event)
{
    const struct loy_bus_message *message = &entry->message;
    size_t size = message->key.len + message->value.len + 1;
    for (uint32_t i = 0; i < message->header_count; i++) {
        size += message->headers[i].name.len + message->headers[i].value.len;
    }
    bus->record_bytes = sim_grow(NULL, size, 1);
    bus->record_size = size;
    bus->record_headers = sim_grow(NULL, message->header_count, sizeof *bus->record_headers);
    char *at = bus->record_bytes;
    event->kind = LOY_BUS_RECORD;
    event->position = position;
    event->record = (struct loy_record){.position = position,
                                        .timestamp_us = entry->timestamp_us,
                                        .has_key = message->has_key,
                                        .has_value = message->has_value,
                                        .key = put_bytes(&at, message->key),
                                        .value = put_bytes(&at, message->value),
                                        .headers = bus->record_headers,
                                        .header_count = message->header_count};
    for (uint32_t i = 0; i < message->header_count; i++) {
        bus->record_headers[i].name = put_bytes(&at, message->headers[i].name);
        bus->record_headers[i].value =
            message->headers[i].value.at ? put_bytes(&at, message->headers[i].value) : (struct loy_str){0};
    }
}

/* A client that loses a record now and then finds it when it seeks back. */
static bool skipped(struct fake_bus *bus, struct fake_fetch *fetch)
{
    struct sim_world *world = bus->broker->world;
    if (fetch->next < fetch->sure_until || !sim_chance(world, world->faults.fetch_skip)) {
        return false;
    }
    sim_happened(world, SIM_FETCH_SKIPPED);
    fetch->next++;
    return true;
}

static bool poll_log(struct fake_bus *bus, int16_t topic, int32_t k, struct loy_bus_event *event)
{
    const struct fake_log *log = &bus->broker->topics[topic].logs[k];
    struct fake_fetch *fetch = &bus->fetches[topic][k];
    while (fetch->next < log->end) {
        if (log->entries[fetch->next].is_gap) {
            fetch->next++;
        } else if (!skipped(bus, fetch)) {
            break;
        }
    }
    struct loy_position position = {topic, k, fetch->next};
    if (fetch->next < log->end) {
        hand_out(bus, &log->entries[fetch->next], position, event);
        fetch->next++;
        fetch->end_told = -1;
        return true;
    }
    if (fetch->end_told == fetch->next) {
        return false;
    }
    fetch->end_told = fetch->next;
    event->kind = LOY_BUS_END;
    event->position = position;
    return true;
}

static bool may_fetch(struct fake_bus *bus, int32_t k)
{
    struct sim_world *world = bus->broker->world;
    if (!bus->owns[k] || !bus->started[k]) {
        return false;
    }
    if (bus->step == FAKE_REVOKING || bus->step == FAKE_LOSING) {
        return sim_chance(world, world->faults.revoke_late_record);
    }
    return true;
}

static bool poll_records(struct fake_bus *bus, struct loy_bus_event *event)
{
    struct sim_world *world = bus->broker->world;
    if (bus->broker->down) {
        return false;
    }
    uint32_t slots = (uint32_t)bus->broker->partitions * bus->broker->input_count;
    uint32_t first = bus->next_k + (world->faults.fetch_delay > 0 ? (uint32_t)sim_below(world, slots) : 0);
    for (uint32_t i = 0; i < slots; i++) {
        uint32_t slot = (first + i) % slots;
        int16_t topic = (int16_t)(slot % bus->broker->input_count);
        int32_t k = (int32_t)(slot / bus->broker->input_count);
        if (bus->fetches[topic][k].paused || !may_fetch(bus, k)) {
            continue;
        }
        if (sim_chance(world, world->faults.fetch_delay)) {
            sim_happened(world, SIM_FETCH_DELAYED);
            continue;
        }
        if (poll_log(bus, topic, k, event)) {
            bus->next_k = slot;
            if (bus->step != FAKE_HOLDS) {
                sim_happened(world, SIM_LATE_RECORD);
            }
            return true;
        }
    }
    return false;
}

static enum loy_err bus_assign(void *self, const struct loy_bus_start *starts, uint32_t count, struct loy_error *error)
{
    struct fake_bus *bus = self;
    sim_touch(bus->broker->world);
    for (uint32_t i = 0; i < count; i++) {
        int32_t k = starts[i].k;
        if (k < 0 || k >= bus->broker->partitions || !bus->owns[k] || bus->step == FAKE_TO_ASSIGN) {
            return loy_error_set(error, LOY_ERR_INTERNAL, "assign: partition %d is not ours", k);
        }
        bus->started[k] = true;
        for (uint16_t topic = 0; topic < bus->broker->input_count; topic++) {
            bus->fetches[topic][k] = (struct fake_fetch){starts[i].next_offset[topic], -1, -1, false};
        }
    }
    return LOY_OK;
}

static void set_paused(struct fake_bus *bus, int32_t k, int16_t topic, bool paused)
{
    for (int16_t i = 0; i < (int16_t)bus->broker->input_count; i++) {
        if (topic < 0 || topic == i) {
            bus->fetches[i][k].paused = paused;
        }
    }
}

static void bus_pause(void *self, int32_t k, int16_t topic)
{
    set_paused(self, k, topic, true);
}

static void bus_resume(void *self, int32_t k, int16_t topic)
{
    set_paused(self, k, topic, false);
}

static enum loy_err bus_seek(void *self, struct loy_position to, struct loy_error *error)
{
    struct fake_bus *bus = self;
    sim_touch(bus->broker->world);
    if (!bus->owns[to.partition] || !bus->started[to.partition]) {
        return loy_error_set(error, LOY_ERR_INTERNAL, "seek: partition %d is not ours", to.partition);
    }
    struct fake_fetch *fetch = &bus->fetches[to.topic][to.partition];
    if (to.offset < fetch->next) {
        sim_happened(bus->broker->world, SIM_SEEK_BACK);
        sim_say(bus->broker->world, bus->name, "seeks back in %d/%d from %lld to %lld", to.topic, to.partition,
                (long long)fetch->next, (long long)to.offset);
    }
    fetch->sure_until = fetch->next > fetch->sure_until ? fetch->next : fetch->sure_until;
    fetch->next = to.offset;
    fetch->end_told = -1;
    return LOY_OK;
}

static void bus_report_progress(void *self, const struct loy_bus_start *at, uint32_t count)
{
    struct fake_bus *bus = self;
    sim_touch(bus->broker->world);
    for (uint32_t i = 0; i < count; i++) {
        for (uint16_t topic = 0; topic < bus->broker->input_count; topic++) {
            bus->progress[topic][at[i].k] = at[i].next_offset[topic];
        }
    }
}

/* --- the producer --- */

void fake_bus_report(struct fake_bus *bus, uint64_t cookie, bool delivered)
{
    struct sim_world *world = bus->broker->world;
    if (bus->report_count == FAKE_REPORTS_MAX) {
        abort();
    }
    int64_t at_us = world->now_us;
    if (sim_chance(world, world->faults.report_delay)) {
        sim_happened(world, SIM_REPORT_DELAYED);
        at_us += sim_between(world, 0, REPORT_DELAY_US);
    }
    bus->reports[(bus->report_first + bus->report_count++) % FAKE_REPORTS_MAX] =
        (struct fake_report){cookie, delivered, at_us};
}

static bool poll_reports(struct fake_bus *bus, struct loy_bus_event *event)
{
    const struct fake_report *report = &bus->reports[bus->report_first % FAKE_REPORTS_MAX];
    if (bus->report_count == 0 || report->at_us > bus->broker->world->now_us) {
        return false;
    }
    bus->report_first++;
    bus->report_count--;
    bus->produced--;
    event->kind = report->delivered ? LOY_BUS_DELIVERED : LOY_BUS_UNDELIVERED;
    event->cookie = report->cookie;
    event->count = 1;
    sim_say(bus->broker->world, bus->name, "is told of a message that %s", report->delivered ? "arrived" : "failed");
    if (!report->delivered) {
        loy_error_set(&event->error, LOY_ERR_UNAVAILABLE, "simulated: delivery failed");
    }
    return true;
}

static void copy_flight(struct sim_pool *pool, struct fake_flight *flight, const struct loy_bus_message *message)
{
    flight->message = *message;
    flight->message.topic = sim_copy(pool, message->topic);
    flight->message.key = sim_copy(pool, message->has_key ? message->key : (struct loy_str){0});
    flight->message.value = sim_copy(pool, message->has_value ? message->value : (struct loy_str){0});
    struct loy_header *headers = sim_alloc(pool, message->header_count * sizeof *headers);
    for (uint32_t i = 0; i < message->header_count; i++) {
        headers[i].name = sim_copy(pool, message->headers[i].name);
        headers[i].value =
            message->headers[i].value.at ? sim_copy(pool, message->headers[i].value) : (struct loy_str){0};
    }
    flight->message.headers = headers;
}

static enum loy_err produce(struct fake_bus *bus, const struct loy_bus_message *message, bool borrows, uint64_t cookie,
                            struct loy_error *error)
{
    sim_touch(bus->broker->world);
    struct sim_world *world = bus->broker->world;
    if (message->partition >= bus->broker->partitions) {
        return loy_error_set(error, LOY_ERR_MISMATCH, "topic %.*s has no partition %d", LOY_STR_ARG(message->topic),
                             message->partition);
    }
    if (bus->produced == FAKE_REPORTS_MAX || sim_chance(world, world->faults.produce_full)) {
        sim_happened(world, SIM_PRODUCE_FULL);
        return loy_error_set(error, LOY_ERR_AGAIN, "the producer's queue is full");
    }
    struct fake_flight *flight = calloc(1, sizeof *flight);
    if (!flight) {
        abort();
    }
    copy_flight(&world->pool, flight, message);
    flight->borrowed = borrows ? message->value.at : NULL;
    flight->bus = bus;
    flight->producer = bus->name;
    flight->produced_us = world->now_us;
    flight->cookie = cookie;
    int64_t at_us = sim_soon(world);
    flight->arrive_at_us = at_us > bus->last_delivery_us ? at_us : bus->last_delivery_us;
    bus->last_delivery_us = flight->arrive_at_us;
    flight->arrives = sim_chance(world, world->faults.delivery_fail_late);
    flight->fails = flight->arrives || sim_chance(world, world->faults.delivery_fail);
    struct fake_flight **at = &bus->broker->flights;
    while (*at) {
        at = &(*at)->next;
    }
    *at = flight;
    bus->produced++;
    return LOY_OK;
}

static enum loy_err bus_produce(void *self, const struct loy_bus_message *message, uint64_t cookie,
                                struct loy_error *error)
{
    return produce(self, message, false, cookie, error);
}

static enum loy_err bus_produce_many(void *self, const struct loy_bus_message *messages, uint32_t count,
                                     uint64_t cookie, uint32_t *ret_taken, struct loy_error *error)
{
    enum loy_err err = LOY_OK;
    *ret_taken = 0;
    while (!err && *ret_taken < count) {
        err = produce(self, &messages[*ret_taken], true, cookie, error);
        *ret_taken += !err;
    }
    return err;
}

/* Each message has its own time to arrive, from the moment that it was produced. */
static void bus_send_now(void *self)
{
    (void)self;
}

/* Messages under way of a producer that is no more: most are gone, some arrive when nobody expects them. */
static void orphan_flights(struct fake_bus *bus)
{
    struct sim_world *world = bus->broker->world;
    struct fake_flight **at = &bus->broker->flights;
    bool lives = sim_chance(world, world->faults.zombie_delivery);
    int64_t by_us = world->now_us + (lives ? sim_between(world, 0, ZOMBIE_US) : 0);
    while (*at) {
        struct fake_flight *flight = *at;
        if (flight->bus != bus) {
            at = &flight->next;
        } else if (lives && !flight->fails && !bus->producer_failed) {
            /* In order, and from some point on none at all. */
            flight->bus = NULL;
            flight->arrive_at_us = by_us;
            lives = !sim_chance(world, 200);
            at = &flight->next;
        } else {
            /* The broker takes nothing of a producer that comes after what it has not got. */
            lives = false;
            *at = flight->next;
            free(flight);
        }
    }
}

static enum loy_err bus_rebuild_producer(void *self, struct loy_error *error)
{
    (void)error;
    struct fake_bus *bus = self;
    sim_touch(bus->broker->world);
    for (const struct fake_flight *flight = bus->broker->flights; flight; flight = flight->next) {
        if (flight->bus == bus) {
            fake_flight_check(flight);
        }
    }
    orphan_flights(bus);
    bus->report_first = 0;
    bus->report_count = 0;
    bus->produced = 0;
    bus->producer_failed = false;
    bus->last_delivery_us = 0;
    sim_happened(bus->broker->world, SIM_PRODUCER_REBUILT);
    sim_say(bus->broker->world, bus->name, "rebuilds its producer");
    return LOY_OK;
}

/* --- the port --- */

static void bus_poll(void *self, struct loy_bus_event *ret_event)
{
    struct fake_bus *bus = self;
    sim_touch(bus->broker->world);
    struct sim_world *world = bus->broker->world;
    forget_record(bus);
    memset(bus->told, 0xdb, sizeof bus->told);
    bus->last_poll_us = world->now_us;
    fake_bus_rejoin(bus);
    fake_broker_run(bus->broker);
    *ret_event = (struct loy_bus_event){.kind = LOY_BUS_NOTHING};
    if (sim_chance(world, world->faults.bus_error)) {
        sim_happened(world, SIM_BUS_ERROR);
        ret_event->kind = LOY_BUS_ERROR;
        loy_error_set(&ret_event->error, LOY_ERR_UNAVAILABLE, "simulated: a broker cannot be reached");
        return;
    }
    if (poll_group(bus, ret_event) || poll_reports(bus, ret_event)) {
        return;
    }
    poll_records(bus, ret_event);
}

static int bus_wake_fd(void *self)
{
    (void)self;
    return -1;
}

void fake_bus_kill(struct fake_bus *bus)
{
    forget_record(bus);
    orphan_flights(bus);
    /* The group does not know yet: a grave keeps the member's place until its session expires. */
}

void fake_bus_fini(struct fake_bus *bus)
{
    fake_bus_kill(bus);
    fake_group_leave(bus->broker, bus);
    fake_group_step(bus->broker);
}

struct loy_bus fake_bus_port(struct fake_bus *bus)
{
    return (struct loy_bus){.poll = bus_poll,
                            .assign = bus_assign,
                            .revoke_done = bus_revoke_done,
                            .pause = bus_pause,
                            .resume = bus_resume,
                            .seek = bus_seek,
                            .produce = bus_produce,
                            .produce_many = bus_produce_many,
                            .send_now = bus_send_now,
                            .rebuild_producer = bus_rebuild_producer,
                            .report_progress = bus_report_progress,
                            .wake_fd = bus_wake_fd,
                            .self = bus};
}
