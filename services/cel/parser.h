/* The parser's state, shared by parser.c (the grammar) and macro.c (has, all, cel.bind …). Inside the room only.
 *
 * Pure; one thread. Test: tests/unit/test_cel_parse.c. */
#ifndef LOY_CEL_PARSER_H
#define LOY_CEL_PARSER_H

#include "cel/issue.h"
#include "cel/lexer.h"
#include "cel/node.h"

struct loy_cel_parser {
    struct loy_str text;
    struct loy_arena *arena;
    struct loy_cel_issue_sink *issues;
    struct loy_cel_token token; /* the one to be looked at */
    uint32_t previous_end;
    uint32_t node_count;
    uint32_t depth; /* of brackets and signs, so that the parser's own stack is bounded */
    bool no_macros;
    bool stopped; /* after the first syntax error, or when memory or a limit is used up */
    bool no_memory;
};

/* NULL after a failure, which has been reported. */
struct loy_cel_node *loy_cel_parser_node(struct loy_cel_parser *parser, enum loy_cel_node_kind kind, uint32_t start,
                                         struct loy_cel_node *const *args, uint32_t count);
LOY_PRINTF(4, 5)
void loy_cel_parser_fail(struct loy_cel_parser *parser, uint32_t start, uint32_t end, const char *format, ...);
/* What a call is if it is a macro; the call itself otherwise. NULL after a failure. */
struct loy_cel_node *loy_cel_expand_macro(struct loy_cel_parser *parser, struct loy_cel_node *call);

#endif
