/* Whose record it is, from bytes that may be broken: just enough of protobuf and JSON to find one field. */
#include "ctl/record_file.h"

enum { MEMBER_FIELD = 3, DEPTH_MAX = 64 };

static bool varint(struct loy_str bytes, size_t *at, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && *at < bytes.len; shift += 7) {
        uint8_t byte = (uint8_t)bytes.at[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static struct loy_str member_in_protobuf(struct loy_str bytes)
{
    struct loy_str member = {NULL, 0};
    uint64_t tag = 0, value = 0;
    size_t at = 0;
    while (at < bytes.len && varint(bytes, &at, &tag)) {
        unsigned type = tag & 7;
        if (type == 0) {
            if (!varint(bytes, &at, &value)) {
                break;
            }
        } else if (type == 1 || type == 5) {
            at += type == 1 ? 8 : 4;
        } else if (type == 2 && varint(bytes, &at, &value) && value <= bytes.len - at) {
            if (tag >> 3 == MEMBER_FIELD) {
                member = (struct loy_str){bytes.at + at, value}; /* the last one counts */
            }
            at += value;
        } else {
            break;
        }
    }
    return member;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_space(struct loy_str text, size_t at)
{
    while (at < text.len && is_space(text.at[at])) {
        at++;
    }
    return at;
}

/* A text that begins behind the quote at `at`; moves *at behind its closing quote. Escapes are left as they are. */
static struct loy_str quoted(struct loy_str text, size_t *at)
{
    size_t from = *at;
    while (*at < text.len && text.at[*at] != '"') {
        *at += text.at[*at] == '\\' ? 2 : 1;
    }
    size_t until = *at < text.len ? *at : text.len;
    *at = until + 1;
    return (struct loy_str){text.at + from, until - from};
}

static struct loy_str member_in_json(struct loy_str text)
{
    bool in_data[DEPTH_MAX] = {false}; /* whether the object at a depth is the event itself */
    struct loy_str key = {NULL, 0};
    int depth = 0;
    for (size_t at = 0; at < text.len;) {
        char c = text.at[at++];
        if (c == '{' || c == '[') {
            bool event = c == '{' && (depth == 0 || (depth == 1 && loy_str_equal(key, LOY_STR("data"))));
            if (++depth >= DEPTH_MAX) {
                break;
            }
            in_data[depth] = event;
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        } else if (c == '"') {
            struct loy_str found = quoted(text, &at);
            size_t next = skip_space(text, at);
            if (next < text.len && text.at[next] == ':') {
                key = found;
                at = next + 1;
                next = skip_space(text, at);
                bool wanted = in_data[depth] &&
                              (loy_str_equal(key, LOY_STR("member_id")) || loy_str_equal(key, LOY_STR("memberId")));
                if (wanted && next < text.len && text.at[next] == '"') {
                    at = next + 1;
                    return quoted(text, &at);
                }
            }
        }
    }
    return (struct loy_str){NULL, 0};
}

struct loy_str loy_record_member(struct loy_str record)
{
    size_t first = skip_space(record, 0);
    return first < record.len && record.at[first] == '{' ? member_in_json(record) : member_in_protobuf(record);
}
