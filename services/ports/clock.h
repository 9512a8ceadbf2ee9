/* Clock port: timers, and the bound of an arrival. Never decides anything (see engine/engine.h). */
#ifndef LOY_PORTS_CLOCK_H
#define LOY_PORTS_CLOCK_H

#include <stdint.h>

struct loy_clock {
    int64_t (*monotonic_us)(void *self); /* for time-outs and back-off */
    int64_t (*wall_us)(void *self);      /* since 1970, UTC */
    void *self;
};

#endif
