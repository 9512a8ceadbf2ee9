#include "cel/parser.h"

/* A plain name that a macro may bind. */
static bool binds(struct loy_cel_parser *parser, const struct loy_cel_node *name, const struct loy_cel_node *call)
{
    if (name->kind == LOY_CEL_NODE_IDENT && !name->from_root) {
        return true;
    }
    (void)loy_cel_parser_fail(parser, name->start, name->end, "%.*s() wants a plain name for its variable here",
                              LOY_STR_ARG(call->name));
    return false;
}

static struct loy_cel_node *expand_has(struct loy_cel_parser *parser, struct loy_cel_node *call)
{
    struct loy_cel_node *field = call->args[0];
    if (field->kind != LOY_CEL_NODE_SELECT) {
        return loy_cel_parser_fail(parser, field->start, field->end, "has() wants a field: has(purchase.coupon)");
    }
    field->kind = LOY_CEL_NODE_HAS;
    field->start = call->start;
    field->end = call->end;
    return field;
}

static struct loy_cel_node *expand_loop(struct loy_cel_parser *parser, struct loy_cel_node *call,
                                        enum loy_cel_loop loop)
{
    struct loy_cel_node *name = call->args[1];
    if (!binds(parser, name, call)) {
        return loy_cel_parser_broken(parser);
    }
    struct loy_cel_node *args[3] = {call->args[0], call->args[2], call->count == 4 ? call->args[3] : NULL};
    struct loy_cel_node *node =
        loy_cel_parser_node(parser, LOY_CEL_NODE_LOOP, call->start, args, call->count == 4 ? 3 : 2);
    if (node) {
        node->detail = (uint8_t)loop;
        node->name = name->name;
        node->at = call->at;
        node->end = call->end;
    }
    return node;
}

static struct loy_cel_node *expand_bind(struct loy_cel_parser *parser, struct loy_cel_node *call)
{
    if (!binds(parser, call->args[1], call)) {
        return loy_cel_parser_broken(parser);
    }
    struct loy_cel_node *node = loy_cel_parser_node(parser, LOY_CEL_NODE_BIND, call->start, call->args + 2, 2);
    if (node) {
        node->name = call->args[1]->name;
        node->at = call->at;
        node->end = call->end;
    }
    return node;
}

static struct loy_cel_node *expand_method(struct loy_cel_parser *parser, struct loy_cel_node *call)
{
    static const struct {
        const char *name;
        uint32_t least, most; /* arguments, with the target */
        enum loy_cel_loop loop;
    } loops[] = {
        {"all", 3, 3, LOY_CEL_LOOP_ALL},
        {"exists", 3, 3, LOY_CEL_LOOP_EXISTS},
        {"exists_one", 3, 3, LOY_CEL_LOOP_EXISTS_ONE},
        {"existsOne", 3, 3, LOY_CEL_LOOP_EXISTS_ONE},
        {"map", 3, 4, LOY_CEL_LOOP_MAP},
        {"filter", 3, 3, LOY_CEL_LOOP_FILTER},
    };
    const struct loy_cel_node *target = call->args[0];
    if (call->count == 4 && loy_str_equal(call->name, LOY_STR("bind")) && target->kind == LOY_CEL_NODE_IDENT &&
        loy_str_equal(target->name, LOY_STR("cel"))) {
        return expand_bind(parser, call);
    }
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
        if (call->count >= loops[i].least && call->count <= loops[i].most &&
            loy_str_equal(call->name, loy_str(loops[i].name))) {
            return expand_loop(parser, call, loops[i].loop);
        }
    }
    return call;
}

struct loy_cel_node *loy_cel_expand_macro(struct loy_cel_parser *parser, struct loy_cel_node *call)
{
    if (parser->no_macros) {
        return call;
    }
    if (call->kind == LOY_CEL_NODE_METHOD) {
        return expand_method(parser, call);
    }
    return call->count == 1 && loy_str_equal(call->name, LOY_STR("has")) ? expand_has(parser, call) : call;
}
