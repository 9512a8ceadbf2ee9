/* Explain rule: one rule's part in a decision, in words or JSON, from its trace. One thread.
 * Test: tests/integration/test_programme.py. */
#ifndef LOY_CTL_EXPLAIN_RULE_H
#define LOY_CTL_EXPLAIN_RULE_H

#include "engine/effects.h"

#include <stdio.h>

/* digits: decimals of the amounts; -1: not known, minor units are shown as they are. */
void loy_explain_rule(FILE *out, const struct loy_rule_trace *rule, struct loy_str name, int32_t digits);
void loy_explain_rule_json(FILE *out, const struct loy_rule_trace *rule, struct loy_str name);

#endif
