#include "adapters/wire/field.h"
#include "adapters/wire/json.h"
#include "base/calendar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "google/protobuf/timestamp.pb-c.h"

struct writer {
    struct loy_buf *buf;
    enum loy_wire_json_form form;
    unsigned depth;
};

static void write_message(struct writer *writer, const ProtobufCMessage *message);

/* Eight bytes at once: none of them is below 0x20, a quote or a backslash. */
static bool is_plain(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
    uint64_t found = (eight - ones * 0x20) & ~eight;
    found |= (quote - ones) & ~quote;
    found |= (backslash - ones) & ~backslash;
    return !(found & tops);
}

static bool is_plain_byte(char byte)
{
    return (uint8_t)byte >= 0x20 && byte != '"' && byte != '\\';
}

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

static uint32_t get_four(const char *at)
{
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return four;
}

/* Of fewer than eight bytes. */
static size_t copy_short(char *to, struct loy_str text)
{
    size_t at = 0;
    if (text.len >= sizeof(uint32_t)) {
        uint32_t first = get_four(text.at), last = get_four(text.at + text.len - sizeof last);
        if (is_plain((uint64_t)first << 32 | last)) {
            memcpy(to, &first, sizeof first);
            memcpy(to + text.len - sizeof last, &last, sizeof last);
            return text.len;
        }
    }
    for (; at < text.len && is_plain_byte(text.at[at]); at++) {
        to[at] = text.at[at];
    }
    return at;
}

/* Copies the text as far as it is known to need no escape, and says how far that is: all of it, mostly. The last bytes
 * are taken with some before them once more, so that there are always eight. */
static size_t copy_plain(char *to, struct loy_str text)
{
    size_t at = 0;
    if (text.len < sizeof(uint64_t)) {
        return copy_short(to, text);
    }
    for (size_t last = text.len - sizeof(uint64_t);; at = smaller(at + sizeof(uint64_t), last)) {
        uint64_t eight;
        memcpy(&eight, text.at + at, sizeof eight);
        if (!is_plain(eight)) {
            return at;
        }
        memcpy(to + at, &eight, sizeof eight);
        if (at == last) {
            return text.len;
        }
    }
}

char *loy_wire_json_text_at(char *to, struct loy_str text)
{
    static const char digits[] = "0123456789abcdef";
    *to++ = '"';
    size_t from = copy_plain(to, text);
    to += from;
    for (; from < text.len; from++) {
        uint8_t byte = (uint8_t)text.at[from];
        if (is_plain_byte(text.at[from])) {
            *to++ = text.at[from];
        } else if (byte == '"' || byte == '\\') {
            *to++ = '\\';
            *to++ = (char)byte;
        } else {
            const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
            memcpy(to, escape, sizeof escape);
            to += sizeof escape;
        }
    }
    *to++ = '"';
    return to;
}

void loy_wire_json_write_text(struct loy_buf *buf, struct loy_str text)
{
    if (!loy_buf_reserve(buf, LOY_WIRE_JSON_TEXT_ROOM(text.len))) {
        return;
    }
    char *at = buf->at + buf->len;
    buf->len += (size_t)(loy_wire_json_text_at(at, text) - at);
}

static void write_base64(struct loy_buf *buf, const ProtobufCBinaryData *data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    loy_buf_append_byte(buf, '"');
    for (size_t i = 0; i < data->len; i += 3) {
        size_t left = data->len - i;
        uint32_t bits = (uint32_t)data->data[i] << 16;
        bits |= left > 1 ? (uint32_t)data->data[i + 1] << 8 : 0;
        bits |= left > 2 ? data->data[i + 2] : 0;
        char text[4] = {digits[bits >> 18], digits[bits >> 12 & 63], left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        loy_buf_append(buf, (struct loy_str){text, sizeof text});
    }
    loy_buf_append_byte(buf, '"');
}

static void write_real(struct loy_buf *buf, double value, int digits)
{
    if (isnan(value)) {
        loy_buf_append(buf, LOY_STR("\"NaN\""));
    } else if (isinf(value)) {
        loy_buf_append(buf, value < 0 ? LOY_STR("\"-Infinity\"") : LOY_STR("\"Infinity\""));
    } else {
        loy_buf_printf(buf, "%.*g", digits, value);
    }
}

static void write_enum(struct loy_buf *buf, const ProtobufCEnumDescriptor *descriptor, int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(descriptor, value);
    if (known) {
        loy_buf_printf(buf, "\"%s\"", known->name);
    } else {
        loy_buf_printf(buf, "%d", value);
    }
}

/* RFC 3339 with 0, 3, 6 or 9 decimals. */
static void write_timestamp(struct loy_buf *buf, const Google__Protobuf__Timestamp *moment)
{
    int64_t first = LOY_MOMENT_MIN / LOY_US_PER_SECOND;
    int64_t last = LOY_MOMENT_MAX / LOY_US_PER_SECOND;
    if (moment->seconds < first || moment->seconds > last || moment->nanos < 0 || moment->nanos > 999999999) {
        buf->failed = true;
        return;
    }
    char text[LOY_MOMENT_TEXT_MAX];
    size_t length = loy_moment_format(moment->seconds * LOY_US_PER_SECOND, text);
    loy_buf_printf(buf, "\"%.*s", (int)length - 1, text);
    if (moment->nanos % 1000000 == 0 && moment->nanos) {
        loy_buf_printf(buf, ".%03d", moment->nanos / 1000000);
    } else if (moment->nanos % 1000 == 0 && moment->nanos) {
        loy_buf_printf(buf, ".%06d", moment->nanos / 1000);
    } else if (moment->nanos) {
        loy_buf_printf(buf, ".%09d", moment->nanos);
    }
    loy_buf_append(buf, LOY_STR("Z\""));
}

static void write_number(struct loy_buf *buf, ProtobufCType type, const void *at)
{
    int64_t wide;
    int32_t narrow;
    float real;
    double precise;
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        memcpy(&wide, at, sizeof wide);
        loy_buf_printf(buf, "\"%" PRId64 "\"", wide);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        memcpy(&wide, at, sizeof wide);
        loy_buf_printf(buf, "\"%" PRIu64 "\"", (uint64_t)wide);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        memcpy(&real, at, sizeof real);
        write_real(buf, (double)real, 9);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        memcpy(&precise, at, sizeof precise);
        write_real(buf, precise, 17);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        memcpy(&narrow, at, sizeof narrow);
        loy_buf_printf(buf, "%" PRIu32, (uint32_t)narrow);
        break;
    default:
        memcpy(&narrow, at, sizeof narrow);
        loy_buf_printf(buf, "%" PRId32, narrow);
        break;
    }
}

static void write_value(struct writer *writer, const ProtobufCFieldDescriptor *field, const void *at)
{
    const void *pointer;
    int number;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        memcpy(&pointer, at, sizeof pointer);
        loy_wire_json_write_text(writer->buf, loy_str(pointer));
        break;
    case PROTOBUF_C_TYPE_BYTES:
        write_base64(writer->buf, at);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        memcpy(&number, at, sizeof number);
        loy_buf_append(writer->buf, number ? LOY_STR("true") : LOY_STR("false"));
        break;
    case PROTOBUF_C_TYPE_ENUM:
        memcpy(&number, at, sizeof number);
        write_enum(writer->buf, field->descriptor, number);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        memcpy(&pointer, at, sizeof pointer);
        write_message(writer, pointer);
        break;
    default:
        write_number(writer->buf, field->type, at);
        break;
    }
}

/* Keys of an object are texts, whatever the map's key type is. */
static void write_key(struct writer *writer, const ProtobufCFieldDescriptor *key, const void *at)
{
    size_t wide = key->type == PROTOBUF_C_TYPE_STRING || loy_wire_field_size(key) == 8;
    if (!wide) {
        loy_buf_append_byte(writer->buf, '"');
    }
    write_value(writer, key, at);
    if (!wide) {
        loy_buf_append_byte(writer->buf, '"');
    }
}

static void write_map(struct writer *writer, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    ProtobufCMessage *const *entries;
    memcpy(&entries, loy_wire_field_at(message, field), sizeof entries);
    loy_buf_append_byte(writer->buf, '{');
    for (size_t i = 0; i < loy_wire_field_count(message, field); i++) {
        if (i) {
            loy_buf_append(writer->buf, LOY_STR(", "));
        }
        write_key(writer, &entry->fields[0], loy_wire_field_at(entries[i], &entry->fields[0]));
        loy_buf_append(writer->buf, LOY_STR(": "));
        write_value(writer, &entry->fields[1], loy_wire_field_at(entries[i], &entry->fields[1]));
    }
    loy_buf_append_byte(writer->buf, '}');
}

static void write_list(struct writer *writer, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
    size_t size = loy_wire_field_size(field);
    const char *elements;
    memcpy(&elements, loy_wire_field_at(message, field), sizeof elements);
    loy_buf_append_byte(writer->buf, '[');
    for (size_t i = 0; i < loy_wire_field_count(message, field); i++) {
        if (i) {
            loy_buf_append(writer->buf, LOY_STR(", "));
        }
        write_value(writer, field, elements + i * size);
    }
    loy_buf_append_byte(writer->buf, ']');
}

static void write_name(struct writer *writer, const char *name)
{
    loy_buf_append_byte(writer->buf, '"');
    bool upper = false;
    for (; *name; name++) {
        if (*name == '_' && writer->form == LOY_WIRE_LOWER_CAMEL) {
            upper = true;
            continue;
        }
        loy_buf_append_byte(writer->buf, (uint8_t)(upper && *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name));
        upper = false;
    }
    loy_buf_append(writer->buf, LOY_STR("\": "));
}

static void write_message(struct writer *writer, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    if (loy_wire_is_timestamp(descriptor)) {
        write_timestamp(writer->buf, (const Google__Protobuf__Timestamp *)message);
        return;
    }
    if (++writer->depth > LOY_WIRE_JSON_DEPTH_MAX) {
        writer->buf->failed = true;
    }
    bool first = true;
    loy_buf_append_byte(writer->buf, '{');
    for (unsigned i = 0; i < descriptor->n_fields && !writer->buf->failed; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (!loy_wire_field_is_set(message, field)) {
            continue;
        }
        if (!first) {
            loy_buf_append(writer->buf, LOY_STR(", "));
        }
        first = false;
        write_name(writer, field->name);
        if (loy_wire_field_is_map(descriptor, field)) {
            write_map(writer, field, message);
        } else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            write_list(writer, field, message);
        } else {
            write_value(writer, field, loy_wire_field_at(message, field));
        }
    }
    loy_buf_append_byte(writer->buf, '}');
    writer->depth--;
}

void loy_wire_json_write(const struct ProtobufCMessage *message, enum loy_wire_json_form form, struct loy_buf *buf)
{
    struct writer writer = {.buf = buf, .form = form};
    write_message(&writer, message);
}
