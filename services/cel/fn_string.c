/* Text: the standard's methods and the extension `strings`. Places in a text are code points, from 0. */
#include "cel/functions.h"
#include "cel/program.h"

#include <assert.h>

static bool are_texts(const struct loy_cel_value *args, uint32_t count, uint32_t wanted)
{
    for (uint32_t i = 0; i < wanted; i++) {
        if (i >= count || args[i].kind != LOY_CEL_STRING) {
            return false;
        }
    }
    return true;
}

static struct loy_cel_value bad_index(void)
{
    return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "the index is out of range");
}

/* The byte where code point `index` begins; the end of the text is one too. false: there is none. */
static bool byte_of(struct loy_str text, int64_t index, size_t *ret)
{
    size_t at = 0;
    for (int64_t i = 0; i < index; i++) {
        if (at >= text.len) {
            return false;
        }
        at++;
        while (at < text.len && ((uint8_t)text.at[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    *ret = at;
    return index >= 0;
}

static int64_t points_before(struct loy_str text, size_t byte)
{
    int64_t points = 0;
    for (size_t i = 0; i < byte; i++) {
        points += ((uint8_t)text.at[i] & 0xc0) != 0x80;
    }
    return points;
}

/* Where part begins in text at or behind `from`; SIZE_MAX: nowhere. */
static size_t find(struct loy_str text, struct loy_str part, size_t from)
{
    if (part.len == 0) {
        return from <= text.len ? from : SIZE_MAX;
    }
    if (from >= text.len) {
        return SIZE_MAX;
    }
    const char *at = memmem(text.at + from, text.len - from, part.at, part.len);
    return at ? (size_t)(at - text.at) : SIZE_MAX;
}

struct loy_cel_value loy_cel_fn_contains(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count != 2 || !are_texts(args, count, 2)) {
        return loy_cel_no_overload();
    }
    return loy_cel_bool(find(loy_cel_text(args[0]), loy_cel_text(args[1]), 0) != SIZE_MAX);
}

struct loy_cel_value loy_cel_fn_starts_with(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count != 2 || !are_texts(args, count, 2)) {
        return loy_cel_no_overload();
    }
    return loy_cel_bool(args[1].len == 0 || loy_str_starts_with(loy_cel_text(args[0]), loy_cel_text(args[1])));
}

struct loy_cel_value loy_cel_fn_ends_with(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count != 2 || !are_texts(args, count, 2)) {
        return loy_cel_no_overload();
    }
    struct loy_str text = loy_cel_text(args[0]), end = loy_cel_text(args[1]);
    if (end.len == 0 || end.len > text.len) {
        return loy_cel_bool(end.len == 0);
    }
    return loy_cel_bool(memcmp(text.at + text.len - end.len, end.at, end.len) == 0);
}

/* A pattern that is known only now; constant ones are compiled before (OP_MATCH). */
struct loy_cel_value loy_cel_fn_matches(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    const struct loy_cel_matcher *matcher = run->program->env->matcher;
    if (count != 2 || !are_texts(args, count, 2)) {
        return loy_cel_no_overload();
    }
    if (!loy_cel_charge(run, LOY_CEL_PATTERN_COST + (uint64_t)args[1].len * 16)) {
        return loy_cel_no_fuel();
    }
    int found = matcher ? matcher->search_once(matcher->context, loy_cel_text(args[1]), loy_cel_text(args[0])) : -1;
    return found < 0 ? loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "not a regular expression") : loy_cel_bool(found > 0);
}

struct loy_cel_value loy_cel_fn_char_at(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count != 2 || !are_texts(args, count, 1) || args[1].kind != LOY_CEL_INT) {
        return loy_cel_no_overload();
    }
    struct loy_str text = loy_cel_text(args[0]);
    size_t first, next;
    if (!byte_of(text, args[1].as.i, &first)) {
        return bad_index();
    }
    struct loy_str rest = {text.at + first, text.len - first};
    if (!byte_of(rest, 1, &next)) {
        next = 0;
    }
    return loy_cel_string((struct loy_str){rest.at, next});
}

/* (text, part) or (text, part, index); the place of the index in bytes. */
static bool search_args(const struct loy_cel_value *args, uint32_t count, bool *ret_index_ok, size_t *ret_from)
{
    if (count < 2 || count > 3 || !are_texts(args, count, 2) || (count == 3 && args[2].kind != LOY_CEL_INT)) {
        return false;
    }
    *ret_from = 0;
    *ret_index_ok = count == 2 || byte_of(loy_cel_text(args[0]), args[2].as.i, ret_from);
    return true;
}

struct loy_cel_value loy_cel_fn_index_of(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    bool index_ok;
    size_t from;
    if (!search_args(args, count, &index_ok, &from)) {
        return loy_cel_no_overload();
    }
    if (!index_ok) {
        return bad_index();
    }
    size_t at = find(loy_cel_text(args[0]), loy_cel_text(args[1]), from);
    return loy_cel_int(at == SIZE_MAX ? -1 : points_before(loy_cel_text(args[0]), at));
}

struct loy_cel_value loy_cel_fn_last_index_of(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    bool index_ok;
    size_t from;
    if (!search_args(args, count, &index_ok, &from)) {
        return loy_cel_no_overload();
    }
    if (!index_ok) {
        return bad_index();
    }
    struct loy_str text = loy_cel_text(args[0]), part = loy_cel_text(args[1]);
    if (!loy_cel_charge(run, (uint64_t)text.len * (part.len + 1) / 16)) {
        return loy_cel_no_fuel();
    }
    if (part.len > text.len) {
        return loy_cel_int(-1);
    }
    size_t at = text.len - part.len;
    at = count == 3 && from < at ? from : at;
    for (;; at--) {
        if (part.len == 0 || memcmp(text.at + at, part.at, part.len) == 0) {
            return loy_cel_int(points_before(text, at));
        }
        if (at == 0) {
            return loy_cel_int(-1);
        }
    }
}

static struct loy_cel_value with_case(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count,
                                      char first, char last, int change)
{
    if (count != 1 || !are_texts(args, count, 1)) {
        return loy_cel_no_overload();
    }
    char *text = loy_cel_alloc(run, args[0].len);
    if (!text) {
        return loy_cel_exhausted();
    }
    for (uint32_t i = 0; i < args[0].len; i++) {
        char c = args[0].as.text[i];
        text[i] = c >= first && c <= last ? (char)(c + change) : c;
    }
    return loy_cel_string((struct loy_str){text, args[0].len});
}

struct loy_cel_value loy_cel_fn_lower_ascii(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    return with_case(run, args, count, 'A', 'Z', 'a' - 'A');
}

struct loy_cel_value loy_cel_fn_upper_ascii(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    return with_case(run, args, count, 'a', 'z', 'A' - 'a');
}

struct loy_cel_value loy_cel_fn_substring(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count < 2 || count > 3 || !are_texts(args, count, 1) || args[1].kind != LOY_CEL_INT ||
        (count == 3 && args[2].kind != LOY_CEL_INT)) {
        return loy_cel_no_overload();
    }
    struct loy_str text = loy_cel_text(args[0]);
    size_t first, end = text.len;
    if (!byte_of(text, args[1].as.i, &first) || (count == 3 && !byte_of(text, args[2].as.i, &end)) || end < first) {
        return bad_index();
    }
    return loy_cel_string((struct loy_str){text.at + first, end - first});
}

/* White_Space of Unicode. */
static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

struct loy_cel_value loy_cel_fn_trim(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    (void)run;
    if (count != 1 || !are_texts(args, count, 1)) {
        return loy_cel_no_overload();
    }
    struct loy_str text = loy_cel_text(args[0]);
    size_t first = text.len, end = text.len;
    for (size_t at = 0; at < text.len;) {
        size_t next = at;
        if (!is_space(loy_str_next_code_point(text, &next))) {
            first = first == text.len ? at : first;
            end = next;
        }
        at = next;
    }
    end = first == text.len ? first : end;
    return loy_cel_string((struct loy_str){text.at + first, end - first});
}

struct loy_cel_value loy_cel_fn_reverse(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    if (count != 1 || !are_texts(args, count, 1)) {
        return loy_cel_no_overload();
    }
    struct loy_str text = loy_cel_text(args[0]);
    char *out = loy_cel_alloc(run, text.len);
    if (!out) {
        return loy_cel_exhausted();
    }
    for (size_t at = 0; at < text.len;) {
        size_t next = at;
        (void)loy_str_next_code_point(text, &next);
        memcpy(out + text.len - next, text.at + at, next - at);
        at = next;
    }
    return loy_cel_string((struct loy_str){out, text.len});
}

struct loy_cel_value loy_cel_fn_quote(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
    if (count != 1 || !are_texts(args, count, 1)) {
        return loy_cel_no_overload();
    }
    char *out = loy_cel_alloc(run, (size_t)args[0].len * 2 + 2);
    if (!out) {
        return loy_cel_exhausted();
    }
    size_t len = 0;
    out[len++] = '"';
    for (uint32_t i = 0; i < args[0].len; i++) {
        char c = args[0].as.text[i];
        const char *escape = c ? strchr(from, c) : NULL;
        if (escape) {
            out[len++] = '\\';
        }
        out[len++] = escape ? to[escape - from] : c;
    }
    out[len++] = '"';
    return loy_cel_string((struct loy_str){out, len});
}

/* --- made of pieces ---------------------------------------------------------------------------------------------- */

/* What is built, once it is paid for. */
static struct loy_cel_value built(struct loy_cel_run *run, const struct loy_buf *buf)
{
    if (buf->failed || buf->len > UINT32_MAX) {
        return loy_cel_exhausted();
    }
    return loy_cel_charge(run, buf->len / 16) ? loy_cel_string(loy_buf_str(buf)) : loy_cel_no_fuel();
}

struct loy_cel_value loy_cel_fn_join(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    if (count < 1 || count > 2 || args[0].kind != LOY_CEL_LIST || (count == 2 && args[1].kind != LOY_CEL_STRING)) {
        return loy_cel_no_overload();
    }
    struct loy_buf buf;
    loy_buf_init(&buf, run->arena, 64);
    for (uint32_t i = 0; i < args[0].len; i++) {
        if (args[0].as.items[i].kind != LOY_CEL_STRING) {
            return loy_cel_no_overload();
        }
        if (i > 0 && count == 2) {
            loy_buf_append(&buf, loy_cel_text(args[1]));
        }
        loy_buf_append(&buf, loy_cel_text(args[0].as.items[i]));
    }
    return built(run, &buf);
}

/* The piece at *at up to the next separator; an empty separator divides every code point. Moves *at behind both;
 * false: the text is used up. */
static bool next_piece(struct loy_str text, struct loy_str separator, bool is_last, size_t *at, struct loy_str *ret)
{
    if (*at > text.len || (separator.len == 0 && *at == text.len)) {
        return false;
    }
    size_t end = find(text, separator, *at);
    if (separator.len == 0) {
        end = *at;
        (void)loy_str_next_code_point(text, &end);
    }
    end = end == SIZE_MAX || is_last ? text.len : end;
    *ret = (struct loy_str){text.at + *at, end - *at};
    *at = is_last || (separator.len > 0 && end == text.len) ? text.len + 1 : end + separator.len;
    return true;
}

struct loy_cel_value loy_cel_fn_split(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    if (count < 2 || count > 3 || !are_texts(args, count, 2) || (count == 3 && args[2].kind != LOY_CEL_INT)) {
        return loy_cel_no_overload();
    }
    struct loy_str text = loy_cel_text(args[0]), separator = loy_cel_text(args[1]), piece;
    uint64_t limit = count == 3 && args[2].as.i >= 0 ? (uint64_t)args[2].as.i : UINT64_MAX;
    uint32_t pieces = 0;
    for (size_t at = 0; pieces < limit && next_piece(text, separator, pieces + 1 == limit, &at, &piece);) {
        pieces++;
    }
    if (!loy_cel_charge(run, pieces)) {
        return loy_cel_no_fuel();
    }
    struct loy_cel_value *items = loy_cel_alloc(run, pieces * sizeof *items);
    if (!items) {
        return loy_cel_exhausted();
    }
    uint32_t i = 0;
    for (size_t at = 0; i < pieces && next_piece(text, separator, i + 1 == limit, &at, &piece); i++) {
        items[i] = loy_cel_string(piece);
    }
    assert(i == pieces);
    return loy_cel_list(items, pieces);
}

struct loy_cel_value loy_cel_fn_replace(struct loy_cel_run *run, const struct loy_cel_value *args, uint32_t count)
{
    if (count < 3 || count > 4 || !are_texts(args, count, 3) || (count == 4 && args[3].kind != LOY_CEL_INT)) {
        return loy_cel_no_overload();
    }
    struct loy_str text = loy_cel_text(args[0]), from = loy_cel_text(args[1]), to = loy_cel_text(args[2]);
    uint64_t limit = count == 4 && args[3].as.i >= 0 ? (uint64_t)args[3].as.i : UINT64_MAX;
    struct loy_buf buf;
    loy_buf_init(&buf, run->arena, text.len + 1);
    size_t at = 0;
    for (uint64_t done = 0; done < limit && !buf.failed; done++) {
        size_t found = find(text, from, at);
        if (found == SIZE_MAX) {
            break;
        }
        loy_buf_append(&buf, (struct loy_str){text.at + at, found - at});
        loy_buf_append(&buf, to);
        at = found + from.len;
        if (from.len == 0) { /* an empty text stands before every code point, and at the end */
            if (at == text.len) {
                return built(run, &buf);
            }
            size_t next = at;
            (void)loy_str_next_code_point(text, &next);
            loy_buf_append(&buf, (struct loy_str){text.at + at, next - at});
            at = next;
        }
    }
    loy_buf_append(&buf, (struct loy_str){text.at + at, text.len - at});
    return built(run, &buf);
}
