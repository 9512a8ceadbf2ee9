#include "base/str.h"

#include <assert.h>
#include <stdio.h>

int loy_str_compare(struct loy_str a, struct loy_str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;
    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool loy_str_starts_with(struct loy_str text, struct loy_str prefix)
{
    return text.len >= prefix.len && (prefix.len == 0 || memcmp(text.at, prefix.at, prefix.len) == 0);
}

struct loy_str loy_str_copy(struct loy_arena *arena, struct loy_str text)
{
    return (struct loy_str){loy_arena_copy(arena, text.at, text.len), text.len};
}

char *loy_str_dup_z(struct loy_arena *arena, struct loy_str text)
{
    char *at = loy_arena_alloc(arena, text.len + 1);
    if (!at) {
        return NULL;
    }
    if (text.len) {
        memcpy(at, text.at, text.len);
    }
    at[text.len] = '\0';
    return at;
}

/* Length of the sequence at bytes[0..left), 0 when it is not well-formed. Unicode 15, table 3-7. */
static size_t sequence_length(const uint8_t *bytes, size_t left)
{
    uint8_t first = bytes[0];
    if (first < 0x80) {
        return 1;
    }
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || left < length) {
        return 0;
    }
    uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool loy_str_is_utf8(struct loy_str text)
{
    const uint8_t *bytes = (const uint8_t *)text.at;
    for (size_t i = 0; i < text.len;) {
        size_t length = sequence_length(bytes + i, text.len - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

uint32_t loy_str_next_code_point(struct loy_str text, size_t *offset)
{
    assert(*offset < text.len);
    const uint8_t *bytes = (const uint8_t *)text.at + *offset;
    size_t length = sequence_length(bytes, text.len - *offset);
    assert(length > 0);
    static const uint8_t first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code_point = bytes[0] & first_bits[length];
    for (size_t i = 1; i < length; i++) {
        code_point = code_point << 6 | (bytes[i] & 0x3F);
    }
    *offset += length;
    return code_point;
}

bool loy_str_to_u64(struct loy_str text, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (text.len == 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char digit = text.at[i];
        if (digit < '0' || digit > '9' || __builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(digit - '0'), &value)) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

bool loy_str_to_i64(struct loy_str text, int64_t *ret_value)
{
    bool negative = text.len > 0 && text.at[0] == '-';
    bool has_sign = negative || (text.len > 0 && text.at[0] == '+');
    struct loy_str digits = has_sign ? (struct loy_str){text.at + 1, text.len - 1} : text;
    uint64_t magnitude;
    if (!loy_str_to_u64(digits, &magnitude) || magnitude > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *ret_value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

void loy_buf_init(struct loy_buf *buf, struct loy_arena *arena, size_t first_capacity)
{
    *buf = (struct loy_buf){.arena = arena, .capacity = first_capacity};
    buf->at = loy_arena_alloc(arena, first_capacity);
    buf->failed = !buf->at;
}

bool loy_buf_reserve(struct loy_buf *buf, size_t size)
{
    if (buf->failed || size <= buf->capacity - buf->len) {
        return !buf->failed;
    }
    size_t capacity = buf->capacity < 64 ? 128 : buf->capacity * 2;
    while (capacity - buf->len < size) {
        capacity *= 2;
    }
    if (!loy_arena_resize(buf->arena, buf->at, buf->capacity, capacity)) {
        char *at = loy_arena_alloc(buf->arena, capacity);
        if (!at) {
            buf->failed = true;
            return false;
        }
        memcpy(at, buf->at, buf->len);
        buf->at = at;
    }
    buf->capacity = capacity;
    return true;
}

void loy_buf_printf(struct loy_buf *buf, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text) {
        buf->failed = true;
        return;
    }
    loy_buf_append(buf, (struct loy_str){text, (size_t)length});
}

struct loy_str loy_buf_str(const struct loy_buf *buf)
{
    return buf->failed ? (struct loy_str){0} : (struct loy_str){buf->at, buf->len};
}

struct loy_str loy_buf_finish(struct loy_buf *buf)
{
    if (!buf->failed && loy_arena_resize(buf->arena, buf->at, buf->capacity, buf->len)) {
        buf->capacity = buf->len;
    }
    return loy_buf_str(buf);
}
