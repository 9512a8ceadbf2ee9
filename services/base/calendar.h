/* Calendar: civil dates in the proleptic Gregorian calendar, and local time by a table of transitions.
 *
 * A moment is int64 microseconds since 1970-01-01T00:00:00Z. Zone tables come from outside (adapters/zones), frozen
 * into the programme's revision, so that every machine has the same. Day arithmetic follows Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms". Pure; any thread. Test: tests/unit/test_base.c. */
#ifndef LOY_BASE_CALENDAR_H
#define LOY_BASE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOY_US_PER_SECOND INT64_C(1000000)
#define LOY_US_PER_DAY (INT64_C(86400) * LOY_US_PER_SECOND)

/* What protobuf's Timestamp can hold: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z. */
#define LOY_MOMENT_MIN (INT64_C(-62135596800) * LOY_US_PER_SECOND)
#define LOY_MOMENT_MAX (INT64_C(253402300800) * LOY_US_PER_SECOND - 1)

struct loy_date {
    int32_t year;
    uint8_t month; /* 1 to 12 */
    uint8_t day;   /* 1 to 31 */
};

struct loy_civil {
    struct loy_date date;
    uint8_t hour, minute, second;
    uint32_t microsecond;
    uint8_t weekday;  /* 0 = Monday … 6 = Sunday (ISO 8601 less one) */
    uint16_t yearday; /* 0 = 1 January */
};

/* From `from_us` on, local time = UTC + offset_s. */
struct loy_zone_transition {
    int64_t from_us;
    int32_t offset_s;
};

/* Ascending by from_us; the first row holds before its from_us as well. Borrowed; count ≥ 1. */
struct loy_zone {
    const struct loy_zone_transition *transitions;
    size_t count;
};

/* Days since 1970-01-01, and back. */
int64_t loy_days_from_date(struct loy_date date);
struct loy_date loy_date_from_days(int64_t days);
bool loy_date_is_valid(struct loy_date date);
uint8_t loy_days_in_month(int32_t year, uint8_t month);
/* The same day of the month `months` later (or earlier); a day that the month lacks becomes its last one. */
struct loy_date loy_date_add_months(struct loy_date date, int32_t months);

/* zone NULL means UTC everywhere below. */
int32_t loy_zone_offset_s(const struct loy_zone *zone, int64_t moment_us);
struct loy_civil loy_civil_from_moment(const struct loy_zone *zone, int64_t moment_us);
/* The day number of the local date at a moment. */
int64_t loy_local_day(const struct loy_zone *zone, int64_t moment_us);
/* The first moment of a local day; where midnight does not exist, the first moment after the gap. */
int64_t loy_day_start_us(const struct loy_zone *zone, int64_t local_day);

enum { LOY_MOMENT_TEXT_MAX = 36 };
/* RFC 3339 in UTC ("2026-11-01T09:30:00Z", with 3 or 6 decimals only where they are not zero); returns its length. */
size_t loy_moment_format(int64_t moment_us, char text[LOY_MOMENT_TEXT_MAX]);
/* RFC 3339, any offset, at most 9 decimals (below a microsecond: cut off). False when it is not one. */
bool loy_moment_parse(const char *text, size_t len, int64_t *ret_moment_us);

#endif
