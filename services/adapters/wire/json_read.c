#include "adapters/wire/base64.h"
#include "adapters/wire/check.h"
#include "adapters/wire/field.h"
#include "adapters/wire/json.h"
#include "adapters/wire/json_tree.h"
#include "adapters/wire/path.h"
#include "base/calendar.h"

#include <math.h>

#include "google/protobuf/timestamp.pb-c.h"

struct reader {
    struct loy_arena *arena;
    struct loy_error *error;
    unsigned depth;
};

/* Doubles below it hold every whole number. */
#define EXACT_MAX 9007199254740992.0

static enum loy_err read_message(struct reader *reader, const ProtobufCMessageDescriptor *descriptor, json_t *object,
                                 const struct loy_wire_path *path, ProtobufCMessage **ret_message,
                                 struct loy_str *ret_unknown);

static enum loy_err wrong(struct reader *reader, const struct loy_wire_path *path, const char *expected)
{
    return loy_wire_fail(reader->error, LOY_ERR_INVALID_VALUE, path, "is not %s", expected);
}

static enum loy_err no_memory(struct reader *reader)
{
    return loy_error_set(reader->error, LOY_ERR_NO_MEMORY, "the arena is full");
}

/* Digits with a sign: what does not fit 64 bits is an overflow, anything else is no number. */
static bool is_digits(struct loy_str text)
{
    size_t from = text.len > 0 && (text.at[0] == '-' || text.at[0] == '+');
    for (size_t i = from; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len > from;
}

static struct loy_str string_of(const json_t *value)
{
    return (struct loy_str){json_string_value(value), json_string_length(value)};
}

static enum loy_err read_i64(struct reader *reader, json_t *value, const struct loy_wire_path *path, int64_t *ret_value)
{
    if (json_is_integer(value)) {
        *ret_value = json_integer_value(value);
        return LOY_OK;
    }
    if (json_is_real(value)) {
        double real = json_real_value(value);
        if (real != trunc(real)) {
            return wrong(reader, path, "a whole number");
        }
        if (!(fabs(real) < EXACT_MAX)) {
            return wrong(reader, path, "exact: write large numbers without exponent or fraction");
        }
        *ret_value = (int64_t)real;
        return LOY_OK;
    }
    struct loy_str text = json_is_string(value) ? string_of(value) : (struct loy_str){0};
    if (!is_digits(text)) {
        return wrong(reader, path, "a whole number");
    }
    if (!loy_str_to_i64(text, ret_value)) {
        return loy_wire_fail(reader->error, LOY_ERR_OVERFLOW, path, "does not fit 64 bits");
    }
    return LOY_OK;
}

static enum loy_err read_u64(struct reader *reader, json_t *value, const struct loy_wire_path *path,
                             uint64_t *ret_value)
{
    if (json_is_string(value) && loy_str_to_u64(string_of(value), ret_value)) {
        return LOY_OK;
    }
    int64_t whole = 0;
    enum loy_err err = read_i64(reader, value, path, &whole);
    if (err) {
        return err;
    }
    if (whole < 0) {
        return wrong(reader, path, "at least 0");
    }
    *ret_value = (uint64_t)whole;
    return LOY_OK;
}

static enum loy_err read_integer(struct reader *reader, ProtobufCType type, json_t *value,
                                 const struct loy_wire_path *path, void *at)
{
    int64_t wide = 0;
    uint64_t natural = 0;
    bool is_natural = type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64 ||
                      type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_FIXED32;
    enum loy_err err = is_natural ? read_u64(reader, value, path, &natural) : read_i64(reader, value, path, &wide);
    if (err) {
        return err;
    }
    switch (type) {
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        memcpy(at, &natural, sizeof natural);
        return LOY_OK;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        memcpy(at, &wide, sizeof wide);
        return LOY_OK;
    default:
        break;
    }
    if (is_natural ? natural > UINT32_MAX : wide < INT32_MIN || wide > INT32_MAX) {
        return wrong(reader, path, "a number that fits 32 bits");
    }
    uint32_t narrow = is_natural ? (uint32_t)natural : (uint32_t)wide;
    memcpy(at, &narrow, sizeof narrow);
    return LOY_OK;
}

static enum loy_err read_real(struct reader *reader, ProtobufCType type, json_t *value,
                              const struct loy_wire_path *path, void *at)
{
    double real = json_number_value(value);
    if (json_is_string(value)) {
        struct loy_str text = string_of(value);
        if (loy_str_equal(text, LOY_STR("NaN"))) {
            real = (double)NAN;
        } else if (loy_str_equal(text, LOY_STR("Infinity"))) {
            real = (double)INFINITY;
        } else if (loy_str_equal(text, LOY_STR("-Infinity"))) {
            real = -(double)INFINITY;
        } else {
            return wrong(reader, path, "a number");
        }
    } else if (!json_is_number(value)) {
        return wrong(reader, path, "a number");
    }
    if (type == PROTOBUF_C_TYPE_DOUBLE) {
        memcpy(at, &real, sizeof real);
        return LOY_OK;
    }
    float narrow = (float)real;
    if (isinf(narrow) && !isinf(real)) {
        return wrong(reader, path, "a number that fits a float");
    }
    memcpy(at, &narrow, sizeof narrow);
    return LOY_OK;
}

static enum loy_err read_enum(struct reader *reader, const ProtobufCEnumDescriptor *descriptor, json_t *value,
                              const struct loy_wire_path *path, void *at)
{
    int number = 0;
    if (json_is_string(value)) {
        const ProtobufCEnumValue *known =
            protobuf_c_enum_descriptor_get_value_by_name(descriptor, json_string_value(value));
        if (!known) {
            return loy_wire_fail(reader->error, LOY_ERR_INVALID_VALUE, path, "is no %s", descriptor->short_name);
        }
        number = known->value;
    } else {
        enum loy_err err = read_integer(reader, PROTOBUF_C_TYPE_INT32, value, path, &number);
        if (!err) {
            err = loy_wire_check_enum(descriptor, number, path, reader->error);
        }
        if (err) {
            return err;
        }
    }
    memcpy(at, &number, sizeof number);
    return LOY_OK;
}

static enum loy_err read_bytes(struct reader *reader, json_t *value, const struct loy_wire_path *path, void *at)
{
    struct loy_str bytes = {0};
    enum loy_err err = LOY_ERR_MALFORMED;
    if (json_is_string(value)) {
        err = loy_wire_base64_decode(string_of(value), reader->arena, &bytes);
    }
    if (err == LOY_ERR_NO_MEMORY) {
        return no_memory(reader);
    }
    if (err) {
        return wrong(reader, path, "base64");
    }
    ProtobufCBinaryData data = {bytes.len, (uint8_t *)(uintptr_t)bytes.at};
    memcpy(at, &data, sizeof data);
    return LOY_OK;
}

static enum loy_err read_string(struct reader *reader, json_t *value, const struct loy_wire_path *path, void *at)
{
    if (!json_is_string(value)) {
        return wrong(reader, path, "a text");
    }
    const char *text = loy_str_dup_z(reader->arena, string_of(value));
    if (!text) {
        return no_memory(reader);
    }
    memcpy(at, &text, sizeof text);
    return LOY_OK;
}

/* The decimals of RFC 3339, to nanoseconds: base/calendar keeps microseconds. */
static int32_t nanos_of(struct loy_str text)
{
    const char *point = memchr(text.at, '.', text.len);
    int32_t nanos = 0;
    int32_t unit = 100000000;
    for (const char *at = point ? point + 1 : text.at + text.len; at < text.at + text.len && unit; at++) {
        if (*at < '0' || *at > '9') {
            break;
        }
        nanos += (*at - '0') * unit;
        unit /= 10;
    }
    return nanos;
}

static enum loy_err read_timestamp(struct reader *reader, json_t *value, const struct loy_wire_path *path,
                                   ProtobufCMessage **ret_message)
{
    struct loy_str text = json_is_string(value) ? string_of(value) : (struct loy_str){0};
    int64_t moment_us;
    if (!text.at || !loy_moment_parse(text.at, text.len, &moment_us)) {
        return loy_wire_fail(reader->error, LOY_ERR_INVALID_TIME, path,
                             "is not a moment of the years 1 to 9999 as in \"2026-11-21T09:30:00Z\" (RFC 3339)");
    }
    Google__Protobuf__Timestamp *moment =
        (Google__Protobuf__Timestamp *)loy_wire_message_new(&google__protobuf__timestamp__descriptor, reader->arena);
    if (!moment) {
        return no_memory(reader);
    }
    moment->nanos = nanos_of(text);
    moment->seconds = (moment_us - moment->nanos / 1000) / LOY_US_PER_SECOND;
    *ret_message = &moment->base;
    return LOY_OK;
}

static enum loy_err read_value(struct reader *reader, const ProtobufCFieldDescriptor *field, json_t *value,
                               const struct loy_wire_path *path, void *at)
{
    ProtobufCMessage *message = NULL;
    enum loy_err err;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return read_string(reader, value, path, at);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(reader, value, path, at);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, field->descriptor, value, path, at);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_real(reader, field->type, value, path, at);
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(value)) {
            return wrong(reader, path, "true or false");
        }
        memcpy(at, &(protobuf_c_boolean){json_is_true(value)}, sizeof(protobuf_c_boolean));
        return LOY_OK;
    case PROTOBUF_C_TYPE_MESSAGE:
        err = loy_wire_is_timestamp(field->descriptor)
                  ? read_timestamp(reader, value, path, &message)
                  : read_message(reader, field->descriptor, value, path, &message, NULL);
        if (err) {
            return err;
        }
        memcpy(at, &message, sizeof(void *));
        return LOY_OK;
    default:
        return read_integer(reader, field->type, value, path, at);
    }
}

static enum loy_err check_count(struct reader *reader, size_t count, const struct loy_wire_path *path)
{
    if (count > LOY_WIRE_JSON_ELEMENTS_MAX) {
        return loy_wire_fail(reader->error, LOY_ERR_TOO_LARGE, path, "%zu elements, at most %d", count,
                             LOY_WIRE_JSON_ELEMENTS_MAX);
    }
    return LOY_OK;
}

static enum loy_err read_list(struct reader *reader, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                              json_t *value, const struct loy_wire_path *path)
{
    if (!json_is_array(value)) {
        return wrong(reader, path, "a list");
    }
    size_t length = json_array_size(value);
    enum loy_err err = check_count(reader, length, path);
    if (err || length == 0) {
        return err;
    }
    size_t size = loy_wire_field_size(field);
    char *elements = loy_arena_calloc(reader->arena, length, size);
    if (!elements) {
        return no_memory(reader);
    }
    memcpy(loy_wire_field_at(message, field), &elements, sizeof(void *));
    size_t *count = (size_t *)((char *)message + field->quantifier_offset);
    for (size_t i = 0; !err && i < length; i++) {
        struct loy_wire_path element = {path->up, field->name, (int64_t)i};
        err = read_value(reader, field, json_array_get(value, i), &element, elements + i * size);
        *count = i + 1;
    }
    return err;
}

/* A map's key is a text in JSON whatever its type. */
static enum loy_err read_key(struct reader *reader, const ProtobufCFieldDescriptor *field, const char *key,
                             const struct loy_wire_path *path, void *at)
{
    json_t *text = json_string(key);
    if (!text) {
        return no_memory(reader);
    }
    enum loy_err err;
    if (field->type == PROTOBUF_C_TYPE_BOOL) {
        protobuf_c_boolean yes = strcmp(key, "true") == 0;
        memcpy(at, &yes, sizeof yes);
        err = yes || strcmp(key, "false") == 0 ? LOY_OK : wrong(reader, path, "a map whose keys are true or false");
    } else {
        err = read_value(reader, field, text, path, at);
    }
    json_decref(text);
    return err;
}

static enum loy_err read_map(struct reader *reader, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                             json_t *value, const struct loy_wire_path *path)
{
    if (!json_is_object(value)) {
        return wrong(reader, path, "an object");
    }
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;
    enum loy_err err = check_count(reader, json_object_size(value), path);
    const char *key;
    json_t *item;
    json_object_foreach(value, key, item)
    {
        if (err) {
            break;
        }
        ProtobufCMessage *entry = loy_wire_message_new(descriptor, reader->arena);
        ProtobufCMessage **at = loy_wire_field_push(message, field, reader->arena);
        if (!entry || !at) {
            return no_memory(reader);
        }
        *at = entry;
        err = read_key(reader, &descriptor->fields[0], key, path, loy_wire_field_at(entry, &descriptor->fields[0]));
        if (!err) {
            err = read_value(reader, &descriptor->fields[1], item, path,
                             loy_wire_field_at(entry, &descriptor->fields[1]));
        }
        loy_wire_field_mark(entry, &descriptor->fields[0]);
        loy_wire_field_mark(entry, &descriptor->fields[1]);
    }
    return err;
}

static bool is_camel_of(const char *key, const char *name)
{
    bool upper = false;
    for (; *name; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        char expected = upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
        if (*key++ != expected) {
            return false;
        }
        upper = false;
    }
    return *key == '\0';
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *descriptor, const char *key)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(descriptor, key);
    for (unsigned i = 0; !field && i < descriptor->n_fields; i++) {
        if (is_camel_of(key, descriptor->fields[i].name)) {
            field = &descriptor->fields[i];
        }
    }
    return field;
}

static enum loy_err read_field(struct reader *reader, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                               json_t *value, const struct loy_wire_path *path)
{
    if (loy_wire_field_is_map(message->descriptor, field)) {
        return read_map(reader, message, field, value, path);
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return read_list(reader, message, field, value, path);
    }
    if (loy_wire_field_is_taken(message, field)) {
        return loy_wire_fail(reader->error, LOY_ERR_MALFORMED, path, "comes beside another field of its oneof");
    }
    enum loy_err err = read_value(reader, field, value, path, loy_wire_field_at(message, field));
    if (err) {
        return err;
    }
    loy_wire_field_mark(message, field);
    return LOY_OK;
}

static enum loy_err read_object(struct reader *reader, ProtobufCMessage *message, json_t *object,
                                const struct loy_wire_path *path, struct loy_str *ret_unknown)
{
    uint64_t seen = 0;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const ProtobufCFieldDescriptor *field = find_field(message->descriptor, key);
        if (!field) {
            if (ret_unknown && !ret_unknown->at) {
                *ret_unknown = loy_str_copy(reader->arena, loy_str(key));
            }
            continue;
        }
        struct loy_wire_path inner = {path, field->name, -1};
        unsigned index = (unsigned)(field - message->descriptor->fields);
        uint64_t bit = index < 64 ? UINT64_C(1) << index : 0;
        if (seen & bit) {
            return loy_wire_fail(reader->error, LOY_ERR_MALFORMED, &inner, "comes under both its names");
        }
        seen |= bit;
        if (json_is_null(value)) {
            continue;
        }
        enum loy_err err = read_field(reader, message, field, value, &inner);
        if (err) {
            return err;
        }
    }
    return LOY_OK;
}

static enum loy_err read_message(struct reader *reader, const ProtobufCMessageDescriptor *descriptor, json_t *object,
                                 const struct loy_wire_path *path, ProtobufCMessage **ret_message,
                                 struct loy_str *ret_unknown)
{
    if (!json_is_object(object)) {
        return wrong(reader, path, "an object");
    }
    if (reader->depth == LOY_WIRE_JSON_DEPTH_MAX) {
        return loy_wire_fail(reader->error, LOY_ERR_MALFORMED, path, "nested too deeply");
    }
    ProtobufCMessage *message = loy_wire_message_new(descriptor, reader->arena);
    if (!message) {
        return no_memory(reader);
    }
    reader->depth++;
    enum loy_err err = read_object(reader, message, object, path, ret_unknown);
    if (err) {
        return err;
    }
    reader->depth--;
    *ret_message = message;
    return LOY_OK;
}

enum loy_err loy_wire_json_take(const ProtobufCMessageDescriptor *descriptor, json_t *tree, struct loy_arena *arena,
                                ProtobufCMessage **ret_message, struct loy_str *ret_unknown, struct loy_error *error)
{
    struct reader reader = {.arena = arena, .error = error};
    struct loy_str unknown = {0};
    enum loy_err err = read_message(&reader, descriptor, tree, NULL, ret_message, &unknown);
    if (!err && ret_unknown) {
        *ret_unknown = unknown;
    }
    return err;
}

enum loy_err loy_wire_json_read(const struct ProtobufCMessageDescriptor *descriptor, struct loy_str text,
                                struct loy_arena *arena, struct ProtobufCMessage **ret_message,
                                struct loy_str *ret_unknown, struct loy_error *error)
{
    json_t *tree;
    enum loy_err err = loy_wire_json_parse(text, &tree, error);
    if (err) {
        return err;
    }
    err = loy_wire_json_take(descriptor, tree, arena, ret_message, ret_unknown, error);
    json_decref(tree);
    return err;
}
