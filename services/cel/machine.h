/* The machine's registers, and the steps that are too large to be worth inlining into its dispatch (steps.c).
 *
 * Inside the room only. Pure; one thread a run. Test: tests/unit/test_cel_eval.c, tests/unit/test_cel_verify.c. */
#ifndef LOY_CEL_MACHINE_H
#define LOY_CEL_MACHINE_H

#include "cel/program.h"

#define LOY_CEL_INLINE static inline __attribute__((always_inline))
#define LOY_CEL_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Everything hot is inlined into one function, which has these at hand. */
struct loy_cel_machine_state {
    struct loy_cel_run *run;
    const struct loy_cel_instruction *pc; /* the next one */
    struct loy_cel_value *sp;             /* behind the top of the stack */
    struct loy_cel_value *locals;         /* the stack stands behind them */
    const struct loy_cel_value *constants;
    const struct loy_cel_instruction *code;
    const struct loy_cel_value *variables;
};

/* Puts an error on the stack, with its place; one of the budget ends the run. */
void loy_cel_raise(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, struct loy_cel_value error);
/* The error of a fact that is not there; record UINT32_MAX: field is a variable. */
struct loy_cel_value loy_cel_absence(uint32_t record, uint32_t field);
/* What a field of something that is no such record gives. */
void loy_cel_raise_no_record(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at,
                             struct loy_cel_value value, uint32_t variable);
/* Calls a builtin with the top `count` values. */
void loy_cel_step_call(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, unsigned builtin,
                       uint32_t count);
/* The same with two, and the trace. */
void loy_cel_step_binary(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, unsigned builtin);
/* Writes down what a part of the condition saw. */
void loy_cel_record_clause(struct loy_cel_machine_state *m, unsigned clause, struct loy_cel_value left,
                           struct loy_cel_value right, struct loy_cel_value result);
/* Of && (deciding: false) and || (true) where the left side did not decide, or one of them is no bool. */
void loy_cel_step_combine(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at, bool deciding);

/* One function an instruction. */
typedef void loy_cel_step_fn(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at);
loy_cel_step_fn loy_cel_step_select, loy_cel_step_has, loy_cel_step_host, loy_cel_step_match, loy_cel_step_list,
    loy_cel_step_map, loy_cel_step_loop, loy_cel_step_raise;

LOY_CEL_INLINE void loy_cel_push(struct loy_cel_machine_state *m, struct loy_cel_value value)
{
    *m->sp++ = value;
}

/* Pushes what a function returned. */
LOY_CEL_INLINE void loy_cel_push_result(struct loy_cel_machine_state *m, const struct loy_cel_instruction *at,
                                        struct loy_cel_value value)
{
    if (LOY_CEL_UNLIKELY(value.kind <= LOY_CEL_ABSENT)) {
        loy_cel_raise(m, at, value);
        return;
    }
    loy_cel_push(m, value);
}

LOY_CEL_INLINE struct loy_cel_value loy_cel_element(struct loy_cel_value range, uint64_t index)
{
    return range.kind == LOY_CEL_LIST ? range.as.items[index] : range.as.entries[index].key;
}

#endif
