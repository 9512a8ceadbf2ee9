/* Literals: numbers and quoted text as written in an expression. Inside the room only. Pure; any thread.
 * Test: tests/unit/test_cel_parse.c. */
#ifndef LOY_CEL_LITERAL_H
#define LOY_CEL_LITERAL_H

#include "cel/cel.h"

/* token: the whole literal with prefix and quotes. False with *ret_reason (constant) when it is none. */
LOY_MUST_USE bool loy_cel_literal_text(struct loy_str token, struct loy_arena *arena, struct loy_cel_value *ret,
                                       const char **ret_reason);
/* token: digits with 0x, u, point, exponent; a sign may stand before an int or a double. */
LOY_MUST_USE bool loy_cel_literal_number(struct loy_str token, struct loy_cel_value *ret, const char **ret_reason);

#endif
