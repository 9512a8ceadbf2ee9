/* JSON of protobuf messages: proto3's JSON mapping over protobuf-c's descriptors, for proto2 messages.
 *
 * Specified by protobuf's ProtoJSON page: names in lowerCamelCase or as in the .proto file, 64-bit integers as texts,
 * enums by name, bytes in base64, maps as objects, google.protobuf.Timestamp as RFC 3339, null for absent. Groups,
 * extensions, Any, wrappers and the other well-known types are not covered: our messages have none.
 * No state; any thread, an arena each. Test: tests/integration/test_wire.py. */
#ifndef LOY_ADAPTERS_WIRE_JSON_H
#define LOY_ADAPTERS_WIRE_JSON_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

enum {
    LOY_WIRE_JSON_DEPTH_MAX = 32,      /* messages inside messages */
    LOY_WIRE_JSON_ELEMENTS_MAX = 2000, /* of one repeated field or map */
};

enum loy_wire_json_form { LOY_WIRE_LOWER_CAMEL, LOY_WIRE_PROTO_NAMES };

/* Appends the message as one line of JSON. Absent fields and empty lists are left out. Texts must be UTF-8.
 * buf->failed is set when the arena is full or the message is nested too deeply. */
void loy_wire_json_write(const struct ProtobufCMessage *message, enum loy_wire_json_form form, struct loy_buf *buf);

/* Reads one JSON object into a message in the arena. Keys that are no field are ignored; *ret_unknown (if not NULL)
 * becomes the first of them at the top level, in the arena, empty when there is none.
 * Accepted: both forms of names; integers as numbers, texts, or numbers with an exponent or a fraction of zero up to
 * 2^53; enums by name or number. Refused: a key twice, a field under both its names, two members of a oneof, U+0000.
 * Errors of class REJECT whose sentence names the field, or LOY_ERR_NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_wire_json_read(const struct ProtobufCMessageDescriptor *descriptor, struct loy_str text,
                                             struct loy_arena *arena, struct ProtobufCMessage **ret_message,
                                             struct loy_str *ret_unknown, struct loy_error *error);

/* One text, quoted and escaped, where there is room for it; returns its end. */
#define LOY_WIRE_JSON_TEXT_ROOM(length) (2 + 6 * (length))
char *loy_wire_json_text_at(char *to, struct loy_str text);
void loy_wire_json_write_text(struct loy_buf *buf, struct loy_str text);

#endif
