/* Moments and durations as CEL writes them. Inside the room only. Pure; any thread.
 * Test: tests/unit/test_cel_functions.c. */
#ifndef LOY_CEL_TIMETEXT_H
#define LOY_CEL_TIMETEXT_H

#include "cel/cel.h"

#define LOY_CEL_SECONDS_MIN INT64_C(-62135596800)
#define LOY_CEL_SECONDS_MAX INT64_C(253402300799)
#define LOY_CEL_NS_PER_SECOND INT64_C(1000000000)

enum { LOY_CEL_TIME_TEXT_MAX = 48 };

/* RFC 3339 with at most nine decimals; false: it is none, or outside the years 1 to 9999. */
LOY_MUST_USE bool loy_cel_timestamp_parse(struct loy_str text, struct loy_cel_value *ret);
size_t loy_cel_timestamp_format(struct loy_cel_value timestamp, char text[LOY_CEL_TIME_TEXT_MAX]);
/* Go's notation: "1h30m1.5s", units h m s ms us µs ns; false: it is none, or too long for 64 bits of nanoseconds. */
LOY_MUST_USE bool loy_cel_duration_parse(struct loy_str text, int64_t *ret_ns);
/* In seconds: "5400s", "-0.5s". */
size_t loy_cel_duration_format(int64_t ns, char text[LOY_CEL_TIME_TEXT_MAX]);

#endif
