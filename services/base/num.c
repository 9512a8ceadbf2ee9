#include "base/num.h"

#include <assert.h>

bool loy_i64_muldiv(int64_t a, int64_t b, int64_t c, enum loy_rounding rounding, int64_t *ret)
{
    if (c == 0) {
        return false;
    }
    int64_t small;
    if (c > 0 && loy_i64_mul(a, b, &small)) { /* nearly always: a division in 128 bits costs ten of these */
        int64_t whole = small / c, part = small % c;
        whole -= part < 0;
        part += part < 0 ? c : 0;
        int64_t above = c - part; /* to the next whole: both are in (0, c], so that no sum can overflow */
        *ret = whole + (rounding == LOY_ROUND_CEIL
                            ? part > 0
                            : rounding == LOY_ROUND_HALF_EVEN && (part > above || (part == above && whole % 2 != 0)));
        return true;
    }
    loy_wide product = (loy_wide)a * b;
    loy_wide divisor = c;
    if (divisor < 0) {
        product = -product;
        divisor = -divisor;
    }
    loy_wide quotient = product / divisor;
    loy_wide rest = product % divisor;
    if (rest < 0) { /* C truncates: make it the floor, with a rest in [0, divisor) */
        quotient -= 1;
        rest += divisor;
    }
    bool up = rounding == LOY_ROUND_CEIL ? rest > 0
                                         : rounding == LOY_ROUND_HALF_EVEN &&
                                               (2 * rest > divisor || (2 * rest == divisor && quotient % 2 != 0));
    quotient += up;
    if (quotient > INT64_MAX || quotient < INT64_MIN) {
        return false;
    }
    *ret = (int64_t)quotient;
    return true;
}

bool loy_decimal_parse(struct loy_str text, int scale, int64_t *ret_units)
{
    assert(scale >= 0 && scale <= 18);
    bool negative = text.len > 0 && text.at[0] == '-';
    size_t i = negative || (text.len > 0 && text.at[0] == '+');
    int64_t units = 0;
    int decimals = -1; /* -1 before the point */
    size_t digits = 0;
    for (; i < text.len; i++) {
        char c = text.at[i];
        if (c == '.' && decimals < 0 && digits > 0) {
            decimals = 0;
            continue;
        }
        if (c < '0' || c > '9') {
            return false;
        }
        digits++;
        if (decimals >= scale) {
            if (c != '0') {
                return false;
            }
            continue;
        }
        decimals += decimals >= 0;
        if (!loy_i64_mul(units, 10, &units) || !loy_i64_sub(units, c - '0', &units)) {
            return false;
        }
    }
    if (digits == 0 || (text.at[text.len - 1] == '.')) {
        return false;
    }
    for (int left = scale - (decimals < 0 ? 0 : decimals); left > 0; left--) {
        if (!loy_i64_mul(units, 10, &units)) {
            return false;
        }
    }
    /* units is built negative, so that INT64_MIN can be read */
    if (!negative && !loy_i64_sub(0, units, &units)) {
        return false;
    }
    *ret_units = units;
    return true;
}

/* How many digits the number has; 1 for 0. */
static unsigned digits_of(uint64_t number)
{
#define POWERS(from) 10 * (from), 100 * (from), 1000 * (from)
    static const uint64_t powers[] = {0,
                                      POWERS(UINT64_C(1)),
                                      POWERS(UINT64_C(1000)),
                                      POWERS(UINT64_C(1000000)),
                                      POWERS(UINT64_C(1000000000)),
                                      POWERS(UINT64_C(1000000000000)),
                                      POWERS(UINT64_C(1000000000000000)),
                                      UINT64_C(10000000000000000000)};
#undef POWERS
    unsigned bits = 64 - (unsigned)__builtin_clzll(number | 1);
    unsigned guess = bits * 1233 >> 12; /* bits times log10(2): one too few, or right */
    return guess + (number >= powers[guess]);
}

/* Two digits at a time, each where it stays: to copy what was just written byte by byte takes longer than writing it.
 */
static size_t format_whole(int64_t units, char text[LOY_DECIMAL_TEXT_MAX])
{
    uint64_t left = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    size_t length = digits_of(left) + (units < 0);
    char *at = text + length;
    *at = '\0';
    for (; left >= 100; left /= 100) {
        uint32_t two = (uint32_t)(left % 100);
        *--at = (char)('0' + two % 10);
        *--at = (char)('0' + two / 10);
    }
    *--at = (char)('0' + left % 10);
    if (left >= 10) {
        *--at = (char)('0' + left / 10);
    }
    if (units < 0) {
        *--at = '-';
    }
    return length;
}

size_t loy_decimal_format(int64_t units, int scale, char text[LOY_DECIMAL_TEXT_MAX])
{
    assert(scale >= 0 && scale <= 18);
    if (scale == 0) {
        return format_whole(units, text);
    }
    char digits[LOY_DECIMAL_TEXT_MAX]; /* written from its end */
    char *at = digits + sizeof digits;
    uint64_t left = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    for (int position = 0; left > 0 || position <= scale; position++, left /= 10) {
        if (position == scale) {
            *--at = '.';
        }
        *--at = (char)('0' + left % 10);
    }
    if (units < 0) {
        *--at = '-';
    }
    size_t length = (size_t)(digits + sizeof digits - at);
    memcpy(text, at, length);
    text[length] = '\0';
    return length;
}
