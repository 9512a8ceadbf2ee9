/* Back-off: how long to wait before the next attempt, doubling up to a limit, drawn at random ("full jitter") so that
 * many workers that failed together do not come back together.
 *
 * Pure: the seed is the caller's. One thread. Test: tests/unit/test_runtime_backoff.c. */
#ifndef LOY_RUNTIME_BACKOFF_H
#define LOY_RUNTIME_BACKOFF_H

#include <stdint.h>

struct loy_backoff {
    int64_t min_us;
    int64_t max_us;
    uint64_t random; /* state */
    uint32_t failures;
};

/* 0 < min_us <= max_us. */
void loy_backoff_init(struct loy_backoff *backoff, int64_t min_us, int64_t max_us, uint64_t seed);
/* After a failure: evenly drawn from [min_us, min(max_us, min_us × 2^failures)]. */
int64_t loy_backoff_next_us(struct loy_backoff *backoff);
/* After a success. */
void loy_backoff_reset(struct loy_backoff *backoff);

#endif
