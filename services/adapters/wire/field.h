/* Field: what protobuf-c's descriptors say of a field, and where it lies in its message. Internal to wire.
 *
 * Pure; any thread. Test: by test_wire.py and test_wire_decode.c. */
#ifndef LOY_ADAPTERS_WIRE_FIELD_H
#define LOY_ADAPTERS_WIRE_FIELD_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* Bytes that one value of the field takes in its message, or one element in its array. */
size_t loy_wire_field_size(const ProtobufCFieldDescriptor *field);

/* Present: has_, a pointer, the case of its oneof, elements, or (proto3) not zero. */
bool loy_wire_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/* Room for one more element of a repeated field, cleared and counted; NULL when the arena is full. */
void *loy_wire_field_push(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct loy_arena *arena);

/* A map<…>: a repeated message whose name protoc reserves for the entries of this field. */
bool loy_wire_field_is_map(const ProtobufCMessageDescriptor *parent, const ProtobufCFieldDescriptor *field);
bool loy_wire_is_timestamp(const ProtobufCMessageDescriptor *descriptor);

/* A cleared message with its defaults; NULL when the arena is full. */
ProtobufCMessage *loy_wire_message_new(const ProtobufCMessageDescriptor *descriptor, struct loy_arena *arena);

static inline void *loy_wire_field_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (char *)(uintptr_t)message + field->offset;
}

static inline size_t loy_wire_field_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return *(const size_t *)((const char *)message + field->quantifier_offset);
}

/* A text or a message: its pointer says whether it is there. */
static inline bool loy_wire_field_is_pointer(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
}

/* has_ of an optional field, or the case of a oneof: the number of the member that is set. */
static inline uint32_t *loy_wire_field_quantifier(const ProtobufCMessage *message,
                                                  const ProtobufCFieldDescriptor *field)
{
    return (uint32_t *)((char *)(uintptr_t)message + field->quantifier_offset);
}

/* Marks a singular field as present; its value is the caller's to store. */
static inline void loy_wire_field_mark(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        *loy_wire_field_quantifier(message, field) = field->id;
    } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !loy_wire_field_is_pointer(field)) {
        *loy_wire_field_quantifier(message, field) = 1;
    }
}

/* True when another member of the field's oneof is set. */
static inline bool loy_wire_field_is_taken(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) {
        return false;
    }
    uint32_t set = *loy_wire_field_quantifier(message, field);
    return set != 0 && set != field->id;
}

#endif
