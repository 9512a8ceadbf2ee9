#include "cel/parser.h"

#include "cel/functions.h"
#include "cel/literal.h"

#include <assert.h>

enum { MAX_ARGS = 4096, FIRST_ARGS = 4 };

/* Arguments while they are read; they move as they grow. */
struct args {
    struct loy_cel_node *small[FIRST_ARGS];
    struct loy_cel_node **at;
    uint32_t count, capacity;
};

static struct loy_cel_node *unary(struct loy_cel_parser *parser);

static struct loy_cel_node *out_of_memory(struct loy_cel_parser *parser)
{
    parser->stopped = parser->no_memory = true;
    return NULL;
}

struct loy_cel_node *loy_cel_parser_node(struct loy_cel_parser *parser, enum loy_cel_node_kind kind, uint32_t start,
                                         struct loy_cel_node *const *args, uint32_t count)
{
    if (++parser->node_count > LOY_CEL_MAX_NODES) {
        return loy_cel_parser_stop(parser, start, parser->previous_end,
                                   "the expression is too large: more than %d parts", LOY_CEL_MAX_NODES);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!args[i] || args[i] == &parser->broken) {
            return args[i];
        }
    }
    struct loy_cel_node *node = LOY_NEW(parser->arena, struct loy_cel_node);
    struct loy_cel_node **copy = LOY_NEW_ARRAY(parser->arena, struct loy_cel_node *, count);
    if (!node || !copy) {
        return out_of_memory(parser);
    }
    node->kind = (uint8_t)kind;
    node->depth = 1;
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = args[i];
        node->depth = node->depth > args[i]->depth ? node->depth : (uint16_t)(args[i]->depth + 1);
    }
    if (node->depth > LOY_CEL_MAX_NESTING) {
        return loy_cel_parser_stop(parser, start, parser->previous_end, "the expression is nested deeper than %d",
                                   LOY_CEL_MAX_NESTING);
    }
    node->args = copy;
    node->count = count;
    node->start = node->at = start;
    node->end = parser->previous_end;
    node->target = node->record = -1;
    return node;
}

static bool add_arg(struct loy_cel_parser *parser, struct args *args, struct loy_cel_node *node)
{
    if (!node) {
        return false;
    }
    if (args->count == MAX_ARGS) {
        return loy_cel_parser_stop(parser, node->start, node->end, "more than %d items", MAX_ARGS) != NULL;
    }
    if (args->count == 0) {
        args->at = args->small;
        args->capacity = FIRST_ARGS;
    }
    if (args->count == args->capacity) {
        struct loy_cel_node **moved = LOY_NEW_ARRAY(parser->arena, struct loy_cel_node *, (size_t)args->capacity * 2);
        if (!moved) {
            return out_of_memory(parser) != NULL;
        }
        for (uint32_t i = 0; i < args->count; i++) {
            moved[i] = args->at[i];
        }
        args->at = moved;
        args->capacity *= 2;
    }
    args->at[args->count++] = node;
    return true;
}

/* expr, expr … up to the closing bracket; a comma may stand last where `trailing`. False: broken, or stopped. */
static bool arguments(struct loy_cel_parser *parser, struct args *args, uint32_t close, bool trailing)
{
    const char *wanted = close == ')' ? "',' or ')'" : "',' or ']'";
    bool whole = true;
    if (parser->token.kind == close) {
        return loy_cel_parser_close(parser, close, wanted);
    }
    do {
        if (trailing && args->count > 0 && parser->token.kind == close) {
            break;
        }
        if (!add_arg(parser, args, loy_cel_parser_expression(parser))) {
            return false;
        }
        if (parser->token.kind != ',' && parser->token.kind != close) {
            loy_cel_parser_unclosed(parser, wanted);
            loy_cel_parser_resume(parser, wanted, false);
            whole = false;
        }
    } while (loy_cel_parser_accept(parser, ','));
    return loy_cel_parser_close(parser, close, wanted) && whole;
}

static struct loy_cel_node *call(struct loy_cel_parser *parser, enum loy_cel_node_kind kind, struct loy_str name,
                                 uint32_t start, uint32_t at, struct args *args)
{
    if (!arguments(parser, args, ')', false)) {
        return loy_cel_parser_broken(parser);
    }
    struct loy_cel_node *node = loy_cel_parser_node(parser, kind, start, args->at, args->count);
    if (!node || node == &parser->broken) {
        return node;
    }
    node->name = name;
    node->at = at;
    return loy_cel_expand_macro(parser, node);
}

static struct loy_cel_node *constant(struct loy_cel_parser *parser, uint32_t start, struct loy_cel_value value)
{
    struct loy_cel_node *node = loy_cel_parser_node(parser, LOY_CEL_NODE_CONST, start, NULL, 0);
    if (node) {
        node->constant = value;
    }
    return node;
}

/* A number or text; start stands before a sign that belongs to it. */
static struct loy_cel_node *literal(struct loy_cel_parser *parser, uint32_t start)
{
    struct loy_cel_token token = parser->token;
    token.start = start;
    const char *reason = "";
    struct loy_cel_value value;
    if (token.kind == LOY_CEL_TOKEN_NUMBER) {
        if (!loy_cel_literal_number(loy_cel_parser_text(parser, token), &value, &reason)) {
            (void)loy_cel_parser_fail(parser, start, token.end, "not a number: %s", reason);
            loy_cel_parser_step(parser);
            return loy_cel_parser_broken(parser);
        }
    } else if (!loy_cel_literal_text(loy_cel_parser_text(parser, token), parser->arena, &value, &reason)) {
        (void)loy_cel_parser_fail(parser, start, token.end, "not a text: %s", reason);
        loy_cel_parser_step(parser);
        return loy_cel_parser_broken(parser);
    }
    loy_cel_parser_step(parser);
    return constant(parser, start, value);
}

static struct loy_cel_node *identifier(struct loy_cel_parser *parser, bool from_root, uint32_t start)
{
    struct loy_str name = loy_cel_parser_text(parser, parser->token);
    uint32_t at = parser->token.start;
    if (!from_root && (loy_str_equal(name, LOY_STR("true")) || loy_str_equal(name, LOY_STR("false")))) {
        loy_cel_parser_step(parser);
        return constant(parser, start, loy_cel_bool(name.len == 4));
    }
    if (!from_root && loy_str_equal(name, LOY_STR("null"))) {
        loy_cel_parser_step(parser);
        return constant(parser, start, loy_cel_null());
    }
    if (loy_str_equal(name, LOY_STR("in"))) { /* its left side is what is not there */
        return loy_cel_parser_unexpected(parser, "a value");
    }
    if (loy_cel_is_reserved(name)) {
        (void)loy_cel_parser_fail(parser, at, parser->token.end, "'%.*s' is a reserved word", LOY_STR_ARG(name));
        loy_cel_parser_step(parser);
        return loy_cel_parser_broken(parser);
    }
    loy_cel_parser_step(parser);
    struct loy_cel_node *node;
    if (loy_cel_parser_open(parser, '(')) {
        struct args args = {.count = 0};
        node = call(parser, LOY_CEL_NODE_CALL, name, start, at, &args);
    } else {
        node = loy_cel_parser_node(parser, LOY_CEL_NODE_IDENT, start, NULL, 0);
    }
    if (node && (node->kind == LOY_CEL_NODE_IDENT || node->kind == LOY_CEL_NODE_CALL)) {
        node->name = name;
        node->from_root = from_root;
    }
    return node;
}

static struct loy_cel_node *list(struct loy_cel_parser *parser, uint32_t start)
{
    struct args args = {.count = 0};
    if (!arguments(parser, &args, ']', true)) {
        return loy_cel_parser_broken(parser);
    }
    return loy_cel_parser_node(parser, LOY_CEL_NODE_LIST, start, args.at, args.count);
}

/* key: value. False: broken, or stopped. */
static bool entry(struct loy_cel_parser *parser, struct args *args)
{
    if (!add_arg(parser, args, loy_cel_parser_expression(parser))) {
        return false;
    }
    bool whole = parser->token.kind == ':';
    if (!whole) {
        (void)loy_cel_parser_unexpected(parser, "':'");
        loy_cel_parser_skip(parser);
    }
    return loy_cel_parser_accept(parser, ':') && add_arg(parser, args, loy_cel_parser_expression(parser)) && whole;
}

static struct loy_cel_node *map(struct loy_cel_parser *parser, uint32_t start)
{
    static const char wanted[] = "',' or '}'";
    struct args args = {.count = 0};
    bool whole = true;
    while (!parser->stopped && parser->token.kind != '}') {
        whole = entry(parser, &args) && whole;
        if (!parser->stopped && parser->token.kind != ',' && parser->token.kind != '}') {
            loy_cel_parser_unclosed(parser, wanted);
            loy_cel_parser_resume(parser, wanted, false);
        }
        if (!loy_cel_parser_accept(parser, ',')) {
            break;
        }
    }
    if (!loy_cel_parser_close(parser, '}', wanted) || !whole) {
        return loy_cel_parser_broken(parser);
    }
    return loy_cel_parser_node(parser, LOY_CEL_NODE_MAP, start, args.at, args.count);
}

static struct loy_cel_node *primary(struct loy_cel_parser *parser)
{
    uint32_t start = parser->token.start;
    if (parser->token.kind == LOY_CEL_TOKEN_NUMBER || parser->token.kind == LOY_CEL_TOKEN_TEXT) {
        return literal(parser, start);
    }
    if (parser->token.kind == LOY_CEL_TOKEN_IDENT) {
        return identifier(parser, false, start);
    }
    if (loy_cel_parser_accept(parser, '.')) {
        if (parser->token.kind == LOY_CEL_TOKEN_IDENT) {
            return identifier(parser, true, start);
        }
        return loy_cel_parser_unexpected(parser, "a name");
    }
    if (loy_cel_parser_open(parser, '[')) {
        return list(parser, start);
    }
    if (loy_cel_parser_open(parser, '{')) {
        return map(parser, start);
    }
    if (loy_cel_parser_open(parser, '(')) {
        struct loy_cel_node *node = loy_cel_parser_expression(parser);
        return loy_cel_parser_close(parser, ')', "')'") ? node : loy_cel_parser_broken(parser);
    }
    return loy_cel_parser_unexpected(parser, "a value");
}

/* ".name" or ".name(args)" behind target. */
static struct loy_cel_node *selection(struct loy_cel_parser *parser, struct loy_cel_node *target)
{
    struct loy_cel_token token = parser->token;
    struct loy_str name = loy_cel_parser_text(parser, token);
    bool is_word = token.kind == LOY_CEL_TOKEN_IDENT && !loy_str_equal(name, LOY_STR("in")) &&
                   !loy_str_equal(name, LOY_STR("true")) && !loy_str_equal(name, LOY_STR("false")) &&
                   !loy_str_equal(name, LOY_STR("null"));
    if (!is_word && token.kind != LOY_CEL_TOKEN_QUOTED) {
        return loy_cel_parser_unexpected(parser, "the name of a field");
    }
    loy_cel_parser_step(parser);
    struct args args = {.count = 0};
    if (!add_arg(parser, &args, target)) {
        return NULL;
    }
    if (is_word && loy_cel_parser_open(parser, '(')) {
        return call(parser, LOY_CEL_NODE_METHOD, name, target->start, token.start, &args);
    }
    struct loy_cel_node *node = loy_cel_parser_node(parser, LOY_CEL_NODE_SELECT, target->start, args.at, 1);
    if (node) {
        node->name = name;
        node->at = token.start;
    }
    return node;
}

static struct loy_cel_node *operation(struct loy_cel_parser *parser, enum loy_cel_builtin op, uint32_t at,
                                      struct loy_cel_node *left, struct loy_cel_node *right)
{
    if (!left || !right) {
        return NULL;
    }
    struct loy_cel_node *args[] = {left, right};
    struct loy_cel_node *node = loy_cel_parser_node(parser, LOY_CEL_NODE_OP, left->start, args, 2);
    if (node) {
        node->detail = (uint8_t)op;
        node->at = at;
    }
    return node;
}

static struct loy_cel_node *member(struct loy_cel_parser *parser, struct loy_cel_node *node)
{
    while (node && !parser->stopped) {
        uint32_t at = parser->token.start;
        if (loy_cel_parser_accept(parser, '.')) {
            node = selection(parser, node);
        } else if (loy_cel_parser_open(parser, '[')) {
            struct loy_cel_node *key = loy_cel_parser_expression(parser);
            node = loy_cel_parser_close(parser, ']', "']'") ? operation(parser, LOY_CEL_FN_index, at, node, key)
                                                            : loy_cel_parser_broken(parser);
        } else if (parser->token.kind == '{') {
            (void)loy_cel_parser_fail(parser, at, at + 1, "records cannot be built in an expression");
            loy_cel_parser_skip(parser);
            return loy_cel_parser_broken(parser);
        } else {
            break;
        }
    }
    return node;
}

static struct loy_cel_node *signed_value(struct loy_cel_parser *parser, enum loy_cel_builtin op)
{
    uint32_t start = parser->token.start;
    loy_cel_parser_step(parser);
    if (op == LOY_CEL_FN_neg && parser->token.kind == LOY_CEL_TOKEN_NUMBER && parser->token.start == start + 1) {
        return member(parser, literal(parser, start));
    }
    struct loy_cel_node *value = unary(parser);
    if (!value) {
        return NULL;
    }
    struct loy_cel_node *node = loy_cel_parser_node(parser, LOY_CEL_NODE_OP, start, &value, 1);
    if (node) {
        node->detail = (uint8_t)op;
    }
    return node;
}

static struct loy_cel_node *unary(struct loy_cel_parser *parser)
{
    if (parser->stopped) {
        return NULL;
    }
    if (++parser->depth > LOY_CEL_MAX_NESTING) {
        return loy_cel_parser_stop(parser, parser->token.start, parser->token.end,
                                   "the expression is nested deeper than %d", LOY_CEL_MAX_NESTING);
    }
    struct loy_cel_node *node;
    if (parser->token.kind == '!') {
        node = signed_value(parser, LOY_CEL_FN_not);
    } else if (parser->token.kind == '-') {
        node = signed_value(parser, LOY_CEL_FN_neg);
    } else {
        node = member(parser, primary(parser));
    }
    parser->depth--;
    return node;
}

/* The operator of a level (0: relations, 1: sums, 2: products) that stands here; -1: none. */
static int operator_here(const struct loy_cel_parser *parser, int level)
{
    static const struct {
        uint32_t token;
        int level;
        enum loy_cel_builtin op;
    } operators[] = {
        {LOY_CEL_TOKEN_EQ, 0, LOY_CEL_FN_eq},
        {LOY_CEL_TOKEN_NE, 0, LOY_CEL_FN_ne},
        {LOY_CEL_TOKEN_LE, 0, LOY_CEL_FN_le},
        {LOY_CEL_TOKEN_GE, 0, LOY_CEL_FN_ge},
        {'<', 0, LOY_CEL_FN_lt},
        {'>', 0, LOY_CEL_FN_gt},
        {'+', 1, LOY_CEL_FN_add},
        {'-', 1, LOY_CEL_FN_sub},
        {'*', 2, LOY_CEL_FN_mul},
        {'/', 2, LOY_CEL_FN_div},
        {'%', 2, LOY_CEL_FN_mod},
    };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (operators[i].token == parser->token.kind && operators[i].level == level) {
            return (int)operators[i].op;
        }
    }
    if (level == 0 && parser->token.kind == LOY_CEL_TOKEN_IDENT &&
        loy_str_equal(loy_cel_parser_text(parser, parser->token), LOY_STR("in"))) {
        return LOY_CEL_FN_in;
    }
    return -1;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most three levels */
static struct loy_cel_node *binary(struct loy_cel_parser *parser, int level)
{
    struct loy_cel_node *node = level == 3 ? unary(parser) : binary(parser, level + 1);
    while (level < 3 && node && !parser->stopped) {
        int op = operator_here(parser, level);
        if (op < 0) {
            break;
        }
        uint32_t at = parser->token.start;
        loy_cel_parser_step(parser);
        node = operation(parser, (enum loy_cel_builtin)op, at, node, binary(parser, level + 1));
    }
    return node;
}

/* a && b && c as one node: neither the tree nor the evaluation gets deeper by their number. */
static struct loy_cel_node *chain(struct loy_cel_parser *parser, enum loy_cel_node_kind kind)
{
    uint32_t start = parser->token.start, at = 0;
    uint32_t sign = kind == LOY_CEL_NODE_AND ? LOY_CEL_TOKEN_AND : LOY_CEL_TOKEN_OR;
    struct args args = {.count = 0};
    do {
        struct loy_cel_node *part = kind == LOY_CEL_NODE_OR ? chain(parser, LOY_CEL_NODE_AND) : binary(parser, 0);
        if (!add_arg(parser, &args, part)) {
            return NULL;
        }
        at = args.count == 1 ? parser->token.start : at;
    } while (loy_cel_parser_accept(parser, sign));
    if (args.count == 1) {
        return parser->stopped ? NULL : args.at[0];
    }
    struct loy_cel_node *node = loy_cel_parser_node(parser, kind, start, args.at, args.count);
    if (node) {
        node->at = at;
    }
    return node;
}

struct loy_cel_node *loy_cel_parser_expression(struct loy_cel_parser *parser)
{
    if (parser->stopped || ++parser->depth > LOY_CEL_MAX_NESTING) {
        return loy_cel_parser_stop(parser, parser->token.start, parser->token.end,
                                   "the expression is nested deeper than %d", LOY_CEL_MAX_NESTING);
    }
    struct loy_cel_node *node = chain(parser, LOY_CEL_NODE_OR);
    uint32_t at = parser->token.start;
    if (node && loy_cel_parser_accept(parser, '?')) {
        struct loy_cel_node *args[3] = {node, chain(parser, LOY_CEL_NODE_OR), loy_cel_parser_broken(parser)};
        if (!parser->stopped && parser->token.kind != ':') {
            (void)loy_cel_parser_unexpected(parser, "':'");
            loy_cel_parser_skip(parser);
        }
        if (loy_cel_parser_accept(parser, ':')) {
            args[2] = loy_cel_parser_expression(parser);
        }
        node = loy_cel_parser_node(parser, LOY_CEL_NODE_IF, node->start, args, 3);
        if (node) {
            node->at = at;
        }
    }
    parser->depth--;
    return parser->stopped ? NULL : node;
}

enum loy_err loy_cel_parse(struct loy_str text, bool no_macros, struct loy_arena *arena,
                           struct loy_cel_issue_sink *issues, struct loy_cel_parse_result *ret)
{
    struct loy_cel_parser parser = {
        .text = text, .arena = arena, .issues = issues, .no_macros = no_macros, .quiet_at = UINT32_MAX};
    *ret = (struct loy_cel_parse_result){.root = NULL};
    if (text.len > LOY_CEL_MAX_TEXT) {
        loy_cel_issue_add(issues, 0, 0, "the expression is longer than %d bytes", LOY_CEL_MAX_TEXT);
        return LOY_OK;
    }
    if (!loy_str_is_utf8(text)) {
        loy_cel_issue_add(issues, 0, 0, "the expression is not UTF-8");
        return LOY_OK;
    }
    loy_cel_parser_step(&parser);
    struct loy_cel_node *root = loy_cel_parser_expression(&parser);
    loy_cel_parser_finish(&parser);
    ret->root = parser.stopped || parser.failed ? NULL : root;
    ret->node_count = parser.node_count;
    return parser.no_memory || issues->failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}
