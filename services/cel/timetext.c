#include "cel/timetext.h"

#include <stdio.h>

static bool two_digits(struct loy_str text, size_t at, int count, int32_t *ret)
{
    int32_t value = 0;
    for (int i = 0; i < count; i++) {
        if (at + (size_t)i >= text.len || text.at[at + (size_t)i] < '0' || text.at[at + (size_t)i] > '9') {
            return false;
        }
        value = value * 10 + (text.at[at + (size_t)i] - '0');
    }
    *ret = value;
    return true;
}

static bool is_at(struct loy_str text, size_t at, char a, char b)
{
    return at < text.len && (text.at[at] == a || text.at[at] == b);
}

/* ".123456789" at *at, if it is there; moves behind it. */
static bool fraction_of(struct loy_str text, size_t *at, uint32_t *ret_ns)
{
    uint32_t ns = 0, unit = 100000000;
    *ret_ns = 0;
    if (!is_at(text, *at, '.', '.')) {
        return true;
    }
    size_t first = ++*at;
    for (; *at < text.len && text.at[*at] >= '0' && text.at[*at] <= '9'; ++*at) {
        ns += (uint32_t)(text.at[*at] - '0') * unit;
        unit /= 10;
    }
    *ret_ns = ns;
    return *at > first && *at - first <= 9;
}

/* "Z" or "+03:00" to the end of the text. */
static bool offset_of(struct loy_str text, size_t at, int32_t *ret_seconds)
{
    *ret_seconds = 0;
    if (is_at(text, at, 'Z', 'z')) {
        return at + 1 == text.len;
    }
    int32_t hours, minutes;
    if (!is_at(text, at, '+', '-') || !two_digits(text, at + 1, 2, &hours) || !is_at(text, at + 3, ':', ':') ||
        !two_digits(text, at + 4, 2, &minutes) || hours > 23 || minutes > 59 || at + 6 != text.len) {
        return false;
    }
    *ret_seconds = (text.at[at] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool loy_cel_timestamp_parse(struct loy_str text, struct loy_cel_value *ret)
{
    int32_t year, month, day, hour, minute, second, offset;
    uint32_t ns;
    size_t at = 19;
    if (!two_digits(text, 0, 4, &year) || !is_at(text, 4, '-', '-') || !two_digits(text, 5, 2, &month) ||
        !is_at(text, 7, '-', '-') || !two_digits(text, 8, 2, &day) || !is_at(text, 10, 'T', 't') ||
        !two_digits(text, 11, 2, &hour) || !is_at(text, 13, ':', ':') || !two_digits(text, 14, 2, &minute) ||
        !is_at(text, 16, ':', ':') || !two_digits(text, 17, 2, &second) || !fraction_of(text, &at, &ns) ||
        !offset_of(text, at, &offset)) {
        return false;
    }
    struct loy_date date = {year, (uint8_t)month, (uint8_t)day};
    if (!loy_date_is_valid(date) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    int64_t seconds = loy_days_from_date(date) * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 + second - offset;
    if (seconds < LOY_CEL_SECONDS_MIN || seconds > LOY_CEL_SECONDS_MAX) {
        return false;
    }
    *ret = (struct loy_cel_value){.kind = LOY_CEL_TIMESTAMP, .len = ns, .as.i = seconds};
    return true;
}

/* ".5" of ns out of a second, without trailing zeros; "" when there are none. */
static void fraction_text(uint32_t ns, char text[16])
{
    text[0] = '\0';
    if (ns == 0) {
        return;
    }
    (void)snprintf(text, 16, ".%09u", ns);
    for (size_t len = 9; text[len] == '0'; len--) {
        text[len] = '\0';
    }
}

size_t loy_cel_timestamp_format(struct loy_cel_value timestamp, char text[LOY_CEL_TIME_TEXT_MAX])
{
    int64_t days = timestamp.as.i / 86400, rest = timestamp.as.i % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    struct loy_date date = loy_date_from_days(days);
    char fraction[16];
    fraction_text(timestamp.len, fraction);
    return (size_t)snprintf(text, LOY_CEL_TIME_TEXT_MAX, "%04d-%02u-%02uT%02d:%02d:%02d%sZ", (int)date.year,
                            date.month % 100U, date.day % 100U, (int)(rest / 3600), (int)(rest / 60 % 60),
                            (int)(rest % 60), fraction);
}

/* The unit at *at in ns, and moves behind it; 0: none. */
static int64_t unit_of(struct loy_str text, size_t *at)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ns", 1},       {"us", 1000},      {"µs", 1000},       {"μs", 1000},
                 {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t len = strlen(units[i].name);
        if (text.len - *at >= len && memcmp(text.at + *at, units[i].name, len) == 0) {
            *at += len;
            return units[i].ns;
        }
    }
    return 0;
}

/* "1.5h" at *at as ns, added to the total with its sign. */
static bool add_part(struct loy_str text, size_t *at, bool negative, int64_t *total)
{
    uint64_t whole = 0, fraction = 0, scale = 1;
    size_t digits = 0;
    for (; *at < text.len && text.at[*at] >= '0' && text.at[*at] <= '9'; ++*at, digits++) {
        if (__builtin_mul_overflow(whole, 10U, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(text.at[*at] - '0'), &whole)) {
            return false;
        }
    }
    if (*at < text.len && text.at[*at] == '.') {
        for (++*at; *at < text.len && text.at[*at] >= '0' && text.at[*at] <= '9'; ++*at, digits++) {
            if (scale <= 1000000000000) { /* what follows is below a nanosecond of an hour */
                fraction = fraction * 10 + (uint64_t)(text.at[*at] - '0');
                scale *= 10;
            }
        }
    }
    int64_t unit = digits ? unit_of(text, at) : 0;
    if (unit == 0) {
        return false;
    }
    unsigned __int128 ns =
        (unsigned __int128)whole * (uint64_t)unit + (unsigned __int128)fraction * (uint64_t)unit / scale;
    if (ns > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    int64_t part = negative ? (int64_t)(0 - (uint64_t)ns) : (int64_t)ns;
    return !__builtin_add_overflow(*total, part, total);
}

bool loy_cel_duration_parse(struct loy_str text, int64_t *ret_ns)
{
    size_t at = 0;
    bool negative = text.len > 0 && text.at[0] == '-';
    at += text.len > 0 && (text.at[0] == '-' || text.at[0] == '+');
    if (text.len - at == 1 && text.at[at] == '0') {
        *ret_ns = 0;
        return true;
    }
    int64_t total = 0;
    if (at == text.len) {
        return false;
    }
    while (at < text.len) {
        if (!add_part(text, &at, negative, &total)) {
            return false;
        }
    }
    *ret_ns = total;
    return true;
}

size_t loy_cel_duration_format(int64_t ns, char text[LOY_CEL_TIME_TEXT_MAX])
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    char fraction[16];
    fraction_text((uint32_t)(size % 1000000000), fraction);
    return (size_t)snprintf(text, LOY_CEL_TIME_TEXT_MAX, "%s%llu%ss", ns < 0 ? "-" : "",
                            (unsigned long long)(size / 1000000000), fraction);
}
