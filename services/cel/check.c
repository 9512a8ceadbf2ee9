#include "cel/check.h"

static const struct loy_cel_type *check(struct loy_cel_checker *checker, struct loy_cel_node *node);

static const struct loy_cel_type *basic(unsigned kind)
{
    return loy_cel_type_basic(kind);
}

static const struct loy_cel_type *dyn(void)
{
    return loy_cel_type_basic(LOY_CEL_TYPE_DYN);
}

static const struct loy_cel_type *or_failed(struct loy_cel_checker *checker, const struct loy_cel_type *type)
{
    checker->unifier.failed |= !type;
    return type ? type : dyn();
}

static bool is_open(const struct loy_cel_type *type)
{
    return type->kind == LOY_CEL_TYPE_DYN || type->kind == LOY_CEL_TYPE_VAR || type->kind == LOY_CEL_ERROR;
}

static void expect_type(struct loy_cel_checker *checker, const struct loy_cel_node *node, unsigned kind,
                        const char *where)
{
    if (!checker->options->skip_check && !loy_cel_unifier_assign(&checker->unifier, basic(kind), node->type)) {
        loy_cel_issue_add(checker->issues, node->start, node->end, "%s must be a %.*s, found %s", where,
                          LOY_STR_ARG(basic(kind)->name), loy_cel_type_text(checker, node->type));
    }
}

static void report_field(struct loy_cel_checker *checker, const struct loy_cel_node *node,
                         const struct loy_cel_record_type *record)
{
    struct loy_cel_nearest nearest;
    loy_cel_nearest_init(&nearest, node->name);
    for (uint32_t i = 0; i < record->count; i++) {
        loy_cel_nearest_offer(&nearest, record->fields[i].name);
    }
    const char *hint = loy_cel_nearest_hint(&nearest, checker->issues);
    loy_cel_issue_add(checker->issues, node->at, node->at + (uint32_t)node->name.len, "no field '%.*s' on %.*s%s",
                      LOY_STR_ARG(node->name), LOY_STR_ARG(record->name), hint);
}

/* x.name, where x is a value. */
static const struct loy_cel_type *check_field(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    const struct loy_cel_type *target = loy_cel_unifier_top(&checker->unifier, node->args[0]->type);
    node->meaning = LOY_CEL_MEANS_KEY;
    node->is_constant = node->args[0]->is_constant;
    if (target->kind == LOY_CEL_RECORD) {
        const struct loy_cel_record_type *record = &checker->env->records[target->id];
        int32_t field = loy_cel_env_find_field(record, node->name);
        if (field < 0) {
            report_field(checker, node, record);
            return basic(LOY_CEL_ERROR);
        }
        node->meaning = LOY_CEL_MEANS_FIELD;
        node->record = (int32_t)target->id;
        node->target = field;
        return record->fields[field].type;
    }
    if (target->kind == LOY_CEL_MAP) {
        if (!checker->options->skip_check &&
            !loy_cel_unifier_assign(&checker->unifier, target->params[0], basic(LOY_CEL_STRING))) {
            loy_cel_issue_add(checker->issues, node->at, node->end, "the keys of this map are %s, so it has no fields",
                              loy_cel_type_text(checker, target->params[0]));
        }
        return target->params[1];
    }
    if (!checker->options->skip_check && !is_open(target)) {
        loy_cel_issue_add(checker->issues, node->at, node->end, "a value of type %s has no fields",
                          loy_cel_type_text(checker, target));
        return basic(LOY_CEL_ERROR);
    }
    return dyn();
}

static const struct loy_cel_type *check_select(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    const struct loy_cel_type *type;
    if (node->kind == LOY_CEL_NODE_SELECT && loy_cel_resolve_name(checker, node, &type)) {
        return type;
    }
    (void)check(checker, node->args[0]);
    type = check_field(checker, node);
    return node->kind == LOY_CEL_NODE_HAS ? basic(LOY_CEL_BOOL) : type;
}

static const struct loy_cel_type *check_ident(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    const struct loy_cel_type *type;
    if (loy_cel_resolve_name(checker, node, &type)) {
        return type;
    }
    if (!checker->options->skip_check) {
        loy_cel_report_unknown_name(checker, node);
    }
    return checker->options->skip_check ? dyn() : basic(LOY_CEL_ERROR);
}

static bool check_args(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    bool are_constant = true;
    for (uint32_t i = 0; i < node->count; i++) {
        (void)check(checker, node->args[i]);
        are_constant &= node->args[i]->is_constant;
    }
    return are_constant;
}

/* What the money profile has to say about an operation. */
static void check_money(struct loy_cel_checker *checker, const struct loy_cel_node *node)
{
    if (node->kind == LOY_CEL_NODE_OP && node->detail == LOY_CEL_FN_div) {
        loy_cel_issue_warn(checker->issues, node->at, node->at + 1,
                           "int division drops the rest, towards zero; muldiv(a, b, c, 'half_even') rounds as you say");
    }
}

static bool is_pure_host(const struct loy_cel_checker *checker, const struct loy_cel_node *node)
{
    const struct loy_cel_env *env = checker->env;
    const struct loy_cel_host_function *first = &env->functions[node->target];
    bool pure = true;
    for (uint32_t i = (uint32_t)node->target; i < env->function_count; i++) {
        pure &= !loy_str_equal(env->functions[i].name, first->name) || env->functions[i].decl.is_constant;
    }
    return pure;
}

static const struct loy_cel_type *check_call(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    if (node->kind != LOY_CEL_NODE_OP) {
        loy_cel_resolve_function(checker, node);
    } else {
        node->meaning = LOY_CEL_MEANS_BUILTIN;
    }
    bool are_constant = check_args(checker, node);
    if (node->meaning == LOY_CEL_MEANS_NOTHING) {
        if (!checker->options->skip_check) {
            loy_cel_report_unknown_function(checker, node);
        }
        return checker->options->skip_check ? dyn() : basic(LOY_CEL_ERROR);
    }
    node->is_constant = are_constant && (node->meaning == LOY_CEL_MEANS_BUILTIN || is_pure_host(checker, node));
    if (checker->options->skip_check) {
        return dyn();
    }
    if (checker->options->money) {
        check_money(checker, node);
    }
    return loy_cel_check_overloads(checker, node);
}

static const struct loy_cel_type *check_logic(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    node->is_constant = check_args(checker, node);
    for (uint32_t i = 0; i < node->count; i++) {
        expect_type(checker, node->args[i], LOY_CEL_BOOL,
                    node->kind == LOY_CEL_NODE_AND ? "what stands beside '&&'" : "what stands beside '||'");
    }
    return basic(LOY_CEL_BOOL);
}

static const struct loy_cel_type *check_if(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    node->is_constant = check_args(checker, node);
    expect_type(checker, node->args[0], LOY_CEL_BOOL, "what stands before '?'");
    if (checker->options->skip_check) {
        return dyn();
    }
    const struct loy_cel_type *type = loy_cel_unifier_fresh(&checker->unifier);
    if (!loy_cel_unifier_assign(&checker->unifier, type, node->args[1]->type) ||
        !loy_cel_unifier_assign(&checker->unifier, type, node->args[2]->type)) {
        loy_cel_issue_add(
            checker->issues, node->at, node->end, "the two sides of ':' must have one type, found %s and %s",
            loy_cel_type_text(checker, node->args[1]->type), loy_cel_type_text(checker, node->args[2]->type));
        return basic(LOY_CEL_ERROR);
    }
    return type;
}

/* The joined type of every `step`th argument from `first` on. */
static const struct loy_cel_type *join_args(struct loy_cel_checker *checker, const struct loy_cel_node *node,
                                            uint32_t first, uint32_t step)
{
    if (node->count == 0) {
        return loy_cel_unifier_fresh(&checker->unifier);
    }
    const struct loy_cel_type *type = node->args[first]->type;
    for (uint32_t i = first + step; i < node->count; i += step) {
        type = loy_cel_unifier_join(&checker->unifier, type, node->args[i]->type);
    }
    return type;
}

static const struct loy_cel_type *check_list(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    node->is_constant = check_args(checker, node);
    return or_failed(checker, loy_cel_type_list(checker->arena, join_args(checker, node, 0, 1)));
}

static const struct loy_cel_type *check_map(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    node->is_constant = check_args(checker, node);
    for (uint32_t i = 0; i < node->count && !checker->options->skip_check; i += 2) {
        const struct loy_cel_type *key = loy_cel_unifier_top(&checker->unifier, node->args[i]->type);
        if (!is_open(key) && key->kind != LOY_CEL_BOOL && key->kind != LOY_CEL_INT && key->kind != LOY_CEL_UINT &&
            key->kind != LOY_CEL_STRING) {
            loy_cel_issue_add(checker->issues, node->args[i]->start, node->args[i]->end,
                              "a key must be a bool, int, uint or string, found %s", loy_cel_type_text(checker, key));
        }
    }
    return or_failed(checker,
                     loy_cel_type_map(checker->arena, join_args(checker, node, 0, 2), join_args(checker, node, 1, 2)));
}

static uint32_t take_locals(struct loy_cel_checker *checker, uint32_t count)
{
    uint32_t first = checker->locals;
    checker->locals += count;
    checker->most_locals = checker->locals > checker->most_locals ? checker->locals : checker->most_locals;
    return first;
}

/* What a macro's variable is when it goes through a range. */
static const struct loy_cel_type *element_of(struct loy_cel_checker *checker, const struct loy_cel_node *range)
{
    const struct loy_cel_type *type = loy_cel_unifier_top(&checker->unifier, range->type);
    if (type->kind == LOY_CEL_LIST || type->kind == LOY_CEL_MAP) {
        return type->params[0];
    }
    if (!checker->options->skip_check && !is_open(type)) {
        loy_cel_issue_add(checker->issues, range->start, range->end,
                          "only lists and maps can be gone through, found %s", loy_cel_type_text(checker, type));
    }
    return dyn();
}

static const struct loy_cel_type *check_loop(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    (void)check(checker, node->args[0]);
    if (checker->loop_depth == LOY_CEL_MAX_LOOP_DEPTH) {
        loy_cel_issue_add(checker->issues, node->start, node->end, "more than %d macros inside each other",
                          LOY_CEL_MAX_LOOP_DEPTH);
        return basic(LOY_CEL_ERROR);
    }
    struct loy_cel_scope scope = {checker->scope, node->name, element_of(checker, node->args[0]),
                                  take_locals(checker, 4)};
    node->local = scope.local;
    checker->scope = &scope;
    checker->loop_depth++;
    for (uint32_t i = 1; i < node->count; i++) {
        (void)check(checker, node->args[i]);
    }
    checker->loop_depth--;
    checker->scope = scope.outer;
    checker->locals -= 4;
    if (node->detail != LOY_CEL_LOOP_MAP || node->count == 3) {
        expect_type(checker, node->args[1], LOY_CEL_BOOL, "the condition of a macro");
    }
    if (node->detail == LOY_CEL_LOOP_MAP) {
        return or_failed(checker, loy_cel_type_list(checker->arena, node->args[node->count - 1]->type));
    }
    if (node->detail == LOY_CEL_LOOP_FILTER) {
        return or_failed(checker, loy_cel_type_list(checker->arena, scope.type));
    }
    return basic(LOY_CEL_BOOL);
}

static const struct loy_cel_type *check_bind(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    struct loy_cel_scope scope = {checker->scope, node->name, check(checker, node->args[0]), take_locals(checker, 1)};
    node->local = scope.local;
    checker->scope = &scope;
    const struct loy_cel_type *type = check(checker, node->args[1]);
    checker->scope = scope.outer;
    checker->locals--;
    return type;
}

static const struct loy_cel_type *type_of(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    switch ((enum loy_cel_node_kind)node->kind) {
    case LOY_CEL_NODE_CONST:
        node->is_constant = true;
        return basic(node->constant.kind);
    case LOY_CEL_NODE_IDENT:
        return check_ident(checker, node);
    case LOY_CEL_NODE_SELECT:
    case LOY_CEL_NODE_HAS:
        return check_select(checker, node);
    case LOY_CEL_NODE_CALL:
    case LOY_CEL_NODE_METHOD:
    case LOY_CEL_NODE_OP:
        return check_call(checker, node);
    case LOY_CEL_NODE_AND:
    case LOY_CEL_NODE_OR:
        return check_logic(checker, node);
    case LOY_CEL_NODE_IF:
        return check_if(checker, node);
    case LOY_CEL_NODE_LIST:
        return check_list(checker, node);
    case LOY_CEL_NODE_MAP:
        return check_map(checker, node);
    case LOY_CEL_NODE_LOOP:
        return check_loop(checker, node);
    case LOY_CEL_NODE_BIND:
        return check_bind(checker, node);
    }
    return dyn();
}

static const struct loy_cel_type *check(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    node->type = type_of(checker, node);
    return node->type;
}

/* Replaces variables by what they stand for, and looks for doubles where money is meant. */
static void settle(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    node->type = loy_cel_unifier_resolve(&checker->unifier, node->type);
    if (checker->options->money && node->type->kind == LOY_CEL_DOUBLE) {
        loy_cel_issue_add(checker->issues, node->start, node->end,
                          "this is a double, and no double may decide an amount: use ints, and muldiv() for shares");
        return;
    }
    bool is_name = node->meaning == LOY_CEL_MEANS_VARIABLE || node->meaning == LOY_CEL_MEANS_TYPE;
    for (uint32_t i = 0; !is_name && i < node->count; i++) {
        if (node->args[i]->type) {
            settle(checker, node->args[i]);
        }
    }
}

static void check_result(struct loy_cel_checker *checker, const struct loy_cel_node *root)
{
    if (checker->options->result) {
        struct loy_cel_type_reader reader = {
            .env = checker->env, .arena = checker->arena, .text = loy_str(checker->options->result)};
        const struct loy_cel_type *wanted = loy_cel_type_read(&reader);
        if (!wanted || !loy_cel_unifier_assign(&checker->unifier, wanted, root->type)) {
            loy_cel_issue_add(checker->issues, root->start, root->end, "the expression must be of type %s, found %s",
                              checker->options->result, loy_cel_type_text(checker, root->type));
        }
    }
    if (checker->options->money && root->type->kind == LOY_CEL_TYPE_DYN) {
        loy_cel_issue_add(checker->issues, root->start, root->end,
                          "the type of the result is only known at run time: it might be a double");
    }
}

enum loy_err loy_cel_check(struct loy_cel_checker *checker, struct loy_cel_node *root)
{
    (void)check(checker, root);
    if (!checker->options->skip_check) {
        settle(checker, root);
        if (checker->issues->errors == 0) {
            check_result(checker, root);
        }
    }
    return checker->unifier.failed || checker->issues->failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}
