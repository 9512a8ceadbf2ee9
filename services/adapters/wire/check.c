#include "adapters/wire/check.h"

#include "base/calendar.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum loy_err loy_wire_check_utf8(struct loy_str text, const struct loy_wire_path *path, struct loy_error *error)
{
    if (loy_wire_is_plain(text)) {
        return LOY_OK;
    }
    if (memchr(text.at, 0, text.len)) {
        return loy_wire_fail(error, LOY_ERR_INVALID_TEXT, path, "holds U+0000");
    }
    if (!loy_str_is_utf8(text)) {
        return loy_wire_fail(error, LOY_ERR_INVALID_TEXT, path, "is not UTF-8");
    }
    return LOY_OK;
}

static bool is_currency(struct loy_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < 'A' || text.at[i] > 'Z') {
            return false;
        }
    }
    return text.len == 3;
}

static bool is_date(struct loy_str text)
{
    if (text.len != 10 || text.at[4] != '-' || text.at[7] != '-') {
        return false;
    }
    uint64_t year, month, day;
    if (!loy_str_to_u64((struct loy_str){text.at, 4}, &year) ||
        !loy_str_to_u64((struct loy_str){text.at + 5, 2}, &month) ||
        !loy_str_to_u64((struct loy_str){text.at + 8, 2}, &day)) {
        return false;
    }
    return year >= 1 && loy_date_is_valid((struct loy_date){(int32_t)year, (uint8_t)month, (uint8_t)day});
}

static enum loy_err check_member(const struct loy_wire_rule *rule, struct loy_str text,
                                 const struct loy_wire_path *path, struct loy_error *error)
{
    if (text.len == 0) {
        return loy_wire_fail(error, LOY_ERR_INVALID_MEMBER, path, "is empty");
    }
    if (text.len > rule->max_bytes) {
        return loy_wire_fail(error, LOY_ERR_INVALID_MEMBER, path, "%zu bytes, at most %u", text.len,
                             (unsigned)rule->max_bytes);
    }
    if (rule->check == LOY_WIRE_MEMBER && text.at[0] == '~') {
        return loy_wire_fail(error, LOY_ERR_INVALID_MEMBER, path, "begins with \"~\", which is loyald's own");
    }
    return LOY_OK;
}

enum loy_err loy_wire_check_text(const struct loy_wire_rule *rule, struct loy_str text,
                                 const struct loy_wire_path *path, struct loy_error *error)
{
    switch ((enum loy_wire_check)rule->check) {
    case LOY_WIRE_ACCOUNT:
    case LOY_WIRE_MEMBER:
        return check_member(rule, text, path, error);
    case LOY_WIRE_CURRENCY:
        if (!is_currency(text)) {
            return loy_wire_fail(error, LOY_ERR_INVALID_VALUE, path, "is not three capital letters (ISO 4217)");
        }
        return LOY_OK;
    case LOY_WIRE_DATE:
        if (!is_date(text)) {
            return loy_wire_fail(error, LOY_ERR_INVALID_VALUE, path, "is not a date YYYY-MM-DD");
        }
        return LOY_OK;
    default:
        break;
    }
    if (text.len > rule->max_bytes) {
        return loy_wire_fail(error, LOY_ERR_TOO_LARGE, path, "%zu bytes, at most %u", text.len,
                             (unsigned)rule->max_bytes);
    }
    return LOY_OK;
}

enum loy_err loy_wire_check_number(const struct loy_wire_rule *rule, int64_t value, const struct loy_wire_path *path,
                                   struct loy_error *error)
{
    const char *must = NULL;
    switch ((enum loy_wire_check)rule->check) {
    case LOY_WIRE_NOT_NEGATIVE:
        must = value < 0 ? "at least 0" : NULL;
        break;
    case LOY_WIRE_FROM_1:
        must = value < 1 ? "at least 1" : NULL;
        break;
    case LOY_WIRE_NOT_ZERO:
        must = value == 0 ? "other than 0" : NULL;
        break;
    default:
        break;
    }
    if (must) {
        return loy_wire_fail(error, LOY_ERR_INVALID_VALUE, path, "is %" PRId64 ", must be %s", value, must);
    }
    return LOY_OK;
}

enum loy_err loy_wire_check_moment(int64_t seconds, int32_t nanos, const struct loy_wire_path *path,
                                   struct loy_error *error)
{
    if (seconds < LOY_MOMENT_MIN / LOY_US_PER_SECOND || seconds > LOY_MOMENT_MAX / LOY_US_PER_SECOND) {
        return loy_wire_fail(error, LOY_ERR_INVALID_TIME, path, "%" PRId64 " s is outside the years 1 to 9999",
                             seconds);
    }
    if (nanos < 0 || nanos > 999999999) {
        return loy_wire_fail(error, LOY_ERR_INVALID_TIME, path, "nanos %d, must be 0 to 999999999", nanos);
    }
    return LOY_OK;
}

enum loy_err loy_wire_check_enum(const ProtobufCEnumDescriptor *descriptor, int value, const struct loy_wire_path *path,
                                 struct loy_error *error)
{
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        if (descriptor->values[i].value == value) {
            return LOY_OK;
        }
    }
    return loy_wire_fail(error, LOY_ERR_INVALID_VALUE, path, "%d is no %s", value, descriptor->short_name);
}
