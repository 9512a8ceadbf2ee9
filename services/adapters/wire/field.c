#include "adapters/wire/field.h"

#include <assert.h>

enum { FIRST_ELEMENTS = 4 };

size_t loy_wire_field_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

bool loy_wire_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return loy_wire_field_count(message, field) > 0;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        return *loy_wire_field_quantifier(message, field) == field->id;
    }
    const void *at = loy_wire_field_at(message, field);
    if (loy_wire_field_is_pointer(field)) {
        const char *pointer = *(const char *const *)at;
        /* proto3 has no absent texts: protobuf-c then points to an empty one. */
        return pointer && (field->label != PROTOBUF_C_LABEL_NONE || field->type == PROTOBUF_C_TYPE_MESSAGE || *pointer);
    }
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL) {
        return *loy_wire_field_quantifier(message, field) != 0;
    }
    if (field->label == PROTOBUF_C_LABEL_NONE) {
        static const char zeros[sizeof(ProtobufCBinaryData)];
        size_t size = field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(size_t) : loy_wire_field_size(field);
        return memcmp(at, zeros, size) != 0;
    }
    return true;
}

void *loy_wire_field_push(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct loy_arena *arena)
{
    size_t size = loy_wire_field_size(field);
    size_t *count = (size_t *)((char *)message + field->quantifier_offset);
    char **elements = loy_wire_field_at(message, field);
    /* The capacity stands nowhere: it is the power of two that the count reached, at least FIRST_ELEMENTS. */
    if (*count == 0 || (*count >= FIRST_ELEMENTS && (*count & (*count - 1)) == 0)) {
        size_t capacity = *count == 0 ? FIRST_ELEMENTS : *count * 2;
        char *grown = loy_arena_calloc(arena, capacity, size);
        if (!grown) {
            return NULL;
        }
        if (*count) {
            memcpy(grown, *elements, *count * size);
        }
        *elements = grown;
    }
    return *elements + (*count)++ * size;
}

bool loy_wire_field_is_map(const ProtobufCMessageDescriptor *parent, const ProtobufCFieldDescriptor *field)
{
    if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return false;
    }
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    if (entry->n_fields != 2 || entry->fields[0].id != 1 || entry->fields[1].id != 2) {
        return false;
    }
    size_t parent_length = strlen(parent->name);
    if (strncmp(entry->name, parent->name, parent_length) != 0 || entry->name[parent_length] != '.') {
        return false;
    }
    /* protoc names the entries of `some_map` SomeMapEntry, and lets nobody else use that name. */
    const char *at = entry->name + parent_length + 1;
    bool upper = true;
    for (const char *name = field->name; *name; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        char expected = upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
        if (*at++ != expected) {
            return false;
        }
        upper = false;
    }
    return strcmp(at, "Entry") == 0;
}

bool loy_wire_is_timestamp(const ProtobufCMessageDescriptor *descriptor)
{
    return strcmp(descriptor->name, "google.protobuf.Timestamp") == 0;
}

ProtobufCMessage *loy_wire_message_new(const ProtobufCMessageDescriptor *descriptor, struct loy_arena *arena)
{
    ProtobufCMessage *message = loy_arena_alloc(arena, descriptor->sizeof_message);
    if (message) {
        descriptor->message_init(message); /* writes all of it */
    }
    return message;
}
