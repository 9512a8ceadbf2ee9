/* libFuzzer's entry to loy_wire_decode: any bytes, as a record's value, on input topics and on internal ones.
 *
 * The first byte chooses headers (none, a binary CloudEvent, a content type) and the kind of topic. What is accepted
 * must be stable: its encoding is what protobuf-c writes, decodes to itself and shows as JSON that decodes to itself;
 * and the promised arena is enough. */
#include "adapters/wire/proto.h"
#include "adapters/wire/wire.h"

#include <stdlib.h>

#include "loyalty/v1/event.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char block[LOY_WIRE_DECODE_ARENA + 16];
static char second[LOY_WIRE_DECODE_ARENA + 16];

static const struct loy_header headers[] = {
    {{"content-type", 12}, {"application/json", 16}},
    {{"ce_specversion", 14}, {"1.0", 3}},
    {{"ce_id", 5}, {"c", 1}},
    {{"ce_source", 9}, {"s", 1}},
    {{"ce_time", 7}, {"2026-01-01T00:00:00Z", 20}},
};

static void check_stable(const struct loy_event *event)
{
    struct loy_arena arena;
    struct loy_event again;
    struct loy_error error;
    struct loy_str json;
    loy_arena_init(&arena, second, sizeof second);
    if (loy_wire_event_decode(event->encoded, &arena, &again, &error) ||
        !loy_str_equal(event->encoded, again.encoded)) {
        abort();
    }
    ProtobufCMessage *message;
    struct loy_str written;
    if (loy_wire_proto_read(&loyalty__v1__event__descriptor, NULL, event->encoded, &arena, &arena, NULL, &message,
                            &error) ||
        loy_wire_proto_write(message, &arena, &written) || !loy_str_equal(event->encoded, written)) {
        abort();
    }
    loy_arena_reset(&arena);
    if (loy_wire_to_json(LOY_WIRE_EVENT, event->encoded, &arena, &json, &error)) {
        abort();
    }
    struct loy_record record = {.has_value = true, .value = json};
    if (json.len <= LOY_EVENT_BYTES_MAX) {
        if (loy_wire_decode(&record, true, &arena, &again, &error) || !loy_str_equal(event->encoded, again.encoded)) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct loy_record record = {.has_value = true, .value = {(const char *)data + 1, size - 1}};
    switch (data[0] >> 1 & 3) {
    case 1:
        record.headers = headers + 1;
        record.header_count = 4;
        break;
    case 2:
        record.headers = headers;
        record.header_count = 5;
        break;
    default:
        break;
    }
    struct loy_arena arena;
    struct loy_event event;
    struct loy_error error;
    loy_arena_init(&arena, block, sizeof block);
    enum loy_err err = loy_wire_decode(&record, data[0] & 1, &arena, &event, &error);
    if (err) {
        if (loy_err_class(err) != LOY_CLASS_REJECT || arena.used != 0) {
            abort();
        }
        return 0;
    }
    if ((event.event_id.len == 0 || event.source.len == 0 || event.kind == LOY_EVENT_NONE)) {
        abort();
    }
    check_stable(&event);
    return 0;
}
