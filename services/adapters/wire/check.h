/* Check: one value against its rule. Internal to wire.
 *
 * Pure; any thread. Test: test_wire_decode.c. */
#ifndef LOY_ADAPTERS_WIRE_CHECK_H
#define LOY_ADAPTERS_WIRE_CHECK_H

#include "adapters/wire/path.h"
#include "adapters/wire/rules.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ASCII without U+0000, as most texts are, which are short: eight bytes at a time, as long as none is 0 or above 127.
 */
static inline bool loy_wire_is_plain(struct loy_str text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    size_t i = 0;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.at + i, 8);
        /* Subtracting 1 from each byte sets a high bit where one was 0; where it was above 127, it has one anyway. */
        if (((word - ones) | word) & highs) {
            return false;
        }
    }
    for (; i < text.len; i++) {
        if (text.at[i] <= 0) {
            return false;
        }
    }
    return true;
}

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
