#include "cel/program.h"

#include <assert.h>
#include <math.h>

struct loy_cel_value loy_cel_fail(enum loy_cel_fault fault, const char *message)
{
    return (struct loy_cel_value){.kind = LOY_CEL_ERROR, .fault = (uint8_t)fault, .as.text = message};
}

void *loy_cel_alloc(struct loy_cel_run *run, size_t size)
{
    return loy_arena_alloc(run->arena, size);
}

bool loy_cel_is_key(struct loy_cel_value value)
{
    return value.kind == LOY_CEL_BOOL || value.kind == LOY_CEL_INT || value.kind == LOY_CEL_UINT ||
           value.kind == LOY_CEL_STRING;
}

static bool is_number(struct loy_cel_value value)
{
    return value.kind >= LOY_CEL_INT && value.kind <= LOY_CEL_DOUBLE;
}

static int order_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static double as_double(struct loy_cel_value value)
{
    return value.kind == LOY_CEL_INT    ? (double)value.as.i
           : value.kind == LOY_CEL_UINT ? (double)value.as.u
                                        : value.as.d;
}

/* All numbers on one line. Against a double an int is rounded to one first, as the definition's tests have it. */
static int order_numbers(struct loy_cel_value a, struct loy_cel_value b)
{
    if (a.kind == LOY_CEL_DOUBLE || b.kind == LOY_CEL_DOUBLE) {
        double x = as_double(a), y = as_double(b);
        return isnan(x) || isnan(y) ? LOY_CEL_NAN_ORDER : (x > y) - (x < y);
    }
    if (a.kind == b.kind) {
        return a.kind == LOY_CEL_INT ? order_i64(a.as.i, b.as.i) : (a.as.u > b.as.u) - (a.as.u < b.as.u);
    }
    if (a.kind == LOY_CEL_INT) {
        return a.as.i < 0 ? -1 : ((uint64_t)a.as.i > b.as.u) - ((uint64_t)a.as.i < b.as.u);
    }
    return b.as.i < 0 ? 1 : (a.as.u > (uint64_t)b.as.i) - (a.as.u < (uint64_t)b.as.i);
}

int loy_cel_compare(struct loy_cel_value a, struct loy_cel_value b)
{
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b);
    }
    if (a.kind != b.kind) {
        return LOY_CEL_UNORDERED;
    }
    switch (a.kind) {
    case LOY_CEL_BOOL:
    case LOY_CEL_DURATION:
        return order_i64(a.as.i, b.as.i);
    case LOY_CEL_TIMESTAMP:
        return a.as.i != b.as.i ? order_i64(a.as.i, b.as.i) : (a.len > b.len) - (a.len < b.len);
    case LOY_CEL_STRING:
    case LOY_CEL_BYTES: {
        int order = loy_str_compare(loy_cel_text(a), loy_cel_text(b));
        return (order > 0) - (order < 0);
    }
    default:
        return LOY_CEL_UNORDERED;
    }
}

static bool same_key(struct loy_cel_value a, struct loy_cel_value b)
{
    return loy_cel_compare(a, b) == 0;
}

const struct loy_cel_value *loy_cel_map_find(struct loy_cel_value map, struct loy_cel_value key)
{
    assert(map.kind == LOY_CEL_MAP);
    for (uint32_t i = 0; i < map.len; i++) {
        if (same_key(map.as.entries[i].key, key)) {
            return &map.as.entries[i].value;
        }
    }
    return NULL;
}

static struct loy_cel_value equal_lists(struct loy_cel_run *run, struct loy_cel_value a, struct loy_cel_value b,
                                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct loy_cel_value same = loy_cel_equal(run, a.as.items[i], b.as.items[i]);
        if (same.kind != LOY_CEL_BOOL || !same.as.i) {
            return same;
        }
    }
    return loy_cel_bool(true);
}

static struct loy_cel_value equal_maps(struct loy_cel_run *run, struct loy_cel_value a, struct loy_cel_value b)
{
    if (!loy_cel_charge(run, (uint64_t)a.len * b.len)) { /* the search for each key */
        return loy_cel_no_fuel();
    }
    for (uint32_t i = 0; i < a.len; i++) {
        const struct loy_cel_value *other = loy_cel_map_find(b, a.as.entries[i].key);
        struct loy_cel_value same = other ? loy_cel_equal(run, a.as.entries[i].value, *other) : loy_cel_bool(false);
        if (same.kind != LOY_CEL_BOOL || !same.as.i) {
            return same;
        }
    }
    return loy_cel_bool(true);
}

static struct loy_cel_value equal_nested(struct loy_cel_run *run, struct loy_cel_value a, struct loy_cel_value b)
{
    if (a.len != b.len) {
        return loy_cel_bool(false);
    }
    uint32_t count = a.len;
    if (a.kind == LOY_CEL_RECORD) {
        assert(a.len < run->program->env->record_count);
        count = run->program->env->records[a.len].count;
    }
    if (run->depth == LOY_CEL_MAX_VALUE_NESTING) {
        return loy_cel_fail(LOY_CEL_FAULT_BUDGET, "values nested too deep to be compared");
    }
    if (!loy_cel_charge(run, count)) {
        return loy_cel_no_fuel();
    }
    run->depth++;
    struct loy_cel_value same = a.kind == LOY_CEL_MAP ? equal_maps(run, a, b) : equal_lists(run, a, b, count);
    run->depth--;
    return same;
}

struct loy_cel_value loy_cel_equal(struct loy_cel_run *run, struct loy_cel_value a, struct loy_cel_value b)
{
    if (is_number(a) && is_number(b)) {
        return loy_cel_bool(order_numbers(a, b) == 0);
    }
    if (a.kind != b.kind) {
        return loy_cel_bool(false);
    }
    switch (a.kind) {
    case LOY_CEL_ABSENT:
    case LOY_CEL_NULL:
        return loy_cel_bool(true);
    case LOY_CEL_STRING:
    case LOY_CEL_BYTES:
        if (a.len == b.len && a.len > 64 && !loy_cel_charge(run, a.len / 16)) {
            return loy_cel_no_fuel();
        }
        return loy_cel_bool(loy_str_equal(loy_cel_text(a), loy_cel_text(b)));
    case LOY_CEL_TYPE:
        return loy_cel_bool(loy_str_equal(loy_cel_text(a), loy_cel_text(b)));
    case LOY_CEL_LIST:
    case LOY_CEL_MAP:
    case LOY_CEL_RECORD:
        return equal_nested(run, a, b);
    default:
        return loy_cel_bool(loy_cel_compare(a, b) == 0);
    }
}

struct loy_str loy_cel_kind_name(const struct loy_cel_env *env, struct loy_cel_value value)
{
    if (value.kind == LOY_CEL_RECORD && env && value.len < env->record_count) {
        return env->records[value.len].name;
    }
    return loy_cel_type_basic(value.kind)->name;
}

bool loy_cel_kind_fits(const struct loy_cel_type *type, struct loy_cel_value value)
{
    if (type->kind >= LOY_CEL_TYPE_DYN) {
        return true;
    }
    return type->kind == value.kind && (type->kind != LOY_CEL_RECORD || type->id == value.len);
}
