#include "runtime/backoff.h"

#include <assert.h>

void loy_backoff_init(struct loy_backoff *backoff, int64_t min_us, int64_t max_us, uint64_t seed)
{
    assert(min_us > 0 && min_us <= max_us);
    *backoff = (struct loy_backoff){.min_us = min_us, .max_us = max_us, .random = seed};
}

/* SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators"): any seed will do. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

int64_t loy_backoff_next_us(struct loy_backoff *backoff)
{
    if (backoff->failures < 62) {
        backoff->failures++;
    }
    int64_t limit = backoff->max_us;
    if (backoff->min_us <= backoff->max_us >> backoff->failures) {
        limit = backoff->min_us << backoff->failures;
    }
    return backoff->min_us + (int64_t)(draw(&backoff->random) % (uint64_t)(limit - backoff->min_us + 1));
}

void loy_backoff_reset(struct loy_backoff *backoff)
{
    backoff->failures = 0;
}
