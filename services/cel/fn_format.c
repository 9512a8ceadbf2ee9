/* "%s bought %d".format([name, count]): the extension `strings`. */
#include "cel/functions.h"
#include "cel/numtext.h"
#include "cel/program.h"

#include <math.h>

struct clause {
    char verb;
    int precision; /* -1: none */
};

static struct loy_cel_value wrong(const char *message)
{
    return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, message);
}

/* What stands behind a % at *at; moves behind it. false: it is no clause. */
static bool read_clause(struct loy_str format, size_t *at, struct clause *ret)
{
    *ret = (struct clause){'\0', -1};
    if (*at < format.len && format.at[*at] == '.') {
        ret->precision = 0;
        size_t first = ++*at;
        for (; *at < format.len && format.at[*at] >= '0' && format.at[*at] <= '9'; ++*at) {
            ret->precision = ret->precision * 10 + (format.at[*at] - '0');
            if (ret->precision > LOY_CEL_MAX_DECIMALS) {
                return false;
            }
        }
        if (*at == first) {
            return false;
        }
    }
    if (*at >= format.len) {
        return false;
    }
    ret->verb = format.at[(*at)++];
    return true;
}

static bool is_number(struct loy_cel_value value)
{
    return value.kind == LOY_CEL_INT || value.kind == LOY_CEL_UINT || value.kind == LOY_CEL_DOUBLE;
}

static double as_double(struct loy_cel_value value)
{
    return value.kind == LOY_CEL_DOUBLE ? value.as.d
           : value.kind == LOY_CEL_INT  ? (double)value.as.i
                                        : (double)value.as.u;
}

static bool put_decimal(struct loy_cel_run *run, struct loy_cel_value value, struct loy_buf *buf)
{
    bool is_whole = value.kind == LOY_CEL_INT || value.kind == LOY_CEL_UINT;
    bool is_odd = value.kind == LOY_CEL_DOUBLE && (isnan(value.as.d) || isinf(value.as.d));
    return (is_whole || is_odd) && loy_cel_print_plain(value, run->arena, buf, 0);
}

/* An int by its size with a sign before, a uint or bool, in base 2, 8 or 16. */
static bool put_digits(struct loy_cel_value value, unsigned bits, bool upper, struct loy_buf *buf)
{
    bool negative = value.kind == LOY_CEL_INT && value.as.i < 0;
    uint64_t size = negative ? 0 - value.as.u : value.as.u;
    char digits[64];
    size_t at = sizeof digits;
    do {
        digits[--at] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[size & ((1U << bits) - 1)];
        size >>= bits;
    } while (size > 0);
    loy_buf_append(buf, negative ? LOY_STR("-") : LOY_STR(""));
    loy_buf_append(buf, (struct loy_str){digits + at, sizeof digits - at});
    return true;
}

static bool put_hex(struct loy_cel_value value, bool upper, struct loy_buf *buf)
{
    if (value.kind == LOY_CEL_INT || value.kind == LOY_CEL_UINT) {
        return put_digits(value, 4, upper, buf);
    }
    if (value.kind != LOY_CEL_STRING && value.kind != LOY_CEL_BYTES) {
        return false;
    }
    for (uint32_t i = 0; i < value.len; i++) {
        loy_buf_printf(buf, upper ? "%02X" : "%02x", (uint8_t)value.as.text[i]);
    }
    return true;
}

/* false: the clause does not take this value. */
static bool put(struct loy_cel_run *run, struct clause clause, struct loy_cel_value value, struct loy_buf *buf)
{
    bool is_whole = value.kind == LOY_CEL_INT || value.kind == LOY_CEL_UINT;
    switch (clause.verb) {
    case 's':
        return loy_cel_print_plain(value, run->arena, buf, 0);
    case 'd':
        return put_decimal(run, value, buf);
    case 'f':
    case 'e':
        if (!is_number(value)) {
            return false;
        }
        loy_cel_double_append(buf, as_double(value), clause.precision < 0 ? 6 : clause.precision, clause.verb == 'e');
        return true;
    case 'b':
        return (is_whole || value.kind == LOY_CEL_BOOL) && put_digits(value, 1, false, buf);
    case 'o':
        return is_whole && put_digits(value, 3, false, buf);
    case 'x':
    case 'X':
        return put_hex(value, clause.verb == 'X', buf);
    default:
        return false;
    }
}

struct loy_cel_value loy_cel_fn_format(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    if (count != 2 || args[0].kind != LOY_CEL_STRING || args[1].kind != LOY_CEL_LIST) {
        return loy_cel_no_overload();
    }
    struct loy_str format = loy_cel_text(args[0]);
    struct loy_buf buf;
    loy_buf_init(&buf, run->arena, format.len + 32);
    uint32_t used = 0;
    for (size_t at = 0; at < format.len;) {
        const char *percent = memchr(format.at + at, '%', format.len - at);
        size_t end = percent ? (size_t)(percent - format.at) : format.len;
        loy_buf_append(&buf, (struct loy_str){format.at + at, end - at});
        at = end + 1;
        struct clause clause;
        if (!percent) {
            break;
        }
        if (!read_clause(format, &at, &clause)) {
            return wrong("a clause of the format that is none");
        }
        if (clause.verb == '%') {
            loy_buf_append_byte(&buf, '%');
            continue;
        }
        if (used >= args[1].len) {
            return wrong("the format wants more values than there are");
        }
        if (!put(run, clause, args[1].as.items[used++], &buf) && !buf.failed) {
            return wrong("a clause of the format does not take its value");
        }
    }
    if (buf.failed || buf.len > UINT32_MAX) {
        return loy_cel_exhausted();
    }
    return loy_cel_charge(run, buf.len) ? loy_cel_string(loy_buf_str(&buf)) : loy_cel_no_fuel();
}
