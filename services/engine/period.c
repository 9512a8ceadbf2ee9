#include "engine/period.h"

static struct loy_date months_on(const struct loy_zone *zone, int64_t from_us, int32_t months)
{
    return loy_date_add_months(loy_civil_from_moment(zone, from_us).date, months);
}

int64_t loy_period_wait(const struct loy_zone *zone, int64_t from_us, struct loy_period span)
{
    return span.months ? loy_day_start_us(zone, loy_days_from_date(months_on(zone, from_us, span.months)))
                       : from_us + span.us;
}

int64_t loy_period_last(const struct loy_zone *zone, int64_t from_us, struct loy_period span)
{
    return span.months ? loy_day_start_us(zone, loy_days_from_date(months_on(zone, from_us, span.months)) + 1)
                       : from_us + span.us;
}

/* The last date of the month, quarter or year that the date is in. */
static struct loy_date end_of(struct loy_date date, enum loy_end_of end)
{
    uint8_t month = end == LOY_END_OF_YEAR      ? 12
                    : end == LOY_END_OF_QUARTER ? (uint8_t)((date.month + 2) / 3 * 3)
                                                : date.month;
    return end == LOY_END_OF_NOTHING ? date : (struct loy_date){date.year, month, loy_days_in_month(date.year, month)};
}

/* The day of the first of the dates that is not before the day. */
static int64_t next_date(const struct loy_expiry *expiry, int64_t day)
{
    int32_t year = loy_date_from_days(day).year;
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < expiry->date_count * 2; i++) {
        const struct loy_month_day *row = &expiry->dates[i / 2];
        int32_t in = year + (int32_t)(i % 2);
        uint8_t last = loy_days_in_month(in, row->month);
        int64_t found = loy_days_from_date((struct loy_date){in, row->month, row->day < last ? row->day : last});
        next = found >= day && found < next ? found : next;
    }
    return expiry->date_count ? next : day;
}

int64_t loy_period_expiry(const struct loy_zone *zone, int64_t earned_us, const struct loy_expiry *expiry)
{
    bool rounds = expiry->end_of != LOY_END_OF_NOTHING || expiry->date_count > 0;
    if (!rounds) {
        bool lasts = expiry->after.us || expiry->after.months;
        return lasts ? loy_period_last(zone, earned_us, expiry->after) : LOY_NEVER;
    }
    struct loy_date date = months_on(zone, earned_us + expiry->after.us, expiry->after.months);
    int64_t day = next_date(expiry, loy_days_from_date(end_of(date, expiry->end_of)));
    return loy_day_start_us(zone, day + 1);
}

bool loy_period_believes(const struct loy_programme *programme, int64_t occurred_us, int64_t arrival_us)
{
    const struct loy_zone *zone = programme->zone;
    bool in_time = programme->late.months ? arrival_us < loy_period_last(zone, occurred_us, programme->late)
                                          : occurred_us >= arrival_us - programme->late.us;
    bool not_ahead = programme->early.months ? occurred_us < loy_period_last(zone, arrival_us, programme->early)
                                             : occurred_us <= arrival_us + programme->early.us;
    return in_time && not_ahead;
}
