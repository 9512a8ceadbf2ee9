/* The compiler's state, shared by emit.c (code for the tree) and compile.c (the steps of a compilation).
 * Inside the room only. Pure; one thread. Test: tests/unit/test_cel_eval.c. */
#ifndef LOY_CEL_EMIT_H
#define LOY_CEL_EMIT_H

#include "cel/issue.h"
#include "cel/program.h"

struct loy_cel_emitter {
    const struct loy_cel_env *env;
    struct loy_arena *arena;
    struct loy_cel_issue_sink *issues;
    struct loy_cel_instruction *code;
    uint32_t *places;
    uint32_t code_count, code_capacity;
    struct loy_cel_value *constants;
    uint32_t constant_count, constant_capacity;
    const void **patterns;
    uint32_t pattern_count, pattern_capacity;
    struct loy_cel_need *needs;
    uint32_t need_count, need_capacity;
    struct loy_cel_clause clauses[LOY_CEL_MAX_CLAUSES];
    uint32_t clause_count;
    uint32_t local_count;
    bool is_folding; /* inside an expression whose value is about to be computed */
    bool no_memory;
    bool too_large;
};

/* Code for the whole tree, ending in RETURN. */
void loy_cel_emit_program(struct loy_cel_emitter *emitter, struct loy_cel_node *root);

#endif
