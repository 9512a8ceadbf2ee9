/* What every bus must do, as histories that run on any implementation of the port: adapters/kafka on a broker
 * (contract_bus_kafka.c) and the simulated bus. One thread. */
#ifndef LOY_TESTS_CONTRACT_CONTRACT_BUS_H
#define LOY_TESTS_CONTRACT_CONTRACT_BUS_H

#include "ports/bus.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONTRACT_TOPICS = 3, CONTRACT_PARTITIONS = 4 };

/* How a history gets its members and lets time pass. */
struct contract_bus_world {
    void *self;
    /* A group of its own, and CONTRACT_TOPICS empty input topics of CONTRACT_PARTITIONS partitions, for the history
     * that starts now. */
    const struct loy_str *(*begin)(void *self, int history);
    /* One more member of the group; false in ret_bus->poll's place never: exits when it cannot. */
    struct loy_bus (*join)(void *self);
    /* The member leaves in good order. */
    void (*leave)(void *self, struct loy_bus bus);
    /* Returns when one of the buses may have something, or some time later. */
    void (*wait)(void *self, const struct loy_bus *buses, int count);
    int patience; /* waits until a history gives up */
};

/* Runs all histories (or the one named), says `ok name` or `FAILED name: why` of each. Returns how many failed. */
int contract_bus_run(const struct contract_bus_world *world, const char *only);
int contract_bus_count(void);
const char *contract_bus_name(int history);

#endif
