/* Check: one value against its rule. Internal to wire.
 *
 * Pure; any thread. Test: test_wire_decode.c. */
#ifndef LOY_ADAPTERS_WIRE_CHECK_H
#define LOY_ADAPTERS_WIRE_CHECK_H

#include "adapters/wire/path.h"
#include "adapters/wire/rules.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* LOY_ERR_INVALID_TEXT unless text is UTF-8 without U+0000. */
LOY_MUST_USE enum loy_err loy_wire_check_utf8(struct loy_str text, const struct loy_wire_path *path,
                                              struct loy_error *error);
LOY_MUST_USE enum loy_err loy_wire_check_text(const struct loy_wire_rule *rule, struct loy_str text,
                                              const struct loy_wire_path *path, struct loy_error *error);
LOY_MUST_USE enum loy_err loy_wire_check_number(const struct loy_wire_rule *rule, int64_t value,
                                                const struct loy_wire_path *path, struct loy_error *error);
/* seconds and nanos of a Timestamp: LOY_ERR_INVALID_TIME outside the years 1 to 9999. */
LOY_MUST_USE enum loy_err loy_wire_check_moment(int64_t seconds, int32_t nanos, const struct loy_wire_path *path,
                                                struct loy_error *error);
/* The enum has this number, else LOY_ERR_INVALID_VALUE. */
LOY_MUST_USE enum loy_err loy_wire_check_enum(const ProtobufCEnumDescriptor *descriptor, int value,
                                              const struct loy_wire_path *path, struct loy_error *error);

#endif
