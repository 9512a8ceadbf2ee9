#include "cel/functions.h"
#include "cel/machine.h"

void loy_cel_raise(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, struct loy_cel_value error)
{
    static const struct loy_cel_instruction halt = {.op = LOY_CEL_OP_RETURN};
    error.len = m->run->program->places[at - m->code];
    loy_cel_push(m, error);
    if (error.fault == LOY_CEL_FAULT_BUDGET) {
        m->pc = &halt;
    }
}

struct loy_cel_value loy_cel_absence(uint32_t record, uint32_t field)
{
    struct loy_cel_value error = loy_cel_fail(LOY_CEL_FAULT_ABSENT, NULL);
    error.as.u = (uint64_t)record << 32 | field;
    return error;
}

void loy_cel_raise_no_record(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at,
                             struct loy_cel_value value, uint32_t variable)
{
    if (value.kind == LOY_CEL_ERROR) {
        loy_cel_push(m, value);
    } else if (value.kind == LOY_CEL_ABSENT) {
        loy_cel_raise(m, at, loy_cel_absence(UINT32_MAX, variable));
    } else {
        loy_cel_raise(m, at, loy_cel_no_overload());
    }
}

/* The field or entry that a name known at run time selects; NULL with *ret_error when there is none. */
static const struct loy_cel_value *select_by_name(struct loy_cel_machine_state *m, struct loy_cel_value value,
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
        *ret_error = field < 0 ? loy_cel_fail(LOY_CEL_FAULT_NO_KEY, "no such field")
                               : loy_cel_absence(value.len, (uint32_t)field);
        return field < 0 ? NULL : &value.as.items[field];
    }
    return NULL;
}

void loy_cel_step_select(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp, error;
    const struct loy_cel_value *found = select_by_name(m, value, m->constants[at->c], &error);
    if (found && found->kind > LOY_CEL_ABSENT) {
        loy_cel_push(m, *found);
    } else if (value.kind == LOY_CEL_ERROR) {
        loy_cel_push(m, value);
    } else {
        loy_cel_raise(m, at, error);
    }
}

void loy_cel_step_has(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value value = *--m->sp, error;
    const struct loy_cel_value *found = select_by_name(m, value, m->constants[at->c], &error);
    if (value.kind == LOY_CEL_ERROR) {
        loy_cel_push(m, value);
    } else if (!found && error.fault != LOY_CEL_FAULT_NO_KEY) {
        loy_cel_raise(m, at, error);
    } else {
        loy_cel_push(m, loy_cel_bool(found && found->kind > LOY_CEL_ABSENT));
    }
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

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

void loy_cel_step_call(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, unsigned builtin,
                       uint32_t count)
{
    m->sp -= count;
    const struct loy_cel_builtin_row *row = loy_cel_builtin_at(builtin);
    uint64_t units = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (m->sp[i].kind == LOY_CEL_ERROR) {
            loy_cel_push(m, m->sp[i]);
            return;
        }
        units += size_units(m->sp[i]);
    }
    if (row->charge != LOY_CEL_FLAT && !loy_cel_charge(m->run, units)) {
        loy_cel_raise(m, at, loy_cel_no_fuel());
        return;
    }
    loy_cel_push_result(m, at, row->call(m->run, m->sp, count));
}

void loy_cel_record_clause(struct loy_cel_machine_state *m, unsigned clause, struct loy_cel_value left,
                           struct loy_cel_value right, struct loy_cel_value result)
{
    struct loy_cel_trace *trace = m->run->trace;
    trace->clauses[clause - 1] = (struct loy_cel_seen){left, right, result};
    trace->evaluated |= UINT64_C(1) << (clause - 1);
}

void loy_cel_step_binary(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, unsigned builtin)
{
    struct loy_cel_value left = m->sp[-2], right = m->sp[-1];
    loy_cel_step_call(m, at, builtin, 2);
    if (at->b && m->run->trace) {
        loy_cel_record_clause(m, at->b, left, right, m->sp[-1]);
    }
}

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

void loy_cel_step_host(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    m->sp -= at->b;
    for (uint32_t i = 0; i < at->b; i++) {
        if (m->sp[i].kind == LOY_CEL_ERROR) {
            loy_cel_push(m, m->sp[i]);
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
            loy_cel_raise(m, at, loy_cel_no_fuel());
            return;
        }
        loy_cel_push_result(m, at, function->decl.call(function->decl.context, m->run, m->sp, at->b));
        return;
    }
    loy_cel_raise(m, at, loy_cel_no_overload());
}

void loy_cel_step_match(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value *top = &m->sp[-1];
    if (top->kind == LOY_CEL_STRING && loy_cel_charge(m->run, loy_cel_text_units(top->len))) {
        const void *pattern = m->run->program->patterns[at->c];
        *top = loy_cel_bool(m->run->program->env->matcher->search(pattern, loy_cel_text(*top)));
        return;
    }
    if (top->kind != LOY_CEL_ERROR) {
        m->sp--;
        loy_cel_raise(m, at, top->kind == LOY_CEL_STRING ? loy_cel_no_fuel() : loy_cel_no_overload());
    }
}

/* --- lists and maps ---------------------------------------------------------------------------------------------- */

/* The first error among the top `count`, which leave the stack for it. */
static bool gives_error(struct loy_cel_machine_state *m, uint32_t count)
{
    m->sp -= count;
    for (uint32_t i = 0; i < count; i++) {
        if (m->sp[i].kind == LOY_CEL_ERROR) {
            loy_cel_push(m, m->sp[i]);
            return true;
        }
    }
    return false;
}

void loy_cel_step_list(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    if (gives_error(m, at->c)) {
        return;
    }
    struct loy_cel_value *items = loy_arena_copy(m->run->arena, m->sp, at->c * sizeof *items);
    loy_cel_push_result(m, at, items ? loy_cel_list(items, at->c) : loy_cel_exhausted());
}

static struct loy_cel_value build_map(struct loy_cel_machine_state *m, const struct loy_cel_value *pairs,
                                      uint32_t count)
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

void loy_cel_step_map(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    if (!gives_error(m, at->c * 2)) {
        loy_cel_push_result(m, at, build_map(m, m->sp, at->c));
    }
}

/* --- logic and loops --------------------------------------------------------------------------------------------- */

void loy_cel_step_combine(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, bool deciding)
{
    struct loy_cel_value left = m->sp[-2], right = m->sp[-1];
    m->sp -= 2;
    if (right.kind == LOY_CEL_BOOL && (right.as.i != 0) == deciding) {
        loy_cel_push(m, right);
    } else if (left.kind == LOY_CEL_ERROR) {
        loy_cel_push(m, left);
    } else if (right.kind == LOY_CEL_ERROR) {
        loy_cel_push(m, right);
    } else {
        loy_cel_raise(m, at, loy_cel_no_overload());
    }
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

void loy_cel_step_loop(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    struct loy_cel_value range = *--m->sp, result = first_result(at->a);
    struct loy_cel_value *locals = m->locals + at->b;
    if (range.kind != LOY_CEL_LIST && range.kind != LOY_CEL_MAP) {
        m->pc = m->code + at->c;
        if (range.kind == LOY_CEL_ERROR) {
            loy_cel_push(m, range);
        } else {
            loy_cel_raise(m, at, loy_cel_no_overload());
        }
        return;
    }
    if (range.len == 0) {
        m->pc = m->code + at->c;
        loy_cel_push(m, at->a == LOY_CEL_LOOP_EXISTS_ONE ? loy_cel_bool(false) : result);
        return;
    }
    if (at->a == LOY_CEL_LOOP_MAP) {
        result.as.items = loy_arena_alloc(m->run->arena, range.len * sizeof *result.as.items);
        if (!result.as.items) {
            loy_cel_raise(m, at, loy_cel_exhausted());
            return;
        }
    }
    locals[LOY_CEL_LOOP_ITEM] = loy_cel_element(range, 0);
    locals[LOY_CEL_LOOP_RANGE] = range;
    locals[LOY_CEL_LOOP_INDEX] = loy_cel_uint(0);
    locals[LOY_CEL_LOOP_RESULT] = result;
}

void loy_cel_step_raise(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at)
{
    loy_cel_raise(m, at, loy_cel_fail((enum loy_cel_fault)at->a, m->constants[at->c].as.text));
}
