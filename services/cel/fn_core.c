/* Operators, and what holds for lists, maps and types. */
#include "cel/functions.h"
#include "cel/program.h"
#include "cel/timetext.h"

#include <math.h>

static struct loy_cel_value timestamp(__int128 ns)
{
    __int128 seconds = ns / LOY_CEL_NS_PER_SECOND;
    int64_t rest = (int64_t)(ns % LOY_CEL_NS_PER_SECOND);
    if (rest < 0) {
        rest += LOY_CEL_NS_PER_SECOND;
        seconds--;
    }
    if (seconds < LOY_CEL_SECONDS_MIN || seconds > LOY_CEL_SECONDS_MAX) {
        return loy_cel_out_of_range();
    }
    return (struct loy_cel_value){.kind = LOY_CEL_TIMESTAMP, .len = (uint32_t)rest, .as.i = (int64_t)seconds};
}

static __int128 ns_of(struct loy_cel_value value)
{
    return value.kind == LOY_CEL_DURATION ? value.as.i : (__int128)value.as.i * LOY_CEL_NS_PER_SECOND + value.len;
}

static struct loy_cel_value duration(__int128 ns)
{
    if (ns < INT64_MIN || ns > INT64_MAX) {
        return loy_cel_out_of_range();
    }
    return (struct loy_cel_value){.kind = LOY_CEL_DURATION, .as.i = (int64_t)ns};
}

static bool are(const struct loy_cel_value *args, uint32_t count, unsigned first, unsigned second)
{
    return count == 2 && args[0].kind == first && args[1].kind == second;
}

static struct loy_cel_value joined_text(struct loy_cel_run *run, const struct loy_cel_value *args)
{
    size_t len = (size_t)args[0].len + args[1].len;
    char *text = len <= UINT32_MAX ? loy_cel_alloc(run, len) : NULL;
    if (!text) {
        return loy_cel_exhausted();
    }
    memcpy(text, args[0].as.text ? args[0].as.text : "", args[0].len);
    memcpy(text + args[0].len, args[1].as.text ? args[1].as.text : "", args[1].len);
    return (struct loy_cel_value){.kind = args[0].kind, .len = (uint32_t)len, .as.text = text};
}

static struct loy_cel_value joined_list(struct loy_cel_run *run, const struct loy_cel_value *args)
{
    size_t len = (size_t)args[0].len + args[1].len;
    struct loy_cel_value *items = len <= UINT32_MAX ? loy_cel_alloc(run, len * sizeof *items) : NULL;
    if (!items) {
        return loy_cel_exhausted();
    }
    for (uint32_t i = 0; i < args[0].len; i++) {
        items[i] = args[0].as.items[i];
    }
    for (uint32_t i = 0; i < args[1].len; i++) {
        items[args[0].len + i] = args[1].as.items[i];
    }
    return loy_cel_list(items, len);
}

struct loy_cel_value loy_cel_fn_add(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    int64_t i;
    uint64_t u;
    if (are(args, count, LOY_CEL_INT, LOY_CEL_INT)) {
        return __builtin_add_overflow(args[0].as.i, args[1].as.i, &i) ? loy_cel_out_of_range() : loy_cel_int(i);
    }
    if (are(args, count, LOY_CEL_UINT, LOY_CEL_UINT)) {
        return __builtin_add_overflow(args[0].as.u, args[1].as.u, &u) ? loy_cel_out_of_range() : loy_cel_uint(u);
    }
    if (are(args, count, LOY_CEL_DOUBLE, LOY_CEL_DOUBLE)) {
        return loy_cel_double(args[0].as.d + args[1].as.d);
    }
    if (are(args, count, LOY_CEL_STRING, LOY_CEL_STRING) || are(args, count, LOY_CEL_BYTES, LOY_CEL_BYTES)) {
        return joined_text(run, args);
    }
    if (are(args, count, LOY_CEL_LIST, LOY_CEL_LIST)) {
        return joined_list(run, args);
    }
    if (are(args, count, LOY_CEL_TIMESTAMP, LOY_CEL_DURATION) ||
        are(args, count, LOY_CEL_DURATION, LOY_CEL_TIMESTAMP)) {
        return timestamp(ns_of(args[0]) + ns_of(args[1]));
    }
    if (are(args, count, LOY_CEL_DURATION, LOY_CEL_DURATION)) {
        return duration(ns_of(args[0]) + ns_of(args[1]));
    }
    return loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_sub(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    int64_t i;
    uint64_t u;
    if (are(args, count, LOY_CEL_INT, LOY_CEL_INT)) {
        return __builtin_sub_overflow(args[0].as.i, args[1].as.i, &i) ? loy_cel_out_of_range() : loy_cel_int(i);
    }
    if (are(args, count, LOY_CEL_UINT, LOY_CEL_UINT)) {
        return __builtin_sub_overflow(args[0].as.u, args[1].as.u, &u) ? loy_cel_out_of_range() : loy_cel_uint(u);
    }
    if (are(args, count, LOY_CEL_DOUBLE, LOY_CEL_DOUBLE)) {
        return loy_cel_double(args[0].as.d - args[1].as.d);
    }
    if (are(args, count, LOY_CEL_TIMESTAMP, LOY_CEL_DURATION)) {
        return timestamp(ns_of(args[0]) - ns_of(args[1]));
    }
    if (are(args, count, LOY_CEL_TIMESTAMP, LOY_CEL_TIMESTAMP) ||
        are(args, count, LOY_CEL_DURATION, LOY_CEL_DURATION)) {
        return duration(ns_of(args[0]) - ns_of(args[1]));
    }
    return loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_mul(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    int64_t i;
    uint64_t u;
    if (are(args, count, LOY_CEL_INT, LOY_CEL_INT)) {
        return __builtin_mul_overflow(args[0].as.i, args[1].as.i, &i) ? loy_cel_out_of_range() : loy_cel_int(i);
    }
    if (are(args, count, LOY_CEL_UINT, LOY_CEL_UINT)) {
        return __builtin_mul_overflow(args[0].as.u, args[1].as.u, &u) ? loy_cel_out_of_range() : loy_cel_uint(u);
    }
    if (are(args, count, LOY_CEL_DOUBLE, LOY_CEL_DOUBLE)) {
        return loy_cel_double(args[0].as.d * args[1].as.d);
    }
    return loy_cel_no_overload();
}

static struct loy_cel_value by_zero(void)
{
    return loy_cel_fail(LOY_CEL_FAULT_DIVISION, "division by zero");
}

struct loy_cel_value loy_cel_fn_div(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (are(args, count, LOY_CEL_INT, LOY_CEL_INT)) {
        if (args[1].as.i == 0) {
            return by_zero();
        }
        bool overflows = args[0].as.i == INT64_MIN && args[1].as.i == -1;
        return overflows ? loy_cel_out_of_range() : loy_cel_int(args[0].as.i / args[1].as.i);
    }
    if (are(args, count, LOY_CEL_UINT, LOY_CEL_UINT)) {
        return args[1].as.u == 0 ? by_zero() : loy_cel_uint(args[0].as.u / args[1].as.u);
    }
    if (are(args, count, LOY_CEL_DOUBLE, LOY_CEL_DOUBLE)) {
        return loy_cel_double(args[0].as.d / args[1].as.d);
    }
    return loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_mod(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (are(args, count, LOY_CEL_INT, LOY_CEL_INT)) {
        if (args[1].as.i == 0) {
            return by_zero();
        }
        return loy_cel_int(args[1].as.i == -1 ? 0 : args[0].as.i % args[1].as.i);
    }
    if (are(args, count, LOY_CEL_UINT, LOY_CEL_UINT)) {
        return args[1].as.u == 0 ? by_zero() : loy_cel_uint(args[0].as.u % args[1].as.u);
    }
    return loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_neg(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count == 1 && args[0].kind == LOY_CEL_INT) {
        return args[0].as.i == INT64_MIN ? loy_cel_out_of_range() : loy_cel_int(-args[0].as.i);
    }
    if (count == 1 && args[0].kind == LOY_CEL_DOUBLE) {
        return loy_cel_double(-args[0].as.d);
    }
    return loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_not(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return count == 1 && args[0].kind == LOY_CEL_BOOL ? loy_cel_bool(!args[0].as.i) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_eq(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    return count == 2 ? loy_cel_equal(run, args[0], args[1]) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_ne(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    struct loy_cel_value same = loy_cel_fn_eq(run, args, count);
    return same.kind == LOY_CEL_BOOL ? loy_cel_bool(!same.as.i) : same;
}

/* Whether the order is one of two; NaN has none, so every comparison with it is false. */
static struct loy_cel_value ordered(const struct loy_cel_value *args, uint32_t count, int wanted, int or_wanted)
{
    int order = count == 2 ? loy_cel_compare(args[0], args[1]) : LOY_CEL_UNORDERED;
    return order == LOY_CEL_UNORDERED ? loy_cel_no_overload() : loy_cel_bool(order == wanted || order == or_wanted);
}

struct loy_cel_value loy_cel_fn_lt(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return ordered(args, count, -1, -1);
}

struct loy_cel_value loy_cel_fn_le(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return ordered(args, count, -1, 0);
}

struct loy_cel_value loy_cel_fn_gt(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return ordered(args, count, 1, 1);
}

struct loy_cel_value loy_cel_fn_ge(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return ordered(args, count, 1, 0);
}

struct loy_cel_value loy_cel_fn_in(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    if (count == 2 && args[1].kind == LOY_CEL_MAP) {
        return loy_cel_bool(loy_cel_map_find(args[1], args[0]) != NULL);
    }
    if (count != 2 || args[1].kind != LOY_CEL_LIST) {
        return loy_cel_no_overload();
    }
    for (uint32_t i = 0; i < args[1].len; i++) {
        struct loy_cel_value same = loy_cel_equal(run, args[0], args[1].as.items[i]);
        if (same.kind != LOY_CEL_BOOL || same.as.i) {
            return same;
        }
    }
    return loy_cel_bool(false);
}

/* A whole number of any kind as the place in a list; false: it is none, or negative. */
static bool index_of(struct loy_cel_value value, uint64_t *ret)
{
    switch (value.kind) {
    case LOY_CEL_INT:
        *ret = (uint64_t)value.as.i;
        return value.as.i >= 0;
    case LOY_CEL_UINT:
        *ret = value.as.u;
        return true;
    case LOY_CEL_DOUBLE:
        if (!(value.as.d >= 0 && value.as.d < 4294967296.0) || floor(value.as.d) != value.as.d) {
            return false;
        }
        *ret = (uint64_t)value.as.d;
        return true;
    default:
        return false;
    }
}

struct loy_cel_value loy_cel_fn_index(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    uint64_t index;
    if (count == 2 && args[0].kind == LOY_CEL_MAP) {
        const struct loy_cel_value *found = loy_cel_map_find(args[0], args[1]);
        return found ? *found : loy_cel_fail(LOY_CEL_FAULT_NO_KEY, "no such key");
    }
    if (count != 2 || args[0].kind != LOY_CEL_LIST) {
        return loy_cel_no_overload();
    }
    if (!index_of(args[1], &index) || index >= args[0].len) {
        return loy_cel_fail(LOY_CEL_FAULT_NO_KEY, "no such index");
    }
    return args[0].as.items[index];
}

struct loy_cel_value loy_cel_fn_size(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count != 1) {
        return loy_cel_no_overload();
    }
    switch (args[0].kind) {
    case LOY_CEL_BYTES:
    case LOY_CEL_LIST:
    case LOY_CEL_MAP:
        return loy_cel_int(args[0].len);
    case LOY_CEL_STRING: {
        int64_t points = 0;
        for (uint32_t i = 0; i < args[0].len; i++) {
            points += ((uint8_t)args[0].as.text[i] & 0xc0) != 0x80;
        }
        return loy_cel_int(points);
    }
    default:
        return loy_cel_no_overload();
    }
}

struct loy_cel_value loy_cel_fn_to_dyn(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return count == 1 ? args[0] : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_type_of(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    if (count != 1) {
        return loy_cel_no_overload();
    }
    struct loy_cel_value type = loy_cel_string(loy_cel_kind_name(run->program->env, args[0]));
    type.kind = LOY_CEL_TYPE;
    return type;
}
