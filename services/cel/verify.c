#include "cel/functions.h"
#include "cel/program.h"

/* The loops around the instruction that is looked at. */
struct loop {
    uint32_t start, end; /* LOOP, and behind its NEXT */
    uint32_t depth;      /* of the stack in its body */
    uint32_t locals;
};

enum { UNKNOWN = -1 };

struct verifier {
    const struct loy_cel_program *program;
    struct loy_error *error;
    int32_t *depths;   /* of the stack before each instruction */
    uint32_t *regions; /* of jumps that land there: 1 + start of the loop around them, or 0 */
    struct loop loops[LOY_CEL_MAX_LOOP_DEPTH];
    uint32_t loop_count;
    uint32_t deepest;
    uint32_t pc;
};

static enum loy_err reject(const struct verifier *v, const char *why)
{
    return loy_error_set(v->error, LOY_ERR_CORRUPT, "cel: instruction %u %s", v->pc, why);
}

static uint32_t region(const struct verifier *v)
{
    return v->loop_count ? v->loops[v->loop_count - 1].start + 1 : 0;
}

/* Control may come to `target` with `depth` values on the stack. */
static enum loy_err reach(struct verifier *v, uint32_t target, int64_t depth, bool by_jump)
{
    if (target <= v->pc || target >= v->program->code_count) {
        return reject(v, "goes backwards or out of the program");
    }
    if (depth < 0 || depth > LOY_CEL_MAX_STACK) {
        return reject(v, "takes more than there is, or leaves too much");
    }
    if (v->depths[target] != UNKNOWN && v->depths[target] != depth) {
        return reject(v, "is reached with different stacks");
    }
    if (by_jump) {
        if (v->regions[target] != UINT32_MAX && v->regions[target] != region(v)) {
            return reject(v, "is reached from different loops");
        }
        v->regions[target] = region(v);
    }
    v->depths[target] = (int32_t)depth;
    v->deepest = (uint32_t)depth > v->deepest ? (uint32_t)depth : v->deepest;
    return LOY_OK;
}

static bool is_field(const struct loy_cel_env *env, uint32_t c)
{
    return c >> 16 < env->record_count && (c & 0xffff) < env->records[c >> 16].count;
}

static bool is_text_constant(const struct loy_cel_program *program, uint32_t c, bool terminated)
{
    if (c >= program->constant_count || program->constants[c].kind != LOY_CEL_STRING) {
        return false;
    }
    struct loy_str text = loy_cel_text(program->constants[c]);
    return !terminated || (text.len > 0 && text.at[text.len - 1] == '\0');
}

/* A local that a loop around here keeps its own state in. */
static bool is_taken(const struct verifier *v, uint32_t local)
{
    for (uint32_t i = 0; i < v->loop_count; i++) {
        if (local >= v->loops[i].locals && local < v->loops[i].locals + LOY_CEL_LOOP_LOCALS) {
            return true;
        }
    }
    return false;
}

static bool is_clause(uint32_t b)
{
    return b <= LOY_CEL_MAX_CLAUSES;
}

/* Whether what the instruction names is there. */
static bool operands_are_valid(const struct verifier *v, const struct loy_cel_instruction *at)
{
    const struct loy_cel_program *program = v->program;
    const struct loy_cel_env *env = program->env;
    switch ((enum loy_cel_op)at->op) {
    case LOY_CEL_OP_CONST:
        return at->c < program->constant_count;
    case LOY_CEL_OP_VAR:
        return at->c < env->variable_count;
    case LOY_CEL_OP_VAR_FIELD:
    case LOY_CEL_OP_VAR_HAS:
        return at->b < env->variable_count && is_field(env, at->c);
    case LOY_CEL_OP_FIELD:
    case LOY_CEL_OP_FIELD_HAS:
        return is_field(env, at->c);
    case LOY_CEL_OP_LOCAL:
        return at->c < program->local_count;
    case LOY_CEL_OP_STORE:
        return at->c < program->local_count && !is_taken(v, at->c);
    case LOY_CEL_OP_SELECT:
    case LOY_CEL_OP_HAS:
        return is_text_constant(program, at->c, false);
    case LOY_CEL_OP_BINARY:
        return at->a < LOY_CEL_FN_COUNT && is_clause(at->b);
    case LOY_CEL_OP_EQ:
    case LOY_CEL_OP_NE:
    case LOY_CEL_OP_LT:
    case LOY_CEL_OP_LE:
    case LOY_CEL_OP_GT:
    case LOY_CEL_OP_GE:
    case LOY_CEL_OP_ADD:
    case LOY_CEL_OP_SUB:
    case LOY_CEL_OP_MUL:
        return is_clause(at->b);
    case LOY_CEL_OP_CALL:
        return at->a < LOY_CEL_FN_COUNT && at->b <= LOY_CEL_MAX_ARGUMENTS;
    case LOY_CEL_OP_HOST:
        return at->c < env->function_count && at->b <= LOY_CEL_MAX_ARGUMENTS;
    case LOY_CEL_OP_MATCH:
        return at->c < program->pattern_count && env->matcher;
    case LOY_CEL_OP_LIST:
        return at->c <= LOY_CEL_MAX_STACK;
    case LOY_CEL_OP_MAP:
        return at->c <= LOY_CEL_MAX_STACK / 2;
    case LOY_CEL_OP_CLAUSE:
        return at->b > 0 && is_clause(at->b);
    case LOY_CEL_OP_RAISE:
        return at->a < LOY_CEL_FAULT_COUNT && is_text_constant(program, at->c, true);
    default:
        return at->op < LOY_CEL_OP_COUNT;
    }
}

static enum loy_err enter_loop(struct verifier *v, const struct loy_cel_instruction *at, int64_t depth)
{
    const struct loy_cel_program *program = v->program;
    uint32_t outer_end = v->loop_count ? v->loops[v->loop_count - 1].end - 1 : program->code_count;
    if (v->loop_count == LOY_CEL_MAX_LOOP_DEPTH || at->a > LOY_CEL_LOOP_MAP ||
        (uint32_t)at->b + LOY_CEL_LOOP_LOCALS > program->local_count || at->c > outer_end || at->c < v->pc + 3) {
        return reject(v, "is no loop that may be");
    }
    const struct loy_cel_instruction *next = &program->code[at->c - 1];
    if (next->op != LOY_CEL_OP_NEXT || next->a != at->a || next->b != at->b || next->c != v->pc + 1) {
        return reject(v, "has no end of its own");
    }
    for (uint32_t i = 0; i < LOY_CEL_LOOP_LOCALS; i++) {
        if (is_taken(v, at->b + i)) {
            return reject(v, "uses the locals of the loop around it");
        }
    }
    enum loy_err err = reach(v, at->c, depth, true);
    if (err == LOY_OK) {
        v->loops[v->loop_count++] = (struct loop){v->pc, at->c, (uint32_t)(depth - 1), at->b};
        err = reach(v, v->pc + 1, depth - 1, false);
    }
    return err;
}

static enum loy_err leave_loop(struct verifier *v, const struct loy_cel_instruction *at, int64_t depth)
{
    const struct loop *loop = v->loop_count ? &v->loops[v->loop_count - 1] : NULL;
    if (!loop || loop->end != v->pc + 1 || at->c != loop->start + 1 || depth != (int64_t)loop->depth + 1) {
        return reject(v, "ends no loop");
    }
    v->loop_count--;
    return reach(v, v->pc + 1, depth, false);
}

static uint32_t pops_of(const struct loy_cel_instruction *at)
{
    static const int8_t pops[] = {
#define LOY_CEL_OP_POPS(op, pops, pushes) [LOY_CEL_OP_##op] = (pops),
        LOY_CEL_OP_TABLE(LOY_CEL_OP_POPS)
#undef LOY_CEL_OP_POPS
    };
    if (pops[at->op] >= 0) {
        return (uint32_t)pops[at->op];
    }
    return at->op == LOY_CEL_OP_LIST ? at->c : at->op == LOY_CEL_OP_MAP ? at->c * 2 : at->b;
}

static int64_t pushes_of(const struct loy_cel_instruction *at)
{
    static const int8_t pushes[] = {
#define LOY_CEL_OP_PUSHES(op, pops, pushes) [LOY_CEL_OP_##op] = (pushes),
        LOY_CEL_OP_TABLE(LOY_CEL_OP_PUSHES)
#undef LOY_CEL_OP_PUSHES
    };
    return pushes[at->op];
}

static enum loy_err verify_branch(struct verifier *v, const struct loy_cel_instruction *at, int64_t after)
{
    enum loy_err err = reach(v, at->c, after, true);
    if (err == LOY_OK) {
        err = reach(v, at->b, after + 1, true);
    }
    return err == LOY_OK ? reach(v, v->pc + 1, after, false) : err;
}

static enum loy_err verify_one(struct verifier *v, const struct loy_cel_instruction *at)
{
    if (at->op >= LOY_CEL_OP_COUNT || !operands_are_valid(v, at)) {
        return reject(v, "names what is not there");
    }
    int64_t depth = v->depths[v->pc];
    if (depth == UNKNOWN || (v->regions[v->pc] != UINT32_MAX && v->regions[v->pc] != region(v))) {
        return reject(v, "is never reached, or from outside of its loop");
    }
    int64_t after = depth - pops_of(at) + pushes_of(at);
    if (depth < pops_of(at)) {
        return reject(v, "takes more than there is");
    }
    /* One more than what is left, for an error that BRANCH and LOOP put there, and for RAISE. */
    v->deepest = (uint32_t)depth + 1 > v->deepest ? (uint32_t)depth + 1 : v->deepest;
    enum loy_err err;
    switch ((enum loy_cel_op)at->op) {
    case LOY_CEL_OP_RETURN:
        return depth == 1 && v->pc + 1 == v->program->code_count ? LOY_OK : reject(v, "ends too early");
    case LOY_CEL_OP_JUMP:
        return reach(v, at->c, after, true);
    case LOY_CEL_OP_JUMP_IF_FALSE:
    case LOY_CEL_OP_JUMP_IF_TRUE:
        err = reach(v, at->c, after, true);
        return err == LOY_OK ? reach(v, v->pc + 1, after, false) : err;
    case LOY_CEL_OP_BRANCH:
        return verify_branch(v, at, after);
    case LOY_CEL_OP_LOOP:
        return enter_loop(v, at, depth);
    case LOY_CEL_OP_NEXT:
        return leave_loop(v, at, depth);
    default:
        return reach(v, v->pc + 1, after, false);
    }
}

enum loy_err loy_cel_verify(struct loy_cel_program *program, struct loy_arena *scratch, struct loy_error *error)
{
    struct verifier v = {.program = program, .error = error, .deepest = 1};
    if (program->code_count == 0 || program->code_count > LOY_CEL_MAX_CODE ||
        program->local_count > LOY_CEL_MAX_LOCALS) {
        return reject(&v, "is missing, or there are too many");
    }
    struct loy_arena_mark mark = loy_arena_mark(scratch);
    v.depths = LOY_NEW_ARRAY(scratch, int32_t, program->code_count);
    v.regions = LOY_NEW_ARRAY(scratch, uint32_t, program->code_count);
    if (!v.depths || !v.regions) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "cel: the arena is full");
    }
    for (uint32_t i = 0; i < program->code_count; i++) {
        v.depths[i] = UNKNOWN;
        v.regions[i] = UINT32_MAX;
    }
    v.depths[0] = 0;
    enum loy_err err = LOY_OK;
    for (v.pc = 0; v.pc < program->code_count && err == LOY_OK; v.pc++) {
        err = verify_one(&v, &program->code[v.pc]);
    }
    if (err == LOY_OK && program->code[program->code_count - 1].op != LOY_CEL_OP_RETURN) {
        err = loy_error_set(error, LOY_ERR_CORRUPT, "cel: the program does not end");
    }
    loy_arena_reset_to(scratch, mark);
    program->stack_depth = v.deepest;
    return err;
}
