#include "adapters/redis/row.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { FORMAT = 3, CHECK_AT = 1, ZEROS_AT = 9, PLAIN_AT = 11, DIGEST_AT = PLAIN_AT + 24 };

static const char field[] = ",\"loyald\":\"";
static const char end[] = "\"}";

static void put(char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (char)(value >> (8 * i));
    }
}

static uint64_t get(const char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)(uint8_t)at[i] << (8 * i);
    }
    return value;
}

/* One to one in each of its arguments: one changed word is always told. */
static uint64_t mix(uint64_t check, uint64_t word)
{
    check = (check ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return check ^ check >> 32;
}

/* As get() of 8 bytes, which the compiler sees to be one load only where it knows the number. */
static uint64_t get_word(const char *at)
{
    uint64_t little;
    memcpy(&little, at, sizeof little);
    return le64toh(little);
}

static uint64_t mix_text(uint64_t check, struct loy_str text)
{
    size_t at = 0;
    check = mix(check, text.len);
    for (; at + 8 <= text.len; at += 8) {
        check = mix(check, get_word(text.at + at));
    }
    return at < text.len ? mix(check, get(text.at + at, text.len - at)) : check;
}

/* Over everything behind it, and what the key says. */
static uint64_t check_of(struct loy_str plain, struct loy_str state, struct loy_str member_id, int32_t incarnation)
{
    uint64_t check = mix_text(mix(0, (uint32_t)incarnation), member_id);
    return mix_text(mix_text(check, plain), state);
}

/* --- the row as bytes -----------------------------------------------------------------------------------------------
 */

static void head_of(const struct loy_member_row *row, int32_t incarnation, char ret_head[LOY_REDIS_ROW_HEAD])
{
    char *plain = ret_head + PLAIN_AT;
    ret_head[0] = FORMAT;
    put(plain, (uint32_t)row->k, 4);
    put(plain + 4, (uint32_t)row->n, 4);
    put(plain + 8, (uint64_t)row->seq, 8);
    put(plain + 16, (uint64_t)row->version, 8);
    memcpy(ret_head + DIGEST_AT, row->digest.bytes, sizeof row->digest.bytes);
    struct loy_str rest = {plain, LOY_REDIS_ROW_HEAD - PLAIN_AT};
    put(ret_head + CHECK_AT, check_of(rest, row->state, row->member_id, incarnation), 8);
    ret_head[ZEROS_AT] = ret_head[ZEROS_AT + 1] = 0;
}

static bool read_row(struct loy_str bytes, const struct loy_account_key *key, int32_t incarnation,
                     struct loy_member_row *ret_row)
{
    if (bytes.len < LOY_REDIS_ROW_HEAD || bytes.at[0] != FORMAT) {
        return false;
    }
    const char *plain = bytes.at + PLAIN_AT;
    struct loy_member_row row = {
        .k = (int32_t)(uint32_t)get(plain, 4),
        .n = (int32_t)(uint32_t)get(plain + 4, 4),
        .member_id = key->member_id,
        .seq = (int64_t)get(plain + 8, 8),
        .version = (int64_t)get(plain + 16, 8),
        .state = {bytes.at + LOY_REDIS_ROW_HEAD, bytes.len - LOY_REDIS_ROW_HEAD},
    };
    memcpy(row.digest.bytes, bytes.at + DIGEST_AT, sizeof row.digest.bytes);
    struct loy_str rest = {plain, LOY_REDIS_ROW_HEAD - PLAIN_AT};
    if (get(bytes.at + CHECK_AT, 8) != check_of(rest, row.state, key->member_id, incarnation) ||
        get(bytes.at + ZEROS_AT, 2) != 0 || row.k != key->k || row.n < 0 || row.seq < 0 || row.version < 0) {
        return false;
    }
    *ret_row = row;
    return true;
}

/* --- bytes as text, base64 (RFC 4648) without padding ---------------------------------------------------------------
 */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t text_length(size_t bytes)
{
    return bytes / 3 * 4 + (bytes % 3 ? bytes % 3 + 1 : 0);
}

static char *put_three(char *at, uint32_t bits)
{
    at[0] = digits[bits >> 18];
    at[1] = digits[bits >> 12 & 63];
    at[2] = digits[bits >> 6 & 63];
    at[3] = digits[bits & 63];
    return at + 4;
}

/* Two threes, of the eight bytes that lie there. */
static char *put_six(char *at, const uint8_t *bytes)
{
    uint64_t bits;
    memcpy(&bits, bytes, sizeof bits);
    bits = be64toh(bits);
    for (int i = 0; i < 8; i++) {
        at[i] = digits[bits >> (58 - 6 * i) & 63];
    }
    return at + 8;
}

/* The head has a whole number of threes: head and state may be written one after the other. */
static char *put_text(char *at, const uint8_t *bytes, size_t length)
{
    for (; length >= 8; bytes += 6, length -= 6) {
        at = put_six(at, bytes);
    }
    for (; length >= 3; bytes += 3, length -= 3) {
        at = put_three(at, (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2]);
    }
    if (length) {
        char last[4];
        (void)put_three(last, (uint32_t)bytes[0] << 16 | (length > 1 ? (uint32_t)bytes[1] << 8 : 0));
        memcpy(at, last, length + 1);
        at += length + 1;
    }
    return at;
}

/* The bits of a digit; 64 and above: it is none. */
static uint32_t value_of(char digit)
{
    static const uint8_t table[256] = {
#define NONE 255
#define ROW_OF_NONE NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE
        ROW_OF_NONE, ROW_OF_NONE, NONE,        NONE,        NONE,        NONE,        NONE,        NONE, NONE,
        NONE,        NONE,        NONE,        NONE,        62,          NONE,        NONE,        NONE, 63,
        52,          53,          54,          55,          56,          57,          58,          59,   60,
        61,          NONE,        NONE,        NONE,        NONE,        NONE,        NONE,        NONE, 0,
        1,           2,           3,           4,           5,           6,           7,           8,    9,
        10,          11,          12,          13,          14,          15,          16,          17,   18,
        19,          20,          21,          22,          23,          24,          25,          NONE, NONE,
        NONE,        NONE,        NONE,        NONE,        26,          27,          28,          29,   30,
        31,          32,          33,          34,          35,          36,          37,          38,   39,
        40,          41,          42,          43,          44,          45,          46,          47,   48,
        49,          50,          51,          NONE,        NONE,        NONE,        NONE,        NONE, ROW_OF_NONE,
        ROW_OF_NONE, ROW_OF_NONE, ROW_OF_NONE, ROW_OF_NONE, ROW_OF_NONE, ROW_OF_NONE, ROW_OF_NONE,
#undef ROW_OF_NONE
#undef NONE
    };
    return table[(uint8_t)digit];
}

/* Nothing but what put_text writes: also the bits that are left over are zero. */
static bool read_text(struct loy_str text, uint8_t *ret_bytes)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t value = value_of(text.at[i]);
        if (value > 63) {
            return false;
        }
        bits = bits << 6 | value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *ret_bytes++ = (uint8_t)(bits >> held);
            bits &= (UINT32_C(1) << held) - 1;
        }
    }
    return text.len % 4 != 1 && bits == 0;
}

/* --- the value ------------------------------------------------------------------------------------------------------
 */

bool loy_redis_row_fits(const struct loy_member_row *row, struct loy_str json)
{
    return row->state.len <= LOY_REDIS_ROW_MAX - LOY_REDIS_ROW_HEAD && json.len <= LOY_REDIS_JSON_MAX && json.len > 2 &&
           json.at[json.len - 1] == '}';
}

size_t loy_redis_row_length(const struct loy_member_row *row, struct loy_str json)
{
    return json.len - 1 + sizeof field - 1 + text_length(LOY_REDIS_ROW_HEAD + row->state.len) + sizeof end - 1;
}

void loy_redis_row_encode(const struct loy_member_row *row, struct loy_str json, int32_t incarnation, char *ret_bytes)
{
    char head[LOY_REDIS_ROW_HEAD];
    static_assert(LOY_REDIS_ROW_HEAD % 3 == 0, "put_text takes what follows on its own");
    head_of(row, incarnation, head);
    memcpy(ret_bytes, json.at, json.len - 1);
    char *at = ret_bytes + json.len - 1;
    memcpy(at, field, sizeof field - 1);
    at = put_text(at + sizeof field - 1, (const uint8_t *)head, sizeof head);
    at = put_text(at, (const uint8_t *)row->state.at, row->state.len);
    memcpy(at, end, sizeof end - 1);
}

static bool ends_with(struct loy_str text, struct loy_str tail)
{
    return text.len >= tail.len && memcmp(text.at + text.len - tail.len, tail.at, tail.len) == 0;
}

bool loy_redis_row_decode(struct loy_str value, const struct loy_account_key *key, int32_t incarnation,
                          struct loy_arena *arena, struct loy_member_row *ret_row)
{
    if (!ends_with(value, (struct loy_str){end, sizeof end - 1})) {
        return false;
    }
    value.len -= sizeof end - 1;
    const char *quote = memrchr(value.at, '"', value.len);
    struct loy_str text = {quote ? quote + 1 : NULL, quote ? value.len - (size_t)(quote + 1 - value.at) : 0};
    value.len -= text.len;
    if (!quote || !ends_with(value, (struct loy_str){field, sizeof field - 1}) ||
        text.len > text_length(LOY_REDIS_ROW_MAX)) {
        return false;
    }
    struct loy_arena_mark mark = loy_arena_mark(arena);
    uint8_t *bytes = loy_arena_alloc(arena, text.len / 4 * 3 + 3);
    if (bytes && read_text(text, bytes) &&
        read_row((struct loy_str){(const char *)bytes, text.len * 3 / 4}, key, incarnation, ret_row)) {
        return true;
    }
    loy_arena_reset_to(arena, mark);
    return false;
}
