#include "adapters/wire/put.h"

#include "adapters/wire/json.h"
#include "base/calendar.h"
#include "base/num.h"

#include <assert.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, SHORT_MAX = 127, VARINT_MAX = 10, SEPARATOR = 2 };

/* Where size bytes may be written that count only when `written` says so; NULL after a failure. */
static char *room_for(struct loy_buf *buf, size_t size)
{
    bool there = !buf->failed && (size <= buf->capacity - buf->len || loy_buf_reserve(buf, size));
    return there ? buf->at + buf->len : NULL;
}

static void written(struct loy_buf *buf, const char *end)
{
    buf->len = (size_t)(end - buf->at);
}

static char *tag(char *at, struct loy_wire_name name, int type)
{
    *at = (char)(name.number << 3 | type);
    return at + 1;
}

static char *varint(char *at, uint64_t value)
{
    for (; value > SHORT_MAX; value >>= 7) {
        *at++ = (char)(value | 0x80);
    }
    *at = (char)value;
    return at + 1;
}

/* JSON: the comma, unless it is the object's first field, and the name. There is room for the longest name. */
static char *json_name(struct loy_wire_put *put, char *at, struct loy_wire_name name)
{
    size_t skip = put->first ? SEPARATOR : 0;
    assert(name.length <= LOY_WIRE_NAME_MAX);
    memcpy(at, name.text + skip, LOY_WIRE_NAME_MAX);
    put->first = false;
    return at + name.length - skip;
}

static void put_name(struct loy_wire_put *put, struct loy_wire_name name)
{
    char *at = room_for(put->buf, LOY_WIRE_NAME_MAX);
    if (at) {
        written(put->buf, json_name(put, at, name));
    }
}

void loy_wire_put_text(struct loy_wire_put *put, struct loy_wire_name name, struct loy_str text)
{
    if (text.len == 0) {
        return;
    }
    if (put->json) {
        put_name(put, name);
        loy_wire_json_write_text(put->buf, text);
        return;
    }
    char *at = room_for(put->buf, 1 + VARINT_MAX + text.len);
    if (at) {
        at = varint(tag(at, name, WIRE_BYTES), text.len);
        memcpy(at, text.at, text.len);
        written(put->buf, at + text.len);
    }
}

static void put_number(struct loy_wire_put *put, struct loy_wire_name name, int64_t number, bool quoted)
{
    char *at = room_for(put->buf, LOY_WIRE_NAME_MAX + VARINT_MAX + LOY_DECIMAL_TEXT_MAX + 2);
    if (!at) {
        return;
    }
    if (!put->json) {
        at = varint(tag(at, name, WIRE_VARINT), (uint64_t)number);
    } else {
        at = json_name(put, at, name);
        *at = '"';
        at += quoted;
        at += loy_decimal_format(number, 0, at);
        *at = '"';
        at += quoted;
    }
    written(put->buf, at);
}

void loy_wire_put_i32(struct loy_wire_put *put, struct loy_wire_name name, int32_t number)
{
    put_number(put, name, number, false);
}

void loy_wire_put_i64(struct loy_wire_put *put, struct loy_wire_name name, int64_t number)
{
    put_number(put, name, number, true);
}

void loy_wire_put_packed(struct loy_wire_put *put, struct loy_wire_name name, const int64_t *numbers, uint32_t count)
{
    assert(!put->json);
    if (count == 0) {
        return;
    }
    struct loy_wire_nest nest = loy_wire_put_open(put, name);
    char *at = room_for(put->buf, (size_t)count * VARINT_MAX);
    if (!at) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        at = varint(at, (uint64_t)numbers[i]);
    }
    written(put->buf, at);
    loy_wire_put_close(put, nest);
}

static char *timestamp(char *at, int64_t moment_us)
{
    int64_t part = moment_us % LOY_US_PER_SECOND;
    part += part < 0 ? LOY_US_PER_SECOND : 0;
    int64_t seconds = (moment_us - part) / LOY_US_PER_SECOND;
    if (seconds) {
        *at++ = 1 << 3 | WIRE_VARINT;
        at = varint(at, (uint64_t)seconds);
    }
    if (part) {
        *at++ = 2 << 3 | WIRE_VARINT;
        at = varint(at, (uint64_t)part * 1000);
    }
    return at;
}

void loy_wire_put_moment(struct loy_wire_put *put, struct loy_wire_name name, int64_t moment_us)
{
    moment_us = moment_us < LOY_MOMENT_MIN ? LOY_MOMENT_MIN : moment_us > LOY_MOMENT_MAX ? LOY_MOMENT_MAX : moment_us;
    char *at = room_for(put->buf, LOY_WIRE_NAME_MAX + 2 * (1 + VARINT_MAX) + LOY_MOMENT_TEXT_MAX + 2);
    if (!at) {
        return;
    }
    if (put->json) {
        at = json_name(put, at, name);
        *at++ = '"';
        at += loy_moment_format(moment_us, at);
        *at++ = '"';
    } else {
        char *length = tag(at, name, WIRE_BYTES);
        at = timestamp(length + 1, moment_us);
        *length = (char)(at - length - 1); /* 23 at the most */
    }
    written(put->buf, at);
}

/* --- nesting ----------------------------------------------------------------------------------------------------- */

struct loy_wire_nest loy_wire_put_open(struct loy_wire_put *put, struct loy_wire_name name)
{
    if (put->json) {
        put_name(put, name);
    }
    return loy_wire_put_open_element(put, name, true);
}

struct loy_wire_nest loy_wire_put_open_element(struct loy_wire_put *put, struct loy_wire_name name, bool is_first)
{
    struct loy_wire_nest nest = {0};
    if (put->json) {
        loy_buf_append(put->buf, is_first ? LOY_STR("{") : LOY_STR(", {"));
        put->first = true;
        return nest;
    }
    char *at = room_for(put->buf, 2);
    if (at) {
        at = tag(at, name, WIRE_BYTES);
        nest.from = (size_t)(at - put->buf->at);
        *at = 0;
        written(put->buf, at + 1);
    }
    return nest;
}

/* A length past one byte moves what it counts. */
void loy_wire_put_close(struct loy_wire_put *put, struct loy_wire_nest nest)
{
    struct loy_buf *buf = put->buf;
    if (put->json) {
        loy_buf_append_byte(buf, '}');
        put->first = false; /* the object around it has this one */
        return;
    }
    if (buf->failed) {
        return;
    }
    size_t length = buf->len - nest.from - 1;
    size_t more = 0;
    for (size_t rest = length; rest > SHORT_MAX; rest >>= 7) {
        more++;
    }
    if (more && !loy_buf_extend(buf, more)) {
        return;
    }
    char *at = buf->at + nest.from;
    if (more) {
        memmove(at + 1 + more, at + 1, length);
    }
    for (size_t i = 0; i < more; i++, length >>= 7) {
        at[i] = (char)(length | 0x80);
    }
    at[more] = (char)length;
}

void loy_wire_put_begin(struct loy_wire_put *put)
{
    put->first = true;
    if (put->json) {
        loy_buf_append_byte(put->buf, '{');
    }
}

void loy_wire_put_end(struct loy_wire_put *put)
{
    if (put->json) {
        loy_buf_append_byte(put->buf, '}');
    }
}

void loy_wire_put_list_begin(struct loy_wire_put *put, struct loy_wire_name name)
{
    if (put->json) {
        put_name(put, name);
        loy_buf_append_byte(put->buf, '[');
    }
}

void loy_wire_put_list_end(struct loy_wire_put *put)
{
    if (put->json) {
        loy_buf_append_byte(put->buf, ']');
    }
}
