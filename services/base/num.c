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

/* Two digits at a time, and what is written is copied with what is behind it: as many bytes each time. */
static size_t format_whole(int64_t units, char text[LOY_DECIMAL_TEXT_MAX])
{
    char digits[2 * LOY_DECIMAL_TEXT_MAX]; /* written from its middle back */
    char *middle = digits + LOY_DECIMAL_TEXT_MAX;
    char *at = middle;
    uint64_t left = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
    memset(middle, 0, LOY_DECIMAL_TEXT_MAX);
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
    memcpy(text, at, LOY_DECIMAL_TEXT_MAX);
    return (size_t)(middle - at);
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
