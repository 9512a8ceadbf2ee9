#include "cel/check.h"

#include <string.h>

enum { MAX_NAME = 256 };

struct name {
    char text[MAX_NAME];
    size_t len;
};

static bool append(struct name *name, struct loy_str part)
{
    if (name->len + part.len + 1 > MAX_NAME) {
        return false;
    }
    if (name->len > 0) {
        name->text[name->len++] = '.';
    }
    memcpy(name->text + name->len, part.at, part.len);
    name->len += part.len;
    return true;
}

/* a.b.c as text; false: it is no chain of plain names. */
static bool dotted(const struct loy_cel_node *node, struct name *name)
{
    if (node->kind == LOY_CEL_NODE_IDENT) {
        return append(name, node->name);
    }
    return node->kind == LOY_CEL_NODE_SELECT && dotted(node->args[0], name) && append(name, node->name);
}

static const struct loy_cel_node *first_of(const struct loy_cel_node *node)
{
    while (node->kind == LOY_CEL_NODE_SELECT) {
        node = node->args[0];
    }
    return node;
}

static const struct loy_cel_scope *local_of(const struct loy_cel_checker *checker, const struct loy_cel_node *first)
{
    if (first->kind != LOY_CEL_NODE_IDENT || first->from_root) {
        return NULL;
    }
    const struct loy_cel_scope *scope = checker->scope;
    while (scope && !loy_str_equal(scope->name, first->name)) {
        scope = scope->outer;
    }
    return scope;
}

/* Calls `look` with com.example.name, com.name, name; stops at the first that it takes. */
static bool each_candidate(struct loy_cel_checker *checker, bool from_root, struct loy_str name,
                           bool (*look)(struct loy_cel_checker *, struct loy_str, void *), void *context)
{
    struct loy_str container = loy_str(from_root ? NULL : checker->options->container);
    while (container.len > 0) {
        struct name full = {.len = 0};
        if (append(&full, container) && append(&full, name) &&
            look(checker, (struct loy_str){full.text, full.len}, context)) {
            return true;
        }
        const char *dot = memrchr(container.at, '.', container.len);
        container.len = dot ? (size_t)(dot - container.at) : 0;
    }
    return look(checker, name, context);
}

static const struct loy_cel_type *type_of_name(struct loy_cel_checker *checker, struct loy_str name)
{
    for (unsigned kind = LOY_CEL_NULL; kind <= LOY_CEL_TYPE; kind++) {
        if (loy_str_equal(loy_cel_type_basic(kind)->name, name)) {
            return loy_cel_type_basic(kind);
        }
    }
    int32_t record = loy_cel_env_find_record(checker->env, name);
    return record < 0 ? NULL : checker->env->records[record].type;
}

struct found {
    struct loy_cel_node *node;
    const struct loy_cel_type *type;
};

static bool look_for_value(struct loy_cel_checker *checker, struct loy_str name, void *context)
{
    struct found *found = context;
    int32_t slot = loy_cel_env_find_variable(checker->env, name);
    if (slot >= 0) {
        found->node->meaning = LOY_CEL_MEANS_VARIABLE;
        found->node->target = slot;
        found->type = checker->env->variables[slot].type;
        return true;
    }
    const struct loy_cel_type *type = type_of_name(checker, name);
    if (!type) {
        return false;
    }
    found->node->meaning = LOY_CEL_MEANS_TYPE;
    found->node->is_constant = true;
    found->node->constant = loy_cel_string(type->name);
    found->node->constant.kind = LOY_CEL_TYPE;
    found->type = loy_cel_type_type(checker->arena, type);
    checker->unifier.failed |= !found->type;
    return found->type != NULL;
}

bool loy_cel_resolve_name(struct loy_cel_checker *checker, struct loy_cel_node *node,
                          const struct loy_cel_type **ret_type)
{
    const struct loy_cel_node *first = first_of(node);
    const struct loy_cel_scope *local = local_of(checker, first);
    if (local) {
        if (node != first) {
            return false;
        }
        node->meaning = LOY_CEL_MEANS_LOCAL;
        node->target = (int32_t)local->local;
        *ret_type = local->type;
        return true;
    }
    struct name name = {.len = 0};
    struct found found = {node, NULL};
    if (!dotted(node, &name) ||
        !each_candidate(checker, first->from_root, (struct loy_str){name.text, name.len}, look_for_value, &found)) {
        return false;
    }
    *ret_type = found.type;
    return true;
}

static bool look_for_function(struct loy_cel_checker *checker, struct loy_str name, void *context)
{
    struct loy_cel_node *node = context;
    bool is_method = node->kind == LOY_CEL_NODE_METHOD;
    int32_t builtin = loy_cel_builtin_find(name, is_method ? LOY_CEL_METHOD : LOY_CEL_GLOBAL);
    int32_t host = builtin < 0 ? loy_cel_env_find_function(checker->env, name, is_method) : -1;
    node->meaning = builtin >= 0 ? LOY_CEL_MEANS_BUILTIN : host >= 0 ? LOY_CEL_MEANS_HOST : LOY_CEL_MEANS_NOTHING;
    node->target = builtin >= 0 ? builtin : host;
    return node->target >= 0;
}

/* math.abs(x) parses as a method of `math`. */
static bool resolve_qualified(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    struct name name = {.len = 0};
    const struct loy_cel_node *first = first_of(node->args[0]);
    if (local_of(checker, first) || !dotted(node->args[0], &name) || !append(&name, node->name)) {
        return false;
    }
    node->kind = LOY_CEL_NODE_CALL;
    if (each_candidate(checker, first->from_root, (struct loy_str){name.text, name.len}, look_for_function, node)) {
        node->args++;
        node->count--;
        return true;
    }
    node->kind = LOY_CEL_NODE_METHOD;
    return false;
}

void loy_cel_resolve_function(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    if (node->kind == LOY_CEL_NODE_CALL) {
        (void)each_candidate(checker, node->from_root, node->name, look_for_function, node);
    } else if (!resolve_qualified(checker, node)) {
        (void)look_for_function(checker, node->name, node);
    }
}

void loy_cel_report_unknown_name(struct loy_cel_checker *checker, const struct loy_cel_node *node)
{
    struct loy_cel_nearest nearest;
    loy_cel_nearest_init(&nearest, node->name);
    for (uint32_t i = 0; i < checker->env->variable_count; i++) {
        loy_cel_nearest_offer(&nearest, checker->env->variables[i].name);
    }
    for (const struct loy_cel_scope *scope = checker->scope; scope; scope = scope->outer) {
        loy_cel_nearest_offer(&nearest, scope->name);
    }
    loy_cel_issue_add(checker->issues, node->start, node->end, "nothing is called '%.*s'%s", LOY_STR_ARG(node->name),
                      loy_cel_nearest_hint(&nearest, checker->issues));
}

void loy_cel_report_unknown_function(struct loy_cel_checker *checker, const struct loy_cel_node *node)
{
    bool is_method = node->kind == LOY_CEL_NODE_METHOD;
    unsigned style = is_method ? LOY_CEL_METHOD : LOY_CEL_GLOBAL;
    struct loy_cel_nearest nearest;
    loy_cel_nearest_init(&nearest, node->name);
    for (unsigned i = 0; i < LOY_CEL_FN_COUNT; i++) {
        if (loy_cel_builtin_at(i)->style & style) {
            loy_cel_nearest_offer(&nearest, loy_cel_builtin_at(i)->name);
        }
    }
    for (uint32_t i = 0; i < checker->env->function_count; i++) {
        if (checker->env->functions[i].decl.is_method == is_method) {
            loy_cel_nearest_offer(&nearest, checker->env->functions[i].name);
        }
    }
    if (is_method) {
        static const char *const macros[] = {"all", "exists", "exists_one", "map", "filter"};
        for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
            loy_cel_nearest_offer(&nearest, loy_str(macros[i]));
        }
    }
    const char *hint = loy_cel_nearest_hint(&nearest, checker->issues);
    if (loy_str_equal(nearest.best, node->name)) {
        hint = ": it takes a variable and an expression";
    }
    loy_cel_issue_add(checker->issues, node->at, node->end, "there is no %s '%.*s'%s",
                      is_method ? "method" : "function", LOY_STR_ARG(node->name), hint);
}
