/* CEL: Google's Common Expression Language, checked before it goes live, bounded and exact when it runs.
 *
 * The one header of this library that outsiders include. It needs services/base only, so it can be used alone:
 *
 *     loy_cel_env_new, add_record, add_variable, add_function   what an expression may name; then never changed again
 *     loy_cel_compile      parse + check + compile -> an immutable program in the caller's arena, or all its issues
 *     loy_cel_eval         program + values of the variables -> a value (an error is a value too)
 *
 * Pure: no heap, no locale, no I/O, no globals. An environment and a program are immutable once built and may be shared
 * by threads; a compilation or an evaluation belongs to one thread and takes memory from the arena it is given, only.
 * The language: cel-spec (github.com/google/cel-spec), docs/cel.md says what of it and which limits.
 * Test: tests/unit/test_cel_*.c, tests/conformance/. */
#ifndef LOY_CEL_CEL_H
#define LOY_CEL_CEL_H

#include "base/arena.h"
#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- values ----------------------------------------------------------------------------------------------------- */

enum loy_cel_kind {
    LOY_CEL_ERROR,     /* `fault` says why, len where: an offset into the expression's text */
    LOY_CEL_ABSENT,    /* in a slot only: the fact is not there; reading it is an error, has() is false */
    LOY_CEL_NULL,      /* */
    LOY_CEL_BOOL,      /* i: 0 or 1 */
    LOY_CEL_INT,       /* i */
    LOY_CEL_UINT,      /* u */
    LOY_CEL_DOUBLE,    /* d */
    LOY_CEL_STRING,    /* text, len bytes of UTF-8 */
    LOY_CEL_BYTES,     /* text, len bytes */
    LOY_CEL_TIMESTAMP, /* i seconds since 1970, len nanoseconds 0 … 999,999,999 */
    LOY_CEL_DURATION,  /* i nanoseconds: ±292 years */
    LOY_CEL_LIST,      /* items, len of them */
    LOY_CEL_MAP,       /* entries, len of them, in the order of the source; keys are unique */
    LOY_CEL_TYPE,      /* text, len bytes: the type's name */
    LOY_CEL_RECORD,    /* items: its slots; len: the id that loy_cel_env_add_record returned */
    LOY_CEL_KIND_COUNT
};

/* Why an evaluation failed. BUDGET ends it at once, the others may be absorbed by && and ||. */
enum loy_cel_fault {
    LOY_CEL_FAULT_NONE,
    LOY_CEL_FAULT_ABSENT,      /* a fact that is not there: as.u is record id << 32 | field */
    LOY_CEL_FAULT_NO_KEY,      /* a map without the key, a list without the index */
    LOY_CEL_FAULT_DIVISION,    /* by zero */
    LOY_CEL_FAULT_OVERFLOW,    /* a result outside its type's range */
    LOY_CEL_FAULT_NO_OVERLOAD, /* values of kinds that the function does not take */
    LOY_CEL_FAULT_ARGUMENT,    /* a value that the function does not take; as.text may say more (NUL-terminated) */
    LOY_CEL_FAULT_BUDGET,      /* fuel used up, arena full, or values nested too deep */
    LOY_CEL_FAULT_COUNT
};

struct loy_cel_entry;

/* 16 bytes; what it points to is borrowed. */
struct loy_cel_value {
    uint8_t kind;  /* enum loy_cel_kind */
    uint8_t fault; /* enum loy_cel_fault, of ERROR only */
    uint32_t len;
    union {
        int64_t i;
        uint64_t u;
        double d;
        const char *text;
        const struct loy_cel_value *items;
        const struct loy_cel_entry *entries;
    } as;
};

struct loy_cel_entry {
    struct loy_cel_value key; /* BOOL, INT, UINT or STRING */
    struct loy_cel_value value;
};

static inline struct loy_cel_value loy_cel_absent(void)
{
    return (struct loy_cel_value){.kind = LOY_CEL_ABSENT};
}
static inline struct loy_cel_value loy_cel_null(void)
{
    return (struct loy_cel_value){.kind = LOY_CEL_NULL};
}
static inline struct loy_cel_value loy_cel_bool(bool value)
{
    return (struct loy_cel_value){.kind = LOY_CEL_BOOL, .as.i = value};
}
static inline struct loy_cel_value loy_cel_int(int64_t value)
{
    return (struct loy_cel_value){.kind = LOY_CEL_INT, .as.i = value};
}
static inline struct loy_cel_value loy_cel_uint(uint64_t value)
{
    return (struct loy_cel_value){.kind = LOY_CEL_UINT, .as.u = value};
}
static inline struct loy_cel_value loy_cel_double(double value)
{
    return (struct loy_cel_value){.kind = LOY_CEL_DOUBLE, .as.d = value};
}
/* text is borrowed, must be UTF-8 and shorter than 4 GiB. */
static inline struct loy_cel_value loy_cel_string(struct loy_str text)
{
    return (struct loy_cel_value){.kind = LOY_CEL_STRING, .len = (uint32_t)text.len, .as.text = text.at};
}
static inline struct loy_cel_value loy_cel_bytes(struct loy_str bytes)
{
    return (struct loy_cel_value){.kind = LOY_CEL_BYTES, .len = (uint32_t)bytes.len, .as.text = bytes.at};
}
static inline struct loy_cel_value loy_cel_list(const struct loy_cel_value *items, size_t count)
{
    return (struct loy_cel_value){.kind = LOY_CEL_LIST, .len = (uint32_t)count, .as.items = items};
}
static inline struct loy_cel_value loy_cel_map(const struct loy_cel_entry *entries, size_t count)
{
    return (struct loy_cel_value){.kind = LOY_CEL_MAP, .len = (uint32_t)count, .as.entries = entries};
}
/* slots: one value a declared field, in the order of the declaration. */
static inline struct loy_cel_value loy_cel_record(uint32_t record_id, const struct loy_cel_value *slots)
{
    return (struct loy_cel_value){.kind = LOY_CEL_RECORD, .len = record_id, .as.items = slots};
}
/* A moment of base/calendar.h: microseconds since 1970, UTC. */
static inline struct loy_cel_value loy_cel_timestamp(int64_t moment_us)
{
    int64_t seconds = moment_us / LOY_US_PER_SECOND;
    int64_t rest = moment_us % LOY_US_PER_SECOND;
    if (rest < 0) {
        rest += LOY_US_PER_SECOND;
        seconds--;
    }
    return (struct loy_cel_value){.kind = LOY_CEL_TIMESTAMP, .len = (uint32_t)rest * 1000, .as.i = seconds};
}
static inline struct loy_str loy_cel_text(struct loy_cel_value value)
{
    return (struct loy_str){value.as.text, value.len};
}

/* --- environment: what an expression may name -------------------------------------------------------------------- */

struct loy_cel_env;
struct loy_cel_run; /* one evaluation, as a function handed in sees it */

/* Types are written as text, as CEL prints them: "int", "list(line)", "map(string, int)", "dyn", the name of a record
 * declared before, "~T" for a type parameter, "tuple(~T, ~U)" for an opaque type.
 * All text handed in is borrowed for as long as the environment and its programs live. */
struct loy_cel_field {
    const char *name;
    const char *type;
    uint8_t decimals;  /* an int in minor units: explanations print 148000 as 1,480.00 with 2; else 0 */
    uint32_t max_size; /* longest list, map or text that may stand here, for the static cost; 0: LOY_CEL_DEFAULT_SIZE */
};

/* Called with values whose kinds fit the signature. Returns a value, or loy_cel_fail(). Memory: loy_cel_alloc(). */
typedef struct loy_cel_value loy_cel_call_fn(void *context, struct loy_cel_run *run, const struct loy_cel_value *args,
                                             size_t count);

struct loy_cel_function {
    const char *name;      /* "money"; "text.slug" is a qualified name */
    const char *signature; /* "string, int -> int"; several declarations of a name are its overloads */
    bool is_method;        /* x.name(y): x is the first argument of the signature */
    bool is_constant;      /* the same result for ever, so calls with constant arguments are done while compiling */
    uint32_t cost;         /* fuel a call, 1 at least */
    loy_cel_call_fn *call; /* NULL: declared only, calling it is an error */
    void *context;
};

/* Regular expressions, RE2's syntax, unanchored, in linear time: adapters/regex is one. */
struct loy_cel_matcher {
    void *context;
    /* A constant pattern, compiled once, owned by the matcher; NULL and a NUL-terminated reason if it is none. */
    const void *(*compile)(void *context, struct loy_str pattern, char *ret_reason, size_t reason_size);
    bool (*search)(const void *compiled, struct loy_str text);
    /* A pattern that is known at run time only: 1 found, 0 not found, -1 not a pattern. */
    int (*search_once)(void *context, struct loy_str pattern, struct loy_str text);
};

struct loy_cel_zone {
    const char *name; /* "Europe/Moscow" */
    struct loy_zone zone;
};

/* A name that is there already, or a type that is none: LOY_ERR_INVALID_VALUE, the detail says which.
 * An environment takes memory from its arena until it is complete. NULL when the arena is full. */
struct loy_cel_env *loy_cel_env_new(struct loy_arena *arena);
LOY_MUST_USE enum loy_err loy_cel_env_add_record(struct loy_cel_env *env, const char *name,
                                                 const struct loy_cel_field *fields, size_t count, uint32_t *ret_id,
                                                 struct loy_error *error);
/* ret_slot: the variable's place in the activation: 0, 1, 2 … in the order of the declarations. */
LOY_MUST_USE enum loy_err loy_cel_env_add_variable(struct loy_cel_env *env, const char *name, const char *type,
                                                   uint32_t *ret_slot, struct loy_error *error);
LOY_MUST_USE enum loy_err loy_cel_env_add_function(struct loy_cel_env *env, const struct loy_cel_function *function,
                                                   struct loy_error *error);
/* Borrowed. Without a matcher matches() is an issue, without a zone its name is an evaluation error. */
void loy_cel_env_set_matcher(struct loy_cel_env *env, const struct loy_cel_matcher *matcher);
void loy_cel_env_set_zones(struct loy_cel_env *env, const struct loy_cel_zone *zones, size_t count);

/* --- compilation ------------------------------------------------------------------------------------------------- */

enum {
    LOY_CEL_MAX_TEXT = 65536,       /* bytes of an expression */
    LOY_CEL_MAX_NODES = 16384,      /* nodes of its tree, macros expanded */
    LOY_CEL_MAX_NESTING = 250,      /* depth of its tree */
    LOY_CEL_MAX_LOOP_DEPTH = 4,     /* comprehensions inside comprehensions */
    LOY_CEL_MAX_VALUE_NESTING = 64, /* lists in lists, where values are compared or printed */
    LOY_CEL_MAX_ISSUES = 20,        /* reported in one pass */
    LOY_CEL_MAX_SYNTAX_ISSUES = 10, /* of them syntax errors, each of which may come from the one before */
    LOY_CEL_MAX_CLAUSES = 64,       /* parts of a condition that a trace holds */
    LOY_CEL_DEFAULT_SIZE = 1000,    /* of a list, map or text without a declared limit, for the static cost */
    LOY_CEL_DEFAULT_MAX_COST = 10000000,
};

struct loy_cel_options {
    const char *container; /* "com.example": names are looked for there first; NULL: none */
    const char *result;    /* the type that it must have ("bool", "int"); NULL: any */
    bool money;            /* money profile: no doubles; int division is remarked on */
    bool skip_check;       /* everything is dyn, as CEL's parse-only mode */
    bool check_only;       /* no code: the program has a type but must not be evaluated */
    bool no_macros;        /* has(), all() … are plain calls */
    uint64_t max_cost;     /* static worst case; 0: LOY_CEL_DEFAULT_MAX_COST */
};

struct loy_cel_issue {
    uint32_t offset, length; /* bytes of the text that it is about; length may be 0 */
    uint32_t line, column;   /* from 1; columns count code points */
    bool is_warning;
    struct loy_str message; /* "no field 'totl' on purchase: did you mean 'total'?" */
};

/* In the order of the text. */
struct loy_cel_issues {
    struct loy_cel_issue items[LOY_CEL_MAX_ISSUES];
    size_t count;
    bool more; /* there were more than fit */
};

struct loy_cel_program;

/* LOY_ERR_INVALID_VALUE: at least one issue that is no warning. LOY_ERR_NO_MEMORY: the arena is full. LOY_OK: a program
 * in the arena (warnings may stand in *ret_issues). text must outlive the program; it may be any bytes. */
LOY_MUST_USE enum loy_err loy_cel_compile(const struct loy_cel_env *env, struct loy_str text,
                                          const struct loy_cel_options *options, struct loy_arena *arena,
                                          const struct loy_cel_program **ret_program,
                                          struct loy_cel_issues *ret_issues);

/* "1:17: no field …", then the line of the text and a caret under the column. */
void loy_cel_issue_print(const struct loy_cel_issue *issue, struct loy_str text, struct loy_buf *buf);

/* The type of its result as text, lives as long as the program. */
struct loy_str loy_cel_program_type(const struct loy_cel_program *program);
/* Most fuel that an evaluation can use, if no value is larger than declared. */
uint64_t loy_cel_program_cost(const struct loy_cel_program *program);
/* Most bytes of the arena that the evaluator's own stack takes (results of functions come on top). */
size_t loy_cel_program_stack_size(const struct loy_cel_program *program);

/* A slot that the program may read: fill only these. */
struct loy_cel_need {
    uint32_t variable;
    int32_t record; /* of the field; -1: the variable as a whole */
    int32_t field;
};
/* record ≥ 0, variable: UINT32_MAX when the record was reached through a list or another field. Borrowed. */
const struct loy_cel_need *loy_cel_program_needs(const struct loy_cel_program *program, size_t *ret_count);

/* A field of a variable that must be one of these texts, or the condition is not true: an operand of its outermost &&
 * (or the whole) of the form `variable.field == 'text'` or `variable.field in ['a', 'b']`. For indexes. */
struct loy_cel_pinned {
    uint32_t variable;
    int32_t record, field;
    const struct loy_str *texts;
    uint32_t count;
};
/* Fills at most max of them; false: the arena is full. */
LOY_MUST_USE bool loy_cel_program_pinned(const struct loy_cel_program *program, struct loy_arena *arena,
                                         struct loy_cel_pinned *ret_pinned, uint32_t max, uint32_t *ret_count);

enum loy_cel_compared {
    LOY_CEL_COMPARED_EQ,
    LOY_CEL_COMPARED_LT,
    LOY_CEL_COMPARED_LE,
    LOY_CEL_COMPARED_GT,
    LOY_CEL_COMPARED_GE,
    LOY_CEL_COMPARED_IN,
};

/* A comparison among the operands of the condition's outermost && and ||, as its author wrote it. */
struct loy_cel_comparison {
    enum loy_cel_compared by;
    struct loy_str left, right;
    bool left_is_constant, right_is_constant;
    bool needed;      /* the condition is not true without it: no || above it */
    uint8_t decimals; /* of money in it, as struct loy_cel_field says; 0: none, or not known */
    uint32_t offset;  /* of the whole, in bytes of the text */
};
/* At most max of them, from left to right. */
uint32_t loy_cel_program_comparisons(const struct loy_cel_program *program, struct loy_cel_comparison *ret_rows,
                                     uint32_t max);

/* --- evaluation -------------------------------------------------------------------------------------------------- */

/* variables[slot] for every variable declared. Memory comes from the arena and stays there with the result; *fuel is
 * reduced by what was used. Never fails but by a value of kind ERROR. */
struct loy_cel_value loy_cel_eval(const struct loy_cel_program *program, const struct loy_cel_value *variables,
                                  struct loy_arena *arena, uint64_t *fuel);

/* "division by zero at 1:10"; "member.average_purchase is not known". */
void loy_cel_error_print(const struct loy_cel_program *program, struct loy_cel_value error, struct loy_buf *buf);

/* For functions handed in. The message is NUL-terminated, constant or from loy_cel_alloc. */
void *loy_cel_alloc(struct loy_cel_run *run, size_t size); /* NULL: full; then return loy_cel_exhausted() */
struct loy_cel_value loy_cel_fail(enum loy_cel_fault fault, const char *message);
static inline struct loy_cel_value loy_cel_exhausted(void)
{
    return loy_cel_fail(LOY_CEL_FAULT_BUDGET, "memory used up");
}

/* --- explanation ------------------------------------------------------------------------------------------------- */

/* What one part of a condition saw. Parts are the operands of its outermost && and ||, from left to right. */
struct loy_cel_seen {
    struct loy_cel_value left, right; /* of a comparison; else right is ABSENT and left the part's own value */
    struct loy_cel_value result;
};

struct loy_cel_trace {
    struct loy_cel_seen clauses[LOY_CEL_MAX_CLAUSES]; /* of loy_cel_program_clauses; those beyond are not kept */
    uint64_t evaluated;                               /* bit i: clauses[i] was written */
};

size_t loy_cel_program_clauses(const struct loy_cel_program *program);
/* As loy_cel_eval; also writes the trace. */
struct loy_cel_value loy_cel_eval_traced(const struct loy_cel_program *program, const struct loy_cel_value *variables,
                                         struct loy_arena *arena, uint64_t *fuel, struct loy_cel_trace *ret_trace);
/* The deciding parts in words: "purchase.total was 1,480.00, needed 1,500.00: 20.00 short". Nothing for a program that
 * is no condition, or that a constant decides. */
void loy_cel_explain(const struct loy_cel_program *program, struct loy_cel_value result,
                     const struct loy_cel_trace *trace, struct loy_buf *buf);

/* Any value as CEL source would write it: for logs, tests and explanations. */
void loy_cel_value_print(struct loy_cel_value value, struct loy_buf *buf);

#endif
