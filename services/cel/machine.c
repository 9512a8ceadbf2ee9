#include "cel/functions.h"
#include "cel/program.h"

#include <assert.h>

#define INLINE static inline __attribute__((always_inline))
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Registers. Everything below is inlined into one function, so they stay in the processor's. */
struct machine {
    struct loy_cel_run *run;
    const struct loy_cel_instruction *pc; /* the next one */
    struct loy_cel_value *sp;             /* behind the top of the stack */
    struct loy_cel_value *locals;         /* the stack stands behind them */
    const struct loy_cel_value *constants;
    const struct loy_cel_instruction *code;
    const struct loy_cel_value *variables;
};

INLINE void push(struct machine *m, struct loy_cel_value value)
{
    *m->sp++ = value;
}

/* Puts an error on the stack, with its place; one of the budget ends the run. */
static void raise(struct machine *m, const struct loy_cel_instruction *at, struct loy_cel_value error)
{
    static const struct loy_cel_instruction halt = {.op = LOY_CEL_OP_RETURN};
    error.len = m->run->program->places[at - m->code];
    push(m, error);
    if (error.fault == LOY_CEL_FAULT_BUDGET) {
        m->pc = &halt;
    }
}

/* Pushes what a function returned. */
INLINE void push_result(struct machine *m, const struct loy_cel_instruction *at, struct loy_cel_value value)
{
    if (UNLIKELY(value.kind <= LOY_CEL_ABSENT)) {
        raise(m, at, value);
        return;
    }
    push(m, value);
}

static struct loy_cel_value absent(uint32_t record, uint32_t field)
{
    struct loy_cel_value error = loy_cel_fail(LOY_CEL_FAULT_ABSENT, NULL);
    error.as.u = (uint64_t)record << 32 | field;
    return error;
}

static uint64_t size_units(struct loy_cel_value value)
{
    switch (value.kind) {
    case LOY_CEL_STRING:
    case LOY_CEL_BYTES:
        return loy_cel_text_units(value.len);
    case LOY_CEL_LIST:
    case LOY_CEL_MAP:
        return value.len;
    default:
        return 0;
    }
}

/* --- names ------------------------------------------------------------------------------------------------------- */

INLINE void step_CONST(struct machine *m, const struct loy_cel_instruction *at)
{
    push(m, m->constants[at->c]);
}

INLINE void push_slot(struct machine *m, const struct loy_cel_instruction *at, struct loy_cel_value value,
                      uint32_t record, uint32_t field)
{
    if (UNLIKELY(value.kind <= LOY_CEL_ABSENT)) {
        raise(m, at, absent(record, field));
        return;
    }
    push(m, value);
}

INLINE void step_VAR(struct machine *m, const struct loy_cel_instruction *at)
{
    push_slot(m, at, m->variables[at->c], UINT32_MAX, at->c);
}

INLINE bool is_record(struct loy_cel_value value, uint32_t c)
{
    return value.kind == LOY_CEL_RECORD && value.len == c >> 16;
}

/* What a field of a record that is none gives. */
static void raise_no_record(struct machine *m, const struct loy_cel_instruction *at, struct loy_cel_value value,
                            uint32_t variable)
{
    if (value.kind == LOY_CEL_ERROR) {
        push(m, value);
    } else if (value.kind == LOY_CEL_ABSENT) {
        raise(m, at, absent(UINT32_MAX, variable));
    } else {
        raise(m, at, loy_cel_no_overload());
    }
}

INLINE void step_VAR_FIELD(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = m->variables[at->b];
    if (UNLIKELY(!is_record(value, at->c))) {
        raise_no_record(m, at, value, at->b);
        return;
    }
    push_slot(m, at, value.as.items[at->c & 0xffff], at->c >> 16, at->c & 0xffff);
}

INLINE void step_VAR_HAS(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = m->variables[at->b];
    if (UNLIKELY(!is_record(value, at->c))) {
        raise_no_record(m, at, value, at->b);
        return;
    }
    push(m, loy_cel_bool(value.as.items[at->c & 0xffff].kind > LOY_CEL_ABSENT));
}

INLINE void step_LOCAL(struct machine *m, const struct loy_cel_instruction *at)
{
    push(m, m->locals[at->c]);
}

INLINE void step_STORE(struct machine *m, const struct loy_cel_instruction *at)
{
    m->locals[at->c] = *--m->sp;
}

INLINE void step_FIELD(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp;
    if (UNLIKELY(!is_record(value, at->c))) {
        raise_no_record(m, at, value, 0);
        return;
    }
    push_slot(m, at, value.as.items[at->c & 0xffff], at->c >> 16, at->c & 0xffff);
}

INLINE void step_FIELD_HAS(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp;
    if (UNLIKELY(!is_record(value, at->c))) {
        raise_no_record(m, at, value, 0);
        return;
    }
    push(m, loy_cel_bool(value.as.items[at->c & 0xffff].kind > LOY_CEL_ABSENT));
}

/* The field or entry that a name known at run time selects; NULL with *ret_error when there is none. */
static const struct loy_cel_value *select_by_name(struct machine *m, struct loy_cel_value value,
                                                  struct loy_cel_value name, struct loy_cel_value *ret_error)
{
    *ret_error = value.kind == LOY_CEL_ERROR ? value : loy_cel_no_overload();
    if (value.kind == LOY_CEL_MAP) {
        *ret_error = loy_cel_fail(LOY_CEL_FAULT_NO_KEY, "no such key");
        if (!loy_cel_charge(m->run, value.len / 8)) {
            *ret_error = loy_cel_no_fuel();
            return NULL;
        }
        return loy_cel_map_find(value, name);
    }
    const struct loy_cel_env *env = m->run->program->env;
    if (value.kind == LOY_CEL_RECORD && value.len < env->record_count) {
        int32_t field = loy_cel_env_find_field(&env->records[value.len], loy_cel_text(name));
        *ret_error =
            field < 0 ? loy_cel_fail(LOY_CEL_FAULT_NO_KEY, "no such field") : absent(value.len, (uint32_t)field);
        return field < 0 ? NULL : &value.as.items[field];
    }
    return NULL;
}

static void step_SELECT(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp, error;
    const struct loy_cel_value *found = select_by_name(m, value, m->constants[at->c], &error);
    if (found && found->kind > LOY_CEL_ABSENT) {
        push(m, *found);
    } else if (value.kind == LOY_CEL_ERROR) {
        push(m, value);
    } else {
        raise(m, at, error);
    }
}

static void step_HAS(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp, error;
    const struct loy_cel_value *found = select_by_name(m, value, m->constants[at->c], &error);
    if (value.kind == LOY_CEL_ERROR) {
        push(m, value);
    } else if (!found && error.fault != LOY_CEL_FAULT_NO_KEY) {
        raise(m, at, error);
    } else {
        push(m, loy_cel_bool(found && found->kind > LOY_CEL_ABSENT));
    }
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

static void call(struct machine *m, const struct loy_cel_instruction *at, unsigned builtin, uint32_t count)
{
    m->sp -= count;
    const struct loy_cel_builtin_row *row = loy_cel_builtin_at(builtin);
    uint64_t units = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (m->sp[i].kind == LOY_CEL_ERROR) {
            push(m, m->sp[i]);
            return;
        }
        units += size_units(m->sp[i]);
    }
    if (row->charge != LOY_CEL_FLAT && !loy_cel_charge(m->run, units)) {
        raise(m, at, loy_cel_no_fuel());
        return;
    }
    push_result(m, at, row->call(m->run, m->sp, count));
}

static void step_CALL(struct machine *m, const struct loy_cel_instruction *at)
{
    call(m, at, at->a, at->b);
}

static void record(struct machine *m, unsigned clause, struct loy_cel_value left, struct loy_cel_value right,
                   struct loy_cel_value result)
{
    struct loy_cel_trace *trace = m->run->trace;
    trace->clauses[clause - 1] = (struct loy_cel_seen){left, right, result};
    trace->evaluated |= UINT64_C(1) << (clause - 1);
}

static void slow_binary(struct machine *m, const struct loy_cel_instruction *at, unsigned builtin)
{
    struct loy_cel_value left = m->sp[-2], right = m->sp[-1];
    call(m, at, builtin, 2);
    if (at->b && m->run->trace) {
        record(m, at->b, left, right, m->sp[-1]);
    }
}

static void step_BINARY(struct machine *m, const struct loy_cel_instruction *at)
{
    slow_binary(m, at, at->a);
}

INLINE void push_truth(struct machine *m, const struct loy_cel_instruction *at, bool truth)
{
    struct loy_cel_value left = m->sp[-2], right = m->sp[-1];
    m->sp -= 2;
    push(m, loy_cel_bool(truth));
    if (at->b && m->run->trace) {
        record(m, at->b, left, right, m->sp[-1]);
    }
}

INLINE bool are_ints(const struct machine *m)
{
    return m->sp[-2].kind == LOY_CEL_INT && m->sp[-1].kind == LOY_CEL_INT;
}

INLINE bool are_texts(const struct machine *m)
{
    return m->sp[-2].kind == LOY_CEL_STRING && m->sp[-1].kind == LOY_CEL_STRING && m->sp[-2].len <= 64;
}

#define COMPARISON(OP, builtin, sign)                                                                                  \
    INLINE void step_##OP(struct machine *m, const struct loy_cel_instruction *at)                                     \
    {                                                                                                                  \
        if (are_ints(m)) {                                                                                             \
            push_truth(m, at, m->sp[-2].as.i sign m->sp[-1].as.i);                                                     \
            return;                                                                                                    \
        }                                                                                                              \
        slow_binary(m, at, builtin);                                                                                   \
    }
COMPARISON(LT, LOY_CEL_FN_lt, <)
COMPARISON(LE, LOY_CEL_FN_le, <=)
COMPARISON(GT, LOY_CEL_FN_gt, >)
COMPARISON(GE, LOY_CEL_FN_ge, >=)

#define EQUALITY(OP, builtin, is_equal)                                                                                \
    INLINE void step_##OP(struct machine *m, const struct loy_cel_instruction *at)                                     \
    {                                                                                                                  \
        if (are_ints(m)) {                                                                                             \
            push_truth(m, at, (m->sp[-2].as.i == m->sp[-1].as.i) == (is_equal));                                       \
        } else if (are_texts(m)) {                                                                                     \
            push_truth(m, at, loy_str_equal(loy_cel_text(m->sp[-2]), loy_cel_text(m->sp[-1])) == (is_equal));          \
        } else {                                                                                                       \
            slow_binary(m, at, builtin);                                                                               \
        }                                                                                                              \
    }
EQUALITY(EQ, LOY_CEL_FN_eq, true)
EQUALITY(NE, LOY_CEL_FN_ne, false)

#define ARITHMETIC(OP, builtin, overflows)                                                                             \
    INLINE void step_##OP(struct machine *m, const struct loy_cel_instruction *at)                                     \
    {                                                                                                                  \
        int64_t result;                                                                                                \
        if (are_ints(m) && !overflows(m->sp[-2].as.i, m->sp[-1].as.i, &result)) {                                      \
            m->sp--;                                                                                                   \
            m->sp[-1].as.i = result;                                                                                   \
            return;                                                                                                    \
        }                                                                                                              \
        slow_binary(m, at, builtin);                                                                                   \
    }
ARITHMETIC(ADD, LOY_CEL_FN_add, __builtin_add_overflow)
ARITHMETIC(SUB, LOY_CEL_FN_sub, __builtin_sub_overflow)
ARITHMETIC(MUL, LOY_CEL_FN_mul, __builtin_mul_overflow)

static bool host_fits(const struct loy_cel_host_function *function, const struct loy_cel_host_function *first,
                      const struct loy_cel_value *args, uint32_t count)
{
    if (function->decl.is_method != first->decl.is_method || function->param_count != count || !function->decl.call ||
        !loy_str_equal(function->name, first->name)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!loy_cel_kind_fits(function->params[i], args[i])) {
            return false;
        }
    }
    return true;
}

static void step_HOST(struct machine *m, const struct loy_cel_instruction *at)
{
    m->sp -= at->b;
    for (uint32_t i = 0; i < at->b; i++) {
        if (m->sp[i].kind == LOY_CEL_ERROR) {
            push(m, m->sp[i]);
            return;
        }
    }
    const struct loy_cel_env *env = m->run->program->env;
    const struct loy_cel_host_function *first = &env->functions[at->c];
    for (uint32_t i = at->c; i < env->function_count; i++) {
        const struct loy_cel_host_function *function = &env->functions[i];
        if (!host_fits(function, first, m->sp, at->b)) {
            continue;
        }
        if (!loy_cel_charge(m->run, function->decl.cost)) {
            raise(m, at, loy_cel_no_fuel());
            return;
        }
        push_result(m, at, function->decl.call(function->decl.context, m->run, m->sp, at->b));
        return;
    }
    raise(m, at, loy_cel_no_overload());
}

static void step_MATCH(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value *top = &m->sp[-1];
    if (top->kind == LOY_CEL_STRING && loy_cel_charge(m->run, loy_cel_text_units(top->len))) {
        const void *pattern = m->run->program->patterns[at->c];
        *top = loy_cel_bool(m->run->program->env->matcher->search(pattern, loy_cel_text(*top)));
        return;
    }
    if (top->kind != LOY_CEL_ERROR) {
        m->sp--;
        raise(m, at, top->kind == LOY_CEL_STRING ? loy_cel_no_fuel() : loy_cel_no_overload());
    }
}

/* --- lists and maps ---------------------------------------------------------------------------------------------- */

/* The first error among the top `count`, which leave the stack for it. */
static bool gives_error(struct machine *m, uint32_t count)
{
    m->sp -= count;
    for (uint32_t i = 0; i < count; i++) {
        if (m->sp[i].kind == LOY_CEL_ERROR) {
            push(m, m->sp[i]);
            return true;
        }
    }
    return false;
}

static void step_LIST(struct machine *m, const struct loy_cel_instruction *at)
{
    if (gives_error(m, at->c)) {
        return;
    }
    struct loy_cel_value *items = loy_arena_copy(m->run->arena, m->sp, at->c * sizeof *items);
    push_result(m, at, items ? loy_cel_list(items, at->c) : loy_cel_exhausted());
}

static struct loy_cel_value build_map(struct machine *m, const struct loy_cel_value *pairs, uint32_t count)
{
    struct loy_cel_entry *entries = loy_arena_alloc(m->run->arena, count * sizeof *entries);
    if (!entries) {
        return loy_cel_exhausted();
    }
    if (!loy_cel_charge(m->run, (uint64_t)count * count / 8)) {
        return loy_cel_no_fuel();
    }
    for (uint32_t i = 0; i < count; i++) {
        struct loy_cel_value key = pairs[2 * (size_t)i];
        if (!loy_cel_is_key(key)) {
            return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "unsupported key type");
        }
        if (loy_cel_map_find(loy_cel_map(entries, i), key)) {
            return loy_cel_fail(LOY_CEL_FAULT_ARGUMENT, "the same key twice");
        }
        entries[i] = (struct loy_cel_entry){key, pairs[2 * (size_t)i + 1]};
    }
    return loy_cel_map(entries, count);
}

static void step_MAP(struct machine *m, const struct loy_cel_instruction *at)
{
    if (!gives_error(m, at->c * 2)) {
        push_result(m, at, build_map(m, m->sp, at->c));
    }
}

/* --- logic ------------------------------------------------------------------------------------------------------- */

static void step_CLAUSE(struct machine *m, const struct loy_cel_instruction *at)
{
    if (m->run->trace) {
        record(m, at->b, m->sp[-1], loy_cel_absent(), m->sp[-1]);
    }
}

INLINE void step_JUMP(struct machine *m, const struct loy_cel_instruction *at)
{
    m->pc = m->code + at->c;
}

INLINE void step_JUMP_IF_FALSE(struct machine *m, const struct loy_cel_instruction *at)
{
    if (m->sp[-1].kind == LOY_CEL_BOOL && !m->sp[-1].as.i) {
        m->pc = m->code + at->c;
    }
}

INLINE void step_JUMP_IF_TRUE(struct machine *m, const struct loy_cel_instruction *at)
{
    if (m->sp[-1].kind == LOY_CEL_BOOL && m->sp[-1].as.i) {
        m->pc = m->code + at->c;
    }
}

/* Neither side decided alone, or the right one does: an error remains unless the right side decides. */
static void combine(struct machine *m, const struct loy_cel_instruction *at, bool deciding)
{
    struct loy_cel_value left = m->sp[-2], right = m->sp[-1];
    m->sp -= 2;
    if (right.kind == LOY_CEL_BOOL && (right.as.i != 0) == deciding) {
        push(m, right);
    } else if (left.kind == LOY_CEL_ERROR) {
        push(m, left);
    } else if (right.kind == LOY_CEL_ERROR) {
        push(m, right);
    } else {
        raise(m, at, loy_cel_no_overload());
    }
}

INLINE bool both_are(const struct machine *m, bool truth)
{
    return m->sp[-2].kind == LOY_CEL_BOOL && m->sp[-1].kind == LOY_CEL_BOOL && (m->sp[-2].as.i != 0) == truth;
}

INLINE void step_AND(struct machine *m, const struct loy_cel_instruction *at)
{
    if (both_are(m, true)) {
        m->sp--;
        m->sp[-1] = m->sp[0];
        return;
    }
    combine(m, at, false);
}

INLINE void step_OR(struct machine *m, const struct loy_cel_instruction *at)
{
    if (both_are(m, false)) {
        m->sp--;
        m->sp[-1] = m->sp[0];
        return;
    }
    combine(m, at, true);
}

INLINE void step_BRANCH(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp;
    if (UNLIKELY(value.kind != LOY_CEL_BOOL)) {
        m->pc = m->code + at->b;
        if (value.kind == LOY_CEL_ERROR) {
            push(m, value);
        } else {
            raise(m, at, loy_cel_no_overload());
        }
    } else if (!value.as.i) {
        m->pc = m->code + at->c;
    }
}

/* --- loops ------------------------------------------------------------------------------------------------------- */

INLINE struct loy_cel_value element(struct loy_cel_value range, uint64_t index)
{
    return range.kind == LOY_CEL_LIST ? range.as.items[index] : range.as.entries[index].key;
}

static struct loy_cel_value first_result(unsigned loop)
{
    switch (loop) {
    case LOY_CEL_LOOP_ALL:
        return loy_cel_bool(true);
    case LOY_CEL_LOOP_EXISTS:
        return loy_cel_bool(false);
    case LOY_CEL_LOOP_EXISTS_ONE:
        return loy_cel_int(0);
    default:
        return loy_cel_list(NULL, 0);
    }
}

static void step_LOOP(struct machine *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value range = *--m->sp, result = first_result(at->a);
    struct loy_cel_value *locals = m->locals + at->b;
    if (range.kind != LOY_CEL_LIST && range.kind != LOY_CEL_MAP) {
        m->pc = m->code + at->c;
        if (range.kind == LOY_CEL_ERROR) {
            push(m, range);
        } else {
            raise(m, at, loy_cel_no_overload());
        }
        return;
    }
    if (range.len == 0) {
        m->pc = m->code + at->c;
        push(m, at->a == LOY_CEL_LOOP_EXISTS_ONE ? loy_cel_bool(false) : result);
        return;
    }
    if (at->a == LOY_CEL_LOOP_MAP) {
        result.as.items = loy_arena_alloc(m->run->arena, range.len * sizeof *result.as.items);
        if (!result.as.items) {
            raise(m, at, loy_cel_exhausted());
            return;
        }
    }
    locals[LOY_CEL_LOOP_ITEM] = element(range, 0);
    locals[LOY_CEL_LOOP_RANGE] = range;
    locals[LOY_CEL_LOOP_INDEX] = loy_cel_uint(0);
    locals[LOY_CEL_LOOP_RESULT] = result;
}

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

INLINE bool take(unsigned loop, struct loy_cel_value value, struct loy_cel_value *result)
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

INLINE void step_NEXT(struct machine *m, const struct loy_cel_instruction *at)
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
        push(m, value);
        return;
    }
    const struct loy_cel_instruction *body = m->code + at->c;
    if (UNLIKELY(!loy_cel_charge(m->run, (uint64_t)(m->pc - body)))) {
        raise(m, at, loy_cel_no_fuel());
        return;
    }
    locals[LOY_CEL_LOOP_ITEM] = element(range, next);
    m->pc = body;
}

static void step_RAISE(struct machine *m, const struct loy_cel_instruction *at)
{
    raise(m, at, loy_cel_fail((enum loy_cel_fault)at->a, m->constants[at->c].as.text));
}

/* Not called: the dispatch below returns. */
INLINE void step_RETURN(struct machine *m, const struct loy_cel_instruction *at)
{
    (void)m;
    (void)at;
}

static struct loy_cel_value dispatch(struct machine m)
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
    return dispatch((struct machine){run, program->code + start, frame + program->local_count, frame,
                                     program->constants, program->code, run->variables});
}
