/* The compiled form, the machine that runs it, and what functions see of a run. Inside the room only.
 *
 * A stack machine over 8-byte instructions. Errors are values on the stack, so && and || can absorb them. The only
 * backward jump is the end of a loop. verify.c proves of every program before it runs: all operands in range, one
 * stack depth at every instruction, no read of a local that may be unset, an end that is reached; so the machine
 * checks none of it. Kinds of values are checked when it runs. Test: tests/unit/test_cel_verify.c. */
#ifndef LOY_CEL_PROGRAM_H
#define LOY_CEL_PROGRAM_H

#include "cel/env.h"
#include "cel/node.h"

/*    op            pops pushes  a, b, c                                                                              */
#define LOY_CEL_OP_TABLE(X)                                                                                            \
    X(CONST, 0, 1)     /* c: constant */                                                                               \
    X(VAR, 0, 1)       /* c: variable */                                                                               \
    X(VAR_FIELD, 0, 1) /* b: variable, c: record << 16 | field */                                                      \
    X(VAR_HAS, 0, 1)   /* as VAR_FIELD */                                                                              \
    X(LOCAL, 0, 1)     /* c: local */                                                                                  \
    X(STORE, 1, 0)     /* c: local */                                                                                  \
    X(FIELD, 1, 1)     /* c: record << 16 | field */                                                                   \
    X(FIELD_HAS, 1, 1) /* as FIELD */                                                                                  \
    X(SELECT, 1, 1)    /* c: constant with the name */                                                                 \
    X(HAS, 1, 1)       /* as SELECT */                                                                                 \
    X(BINARY, 2, 1)    /* a: builtin of two arguments; b: clause */                                                    \
    X(EQ, 2, 1)        /* b: clause, for these six */                                                                  \
    X(NE, 2, 1)                                                                                                        \
    X(LT, 2, 1)                                                                                                        \
    X(LE, 2, 1)                                                                                                        \
    X(GT, 2, 1)                                                                                                        \
    X(GE, 2, 1)                                                                                                        \
    X(ADD, 2, 1)                                                                                                       \
    X(SUB, 2, 1)                                                                                                       \
    X(MUL, 2, 1)                                                                                                       \
    X(CALL, -1, 1)         /* a: builtin, b: number of arguments */                                                    \
    X(HOST, -1, 1)         /* a: 1 for a method, b: number of arguments, c: first function of the name */              \
    X(MATCH, 1, 1)         /* c: compiled pattern */                                                                   \
    X(LIST, -1, 1)         /* c: number of items */                                                                    \
    X(MAP, -1, 1)          /* c: number of entries, each a key and a value */                                          \
    X(CLAUSE, 1, 1)        /* b: clause */                                                                             \
    X(JUMP, 0, 0)          /* c: where to, for all jumps */                                                            \
    X(JUMP_IF_FALSE, 1, 1) /* keeps what it looks at */                                                                \
    X(JUMP_IF_TRUE, 1, 1)  /* keeps what it looks at */                                                                \
    X(AND, 2, 1)                                                                                                       \
    X(OR, 2, 1)                                                                                                        \
    X(BRANCH, 1, 0) /* c: if false; b: if no bool, then with an error on the stack */                                  \
    X(LOOP, 1, 0)   /* a: enum loy_cel_loop, b: locals, c: behind the loop, with the result on the stack */            \
    X(NEXT, 1, 1)   /* a: enum loy_cel_loop, b: locals, c: the body; pops nothing when it goes on */                   \
    X(RAISE, 0, 1)  /* a: enum loy_cel_fault, c: constant with the message */                                          \
    X(RETURN, 1, 0)

enum loy_cel_op {
#define LOY_CEL_OP_ENUM(op, pops, pushes) LOY_CEL_OP_##op,
    LOY_CEL_OP_TABLE(LOY_CEL_OP_ENUM)
#undef LOY_CEL_OP_ENUM
        LOY_CEL_OP_COUNT
};

struct loy_cel_instruction {
    uint8_t op;
    uint8_t a;
    uint16_t b;
    uint32_t c;
};

/* The locals of a loop. */
enum { LOY_CEL_LOOP_ITEM, LOY_CEL_LOOP_RANGE, LOY_CEL_LOOP_INDEX, LOY_CEL_LOOP_RESULT, LOY_CEL_LOOP_LOCALS };

enum {
    LOY_CEL_MAX_CODE = 65535,
    LOY_CEL_MAX_STACK = 20000,
    LOY_CEL_MAX_LOCALS = 1024,
    LOY_CEL_MAX_ARGUMENTS = 255,
    LOY_CEL_PATTERN_COST = 256, /* of compiling a regular expression that is only known at run time */
};

/* A part of the condition, for explanations. */
struct loy_cel_clause {
    struct loy_cel_node *node;
    bool is_comparison;
    uint8_t decimals;                    /* of money in it */
    struct loy_str before, holds, fails; /* of a comparison: what explanations of it always say (explain.c) */
};

struct loy_cel_program {
    const struct loy_cel_instruction *code;
    uint32_t code_count;
    uint32_t stack_depth; /* set by verify.c */
    uint32_t local_count;
    uint32_t constant_count;
    uint32_t pattern_count;
    const struct loy_cel_value *constants;
    const void *const *patterns;
    const uint32_t *places; /* offset into the text, by instruction */
    const struct loy_cel_env *env;
    struct loy_str text;
    struct loy_str type_text;
    const struct loy_cel_node *root;
    const struct loy_cel_clause *clauses;
    uint32_t clause_count;
    uint32_t need_count;
    const struct loy_cel_need *needs;
    uint64_t cost;
    bool is_check_only;
};

struct loy_cel_run {
    const struct loy_cel_program *program;
    const struct loy_cel_value *variables;
    struct loy_arena *arena;
    struct loy_cel_trace *trace; /* NULL: no trace */
    uint64_t fuel;
    uint32_t depth; /* of nested values being compared or printed */
};

/* Fills stack_depth. LOY_ERR_CORRUPT with the reason: not a program that may run. */
LOY_MUST_USE enum loy_err loy_cel_verify(struct loy_cel_program *program, struct loy_arena *scratch,
                                         struct loy_error *error);

/* Runs verified code from an instruction on, up to its RETURN. */
struct loy_cel_value loy_cel_machine(struct loy_cel_run *run, uint32_t start);

/* Writes the texts of comparisons. The program's text and number of clauses are set. NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_cel_explain_prepare(const struct loy_cel_program *program, struct loy_cel_clause *clauses,
                                                  struct loy_arena *arena);

/* What a program of code_count instructions can cost at the most (cost.c). */
uint64_t loy_cel_cost_of(const struct loy_cel_env *env, const struct loy_cel_node *root, uint32_t code_count);

/* --- what functions use ------------------------------------------------------------------------------------------ */

/* Takes fuel; false: used up, then return loy_cel_no_fuel(). */
static inline bool loy_cel_charge(struct loy_cel_run *run, uint64_t units)
{
    if (units > run->fuel) {
        run->fuel = 0;
        return false;
    }
    run->fuel -= units;
    return true;
}
static inline struct loy_cel_value loy_cel_no_fuel(void)
{
    return loy_cel_fail(LOY_CEL_FAULT_BUDGET, "cost limit reached");
}
static inline struct loy_cel_value loy_cel_no_overload(void)
{
    return loy_cel_fail(LOY_CEL_FAULT_NO_OVERLOAD, "no such overload");
}
static inline struct loy_cel_value loy_cel_out_of_range(void)
{
    return loy_cel_fail(LOY_CEL_FAULT_OVERFLOW, "the result is out of range");
}

/* Bytes of text, 16 a unit. */
static inline uint64_t loy_cel_text_units(uint64_t len)
{
    return len / 16 + 1;
}

/* Deep equality as the language has it: BOOL, or an error of the budget. */
struct loy_cel_value loy_cel_equal(struct loy_cel_run *run, struct loy_cel_value a, struct loy_cel_value b);
/* < 0, 0, > 0; 2: not ordered (NaN); LOY_CEL_UNORDERED: values that have no order. */
enum { LOY_CEL_NAN_ORDER = 2, LOY_CEL_UNORDERED = 3 };
int loy_cel_compare(struct loy_cel_value a, struct loy_cel_value b);
/* The value under a key; NULL: not there. */
const struct loy_cel_value *loy_cel_map_find(struct loy_cel_value map, struct loy_cel_value key);
/* Whether a value may be a key: BOOL, INT, UINT, STRING. */
bool loy_cel_is_key(struct loy_cel_value value);
/* The name that type() gives it. */
struct loy_str loy_cel_kind_name(const struct loy_cel_env *env, struct loy_cel_value value);
/* Whether a declared type takes the value, looking at its kind only. */
bool loy_cel_kind_fits(const struct loy_cel_type *type, struct loy_cel_value value);
/* Plain text as string() and format("%s") give it; false: it has none, or it is nested too deep. */
bool loy_cel_print_plain(struct loy_cel_value value, struct loy_arena *scratch, struct loy_buf *buf, unsigned depth);

#endif
