#include "adapters/wire/base64.h"

#include <stdint.h>

static int digit_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    if (digit == '+' || digit == '-') {
        return 62;
    }
    return digit == '/' || digit == '_' ? 63 : -1;
}

enum loy_err loy_wire_base64_decode(struct loy_str text, struct loy_arena *arena, struct loy_str *ret_bytes)
{
    size_t digits = text.len;
    while (digits > 0 && text.len - digits < 2 && text.at[digits - 1] == '=') {
        digits--;
    }
    if (digits % 4 == 1 || (digits != text.len && text.len % 4 != 0)) {
        return LOY_ERR_MALFORMED;
    }
    uint8_t *bytes = loy_arena_alloc(arena, digits / 4 * 3 + 3);
    if (!bytes) {
        return LOY_ERR_NO_MEMORY;
    }
    uint32_t bits = 0;
    unsigned held = 0;
    size_t length = 0;
    for (size_t i = 0; i < digits; i++) {
        int value = digit_value(text.at[i]);
        if (value < 0) {
            return LOY_ERR_MALFORMED;
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[length++] = (uint8_t)(bits >> held);
        }
    }
    *ret_bytes = (struct loy_str){(const char *)bytes, length};
    return LOY_OK;
}
