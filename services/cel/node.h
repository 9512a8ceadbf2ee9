/* The tree of an expression, and the parser that makes it.
 *
 * Macros (has, all, exists, exists_one, map, filter, cel.bind) are nodes of their own, so that neither the checker nor
 * the compiler has to know how cel-go unfolds them. Inside the room only. Pure; one thread.
 * Grammar: cel-spec/doc/langdef.md. Test: tests/unit/test_cel_parse.c. */
#ifndef LOY_CEL_NODE_H
#define LOY_CEL_NODE_H

#include "cel/type.h"

enum loy_cel_node_kind {
    LOY_CEL_NODE_CONST,
    LOY_CEL_NODE_IDENT,  /* name */
    LOY_CEL_NODE_SELECT, /* args[0] . name */
    LOY_CEL_NODE_HAS,    /* has(args[0].name) */
    LOY_CEL_NODE_CALL,   /* name(args) */
    LOY_CEL_NODE_METHOD, /* args[0].name(args[1…]) */
    LOY_CEL_NODE_OP,     /* op: enum loy_cel_builtin */
    LOY_CEL_NODE_AND,    /* all of args, two or more */
    LOY_CEL_NODE_OR,
    LOY_CEL_NODE_IF,   /* args[0] ? args[1] : args[2] */
    LOY_CEL_NODE_LIST, /* */
    LOY_CEL_NODE_MAP,  /* key, value, key, value … */
    LOY_CEL_NODE_LOOP, /* args[0]: range, [1]: body, [2]: for a map with a condition, what it yields */
    LOY_CEL_NODE_BIND, /* name = args[0] in args[1] */
};

enum loy_cel_loop {
    LOY_CEL_LOOP_ALL,
    LOY_CEL_LOOP_EXISTS,
    LOY_CEL_LOOP_EXISTS_ONE,
    LOY_CEL_LOOP_MAP,
    LOY_CEL_LOOP_FILTER
};

/* What a name turned out to be; set by resolve.c. */
enum loy_cel_meaning {
    LOY_CEL_MEANS_NOTHING,
    LOY_CEL_MEANS_LOCAL,    /* target: local */
    LOY_CEL_MEANS_VARIABLE, /* target: slot */
    LOY_CEL_MEANS_TYPE,     /* constant: the type's value */
    LOY_CEL_MEANS_FIELD,    /* target: field, record: its record */
    LOY_CEL_MEANS_KEY,      /* of a map, or known at run time only */
    LOY_CEL_MEANS_BUILTIN,  /* target: enum loy_cel_builtin */
    LOY_CEL_MEANS_HOST      /* target: first function of the name in the environment */
};

struct loy_cel_node {
    uint8_t kind;
    uint8_t detail;      /* OP: enum loy_cel_builtin, LOOP: enum loy_cel_loop */
    uint8_t meaning;     /* enum loy_cel_meaning */
    bool from_root;      /* IDENT with a leading dot */
    bool is_constant;    /* nothing below that an activation decides */
    uint16_t depth;      /* of the tree below, itself counted */
    uint32_t start, end; /* bytes of the text */
    uint32_t at;         /* where errors point to */
    uint32_t count;      /* of args */
    int32_t target, record;
    uint32_t local;      /* LOOP, BIND: first of its locals */
    uint32_t clause;     /* 1…: part of the condition for the trace; 0: none */
    uint32_t body_size;  /* LOOP: instructions an element */
    struct loy_str name; /* also the variable of LOOP and BIND */
    struct loy_cel_node **args;
    struct loy_cel_value constant;
    const struct loy_cel_type *type;
};

struct loy_cel_issue_sink;

struct loy_cel_parse_result {
    struct loy_cel_node *root; /* NULL: there were issues */
    uint32_t node_count;
};

/* LOY_ERR_NO_MEMORY, or LOY_OK: the issues tell the rest. */
LOY_MUST_USE enum loy_err loy_cel_parse(struct loy_str text, bool no_macros, struct loy_arena *arena,
                                        struct loy_cel_issue_sink *issues, struct loy_cel_parse_result *ret);

#endif
