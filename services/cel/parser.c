#include "cel/parser.h"

#include "cel/functions.h"
#include "cel/literal.h"

#include <assert.h>
#include <stdio.h>

enum { MAX_ARGS = 4096, FIRST_ARGS = 4 };

/* Arguments while they are read; they move as they grow. */
struct args {
    struct loy_cel_node *small[FIRST_ARGS];
    struct loy_cel_node **at;
    uint32_t count, capacity;
};

static struct loy_cel_node *expression(struct loy_cel_parser *parser);
static struct loy_cel_node *unary(struct loy_cel_parser *parser);

void loy_cel_parser_fail(struct loy_cel_parser *parser, uint32_t start, uint32_t end, const char *format, ...)
{
    if (parser->stopped) {
        return;
    }
    parser->stopped = true;
    char message[256];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof message, format, list);
    va_end(list);
    loy_cel_issue_add(parser->issues, start, end, "%s", message);
}

static struct loy_cel_node *out_of_memory(struct loy_cel_parser *parser)
{
    parser->stopped = parser->no_memory = true;
    return NULL;
}

struct loy_cel_node *loy_cel_parser_node(struct loy_cel_parser *parser, enum loy_cel_node_kind kind, uint32_t start,
                                         struct loy_cel_node *const *args, uint32_t count)
{
    if (++parser->node_count > LOY_CEL_MAX_NODES) {
        loy_cel_parser_fail(parser, start, parser->previous_end, "the expression is too large: more than %d parts",
                            LOY_CEL_MAX_NODES);
        return NULL;
    }
    struct loy_cel_node *node = LOY_NEW(parser->arena, struct loy_cel_node);
    struct loy_cel_node **copy = LOY_NEW_ARRAY(parser->arena, struct loy_cel_node *, count);
    if (!node || !copy) {
        return out_of_memory(parser);
    }
    node->kind = (uint8_t)kind;
    node->depth = 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!args[i]) {
            return NULL;
        }
        copy[i] = args[i];
        node->depth = node->depth > args[i]->depth ? node->depth : (uint16_t)(args[i]->depth + 1);
    }
    if (node->depth > LOY_CEL_MAX_NESTING) {
        loy_cel_parser_fail(parser, start, parser->previous_end, "the expression is nested deeper than %d",
                            LOY_CEL_MAX_NESTING);
        return NULL;
    }
    node->args = copy;
    node->count = count;
    node->start = node->at = start;
    node->end = parser->previous_end;
    node->target = node->record = -1;
    return node;
}

static struct loy_str text_of(const struct loy_cel_parser *parser, struct loy_cel_token token)
{
    return (struct loy_str){parser->text.at + token.start, token.end - token.start};
}

static void step(struct loy_cel_parser *parser)
{
    parser->previous_end = parser->token.end;
    uint32_t from = parser->token.kind == LOY_CEL_TOKEN_QUOTED ? parser->token.end + 1 : parser->token.end;
    parser->token = loy_cel_next_token(parser->text, from);
    if (parser->token.kind == LOY_CEL_TOKEN_BAD) {
        loy_cel_parser_fail(parser, parser->token.start, parser->token.end, "%s", parser->token.message);
    }
}

static bool accept(struct loy_cel_parser *parser, uint32_t kind)
{
    if (parser->stopped || parser->token.kind != kind) {
        return false;
    }
    step(parser);
    return true;
}

static void unexpected(struct loy_cel_parser *parser, const char *wanted)
{
    struct loy_cel_token token = parser->token;
    if (token.kind == LOY_CEL_TOKEN_END) {
        loy_cel_parser_fail(parser, token.start, token.end, "the expression ends here, but %s was expected", wanted);
    } else {
        loy_cel_parser_fail(parser, token.start, token.end, "'%.*s' stands where %s was expected",
                            LOY_STR_ARG(text_of(parser, token)), wanted);
    }
}

static bool expect(struct loy_cel_parser *parser, uint32_t kind, const char *wanted)
{
    if (accept(parser, kind)) {
        return true;
    }
    unexpected(parser, wanted);
    return false;
}

static bool add_arg(struct loy_cel_parser *parser, struct args *args, struct loy_cel_node *node)
{
    if (!node) {
        return false;
    }
    if (args->count == MAX_ARGS) {
        loy_cel_parser_fail(parser, node->start, node->end, "more than %d items", MAX_ARGS);
        return false;
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

/* expr, expr … up to the closing bracket; a comma may stand last where `trailing`. */
static bool arguments(struct loy_cel_parser *parser, struct args *args, uint32_t close, bool trailing)
{
    if (accept(parser, close)) {
        return true;
    }
    do {
        if (trailing && args->count > 0 && accept(parser, close)) {
            return true;
        }
        if (!add_arg(parser, args, expression(parser))) {
            return false;
        }
    } while (accept(parser, ','));
    return expect(parser, close, close == ')' ? "',' or ')'" : "',' or ']'");
}

static struct loy_cel_node *call(struct loy_cel_parser *parser, enum loy_cel_node_kind kind, struct loy_str name,
                                 uint32_t start, uint32_t at, struct args *args)
{
    if (!arguments(parser, args, ')', false)) {
        return NULL;
    }
    struct loy_cel_node *node = loy_cel_parser_node(parser, kind, start, args->at, args->count);
    if (!node) {
        return NULL;
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
        if (!loy_cel_literal_number(text_of(parser, token), &value, &reason)) {
            loy_cel_parser_fail(parser, start, token.end, "not a number: %s", reason);
            return NULL;
        }
    } else if (!loy_cel_literal_text(text_of(parser, token), parser->arena, &value, &reason)) {
        loy_cel_parser_fail(parser, start, token.end, "not a text: %s", reason);
        return NULL;
    }
    step(parser);
    return constant(parser, start, value);
}

static struct loy_cel_node *identifier(struct loy_cel_parser *parser, bool from_root, uint32_t start)
{
    struct loy_str name = text_of(parser, parser->token);
    uint32_t at = parser->token.start;
    if (!from_root && (loy_str_equal(name, LOY_STR("true")) || loy_str_equal(name, LOY_STR("false")))) {
        step(parser);
        return constant(parser, start, loy_cel_bool(name.len == 4));
    }
    if (!from_root && loy_str_equal(name, LOY_STR("null"))) {
        step(parser);
        return constant(parser, start, loy_cel_null());
    }
    if (loy_cel_is_reserved(name)) {
        loy_cel_parser_fail(parser, at, parser->token.end, "'%.*s' is a reserved word", LOY_STR_ARG(name));
        return NULL;
    }
    step(parser);
    struct loy_cel_node *node;
    if (accept(parser, '(')) {
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
        return NULL;
    }
    return loy_cel_parser_node(parser, LOY_CEL_NODE_LIST, start, args.at, args.count);
}

static struct loy_cel_node *map(struct loy_cel_parser *parser, uint32_t start)
{
    struct args args = {.count = 0};
    while (!accept(parser, '}')) {
        if (!add_arg(parser, &args, expression(parser)) || !expect(parser, ':', "':'") ||
            !add_arg(parser, &args, expression(parser))) {
            return NULL;
        }
        if (!accept(parser, ',') && parser->token.kind != '}') {
            unexpected(parser, "',' or '}'");
            return NULL;
        }
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
    if (accept(parser, '.')) {
        if (parser->token.kind == LOY_CEL_TOKEN_IDENT) {
            return identifier(parser, true, start);
        }
        unexpected(parser, "a name");
        return NULL;
    }
    if (accept(parser, '[')) {
        return list(parser, start);
    }
    if (accept(parser, '{')) {
        return map(parser, start);
    }
    if (accept(parser, '(')) {
        struct loy_cel_node *node = expression(parser);
        return node && expect(parser, ')', "')'") ? node : NULL;
    }
    unexpected(parser, "a value");
    return NULL;
}

/* ".name" or ".name(args)" behind target. */
static struct loy_cel_node *selection(struct loy_cel_parser *parser, struct loy_cel_node *target)
{
    struct loy_cel_token token = parser->token;
    struct loy_str name = text_of(parser, token);
    bool is_word = token.kind == LOY_CEL_TOKEN_IDENT && !loy_str_equal(name, LOY_STR("in")) &&
                   !loy_str_equal(name, LOY_STR("true")) && !loy_str_equal(name, LOY_STR("false")) &&
                   !loy_str_equal(name, LOY_STR("null"));
    if (!is_word && token.kind != LOY_CEL_TOKEN_QUOTED) {
        unexpected(parser, "the name of a field");
        return NULL;
    }
    step(parser);
    struct args args = {.count = 0};
    if (!add_arg(parser, &args, target)) {
        return NULL;
    }
    if (is_word && accept(parser, '(')) {
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
        if (accept(parser, '.')) {
            node = selection(parser, node);
        } else if (accept(parser, '[')) {
            struct loy_cel_node *key = expression(parser);
            node = key && expect(parser, ']', "']'") ? operation(parser, LOY_CEL_FN_index, at, node, key) : NULL;
        } else if (parser->token.kind == '{') {
            loy_cel_parser_fail(parser, at, at + 1, "records cannot be built in an expression");
            return NULL;
        } else {
            break;
        }
    }
    return node;
}

static struct loy_cel_node *signed_value(struct loy_cel_parser *parser, enum loy_cel_builtin op)
{
    uint32_t start = parser->token.start;
    step(parser);
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
        loy_cel_parser_fail(parser, parser->token.start, parser->token.end, "the expression is nested deeper than %d",
                            LOY_CEL_MAX_NESTING);
        return NULL;
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
        loy_str_equal(text_of(parser, parser->token), LOY_STR("in"))) {
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
        step(parser);
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
    } while (accept(parser, sign));
    if (args.count == 1) {
        return parser->stopped ? NULL : args.at[0];
    }
    struct loy_cel_node *node = loy_cel_parser_node(parser, kind, start, args.at, args.count);
    if (node) {
        node->at = at;
    }
    return node;
}

static struct loy_cel_node *expression(struct loy_cel_parser *parser)
{
    if (parser->stopped || ++parser->depth > LOY_CEL_MAX_NESTING) {
        loy_cel_parser_fail(parser, parser->token.start, parser->token.end, "the expression is nested deeper than %d",
                            LOY_CEL_MAX_NESTING);
        return NULL;
    }
    struct loy_cel_node *node = chain(parser, LOY_CEL_NODE_OR);
    uint32_t at = parser->token.start;
    if (node && accept(parser, '?')) {
        struct loy_cel_node *args[3] = {node, chain(parser, LOY_CEL_NODE_OR), NULL};
        if (args[1] && expect(parser, ':', "':'")) {
            args[2] = expression(parser);
        }
        node = args[1] && args[2] ? loy_cel_parser_node(parser, LOY_CEL_NODE_IF, node->start, args, 3) : NULL;
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
    struct loy_cel_parser parser = {.text = text, .arena = arena, .issues = issues, .no_macros = no_macros};
    *ret = (struct loy_cel_parse_result){.root = NULL};
    if (text.len > LOY_CEL_MAX_TEXT) {
        loy_cel_issue_add(issues, 0, 0, "the expression is longer than %d bytes", LOY_CEL_MAX_TEXT);
        return LOY_OK;
    }
    if (!loy_str_is_utf8(text)) {
        loy_cel_issue_add(issues, 0, 0, "the expression is not UTF-8");
        return LOY_OK;
    }
    step(&parser);
    struct loy_cel_node *root = expression(&parser);
    if (root && parser.token.kind != LOY_CEL_TOKEN_END) {
        unexpected(&parser, "an operator or the end");
    }
    ret->root = parser.stopped ? NULL : root;
    ret->node_count = parser.node_count;
    return parser.no_memory || issues->failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}
