#include "adapters/wire/field.h"
#include "adapters/wire/json.h"
#include "adapters/wire/proto.h"
#include "adapters/wire/put.h"
#include "adapters/wire/wire.h"
#include "base/calendar.h"

#include <inttypes.h>
#include <stdio.h>

#include "loyalty/v1/event.pb-c.h"
#include "loyalty/v1/update.pb-c.h"

/* What a message is built with: the first thing that does not fit stays remembered. */
struct maker {
    struct loy_arena *arena;
    bool failed;
};

/* One message in the arena, with its defaults; NULL when it does not fit. */
static void *make_message(struct maker *maker, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = loy_wire_message_new(descriptor, maker->arena);
    maker->failed = maker->failed || !message;
    return message;
}

/* A text for protobuf-c; NULL, which is absent, for the empty one. */
static char *text_of(struct maker *maker, struct loy_str text)
{
    if (text.len == 0) {
        return NULL;
    }
    char *copy = loy_str_dup_z(maker->arena, text);
    maker->failed = maker->failed || !copy;
    return copy;
}

/* Ours, and constant: protobuf-c's structs just do not say const. */
static char *constant(const char *text)
{
    return (char *)(uintptr_t)text;
}

static Google__Protobuf__Timestamp *moment_of(struct maker *maker, int64_t moment_us)
{
    Google__Protobuf__Timestamp *moment = make_message(maker, &google__protobuf__timestamp__descriptor);
    if (!moment) {
        return NULL;
    }
    moment_us = moment_us < LOY_MOMENT_MIN ? LOY_MOMENT_MIN : moment_us > LOY_MOMENT_MAX ? LOY_MOMENT_MAX : moment_us;
    int64_t part = moment_us % LOY_US_PER_SECOND;
    part += part < 0 ? LOY_US_PER_SECOND : 0;
    moment->seconds = (moment_us - part) / LOY_US_PER_SECOND;
    moment->nanos = (int32_t)part * 1000;
    return moment;
}

static enum loy_err put(struct maker *maker, const ProtobufCMessage *message, bool json, struct loy_str *ret_bytes)
{
    if (maker->failed) {
        return LOY_ERR_NO_MEMORY;
    }
    if (!json) {
        return loy_wire_proto_write(message, maker->arena, ret_bytes);
    }
    struct loy_buf buf;
    loy_buf_init(&buf, maker->arena, 1024);
    loy_wire_json_write(message, LOY_WIRE_PROTO_NAMES, &buf);
    if (buf.failed) {
        return LOY_ERR_NO_MEMORY;
    }
    *ret_bytes = loy_buf_str(&buf);
    return LOY_OK;
}

enum loy_err loy_wire_encode_outcome(const struct loy_wire_outcome *outcome, bool json, struct loy_arena *arena,
                                     struct loy_str *ret_bytes)
{
    struct maker maker = {arena, false};
    Loyalty__V1__Outcome message = LOYALTY__V1__OUTCOME__INIT;
    message.topic = text_of(&maker, outcome->topic);
    message.has_partition = message.has_offset = true;
    message.partition = outcome->partition;
    message.offset = outcome->offset;
    message.outcome = text_of(&maker, outcome->outcome);
    message.detail = text_of(&maker, outcome->detail);
    message.source = text_of(&maker, outcome->source);
    message.event_id = text_of(&maker, outcome->event_id);
    return put(&maker, &message.base, json, ret_bytes);
}

enum loy_err loy_wire_encode_tick(struct loy_str member_id, int64_t due_at_us, struct loy_arena *arena,
                                  struct loy_str *ret_bytes)
{
    struct maker maker = {arena, false};
    Loyalty__V1__Event message = LOYALTY__V1__EVENT__INIT;
    Loyalty__V1__Tick tick = LOYALTY__V1__TICK__INIT;
    char event_id[32];
    snprintf(event_id, sizeof event_id, "tick-%" PRId64, due_at_us);
    message.event_id = event_id;
    message.source = constant("loyald");
    message.member_id = text_of(&maker, member_id);
    message.occurred_at = tick.due_at = moment_of(&maker, due_at_us);
    message.tick = &tick;
    return put(&maker, &message.base, false, ret_bytes);
}

LOY_WIRE_EACH_FORM void put_rule(struct loy_wire_put *put, const struct loy_rule_trace *rule)
{
    loy_wire_put_i32(put, LOY_WIRE_NAME(1, "rule"), rule->rule);
    loy_wire_put_i64(put, LOY_WIRE_NAME(2, "wanted"), rule->wanted);
    loy_wire_put_i64(put, LOY_WIRE_NAME(3, "granted"), rule->granted);
    loy_wire_put_i64(put, LOY_WIRE_NAME(4, "eligible_minor"), rule->eligible_minor);
    if (rule->reason) {
        loy_wire_put_text(put, LOY_WIRE_NAME(5, "reason"), loy_str(rule->reason));
    }
    if (rule->lines) {
        loy_wire_put_packed(put, LOY_WIRE_NAME(6, "lines"), rule->lines, rule->line_count);
    }
    loy_wire_put_text(put, LOY_WIRE_NAME(7, "detail"), rule->detail);
    if (rule->missing) {
        loy_wire_put_i64(put, LOY_WIRE_NAME(8, "missing"), rule->missing);
    }
    if (rule->left) {
        loy_wire_put_i64(put, LOY_WIRE_NAME(9, "left"), rule->left);
    }
    if (rule->multiplier) {
        loy_wire_put_i64(put, LOY_WIRE_NAME(10, "multiplier"), rule->multiplier);
    }
}

enum loy_err loy_wire_encode_trace(const struct loy_effects *effects, bool enrolled, struct loy_arena *arena,
                                   struct loy_str *ret_bytes)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena, 512);
    struct loy_wire_put put = loy_wire_put_begin(&buf, false);
    struct loy_wire_name rules = LOY_WIRE_NAME(1, "rules");
    for (uint32_t i = 0; i < effects->rule_count; i++) {
        struct loy_wire_nest rule = loy_wire_put_open_element(&put, rules, i == 0);
        put_rule(&put, &effects->rules[i]);
        loy_wire_put_close(&put, rule);
    }
    if (effects->advanced > 0) {
        loy_wire_put_i64(&put, LOY_WIRE_NAME(2, "advanced"), effects->advanced);
    }
    if (effects->late) {
        loy_wire_put_i32(&put, LOY_WIRE_NAME(3, "late"), true);
    }
    if (enrolled) {
        loy_wire_put_i32(&put, LOY_WIRE_NAME(4, "enrolled"), true);
    }
    loy_wire_put_end(&put);
    if (buf.failed) {
        return LOY_ERR_NO_MEMORY;
    }
    *ret_bytes = loy_buf_finish(&buf);
    return LOY_OK;
}
