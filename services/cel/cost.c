#include "cel/functions.h"
#include "cel/program.h"

/* What is known of a value before it is there: how long it may be, and how long its elements. */
struct estimate {
    uint64_t cost;  /* fuel that reaching it takes, besides its instructions once */
    uint64_t size;  /* bytes of text, items of a list, entries of a map */
    uint64_t inner; /* size of an element */
};

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t mul(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static struct estimate estimate(const struct loy_cel_env *env, const struct loy_cel_node *node);

/* What comparing a value of a type with another takes at the most. */
static uint64_t comparing(const struct loy_cel_env *env, const struct loy_cel_type *type, uint64_t size, uint64_t inner,
                          unsigned depth)
{
    if (depth > LOY_CEL_MAX_TYPE_NESTING) {
        return UINT64_MAX;
    }
    switch (type->kind) {
    case LOY_CEL_STRING:
    case LOY_CEL_BYTES:
        return loy_cel_text_units(size);
    case LOY_CEL_LIST:
        return mul(size, add(1, comparing(env, type->params[0], inner, LOY_CEL_DEFAULT_SIZE, depth + 1)));
    case LOY_CEL_MAP:
        return mul(size, add(size, comparing(env, type->params[1], inner, LOY_CEL_DEFAULT_SIZE, depth + 1)));
    case LOY_CEL_RECORD: {
        const struct loy_cel_record_type *record = &env->records[type->id];
        uint64_t sum = record->count;
        for (uint32_t i = 0; i < record->count; i++) {
            sum = add(sum, comparing(env, record->fields[i].type, record->fields[i].max_size, LOY_CEL_DEFAULT_SIZE,
                                     depth + 1));
        }
        return sum;
    }
    case LOY_CEL_TYPE_DYN:
        return mul(size, add(1, loy_cel_text_units(inner)));
    default:
        return 1;
    }
}

/* The evaluator's own charge for looking at a value once. */
static uint64_t looking(const struct loy_cel_type *type, uint64_t size)
{
    switch (type->kind) {
    case LOY_CEL_STRING:
    case LOY_CEL_BYTES:
        return loy_cel_text_units(size);
    case LOY_CEL_LIST:
    case LOY_CEL_MAP:
    case LOY_CEL_TYPE_DYN:
        return add(size, 1);
    default:
        return 0;
    }
}

static struct estimate of_constant(struct loy_cel_value value)
{
    struct estimate result = {0, value.len, 0};
    if (value.kind < LOY_CEL_STRING || value.kind == LOY_CEL_TIMESTAMP || value.kind == LOY_CEL_DURATION) {
        result.size = 0;
    }
    for (uint32_t i = 0; value.kind == LOY_CEL_LIST && i < value.len; i++) {
        result.inner = most(result.inner, of_constant(value.as.items[i]).size);
    }
    for (uint32_t i = 0; value.kind == LOY_CEL_MAP && i < value.len; i++) {
        result.inner = most(result.inner, of_constant(value.as.entries[i].key).size);
        result.inner = most(result.inner, of_constant(value.as.entries[i].value).size);
    }
    return result;
}

static struct estimate of_name(const struct loy_cel_env *env, const struct loy_cel_node *node)
{
    struct estimate result = {0, LOY_CEL_DEFAULT_SIZE, LOY_CEL_DEFAULT_SIZE};
    if (node->meaning == LOY_CEL_MEANS_FIELD) {
        result.size = env->records[node->record].fields[node->target].max_size;
    }
    bool is_value = node->meaning == LOY_CEL_MEANS_FIELD || node->meaning == LOY_CEL_MEANS_KEY;
    if (is_value) {
        struct estimate target = estimate(env, node->args[0]);
        result.cost = target.cost;
        if (node->meaning == LOY_CEL_MEANS_KEY) {
            result.cost = add(result.cost, target.size / 8);
            result.size = most(target.inner, node->args[0]->kind == LOY_CEL_NODE_CONST ? 0 : LOY_CEL_DEFAULT_SIZE);
        }
    }
    return result;
}

static struct estimate of_parts(const struct loy_cel_env *env, const struct loy_cel_node *node)
{
    struct estimate result = {0, 0, 0};
    for (uint32_t i = 0; i < node->count; i++) {
        struct estimate part = estimate(env, node->args[i]);
        result.cost = add(result.cost, part.cost);
        result.size = most(result.size, part.size);
        result.inner = most(result.inner, part.inner);
    }
    return result;
}

static struct estimate of_literal(const struct loy_cel_env *env, const struct loy_cel_node *node)
{
    struct estimate parts = of_parts(env, node);
    uint64_t count = node->kind == LOY_CEL_NODE_MAP ? node->count / 2 : node->count;
    if (node->kind == LOY_CEL_NODE_MAP) {
        parts.cost = add(parts.cost, mul(count, count) / 8);
    }
    return (struct estimate){parts.cost, count, parts.size};
}

static struct estimate of_loop(const struct loy_cel_env *env, const struct loy_cel_node *node)
{
    struct estimate range = estimate(env, node->args[0]), result = {range.cost, 0, 0};
    uint64_t body = node->body_size, size = 0;
    for (uint32_t i = 1; i < node->count; i++) {
        struct estimate part = estimate(env, node->args[i]);
        body = add(body, part.cost);
        size = part.size;
    }
    result.cost = add(range.cost, mul(range.size, body));
    if (node->detail == LOY_CEL_LOOP_MAP || node->detail == LOY_CEL_LOOP_FILTER) {
        result.size = range.size;
        result.inner = node->detail == LOY_CEL_LOOP_MAP ? size : range.inner;
    }
    return result;
}

/* The longest text that an element can become when it is printed: a number with all its decimals, or its own text. */
static uint64_t printed(uint64_t size)
{
    return add(450, mul(size, 4));
}

/* Size of what a function makes, in size, and what it takes from the fuel for making it, in cost. */
static struct estimate made_by(unsigned builtin, const struct estimate *parts, uint32_t count)
{
    struct estimate none = {0, 0, 0};
    const struct estimate *a = count > 0 ? &parts[0] : &none, *b = count > 1 ? &parts[1] : &none;
    const struct estimate *c = count > 2 ? &parts[2] : &none;
    switch (builtin) {
    case LOY_CEL_FN_format: {
        uint64_t size = add(mul(a->size, 2), mul(b->size, printed(b->inner)));
        return (struct estimate){size, size, 0};
    }
    case LOY_CEL_FN_join: {
        uint64_t size = mul(a->size, add(a->inner, b->size));
        return (struct estimate){size / 16, size, 0};
    }
    case LOY_CEL_FN_replace: {
        uint64_t size = mul(add(a->size, 1), add(c->size, 1));
        return (struct estimate){size / 16, size, 0};
    }
    case LOY_CEL_FN_split:
        return (struct estimate){add(a->size, 1), add(a->size, 1), a->size};
    case LOY_CEL_FN_last_index_of:
        return (struct estimate){mul(a->size, add(b->size, 1)) / 16, 0, 0};
    case LOY_CEL_FN_matches:
        return (struct estimate){add(LOY_CEL_PATTERN_COST, mul(b->size, 16)), 0, 0};
    case LOY_CEL_FN_index:
        return (struct estimate){0, most(a->inner, LOY_CEL_DEFAULT_SIZE), LOY_CEL_DEFAULT_SIZE};
    case LOY_CEL_FN_quote:
        return (struct estimate){0, add(mul(a->size, 2), 2), 0};
    default: /* the longest that is made of two is both together */
        return (struct estimate){0, most(add(a->size, b->size), 64), most(a->inner, b->inner)};
    }
}

static bool compares(unsigned builtin)
{
    return builtin == LOY_CEL_FN_eq || builtin == LOY_CEL_FN_ne || builtin == LOY_CEL_FN_in ||
           builtin == LOY_CEL_FN_index;
}

static struct estimate of_call(const struct loy_cel_env *env, const struct loy_cel_node *node)
{
    unsigned builtin = node->kind == LOY_CEL_NODE_OP ? node->detail : (unsigned)node->target;
    bool is_flat = loy_cel_builtin_at(builtin)->charge == LOY_CEL_FLAT;
    struct estimate parts[4] = {{0, 0, 0}};
    uint64_t cost = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        struct estimate part = estimate(env, node->args[i]);
        const struct loy_cel_type *type = node->args[i]->type;
        cost = add(cost, add(part.cost, is_flat ? 0 : looking(type, part.size)));
        if (compares(builtin)) {
            cost = add(cost, comparing(env, type, part.size, part.inner, 0));
        }
        if (i < 4) {
            parts[i] = part;
        }
    }
    struct estimate made = made_by(builtin, parts, node->count < 4 ? node->count : 4);
    made.cost = add(made.cost, cost);
    return made;
}

static struct estimate of_host(const struct loy_cel_env *env, const struct loy_cel_node *node)
{
    struct estimate result = of_parts(env, node);
    uint32_t dearest = 1;
    const struct loy_cel_host_function *first = &env->functions[node->target];
    for (uint32_t i = 0; i < env->function_count; i++) {
        if (loy_str_equal(env->functions[i].name, first->name) && env->functions[i].decl.cost > dearest) {
            dearest = env->functions[i].decl.cost;
        }
    }
    return (struct estimate){add(result.cost, dearest), LOY_CEL_DEFAULT_SIZE, LOY_CEL_DEFAULT_SIZE};
}

static struct estimate estimate(const struct loy_cel_env *env, const struct loy_cel_node *node)
{
    switch ((enum loy_cel_node_kind)node->kind) {
    case LOY_CEL_NODE_CONST:
        return of_constant(node->constant);
    case LOY_CEL_NODE_IDENT:
    case LOY_CEL_NODE_SELECT:
    case LOY_CEL_NODE_HAS:
        return of_name(env, node);
    case LOY_CEL_NODE_LIST:
    case LOY_CEL_NODE_MAP:
        return of_literal(env, node);
    case LOY_CEL_NODE_LOOP:
        return of_loop(env, node);
    case LOY_CEL_NODE_CALL:
    case LOY_CEL_NODE_METHOD:
    case LOY_CEL_NODE_OP:
        if (node->meaning == LOY_CEL_MEANS_HOST) {
            return of_host(env, node);
        }
        return node->meaning == LOY_CEL_MEANS_NOTHING ? (struct estimate){0, 0, 0} : of_call(env, node);
    default:
        return of_parts(env, node);
    }
}

uint64_t loy_cel_cost_of(const struct loy_cel_env *env, const struct loy_cel_node *root, uint32_t code_count)
{
    return add(estimate(env, root).cost, code_count);
}
