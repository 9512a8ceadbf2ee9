#include "cel/numtext.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* Digits beyond these cannot change the rounding, but whether any of them is not zero can. */
enum { MAX_DIGITS = 780, LIMBS = 160, MAX_EXPONENT = 500000 };

/* An unsigned integer, least limb first. */
struct big {
    uint32_t limb[LIMBS];
    int count;
};

static void big_mul_add(struct big *big, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (int i = 0; i < big->count; i++) {
        carry += (uint64_t)big->limb[i] * factor;
        big->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        assert(big->count < LIMBS);
        big->limb[big->count++] = (uint32_t)carry;
    }
}

static void big_mul_pow10(struct big *big, int exponent)
{
    for (; exponent >= 9; exponent -= 9) {
        big_mul_add(big, 1000000000, 0);
    }
    for (; exponent > 0; exponent--) {
        big_mul_add(big, 10, 0);
    }
}

static int big_bits(const struct big *big)
{
    return big->count == 0 ? 0 : 32 * big->count - __builtin_clz(big->limb[big->count - 1]);
}

static void big_shift_left(struct big *big, int bits)
{
    int limbs = bits / 32, rest = bits % 32;
    assert(big->count + limbs + 1 <= LIMBS);
    if (big->count == 0) {
        return;
    }
    big->limb[big->count] = 0;
    for (int i = big->count; i >= 0; i--) {
        uint32_t low = i > 0 && rest ? big->limb[i - 1] >> (32 - rest) : 0;
        big->limb[i + limbs] = (i < big->count ? big->limb[i] << rest : 0) | low;
    }
    for (int i = 0; i < limbs; i++) {
        big->limb[i] = 0;
    }
    big->count += limbs + 1;
    while (big->count > 0 && big->limb[big->count - 1] == 0) {
        big->count--;
    }
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->count != b->count) {
        return a->count < b->count ? -1 : 1;
    }
    for (int i = a->count - 1; i >= 0; i--) {
        if (a->limb[i] != b->limb[i]) {
            return a->limb[i] < b->limb[i] ? -1 : 1;
        }
    }
    return 0;
}

/* a -= b, where a ≥ b. */
static void big_sub(struct big *a, const struct big *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < a->count; i++) {
        uint64_t take = borrow + (i < b->count ? b->limb[i] : 0);
        borrow = a->limb[i] < take;
        a->limb[i] = (uint32_t)((borrow << 32) + a->limb[i] - take);
    }
    while (a->count > 0 && a->limb[a->count - 1] == 0) {
        a->count--;
    }
}

/* over / under × 2^exponent, correctly rounded. The quotient is taken bit by bit: 53 of them, one to round by, and
 * whether anything is left. */
static double ratio(struct big *over, struct big *under)
{
    int shift = big_bits(over) - big_bits(under);
    if (shift > 0) {
        big_shift_left(under, shift);
    } else {
        big_shift_left(over, -shift);
    }
    if (big_compare(over, under) < 0) {
        big_shift_left(over, 1);
        shift--;
    }
    /* 1 ≤ over/under < 2; the value is that × 2^shift. Fewer bits where the result is subnormal. */
    int bits = shift >= -1022 ? 54 : 54 - (-1022 - shift);
    if (bits < 1) {
        return 0.0;
    }
    uint64_t quotient = 0;
    for (int i = 0; i < bits; i++) {
        quotient <<= 1;
        if (big_compare(over, under) >= 0) {
            big_sub(over, under);
            quotient |= 1;
        }
        big_shift_left(over, 1);
    }
    bool half = quotient & 1;
    quotient >>= 1;
    if (half && (over->count > 0 || (quotient & 1))) {
        quotient++;
    }
    return ldexp((double)quotient, shift - bits + 2);
}

struct decimal {
    uint8_t digits[MAX_DIGITS + 1];
    int count;
    int64_t exponent; /* value = digits × 10^exponent */
};

static double exact(const struct decimal *decimal)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (decimal->count == 0 || decimal->exponent + decimal->count < -400) {
        return 0.0;
    }
    if (decimal->exponent + decimal->count > 400) {
        return (double)INFINITY;
    }
    int exponent = (int)decimal->exponent;
    if (decimal->count <= 15 && exponent >= -22 && exponent <= 22) {
        /* Both are exact, so one rounding is the right one (Clinger). */
        int64_t whole = 0;
        for (int i = 0; i < decimal->count; i++) {
            whole = whole * 10 + decimal->digits[i];
        }
        return exponent < 0 ? (double)whole / powers[-exponent] : (double)whole * powers[exponent];
    }
    struct big over = {.count = 0}, under = {.limb = {1}, .count = 1};
    for (int i = 0; i < decimal->count; i++) {
        big_mul_add(&over, 10, decimal->digits[i]);
    }
    big_mul_pow10(exponent > 0 ? &over : &under, exponent > 0 ? exponent : -exponent);
    return ratio(&over, &under);
}

static void add_digit(struct decimal *decimal, unsigned digit, bool after_point)
{
    decimal->exponent -= after_point;
    if (decimal->count == 0 && digit == 0) {
        return;
    }
    if (decimal->count < MAX_DIGITS) {
        decimal->digits[decimal->count++] = (uint8_t)digit;
        return;
    }
    decimal->exponent++;
    if (digit) {
        decimal->digits[MAX_DIGITS - 1] |= 1; /* sticky: it only has to be seen that something follows */
    }
}

static bool digits_of(struct loy_str text, size_t *at, struct decimal *decimal)
{
    bool any = false, point = false;
    for (; *at < text.len; ++*at) {
        char c = text.at[*at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') {
            break;
        }
        any = true;
        add_digit(decimal, (unsigned)(c - '0'), point);
    }
    return any;
}

static bool exponent_of(struct loy_str text, size_t *at, struct decimal *decimal)
{
    if (*at == text.len || (text.at[*at] != 'e' && text.at[*at] != 'E')) {
        return true;
    }
    ++*at;
    bool negative = *at < text.len && text.at[*at] == '-';
    *at += *at < text.len && (text.at[*at] == '-' || text.at[*at] == '+');
    size_t first = *at;
    int64_t exponent = 0;
    for (; *at < text.len && text.at[*at] >= '0' && text.at[*at] <= '9'; ++*at) {
        exponent = exponent > MAX_EXPONENT ? exponent : exponent * 10 + (text.at[*at] - '0');
    }
    decimal->exponent += negative ? -exponent : exponent;
    return *at > first;
}

static bool same_word(struct loy_str text, const char *word)
{
    size_t len = strlen(word);
    if (text.len != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if ((text.at[i] | 0x20) != word[i]) {
            return false;
        }
    }
    return true;
}

bool loy_cel_double_parse(struct loy_str text, double *ret)
{
    bool negative = text.len > 0 && text.at[0] == '-';
    if (text.len > 0 && (text.at[0] == '-' || text.at[0] == '+')) {
        text.at++;
        text.len--;
    }
    if (same_word(text, "nan")) {
        *ret = (double)NAN;
        return true;
    }
    if (same_word(text, "inf") || same_word(text, "infinity")) {
        *ret = (double)(negative ? -INFINITY : INFINITY);
        return true;
    }
    struct decimal decimal = {.count = 0};
    size_t at = 0;
    if (!digits_of(text, &at, &decimal) || !exponent_of(text, &at, &decimal) || at != text.len) {
        return false;
    }
    double value = exact(&decimal);
    *ret = negative ? -value : value;
    return true;
}

static bool not_finite(double value, const char **ret_text)
{
    if (isnan(value)) {
        *ret_text = "NaN";
        return true;
    }
    *ret_text = value > 0 ? "Infinity" : "-Infinity";
    return isinf(value);
}

/* Whatever the process's locale puts between whole and fraction becomes a point. */
static size_t without_locale(char *text, size_t len)
{
    size_t kept = 0;
    bool replaced = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'e') {
            text[kept++] = c;
        } else if (!replaced) {
            text[kept++] = '.';
            replaced = true;
        }
    }
    text[kept] = '\0';
    return kept;
}

size_t loy_cel_double_format(double value, char text[LOY_CEL_DOUBLE_TEXT_MAX])
{
    const char *word;
    if (not_finite(value, &word)) {
        return (size_t)snprintf(text, LOY_CEL_DOUBLE_TEXT_MAX, "%s", word);
    }
    char digits[48];
    size_t len = 0;
    for (int precision = 0; precision <= 16; precision++) {
        /* Most numbers that people write are short; the ones between are not worth a search. */
        precision = precision > 6 && precision < 14 ? 14 : precision;
        len = without_locale(digits, (size_t)snprintf(digits, sizeof digits, "%.*e", precision, value));
        double back;
        if (loy_cel_double_parse((struct loy_str){digits, len}, &back) && back == value) {
            break;
        }
    }
    char *e = memchr(digits, 'e', len);
    assert(e);
    int64_t exponent = 0;
    bool ok = loy_str_to_i64((struct loy_str){e + 1, (size_t)(digits + len - e - 1)}, &exponent);
    assert(ok);
    (void)ok;
    char plain[24]; /* the digits alone */
    size_t count = 0;
    for (const char *c = digits; c < e; c++) {
        if (*c >= '0' && *c <= '9') {
            plain[count++] = *c;
        }
    }
    while (count > 1 && plain[count - 1] == '0') {
        count--;
    }
    plain[count] = '\0';
    const char *sign = digits[0] == '-' ? "-" : "";
    if (exponent < -4 || exponent >= 21) {
        return (size_t)snprintf(text, LOY_CEL_DOUBLE_TEXT_MAX, "%s%c%s%se%c%02d", sign, plain[0], count > 1 ? "." : "",
                                plain + 1, exponent < 0 ? '-' : '+', (int)(exponent < 0 ? -exponent : exponent));
    }
    if (exponent < 0) {
        return (size_t)snprintf(text, LOY_CEL_DOUBLE_TEXT_MAX, "%s0.%.*s%s", sign, (int)(-exponent - 1), "0000", plain);
    }
    int whole = (int)exponent + 1;
    int zeros = whole > (int)count ? whole - (int)count : 0;
    return (size_t)snprintf(text, LOY_CEL_DOUBLE_TEXT_MAX, "%s%.*s%.*s%s%s", sign, whole, plain, zeros,
                            "000000000000000000000", (int)count > whole ? "." : "",
                            (int)count > whole ? plain + whole : "");
}

void loy_cel_double_append(struct loy_buf *buf, double value, int decimals, bool with_exponent)
{
    assert(decimals >= 0 && decimals <= LOY_CEL_MAX_DECIMALS);
    const char *word;
    if (not_finite(value, &word)) {
        loy_buf_append(buf, loy_str(word));
        return;
    }
    char text[320 + LOY_CEL_MAX_DECIMALS + 8];
    int len = snprintf(text, sizeof text, with_exponent ? "%.*e" : "%.*f", decimals, value);
    assert(len > 0 && (size_t)len < sizeof text);
    loy_buf_append(buf, (struct loy_str){text, without_locale(text, (size_t)len)});
}
