/* Proto: protobuf's bytes to protobuf-c's messages, and back. Internal to wire.
 *
 * The library's own unpack cannot see what has to be refused (a text with U+0000, more elements than allowed, kinds
 * that are not known yet) and takes quadratic memory for a message that is sent in pieces; so the bytes are read here,
 * in one pass, over its descriptors (docs/adr/0011-protobuf-reader.md). Writing is the library's. No heap, no state;
 * any thread, an arena each. Test: test_wire_decode.c, test_wire.py, tests/fuzz/fuzz_wire.c. */
#ifndef LOY_ADAPTERS_WIRE_PROTO_H
#define LOY_ADAPTERS_WIRE_PROTO_H

#include "adapters/wire/rules.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

struct loy_wire_notes {
    /* Unknown fields of the message itself that are to be noticed: in, the range; out, the first one, or 0. */
    uint32_t unknown_from;
    uint32_t unknown_to;
    uint32_t unknown;
    /* The bytes are the ones that loy_wire_proto_write would make. May be false without need. */
    bool canonical;
};

/* Reads one message; its texts go to the arena `texts`, everything else to `arena` (they may be the same). Unknown
 * fields are dropped; a singular field or a oneof that comes twice is refused, as are texts that are not UTF-8 or hold
 * U+0000. rules: limits to check as well; NULL: none. Errors of class REJECT with the field's path, or
 * LOY_ERR_NO_MEMORY. notes may be NULL. */
LOY_MUST_USE enum loy_err loy_wire_proto_read(const ProtobufCMessageDescriptor *descriptor,
                                              const struct loy_wire_rules *rules, struct loy_str bytes,
                                              struct loy_arena *texts, struct loy_arena *arena,
                                              struct loy_wire_notes *notes, ProtobufCMessage **ret_message,
                                              struct loy_error *error);

/* The message's bytes, in the arena: fields in order of their numbers. LOY_ERR_NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_wire_proto_write(const ProtobufCMessage *message, struct loy_arena *arena,
                                               struct loy_str *ret_bytes);

#endif
