/* Put: a message written field by field, as protobuf or as JSON with the names of the .proto files, straight into a
 * buffer. Internal to wire.
 *
 * For what is written for each event: building protobuf-c's structs first took several times as long as the bytes.
 * Fields come in order of their numbers, which makes the bytes those of loy_wire_proto_write and loy_wire_json_write.
 * Errors are the buffer's. No state of its own; any thread. Test: tests/unit/test_wire_encode.c. */
#ifndef LOY_ADAPTERS_WIRE_PUT_H
#define LOY_ADAPTERS_WIRE_PUT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct loy_wire_put {
    struct loy_buf *buf;
    bool json;
    bool first; /* JSON: no field of this object is written yet */
};

enum { LOY_WIRE_NAME_MAX = 32 }; /* bytes of a name with its separators */

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

/* Writes nothing for an empty text. */
void loy_wire_put_text(struct loy_wire_put *put, struct loy_wire_name name, struct loy_str text);
void loy_wire_put_i32(struct loy_wire_put *put, struct loy_wire_name name, int32_t number);
void loy_wire_put_i64(struct loy_wire_put *put, struct loy_wire_name name, int64_t number);
/* Repeated numbers, packed. Protobuf only: nothing that is also JSON has such a field. */
void loy_wire_put_packed(struct loy_wire_put *put, struct loy_wire_name name, const int64_t *numbers, uint32_t count);
/* A google.protobuf.Timestamp, cut to what one can hold. */
void loy_wire_put_moment(struct loy_wire_put *put, struct loy_wire_name name, int64_t moment_us);

struct loy_wire_nest loy_wire_put_open(struct loy_wire_put *put, struct loy_wire_name name);
void loy_wire_put_close(struct loy_wire_put *put, struct loy_wire_nest nest);
/* The outermost message: JSON's braces. */
void loy_wire_put_begin(struct loy_wire_put *put);
void loy_wire_put_end(struct loy_wire_put *put);

/* A list of messages that is not empty: begin, then open_element and close for each, end. */
void loy_wire_put_list_begin(struct loy_wire_put *put, struct loy_wire_name name);
struct loy_wire_nest loy_wire_put_open_element(struct loy_wire_put *put, struct loy_wire_name name, bool is_first);
void loy_wire_put_list_end(struct loy_wire_put *put);

#endif
