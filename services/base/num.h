/* Checked numbers: amounts never wrap, products are taken in 128 bits, no floating point.
 *
 * Points are int64 in the wallet's smallest unit, money is int64 in minor units of its currency.
 * Pure; any thread. Test: tests/unit/test_base.c. */
#ifndef LOY_BASE_NUM_H
#define LOY_BASE_NUM_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* For products of two int64. */
__extension__ typedef __int128 loy_wide;

/* How a quotient becomes whole: towards minus infinity, to the nearest (ties to even), towards plus infinity. */
enum loy_rounding { LOY_ROUND_FLOOR, LOY_ROUND_HALF_EVEN, LOY_ROUND_CEIL };

/* False, and *ret untouched, when the result does not fit. */
LOY_MUST_USE static inline bool loy_i64_add(int64_t a, int64_t b, int64_t *ret)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *ret = sum;
    return true;
}

LOY_MUST_USE static inline bool loy_i64_sub(int64_t a, int64_t b, int64_t *ret)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference)) {
        return false;
    }
    *ret = difference;
    return true;
}

LOY_MUST_USE static inline bool loy_i64_mul(int64_t a, int64_t b, int64_t *ret)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *ret = product;
    return true;
}

/* a × b ÷ c in 128 bits, rounded once. False when c is 0 or the result does not fit. */
LOY_MUST_USE bool loy_i64_muldiv(int64_t a, int64_t b, int64_t c, enum loy_rounding rounding, int64_t *ret);

/* Exact decimal text ("-12.5", "1480") to units of 10^-scale; more decimals than scale are an error unless zero. */
LOY_MUST_USE bool loy_decimal_parse(struct loy_str text, int scale, int64_t *ret_units);

enum { LOY_DECIMAL_TEXT_MAX = 32 };
/* units of 10^-scale as text with exactly scale decimals, NUL-terminated; returns its length. */
size_t loy_decimal_format(int64_t units, int scale, char text[LOY_DECIMAL_TEXT_MAX]);

#endif
