/* The checker: what every name means, and what type every part has.
 *
 * check.c walks the tree, name.c finds names (containers, qualified names, locals), overload.c chooses among the
 * signatures of a function. With skip_check only names are looked up and every type is dyn. Inside the room only.
 * Pure; one thread. Rules: cel-spec/doc/langdef.md, "Name Resolution" and "Gradual Type Checking".
 * Test: tests/unit/test_cel_check.c. */
#ifndef LOY_CEL_CHECK_H
#define LOY_CEL_CHECK_H

#include "cel/env.h"
#include "cel/functions.h"
#include "cel/issue.h"
#include "cel/node.h"

/* A variable of a macro, while its body is looked at. */
struct loy_cel_scope {
    const struct loy_cel_scope *outer;
    struct loy_str name;
    const struct loy_cel_type *type;
    uint32_t local;
};

struct loy_cel_checker {
    const struct loy_cel_env *env;
    const struct loy_cel_options *options;
    struct loy_arena *arena;
    struct loy_cel_issue_sink *issues;
    struct loy_cel_unifier unifier;
    const struct loy_cel_scope *scope;
    uint32_t locals, most_locals;
    uint32_t loop_depth;
};

/* Sets meaning, target, record, local, is_constant and type of every node. Issues tell what is wrong. */
LOY_MUST_USE enum loy_err loy_cel_check(struct loy_cel_checker *checker, struct loy_cel_node *root);

/* name.c */

/* An identifier, or a chain of selections that begins with one: true if the whole of it is one name. */
bool loy_cel_resolve_name(struct loy_cel_checker *checker, struct loy_cel_node *node,
                          const struct loy_cel_type **ret_type);
/* A call f(x), or x.f(y) that may be a qualified function `x.f`, which becomes a plain call. Sets meaning and target.
 */
void loy_cel_resolve_function(struct loy_cel_checker *checker, struct loy_cel_node *node);
void loy_cel_report_unknown_name(struct loy_cel_checker *checker, const struct loy_cel_node *node);
void loy_cel_report_unknown_function(struct loy_cel_checker *checker, const struct loy_cel_node *node);

/* overload.c */

/* The type that a call or an operation yields; its arguments have been checked. */
const struct loy_cel_type *loy_cel_check_overloads(struct loy_cel_checker *checker, struct loy_cel_node *node);
/* Type as text, NUL-terminated, for messages; "" when memory is short. */
const char *loy_cel_type_text(struct loy_cel_checker *checker, const struct loy_cel_type *type);

#endif
