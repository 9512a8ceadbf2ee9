/* Run: one simulated history from a seed, and whether everything that must hold did. */
#ifndef LOY_TESTS_SIM_RUN_H
#define LOY_TESTS_SIM_RUN_H

#include "sim/world.h"

struct sim_options {
    uint64_t seed;
    uint32_t steps; /* of the part with faults */
    bool trace;
};

/* True when nothing failed; failures are printed. Adds what happened to counts. */
bool sim_run(const struct sim_options *options, uint64_t counts[SIM_HAPPENING_COUNT]);

#endif
