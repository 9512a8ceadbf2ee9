#include "cel/machine.h"
#include "cel/functions.h"

/* --- names ------------------------------------------------------------------------------------------------------- */

LOY_CEL_INLINE void step_CONST(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    loy_cel_push(m, m->constants[at->c]);
}

LOY_CEL_INLINE void push_slot(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at,
                              struct loy_cel_value value, uint32_t record, uint32_t field)
{
    if (LOY_CEL_UNLIKELY(value.kind <= LOY_CEL_ABSENT)) {
        loy_cel_raise(m, at, loy_cel_absence(record, field));
        return;
    }
    loy_cel_push(m, value);
}

LOY_CEL_INLINE void step_VAR(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    push_slot(m, at, m->variables[at->c], UINT32_MAX, at->c);
}

LOY_CEL_INLINE bool is_record(struct loy_cel_value value, uint32_t c)
{
    return value.kind == LOY_CEL_RECORD && value.len == c >> 16;
}

LOY_CEL_INLINE void step_VAR_FIELD(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = m->variables[at->b];
    if (LOY_CEL_UNLIKELY(!is_record(value, at->c))) {
        loy_cel_raise_no_record(m, at, value, at->b);
        return;
    }
    push_slot(m, at, value.as.items[at->c & 0xffff], at->c >> 16, at->c & 0xffff);
}

LOY_CEL_INLINE void step_VAR_HAS(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = m->variables[at->b];
    if (LOY_CEL_UNLIKELY(!is_record(value, at->c))) {
        loy_cel_raise_no_record(m, at, value, at->b);
        return;
    }
    loy_cel_push(m, loy_cel_bool(value.as.items[at->c & 0xffff].kind > LOY_CEL_ABSENT));
}

LOY_CEL_INLINE void step_LOCAL(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    loy_cel_push(m, m->locals[at->c]);
}

LOY_CEL_INLINE void step_STORE(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    m->locals[at->c] = *--m->sp;
}

LOY_CEL_INLINE void step_FIELD(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp;
    if (LOY_CEL_UNLIKELY(!is_record(value, at->c))) {
        loy_cel_raise_no_record(m, at, value, 0);
        return;
    }
    push_slot(m, at, value.as.items[at->c & 0xffff], at->c >> 16, at->c & 0xffff);
}

LOY_CEL_INLINE void step_FIELD_HAS(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp;
    if (LOY_CEL_UNLIKELY(!is_record(value, at->c))) {
        loy_cel_raise_no_record(m, at, value, 0);
        return;
    }
    loy_cel_push(m, loy_cel_bool(value.as.items[at->c & 0xffff].kind > LOY_CEL_ABSENT));
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

LOY_CEL_INLINE void push_truth(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, bool truth)
{
    struct loy_cel_value left = m->sp[-2], right = m->sp[-1];
    m->sp -= 2;
    loy_cel_push(m, loy_cel_bool(truth));
    if (at->b && m->run->trace) {
        loy_cel_record_clause(m, at->b, left, right, m->sp[-1]);
    }
}

LOY_CEL_INLINE bool are_ints(const struct loy_cel_machine_state *m)
{
    return m->sp[-2].kind == LOY_CEL_INT && m->sp[-1].kind == LOY_CEL_INT;
}

LOY_CEL_INLINE bool are_texts(const struct loy_cel_machine_state *m)
{
    return m->sp[-2].kind == LOY_CEL_STRING && m->sp[-1].kind == LOY_CEL_STRING && m->sp[-2].len <= 64;
}

#define COMPARISON(OP, builtin, sign)                                                                                  \
    LOY_CEL_INLINE void step_##OP(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)               \
    {                                                                                                                  \
        if (are_ints(m)) {                                                                                             \
            push_truth(m, at, m->sp[-2].as.i sign m->sp[-1].as.i);                                                     \
            return;                                                                                                    \
        }                                                                                                              \
        loy_cel_step_binary(m, at, builtin);                                                                           \
    }
COMPARISON(LT, LOY_CEL_FN_lt, <)
COMPARISON(LE, LOY_CEL_FN_le, <=)
COMPARISON(GT, LOY_CEL_FN_gt, >)
COMPARISON(GE, LOY_CEL_FN_ge, >=)

#define EQUALITY(OP, builtin, is_equal)                                                                                \
    LOY_CEL_INLINE void step_##OP(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)               \
    {                                                                                                                  \
        if (are_ints(m)) {                                                                                             \
            push_truth(m, at, (m->sp[-2].as.i == m->sp[-1].as.i) == (is_equal));                                       \
        } else if (are_texts(m)) {                                                                                     \
            push_truth(m, at, loy_str_equal(loy_cel_text(m->sp[-2]), loy_cel_text(m->sp[-1])) == (is_equal));          \
        } else {                                                                                                       \
            loy_cel_step_binary(m, at, builtin);                                                                       \
        }                                                                                                              \
    }
EQUALITY(EQ, LOY_CEL_FN_eq, true)
EQUALITY(NE, LOY_CEL_FN_ne, false)

#define ARITHMETIC(OP, builtin, overflows)                                                                             \
    LOY_CEL_INLINE void step_##OP(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)               \
    {                                                                                                                  \
        int64_t result;                                                                                                \
        if (are_ints(m) && !overflows(m->sp[-2].as.i, m->sp[-1].as.i, &result)) {                                      \
            m->sp--;                                                                                                   \
            m->sp[-1].as.i = result;                                                                                   \
            return;                                                                                                    \
        }                                                                                                              \
        loy_cel_step_binary(m, at, builtin);                                                                           \
    }
ARITHMETIC(ADD, LOY_CEL_FN_add, __builtin_add_overflow)
ARITHMETIC(SUB, LOY_CEL_FN_sub, __builtin_sub_overflow)
ARITHMETIC(MUL, LOY_CEL_FN_mul, __builtin_mul_overflow)

LOY_CEL_INLINE void step_CLAUSE(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    if (m->run->trace) {
        loy_cel_record_clause(m, at->b, m->sp[-1], loy_cel_absent(), m->sp[-1]);
    }
}

/* --- logic ------------------------------------------------------------------------------------------------------- */

LOY_CEL_INLINE void step_JUMP(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    m->pc = m->code + at->c;
}

LOY_CEL_INLINE void step_JUMP_IF_FALSE(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    if (m->sp[-1].kind == LOY_CEL_BOOL && !m->sp[-1].as.i) {
        m->pc = m->code + at->c;
    }
}

LOY_CEL_INLINE void step_JUMP_IF_TRUE(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    if (m->sp[-1].kind == LOY_CEL_BOOL && m->sp[-1].as.i) {
        m->pc = m->code + at->c;
    }
}

LOY_CEL_INLINE bool both_are(const struct loy_cel_machine_state *m, bool truth)
{
    return m->sp[-2].kind == LOY_CEL_BOOL && m->sp[-1].kind == LOY_CEL_BOOL && (m->sp[-2].as.i != 0) == truth;
}

LOY_CEL_INLINE void step_AND(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    if (both_are(m, true)) {
        m->sp--;
        m->sp[-1] = m->sp[0];
        return;
    }
    loy_cel_step_combine(m, at, false);
}

LOY_CEL_INLINE void step_OR(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    if (both_are(m, false)) {
        m->sp--;
        m->sp[-1] = m->sp[0];
        return;
    }
    loy_cel_step_combine(m, at, true);
}

LOY_CEL_INLINE void step_BRANCH(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp;
    if (LOY_CEL_UNLIKELY(value.kind != LOY_CEL_BOOL)) {
        m->pc = m->code + at->b;
        if (value.kind == LOY_CEL_ERROR) {
            loy_cel_push(m, value);
        } else {
            loy_cel_raise(m, at, loy_cel_no_overload());
        }
    } else if (!value.as.i) {
        m->pc = m->code + at->c;
    }
}

/* --- loops ------------------------------------------------------------------------------------------------------- */

/* Takes what the body gave into the result; true: the loop is decided. */
static bool take_truth(struct loy_cel_value value, struct loy_cel_value *result, bool deciding)
{
    if (value.kind == LOY_CEL_BOOL) {
        if ((value.as.i != 0) == deciding) {
            *result = value;
            return true;
        }
        return false;
    }
    if (result->kind != LOY_CEL_ERROR) {
        *result = value.kind == LOY_CEL_ERROR ? value : loy_cel_no_overload();
    }
    return false;
}

static bool take_one(struct loy_cel_value value, struct loy_cel_value *result)
{
    if (value.kind != LOY_CEL_BOOL) {
        *result = value.kind == LOY_CEL_ERROR ? value : loy_cel_no_overload();
        return true;
    }
    result->as.i += value.as.i;
    return false;
}

static bool take_item(struct loy_cel_value value, struct loy_cel_value *result)
{
    if (value.kind == LOY_CEL_ERROR) {
        *result = value;
        return true;
    }
    if (value.kind != LOY_CEL_ABSENT) { /* what a filter leaves out */
        struct loy_cel_value *items = (struct loy_cel_value *)(uintptr_t)result->as.items;
        items[result->len++] = value;
    }
    return false;
}

LOY_CEL_INLINE bool take(unsigned loop, struct loy_cel_value value, struct loy_cel_value *result)
{
    switch (loop) {
    case LOY_CEL_LOOP_ALL:
        return take_truth(value, result, false);
    case LOY_CEL_LOOP_EXISTS:
        return take_truth(value, result, true);
    case LOY_CEL_LOOP_EXISTS_ONE:
        return take_one(value, result);
    default:
        return take_item(value, result);
    }
}

LOY_CEL_INLINE void step_NEXT(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value *locals = m->locals + at->b;
    struct loy_cel_value *result = &locals[LOY_CEL_LOOP_RESULT], range = locals[LOY_CEL_LOOP_RANGE];
    bool decided = take(at->a, *--m->sp, result);
    uint64_t next = ++locals[LOY_CEL_LOOP_INDEX].as.u;
    if (decided || next >= range.len) {
        struct loy_cel_value value = *result;
        if (at->a == LOY_CEL_LOOP_EXISTS_ONE && value.kind == LOY_CEL_INT) {
            value = loy_cel_bool(value.as.i == 1);
        }
        loy_cel_push(m, value);
        return;
    }
    const struct loy_cel_instruction *body = m->code + at->c;
    if (LOY_CEL_UNLIKELY(!loy_cel_charge(m->run, (uint64_t)(m->pc - body)))) {
        loy_cel_raise(m, at, loy_cel_no_fuel());
        return;
    }
    locals[LOY_CEL_LOOP_ITEM] = loy_cel_element(range, next);
    m->pc = body;
}

/* Not called: the dispatch below returns. */
LOY_CEL_INLINE void step_RETURN(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    (void)m;
    (void)at;
}

/* --- what steps.c does ------------------------------------------------------------------------------------------- */

#define ELSEWHERE(OP, function)                                                                                        \
    LOY_CEL_INLINE void step_##OP(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)               \
    {                                                                                                                  \
        function;                                                                                                      \
    }
ELSEWHERE(SELECT, loy_cel_step_select(m, at))
ELSEWHERE(HAS, loy_cel_step_has(m, at))
ELSEWHERE(CALL, loy_cel_step_call(m, at, at->a, at->b))
ELSEWHERE(BINARY, loy_cel_step_binary(m, at, at->a))
ELSEWHERE(HOST, loy_cel_step_host(m, at))
ELSEWHERE(MATCH, loy_cel_step_match(m, at))
ELSEWHERE(LIST, loy_cel_step_list(m, at))
ELSEWHERE(MAP, loy_cel_step_map(m, at))
ELSEWHERE(LOOP, loy_cel_step_loop(m, at))
ELSEWHERE(RAISE, loy_cel_step_raise(m, at))

static struct loy_cel_value dispatch(struct loy_cel_machine_state m)
{
    for (;;) {
        const struct loy_cel_instruction *at = m.pc++;
        if (at->op == LOY_CEL_OP_RETURN) {
            return m.sp[-1];
        }
        switch ((enum loy_cel_op)at->op) {
#define LOY_CEL_OP_CASE(op, pops, pushes)                                                                              \
    case LOY_CEL_OP_##op:                                                                                              \
        step_##op(&m, at);                                                                                             \
        break;
            LOY_CEL_OP_TABLE(LOY_CEL_OP_CASE)
#undef LOY_CEL_OP_CASE
        case LOY_CEL_OP_COUNT:
            __builtin_unreachable();
        }
    }
}

struct loy_cel_value loy_cel_machine(struct loy_cel_run *run, uint32_t start)
{
    const struct loy_cel_program *program = run->program;
    size_t cells = (size_t)program->local_count + program->stack_depth;
    struct loy_cel_value *frame = loy_arena_alloc(run->arena, cells * sizeof *frame);
    if (!frame) {
        return loy_cel_exhausted();
    }
    for (uint32_t i = 0; i < program->local_count; i++) {
        frame[i] = loy_cel_absent();
    }
    if (!loy_cel_charge(run, program->code_count - start)) {
        return loy_cel_no_fuel();
    }
    return dispatch((struct loy_cel_machine_state){run, program->code + start, frame + program->local_count, frame,
                                                   program->constants, program->code, run->variables});
}
