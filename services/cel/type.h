/* Types of CEL as the checker sees them: written as text, compared, unified.
 *
 * Basic types are constants; the others live in the arena of the environment or of the compilation. A type parameter
 * ("~T") in a signature is replaced by a fresh variable for every use; what the variables stand for is kept in struct
 * loy_cel_unifier, with a trail so that a failed overload leaves nothing behind. After cel-go's checker (mapping and
 * "most general"). Inside the room only. Pure; one thread at a time. Test: tests/unit/test_cel_check.c. */
#ifndef LOY_CEL_TYPE_H
#define LOY_CEL_TYPE_H

#include "cel/cel.h"

/* Behind the kinds of values: types that no value has. */
enum loy_cel_type_kind {
    LOY_CEL_TYPE_DYN = LOY_CEL_KIND_COUNT,
    LOY_CEL_TYPE_VAR,    /* id: number of the variable; in a signature: of the parameter */
    LOY_CEL_TYPE_OPAQUE, /* name, params */
    LOY_CEL_TYPE_KIND_COUNT
};

struct loy_cel_type {
    uint8_t kind;
    uint8_t count; /* of params */
    uint32_t id;   /* record id, or number of a variable */
    struct loy_str name;
    const struct loy_cel_type *const *params;
};

/* The type of a kind without parameters. Constant. */
const struct loy_cel_type *loy_cel_type_basic(unsigned kind);
/* NULL when the arena is full, here and below. */
const struct loy_cel_type *loy_cel_type_list(struct loy_arena *arena, const struct loy_cel_type *element);
const struct loy_cel_type *loy_cel_type_map(struct loy_arena *arena, const struct loy_cel_type *key,
                                            const struct loy_cel_type *value);
const struct loy_cel_type *loy_cel_type_type(struct loy_arena *arena, const struct loy_cel_type *of);
const struct loy_cel_type *loy_cel_type_new(struct loy_arena *arena, unsigned kind, struct loy_str name, uint32_t id,
                                            const struct loy_cel_type *const *params, size_t count);

enum { LOY_CEL_MAX_TYPE_NESTING = 16, LOY_CEL_MAX_PARAMS = 8 };

/* Reads the text of types: "map(string, list(~T))". */
struct loy_cel_type_reader {
    const struct loy_cel_env *env; /* for the names of records */
    struct loy_arena *arena;
    struct loy_str text;
    size_t at;
    struct loy_str params[LOY_CEL_MAX_PARAMS]; /* names of ~T, numbered as they come */
    uint32_t param_count;
};
/* NULL when the text is no type. */
const struct loy_cel_type *loy_cel_type_read(struct loy_cel_type_reader *reader);
/* One type of the functions' table, where a letter is a type (functions.h). Moves *text. */
const struct loy_cel_type *loy_cel_type_of_letters(struct loy_arena *arena, const char **text);

struct loy_cel_unifier {
    struct loy_arena *arena;
    const struct loy_cel_type **bound; /* by variable; NULL: free */
    uint32_t count, capacity;
    struct {
        uint32_t variable;
        const struct loy_cel_type *before;
    } * trail;
    uint32_t trail_count, trail_capacity;
    bool failed; /* arena full */
};

const struct loy_cel_type *loy_cel_unifier_fresh(struct loy_cel_unifier *unifier);
/* A copy of a signature's type with parameter i replaced by fresh[i]; fresh[i] is made where it is NULL. */
const struct loy_cel_type *loy_cel_unifier_instance(struct loy_cel_unifier *unifier, const struct loy_cel_type *type,
                                                    const struct loy_cel_type *fresh[LOY_CEL_MAX_PARAMS]);
/* Whether a value of `from` may stand where `to` is wanted; variables are bound where it may, and only then. */
bool loy_cel_unifier_assign(struct loy_cel_unifier *unifier, const struct loy_cel_type *to,
                            const struct loy_cel_type *from);
/* A place in the trail, and back to it: what was bound since is free again, for a signature that did not fit. */
uint32_t loy_cel_unifier_mark(const struct loy_cel_unifier *unifier);
void loy_cel_unifier_undo(struct loy_cel_unifier *unifier, uint32_t mark);
/* What two elements of a list have in common; dyn if nothing. */
const struct loy_cel_type *loy_cel_unifier_join(struct loy_cel_unifier *unifier, const struct loy_cel_type *a,
                                                const struct loy_cel_type *b);
/* The type at the end of a chain of bound variables; its parameters may be variables still. */
const struct loy_cel_type *loy_cel_unifier_top(const struct loy_cel_unifier *unifier, const struct loy_cel_type *type);
/* Every variable replaced; those that are free become dyn. */
const struct loy_cel_type *loy_cel_unifier_resolve(struct loy_cel_unifier *unifier, const struct loy_cel_type *type);
bool loy_cel_type_equal(const struct loy_cel_type *a, const struct loy_cel_type *b);
void loy_cel_type_print(const struct loy_cel_type *type, struct loy_buf *buf);

#endif
