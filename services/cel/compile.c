#include "cel/check.h"
#include "cel/emit.h"

/* What is known between the steps. */
struct compilation {
    const struct loy_cel_env *env;
    struct loy_str text;
    struct loy_cel_options options;
    struct loy_arena *arena;
    struct loy_cel_issue_sink issues;
    struct loy_cel_checker checker;
    struct loy_cel_emitter emitter;
    struct loy_cel_node *root;
    struct loy_cel_program *program;
};

static enum loy_err parse_and_check(struct compilation *c)
{
    struct loy_cel_parse_result parsed;
    enum loy_err err = loy_cel_parse(c->text, c->options.no_macros, c->arena, &c->issues, &parsed);
    if (err != LOY_OK || !parsed.root) {
        return err;
    }
    c->root = parsed.root;
    c->checker = (struct loy_cel_checker){
        .env = c->env, .options = &c->options, .arena = c->arena, .issues = &c->issues, .unifier = {.arena = c->arena}};
    return loy_cel_check(&c->checker, c->root);
}

static enum loy_err generate(struct compilation *c)
{
    struct loy_cel_emitter *emitter = &c->emitter;
    *emitter = (struct loy_cel_emitter){
        .env = c->env, .arena = c->arena, .issues = &c->issues, .local_count = c->checker.most_locals};
    if (c->checker.most_locals > LOY_CEL_MAX_LOCALS) {
        emitter->too_large = true;
    } else {
        loy_cel_emit_program(emitter, c->root);
    }
    if (emitter->too_large) {
        loy_cel_issue_add(&c->issues, 0, 0, "the expression is too large");
    }
    return emitter->no_memory || c->issues.failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}

static enum loy_err describe(struct compilation *c)
{
    struct loy_buf type;
    loy_buf_init(&type, c->arena, 32);
    loy_cel_type_print(c->root->type, &type);
    c->program->type_text = loy_buf_str(&type);
    c->program->env = c->env;
    c->program->text = c->text;
    c->program->root = c->root;
    return type.failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}

/* The parts of the emitter become the program's: they are in the same arena. */
static enum loy_err finish(struct compilation *c, struct loy_error *error)
{
    struct loy_cel_emitter *emitter = &c->emitter;
    struct loy_cel_program *program = c->program;
    program->code = emitter->code;
    program->places = emitter->places;
    program->code_count = emitter->code_count;
    program->constants = emitter->constants;
    program->constant_count = emitter->constant_count;
    program->patterns = emitter->patterns;
    program->pattern_count = emitter->pattern_count;
    program->needs = emitter->needs;
    program->need_count = emitter->need_count;
    program->local_count = emitter->local_count;
    program->clause_count = emitter->clause_count;
    size_t size = emitter->clause_count * sizeof emitter->clauses[0];
    struct loy_cel_clause *clauses = loy_arena_copy(c->arena, emitter->clauses, size);
    if (!clauses) {
        return LOY_ERR_NO_MEMORY;
    }
    program->clauses = clauses;
    if (loy_cel_explain_prepare(program, clauses, c->arena)) {
        return LOY_ERR_NO_MEMORY;
    }
    program->cost = loy_cel_cost_of(c->env, c->root, program->code_count);
    return loy_cel_verify(program, c->arena, error);
}

static void check_cost(struct compilation *c)
{
    uint64_t most = c->options.max_cost ? c->options.max_cost : LOY_CEL_DEFAULT_MAX_COST;
    if (c->program->cost > most && !c->options.skip_check) {
        loy_cel_issue_add(&c->issues, c->root->start, c->root->end,
                          "this could cost %llu steps with the largest values declared, at most %llu are allowed",
                          (unsigned long long)c->program->cost, (unsigned long long)most);
    }
}

static enum loy_err compile(struct compilation *c)
{
    enum loy_err err = parse_and_check(c);
    if (err != LOY_OK || c->issues.errors > 0) {
        return err;
    }
    c->program = LOY_NEW(c->arena, struct loy_cel_program);
    err = c->program ? describe(c) : LOY_ERR_NO_MEMORY;
    if (err != LOY_OK || c->options.check_only) {
        if (c->program) {
            c->program->is_check_only = true;
        }
        return err;
    }
    err = generate(c);
    if (err != LOY_OK || c->issues.errors > 0) {
        return err;
    }
    struct loy_error error = {.code = LOY_OK};
    err = finish(c, &error);
    if (err == LOY_ERR_CORRUPT) { /* a bug of ours: it must not run */
        loy_cel_issue_add(&c->issues, 0, 0, "the compiler made a program that cannot run: %s", error.detail);
        return LOY_OK;
    }
    if (err == LOY_OK) {
        check_cost(c);
    }
    return err;
}

enum loy_err loy_cel_compile(const struct loy_cel_env *env, struct loy_str text, const struct loy_cel_options *options,
                             struct loy_arena *arena, const struct loy_cel_program **ret_program,
                             struct loy_cel_issues *ret_issues)
{
    struct compilation c = {.env = env, .text = text, .arena = arena};
    if (options) {
        c.options = *options;
    }
    ret_issues->count = 0;
    ret_issues->more = false;
    c.issues = (struct loy_cel_issue_sink){.issues = ret_issues, .arena = arena, .text = text};
    enum loy_err err = compile(&c);
    if (err != LOY_OK) {
        return err;
    }
    if (c.issues.errors > 0) {
        return LOY_ERR_INVALID_VALUE;
    }
    *ret_program = c.program;
    return LOY_OK;
}
