#include "base/calendar.h"

#include <assert.h>
#include <string.h>

#define AROUND_US (3 * LOY_US_PER_DAY)

static int64_t floor_div(int64_t a, int64_t b)
{
    assert(b > 0);
    int64_t quotient = a / b;
    return quotient - (quotient * b > a);
}

int64_t loy_days_from_date(struct loy_date date)
{
    int64_t year = (int64_t)date.year - (date.month <= 2);
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct loy_date loy_date_from_days(int64_t days)
{
    days += 719468;
    int64_t era = floor_div(days, 146097);
    uint32_t day_of_era = (uint32_t)(days - era * 146097); /* short divisions are quick */
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_index = (5 * day_of_year + 2) / 153; /* 0 = March */
    struct loy_date date;
    date.day = (uint8_t)(day_of_year - (153 * month_index + 2) / 5 + 1);
    date.month = (uint8_t)(month_index < 10 ? month_index + 3 : month_index - 9);
    date.year = (int32_t)(year_of_era + era * 400 + (date.month <= 2));
    return date;
}

static bool is_leap_year(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

uint8_t loy_days_in_month(int32_t year, uint8_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    return (uint8_t)(days[month - 1] + (month == 2 && is_leap_year(year)));
}

bool loy_date_is_valid(struct loy_date date)
{
    return date.year >= 1 && date.year <= 9999 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
           date.day <= loy_days_in_month(date.year, date.month);
}

struct loy_date loy_date_add_months(struct loy_date date, int32_t months)
{
    int64_t month_number = (int64_t)date.year * 12 + date.month - 1 + months;
    struct loy_date moved = {(int32_t)floor_div(month_number, 12),
                             (uint8_t)(month_number - floor_div(month_number, 12) * 12 + 1), date.day};
    uint8_t last = loy_days_in_month(moved.year, moved.month);
    if (moved.day > last) {
        moved.day = last;
    }
    return moved;
}

/* The row in force at the moment. */
static size_t row_at(const struct loy_zone *zone, int64_t moment_us)
{
    assert(zone->count >= 1);
    size_t low = 0;
    size_t high = zone->count; /* the row is in [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->transitions[middle].from_us <= moment_us) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t loy_zone_offset_s(const struct loy_zone *zone, int64_t moment_us)
{
    return zone ? zone->transitions[row_at(zone, moment_us)].offset_s : 0;
}

struct loy_civil loy_civil_from_moment(const struct loy_zone *zone, int64_t moment_us)
{
    int64_t local = moment_us + loy_zone_offset_s(zone, moment_us) * LOY_US_PER_SECOND;
    int64_t day = floor_div(local, LOY_US_PER_DAY);
    int64_t of_day = local - day * LOY_US_PER_DAY;
    int64_t second = of_day / LOY_US_PER_SECOND;
    struct loy_date date = loy_date_from_days(day);
    struct loy_civil civil = {
        .date = date,
        .hour = (uint8_t)(second / 3600),
        .minute = (uint8_t)(second / 60 % 60),
        .second = (uint8_t)(second % 60),
        .microsecond = (uint32_t)(of_day % LOY_US_PER_SECOND),
        .weekday = (uint8_t)(day + 3 - floor_div(day + 3, 7) * 7), /* 1970-01-01 was a Thursday */
        .yearday = (uint16_t)(day - loy_days_from_date((struct loy_date){date.year, 1, 1})),
    };
    return civil;
}

int64_t loy_local_day(const struct loy_zone *zone, int64_t moment_us)
{
    return floor_div(moment_us + loy_zone_offset_s(zone, moment_us) * LOY_US_PER_SECOND, LOY_US_PER_DAY);
}

int64_t loy_day_start_us(const struct loy_zone *zone, int64_t local_day)
{
    int64_t as_if_utc = local_day * LOY_US_PER_DAY;
    if (!zone) {
        return as_if_utc;
    }
    /* An offset is not much more than a day: the rows that can matter are in force within AROUND of the guess. Of all
     * moments whose local day is this one, the first is either a start at a constant offset or a transition that jumps
     * into the day; rows ascend, so the first that is found is the first there is. */
    for (size_t i = row_at(zone, as_if_utc - AROUND_US); i < zone->count; i++) {
        const struct loy_zone_transition *row = &zone->transitions[i];
        int64_t from = i == 0 ? INT64_MIN : row->from_us;
        int64_t until = i + 1 < zone->count ? zone->transitions[i + 1].from_us : INT64_MAX;
        int64_t start = as_if_utc - row->offset_s * LOY_US_PER_SECOND;
        if (i > 0 && from > as_if_utc + AROUND_US) {
            break;
        }
        if (start < from) {
            start = from;
        }
        if (start < until && floor_div(start + row->offset_s * LOY_US_PER_SECOND, LOY_US_PER_DAY) == local_day) {
            return start;
        }
    }
    return as_if_utc - loy_zone_offset_s(zone, as_if_utc) * LOY_US_PER_SECOND;
}

/* All numbers of two digits, one behind the other. */
#define TENS(ten) ten "0" ten "1" ten "2" ten "3" ten "4" ten "5" ten "6" ten "7" ten "8" ten "9"
static const char two_digits[] =
    TENS("0") TENS("1") TENS("2") TENS("3") TENS("4") TENS("5") TENS("6") TENS("7") TENS("8") TENS("9");
#undef TENS

/* Exactly `count` digits and the character behind them; not printf, which an update would call some times. */
static char *put_digits(char *at, uint32_t value, int count, char behind)
{
    for (int i = count; i > 0; i--, value /= 10) {
        at[i - 1] = (char)('0' + value % 10);
    }
    at[count] = behind;
    return at + count + 1;
}

static char *put_two(char *at, uint32_t value, char behind)
{
    assert(value < 100);
    memcpy(at, two_digits + (size_t)2 * value, 2);
    at[2] = behind;
    return at + 3;
}

static char *put_year(char *at, int32_t year)
{
    if (year >= 0 && year <= 9999) {
        return put_two(put_two(at, (uint32_t)year / 100, '\0') - 1, (uint32_t)year % 100, '-');
    }
    bool negative = year < 0;
    uint32_t rest = negative ? 0 - (uint32_t)year : (uint32_t)year;
    uint32_t value = rest;
    int digits = negative ? 3 : 4; /* at least, and more where the year has more */
    for (rest /= negative ? 1000 : 10000; rest; rest /= 10) {
        digits++;
    }
    if (negative) {
        *at++ = '-';
    }
    return put_digits(at, value, digits, '-');
}

size_t loy_moment_format(int64_t moment_us, char text[LOY_MOMENT_TEXT_MAX])
{
    int64_t day = floor_div(moment_us, LOY_US_PER_DAY);
    int64_t of_day_us = moment_us - day * LOY_US_PER_DAY;
    uint32_t second = (uint32_t)(of_day_us / LOY_US_PER_SECOND);
    uint32_t microsecond = (uint32_t)(of_day_us - second * LOY_US_PER_SECOND);
    struct loy_date date = loy_date_from_days(day);
    char *at = put_year(text, date.year);
    at = put_two(at, date.month, '-');
    at = put_two(at, date.day, 'T');
    at = put_two(at, second / 3600, ':');
    at = put_two(at, second / 60 % 60, ':');
    at = put_two(at, second % 60, microsecond ? '.' : 'Z');
    if (microsecond % 1000 != 0) {
        at = put_digits(at, microsecond, 6, 'Z');
    } else if (microsecond) {
        at = put_digits(at, microsecond / 1000, 3, 'Z');
    }
    *at = '\0';
    return (size_t)(at - text);
}

/* Reads exactly `count` digits at *at. */
static bool read_digits(const char *text, size_t len, size_t *at, int count, int32_t *ret)
{
    int32_t value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (*at >= len || text[*at] < '0' || text[*at] > '9') {
            return false;
        }
        value = value * 10 + (text[*at] - '0');
    }
    *ret = value;
    return true;
}

static bool read_char(const char *text, size_t len, size_t *at, const char *one_of)
{
    for (; *at < len && *one_of; one_of++) {
        if (text[*at] == *one_of) {
            (*at)++;
            return true;
        }
    }
    return false;
}

static bool read_fraction(const char *text, size_t len, size_t *at, int64_t *ret_us)
{
    int64_t micro = 0;
    int digits = 0;
    for (; *at < len && text[*at] >= '0' && text[*at] <= '9'; (*at)++, digits++) {
        micro = digits < 6 ? micro * 10 + (text[*at] - '0') : micro;
    }
    for (int i = digits; i < 6; i++) {
        micro *= 10;
    }
    *ret_us = micro;
    return digits >= 1 && digits <= 9;
}

static bool read_offset(const char *text, size_t len, size_t *at, int32_t *ret_offset_s)
{
    if (read_char(text, len, at, "Zz")) {
        *ret_offset_s = 0;
        return true;
    }
    bool west = *at < len && text[*at] == '-';
    int32_t hours;
    int32_t minutes;
    if (!read_char(text, len, at, "+-") || !read_digits(text, len, at, 2, &hours) || !read_char(text, len, at, ":") ||
        !read_digits(text, len, at, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ret_offset_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

bool loy_moment_parse(const char *text, size_t len, int64_t *ret_moment_us)
{
    size_t at = 0;
    int32_t year;
    int32_t month;
    int32_t day;
    int32_t hour;
    int32_t minute;
    int32_t second;
    int32_t offset_s;
    int64_t fraction_us = 0;
    bool read = read_digits(text, len, &at, 4, &year) && read_char(text, len, &at, "-") &&
                read_digits(text, len, &at, 2, &month) && read_char(text, len, &at, "-") &&
                read_digits(text, len, &at, 2, &day) && read_char(text, len, &at, "Tt") &&
                read_digits(text, len, &at, 2, &hour) && read_char(text, len, &at, ":") &&
                read_digits(text, len, &at, 2, &minute) && read_char(text, len, &at, ":") &&
                read_digits(text, len, &at, 2, &second);
    if (read && at < len && text[at] == '.') {
        at++;
        read = read_fraction(text, len, &at, &fraction_us);
    }
    if (!read || !read_offset(text, len, &at, &offset_s) || at != len) {
        return false;
    }
    struct loy_date date = {year, (uint8_t)month, (uint8_t)day};
    if (!loy_date_is_valid(date) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    int64_t local_s = loy_days_from_date(date) * 86400 + hour * 3600 + minute * 60 + second;
    int64_t moment_us = (local_s - offset_s) * LOY_US_PER_SECOND + fraction_us;
    if (moment_us < LOY_MOMENT_MIN || moment_us > LOY_MOMENT_MAX) {
        return false;
    }
    *ret_moment_us = moment_us;
    return true;
}
