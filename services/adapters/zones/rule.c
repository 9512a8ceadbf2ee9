#include "adapters/zones/rule.h"

struct reader {
    struct loy_str text;
    size_t at;
};

static bool take(struct reader *reader, char c)
{
    if (reader->at < reader->text.len && reader->text.at[reader->at] == c) {
        reader->at++;
        return true;
    }
    return false;
}

static bool number(struct reader *reader, int32_t *ret)
{
    size_t first = reader->at;
    *ret = 0;
    for (; reader->at < reader->text.len && reader->at < first + 3; reader->at++) {
        char c = reader->text.at[reader->at];
        if (c < '0' || c > '9') {
            break;
        }
        *ret = *ret * 10 + (c - '0');
    }
    return reader->at > first;
}

/* "EST" or "<+03>" */
static bool skip_name(struct reader *reader)
{
    size_t first = reader->at;
    if (take(reader, '<')) {
        while (reader->at < reader->text.len && reader->text.at[reader->at] != '>') {
            reader->at++;
        }
        return take(reader, '>');
    }
    while (reader->at < reader->text.len && (reader->text.at[reader->at] | 0x20) >= 'a' &&
           (reader->text.at[reader->at] | 0x20) <= 'z') {
        reader->at++;
    }
    return reader->at > first;
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool clock_time(struct reader *reader, int32_t *ret)
{
    int32_t sign = take(reader, '-') ? -1 : 1, hours, minutes = 0, seconds = 0;
    (void)take(reader, '+');
    if (!number(reader, &hours) || (take(reader, ':') && !number(reader, &minutes)) ||
        (take(reader, ':') && !number(reader, &seconds))) {
        return false;
    }
    *ret = sign * (hours * 3600 + minutes * 60 + seconds);
    return hours <= 167 && minutes < 60 && seconds < 60;
}

static bool change(struct reader *reader, struct loy_zone_change *ret)
{
    *ret = (struct loy_zone_change){.form = '0', .second = 7200};
    bool ok;
    if (take(reader, 'M')) {
        ret->form = 'M';
        ok = number(reader, &ret->month) && take(reader, '.') && number(reader, &ret->week) && take(reader, '.') &&
             number(reader, &ret->day) && ret->month >= 1 && ret->month <= 12 && ret->week >= 1 && ret->week <= 5 &&
             ret->day <= 6;
    } else {
        ret->form = take(reader, 'J') ? 'J' : '0';
        ok = number(reader, &ret->day) && ret->day <= 365 && (ret->form == '0' || ret->day >= 1);
    }
    return ok && (!take(reader, '/') || clock_time(reader, &ret->second));
}

bool loy_zone_rule_parse(struct loy_str text, struct loy_zone_rule *ret)
{
    struct reader reader = {text, 0};
    *ret = (struct loy_zone_rule){.has_summer = false};
    if (!skip_name(&reader) || !clock_time(&reader, &ret->standard_s)) {
        return false;
    }
    ret->standard_s = -ret->standard_s; /* POSIX counts west of Greenwich */
    if (reader.at == text.len) {
        return true;
    }
    ret->has_summer = true;
    ret->summer_s = ret->standard_s + 3600;
    if (!skip_name(&reader)) {
        return false;
    }
    if (reader.at < text.len && text.at[reader.at] != ',') {
        if (!clock_time(&reader, &ret->summer_s)) {
            return false;
        }
        ret->summer_s = -ret->summer_s;
    }
    return take(&reader, ',') && change(&reader, &ret->to_summer) && take(&reader, ',') &&
           change(&reader, &ret->to_standard) && reader.at == text.len;
}

static bool is_leap(int32_t year)
{
    return loy_days_in_month(year, 2) == 29;
}

int64_t loy_zone_change_second(const struct loy_zone_change *at, int32_t year)
{
    int64_t day = loy_days_from_date((struct loy_date){year, 1, 1});
    if (at->form == 'J') {
        day += at->day - 1 + (at->day >= 60 && is_leap(year));
    } else if (at->form == '0') {
        day += at->day;
    } else {
        struct loy_date first = {year, (uint8_t)at->month, 1};
        day = loy_days_from_date(first);
        int64_t weekday = ((day + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday here */
        int64_t in_month = (at->day - weekday + 7) % 7 + (int64_t)(at->week - 1) * 7;
        if (in_month >= loy_days_in_month(year, (uint8_t)at->month)) { /* week 5 is the last one */
            in_month -= 7;
        }
        day += in_month;
    }
    return day * 86400 + at->second;
}
