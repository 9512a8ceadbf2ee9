#include "adapters/wire/envelope.h"

#include <strings.h>

enum { FRAME_MAGIC = 0, FRAME_BYTES = 5 }; /* the magic byte and the schema's id */

/* First message of its file: the short form of the list [0]. */
enum { INDEX_OF_FIRST = 0 };

static bool equals_any_case(struct loy_str text, struct loy_str lower)
{
    return text.len == lower.len && strncasecmp(text.at, lower.at, lower.len) == 0;
}

static bool begins_any_case(struct loy_str text, struct loy_str lower)
{
    return text.len >= lower.len && strncasecmp(text.at, lower.at, lower.len) == 0;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct loy_str trim(struct loy_str text)
{
    while (text.len && is_space(text.at[0])) {
        text = (struct loy_str){text.at + 1, text.len - 1};
    }
    while (text.len && is_space(text.at[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* A line feed also begins protobuf: it is the tag of event_id. Then what is "{" in JSON says that the id has 123 bytes,
 * so a quote or an end must follow, and an end at the end. */
static bool is_json(struct loy_str bytes)
{
    if (loy_str_starts_with(bytes, LOY_STR("\xEF\xBB\xBF")) || bytes.at[0] == '{') {
        return true;
    }
    struct loy_str text = trim(bytes);
    if (text.len < 2 || text.at[0] != '{' || text.at == bytes.at || text.at[text.len - 1] != '}') {
        return false;
    }
    struct loy_str inner = trim((struct loy_str){text.at + 1, text.len - 1});
    return inner.at[0] == '"' || inner.at[0] == '}';
}

static enum loy_err open_frame(struct loy_str bytes, struct loy_wire_envelope *envelope, struct loy_error *error)
{
    if (bytes.len <= FRAME_BYTES) {
        return loy_error_set(error, LOY_ERR_MALFORMED, "schema registry's framing, cut off");
    }
    struct loy_str rest = {bytes.at + FRAME_BYTES, bytes.len - FRAME_BYTES};
    if (is_json(rest)) {
        envelope->json = true;
        envelope->bytes = rest;
        return LOY_OK;
    }
    /* [0] is written as one byte 0, or in full: one index, 0. */
    size_t indexes = 1;
    if (rest.len >= 2 && rest.at[0] == 2 && rest.at[1] == 0) {
        indexes = 2;
    } else if (rest.at[0] != INDEX_OF_FIRST) {
        return loy_error_set(error, LOY_ERR_MALFORMED,
                             "schema registry's framing, but not of the first message (Event) of its schema");
    }
    envelope->bytes = (struct loy_str){rest.at + indexes, rest.len - indexes};
    return LOY_OK;
}

enum loy_err loy_wire_open_bytes(struct loy_str bytes, struct loy_wire_envelope *ret_envelope, struct loy_error *error)
{
    struct loy_wire_envelope envelope = {.bytes = bytes};
    if (bytes.len == 0) {
        return loy_error_set(error, LOY_ERR_MALFORMED, "empty");
    }
    if (bytes.at[0] == FRAME_MAGIC) {
        enum loy_err err = open_frame(bytes, &envelope, error);
        if (err) {
            return err;
        }
    } else {
        envelope.json = is_json(bytes);
    }
    if (envelope.json && loy_str_starts_with(envelope.bytes, LOY_STR("\xEF\xBB\xBF"))) {
        envelope.bytes = (struct loy_str){envelope.bytes.at + 3, envelope.bytes.len - 3};
    }
    *ret_envelope = envelope;
    return LOY_OK;
}

enum loy_err loy_wire_check_specversion(struct loy_str version, struct loy_error *error)
{
    if (!loy_str_starts_with(version, LOY_STR("1."))) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "specversion: CloudEvents 1.0 is what is read here");
    }
    return LOY_OK;
}

struct headers {
    struct loy_str content_type;
    struct loy_str specversion;
    struct loy_wire_cloudevent cloudevent;
};

static struct headers read_headers(const struct loy_record *record)
{
    struct headers headers = {0};
    const struct {
        struct loy_str name;
        struct loy_str *value;
    } known[] = {
        {LOY_STR("content-type"), &headers.content_type}, {LOY_STR("ce_specversion"), &headers.specversion},
        {LOY_STR("ce_id"), &headers.cloudevent.id},       {LOY_STR("ce_source"), &headers.cloudevent.source},
        {LOY_STR("ce_time"), &headers.cloudevent.time},
    };
    for (uint32_t i = 0; i < record->header_count; i++) {
        const struct loy_header *header = &record->headers[i];
        for (size_t j = 0; j < sizeof known / sizeof *known; j++) {
            if (header->value.at && equals_any_case(header->name, known[j].name)) {
                *known[j].value = header->value;
            }
        }
    }
    return headers;
}

enum loy_err loy_wire_open(const struct loy_record *record, struct loy_wire_envelope *ret_envelope,
                           struct loy_error *error)
{
    struct loy_wire_envelope envelope;
    enum loy_err err = loy_wire_open_bytes(record->value, &envelope, error);
    if (err || record->header_count == 0) {
        if (!err) {
            *ret_envelope = envelope;
        }
        return err;
    }
    struct headers headers = read_headers(record);
    if (begins_any_case(headers.content_type, LOY_STR("application/cloudevents"))) {
        if (!begins_any_case(headers.content_type, LOY_STR("application/cloudevents+json"))) {
            return loy_error_set(error, LOY_ERR_MALFORMED,
                                 "content-type: of CloudEvents, only the binary mode and application/cloudevents+json "
                                 "are read here");
        }
        envelope.json = true;
        envelope.structured = true;
    } else if (headers.specversion.at) {
        err = loy_wire_check_specversion(headers.specversion, error);
        if (err) {
            return err;
        }
        envelope.cloudevent = headers.cloudevent;
    }
    if (begins_any_case(headers.content_type, LOY_STR("application/json"))) {
        envelope.json = true;
    }
    *ret_envelope = envelope;
    return LOY_OK;
}
