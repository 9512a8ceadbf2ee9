#include "cel/check.h"

#include <assert.h>

enum { MAX_SHOWN = 4 };

/* One signature, its parameters replaced by fresh variables. */
struct signature {
    const struct loy_cel_type *result;
    const struct loy_cel_type *params[LOY_CEL_MAX_PARAMS];
    uint32_t count;
};

/* What all overloads that fit yield. */
struct choice {
    const struct loy_cel_type *result; /* NULL: none fitted */
    struct signature first;            /* that fitted */
    uint32_t fitting;
    struct loy_buf shown; /* the signatures that there are, for the message */
    uint32_t shown_count;
};

const char *loy_cel_type_text(struct loy_cel_checker *checker, const struct loy_cel_type *type)
{
    struct loy_buf buf;
    loy_buf_init(&buf, checker->arena, 64);
    loy_cel_type_print(loy_cel_unifier_resolve(&checker->unifier, type), &buf);
    loy_buf_append_byte(&buf, 0);
    return buf.failed ? "" : loy_buf_str(&buf).at;
}

static void instantiate(struct loy_cel_checker *checker, struct signature *signature)
{
    const struct loy_cel_type *fresh[LOY_CEL_MAX_PARAMS] = {NULL};
    for (uint32_t i = 0; i < signature->count; i++) {
        signature->params[i] = loy_cel_unifier_instance(&checker->unifier, signature->params[i], fresh);
    }
    signature->result = loy_cel_unifier_instance(&checker->unifier, signature->result, fresh);
}

/* Binds the variables of a signature to the arguments of node, if they fit. */
static bool fits(struct loy_cel_checker *checker, const struct loy_cel_node *node, struct signature *signature)
{
    uint32_t mark = loy_cel_unifier_mark(&checker->unifier);
    instantiate(checker, signature);
    for (uint32_t i = 0; i < node->count; i++) {
        if (!loy_cel_unifier_assign(&checker->unifier, signature->params[i], node->args[i]->type)) {
            loy_cel_unifier_undo(&checker->unifier, mark);
            return false;
        }
    }
    return true;
}

/* Tries one signature on the arguments of node, and leaves no trace: what the arguments are is only known for sure if
 * no other one fits. */
static void consider(struct loy_cel_checker *checker, const struct loy_cel_node *node,
                     const struct signature *signature, struct choice *choice)
{
    uint32_t mark = loy_cel_unifier_mark(&checker->unifier);
    struct signature fresh = *signature;
    if (signature->count != node->count || !fits(checker, node, &fresh)) {
        return;
    }
    const struct loy_cel_type *result = loy_cel_unifier_resolve(&checker->unifier, fresh.result);
    loy_cel_unifier_undo(&checker->unifier, mark);
    if (choice->fitting++ == 0) {
        choice->first = *signature;
        choice->result = result;
    } else if (!loy_cel_type_equal(choice->result, result)) {
        choice->result = loy_cel_type_basic(LOY_CEL_TYPE_DYN);
    }
}

static void show(struct loy_cel_checker *checker, const struct signature *signature, struct choice *choice)
{
    if (choice->shown_count++ >= MAX_SHOWN) {
        return;
    }
    loy_buf_append(&choice->shown, choice->shown_count > 1 ? LOY_STR(" or (") : LOY_STR("("));
    for (uint32_t i = 0; i < signature->count; i++) {
        loy_buf_append(&choice->shown, i ? LOY_STR(", ") : LOY_STR(""));
        loy_cel_type_print(signature->params[i], &choice->shown);
    }
    loy_buf_append_byte(&choice->shown, ')');
    (void)checker;
}

/* The type at *text; dyn when the arena is full, which is kept. */
static const struct loy_cel_type *read_letter(struct loy_cel_checker *checker, const char **text)
{
    const struct loy_cel_type *type = loy_cel_type_of_letters(checker->arena, text);
    checker->unifier.failed |= !type;
    return type ? type : loy_cel_type_basic(LOY_CEL_TYPE_DYN);
}

/* The next of "iii;uuu"; moves *text behind it. */
static struct signature read_letters(struct loy_cel_checker *checker, const char **text)
{
    struct signature signature = {.count = 0};
    signature.result = read_letter(checker, text);
    while (**text && **text != ';') {
        assert(signature.count < LOY_CEL_MAX_PARAMS);
        signature.params[signature.count++] = read_letter(checker, text);
    }
    *text += **text == ';';
    return signature;
}

/* The signatures of what node calls, one after the other; false: no more. */
struct cursor {
    const char *letters;
    uint32_t next; /* host function */
};

static bool next_signature(struct loy_cel_checker *checker, const struct loy_cel_node *node, struct cursor *cursor,
                           struct signature *ret)
{
    if (node->meaning != LOY_CEL_MEANS_HOST) {
        if (!*cursor->letters) {
            return false;
        }
        *ret = read_letters(checker, &cursor->letters);
        return true;
    }
    const struct loy_cel_env *env = checker->env;
    const struct loy_cel_host_function *first = &env->functions[node->target];
    for (; cursor->next < env->function_count; cursor->next++) {
        const struct loy_cel_host_function *function = &env->functions[cursor->next];
        if (function->decl.is_method == first->decl.is_method && loy_str_equal(function->name, first->name)) {
            cursor->next++;
            *ret = (struct signature){.result = function->result, .count = function->param_count};
            memcpy(ret->params, function->params, sizeof ret->params);
            return true;
        }
    }
    return false;
}

static unsigned builtin_of(const struct loy_cel_node *node)
{
    return node->kind == LOY_CEL_NODE_OP ? node->detail : (unsigned)node->target;
}

static struct cursor begin(const struct loy_cel_node *node)
{
    if (node->meaning == LOY_CEL_MEANS_HOST) {
        return (struct cursor){"", (uint32_t)node->target};
    }
    return (struct cursor){loy_cel_builtin_at(builtin_of(node))->signatures, 0};
}

/* `_+_` is written `+`. */
static struct loy_str sign_of(const struct loy_cel_node *node)
{
    if (node->kind != LOY_CEL_NODE_OP) {
        return node->name;
    }
    struct loy_str name = loy_cel_builtin_at(node->detail)->name;
    if (node->detail == LOY_CEL_FN_index) {
        return LOY_STR("[]");
    }
    while (name.len > 0 && name.at[0] == '_') {
        name.at++;
        name.len--;
    }
    while (name.len > 0 && name.at[name.len - 1] == '_') {
        name.len--;
    }
    return name;
}

static void report(struct loy_cel_checker *checker, const struct loy_cel_node *node, struct choice *choice)
{
    struct loy_buf found;
    loy_buf_init(&found, checker->arena, 128);
    for (uint32_t i = 0; i < node->count; i++) {
        loy_buf_append(&found, i ? LOY_STR(", ") : LOY_STR(""));
        loy_cel_type_print(loy_cel_unifier_resolve(&checker->unifier, node->args[i]->type), &found);
    }
    struct loy_str name = sign_of(node), shown = loy_buf_str(&choice->shown), has = loy_buf_str(&found);
    loy_cel_issue_add(checker->issues, node->at, node->end, "'%.*s' takes %.*s%s, found (%.*s)", LOY_STR_ARG(name),
                      LOY_STR_ARG(shown), choice->shown_count > MAX_SHOWN ? " or others" : "", LOY_STR_ARG(has));
}

/* No signature fits. Those whose first parameter fits are what was meant, if there are any. */
static void explain(struct loy_cel_checker *checker, const struct loy_cel_node *node)
{
    struct choice choice = {.result = NULL};
    loy_buf_init(&choice.shown, checker->arena, 128);
    for (int strict = 1; strict >= 0 && choice.shown_count == 0; strict--) {
        struct cursor cursor = begin(node);
        struct signature signature;
        while (next_signature(checker, node, &cursor, &signature)) {
            struct signature fresh = signature;
            instantiate(checker, &fresh);
            if (!strict || (signature.count > 0 && node->count > 0 && signature.count == node->count &&
                            loy_cel_unifier_assign(&checker->unifier, fresh.params[0], node->args[0]->type))) {
                show(checker, &signature, &choice);
            }
        }
    }
    report(checker, node, &choice);
}

static bool is_number(const struct loy_cel_type *type)
{
    return type->kind == LOY_CEL_INT || type->kind == LOY_CEL_UINT || type->kind == LOY_CEL_DOUBLE ||
           type->kind == LOY_CEL_TYPE_DYN || type->kind == LOY_CEL_TYPE_VAR;
}

/* greatest, least: any number of numbers, or a list of them. The one type they share, or dyn. */
static const struct loy_cel_type *check_numbers(struct loy_cel_checker *checker, const struct loy_cel_node *node)
{
    const struct loy_cel_type *result = NULL;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct loy_cel_type *type = loy_cel_unifier_top(&checker->unifier, node->args[i]->type);
        if (node->count == 1 && type->kind == LOY_CEL_LIST) {
            type = loy_cel_unifier_top(&checker->unifier, type->params[0]);
        }
        if (!is_number(type)) {
            loy_cel_issue_add(checker->issues, node->args[i]->start, node->args[i]->end,
                              "'%.*s' takes numbers or a list of them, found %s", LOY_STR_ARG(node->name),
                              loy_cel_type_text(checker, type));
            return loy_cel_type_basic(LOY_CEL_ERROR);
        }
        result = !result || result->kind == type->kind ? type : loy_cel_type_basic(LOY_CEL_TYPE_DYN);
    }
    if (!result) {
        loy_cel_issue_add(checker->issues, node->at, node->end, "'%.*s' takes at least one number",
                          LOY_STR_ARG(node->name));
        return loy_cel_type_basic(LOY_CEL_ERROR);
    }
    return result->kind == LOY_CEL_TYPE_VAR ? loy_cel_type_basic(LOY_CEL_TYPE_DYN) : result;
}

const struct loy_cel_type *loy_cel_check_overloads(struct loy_cel_checker *checker, struct loy_cel_node *node)
{
    struct cursor cursor = begin(node);
    if (*cursor.letters == '#') {
        return check_numbers(checker, node);
    }
    struct choice choice = {.result = NULL};
    struct signature signature;
    while (!checker->unifier.failed && next_signature(checker, node, &cursor, &signature)) {
        consider(checker, node, &signature, &choice);
    }
    if (!choice.result) {
        if (!checker->unifier.failed) {
            explain(checker, node);
        }
        return loy_cel_type_basic(LOY_CEL_ERROR);
    }
    if (choice.fitting == 1 && fits(checker, node, &choice.first)) {
        return choice.first.result;
    }
    return choice.result;
}
