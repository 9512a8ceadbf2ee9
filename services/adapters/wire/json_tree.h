/* JSON tree: text to jansson's values, with our errors. Internal to wire.
 *
 * The tree is jansson's, on the heap: whoever asked for it gives it back with json_decref. Any thread.
 * Test: test_wire.py, test_wire_decode.c. */
#ifndef LOY_ADAPTERS_WIRE_JSON_TREE_H
#define LOY_ADAPTERS_WIRE_JSON_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

/* One JSON object. Keys that come twice are refused. LOY_ERR_MALFORMED, INVALID_TEXT, OVERFLOW. */
LOY_MUST_USE enum loy_err loy_wire_json_parse(struct loy_str text, json_t **ret_tree, struct loy_error *error);

/* As loy_wire_json_read, from a tree, which stays the caller's. */
LOY_MUST_USE enum loy_err loy_wire_json_take(const ProtobufCMessageDescriptor *descriptor, json_t *tree,
                                             struct loy_arena *arena, ProtobufCMessage **ret_message,
                                             struct loy_str *ret_unknown, struct loy_error *error);

#endif
