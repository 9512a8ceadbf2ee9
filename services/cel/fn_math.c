/* The extension `math`, and muldiv(). */
#include "base/num.h"
#include "cel/functions.h"
#include "cel/program.h"

#include <math.h>

static bool is_double(const struct loy_cel_value *args, uint32_t count)
{
    return count == 1 && args[0].kind == LOY_CEL_DOUBLE;
}

struct loy_cel_value loy_cel_fn_ceil(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return is_double(args, count) ? loy_cel_double(ceil(args[0].as.d)) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_floor(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return is_double(args, count) ? loy_cel_double(floor(args[0].as.d)) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_round(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return is_double(args, count) ? loy_cel_double(round(args[0].as.d)) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_trunc(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return is_double(args, count) ? loy_cel_double(trunc(args[0].as.d)) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_is_nan(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return is_double(args, count) ? loy_cel_bool(isnan(args[0].as.d)) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_is_inf(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return is_double(args, count) ? loy_cel_bool(isinf(args[0].as.d)) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_is_finite(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return is_double(args, count) ? loy_cel_bool(!isnan(args[0].as.d) && !isinf(args[0].as.d)) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_abs(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    switch (count == 1 ? args[0].kind : LOY_CEL_NULL) {
    case LOY_CEL_INT:
        if (args[0].as.i == INT64_MIN) {
            return loy_cel_out_of_range();
        }
        return loy_cel_int(args[0].as.i < 0 ? -args[0].as.i : args[0].as.i);
    case LOY_CEL_UINT:
        return args[0];
    case LOY_CEL_DOUBLE:
        return loy_cel_double(fabs(args[0].as.d));
    default:
        return loy_cel_no_overload();
    }
}

struct loy_cel_value loy_cel_fn_sign(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    switch (count == 1 ? args[0].kind : LOY_CEL_NULL) {
    case LOY_CEL_INT:
        return loy_cel_int((args[0].as.i > 0) - (args[0].as.i < 0));
    case LOY_CEL_UINT:
        return loy_cel_uint(args[0].as.u > 0);
    case LOY_CEL_DOUBLE:
        return isnan(args[0].as.d) ? args[0] : loy_cel_double((args[0].as.d > 0) - (args[0].as.d < 0));
    default:
        return loy_cel_no_overload();
    }
}

/* --- bits -------------------------------------------------------------------------------------------------------- */

/* Two ints or two uints. */
static bool are_alike(const struct loy_cel_value *args, uint32_t count)
{
    return count == 2 && args[0].kind == args[1].kind && (args[0].kind == LOY_CEL_INT || args[0].kind == LOY_CEL_UINT);
}

static struct loy_cel_value with_bits(struct loy_cel_value like, uint64_t bits)
{
    like.as.u = bits;
    return like;
}

struct loy_cel_value loy_cel_fn_bit_and(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return are_alike(args, count) ? with_bits(args[0], args[0].as.u & args[1].as.u) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_bit_or(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return are_alike(args, count) ? with_bits(args[0], args[0].as.u | args[1].as.u) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_bit_xor(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return are_alike(args, count) ? with_bits(args[0], args[0].as.u ^ args[1].as.u) : loy_cel_no_overload();
}

struct loy_cel_value loy_cel_fn_bit_not(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    bool fits = count == 1 && (args[0].kind == LOY_CEL_INT || args[0].kind == LOY_CEL_UINT);
    return fits ? with_bits(args[0], ~args[0].as.u) : loy_cel_no_overload();
}

/* Beyond 63 nothing is left; an int is shifted as bits, so its sign does not fill the left. */
static struct loy_cel_value shift(const struct loy_cel_value *args, uint32_t count, bool left)
{
    if (count != 2 || (args[0].kind != LOY_CEL_INT && args[0].kind != LOY_CEL_UINT) || args[1].kind != LOY_CEL_INT) {
        return loy_cel_no_overload();
    }
    int64_t by = args[1].as.i;
    if (by < 0) {
        return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "a shift by less than nothing");
    }
    uint64_t bits = by > 63 ? 0 : left ? args[0].as.u << by : args[0].as.u >> by;
    return with_bits(args[0], bits);
}

struct loy_cel_value loy_cel_fn_bit_shift_left(struct loy_cel_run *run, const struct loy_cel_value *args,
                                               uint32_t count)
{
    (void)run;
    return shift(args, count, true);
}

struct loy_cel_value loy_cel_fn_bit_shift_right(struct loy_cel_run *run, const struct loy_cel_value *args,
                                                uint32_t count)
{
    (void)run;
    return shift(args, count, false);
}

/* --- greatest, least --------------------------------------------------------------------------------------------- */

static struct loy_cel_value extreme(const struct loy_cel_value *args, uint32_t count, int wanted)
{
    if (count == 1 && args[0].kind == LOY_CEL_LIST) {
        count = args[0].len;
        args = args[0].as.items;
    }
    if (count == 0) {
        return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "of no numbers none is the greatest or the least");
    }
    struct loy_cel_value best = args[0];
    for (uint32_t i = 0; i < count; i++) {
        if (args[i].kind < LOY_CEL_INT || args[i].kind > LOY_CEL_DOUBLE) {
            return loy_cel_no_overload();
        }
        if (loy_cel_compare(args[i], best) == wanted) {
            best = args[i];
        }
    }
    return best;
}

struct loy_cel_value loy_cel_fn_greatest(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return extreme(args, count, 1);
}

struct loy_cel_value loy_cel_fn_least(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    return extreme(args, count, -1);
}

/* --- money ------------------------------------------------------------------------------------------------------- */

/* muldiv(a, b, c) = a × b ÷ c in 128 bits, rounded down, or as the fourth argument says. */
struct loy_cel_value loy_cel_fn_muldiv(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    static const char *const modes[] = {
        [LOY_ROUND_FLOOR] = "floor", [LOY_ROUND_HALF_EVEN] = "half_even", [LOY_ROUND_CEIL] = "ceil"};
    (void)run;
    if (count < 3 || count > 4 || args[0].kind != LOY_CEL_INT || args[1].kind != LOY_CEL_INT ||
        args[2].kind != LOY_CEL_INT || (count == 4 && args[3].kind != LOY_CEL_STRING)) {
        return loy_cel_no_overload();
    }
    unsigned mode = LOY_ROUND_FLOOR;
    while (count == 4 && mode <= LOY_ROUND_CEIL && !loy_str_equal(loy_cel_text(args[3]), loy_str(modes[mode]))) {
        mode++;
    }
    if (mode > LOY_ROUND_CEIL) {
        return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "rounding is 'floor', 'half_even' or 'ceil'");
    }
    if (args[2].as.i == 0) {
        return loy_cel_fail(LOY_CEL_FAULT_DIVISION, "division by zero");
    }
    int64_t result;
    bool fits = loy_i64_muldiv(args[0].as.i, args[1].as.i, args[2].as.i, (enum loy_rounding)mode, &result);
    return fits ? loy_cel_int(result) : loy_cel_out_of_range();
}
