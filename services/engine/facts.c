#include "engine/facts_fill.h"
#include "engine/traits.h"

#include <assert.h>

enum { EXPLANATION_BYTES = 128, EXPLANATION_BYTES_MAX = 400 };

struct loy_cel_value loy_facts_text(struct loy_str text)
{
    return text.len ? loy_cel_string(text) : loy_cel_absent();
}

struct loy_cel_value *loy_facts_slots(struct loy_facts *facts, size_t count)
{
    static const struct loy_cel_value absent = {.kind = LOY_CEL_ABSENT};
    struct loy_cel_value *slots = loy_arena_alloc(facts->arena, count * sizeof *slots);
    if (!slots) {
        facts->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        slots[i] = absent;
    }
    return slots;
}

void loy_facts_fill_once(struct loy_facts *facts, enum loy_facts_group group, loy_facts_fill_fn *fill)
{
    if (!(facts->filled & 1u << (group + 16))) { /* the lower half tells what C code has computed */
        facts->filled |= 1u << (group + 16);
        fill(facts);
    }
}

/* A record for each variable, all of its fields absent: one block, since most conditions look at several. */
static bool open_records(struct loy_facts *facts)
{
    const struct loy_facts_env *env = facts->programme->facts;
    const uint32_t *ids = env->records;
    if (facts->variables) {
        return true;
    }
    assert(env->absent_count == LOY_FACTS_MEMBER_AT + LOY_FACT_MEMBER_COUNT + facts->programme->fact_window_count);
    struct loy_cel_value *v = loy_arena_copy(facts->arena, env->absent, env->absent_count * sizeof *v);
    facts->failed = facts->failed || !v;
    if (!v) {
        return false;
    }
    facts->variables = v;
    facts->event_slots = v + LOY_FACTS_EVENT_AT;
    facts->store_slots = v + LOY_FACTS_STORE_AT;
    facts->purchase_slots = v + LOY_FACTS_PURCHASE_AT;
    facts->activity_slots = v + LOY_FACTS_ACTIVITY_AT;
    facts->feedback_slots = v + LOY_FACTS_FEEDBACK_AT;
    facts->member_slots = v + LOY_FACTS_MEMBER_AT;
    v[LOY_FACTS_VARIABLE_EVENT] = loy_cel_record(ids[LOY_FACTS_RECORD_EVENT], facts->event_slots);
    v[LOY_FACTS_VARIABLE_STORE] = loy_cel_record(ids[LOY_FACTS_RECORD_STORE], facts->store_slots);
    v[LOY_FACTS_VARIABLE_PURCHASE] = loy_cel_record(ids[LOY_FACTS_RECORD_PURCHASE], facts->purchase_slots);
    v[LOY_FACTS_VARIABLE_ACTIVITY] = loy_cel_record(ids[LOY_FACTS_RECORD_ACTIVITY], facts->activity_slots);
    v[LOY_FACTS_VARIABLE_FEEDBACK] = loy_cel_record(ids[LOY_FACTS_RECORD_FEEDBACK], facts->feedback_slots);
    v[LOY_FACTS_VARIABLE_MEMBER] = loy_cel_record(ids[LOY_FACTS_RECORD_MEMBER], facts->member_slots);
    return true;
}

/* --- what a program needs ---------------------------------------------------------------------------------------- */

static enum loy_err fill_needs(struct loy_facts *facts, const struct loy_cel_program *program)
{
    size_t count;
    const struct loy_cel_need *needs = loy_cel_program_needs(program, &count);
    if (!open_records(facts)) {
        return LOY_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        int32_t field = needs[i].record < 0 ? -1 : needs[i].field;
        switch (needs[i].variable) {
        case LOY_FACTS_VARIABLE_EVENT:
            loy_facts_fill_event(facts, field);
            break;
        case LOY_FACTS_VARIABLE_STORE:
            loy_facts_fill_store(facts);
            break;
        case LOY_FACTS_VARIABLE_PURCHASE:
            loy_facts_fill_purchase(facts, field);
            break;
        case LOY_FACTS_VARIABLE_ACTIVITY:
            loy_facts_fill_activity(facts);
            break;
        case LOY_FACTS_VARIABLE_FEEDBACK:
            loy_facts_fill_feedback(facts);
            break;
        case LOY_FACTS_VARIABLE_MEMBER:
            loy_facts_fill_member(facts, field);
            break;
        default: /* fields of records inside records come with them */
            break;
        }
    }
    return facts->failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}

/* --- evaluation -------------------------------------------------------------------------------------------------- */

/* An event's own text may be long: an explanation is cut, at the end of a code point. */
static enum loy_err take_text(struct loy_buf *buf, struct loy_str *ret_detail)
{
    struct loy_str text = loy_buf_str(buf);
    if (text.len > EXPLANATION_BYTES_MAX) {
        text.len = EXPLANATION_BYTES_MAX;
        while (text.len > 0 && (text.at[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }
    *ret_detail = text;
    return buf->failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}

/* Out of fuel is the condition's fault, out of memory the machine's: that must not decide anything. */
static bool out_of_memory(struct loy_cel_value value, uint64_t fuel)
{
    return value.kind == LOY_CEL_ERROR && value.fault == LOY_CEL_FAULT_BUDGET && fuel > 0;
}

static enum loy_err say_error(const struct loy_facts *facts, const struct loy_cel_program *program,
                              struct loy_cel_value value, enum loy_reason *ret_reason, struct loy_str *ret_detail)
{
    struct loy_buf buf;
    loy_buf_init(&buf, facts->arena, EXPLANATION_BYTES);
    loy_cel_error_print(program, value, &buf);
    *ret_reason = value.fault == LOY_CEL_FAULT_ABSENT ? LOY_REASON_UNKNOWN_FACT : LOY_REASON_CONDITION_ERROR;
    return take_text(&buf, ret_detail);
}

enum loy_err loy_facts_condition(struct loy_facts *facts, const struct loy_cel_program *when,
                                 enum loy_reason *ret_reason, struct loy_str *ret_detail)
{
    struct loy_cel_trace trace;
    struct loy_buf buf;
    uint64_t fuel = LOY_FACTS_FUEL;
    enum loy_err err = fill_needs(facts, when);
    if (err) {
        return err;
    }
    trace.evaluated = 0;
    struct loy_cel_value value = loy_cel_eval_traced(when, facts->variables, facts->arena, &fuel, &trace);
    if (out_of_memory(value, fuel)) {
        return LOY_ERR_NO_MEMORY;
    }
    if (value.kind != LOY_CEL_BOOL) {
        return say_error(facts, when, value, ret_reason, ret_detail);
    }
    *ret_reason = value.as.i ? LOY_REASON_NONE : LOY_REASON_CONDITION;
    loy_buf_init(&buf, facts->arena, EXPLANATION_BYTES);
    loy_cel_explain(when, value, &trace, &buf);
    return take_text(&buf, ret_detail);
}

enum loy_err loy_facts_formula(struct loy_facts *facts, const struct loy_cel_program *amount, int64_t *ret_amount,
                               enum loy_reason *ret_reason, struct loy_str *ret_detail)
{
    uint64_t fuel = LOY_FACTS_FUEL;
    enum loy_err err = fill_needs(facts, amount);
    if (err) {
        return err;
    }
    struct loy_cel_value value = loy_cel_eval(amount, facts->variables, facts->arena, &fuel);
    if (out_of_memory(value, fuel)) {
        return LOY_ERR_NO_MEMORY;
    }
    *ret_reason = LOY_REASON_NONE;
    *ret_amount = value.kind == LOY_CEL_INT ? value.as.i : 0;
    return value.kind == LOY_CEL_INT ? LOY_OK : say_error(facts, amount, value, ret_reason, ret_detail);
}

enum loy_err loy_facts_segments(struct loy_facts *facts, uint64_t *ret_segments)
{
    const struct loy_programme *programme = facts->programme;
    for (uint32_t i = 0; !facts->segments_known && i < programme->segment_count; i++) {
        uint64_t fuel = LOY_FACTS_FUEL;
        if (!programme->segments[i].when) {
            bool in_it = loy_traits_have(facts->account->traits, LOY_TRAIT_SEGMENT, programme->segments[i].id);
            facts->segments |= (uint64_t)in_it << i;
            continue;
        }
        enum loy_err err = fill_needs(facts, programme->segments[i].when);
        if (err) {
            return err;
        }
        struct loy_cel_value value = loy_cel_eval(programme->segments[i].when, facts->variables, facts->arena, &fuel);
        if (out_of_memory(value, fuel)) {
            return LOY_ERR_NO_MEMORY;
        }
        facts->segments |= (uint64_t)(value.kind == LOY_CEL_BOOL && value.as.i) << i;
    }
    facts->segments_known = true;
    *ret_segments = facts->segments;
    return LOY_OK;
}

enum loy_err loy_facts_tell_segment(struct loy_facts *facts, uint32_t segment, struct loy_buf *buf)
{
    const struct loy_segment *row = &facts->programme->segments[segment];
    enum loy_reason ignored;
    struct loy_str words;
    loy_buf_append(buf, row->id);
    if (!row->when || facts->segments_told & UINT64_C(1) << segment || buf->len > EXPLANATION_BYTES_MAX) {
        return LOY_OK;
    }
    facts->segments_told |= UINT64_C(1) << segment;
    enum loy_err err = loy_facts_condition(facts, row->when, &ignored, &words);
    loy_buf_append(buf, err || !words.len ? (struct loy_str){0} : LOY_STR(": "));
    loy_buf_append(buf, err ? (struct loy_str){0} : words);
    return err;
}
