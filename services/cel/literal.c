#include "cel/literal.h"

#include "cel/numtext.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* count digits of base 8 or 16 at *at, moving behind them; -1: not there. */
static int64_t digits_of(struct loy_str text, size_t *at, int count, int base)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++, ++*at) {
        int digit = *at < text.len ? hex_digit(text.at[*at]) : -1;
        if (digit < 0 || digit >= base) {
            return -1;
        }
        value = value * base + digit;
    }
    return value;
}

static size_t encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static char simple_escape(char c)
{
    static const char from[] = "abfnrtv\\'\"`?", to[] = "\a\b\f\n\r\t\v\\'\"`?";
    const char *at = strchr(from, c);
    return c && at ? to[at - from] : '\0';
}

/* The escape behind a backslash at *at, written to out. */
static bool unescape(struct loy_str text, size_t *at, bool is_bytes, char *out, size_t *out_len)
{
    char c = *at < text.len ? text.at[*at] : '\0';
    char simple = simple_escape(c);
    if (simple) {
        ++*at;
        out[(*out_len)++] = simple;
        return true;
    }
    int64_t code;
    if (c >= '0' && c <= '3') {
        code = digits_of(text, at, 3, 8);
    } else if (c == 'x' || c == 'X') {
        ++*at;
        code = digits_of(text, at, 2, 16);
    } else if ((c == 'u' || c == 'U') && !is_bytes) {
        ++*at;
        code = digits_of(text, at, c == 'u' ? 4 : 8, 16);
    } else {
        return false;
    }
    if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
        return false;
    }
    if (is_bytes) {
        out[(*out_len)++] = (char)code;
    } else {
        *out_len += encode((uint32_t)code, out + *out_len);
    }
    return true;
}

/* What stands between the quotes; the prefix's letters are told apart here. */
static struct loy_str inside(struct loy_str token, bool *ret_raw, bool *ret_bytes)
{
    *ret_raw = *ret_bytes = false;
    size_t at = 0;
    for (; token.at[at] != '\'' && token.at[at] != '"'; at++) {
        *ret_raw |= (token.at[at] | 0x20) == 'r';
        *ret_bytes |= (token.at[at] | 0x20) == 'b';
    }
    bool triple = token.len - at >= 6 && token.at[at + 1] == token.at[at] && token.at[at + 2] == token.at[at];
    size_t quotes = triple ? 3 : 1;
    return (struct loy_str){token.at + at + quotes, token.len - at - 2 * quotes};
}

bool loy_cel_literal_text(struct loy_str token, struct loy_arena *arena, struct loy_cel_value *ret,
                          const char **ret_reason)
{
    bool raw, is_bytes;
    struct loy_str body = inside(token, &raw, &is_bytes);
    /* An escape is never shorter than what it stands for. */
    char *out = loy_arena_alloc(arena, body.len);
    if (!out) {
        *ret_reason = "it is too large";
        return false;
    }
    size_t len = 0;
    for (size_t at = 0; at < body.len;) {
        char c = body.at[at++];
        if (c == '\r') { /* line ends are one newline, as in the definition's lexis */
            out[len++] = '\n';
            at += at < body.len && body.at[at] == '\n';
        } else if (c != '\\' || raw) {
            out[len++] = c;
        } else if (!unescape(body, &at, is_bytes, out, &len)) {
            *ret_reason = "it has an escape sequence that is none";
            return false;
        }
    }
    struct loy_str text = {out, len};
    if (!is_bytes && !loy_str_is_utf8(text)) {
        *ret_reason = "it is not UTF-8";
        return false;
    }
    *ret = is_bytes ? loy_cel_bytes(text) : loy_cel_string(text);
    return true;
}

static bool whole_number(struct loy_str digits, int base, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = hex_digit(digits.at[i]);
        if (digit < 0 || digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return false;
        }
    }
    *ret = value;
    return digits.len > 0;
}

bool loy_cel_literal_number(struct loy_str token, struct loy_cel_value *ret, const char **ret_reason)
{
    bool negative = token.len > 0 && token.at[0] == '-';
    struct loy_str digits = {token.at + negative, token.len - negative};
    bool is_hex = digits.len > 2 && digits.at[0] == '0' && (digits.at[1] | 0x20) == 'x';
    bool is_uint = digits.len > 0 && (digits.at[digits.len - 1] | 0x20) == 'u';
    bool is_double = !is_hex && (memchr(digits.at, '.', digits.len) || memchr(digits.at, 'e', digits.len) ||
                                 memchr(digits.at, 'E', digits.len));
    if (is_double) {
        double value;
        *ret_reason = "it is not a number";
        if (!loy_cel_double_parse(token, &value)) {
            return false;
        }
        *ret = loy_cel_double(value);
        return true;
    }
    digits.at += is_hex ? 2 : 0;
    digits.len -= (is_hex ? 2U : 0U) + is_uint;
    uint64_t value;
    *ret_reason = is_uint ? "it does not fit an uint" : "it does not fit an int";
    if (!whole_number(digits, is_hex ? 16 : 10, &value) || (is_uint && negative) ||
        (!is_uint && value > (uint64_t)INT64_MAX + negative)) {
        return false;
    }
    *ret = is_uint ? loy_cel_uint(value) : loy_cel_int((int64_t)(negative ? 0 - value : value));
    return true;
}
