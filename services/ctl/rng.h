/* Random numbers from a seed: splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
 *
 * The same seed gives the same numbers on any machine; not for secrets. Pure; the caller's state. Test:
 * tests/unit/test_ctl_generate.c. */
#ifndef LOY_CTL_RNG_H
#define LOY_CTL_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct loy_rng {
    uint64_t state;
};

static inline uint64_t loy_rng_next(struct loy_rng *rng)
{
    uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 to bound - 1, by a 128-bit product (Lemire); its bias of bound ÷ 2^64 is nothing here. bound > 0. */
static inline uint64_t loy_rng_below(struct loy_rng *rng, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)loy_rng_next(rng) * bound) >> 64);
}

/* from to to, both included. */
static inline int64_t loy_rng_between(struct loy_rng *rng, int64_t from, int64_t to)
{
    return from + (int64_t)loy_rng_below(rng, (uint64_t)(to - from) + 1);
}

/* True in so many of a million cases. */
static inline bool loy_rng_chance(struct loy_rng *rng, uint32_t millionths)
{
    return loy_rng_below(rng, 1000000) < millionths;
}

#endif
