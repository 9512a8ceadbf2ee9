/* The contract of the bus on the simulated one: the same histories as on a broker. */
#include "contract/contract_bus.h"

#include "sim/fake_bus.h"

#include <stdlib.h>

enum { GRAVES_MAX = 64 };

struct bench {
    struct sim_world world;
    struct fake_broker broker;
    struct fake_bus *members[GRAVES_MAX]; /* those who left, too */
    int member_count;
    bool made;
};

static void clear(struct bench *bench)
{
    if (bench->made) {
        fake_broker_fini(&bench->broker);
        sim_world_fini(&bench->world);
    }
    for (int i = 0; i < bench->member_count; i++) {
        free(bench->members[i]);
    }
    bench->member_count = 0;
    bench->made = false;
}

static const struct loy_str *begin(void *self, int history)
{
    static const struct loy_str inputs[CONTRACT_TOPICS] = {{"events", 6}, {"internal", 8}, {"ticks", 5}};
    struct bench *bench = self;
    (void)history;
    clear(bench);
    sim_world_init(&bench->world, 1);
    bench->world.wire_us = 1000;
    fake_broker_init(&bench->broker, &bench->world, inputs, CONTRACT_TOPICS, CONTRACT_PARTITIONS);
    bench->made = true;
    return inputs;
}

static struct loy_bus join(void *self)
{
    struct bench *bench = self;
    struct fake_bus *bus = calloc(1, sizeof *bus);
    if (!bus || bench->member_count == GRAVES_MAX) {
        abort();
    }
    fake_bus_init(bus, &bench->broker, bench->member_count % 2 ? "b" : "a");
    bench->members[bench->member_count++] = bus;
    return fake_bus_port(bus);
}

static void leave(void *self, struct loy_bus bus)
{
    (void)self;
    fake_bus_fini(bus.self);
}

static void wait_for(void *self, const struct loy_bus *buses, int count)
{
    (void)buses;
    (void)count;
    struct bench *bench = self;
    bench->world.now_us += 50000;
    fake_broker_run(&bench->broker);
}

int main(void)
{
    static struct bench bench;
    const struct contract_bus_world world = {
        .self = &bench, .begin = begin, .join = join, .leave = leave, .wait = wait_for, .patience = 200};
    int failed = contract_bus_run(&world, NULL);
    clear(&bench);
    return failed ? 1 : 0;
}
