#include "cel/type.h"

#include <assert.h>

static bool grow(struct loy_cel_unifier *unifier)
{
    uint32_t capacity = unifier->capacity ? unifier->capacity * 2 : 32;
    const struct loy_cel_type **bound = LOY_NEW_ARRAY(unifier->arena, const struct loy_cel_type *, capacity);
    if (!bound) {
        unifier->failed = true;
        return false;
    }
    for (uint32_t i = 0; i < unifier->count; i++) {
        bound[i] = unifier->bound[i];
    }
    unifier->bound = bound;
    unifier->capacity = capacity;
    return true;
}

const struct loy_cel_type *loy_cel_unifier_fresh(struct loy_cel_unifier *unifier)
{
    const struct loy_cel_type *type = NULL;
    if (unifier->count < unifier->capacity || grow(unifier)) {
        type = loy_cel_type_new(unifier->arena, LOY_CEL_TYPE_VAR, LOY_STR("T"), unifier->count, NULL, 0);
    }
    if (!type) {
        unifier->failed = true;
        return loy_cel_type_basic(LOY_CEL_TYPE_DYN);
    }
    unifier->bound[unifier->count++] = NULL;
    return type;
}

const struct loy_cel_type *loy_cel_unifier_instance(struct loy_cel_unifier *unifier, const struct loy_cel_type *type,
                                                    const struct loy_cel_type *fresh[LOY_CEL_MAX_PARAMS])
{
    if (type->kind == LOY_CEL_TYPE_VAR) {
        assert(type->id < LOY_CEL_MAX_PARAMS);
        if (!fresh[type->id]) {
            fresh[type->id] = loy_cel_unifier_fresh(unifier);
        }
        return fresh[type->id];
    }
    if (type->count == 0) {
        return type;
    }
    const struct loy_cel_type *params[LOY_CEL_MAX_PARAMS];
    for (uint8_t i = 0; i < type->count; i++) {
        params[i] = loy_cel_unifier_instance(unifier, type->params[i], fresh);
    }
    const struct loy_cel_type *copy =
        loy_cel_type_new(unifier->arena, type->kind, type->name, type->id, params, type->count);
    unifier->failed |= !copy;
    return copy ? copy : loy_cel_type_basic(LOY_CEL_TYPE_DYN);
}

const struct loy_cel_type *loy_cel_unifier_top(const struct loy_cel_unifier *unifier, const struct loy_cel_type *type)
{
    while (type->kind == LOY_CEL_TYPE_VAR && unifier->bound[type->id]) {
        type = unifier->bound[type->id];
    }
    return type;
}

static void bind(struct loy_cel_unifier *unifier, uint32_t variable, const struct loy_cel_type *type)
{
    if (unifier->trail_count == unifier->trail_capacity) {
        uint32_t capacity = unifier->trail_capacity ? unifier->trail_capacity * 2 : 64;
        void *trail = loy_arena_calloc(unifier->arena, capacity, sizeof *unifier->trail);
        if (!trail) {
            unifier->failed = true;
            return;
        }
        if (unifier->trail_count) {
            memcpy(trail, unifier->trail, unifier->trail_count * sizeof *unifier->trail);
        }
        unifier->trail = trail;
        unifier->trail_capacity = capacity;
    }
    unifier->trail[unifier->trail_count].variable = variable;
    unifier->trail[unifier->trail_count++].before = unifier->bound[variable];
    unifier->bound[variable] = type;
}

uint32_t loy_cel_unifier_mark(const struct loy_cel_unifier *unifier)
{
    return unifier->trail_count;
}

void loy_cel_unifier_undo(struct loy_cel_unifier *unifier, uint32_t mark)
{
    while (unifier->trail_count > mark) {
        unifier->trail_count--;
        unifier->bound[unifier->trail[unifier->trail_count].variable] = unifier->trail[unifier->trail_count].before;
    }
}

static bool occurs(const struct loy_cel_unifier *unifier, uint32_t variable, const struct loy_cel_type *type)
{
    type = loy_cel_unifier_top(unifier, type);
    if (type->kind == LOY_CEL_TYPE_VAR) {
        return type->id == variable;
    }
    for (uint8_t i = 0; i < type->count; i++) {
        if (occurs(unifier, variable, type->params[i])) {
            return true;
        }
    }
    return false;
}

/* dyn and free variables are less specific than anything. */
static bool is_less_specific(const struct loy_cel_unifier *unifier, const struct loy_cel_type *a,
                             const struct loy_cel_type *b)
{
    a = loy_cel_unifier_top(unifier, a);
    b = loy_cel_unifier_top(unifier, b);
    if (a->kind == LOY_CEL_TYPE_DYN || a->kind == LOY_CEL_TYPE_VAR) {
        return true;
    }
    if (b->kind == LOY_CEL_TYPE_DYN || b->kind == LOY_CEL_TYPE_VAR || a->kind != b->kind || a->count != b->count) {
        return false;
    }
    for (uint8_t i = 0; i < a->count; i++) {
        if (!is_less_specific(unifier, a->params[i], b->params[i])) {
            return false;
        }
    }
    return true;
}

/* The variable at the end of the chain that type begins: the one whose binding is a type, or that has none. */
static const struct loy_cel_type *last_variable(const struct loy_cel_unifier *unifier, const struct loy_cel_type *type)
{
    while (unifier->bound[type->id] && unifier->bound[type->id]->kind == LOY_CEL_TYPE_VAR) {
        type = unifier->bound[type->id];
    }
    return type;
}

static bool assign(struct loy_cel_unifier *unifier, const struct loy_cel_type *to, const struct loy_cel_type *from);

/* One side is a variable. What it stands for becomes the more general of the two. */
static bool assign_variable(struct loy_cel_unifier *unifier, const struct loy_cel_type *variable,
                            const struct loy_cel_type *other, bool variable_is_target)
{
    variable = last_variable(unifier, variable);
    other = other->kind == LOY_CEL_TYPE_VAR ? last_variable(unifier, other) : other;
    const struct loy_cel_type *bound = unifier->bound[variable->id];
    if (other->kind == LOY_CEL_TYPE_VAR && other->id == variable->id) {
        return true;
    }
    if (!bound) {
        if (occurs(unifier, variable->id, other)) {
            return false;
        }
        bind(unifier, variable->id, other);
        return true;
    }
    if (!(variable_is_target ? assign(unifier, bound, other) : assign(unifier, other, bound))) {
        return false;
    }
    if (is_less_specific(unifier, other, bound) && !is_less_specific(unifier, bound, other) &&
        !occurs(unifier, variable->id, other)) {
        bind(unifier, variable->id, other);
    }
    return true;
}

static bool assign(struct loy_cel_unifier *unifier, const struct loy_cel_type *to, const struct loy_cel_type *from)
{
    if (to->kind == LOY_CEL_TYPE_VAR) {
        return assign_variable(unifier, to, from, true);
    }
    if (from->kind == LOY_CEL_TYPE_VAR) {
        return assign_variable(unifier, from, to, false);
    }
    if (to->kind == LOY_CEL_TYPE_DYN || from->kind == LOY_CEL_TYPE_DYN || to->kind == LOY_CEL_ERROR ||
        from->kind == LOY_CEL_ERROR) {
        return true;
    }
    if (to->kind != from->kind) {
        return false;
    }
    if (to->kind == LOY_CEL_TYPE) {
        return true; /* types may always be compared */
    }
    if (to->count != from->count || to->id != from->id || !loy_str_equal(to->name, from->name)) {
        return false;
    }
    for (uint8_t i = 0; i < to->count; i++) {
        if (!assign(unifier, to->params[i], from->params[i])) {
            return false;
        }
    }
    return true;
}

bool loy_cel_unifier_assign(struct loy_cel_unifier *unifier, const struct loy_cel_type *to,
                            const struct loy_cel_type *from)
{
    uint32_t mark = unifier->trail_count;
    bool ok = assign(unifier, to, from);
    if (!ok) {
        loy_cel_unifier_undo(unifier, mark);
    }
    return ok;
}

const struct loy_cel_type *loy_cel_unifier_join(struct loy_cel_unifier *unifier, const struct loy_cel_type *a,
                                                const struct loy_cel_type *b)
{
    if (!loy_cel_unifier_assign(unifier, a, b)) {
        return loy_cel_type_basic(LOY_CEL_TYPE_DYN);
    }
    return is_less_specific(unifier, a, b) ? a : b;
}

static const struct loy_cel_type *resolve(struct loy_cel_unifier *unifier, const struct loy_cel_type *type,
                                          unsigned depth)
{
    type = loy_cel_unifier_top(unifier, type);
    if (type->kind == LOY_CEL_TYPE_VAR || depth > LOY_CEL_MAX_NESTING) {
        return loy_cel_type_basic(LOY_CEL_TYPE_DYN);
    }
    if (type->count == 0) {
        return type;
    }
    const struct loy_cel_type *params[LOY_CEL_MAX_PARAMS];
    bool same = true;
    for (uint8_t i = 0; i < type->count; i++) {
        params[i] = resolve(unifier, type->params[i], depth + 1);
        same &= params[i] == type->params[i];
    }
    if (same) {
        return type;
    }
    const struct loy_cel_type *copy =
        loy_cel_type_new(unifier->arena, type->kind, type->name, type->id, params, type->count);
    unifier->failed |= !copy;
    return copy ? copy : loy_cel_type_basic(LOY_CEL_TYPE_DYN);
}

const struct loy_cel_type *loy_cel_unifier_resolve(struct loy_cel_unifier *unifier, const struct loy_cel_type *type)
{
    return resolve(unifier, type, 0);
}
