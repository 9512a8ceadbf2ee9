/* Explain rule: one rule's part in a decision, in words or JSON, from its trace. One thread.
 * Test: tests/integration/test_programme.py. */
#ifndef LOY_CTL_EXPLAIN_RULE_H
#define LOY_CTL_EXPLAIN_RULE_H

#include "engine/effects.h"
#include "engine/programme.h"

#include <stdio.h>

struct loy_explain_row {
    const struct loy_rule_trace *trace;
    const struct loy_programme *programme; /* that decided; NULL: not known, minor units are shown as they are */
    struct loy_str name;                   /* of the rule */
};

void loy_explain_rule(FILE *out, const struct loy_explain_row *row);
void loy_explain_rule_json(FILE *out, const struct loy_explain_row *row);

/* The rule of that number; NULL where the programme has none or is NULL. */
const struct loy_rule *loy_explain_find(const struct loy_programme *programme, int32_t number);

/* Money as people read it, "1,500.00", by the programme's currency. */
struct loy_explain_amount {
    char text[64];
};
struct loy_explain_amount loy_explain_money(const struct loy_programme *programme, int64_t minor);
/* A quantity in thousandths: "2", "0.25". */
struct loy_explain_amount loy_explain_quantity(int64_t milli);

#endif
