/* Conversions: bool(), int(), string() … */
#include "cel/functions.h"
#include "cel/numtext.h"
#include "cel/program.h"
#include "cel/timetext.h"

#include <math.h>

static struct loy_cel_value not_one(const char *message)
{
    return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, message);
}

struct loy_cel_value loy_cel_fn_to_bool(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    static const char *const truths[] = {"1", "t", "true", "TRUE", "True"};
    static const char *const untruths[] = {"0", "f", "false", "FALSE", "False"};
    (void)run;
    if (count == 1 && args[0].kind == LOY_CEL_BOOL) {
        return args[0];
    }
    if (count != 1 || args[0].kind != LOY_CEL_STRING) {
        return loy_cel_no_overload();
    }
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++) {
        if (loy_str_equal(loy_cel_text(args[0]), loy_str(truths[i]))) {
            return loy_cel_bool(true);
        }
        if (loy_str_equal(loy_cel_text(args[0]), loy_str(untruths[i]))) {
            return loy_cel_bool(false);
        }
    }
    return not_one("the text is no bool");
}

struct loy_cel_value loy_cel_fn_to_bytes(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count != 1 || (args[0].kind != LOY_CEL_STRING && args[0].kind != LOY_CEL_BYTES)) {
        return loy_cel_no_overload();
    }
    return loy_cel_bytes(loy_cel_text(args[0]));
}

struct loy_cel_value loy_cel_fn_to_double(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    double value;
    switch (count == 1 ? args[0].kind : LOY_CEL_NULL) {
    case LOY_CEL_DOUBLE:
        return args[0];
    case LOY_CEL_INT:
        return loy_cel_double((double)args[0].as.i);
    case LOY_CEL_UINT:
        return loy_cel_double((double)args[0].as.u);
    case LOY_CEL_STRING:
        return loy_cel_double_parse(loy_cel_text(args[0]), &value) ? loy_cel_double(value)
                                                                   : not_one("the text is no number");
    default:
        return loy_cel_no_overload();
    }
}

struct loy_cel_value loy_cel_fn_to_int(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    int64_t value;
    switch (count == 1 ? args[0].kind : LOY_CEL_NULL) {
    case LOY_CEL_INT:
        return args[0];
    case LOY_CEL_TIMESTAMP:
        return loy_cel_int(args[0].as.i);
    case LOY_CEL_UINT:
        return args[0].as.u > INT64_MAX ? loy_cel_out_of_range() : loy_cel_int((int64_t)args[0].as.u);
    case LOY_CEL_DOUBLE:
        /* The ends themselves are refused: near them a double stands for many ints. */
        return args[0].as.d > -9223372036854775808.0 && args[0].as.d < 9223372036854775808.0
                   ? loy_cel_int((int64_t)args[0].as.d)
                   : loy_cel_out_of_range();
    case LOY_CEL_STRING:
        return loy_str_to_i64(loy_cel_text(args[0]), &value) ? loy_cel_int(value) : not_one("the text is no int");
    default:
        return loy_cel_no_overload();
    }
}

struct loy_cel_value loy_cel_fn_to_uint(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    uint64_t value;
    switch (count == 1 ? args[0].kind : LOY_CEL_NULL) {
    case LOY_CEL_UINT:
        return args[0];
    case LOY_CEL_INT:
        return args[0].as.i < 0 ? loy_cel_out_of_range() : loy_cel_uint((uint64_t)args[0].as.i);
    case LOY_CEL_DOUBLE:
        return args[0].as.d >= 0 && args[0].as.d < 18446744073709551616.0 ? loy_cel_uint((uint64_t)args[0].as.d)
                                                                          : loy_cel_out_of_range();
    case LOY_CEL_STRING:
        return loy_str_to_u64(loy_cel_text(args[0]), &value) ? loy_cel_uint(value) : not_one("the text is no uint");
    default:
        return loy_cel_no_overload();
    }
}

static bool has_text(struct loy_cel_value value)
{
    return (value.kind >= LOY_CEL_BOOL && value.kind <= LOY_CEL_DURATION);
}

struct loy_cel_value loy_cel_fn_to_string(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    if (count != 1 || !has_text(args[0])) {
        return loy_cel_no_overload();
    }
    if (args[0].kind == LOY_CEL_STRING || args[0].kind == LOY_CEL_BYTES) {
        return loy_str_is_utf8(loy_cel_text(args[0])) ? loy_cel_string(loy_cel_text(args[0]))
                                                      : not_one("the bytes are not UTF-8");
    }
    struct loy_buf buf;
    loy_buf_init(&buf, run->arena, 32);
    (void)loy_cel_print_plain(args[0], run->arena, &buf, 0);
    return buf.failed ? loy_cel_exhausted() : loy_cel_string(loy_buf_str(&buf));
}

struct loy_cel_value loy_cel_fn_to_timestamp(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    struct loy_cel_value value;
    switch (count == 1 ? args[0].kind : LOY_CEL_NULL) {
    case LOY_CEL_TIMESTAMP:
        return args[0];
    case LOY_CEL_INT:
        if (args[0].as.i < LOY_CEL_SECONDS_MIN || args[0].as.i > LOY_CEL_SECONDS_MAX) {
            return loy_cel_out_of_range();
        }
        return (struct loy_cel_value){.kind = LOY_CEL_TIMESTAMP, .as.i = args[0].as.i};
    case LOY_CEL_STRING:
        return loy_cel_timestamp_parse(loy_cel_text(args[0]), &value) ? value : not_one("the text is no timestamp");
    default:
        return loy_cel_no_overload();
    }
}

struct loy_cel_value loy_cel_fn_to_duration(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    struct loy_cel_value value = {.kind = LOY_CEL_DURATION};
    switch (count == 1 ? args[0].kind : LOY_CEL_NULL) {
    case LOY_CEL_DURATION:
        return args[0];
    case LOY_CEL_STRING:
        return loy_cel_duration_parse(loy_cel_text(args[0]), &value.as.i) ? value : not_one("the text is no duration");
    default:
        return loy_cel_no_overload();
    }
}
