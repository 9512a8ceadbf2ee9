/* The system's clocks behind the clock port. Any thread. Test: tests/unit/test_runtime_backoff.c. */
#ifndef LOY_RUNTIME_CLOCK_H
#define LOY_RUNTIME_CLOCK_H

#include "ports/clock.h"

struct loy_clock loy_clock_of_system(void);

#endif
