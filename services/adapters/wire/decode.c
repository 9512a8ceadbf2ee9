#include "adapters/wire/base64.h"
#include "adapters/wire/check.h"
#include "adapters/wire/envelope.h"
#include "adapters/wire/fill.h"
#include "adapters/wire/json_tree.h"
#include "adapters/wire/map.h"
#include "adapters/wire/proto.h"
#include "adapters/wire/usual.h"
#include "adapters/wire/wire.h"
#include "base/calendar.h"

#include <assert.h>

enum { KIND_FIRST = 20, KIND_LAST = 49 }; /* numbers that Event keeps for its kinds, those to come included */

/* One record on its way in. */
struct decoder {
    struct loy_arena *arena;
    struct loy_arena *scratch; /* for messages of protobuf-c: nobody needs them when the event is filled */
    struct loy_error *error;
    bool internal;
    struct loy_wire_cloudevent cloudevent;
    struct loy_str unknown_key;  /* of JSON; empty: none */
    struct loy_wire_notes notes; /* of protobuf */
    struct loy_str bytes;        /* the protobuf that was read */
    bool bytes_are_ours;         /* they lie in the arena */
    Loyalty__V1__Event *message;
};

static enum loy_err read_proto(struct decoder *decoder, struct loy_str bytes)
{
    decoder->bytes = bytes;
    decoder->notes.unknown_from = KIND_FIRST;
    decoder->notes.unknown_to = KIND_LAST;
    ProtobufCMessage *message;
    enum loy_err err = loy_wire_proto_read(&loyalty__v1__event__descriptor, loy_wire_event_rules(), bytes,
                                           decoder->arena, decoder->scratch, &decoder->notes, &message, decoder->error);
    if (err) {
        return err;
    }
    decoder->message = (Loyalty__V1__Event *)message;
    return LOY_OK;
}

/* Through protobuf, so that one reader checks every limit. */
static enum loy_err read_tree(struct decoder *decoder, json_t *tree)
{
    ProtobufCMessage *message;
    enum loy_err err = loy_wire_json_take(&loyalty__v1__event__descriptor, tree, decoder->scratch, &message,
                                          &decoder->unknown_key, decoder->error);
    if (err) {
        return err;
    }
    struct loy_str bytes;
    if (loy_wire_proto_write(message, decoder->arena, &bytes)) {
        return loy_error_set(decoder->error, LOY_ERR_NO_MEMORY, "the arena is full");
    }
    decoder->bytes_are_ours = true;
    return read_proto(decoder, bytes);
}

static struct loy_str copy_string(struct decoder *decoder, json_t *tree, const char *key)
{
    json_t *value = json_object_get(tree, key);
    if (!json_is_string(value)) {
        return (struct loy_str){0};
    }
    return loy_str_copy(decoder->arena, (struct loy_str){json_string_value(value), json_string_length(value)});
}

static enum loy_err read_json(struct decoder *decoder, struct loy_str text, bool may_be_cloudevent, bool structured);

static enum loy_err read_data_base64(struct decoder *decoder, json_t *data)
{
    struct loy_str bytes = {0};
    enum loy_err err = LOY_ERR_MALFORMED;
    if (json_is_string(data)) {
        err = loy_wire_base64_decode((struct loy_str){json_string_value(data), json_string_length(data)},
                                     decoder->arena, &bytes);
    }
    if (err) {
        return loy_error_set(decoder->error, err, "data_base64: %s",
                             err == LOY_ERR_MALFORMED ? "is not base64" : "arena");
    }
    struct loy_wire_envelope inner;
    err = loy_wire_open_bytes(bytes, &inner, decoder->error);
    if (err) {
        return err;
    }
    return inner.json ? read_json(decoder, inner.bytes, false, false) : read_proto(decoder, inner.bytes);
}

static enum loy_err read_cloudevent(struct decoder *decoder, json_t *tree)
{
    enum loy_err err = loy_wire_check_specversion(copy_string(decoder, tree, "specversion"), decoder->error);
    if (err) {
        return err;
    }
    decoder->cloudevent = (struct loy_wire_cloudevent){
        .id = copy_string(decoder, tree, "id"),
        .source = copy_string(decoder, tree, "source"),
        .time = copy_string(decoder, tree, "time"),
    };
    json_t *data = json_object_get(tree, "data");
    if (json_is_object(data)) {
        return read_tree(decoder, data);
    }
    data = json_object_get(tree, "data_base64");
    if (data) {
        return read_data_base64(decoder, data);
    }
    return loy_error_set(decoder->error, LOY_ERR_MALFORMED, "a CloudEvent without an object in data, or data_base64");
}

static enum loy_err read_json(struct decoder *decoder, struct loy_str text, bool may_be_cloudevent, bool structured)
{
    json_t *tree;
    enum loy_err err = loy_wire_json_parse(text, &tree, decoder->error);
    if (err) {
        return err;
    }
    if (may_be_cloudevent && (structured || json_object_get(tree, "specversion"))) {
        err = read_cloudevent(decoder, tree);
    } else {
        err = read_tree(decoder, tree);
    }
    json_decref(tree);
    return err;
}

static enum loy_err complete_text(struct decoder *decoder, char **text, struct loy_str value, const char *name,
                                  size_t max)
{
    if (*text || value.len == 0) {
        return LOY_OK;
    }
    struct loy_wire_path path = {NULL, name, -1};
    enum loy_err err = loy_wire_check_utf8(value, &path, decoder->error);
    if (err) {
        return err;
    }
    if (value.len > max) {
        return loy_wire_fail(decoder->error, LOY_ERR_TOO_LARGE, &path, "%zu bytes in the CloudEvent, at most %zu",
                             value.len, max);
    }
    *text = loy_str_dup_z(decoder->arena, value);
    decoder->notes.canonical = false;
    return *text ? LOY_OK : loy_error_set(decoder->error, LOY_ERR_NO_MEMORY, "the arena is full");
}

static enum loy_err complete_moment(struct decoder *decoder)
{
    struct loy_str time = decoder->cloudevent.time;
    if (decoder->message->occurred_at || time.len == 0) {
        return LOY_OK;
    }
    int64_t moment_us;
    if (!loy_moment_parse(time.at, time.len, &moment_us)) {
        return loy_error_set(decoder->error, LOY_ERR_INVALID_TIME,
                             "occurred_at: absent, and the CloudEvent's time is not a moment (RFC 3339)");
    }
    Google__Protobuf__Timestamp *moment = LOY_NEW(decoder->scratch, Google__Protobuf__Timestamp);
    if (!moment) {
        return loy_error_set(decoder->error, LOY_ERR_NO_MEMORY, "the arena is full");
    }
    google__protobuf__timestamp__init(moment);
    int64_t part = moment_us % LOY_US_PER_SECOND;
    part += part < 0 ? LOY_US_PER_SECOND : 0;
    moment->seconds = (moment_us - part) / LOY_US_PER_SECOND;
    moment->nanos = (int32_t)part * 1000;
    decoder->message->occurred_at = moment;
    decoder->notes.canonical = false;
    return LOY_OK;
}

/* What the payload lacks and its CloudEvent says. */
static enum loy_err complete(struct decoder *decoder)
{
    Loyalty__V1__Event *message = decoder->message;
    const struct loy_wire_cloudevent *cloudevent = &decoder->cloudevent;
    enum loy_err err = complete_text(decoder, &message->event_id, cloudevent->id, "event_id", LOY_EVENT_ID_MAX);
    if (!err) {
        err = complete_text(decoder, &message->source, cloudevent->source, "source", LOY_SOURCE_MAX);
    }
    return err ? err : complete_moment(decoder);
}

static enum loy_err check_kind(struct decoder *decoder)
{
    const Loyalty__V1__Event *message = decoder->message;
    bool has_kind = message->kind_case != LOYALTY__V1__EVENT__KIND__NOT_SET;
    if ((message->tick || message->follow_up) && !decoder->internal) {
        return loy_error_set(decoder->error, LOY_ERR_INVALID_VALUE, "%s: only loyald itself may send it",
                             message->tick ? "tick" : "follow_up");
    }
    if (message->tick && has_kind) {
        return loy_error_set(decoder->error, LOY_ERR_INVALID_VALUE, "tick: beside another kind");
    }
    if (has_kind || message->tick) {
        return LOY_OK;
    }
    if (decoder->notes.unknown) {
        return loy_error_set(decoder->error, LOY_ERR_UNKNOWN_KIND, "event kind %u is not known to this version",
                             (unsigned)decoder->notes.unknown);
    }
    if (decoder->unknown_key.len) {
        size_t length = decoder->unknown_key.len < 64 ? decoder->unknown_key.len : 64;
        return loy_error_set(decoder->error, LOY_ERR_UNKNOWN_KIND, "no kind that this version knows; \"%.*s\" is none",
                             (int)length, decoder->unknown_key.at);
    }
    return loy_error_set(decoder->error, LOY_ERR_UNKNOWN_KIND, "no kind: no purchase, return, …");
}

static enum loy_err check_envelope(struct decoder *decoder)
{
    const Loyalty__V1__Event *message = decoder->message;
    const char *missing = !message->event_id || !*message->event_id ? "event_id"
                          : !message->source || !*message->source   ? "source"
                          : !message->occurred_at                   ? "occurred_at"
                          : message->tick && !message->member_id    ? "member_id"
                                                                    : NULL;
    if (missing) {
        return loy_error_set(decoder->error, LOY_ERR_MISSING_FIELD, "%s: is absent or empty", missing);
    }
    bool ours = message->tick || message->follow_up;
    if (message->member_id && message->member_id[0] == '~' && !ours) {
        return loy_error_set(decoder->error, LOY_ERR_INVALID_MEMBER,
                             "member_id: begins with \"~\", which is loyald's own");
    }
    return LOY_OK;
}

static void order_maps(struct decoder *decoder)
{
    Loyalty__V1__Event *message = decoder->message;
    bool ordered = loy_wire_map_order((struct loy_wire_map_entry **)message->attributes, &message->n_attributes);
    if (message->kind_case == LOYALTY__V1__EVENT__KIND_MEMBER_CHANGE &&
        message->member_change->change_case == LOYALTY__V1__MEMBER_CHANGE__CHANGE_SEGMENTS) {
        Loyalty__V1__Segments *segments = message->member_change->segments;
        ordered &= loy_wire_map_order((struct loy_wire_map_entry **)segments->attributes, &segments->n_attributes);
    }
    decoder->notes.canonical = decoder->notes.canonical && ordered;
}

/* The bytes that were read, where they are what our writer would make of the message: most are, and a copy is cheap. */
static enum loy_err encode(struct decoder *decoder, struct loy_str *ret_encoded)
{
    if (decoder->notes.canonical && decoder->bytes_are_ours) {
        *ret_encoded = decoder->bytes;
        return LOY_OK;
    }
    if (!decoder->notes.canonical) {
        if (loy_wire_proto_write(&decoder->message->base, decoder->arena, ret_encoded)) {
            return loy_error_set(decoder->error, LOY_ERR_NO_MEMORY, "the arena is full");
        }
        return LOY_OK;
    }
    struct loy_str copy = loy_str_copy(decoder->arena, decoder->bytes);
    if (!copy.at) {
        return loy_error_set(decoder->error, LOY_ERR_NO_MEMORY, "the arena is full");
    }
    *ret_encoded = copy;
    return LOY_OK;
}

static enum loy_err finish(struct decoder *decoder, struct loy_event *ret_event)
{
    enum loy_err err = complete(decoder);
    if (!err) {
        err = check_kind(decoder);
    }
    if (!err) {
        err = check_envelope(decoder);
    }
    if (err) {
        return err;
    }
    order_maps(decoder);
    struct loy_str encoded;
    err = encode(decoder, &encoded);
    if (err) {
        return err;
    }
    err = loy_wire_fill(decoder->message, decoder->arena, ret_event, decoder->error);
    if (err) {
        return err;
    }
    ret_event->encoded = encoded;
    return LOY_OK;
}

/* Into the arena first, which what comes of it has to lie in anyway. */
static bool read_usual(struct decoder *decoder, struct loy_str bytes, struct loy_event *ret_event)
{
    struct loy_arena_mark mark = loy_arena_mark(decoder->arena);
    struct loy_str copy = loy_str_copy(decoder->arena, bytes);
    if (copy.at && loy_wire_usual_read(copy, decoder->arena, ret_event)) {
        return true;
    }
    loy_arena_reset_to(decoder->arena, mark);
    return false;
}

static enum loy_err decode(struct decoder *decoder, const struct loy_record *record, struct loy_event *ret_event)
{
    if (!record->has_value || record->value.len == 0) {
        return loy_error_set(decoder->error, LOY_ERR_MALFORMED, "empty");
    }
    if (record->value.len > LOY_EVENT_BYTES_MAX) {
        return loy_error_set(decoder->error, LOY_ERR_TOO_LARGE, "%zu bytes, at most %d", record->value.len,
                             LOY_EVENT_BYTES_MAX);
    }
    struct loy_wire_envelope envelope;
    enum loy_err err = loy_wire_open(record, &envelope, decoder->error);
    if (err) {
        return err;
    }
    if (!envelope.json && read_usual(decoder, envelope.bytes, ret_event)) {
        return LOY_OK; /* all that a CloudEvent could add is there */
    }
    decoder->cloudevent = envelope.cloudevent;
    err = envelope.json ? read_json(decoder, envelope.bytes, true, envelope.structured)
                        : read_proto(decoder, envelope.bytes);
    return err ? err : finish(decoder, ret_event);
}

enum loy_err loy_wire_decode_in(const struct loy_record *record, bool internal, struct loy_arena *arena,
                                struct loy_arena *scratch, struct loy_event *ret_event, struct loy_error *error)
{
    struct loy_arena_mark mark = loy_arena_mark(arena);
    struct decoder decoder = {.arena = arena, .scratch = scratch, .error = error, .internal = internal};
    enum loy_err err = decode(&decoder, record, ret_event);
    if (err) {
        loy_arena_reset_to(arena, mark);
    }
    return err;
}

enum loy_err loy_wire_decode(const struct loy_record *record, bool internal, struct loy_arena *arena,
                             struct loy_event *ret_event, struct loy_error *error)
{
    return loy_wire_decode_in(record, internal, arena, arena, ret_event, error);
}

enum loy_err loy_wire_event_decode(struct loy_str encoded, struct loy_arena *arena, struct loy_event *ret_event,
                                   struct loy_error *error)
{
    struct loy_arena_mark mark = loy_arena_mark(arena);
    struct decoder decoder = {.arena = arena, .scratch = arena, .error = error, .internal = true};
    enum loy_err err = read_proto(&decoder, encoded);
    if (!err) {
        err = finish(&decoder, ret_event);
    }
    if (!err) {
        return LOY_OK;
    }
    loy_arena_reset_to(arena, mark);
    if (err == LOY_ERR_NO_MEMORY) {
        return err;
    }
    struct loy_error why = error ? *error : (struct loy_error){.code = err};
    return loy_error_set(error, LOY_ERR_CORRUPT, "stored event: %.400s", why.detail);
}
