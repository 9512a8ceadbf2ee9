#include "adapters/wire/proto.h"

#include "adapters/wire/check.h"
#include "adapters/wire/field.h"
#include "adapters/wire/path.h"

#include <assert.h>

#include "google/protobuf/timestamp.pb-c.h"

enum {
    DEPTH_MAX = 32,
    VARINT_MAX = 10,
    WIRE_GROUP_START = 3,
    WIRE_GROUP_END = 4,
};

struct reader {
    struct loy_arena *arena;
    struct loy_error *error;
    /* Texts end in a NUL where their tag and length took two bytes at least: what was read is room enough. */
    char *texts;
    const char *texts_end;
    struct loy_wire_notes notes;
};

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

/* One message being read. */
struct scope {
    ProtobufCMessage *message;
    const ProtobufCMessageDescriptor *descriptor;
    const struct loy_wire_rules *rules; /* NULL: none */
    const struct loy_wire_path *path;   /* NULL: the outermost message */
    unsigned depth;
    unsigned next;    /* index of the field that probably comes */
    uint32_t highest; /* number seen so far */
    uint64_t seen;    /* bit = number of a field below 64 */
};

static enum loy_err malformed(struct reader *reader, const struct loy_wire_path *path, const char *what)
{
    return loy_wire_fail(reader->error, LOY_ERR_MALFORMED, path, "%s", what);
}

static enum loy_err no_memory(struct reader *reader)
{
    return loy_error_set(reader->error, LOY_ERR_NO_MEMORY, "the arena is full");
}

static uint32_t wire_type_of(ProtobufCType type)
{
    static const uint8_t types[] = {
        [PROTOBUF_C_TYPE_SFIXED32] = PROTOBUF_C_WIRE_TYPE_32BIT,
        [PROTOBUF_C_TYPE_FIXED32] = PROTOBUF_C_WIRE_TYPE_32BIT,
        [PROTOBUF_C_TYPE_FLOAT] = PROTOBUF_C_WIRE_TYPE_32BIT,
        [PROTOBUF_C_TYPE_SFIXED64] = PROTOBUF_C_WIRE_TYPE_64BIT,
        [PROTOBUF_C_TYPE_FIXED64] = PROTOBUF_C_WIRE_TYPE_64BIT,
        [PROTOBUF_C_TYPE_DOUBLE] = PROTOBUF_C_WIRE_TYPE_64BIT,
        [PROTOBUF_C_TYPE_STRING] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
        [PROTOBUF_C_TYPE_BYTES] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
        [PROTOBUF_C_TYPE_MESSAGE] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
    };
    return types[type]; /* all others: PROTOBUF_C_WIRE_TYPE_VARINT, which is 0 */
}

static bool read_long_varint(struct reader *reader, struct input *in, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_MAX && in->at < in->end; i++) {
        uint8_t byte = *in->at++;
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            if (byte == 0 || (i == VARINT_MAX - 1 && byte > 1)) {
                reader->notes.canonical = false;
            }
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* False when the input ends within it or it takes more than ten bytes. */
static inline bool read_varint(struct reader *reader, struct input *in, uint64_t *ret_value)
{
    if (in->at < in->end && *in->at < 0x80) {
        *ret_value = *in->at++;
        return true;
    }
    return read_long_varint(reader, in, ret_value);
}

static bool read_bytes(struct reader *reader, struct input *in, struct loy_str *ret_bytes)
{
    uint64_t length;
    if (!read_varint(reader, in, &length) || length > (uint64_t)(in->end - in->at)) {
        return false;
    }
    *ret_bytes = (struct loy_str){(const char *)in->at, (size_t)length};
    in->at += length;
    return true;
}

static bool read_fixed(struct input *in, unsigned size, uint64_t *ret_value)
{
    if ((size_t)(in->end - in->at) < size) {
        return false;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)in->at[i] << (8 * i);
    }
    in->at += size;
    *ret_value = value;
    return true;
}

/* Passes over a field that nobody asked for; groups with all that is in them. */
static bool skip(struct reader *reader, struct input *in, uint32_t wire)
{
    unsigned groups = 0;
    do {
        uint64_t tag;
        struct loy_str bytes;
        switch (wire) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            if (!read_varint(reader, in, &tag)) {
                return false;
            }
            break;
        case PROTOBUF_C_WIRE_TYPE_64BIT:
        case PROTOBUF_C_WIRE_TYPE_32BIT:
            if (!read_fixed(in, wire == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4, &tag)) {
                return false;
            }
            break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
            if (!read_bytes(reader, in, &bytes)) {
                return false;
            }
            break;
        case WIRE_GROUP_START:
            groups++;
            break;
        case WIRE_GROUP_END:
            if (groups == 0) {
                return false;
            }
            groups--;
            break;
        default:
            return false;
        }
        if (groups) {
            if (!read_varint(reader, in, &tag)) {
                return false;
            }
            wire = (uint32_t)tag & 7;
        }
    } while (groups);
    return true;
}

/* The field of this number, or NULL. Fields usually come in order: go on from where the last one was. */
static inline const ProtobufCFieldDescriptor *find_field(struct scope *scope, uint32_t number)
{
    const ProtobufCFieldDescriptor *fields = scope->descriptor->fields;
    unsigned i = number < scope->highest ? 0 : scope->next;
    if (i + 1 < scope->descriptor->n_fields && fields[i + 1].id == number) {
        scope->next = i + 1; /* the next one, mostly */
        return &fields[i + 1];
    }
    while (i < scope->descriptor->n_fields && fields[i].id < number) {
        i++;
    }
    if (i == scope->descriptor->n_fields || fields[i].id != number) {
        return NULL;
    }
    scope->next = i;
    return &fields[i];
}

/* Stores the number at *at and says whether our writer would have written it so. */
static bool store_number(const ProtobufCFieldDescriptor *field, uint64_t raw, void *at, int64_t *ret_value)
{
    uint32_t low = (uint32_t)raw;
    bool same = true;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        *ret_value = (int32_t)low;
        same = (uint64_t)*ret_value == raw;
        break;
    case PROTOBUF_C_TYPE_SINT32:
        low = (low >> 1) ^ (0U - (low & 1));
        *ret_value = (int32_t)low;
        same = raw <= UINT32_MAX;
        break;
    case PROTOBUF_C_TYPE_SINT64:
        raw = (raw >> 1) ^ (UINT64_C(0) - (raw & 1));
        *ret_value = (int64_t)raw;
        break;
    case PROTOBUF_C_TYPE_BOOL:
        low = raw != 0;
        *ret_value = (int64_t)low;
        same = raw <= 1;
        break;
    case PROTOBUF_C_TYPE_UINT32:
        *ret_value = (int64_t)low;
        same = raw <= UINT32_MAX;
        break;
    default:
        *ret_value = (int64_t)raw;
        break;
    }
    if (loy_wire_field_size(field) == 8) {
        memcpy(at, &raw, 8);
    } else {
        memcpy(at, &low, 4);
    }
    return same;
}

static enum loy_err read_number(struct reader *reader, const ProtobufCFieldDescriptor *field,
                                const struct loy_wire_rule *rule, const struct loy_wire_path *path, struct input *in,
                                void *at)
{
    uint32_t wire = wire_type_of(field->type);
    uint64_t raw;
    bool ok = wire == PROTOBUF_C_WIRE_TYPE_VARINT ? read_varint(reader, in, &raw)
                                                  : read_fixed(in, wire == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4, &raw);
    if (!ok) {
        return malformed(reader, path, "cut off, or no number");
    }
    int64_t value;
    if (!store_number(field, raw, at, &value)) {
        reader->notes.canonical = false;
    }
    if (!rule) {
        return LOY_OK;
    }
    if (field->type == PROTOBUF_C_TYPE_ENUM) {
        return loy_wire_check_enum(field->descriptor, (int)value, path, reader->error);
    }
    return loy_wire_check_number(rule, value, path, reader->error);
}

static char *keep_text(struct reader *reader, struct loy_str text)
{
    char *at = reader->texts;
    assert((size_t)(reader->texts_end - at) > text.len);
    memcpy(at, text.at, text.len);
    at[text.len] = '\0';
    reader->texts += text.len + 1;
    return at;
}

static enum loy_err read_message(struct reader *reader, struct scope *scope, struct input in);

static enum loy_err read_child(struct reader *reader, const struct scope *parent, const ProtobufCFieldDescriptor *field,
                               const struct loy_wire_rule *rule, const struct loy_wire_path *path, struct loy_str bytes,
                               void *at)
{
    struct scope child = {.descriptor = field->descriptor,
                          .rules = rule ? rule->message : NULL,
                          .path = path,
                          .depth = parent->depth + 1};
    if (child.depth > DEPTH_MAX) {
        return malformed(reader, path, "nested too deeply");
    }
    struct input in = {(const uint8_t *)bytes.at, (const uint8_t *)bytes.at + bytes.len};
    enum loy_err err = read_message(reader, &child, in);
    if (err) {
        return err;
    }
    memcpy(at, &child.message, sizeof(void *));
    return LOY_OK;
}

static enum loy_err read_value(struct reader *reader, const struct scope *scope, const ProtobufCFieldDescriptor *field,
                               const struct loy_wire_rule *rule, const struct loy_wire_path *path, struct input *in,
                               void *at)
{
    if (wire_type_of(field->type) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
        return read_number(reader, field, rule, path, in, at);
    }
    struct loy_str bytes;
    if (!read_bytes(reader, in, &bytes)) {
        return malformed(reader, path, "cut off");
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return read_child(reader, scope, field, rule, path, bytes, at);
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        ProtobufCBinaryData data = {bytes.len, (uint8_t *)keep_text(reader, bytes)};
        memcpy(at, &data, sizeof data);
        return LOY_OK;
    }
    enum loy_err err = loy_wire_check_utf8(bytes, path, reader->error);
    bool is_bounded = rule && rule->check == LOY_WIRE_ANY && bytes.len <= rule->max_bytes;
    if (!err && rule && !is_bounded) {
        err = loy_wire_check_text(rule, bytes, path, reader->error);
    }
    if (err) {
        return err;
    }
    const char *text = keep_text(reader, bytes);
    memcpy(at, &text, sizeof text);
    return LOY_OK;
}

static enum loy_err read_element(struct reader *reader, struct scope *scope, const ProtobufCFieldDescriptor *field,
                                 const struct loy_wire_rule *rule, struct input *in)
{
    size_t index = loy_wire_field_count(scope->message, field);
    struct loy_wire_path path = {scope->path, field->name, (int64_t)index};
    if (rule && index >= rule->max_count) {
        path.index = -1;
        return loy_wire_fail(reader->error, LOY_ERR_TOO_LARGE, &path, "more than %u elements",
                             (unsigned)rule->max_count);
    }
    void *at = loy_wire_field_push(scope->message, field, reader->arena);
    if (!at) {
        return no_memory(reader);
    }
    return read_value(reader, scope, field, rule, &path, in, at);
}

/* Repeated numbers one after the other in one field of bytes. */
static enum loy_err read_packed(struct reader *reader, struct scope *scope, const ProtobufCFieldDescriptor *field,
                                const struct loy_wire_rule *rule, struct input *in)
{
    struct loy_wire_path path = {scope->path, field->name, -1};
    struct loy_str bytes;
    if (!read_bytes(reader, in, &bytes)) {
        return malformed(reader, &path, "cut off");
    }
    struct input packed = {(const uint8_t *)bytes.at, (const uint8_t *)bytes.at + bytes.len};
    while (packed.at < packed.end) {
        enum loy_err err = read_element(reader, scope, field, rule, &packed);
        if (err) {
            return err;
        }
    }
    if (bytes.len == 0 || !(field->flags & PROTOBUF_C_FIELD_FLAG_PACKED)) {
        reader->notes.canonical = false;
    }
    return LOY_OK;
}

static enum loy_err read_repeated(struct reader *reader, struct scope *scope, const ProtobufCFieldDescriptor *field,
                                  const struct loy_wire_rule *rule, uint32_t wire, struct input *in)
{
    uint32_t expected = wire_type_of(field->type);
    bool again = loy_wire_field_count(scope->message, field) > 0;
    if (again && (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED)) {
        reader->notes.canonical = false;
    }
    if (wire == expected) {
        if (field->flags & PROTOBUF_C_FIELD_FLAG_PACKED) {
            reader->notes.canonical = false;
        }
        return read_element(reader, scope, field, rule, in);
    }
    if (wire == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
        return read_packed(reader, scope, field, rule, in);
    }
    struct loy_wire_path path = {scope->path, field->name, -1};
    return malformed(reader, &path, "another wire type than the field has");
}

static enum loy_err read_singular(struct reader *reader, struct scope *scope, const ProtobufCFieldDescriptor *field,
                                  const struct loy_wire_rule *rule, uint32_t wire, struct input *in)
{
    struct loy_wire_path path = {scope->path, field->name, -1};
    if (wire != wire_type_of(field->type)) {
        return malformed(reader, &path, "another wire type than the field has");
    }
    /* proto3's fields without presence are only seen by their numbers. */
    uint64_t bit = field->id < 64 ? UINT64_C(1) << field->id : 0;
    if ((scope->seen & bit) || (!bit && loy_wire_field_is_set(scope->message, field))) {
        return malformed(reader, &path, "comes twice");
    }
    if (loy_wire_field_is_taken(scope->message, field)) {
        return malformed(reader, &path, "comes beside another field of its oneof");
    }
    void *at = loy_wire_field_at(scope->message, field);
    enum loy_err err = read_value(reader, scope, field, rule, &path, in, at);
    if (err) {
        return err;
    }
    loy_wire_field_mark(scope->message, field);
    if (field->label == PROTOBUF_C_LABEL_NONE && !loy_wire_field_is_set(scope->message, field)) {
        reader->notes.canonical = false; /* proto3: our writer leaves zeros out */
    }
    if (rule && (scope->rules->required & bit) && field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text;
        memcpy(&text, at, sizeof text);
        if (!*text) {
            return loy_wire_fail(reader->error, LOY_ERR_MISSING_FIELD, &path, "is empty");
        }
    }
    return LOY_OK;
}

static enum loy_err read_unknown(struct reader *reader, const struct scope *scope, uint32_t number, uint32_t wire,
                                 struct input *in)
{
    reader->notes.canonical = false;
    if (!scope->path && !reader->notes.unknown && number >= reader->notes.unknown_from &&
        number <= reader->notes.unknown_to) {
        reader->notes.unknown = number;
    }
    if (!skip(reader, in, wire)) {
        return malformed(reader, scope->path, "bytes that are not protobuf");
    }
    return LOY_OK;
}

/* --- the usual field ---------------------------------------------------------------------------------------------
 * A text or number that comes once, in the shortest form, with nothing wrong, as nearly all are. False: it is something
 * else, or something is wrong with it; then nothing was read, and the long way below tells. */

static inline bool read_usual_text(struct reader *reader, const struct loy_wire_rule *rule, struct input *in, void *at)
{
    const uint8_t *from = in->at;
    struct loy_str text = {(const char *)from + 1, *from};
    bool is_short = text.len > 0 && text.len < 0x80 && text.len < (size_t)(in->end - from);
    if (!is_short || (rule && (rule->check != LOY_WIRE_ANY || text.len > rule->max_bytes)) ||
        !loy_wire_is_plain(text)) {
        return false;
    }
    const char *kept = keep_text(reader, text);
    memcpy(at, &kept, sizeof kept);
    in->at = from + 1 + text.len;
    return true;
}

/* At least 0, and not 0 where that is as if absent. */
static inline bool read_usual_number(const ProtobufCFieldDescriptor *field, const struct loy_wire_rule *rule,
                                     struct input *in, void *at)
{
    const uint8_t *from = in->at;
    bool is_wide = field->type == PROTOBUF_C_TYPE_INT64;
    uint64_t value = 0;
    unsigned shift = 0;
    for (; from < in->end && *from >= 0x80 && shift < 56; shift += 7) {
        value |= (uint64_t)(*from++ & 0x7F) << shift;
    }
    bool is_shortest = from < in->end && *from < 0x80 && (*from > 0 || shift == 0);
    if (!is_shortest || (rule && rule->check != LOY_WIRE_ANY && rule->check != LOY_WIRE_NOT_NEGATIVE)) {
        return false;
    }
    value |= (uint64_t)*from << shift;
    if ((!is_wide && value > INT32_MAX) || (field->label == PROTOBUF_C_LABEL_NONE && value == 0)) {
        return false;
    }
    uint32_t narrow = (uint32_t)value;
    memcpy(at, is_wide ? (const void *)&value : (const void *)&narrow, is_wide ? sizeof value : sizeof narrow);
    in->at = from + 1;
    return true;
}

static inline bool read_usual(struct reader *reader, struct scope *scope, const ProtobufCFieldDescriptor *field,
                              const struct loy_wire_rule *rule, uint32_t wire, struct input *in)
{
    uint64_t bit = field->id < 64 ? UINT64_C(1) << field->id : 0;
    bool is_optional = field->label == PROTOBUF_C_LABEL_OPTIONAL;
    if ((!is_optional && field->label != PROTOBUF_C_LABEL_NONE) || (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
        !bit || (scope->seen & bit) || in->at == in->end) {
        return false;
    }
    void *at = loy_wire_field_at(scope->message, field);
    bool is_read = false;
    if (field->type == PROTOBUF_C_TYPE_STRING && wire == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
        is_read = read_usual_text(reader, rule, in, at);
    } else if ((field->type == PROTOBUF_C_TYPE_INT64 || field->type == PROTOBUF_C_TYPE_INT32) &&
               wire == PROTOBUF_C_WIRE_TYPE_VARINT) {
        is_read = read_usual_number(field, rule, in, at);
        if (is_read && is_optional) {
            *loy_wire_field_quantifier(scope->message, field) = 1;
        }
    }
    scope->seen |= is_read ? bit : 0;
    return is_read;
}

static enum loy_err read_field(struct reader *reader, struct scope *scope, struct input *in)
{
    uint64_t tag;
    if (!read_varint(reader, in, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        return malformed(reader, scope->path, "bytes that are not protobuf");
    }
    uint32_t number = (uint32_t)tag >> 3;
    uint32_t wire = (uint32_t)tag & 7;
    const ProtobufCFieldDescriptor *field = find_field(scope, number);
    if (!field) {
        return read_unknown(reader, scope, number, wire, in);
    }
    if (number < scope->highest) {
        reader->notes.canonical = false;
    } else {
        scope->highest = number;
    }
    const struct loy_wire_rule *rule = scope->rules ? &scope->rules->fields[scope->next] : NULL;
    assert(!rule || rule->number == number);
    if (read_usual(reader, scope, field, rule, wire, in)) {
        return LOY_OK;
    }
    enum loy_err err = field->label == PROTOBUF_C_LABEL_REPEATED ? read_repeated(reader, scope, field, rule, wire, in)
                                                                 : read_singular(reader, scope, field, rule, wire, in);
    if (err) {
        return err;
    }
    scope->seen |= number < 64 ? UINT64_C(1) << number : 0;
    return LOY_OK;
}

/* What holds for a message as a whole. */
static enum loy_err check_message(struct reader *reader, const struct scope *scope)
{
    uint64_t missing = scope->rules->required & ~scope->seen;
    for (unsigned i = 0; missing && i < scope->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &scope->descriptor->fields[i];
        if (field->id < 64 && (missing & UINT64_C(1) << field->id)) {
            struct loy_wire_path path = {scope->path, field->name, -1};
            return loy_wire_fail(reader->error, LOY_ERR_MISSING_FIELD, &path, "is absent");
        }
    }
    if (scope->descriptor == &google__protobuf__timestamp__descriptor) {
        const Google__Protobuf__Timestamp *moment = (const Google__Protobuf__Timestamp *)scope->message;
        return loy_wire_check_moment(moment->seconds, moment->nanos, scope->path, reader->error);
    }
    return LOY_OK;
}

static enum loy_err read_message(struct reader *reader, struct scope *scope, struct input in)
{
    scope->message = loy_wire_message_new(scope->descriptor, reader->arena);
    if (!scope->message) {
        return no_memory(reader);
    }
    while (in.at < in.end) {
        enum loy_err err = read_field(reader, scope, &in);
        if (err) {
            return err;
        }
    }
    return scope->rules ? check_message(reader, scope) : LOY_OK;
}

enum loy_err loy_wire_proto_read(const ProtobufCMessageDescriptor *descriptor, const struct loy_wire_rules *rules,
                                 struct loy_str bytes, struct loy_arena *texts, struct loy_arena *arena,
                                 struct loy_wire_notes *notes, ProtobufCMessage **ret_message, struct loy_error *error)
{
    assert(!rules || rules->descriptor == descriptor);
    struct reader reader = {.arena = arena, .error = error, .texts = loy_arena_alloc(texts, bytes.len + 1)};
    if (!reader.texts) {
        return no_memory(&reader);
    }
    reader.texts_end = reader.texts + bytes.len + 1;
    reader.notes = notes ? *notes : (struct loy_wire_notes){0};
    reader.notes.unknown = 0;
    reader.notes.canonical = true;
    struct scope scope = {.descriptor = descriptor, .rules = rules};
    static const uint8_t nothing;
    const uint8_t *at = bytes.len ? (const uint8_t *)bytes.at : &nothing;
    enum loy_err err = read_message(&reader, &scope, (struct input){at, at + bytes.len});
    if (err) {
        return err;
    }
    if (notes) {
        *notes = reader.notes;
    }
    *ret_message = scope.message;
    return LOY_OK;
}

enum loy_err loy_wire_proto_write(const ProtobufCMessage *message, struct loy_arena *arena, struct loy_str *ret_bytes)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = loy_arena_alloc(arena, size);
    if (!bytes) {
        return LOY_ERR_NO_MEMORY;
    }
    size_t written = protobuf_c_message_pack(message, bytes);
    assert(written == size);
    *ret_bytes = (struct loy_str){(const char *)bytes, written};
    return LOY_OK;
}
