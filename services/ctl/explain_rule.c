#include "ctl/explain_rule.h"

#include "base/num.h"
#include "ctl/json_out.h"

#include <inttypes.h>

struct amount {
    char text[LOY_DECIMAL_TEXT_MAX];
};

static struct amount amount_of(int64_t minor, int32_t digits)
{
    struct amount amount;
    (void)loy_decimal_format(minor, digits < 0 ? 0 : digits, amount.text);
    return amount;
}

void loy_explain_rule(FILE *out, const struct loy_rule_trace *rule, struct loy_str name, int32_t digits)
{
    const char *words = rule->reason ? loy_reason_words(rule->reason) : NULL;
    (void)fprintf(out, "  %-20.*s %8" PRId64, LOY_STR_ARG(name), rule->granted);
    if (rule->wanted != rule->granted) {
        (void)fprintf(out, " of %" PRId64 " wanted", rule->wanted);
    }
    if (rule->eligible_minor) {
        (void)fprintf(out, "  on %s", amount_of(rule->eligible_minor, digits).text);
    }
    if (rule->multiplier) {
        (void)fprintf(out, "  multiplied by %s", amount_of(rule->multiplier / 1000, 3).text);
    }
    if (rule->reason) {
        (void)fprintf(out, "  %s", words ? words : rule->reason);
    }
    if (rule->detail.len) {
        (void)fprintf(out, ": %.*s", LOY_STR_ARG(rule->detail));
    }
    if (rule->missing) {
        (void)fprintf(out, " (%s more)", amount_of(rule->missing, digits).text);
    }
    (void)fputs("\n", out);
}

void loy_explain_rule_json(FILE *out, const struct loy_rule_trace *rule, struct loy_str name)
{
    (void)fputs("{", out);
    loy_json_member(out, "rule", name);
    (void)fprintf(out,
                  ", \"wanted\": %" PRId64 ", \"granted\": %" PRId64 ", \"eligible_minor\": %" PRId64
                  ", \"missing\": %" PRId64 ", \"left\": %" PRId64,
                  rule->wanted, rule->granted, rule->eligible_minor, rule->missing, rule->left);
    if (rule->reason) {
        (void)fputs(", ", out);
        loy_json_member(out, "reason", loy_str(rule->reason));
    }
    if (rule->detail.len) {
        (void)fputs(", ", out);
        loy_json_member(out, "detail", rule->detail);
    }
    (void)fputs("}", out);
}
