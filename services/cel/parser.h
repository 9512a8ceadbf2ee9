/* The parser's state, shared by parser.c (the grammar), recover.c (the tokens, and how it goes on after an error) and
 * macro.c (has, all, cel.bind …). Inside the room only.
 *
 * A function of the grammar returns a node; the broken one where an error has been reported, whose parents are broken
 * too; NULL when nothing more is to be read: a limit or the memory is used up, or enough errors are known.
 * Pure; one thread. Test: tests/unit/test_cel_parse.c, tests/unit/test_cel_recover.c. */
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
    uint32_t depth;       /* of brackets and signs, so that the parser's own stack is bounded */
    uint32_t open[3];     /* brackets ( [ { that are not closed yet */
    uint32_t quiet_at;    /* nothing more is said about this place */
    uint32_t issue_count; /* syntax errors reported */
    bool no_macros;
    bool failed;   /* there is an error: the tree is worth nothing */
    bool stopped;  /* nothing more is read */
    bool lost;     /* a bracket stood where another was expected: which close which is a guess from here on */
    bool skipping; /* between an error and where reading goes on */
    bool no_memory;
    struct loy_cel_node broken; /* stands for what could not be read; what is written into it means nothing */
};

/* NULL or the broken node after a failure, which has been reported. */
struct loy_cel_node *loy_cel_parser_node(struct loy_cel_parser *parser, enum loy_cel_node_kind kind, uint32_t start,
                                         struct loy_cel_node *const *args, uint32_t count);
/* What a call is if it is a macro; the call itself otherwise. NULL or broken after a failure. */
struct loy_cel_node *loy_cel_expand_macro(struct loy_cel_parser *parser, struct loy_cel_node *call);
struct loy_cel_node *loy_cel_parser_expression(struct loy_cel_parser *parser);

/* Reports an error: the broken node, or NULL when it was one too many. */
LOY_PRINTF(4, 5)
struct loy_cel_node *loy_cel_parser_fail(struct loy_cel_parser *parser, uint32_t start, uint32_t end,
                                         const char *format, ...);
/* Reports that a limit is passed, and ends it: NULL. */
LOY_PRINTF(4, 5)
struct loy_cel_node *loy_cel_parser_stop(struct loy_cel_parser *parser, uint32_t start, uint32_t end,
                                         const char *format, ...);
static inline struct loy_cel_node *loy_cel_parser_broken(struct loy_cel_parser *parser)
{
    return parser->stopped ? NULL : &parser->broken;
}

struct loy_str loy_cel_parser_text(const struct loy_cel_parser *parser, struct loy_cel_token token);
void loy_cel_parser_step(struct loy_cel_parser *parser);
/* Steps over the token if it is of that kind. */
bool loy_cel_parser_accept(struct loy_cel_parser *parser, uint32_t kind);
/* Reports that the token is not what was wanted: "',' or ')'". */
struct loy_cel_node *loy_cel_parser_unexpected(struct loy_cel_parser *parser, const char *wanted);
/* The same where a bracket should have been closed. Only the first wrong bracket is reported: others may come from it.
 */
void loy_cel_parser_unclosed(struct loy_cel_parser *parser, const char *wanted);

/* Leaves out what stands before the next comma, colon, ?, && or ||, or what closes a bracket that is open here. */
void loy_cel_parser_skip(struct loy_cel_parser *parser);
/* Behind an error: reads on up to what closes a bracket (or to a comma, where commas have a meaning), only to find the
 * other errors. */
void loy_cel_parser_resume(struct loy_cel_parser *parser, const char *wanted, bool over_commas);
/* Steps over an opening bracket, if it stands here. */
bool loy_cel_parser_open(struct loy_cel_parser *parser, uint32_t bracket);
/* Steps over the closing bracket; false: something else stood here, which has been reported. */
bool loy_cel_parser_close(struct loy_cel_parser *parser, uint32_t bracket, const char *wanted);
/* Behind the whole expression: nothing may follow. */
void loy_cel_parser_finish(struct loy_cel_parser *parser);

#endif
