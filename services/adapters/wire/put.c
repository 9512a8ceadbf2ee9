#include "adapters/wire/put.h"

#include "adapters/wire/json.h"
#include "base/calendar.h"
#include "base/num.h"
#include "base/varint.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, SHORT_MAX = 127, SEPARATOR = 2 };

static void put_tag(struct loy_wire_put *put, struct loy_wire_name name, int type)
{
    loy_buf_append_byte(put->buf, (uint8_t)(name.number << 3 | type));
}

/* JSON: the comma, unless it is the object's first field, and the name. */
static void put_name(struct loy_wire_put *put, struct loy_wire_name name)
{
    size_t skip = put->first ? SEPARATOR : 0;
    loy_buf_append(put->buf, (struct loy_str){name.text + skip, name.length - skip});
    put->first = false;
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
    put_tag(put, name, WIRE_BYTES);
    loy_varint_put(put->buf, text.len);
    loy_buf_append(put->buf, text);
}

static void put_number(struct loy_wire_put *put, struct loy_wire_name name, int64_t number, bool quoted)
{
    if (!put->json) {
        put_tag(put, name, WIRE_VARINT);
        loy_varint_put(put->buf, (uint64_t)number);
        return;
    }
    char text[LOY_DECIMAL_TEXT_MAX + 2];
    text[0] = '"';
    size_t length = loy_decimal_format(number, 0, text + 1);
    text[1 + length] = '"';
    put_name(put, name);
    loy_buf_append(put->buf, quoted ? (struct loy_str){text, length + 2} : (struct loy_str){text + 1, length});
}

void loy_wire_put_i32(struct loy_wire_put *put, struct loy_wire_name name, int32_t number)
{
    put_number(put, name, number, false);
}

void loy_wire_put_i64(struct loy_wire_put *put, struct loy_wire_name name, int64_t number)
{
    put_number(put, name, number, true);
}

static void put_timestamp(struct loy_buf *buf, int64_t moment_us)
{
    int64_t part = moment_us % LOY_US_PER_SECOND;
    part += part < 0 ? LOY_US_PER_SECOND : 0;
    int64_t seconds = (moment_us - part) / LOY_US_PER_SECOND;
    if (seconds) {
        loy_buf_append_byte(buf, 1 << 3 | WIRE_VARINT);
        loy_varint_put(buf, (uint64_t)seconds);
    }
    if (part) {
        loy_buf_append_byte(buf, 2 << 3 | WIRE_VARINT);
        loy_varint_put(buf, (uint64_t)part * 1000);
    }
}

void loy_wire_put_moment(struct loy_wire_put *put, struct loy_wire_name name, int64_t moment_us)
{
    moment_us = moment_us < LOY_MOMENT_MIN ? LOY_MOMENT_MIN : moment_us > LOY_MOMENT_MAX ? LOY_MOMENT_MAX : moment_us;
    if (!put->json) {
        struct loy_wire_nest nest = loy_wire_put_open(put, name);
        put_timestamp(put->buf, moment_us);
        loy_wire_put_close(put, nest);
        return;
    }
    char text[LOY_MOMENT_TEXT_MAX + 2];
    text[0] = '"';
    size_t length = loy_moment_format(moment_us, text + 1);
    text[1 + length] = '"';
    put_name(put, name);
    loy_buf_append(put->buf, (struct loy_str){text, length + 2});
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
    put_tag(put, name, WIRE_BYTES);
    nest.from = put->buf->len;
    loy_buf_append_byte(put->buf, 0);
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
