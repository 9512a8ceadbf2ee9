/* Put: a message written field by field, as protobuf or as JSON with the names of the .proto files, straight into a
 * buffer. Internal to wire.
 *
 * For what is written for each event: building protobuf-c's structs first took several times as long as the bytes.
 * Fields come in order of their numbers, which makes the bytes those of loy_wire_proto_write and loy_wire_json_write.
 * Here, so that where the form is known when it is compiled, names and tags become constants and the end of the bytes
 * stays in a register. Errors are the buffer's. No state of its own; any thread. Test: tests/unit/test_wire_encode.c.
 */
#ifndef LOY_ADAPTERS_WIRE_PUT_H
#define LOY_ADAPTERS_WIRE_PUT_H

#include "adapters/wire/json.h"
#include "base/num.h"
#include "base/str.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Whatever the compiler thinks of its size: a function of its own would have all of this in memory. */
#define LOY_WIRE_EACH_FORM static inline __attribute__((always_inline))

/* Between begin and end the buffer's own length is behind: `at` is where the bytes end. */
struct loy_wire_put {
    struct loy_buf *buf;
    char *at;
    char *end; /* of the room; both NULL after a failure */
    bool json;
    bool first; /* JSON: no field of this object is written yet */
};

enum { LOY_WIRE_NAME_MAX = 32 };                             /* bytes of a name with its separators */
enum { LOY_WIRE_VARINT_MAX = 10, LOY_WIRE_MOMENT_MAX = 48 }; /* of a moment, either way, without its name */

/* A field: its number (below 16: one byte with its type), and its name as JSON has it, separator included. Behind the
 * text as many zeros as a name may be long: then names of all lengths are copied as if they had the largest. */
struct loy_wire_name {
    uint8_t number;
    uint8_t length;
    const char *text;
};
#define LOY_WIRE_ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define LOY_WIRE_NAME(number, name)                                                                                    \
    ((struct loy_wire_name){number, sizeof(", \"" name "\": ") - 1, ", \"" name "\": " LOY_WIRE_ZEROS})

/* A message inside another one, between open and close. */
struct loy_wire_nest {
    size_t from; /* where its length stands */
};

/* --- for this file only ------------------------------------------------------------------------------------------- */

struct loy_wire_room {
    char *at, *end;
};

/* Room for size bytes more behind `at`; both NULL when there is none, and the buffer has failed. */
struct loy_wire_room loy_wire_put_grow(struct loy_buf *buf, char *at, size_t size);
char *loy_wire_put_json_moment(char *at, int64_t moment_us);
char *loy_wire_put_timestamp(char *at, int64_t moment_us);
/* Where the length of what lies between takes more than one byte: the new end. There is room for it. */
char *loy_wire_put_long_close(char *length_at, char *at);

/* size is not 0: between NULL and NULL, after a failure, there is never room. */
LOY_WIRE_EACH_FORM bool loy_wire_put_room(struct loy_wire_put *put, size_t size)
{
    if (size <= (size_t)(put->end - put->at)) {
        if (!put->at) {
            __builtin_unreachable();
        }
        return true;
    }
    struct loy_wire_room room = loy_wire_put_grow(put->buf, put->at, size);
    put->at = room.at;
    put->end = room.end;
    return put->at != NULL;
}

/* Most texts are short, and a call costs more than to copy these. Returns the end. */
LOY_WIRE_EACH_FORM char *loy_wire_put_bytes(char *at, struct loy_str text)
{
    uint64_t first, last;
    if (text.len >= sizeof first && text.len <= 2 * sizeof first) {
        memcpy(&first, text.at, sizeof first);
        memcpy(&last, text.at + text.len - sizeof last, sizeof last);
        memcpy(at, &first, sizeof first);
        memcpy(at + text.len - sizeof last, &last, sizeof last);
    } else {
        memcpy(at, text.at, text.len);
    }
    return at + text.len;
}

LOY_WIRE_EACH_FORM char *loy_wire_put_tag(char *at, struct loy_wire_name name, int type)
{
    *at = (char)(name.number << 3 | type);
    return at + 1;
}

LOY_WIRE_EACH_FORM char *loy_wire_put_varint(char *at, uint64_t value)
{
    for (; value > 127; value >>= 7) {
        *at++ = (char)(value | 0x80);
    }
    *at = (char)value;
    return at + 1;
}

/* JSON: the comma, unless it is the object's first field, and the name. There is room for the longest name. */
LOY_WIRE_EACH_FORM void loy_wire_put_json_name(struct loy_wire_put *put, struct loy_wire_name name)
{
    size_t skip = put->first ? 2 : 0;
    assert(name.length <= LOY_WIRE_NAME_MAX);
    memcpy(put->at, name.text + skip, LOY_WIRE_NAME_MAX);
    put->at += name.length - skip;
    put->first = false;
}

/* One character that JSON has between fields. */
LOY_WIRE_EACH_FORM void loy_wire_put_mark(struct loy_wire_put *put, char mark)
{
    if (put->json && loy_wire_put_room(put, 1)) {
        *put->at++ = mark;
    }
}

/* --- fields --------------------------------------------------------------------------------------------------------
 */

/* Writes nothing for an empty text. */
LOY_WIRE_EACH_FORM void loy_wire_put_text(struct loy_wire_put *put, struct loy_wire_name name, struct loy_str text)
{
    size_t size =
        put->json ? LOY_WIRE_NAME_MAX + LOY_WIRE_JSON_TEXT_ROOM(text.len) : 1 + LOY_WIRE_VARINT_MAX + text.len;
    if (text.len == 0 || !loy_wire_put_room(put, size)) {
        return;
    }
    if (put->json) {
        loy_wire_put_json_name(put, name);
        put->at = loy_wire_json_text_at(put->at, text);
        return;
    }
    put->at = loy_wire_put_bytes(loy_wire_put_varint(loy_wire_put_tag(put->at, name, 2), text.len), text);
}

LOY_WIRE_EACH_FORM void loy_wire_put_number(struct loy_wire_put *put, struct loy_wire_name name, int64_t number,
                                            bool quoted)
{
    size_t size = put->json ? LOY_WIRE_NAME_MAX + LOY_DECIMAL_TEXT_MAX + 2 : 1 + LOY_WIRE_VARINT_MAX;
    if (!loy_wire_put_room(put, size)) {
        return;
    }
    if (!put->json) {
        put->at = loy_wire_put_varint(loy_wire_put_tag(put->at, name, 0), (uint64_t)number);
        return;
    }
    loy_wire_put_json_name(put, name);
    *put->at = '"';
    put->at += quoted;
    if (number >= 0 && number <= 9) { /* about every second one */
        *put->at++ = (char)('0' + number);
    } else {
        put->at += loy_decimal_format(number, 0, put->at);
    }
    *put->at = '"';
    put->at += quoted;
}

LOY_WIRE_EACH_FORM void loy_wire_put_i32(struct loy_wire_put *put, struct loy_wire_name name, int32_t number)
{
    loy_wire_put_number(put, name, number, false);
}

LOY_WIRE_EACH_FORM void loy_wire_put_i64(struct loy_wire_put *put, struct loy_wire_name name, int64_t number)
{
    loy_wire_put_number(put, name, number, true);
}

/* A google.protobuf.Timestamp, cut to what one can hold. */
LOY_WIRE_EACH_FORM void loy_wire_put_moment(struct loy_wire_put *put, struct loy_wire_name name, int64_t moment_us)
{
    if (!loy_wire_put_room(put, (put->json ? LOY_WIRE_NAME_MAX : 1) + LOY_WIRE_MOMENT_MAX)) {
        return;
    }
    if (put->json) {
        loy_wire_put_json_name(put, name);
        put->at = loy_wire_put_json_moment(put->at, moment_us);
    } else {
        put->at = loy_wire_put_timestamp(loy_wire_put_tag(put->at, name, 2), moment_us);
    }
}

/* --- nesting -------------------------------------------------------------------------------------------------------
 */

LOY_WIRE_EACH_FORM struct loy_wire_nest loy_wire_put_open_element(struct loy_wire_put *put, struct loy_wire_name name,
                                                                  bool is_first)
{
    struct loy_wire_nest nest = {0};
    if (!loy_wire_put_room(put, 3)) {
        return nest;
    }
    if (put->json) {
        if (!is_first) {
            *put->at++ = ',';
            *put->at++ = ' ';
        }
        *put->at++ = '{';
        put->first = true;
        return nest;
    }
    put->at = loy_wire_put_tag(put->at, name, 2);
    nest.from = (size_t)(put->at - put->buf->at);
    put->at++;
    return nest;
}

LOY_WIRE_EACH_FORM struct loy_wire_nest loy_wire_put_open(struct loy_wire_put *put, struct loy_wire_name name)
{
    if (put->json && loy_wire_put_room(put, LOY_WIRE_NAME_MAX)) {
        loy_wire_put_json_name(put, name);
    }
    return loy_wire_put_open_element(put, name, true);
}

/* A length past one byte moves what it counts. */
LOY_WIRE_EACH_FORM void loy_wire_put_close(struct loy_wire_put *put, struct loy_wire_nest nest)
{
    if (!loy_wire_put_room(put, LOY_WIRE_VARINT_MAX)) {
        return;
    }
    if (put->json) {
        *put->at++ = '}';
        put->first = false; /* the object around it has this one */
        return;
    }
    char *length_at = put->buf->at + nest.from;
    size_t length = (size_t)(put->at - length_at) - 1;
    *length_at = (char)length;
    if (length > 127) {
        put->at = loy_wire_put_long_close(length_at, put->at);
    }
}

/* Repeated numbers, packed. Protobuf only: nothing that is also JSON has such a field. */
LOY_WIRE_EACH_FORM void loy_wire_put_packed(struct loy_wire_put *put, struct loy_wire_name name, const int64_t *numbers,
                                            uint32_t count)
{
    assert(!put->json);
    if (count == 0) {
        return;
    }
    struct loy_wire_nest nest = loy_wire_put_open(put, name);
    if (!loy_wire_put_room(put, (size_t)count * LOY_WIRE_VARINT_MAX)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        put->at = loy_wire_put_varint(put->at, (uint64_t)numbers[i]);
    }
    loy_wire_put_close(put, nest);
}

/* The outermost message: JSON's braces. `buf` is the caller's, and as long as what it had before until `end`. */
LOY_WIRE_EACH_FORM struct loy_wire_put loy_wire_put_begin(struct loy_buf *buf, bool json)
{
    struct loy_wire_put put = {.buf = buf, .json = json, .first = true};
    if (!buf->failed) {
        put.at = buf->at + buf->len;
        put.end = buf->at + buf->capacity;
    }
    loy_wire_put_mark(&put, '{');
    return put;
}

LOY_WIRE_EACH_FORM void loy_wire_put_end(struct loy_wire_put *put)
{
    loy_wire_put_mark(put, '}');
    if (put->at) {
        put->buf->len = (size_t)(put->at - put->buf->at);
    }
}

/* A list of messages that is not empty: begin, then open_element and close for each, end. */
LOY_WIRE_EACH_FORM void loy_wire_put_list_begin(struct loy_wire_put *put, struct loy_wire_name name)
{
    if (put->json && loy_wire_put_room(put, LOY_WIRE_NAME_MAX)) {
        loy_wire_put_json_name(put, name);
    }
    loy_wire_put_mark(put, '[');
}

LOY_WIRE_EACH_FORM void loy_wire_put_list_end(struct loy_wire_put *put)
{
    loy_wire_put_mark(put, ']');
}

#endif
