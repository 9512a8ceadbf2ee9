#include "support/cel_reference.h"

#include "cel/functions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Names that macros bind, innermost first. */
struct binding {
    const struct binding *outer;
    struct loy_str name;
    struct loy_cel_value value;
};

struct reference {
    const struct cel_fixture *fixture;
    struct loy_arena *arena;
    const struct binding *scope;
};

typedef struct loy_cel_value value_t; /* short, for the many lines below */

static value_t eval(struct reference *r, const struct loy_cel_node *node);

static value_t error(void)
{
    return (value_t){.kind = LOY_CEL_ERROR};
}

static bool is(value_t value, unsigned kind)
{
    return value.kind == kind;
}

static bool is_true(value_t value)
{
    return is(value, LOY_CEL_BOOL) && value.as.i;
}

static bool is_false(value_t value)
{
    return is(value, LOY_CEL_BOOL) && !value.as.i;
}

static bool named(struct loy_str name, const char *text)
{
    return loy_str_equal(name, loy_str(text));
}

static void *need_memory(struct reference *r, size_t size)
{
    void *at = loy_arena_alloc(r->arena, size);
    if (!at) {
        fprintf(stderr, "cel_reference: the arena is too small\n");
        abort();
    }
    return at;
}

/* --- comparison -------------------------------------------------------------------------------------------------- */

static bool is_number(value_t value)
{
    return is(value, LOY_CEL_INT) || is(value, LOY_CEL_UINT) || is(value, LOY_CEL_DOUBLE);
}

static __int128 whole(value_t value)
{
    return is(value, LOY_CEL_INT) ? (__int128)value.as.i : (__int128)value.as.u;
}

static double real(value_t value)
{
    return is(value, LOY_CEL_DOUBLE) ? value.as.d : (double)whole(value);
}

/* '<', '=', '>', or '?' where there is no order */
static char order(value_t a, value_t b)
{
    if (is_number(a) && is_number(b)) {
        if (is(a, LOY_CEL_DOUBLE) || is(b, LOY_CEL_DOUBLE)) {
            double x = real(a), y = real(b);
            return x < y ? '<' : x > y ? '>' : x == y ? '=' : 'n';
        }
        return whole(a) < whole(b) ? '<' : whole(a) > whole(b) ? '>' : '=';
    }
    if (a.kind != b.kind) {
        return '?';
    }
    if (is(a, LOY_CEL_STRING) || is(a, LOY_CEL_BYTES)) {
        for (uint32_t i = 0; i < a.len && i < b.len; i++) {
            if (a.as.text[i] != b.as.text[i]) {
                return (uint8_t)a.as.text[i] < (uint8_t)b.as.text[i] ? '<' : '>';
            }
        }
        return a.len < b.len ? '<' : a.len > b.len ? '>' : '=';
    }
    if (is(a, LOY_CEL_BOOL) || is(a, LOY_CEL_DURATION)) {
        return a.as.i < b.as.i ? '<' : a.as.i > b.as.i ? '>' : '=';
    }
    if (is(a, LOY_CEL_TIMESTAMP)) {
        __int128 x = (__int128)a.as.i * 1000000000 + a.len, y = (__int128)b.as.i * 1000000000 + b.len;
        return x < y ? '<' : x > y ? '>' : '=';
    }
    return '?';
}

static const value_t *lookup(value_t map, value_t key)
{
    const value_t *found = NULL;
    for (uint32_t i = map.len; i-- > 0;) {
        if (order(map.as.entries[i].key, key) == '=') {
            found = &map.as.entries[i].value;
        }
    }
    return found;
}

static bool equal(const struct reference *r, value_t a, value_t b)
{
    if (order(a, b) != '?') {
        return order(a, b) == '=';
    }
    if (a.kind != b.kind || a.len != b.len) {
        return false;
    }
    uint32_t count = a.len;
    if (is(a, LOY_CEL_RECORD)) {
        count = a.len == r->fixture->line_id       ? LINE_FIELDS
                : a.len == r->fixture->purchase_id ? PURCHASE_FIELDS
                                                   : MEMBER_FIELDS;
    }
    bool same = true;
    for (uint32_t i = 0; i < count && (is(a, LOY_CEL_LIST) || is(a, LOY_CEL_RECORD)); i++) {
        same &= equal(r, a.as.items[i], b.as.items[i]);
    }
    for (uint32_t i = 0; i < count && is(a, LOY_CEL_MAP); i++) {
        const value_t *other = lookup(b, a.as.entries[i].key);
        same &= other && equal(r, a.as.entries[i].value, *other);
    }
    return same;
}

bool cel_reference_same(value_t a, value_t b)
{
    if (a.kind != b.kind) {
        return false;
    }
    if (is(a, LOY_CEL_DOUBLE)) {
        return (isnan(a.as.d) && isnan(b.as.d)) || (a.as.d == b.as.d && signbit(a.as.d) == signbit(b.as.d));
    }
    if (is(a, LOY_CEL_LIST) || is(a, LOY_CEL_MAP)) {
        bool same = a.len == b.len;
        for (uint32_t i = 0; same && i < a.len; i++) {
            const value_t *other = is(a, LOY_CEL_MAP) ? lookup(b, a.as.entries[i].key) : &b.as.items[i];
            same = other && cel_reference_same(is(a, LOY_CEL_MAP) ? a.as.entries[i].value : a.as.items[i], *other);
        }
        return same;
    }
    return is(a, LOY_CEL_ERROR) || is(a, LOY_CEL_NULL) || (order(a, b) == '=') ||
           (is(a, LOY_CEL_RECORD) && a.as.items == b.as.items);
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static value_t present(value_t value)
{
    return is(value, LOY_CEL_ABSENT) ? error() : value;
}

static value_t ident(const struct reference *r, struct loy_str name)
{
    static const char *const names[] = {"purchase", "member", "attributes", "flag"};
    for (const struct binding *b = r->scope; b; b = b->outer) {
        if (loy_str_equal(b->name, name)) {
            return b->value;
        }
    }
    for (size_t i = 0; i < 4; i++) {
        if (named(name, names[i])) {
            return r->fixture->variables[i];
        }
    }
    return error();
}

/* The slot of a field; ABSENT where it is empty, ERROR where there is no such field. */
static value_t field(const struct reference *r, value_t record, struct loy_str name)
{
    static const char *const purchase[] = {"total", "channel", "lines", "coupon", "at", "tags"};
    static const char *const member[] = {"average_purchase", "level", "days_since_purchase"};
    static const char *const line[] = {"category", "amount"};
    bool is_purchase = record.len == r->fixture->purchase_id, is_line = record.len == r->fixture->line_id;
    const char *const *names = is_purchase ? purchase : is_line ? line : member;
    int count = is_purchase ? PURCHASE_FIELDS : is_line ? LINE_FIELDS : MEMBER_FIELDS;
    for (int i = 0; i < count; i++) {
        if (named(name, names[i])) {
            return record.as.items[i];
        }
    }
    return error();
}

static value_t select_field(struct reference *r, const struct loy_cel_node *node, bool has)
{
    value_t target = eval(r, node->args[0]);
    if (is(target, LOY_CEL_MAP)) {
        const value_t *found = lookup(target, loy_cel_string(node->name));
        return has ? loy_cel_bool(found != NULL) : found ? *found : error();
    }
    if (!is(target, LOY_CEL_RECORD)) {
        return error();
    }
    value_t value = field(r, target, node->name);
    return has && !is(value, LOY_CEL_ERROR) ? loy_cel_bool(!is(value, LOY_CEL_ABSENT)) : present(value);
}

/* --- operators --------------------------------------------------------------------------------------------------- */

static value_t fit(unsigned kind, __int128 result)
{
    if (kind == LOY_CEL_INT) {
        return result < INT64_MIN || result > INT64_MAX ? error() : loy_cel_int((int64_t)result);
    }
    return result < 0 || result > UINT64_MAX ? error() : loy_cel_uint((uint64_t)result);
}

static value_t arithmetic(unsigned op, value_t a, value_t b)
{
    if (a.kind != b.kind || !is_number(a)) {
        return error();
    }
    if (is(a, LOY_CEL_DOUBLE)) {
        double x = a.as.d, y = b.as.d;
        return op == LOY_CEL_FN_add   ? loy_cel_double(x + y)
               : op == LOY_CEL_FN_sub ? loy_cel_double(x - y)
               : op == LOY_CEL_FN_mul ? loy_cel_double(x * y)
               : op == LOY_CEL_FN_div ? loy_cel_double(x / y)
                                      : error();
    }
    __int128 x = whole(a), y = whole(b);
    if ((op == LOY_CEL_FN_div || op == LOY_CEL_FN_mod) && y == 0) {
        return error();
    }
    if (op == LOY_CEL_FN_mul && x > UINT32_MAX && y > UINT32_MAX) { /* would leave 128 bits only for uints */
        return is(a, LOY_CEL_UINT) && x > UINT64_MAX / y ? error() : fit(a.kind, x * y);
    }
    return fit(a.kind, op == LOY_CEL_FN_add   ? x + y
                       : op == LOY_CEL_FN_sub ? x - y
                       : op == LOY_CEL_FN_mul ? x * y
                       : op == LOY_CEL_FN_div ? x / y
                                              : x % y);
}

static value_t concat(struct reference *r, value_t a, value_t b)
{
    if (is(a, LOY_CEL_LIST)) {
        value_t *items = need_memory(r, ((size_t)a.len + b.len + 1) * sizeof *items);
        for (uint32_t i = 0; i < a.len + b.len; i++) {
            items[i] = i < a.len ? a.as.items[i] : b.as.items[i - a.len];
        }
        return loy_cel_list(items, (size_t)a.len + b.len);
    }
    char *text = need_memory(r, (size_t)a.len + b.len + 1);
    for (uint32_t i = 0; i < a.len + b.len; i++) {
        text[i] = i < a.len ? a.as.text[i] : b.as.text[i - a.len];
    }
    return loy_cel_string((struct loy_str){text, (size_t)a.len + b.len});
}

static value_t contained(const struct reference *r, value_t a, value_t b)
{
    if (is(b, LOY_CEL_MAP)) {
        return loy_cel_bool(lookup(b, a) != NULL);
    }
    bool found = false;
    for (uint32_t i = 0; is(b, LOY_CEL_LIST) && i < b.len; i++) {
        found |= equal(r, a, b.as.items[i]);
    }
    return is(b, LOY_CEL_LIST) ? loy_cel_bool(found) : error();
}

static value_t at_index(value_t a, value_t b)
{
    if (is(a, LOY_CEL_MAP)) {
        const value_t *found = lookup(a, b);
        return found ? *found : error();
    }
    if (!is(a, LOY_CEL_LIST) || !is(b, LOY_CEL_INT) || b.as.i < 0 || b.as.i >= (int64_t)a.len) {
        return error();
    }
    return a.as.items[b.as.i];
}

static value_t compared(unsigned op, value_t a, value_t b)
{
    char found = order(a, b);
    if (found == '?') {
        return error();
    }
    return loy_cel_bool((found == '<' && (op == LOY_CEL_FN_lt || op == LOY_CEL_FN_le)) ||
                        (found == '>' && (op == LOY_CEL_FN_gt || op == LOY_CEL_FN_ge)) ||
                        (found == '=' && (op == LOY_CEL_FN_le || op == LOY_CEL_FN_ge)));
}

static value_t operation(struct reference *r, const struct loy_cel_node *node)
{
    value_t a = eval(r, node->args[0]), b = node->count > 1 ? eval(r, node->args[1]) : loy_cel_null();
    if (is(a, LOY_CEL_ERROR) || is(b, LOY_CEL_ERROR)) {
        return error();
    }
    switch (node->detail) {
    case LOY_CEL_FN_not:
        return is(a, LOY_CEL_BOOL) ? loy_cel_bool(!a.as.i) : error();
    case LOY_CEL_FN_neg:
        return is(a, LOY_CEL_DOUBLE) ? loy_cel_double(-a.as.d) : is(a, LOY_CEL_INT) ? fit(a.kind, -whole(a)) : error();
    case LOY_CEL_FN_eq:
        return loy_cel_bool(equal(r, a, b));
    case LOY_CEL_FN_ne:
        return loy_cel_bool(!equal(r, a, b));
    case LOY_CEL_FN_in:
        return contained(r, a, b);
    case LOY_CEL_FN_index:
        return at_index(a, b);
    case LOY_CEL_FN_add:
        if (a.kind == b.kind && (is(a, LOY_CEL_STRING) || is(a, LOY_CEL_LIST))) {
            return concat(r, a, b);
        }
        return arithmetic(node->detail, a, b);
    case LOY_CEL_FN_sub:
    case LOY_CEL_FN_mul:
    case LOY_CEL_FN_div:
    case LOY_CEL_FN_mod:
        return arithmetic(node->detail, a, b);
    default:
        return compared(node->detail, a, b);
    }
}

/* --- functions --------------------------------------------------------------------------------------------------- */

static int64_t code_points(value_t text)
{
    int64_t count = 0;
    for (size_t at = 0; at < text.len; count++) {
        (void)loy_str_next_code_point(loy_cel_text(text), &at);
    }
    return count;
}

static bool stands_at(value_t text, value_t part, uint32_t at)
{
    for (uint32_t i = 0; i < part.len; i++) {
        if (at + i >= text.len || text.as.text[at + i] != part.as.text[i]) {
            return false;
        }
    }
    return at + part.len <= text.len;
}

static value_t text_method(struct loy_str name, value_t text, value_t part)
{
    if (named(name, "startsWith")) {
        return loy_cel_bool(stands_at(text, part, 0));
    }
    if (named(name, "endsWith")) {
        return loy_cel_bool(part.len <= text.len && stands_at(text, part, text.len - part.len));
    }
    for (uint32_t at = 0; at <= text.len; at++) {
        if (stands_at(text, part, at)) {
            value_t before = text;
            before.len = at;
            return named(name, "contains") ? loy_cel_bool(true) : loy_cel_int(code_points(before));
        }
    }
    return named(name, "contains") ? loy_cel_bool(false) : loy_cel_int(-1);
}

static value_t muldiv(value_t a, value_t b, value_t c)
{
    __int128 product = (__int128)a.as.i * b.as.i, by = c.as.i;
    if (by == 0) {
        return error();
    }
    __int128 quotient = product / by;
    if (quotient * by != product && (product < 0) != (by < 0)) {
        quotient--;
    }
    return fit(LOY_CEL_INT, quotient);
}

static value_t extreme(const value_t *args, uint32_t count, char wanted)
{
    value_t best = args[0];
    for (uint32_t i = 1; i < count; i++) {
        best = order(args[i], best) == wanted ? args[i] : best;
    }
    return best;
}

static value_t converted(struct loy_str name, value_t a)
{
    if (named(name, "double")) {
        return is_number(a) ? loy_cel_double(real(a)) : error();
    }
    if (!is_number(a)) {
        return error();
    }
    bool to_int = named(name, "int");
    if (is(a, LOY_CEL_DOUBLE)) {
        double top = to_int ? 9223372036854775808.0 : 18446744073709551616.0;
        bool fits = to_int ? a.as.d > -top && a.as.d < top : a.as.d >= 0 && a.as.d < top;
        return !fits ? error() : to_int ? loy_cel_int((int64_t)a.as.d) : loy_cel_uint((uint64_t)a.as.d);
    }
    return fit(to_int ? LOY_CEL_INT : LOY_CEL_UINT, whole(a));
}

static value_t size_of(value_t a)
{
    return is(a, LOY_CEL_STRING) ? loy_cel_int(code_points(a)) : loy_cel_int(a.len);
}

static value_t call(struct reference *r, const struct loy_cel_node *node)
{
    value_t args[4];
    bool qualified = node->kind == LOY_CEL_NODE_METHOD && node->args[0]->kind == LOY_CEL_NODE_IDENT &&
                     named(node->args[0]->name, "math");
    uint32_t count = node->count - qualified;
    for (uint32_t i = 0; i < count && i < 4; i++) {
        args[i] = eval(r, node->args[i + qualified]);
    }
    for (uint32_t i = 0; i < count && i < 4; i++) {
        if (is(args[i], LOY_CEL_ERROR)) {
            return error();
        }
    }
    if (named(node->name, "size")) {
        return size_of(args[0]);
    }
    if (named(node->name, "dyn")) {
        return args[0];
    }
    if (named(node->name, "muldiv")) {
        return muldiv(args[0], args[1], args[2]);
    }
    if (named(node->name, "greatest") || named(node->name, "least")) {
        return extreme(args, count, node->name.at[0] == 'g' ? '>' : '<');
    }
    if (node->kind == LOY_CEL_NODE_METHOD) {
        return text_method(node->name, args[0], args[1]);
    }
    return converted(node->name, args[0]);
}

/* --- logic and macros -------------------------------------------------------------------------------------------- */

static value_t logic(struct reference *r, const struct loy_cel_node *node)
{
    bool is_and = node->kind == LOY_CEL_NODE_AND, failed = false;
    for (uint32_t i = 0; i < node->count; i++) {
        value_t part = eval(r, node->args[i]);
        if (is_and ? is_false(part) : is_true(part)) {
            return part;
        }
        failed |= !is(part, LOY_CEL_BOOL);
    }
    return failed ? error() : loy_cel_bool(is_and);
}

static value_t with_binding(struct reference *r, struct loy_str name, value_t value, const struct loy_cel_node *body)
{
    struct binding binding = {r->scope, name, value};
    r->scope = &binding;
    value_t result = eval(r, body);
    r->scope = binding.outer;
    return result;
}

static value_t quantified(struct reference *r, const struct loy_cel_node *node, value_t range)
{
    unsigned truths = 0, untruths = 0, failures = 0;
    for (uint32_t i = 0; i < range.len; i++) {
        value_t item = is(range, LOY_CEL_LIST) ? range.as.items[i] : range.as.entries[i].key;
        value_t part = with_binding(r, node->name, item, node->args[1]);
        truths += is_true(part);
        untruths += is_false(part);
        failures += !is(part, LOY_CEL_BOOL);
    }
    switch (node->detail) {
    case LOY_CEL_LOOP_ALL:
        return untruths ? loy_cel_bool(false) : failures ? error() : loy_cel_bool(true);
    case LOY_CEL_LOOP_EXISTS:
        return truths ? loy_cel_bool(true) : failures ? error() : loy_cel_bool(false);
    default:
        return failures ? error() : loy_cel_bool(truths == 1);
    }
}

static value_t collected(struct reference *r, const struct loy_cel_node *node, value_t range)
{
    value_t *items = need_memory(r, (range.len + 1) * sizeof *items);
    uint32_t count = 0;
    bool has_condition = node->detail == LOY_CEL_LOOP_FILTER || node->count == 3;
    for (uint32_t i = 0; i < range.len; i++) {
        value_t item = is(range, LOY_CEL_LIST) ? range.as.items[i] : range.as.entries[i].key;
        value_t wanted = has_condition ? with_binding(r, node->name, item, node->args[1]) : loy_cel_bool(true);
        if (!is(wanted, LOY_CEL_BOOL)) {
            return error();
        }
        value_t result = item;
        if (node->detail == LOY_CEL_LOOP_MAP && is_true(wanted)) {
            result = with_binding(r, node->name, item, node->args[node->count - 1]);
        }
        if (is(result, LOY_CEL_ERROR)) {
            return error();
        }
        if (is_true(wanted)) {
            items[count++] = result;
        }
    }
    return loy_cel_list(items, count);
}

static value_t loop(struct reference *r, const struct loy_cel_node *node)
{
    value_t range = eval(r, node->args[0]);
    if (!is(range, LOY_CEL_LIST) && !is(range, LOY_CEL_MAP)) {
        return error();
    }
    bool collects = node->detail == LOY_CEL_LOOP_MAP || node->detail == LOY_CEL_LOOP_FILTER;
    return collects ? collected(r, node, range) : quantified(r, node, range);
}

static value_t literal_map(struct reference *r, const struct loy_cel_node *node)
{
    struct loy_cel_entry *entries = need_memory(r, (node->count + 1) * sizeof *entries);
    bool failed = false;
    for (uint32_t i = 0; i < node->count; i += 2) {
        entries[i / 2].key = eval(r, node->args[i]);
        entries[i / 2].value = eval(r, node->args[i + 1]);
        failed |= is(entries[i / 2].key, LOY_CEL_ERROR) || is(entries[i / 2].value, LOY_CEL_ERROR);
        failed |= !failed && lookup(loy_cel_map(entries, i / 2), entries[i / 2].key) != NULL;
    }
    return failed ? error() : loy_cel_map(entries, node->count / 2);
}

static value_t literal_list(struct reference *r, const struct loy_cel_node *node)
{
    value_t *items = need_memory(r, (node->count + 1) * sizeof *items);
    bool failed = false;
    for (uint32_t i = 0; i < node->count; i++) {
        items[i] = eval(r, node->args[i]);
        failed |= is(items[i], LOY_CEL_ERROR);
    }
    return failed ? error() : loy_cel_list(items, node->count);
}

static value_t eval(struct reference *r, const struct loy_cel_node *node)
{
    value_t condition;
    switch ((enum loy_cel_node_kind)node->kind) {
    case LOY_CEL_NODE_CONST:
        return node->constant;
    case LOY_CEL_NODE_IDENT:
        return ident(r, node->name);
    case LOY_CEL_NODE_SELECT:
    case LOY_CEL_NODE_HAS:
        return select_field(r, node, node->kind == LOY_CEL_NODE_HAS);
    case LOY_CEL_NODE_CALL:
    case LOY_CEL_NODE_METHOD:
        return call(r, node);
    case LOY_CEL_NODE_OP:
        return operation(r, node);
    case LOY_CEL_NODE_AND:
    case LOY_CEL_NODE_OR:
        return logic(r, node);
    case LOY_CEL_NODE_IF:
        condition = eval(r, node->args[0]);
        return !is(condition, LOY_CEL_BOOL) ? error() : eval(r, node->args[condition.as.i ? 1 : 2]);
    case LOY_CEL_NODE_LIST:
        return literal_list(r, node);
    case LOY_CEL_NODE_MAP:
        return literal_map(r, node);
    case LOY_CEL_NODE_LOOP:
        return loop(r, node);
    case LOY_CEL_NODE_BIND:
        return with_binding(r, node->name, eval(r, node->args[0]), node->args[1]);
    }
    return error();
}

value_t cel_reference_eval(const struct cel_fixture *fixture, struct loy_arena *arena, const struct loy_cel_node *root)
{
    struct reference r = {fixture, arena, NULL};
    return eval(&r, root);
}
