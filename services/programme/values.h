/* Values: what the texts of a programme mean: times, amounts, percentages, dates.
 *
 * Each reader returns false and leaves *ret untouched for a text that is none. Pure; any thread.
 * Test: tests/unit/test_programme_values.c. */
#ifndef LOY_PROGRAMME_VALUES_H
#define LOY_PROGRAMME_VALUES_H

#include "base/calendar.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* A length of time: calendar months, or microseconds; never both. */
struct loy_length {
    int32_t months;
    int64_t us;
};

/* "14 days", "1 hour", "12 months", "2 weeks", "1 year", "90 minutes", "30 seconds"; above zero. */
LOY_MUST_USE bool loy_value_length(struct loy_str text, struct loy_length *ret_length);
/* "10%" or "12.5%" in thousandths of a percent; 0 to 100 %. */
LOY_MUST_USE bool loy_value_percent(struct loy_str text, int64_t *ret_thousandths);
/* "2026-11-01": the start of that day in the zone (NULL: UTC); or a moment of RFC 3339. */
LOY_MUST_USE bool loy_value_moment(struct loy_str text, const struct loy_zone *zone, int64_t *ret_us);
/* "18:00-22:00" in minutes of the day; 24:00 is an end. until may be below from: over midnight. */
LOY_MUST_USE bool loy_value_hours(struct loy_str text, uint16_t *ret_from, uint16_t *ret_until);
/* "92.5" as numerator and denominator, above zero, at most 9 decimals. */
LOY_MUST_USE bool loy_value_rate(struct loy_str text, int64_t *ret_numerator, int64_t *ret_denominator);
/* [a-z][a-z0-9_]*, at most 64 bytes. */
/* "12-31": a date of each year. */
bool loy_value_month_day(struct loy_str text, uint8_t *ret_month, uint8_t *ret_day);
bool loy_value_is_id(struct loy_str text);
LOY_MUST_USE bool loy_value_bool(struct loy_str text, bool *ret_value);
/* Decimals of the smallest unit of an ISO 4217 currency; -1: not three capital letters. */
int32_t loy_currency_digits(struct loy_str currency);

#endif
