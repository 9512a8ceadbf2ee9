/* For test_wire.py: reads commands on its input and answers each on its output, so that one process does all of them.
 *
 * A frame is four bytes of length, little-endian, then as many bytes. A command is a letter for what to do, one for the
 * type of message, and the bytes; an answer is "+" and bytes, or "-" and "code: sentence".
 *   j c   protobuf to JSON, names as in the .proto file, in lowerCamelCase
 *   w     protobuf to protobuf, through our reader
 *   p     JSON to protobuf
 *   d i   a record's value to the event's encoding, of input topics, of internal ones (any type)
 */
#include "adapters/wire/json.h"
#include "adapters/wire/proto.h"
#include "adapters/wire/wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "loyalty/v1/event.pb-c.h"
#include "loyalty/v1/trace.pb-c.h"
#include "loyalty/v1/update.pb-c.h"
#include "tests/wire_all.pb-c.h"

enum { FRAME_MAX = 4 << 20 };

static const ProtobufCMessageDescriptor *descriptor_of(char type)
{
    switch (type) {
    case 'e':
        return &loyalty__v1__event__descriptor;
    case 't':
        return &loyalty__v1__trace__descriptor;
    case 'u':
        return &loyalty__v1__update__descriptor;
    case 'o':
        return &loyalty__v1__outcome__descriptor;
    default:
        return &loyald__test__wire_all__descriptor;
    }
}

static enum loy_err answer(char what, const ProtobufCMessageDescriptor *descriptor, struct loy_str bytes,
                           struct loy_arena *arena, struct loy_str *ret_bytes, struct loy_error *error)
{
    ProtobufCMessage *message;
    if (what == 'd' || what == 'i') {
        struct loy_record record = {.has_value = true, .value = bytes};
        struct loy_event event;
        enum loy_err err = loy_wire_decode(&record, what == 'i', arena, &event, error);
        *ret_bytes = err ? (struct loy_str){0} : event.encoded;
        return err;
    }
    enum loy_err err = what == 'p' ? loy_wire_json_read(descriptor, bytes, arena, &message, NULL, error)
                                   : loy_wire_proto_read(descriptor, NULL, bytes, arena, arena, NULL, &message, error);
    if (err) {
        return err;
    }
    if (what == 'p' || what == 'w') {
        return loy_wire_proto_write(message, arena, ret_bytes);
    }
    struct loy_buf buf;
    loy_buf_init(&buf, arena, 1024);
    loy_wire_json_write(message, what == 'j' ? LOY_WIRE_PROTO_NAMES : LOY_WIRE_LOWER_CAMEL, &buf);
    *ret_bytes = loy_buf_str(&buf);
    return buf.failed ? LOY_ERR_INTERNAL : LOY_OK;
}

static void put_frame(char sign, struct loy_str bytes)
{
    size_t length = bytes.len + 1;
    for (int i = 0; i < 4; i++) {
        putchar((int)(length >> (8 * i) & 0xff));
    }
    putchar(sign);
    fwrite(bytes.at, 1, bytes.len, stdout);
}

int main(void)
{
    size_t size = 64 << 20;
    char *block = malloc(size);
    char *frame = malloc(FRAME_MAX);
    uint8_t head[4];
    while (block && frame && fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t length = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        if (length < 2 || length > FRAME_MAX || fread(frame, 1, length, stdin) != length) {
            return 2;
        }
        struct loy_arena arena;
        loy_arena_init(&arena, block, size);
        struct loy_error error = {0};
        struct loy_str bytes = {0};
        struct loy_str command = {frame + 2, length - 2};
        enum loy_err err = answer(frame[0], descriptor_of(frame[1]), command, &arena, &bytes, &error);
        if (err) {
            char text[LOY_ERROR_DETAIL_MAX + 64];
            int written = snprintf(text, sizeof text, "%s: %s", loy_err_name(err), error.detail);
            put_frame('-', (struct loy_str){text, (size_t)written});
        } else {
            put_frame('+', bytes);
        }
        fflush(stdout);
    }
    free(block);
    free(frame);
    return 0;
}
