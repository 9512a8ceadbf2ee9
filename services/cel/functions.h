/* The functions and operators of the language: one table, from which the checker, the evaluator, the static cost and
 * docs/cel.md take what they need. Inside the room only.
 *
 * A signature is one letter a type, result first, overloads divided by `;`:
 *   i int  u uint  d double  b bool  s string  y bytes  t timestamp  p duration (period)  n null  * dyn
 *   Lx list(x)  Mxy map(x, y)  Tx type(x)  A B C type parameters
 * "#" instead of a signature: any number of numbers, or one list of them (greatest, least).
 *
 * How it is called: OPERATOR by its sign only, GLOBAL f(x), METHOD x.f(), EITHER both.
 * What it costs besides its instruction: FLAT nothing, SIZES the sizes of its arguments, MAKES those and what it makes
 * of them (cost.c knows how much that can be).
 * Pure; any thread. Test: tests/unit/test_cel_functions.c, tests/conformance/. */
#ifndef LOY_CEL_FUNCTIONS_H
#define LOY_CEL_FUNCTIONS_H

#include "cel/cel.h"

enum loy_cel_style { LOY_CEL_OPERATOR, LOY_CEL_GLOBAL = 1, LOY_CEL_METHOD = 2, LOY_CEL_EITHER = 3 };
enum loy_cel_charge { LOY_CEL_FLAT, LOY_CEL_SIZES, LOY_CEL_MAKES };

#define LOY_CEL_ORDER_TYPES "bbb;bii;buu;bdd;bss;byy;btt;bpp"

/*    symbol         name               style     signatures                                        cost */
#define LOY_CEL_OPERATOR_TABLE(X)                                                                                      \
    X(add, "_+_", OPERATOR, "iii;uuu;ddd;sss;yyy;LALALA;ttp;tpt;ppp", SIZES)                                           \
    X(sub, "_-_", OPERATOR, "iii;uuu;ddd;ptt;ttp;ppp", FLAT)                                                           \
    X(mul, "_*_", OPERATOR, "iii;uuu;ddd", FLAT)                                                                       \
    X(div, "_/_", OPERATOR, "iii;uuu;ddd", FLAT)                                                                       \
    X(mod, "_%_", OPERATOR, "iii;uuu", FLAT)                                                                           \
    X(neg, "-_", OPERATOR, "ii;dd", FLAT)                                                                              \
    X(not, "!_", OPERATOR, "bb", FLAT)                                                                                 \
    X(eq, "_==_", OPERATOR, "bAA", SIZES)                                                                              \
    X(ne, "_!=_", OPERATOR, "bAA", SIZES)                                                                              \
    X(lt, "_<_", OPERATOR, LOY_CEL_ORDER_TYPES, SIZES)                                                                 \
    X(le, "_<=_", OPERATOR, LOY_CEL_ORDER_TYPES, SIZES)                                                                \
    X(gt, "_>_", OPERATOR, LOY_CEL_ORDER_TYPES, SIZES)                                                                 \
    X(ge, "_>=_", OPERATOR, LOY_CEL_ORDER_TYPES, SIZES)                                                                \
    X(in, "_in_", OPERATOR, "bALA;bAMAB", SIZES)                                                                       \
    X(index, "_[_]", OPERATOR, "ALAi;BMABA", SIZES)

#define LOY_CEL_STANDARD_TABLE(X)                                                                                      \
    X(size, "size", EITHER, "is;iy;iLA;iMAB", SIZES)                                                                   \
    X(contains, "contains", METHOD, "bss", MAKES)                                                                      \
    X(starts_with, "startsWith", METHOD, "bss", SIZES)                                                                 \
    X(ends_with, "endsWith", METHOD, "bss", SIZES)                                                                     \
    X(matches, "matches", EITHER, "bss", MAKES)                                                                        \
    X(to_bool, "bool", GLOBAL, "bb;bs", SIZES)                                                                         \
    X(to_bytes, "bytes", GLOBAL, "yy;ys", SIZES)                                                                       \
    X(to_double, "double", GLOBAL, "dd;di;du;ds", SIZES)                                                               \
    X(to_duration, "duration", GLOBAL, "pp;ps", SIZES)                                                                 \
    X(to_dyn, "dyn", GLOBAL, "*A", FLAT)                                                                               \
    X(to_int, "int", GLOBAL, "ii;iu;id;is;it", SIZES)                                                                  \
    X(to_string, "string", GLOBAL, "ss;sb;si;su;sd;sy;st;sp", SIZES)                                                   \
    X(to_timestamp, "timestamp", GLOBAL, "tt;ts;ti", SIZES)                                                            \
    X(type_of, "type", GLOBAL, "TAA", FLAT)                                                                            \
    X(to_uint, "uint", GLOBAL, "uu;ui;ud;us", SIZES)                                                                   \
    X(get_date, "getDate", METHOD, "it;its", FLAT)                                                                     \
    X(get_day_of_month, "getDayOfMonth", METHOD, "it;its", FLAT)                                                       \
    X(get_day_of_week, "getDayOfWeek", METHOD, "it;its", FLAT)                                                         \
    X(get_day_of_year, "getDayOfYear", METHOD, "it;its", FLAT)                                                         \
    X(get_full_year, "getFullYear", METHOD, "it;its", FLAT)                                                            \
    X(get_month, "getMonth", METHOD, "it;its", FLAT)                                                                   \
    X(get_hours, "getHours", METHOD, "it;its;ip", FLAT)                                                                \
    X(get_minutes, "getMinutes", METHOD, "it;its;ip", FLAT)                                                            \
    X(get_seconds, "getSeconds", METHOD, "it;its;ip", FLAT)                                                            \
    X(get_milliseconds, "getMilliseconds", METHOD, "it;its;ip", FLAT)

#define LOY_CEL_STRINGS_TABLE(X)                                                                                       \
    X(char_at, "charAt", METHOD, "ssi", SIZES)                                                                         \
    X(format, "format", METHOD, "ssL*", MAKES)                                                                         \
    X(index_of, "indexOf", METHOD, "iss;issi", MAKES)                                                                  \
    X(join, "join", METHOD, "sLs;sLss", MAKES)                                                                         \
    X(last_index_of, "lastIndexOf", METHOD, "iss;issi", MAKES)                                                         \
    X(lower_ascii, "lowerAscii", METHOD, "ss", SIZES)                                                                  \
    X(quote, "strings.quote", GLOBAL, "ss", SIZES)                                                                     \
    X(replace, "replace", METHOD, "ssss;ssssi", MAKES)                                                                 \
    X(reverse, "reverse", METHOD, "ss", SIZES)                                                                         \
    X(split, "split", METHOD, "Lsss;Lsssi", MAKES)                                                                     \
    X(substring, "substring", METHOD, "ssi;ssii", SIZES)                                                               \
    X(trim, "trim", METHOD, "ss", SIZES)                                                                               \
    X(upper_ascii, "upperAscii", METHOD, "ss", SIZES)

#define LOY_CEL_MATH_TABLE(X)                                                                                          \
    X(abs, "math.abs", GLOBAL, "ii;uu;dd", FLAT)                                                                       \
    X(bit_and, "math.bitAnd", GLOBAL, "iii;uuu", FLAT)                                                                 \
    X(bit_not, "math.bitNot", GLOBAL, "ii;uu", FLAT)                                                                   \
    X(bit_or, "math.bitOr", GLOBAL, "iii;uuu", FLAT)                                                                   \
    X(bit_shift_left, "math.bitShiftLeft", GLOBAL, "iii;uui", FLAT)                                                    \
    X(bit_shift_right, "math.bitShiftRight", GLOBAL, "iii;uui", FLAT)                                                  \
    X(bit_xor, "math.bitXor", GLOBAL, "iii;uuu", FLAT)                                                                 \
    X(ceil, "math.ceil", GLOBAL, "dd", FLAT)                                                                           \
    X(floor, "math.floor", GLOBAL, "dd", FLAT)                                                                         \
    X(greatest, "math.greatest", GLOBAL, "#", SIZES)                                                                   \
    X(is_finite, "math.isFinite", GLOBAL, "bd", FLAT)                                                                  \
    X(is_inf, "math.isInf", GLOBAL, "bd", FLAT)                                                                        \
    X(is_nan, "math.isNaN", GLOBAL, "bd", FLAT)                                                                        \
    X(least, "math.least", GLOBAL, "#", SIZES)                                                                         \
    X(round, "math.round", GLOBAL, "dd", FLAT)                                                                         \
    X(sign, "math.sign", GLOBAL, "ii;uu;dd", FLAT)                                                                     \
    X(trunc, "math.trunc", GLOBAL, "dd", FLAT)                                                                         \
    X(muldiv, "muldiv", GLOBAL, "iiii;iiiis", FLAT)

#define LOY_CEL_FUNCTION_TABLE(X)                                                                                      \
    LOY_CEL_OPERATOR_TABLE(X)                                                                                          \
    LOY_CEL_STANDARD_TABLE(X)                                                                                          \
    LOY_CEL_STRINGS_TABLE(X)                                                                                           \
    LOY_CEL_MATH_TABLE(X)

/* Arguments are never ERROR or ABSENT; everything else about them has to be looked at. */
typedef struct loy_cel_value loy_cel_builtin_fn(struct loy_cel_run *run, const struct loy_cel_value *args,
                                                uint32_t count);

enum loy_cel_builtin {
#define LOY_CEL_FN_ENUM(symbol, name, style, signatures, charge) LOY_CEL_FN_##symbol,
    LOY_CEL_FUNCTION_TABLE(LOY_CEL_FN_ENUM)
#undef LOY_CEL_FN_ENUM
        LOY_CEL_FN_COUNT
};

#define LOY_CEL_FN_DECLARE(symbol, name, style, signatures, charge) loy_cel_builtin_fn loy_cel_fn_##symbol;
LOY_CEL_FUNCTION_TABLE(LOY_CEL_FN_DECLARE)
#undef LOY_CEL_FN_DECLARE

struct loy_cel_builtin_row {
    struct loy_str name;
    const char *signatures;
    loy_cel_builtin_fn *call;
    uint8_t style;  /* enum loy_cel_style */
    uint8_t charge; /* enum loy_cel_charge */
};

/* Constant; index < LOY_CEL_FN_COUNT. */
const struct loy_cel_builtin_row *loy_cel_builtin_at(unsigned index);
/* By name and the way it is called (LOY_CEL_GLOBAL or LOY_CEL_METHOD); -1: none. */
int32_t loy_cel_builtin_find(struct loy_str name, unsigned style);

#endif
