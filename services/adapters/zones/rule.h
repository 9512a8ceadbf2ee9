/* The rule at the end of a TZif file, as POSIX writes it: "CET-1CEST,M3.5.0,M10.5.0/3". Inside the room only.
 *
 * Pure; any thread. Test: tests/unit/test_zones.c. */
#ifndef LOY_ADAPTERS_ZONES_RULE_H
#define LOY_ADAPTERS_ZONES_RULE_H

#include "base/calendar.h"
#include "base/str.h"

/* A day of the year and a second of that day. */
struct loy_zone_change {
    char form; /* 'M': week of a month, 'J': day 1 to 365 without leap days, '0': day 0 to 365 */
    int32_t month, week, day;
    int32_t second;
};

struct loy_zone_rule {
    int32_t standard_s, summer_s; /* offsets from UTC */
    bool has_summer;
    struct loy_zone_change to_summer, to_standard;
};

/* false: the text is no rule. */
bool loy_zone_rule_parse(struct loy_str text, struct loy_zone_rule *ret);
/* Seconds since 1970, local time without offset. */
int64_t loy_zone_change_second(const struct loy_zone_change *change, int32_t year);

#endif
