#include "runtime/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t read_clock_us(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t monotonic_us(void *self)
{
    (void)self;
    return read_clock_us(CLOCK_MONOTONIC);
}

static int64_t wall_us(void *self)
{
    (void)self;
    return read_clock_us(CLOCK_REALTIME);
}

struct loy_clock loy_clock_of_system(void)
{
    return (struct loy_clock){monotonic_us, wall_us, NULL};
}
