/* Parts of moments and durations: getFullYear(), getHours('Europe/Moscow') … */
#include "cel/functions.h"
#include "cel/program.h"
#include "cel/timetext.h"

/* "+03:00", "-09:30", "02:00" to seconds; false: it is no offset. */
static bool fixed_offset(struct loy_str text, int32_t *ret)
{
    int32_t sign = text.len > 0 && text.at[0] == '-' ? -1 : 1;
    if (text.len > 0 && (text.at[0] == '-' || text.at[0] == '+')) {
        text.at++;
        text.len--;
    }
    int32_t digits[4];
    if (text.len != 5 || text.at[2] != ':') {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        char c = text.at[i < 2 ? i : i + 1];
        if (c < '0' || c > '9') {
            return false;
        }
        digits[i] = c - '0';
    }
    int32_t hours = digits[0] * 10 + digits[1], minutes = digits[2] * 10 + digits[3];
    *ret = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

/* Civil time of a timestamp in UTC or in the zone of args[1]. false: that is no zone. */
static bool civil_of(const struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count,
                     struct loy_civil *ret)
{
    int32_t offset = 0;
    if (count == 2) {
        struct loy_str name = loy_cel_text(args[1]);
        bool is_utc = name.len == 0 || loy_str_equal(name, LOY_STR("UTC"));
        const struct loy_zone *zone = is_utc ? NULL : loy_cel_env_find_zone(run->program->env, name);
        if (zone) {
            offset = loy_zone_offset_s(zone, args[0].as.i * LOY_US_PER_SECOND);
        } else if (!is_utc && !fixed_offset(name, &offset)) {
            return false;
        }
    }
    *ret = loy_civil_from_moment(NULL, (args[0].as.i + offset) * LOY_US_PER_SECOND);
    return true;
}

enum part {
    PART_DATE,
    PART_DAY_OF_MONTH,
    PART_DAY_OF_WEEK,
    PART_DAY_OF_YEAR,
    PART_FULL_YEAR,
    PART_MONTH,
    PART_HOURS,
    PART_MINUTES,
    PART_SECONDS,
    PART_MILLISECONDS
};

/* Months, days of the month and of the year count from 0, days of the week from Sunday; getDate() counts from 1. */
static int64_t part_of(const struct loy_civil *civil, struct loy_cel_value moment, enum part part)
{
    switch (part) {
    case PART_DATE:
        return civil->date.day;
    case PART_DAY_OF_MONTH:
        return civil->date.day - 1;
    case PART_DAY_OF_WEEK:
        return (civil->weekday + 1) % 7;
    case PART_DAY_OF_YEAR:
        return civil->yearday;
    case PART_FULL_YEAR:
        return civil->date.year;
    case PART_MONTH:
        return civil->date.month - 1;
    case PART_HOURS:
        return civil->hour;
    case PART_MINUTES:
        return civil->minute;
    case PART_SECONDS:
        return civil->second;
    case PART_MILLISECONDS:
        return moment.len / 1000000;
    }
    return 0;
}

/* Of a duration: all of it in that unit, but the milliseconds are those within its last second. */
static struct loy_cel_value duration_part(int64_t ns, enum part part)
{
    switch (part) {
    case PART_HOURS:
        return loy_cel_int(ns / (3600 * LOY_CEL_NS_PER_SECOND));
    case PART_MINUTES:
        return loy_cel_int(ns / (60 * LOY_CEL_NS_PER_SECOND));
    case PART_SECONDS:
        return loy_cel_int(ns / LOY_CEL_NS_PER_SECOND);
    case PART_MILLISECONDS:
        return loy_cel_int(ns % LOY_CEL_NS_PER_SECOND / 1000000);
    default:
        return loy_cel_no_overload();
    }
}

static struct loy_cel_value get(const struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count,
                                enum part part)
{
    if (count == 1 && args[0].kind == LOY_CEL_DURATION) {
        return duration_part(args[0].as.i, part);
    }
    if (count < 1 || count > 2 || args[0].kind != LOY_CEL_TIMESTAMP || (count == 2 && args[1].kind != LOY_CEL_STRING)) {
        return loy_cel_no_overload();
    }
    struct loy_civil civil;
    if (!civil_of(run, args, count, &civil)) {
        return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "no such time zone here");
    }
    return loy_cel_int(part_of(&civil, args[0], part));
}

#define GETTER(symbol, part)                                                                                           \
    struct loy_cel_value loy_cel_fn_##symbol(struct loy_cel_run *run, const struct loy_cel_value *args,                \
                                             uint32_t count)                                                           \
    {                                                                                                                  \
        return get(run, args, count, part);                                                                            \
    }
GETTER(get_date, PART_DATE)
GETTER(get_day_of_month, PART_DAY_OF_MONTH)
GETTER(get_day_of_week, PART_DAY_OF_WEEK)
GETTER(get_day_of_year, PART_DAY_OF_YEAR)
GETTER(get_full_year, PART_FULL_YEAR)
GETTER(get_month, PART_MONTH)
GETTER(get_hours, PART_HOURS)
GETTER(get_minutes, PART_MINUTES)
GETTER(get_seconds, PART_SECONDS)
GETTER(get_milliseconds, PART_MILLISECONDS)
