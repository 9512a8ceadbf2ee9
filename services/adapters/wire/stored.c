#include "adapters/wire/json.h"
#include "adapters/wire/proto.h"
#include "adapters/wire/wire.h"

#include "loyalty/v1/event.pb-c.h"
#include "loyalty/v1/trace.pb-c.h"
#include "loyalty/v1/update.pb-c.h"

/* Stored bytes that do not read as what we wrote are not their sender's fault. */
static enum loy_err corrupt(enum loy_err err, const char *what, struct loy_error *error)
{
    if (err == LOY_ERR_NO_MEMORY) {
        return err;
    }
    struct loy_error why = error ? *error : (struct loy_error){.code = err};
    return loy_error_set(error, LOY_ERR_CORRUPT, "stored %s: %.400s", what, why.detail);
}

enum loy_err loy_wire_trace_decode(struct loy_str encoded, struct loy_arena *arena, struct loy_wire_trace *ret_trace,
                                   struct loy_error *error)
{
    ProtobufCMessage *message;
    enum loy_err err =
        loy_wire_proto_read(&loyalty__v1__trace__descriptor, NULL, encoded, arena, arena, NULL, &message, error);
    if (err) {
        return corrupt(err, "trace", error);
    }
    const Loyalty__V1__Trace *trace = (const Loyalty__V1__Trace *)message;
    struct loy_rule_trace *rules = LOY_NEW_ARRAY(arena, struct loy_rule_trace, trace->n_rules);
    if (!rules) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "the arena is full");
    }
    for (size_t i = 0; i < trace->n_rules; i++) {
        const Loyalty__V1__RuleTrace *rule = trace->rules[i];
        rules[i] = (struct loy_rule_trace){
            .rule = rule->rule,
            .wanted = rule->wanted,
            .granted = rule->granted,
            .eligible_minor = rule->eligible_minor,
            .reason = rule->reason,
            .lines = rule->n_lines ? rule->lines : NULL,
            .line_count = (uint32_t)rule->n_lines,
            .detail = loy_str(rule->detail),
            .missing = rule->missing,
            .left = rule->left,
            .multiplier = rule->multiplier,
        };
    }
    *ret_trace = (struct loy_wire_trace){
        .rules = rules,
        .rule_count = (uint32_t)trace->n_rules,
        .advanced = trace->advanced,
        .late = trace->late,
        .enrolled = trace->enrolled,
    };
    return LOY_OK;
}

enum loy_err loy_wire_to_json(enum loy_wire_message message, struct loy_str encoded, struct loy_arena *arena,
                              struct loy_str *ret_json, struct loy_error *error)
{
    static const struct {
        const ProtobufCMessageDescriptor *descriptor;
        const char *name;
    } known[] = {
        [LOY_WIRE_EVENT] = {&loyalty__v1__event__descriptor, "event"},
        [LOY_WIRE_TRACE] = {&loyalty__v1__trace__descriptor, "trace"},
        [LOY_WIRE_UPDATE] = {&loyalty__v1__update__descriptor, "update"},
        [LOY_WIRE_OUTCOME] = {&loyalty__v1__outcome__descriptor, "outcome"},
    };
    ProtobufCMessage *read;
    enum loy_err err = loy_wire_proto_read(known[message].descriptor, NULL, encoded, arena, arena, NULL, &read, error);
    if (err) {
        return corrupt(err, known[message].name, error);
    }
    struct loy_arena_mark mark = loy_arena_mark(arena);
    struct loy_buf buf;
    loy_buf_init(&buf, arena, 1024);
    loy_wire_json_write(read, LOY_WIRE_PROTO_NAMES, &buf);
    if (buf.failed) {
        loy_arena_reset_to(arena, mark);
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "the arena is full, or a moment is outside the years 1 to 9999");
    }
    *ret_json = loy_buf_str(&buf);
    return LOY_OK;
}
