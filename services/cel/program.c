#include "cel/program.h"

#include <assert.h>

struct loy_str loy_cel_program_type(const struct loy_cel_program *program)
{
    return program->type_text;
}

uint64_t loy_cel_program_cost(const struct loy_cel_program *program)
{
    return program->cost;
}

size_t loy_cel_program_stack_size(const struct loy_cel_program *program)
{
    return ((size_t)program->stack_depth + program->local_count) * sizeof(struct loy_cel_value);
}

const struct loy_cel_need *loy_cel_program_needs(const struct loy_cel_program *program, size_t *ret_count)
{
    *ret_count = program->need_count;
    return program->needs;
}

size_t loy_cel_program_clauses(const struct loy_cel_program *program)
{
    return program->clause_count;
}

static struct loy_cel_value run(const struct loy_cel_program *program, const struct loy_cel_value *variables,
                                struct loy_arena *arena, uint64_t *fuel, struct loy_cel_trace *trace)
{
    assert(!program->is_check_only);
    struct loy_cel_run state = {
        .program = program, .variables = variables, .arena = arena, .trace = trace, .fuel = *fuel};
    struct loy_cel_value result = loy_cel_machine(&state, 0);
    *fuel = state.fuel;
    return result;
}

struct loy_cel_value loy_cel_eval(const struct loy_cel_program *program, const struct loy_cel_value *variables,
                                  struct loy_arena *arena, uint64_t *fuel)
{
    return run(program, variables, arena, fuel, NULL);
}

struct loy_cel_value loy_cel_eval_traced(const struct loy_cel_program *program, const struct loy_cel_value *variables,
                                         struct loy_arena *arena, uint64_t *fuel, struct loy_cel_trace *ret_trace)
{
    ret_trace->evaluated = 0;
    return run(program, variables, arena, fuel, ret_trace);
}
