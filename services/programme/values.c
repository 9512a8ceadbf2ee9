#include "programme/values.h"

#include "base/num.h"

bool loy_value_length(struct loy_str text, struct loy_length *ret_length)
{
    static const struct {
        const char *name;
        int32_t months;
        int64_t us;
    } units[] = {
        {"second", 0, LOY_US_PER_SECOND},
        {"minute", 0, 60 * LOY_US_PER_SECOND},
        {"hour", 0, 3600 * LOY_US_PER_SECOND},
        {"day", 0, LOY_US_PER_DAY},
        {"week", 0, 7 * LOY_US_PER_DAY},
        {"month", 1, 0},
        {"year", 12, 0},
    };
    const char *blank = text.len ? memchr(text.at, ' ', text.len) : NULL;
    int64_t count = 0;
    if (!blank || !loy_str_to_i64((struct loy_str){text.at, (size_t)(blank - text.at)}, &count) || count < 1 ||
        count > 100000) {
        return false;
    }
    struct loy_str unit = {blank + 1, text.len - (size_t)(blank + 1 - text.at)};
    unit.len -= unit.len > 1 && unit.at[unit.len - 1] == 's';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (loy_str_equal(unit, loy_str(units[i].name))) {
            *ret_length = (struct loy_length){(int32_t)count * units[i].months, count * units[i].us};
            return units[i].months == 0 || count <= 1200;
        }
    }
    return false;
}

bool loy_value_percent(struct loy_str text, int64_t *ret_thousandths)
{
    int64_t value = 0;
    if (text.len < 2 || text.at[text.len - 1] != '%' ||
        !loy_decimal_parse((struct loy_str){text.at, text.len - 1}, 3, &value) || value < 0 || value > 100000) {
        return false;
    }
    *ret_thousandths = value;
    return true;
}

/* Exactly `digits` digits. */
static bool take_number(struct loy_str text, size_t at, size_t digits, int32_t *ret)
{
    int32_t value = 0;
    for (size_t i = at; i < at + digits; i++) {
        if (i >= text.len || text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        value = value * 10 + (text.at[i] - '0');
    }
    *ret = value;
    return true;
}

bool loy_value_moment(struct loy_str text, const struct loy_zone *zone, int64_t *ret_us)
{
    int32_t year = 0, month = 0, day = 0;
    if (text.len != 10) {
        return loy_moment_parse(text.at, text.len, ret_us);
    }
    if (text.at[4] != '-' || text.at[7] != '-' || !take_number(text, 0, 4, &year) || !take_number(text, 5, 2, &month) ||
        !take_number(text, 8, 2, &day)) {
        return false;
    }
    struct loy_date date = {year, (uint8_t)month, (uint8_t)day};
    if (year < 1970 || !loy_date_is_valid(date)) {
        return false;
    }
    *ret_us = loy_day_start_us(zone, loy_days_from_date(date));
    return true;
}

bool loy_value_month_day(struct loy_str text, uint8_t *ret_month, uint8_t *ret_day)
{
    enum { LEAP_YEAR = 2024 };
    int32_t month = 0, day = 0;
    if (text.len != 5 || text.at[2] != '-' || !take_number(text, 0, 2, &month) || !take_number(text, 3, 2, &day) ||
        !loy_date_is_valid((struct loy_date){LEAP_YEAR, (uint8_t)month, (uint8_t)day})) {
        return false;
    }
    *ret_month = (uint8_t)month;
    *ret_day = (uint8_t)day;
    return true;
}

bool loy_value_hours(struct loy_str text, uint16_t *ret_from, uint16_t *ret_until)
{
    int32_t part[4] = {0};
    if (text.len != 11 || text.at[2] != ':' || text.at[5] != '-' || text.at[8] != ':') {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if (!take_number(text, i * 3, 2, &part[i]) || part[i] > (i % 2 ? 59 : 24)) {
            return false;
        }
    }
    int32_t from = part[0] * 60 + part[1], until = part[2] * 60 + part[3];
    if (from > 1439 || until > 1440 || from == until) {
        return false;
    }
    *ret_from = (uint16_t)from;
    *ret_until = (uint16_t)until;
    return true;
}

bool loy_value_rate(struct loy_str text, int64_t *ret_numerator, int64_t *ret_denominator)
{
    enum { DECIMALS = 9 };
    int64_t value = 0, denominator = 1000000000;
    if (!loy_decimal_parse(text, DECIMALS, &value) || value <= 0) {
        return false;
    }
    for (; denominator > 1 && value % 10 == 0; value /= 10) {
        denominator /= 10;
    }
    *ret_numerator = value;
    *ret_denominator = denominator;
    return true;
}

bool loy_value_is_id(struct loy_str text)
{
    if (text.len == 0 || text.len > 64 || text.at[0] < 'a' || text.at[0] > 'z') {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return true;
}

bool loy_value_bool(struct loy_str text, bool *ret_value)
{
    bool is_true = loy_str_equal(text, LOY_STR("true"));
    if (!is_true && !loy_str_equal(text, LOY_STR("false"))) {
        return false;
    }
    *ret_value = is_true;
    return true;
}

int32_t loy_currency_digits(struct loy_str currency)
{
    static const char none[] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
    static const char three[] = "BHD IQD JOD KWD LYD OMR TND";
    if (currency.len != 3) {
        return -1;
    }
    char code[4] = {currency.at[0], currency.at[1], currency.at[2], 0};
    for (int i = 0; i < 3; i++) {
        if (code[i] < 'A' || code[i] > 'Z') {
            return -1;
        }
    }
    return strstr(none, code) ? 0 : strstr(three, code) ? 3 : 2;
}
