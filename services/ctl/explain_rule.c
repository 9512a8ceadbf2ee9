#include "ctl/explain_rule.h"

#include "base/num.h"
#include "ctl/json_out.h"

#include <inttypes.h>

/* --- numbers as people read them --------------------------------------------------------------------------------- */

struct loy_explain_amount loy_explain_money(const struct loy_programme *programme, int64_t minor)
{
    char plain[LOY_DECIMAL_TEXT_MAX];
    struct loy_explain_amount amount;
    int32_t digits = programme ? programme->currency_digits : 0;
    size_t len = loy_decimal_format(minor, digits, plain), at = 0;
    size_t whole = len - (digits > 0 ? (size_t)digits + 1 : 0);
    for (size_t i = 0; i < len; i++) {
        if (programme && i > 0 && i < whole && (whole - i) % 3 == 0 && plain[i - 1] != '-') {
            amount.text[at++] = ',';
        }
        amount.text[at++] = plain[i];
    }
    amount.text[at] = 0;
    return amount;
}

/* Without the zeros at the end. */
static struct loy_explain_amount decimal(int64_t value, int scale)
{
    struct loy_explain_amount amount;
    size_t len = loy_decimal_format(value, scale, amount.text);
    while (len > 0 && amount.text[len - 1] == '0') {
        len--;
    }
    len -= len > 0 && amount.text[len - 1] == '.';
    amount.text[len] = 0;
    return amount;
}

struct loy_explain_amount loy_explain_quantity(int64_t milli)
{
    return decimal(milli, 3);
}

/* --- a rule --------------------------------------------------------------------------------------------------------
 */

const struct loy_rule *loy_explain_find(const struct loy_programme *programme, int32_t number)
{
    for (uint32_t i = 0; programme && i < programme->rule_count; i++) {
        if (programme->rules[i].number == number) {
            return &programme->rules[i];
        }
    }
    return NULL;
}

static struct loy_str wallet_of(const struct loy_explain_row *row)
{
    const struct loy_rule *rule = loy_explain_find(row->programme, row->trace->rule);
    return rule ? row->programme->wallets[rule->reward.wallet].id : (struct loy_str){"points", 6};
}

static bool is(const struct loy_rule_trace *trace, enum loy_reason reason)
{
    return trace->reason && strcmp(trace->reason, loy_reason_name(reason)) == 0;
}

/* What limit, cap or budget had left, or how long a cooldown lasts yet. */
static void put_left(FILE *out, const struct loy_rule_trace *trace)
{
    if (is(trace, LOY_REASON_COOLDOWN)) {
        int64_t minutes = (trace->left + 60 * LOY_US_PER_SECOND - 1) / (60 * LOY_US_PER_SECOND);
        (void)fprintf(out, ", %" PRId64 " h %" PRId64 " min to wait", minutes / 60, minutes % 60);
    } else if (is(trace, LOY_REASON_CAP) || is(trace, LOY_REASON_WALLET_CAP) || is(trace, LOY_REASON_BUDGET)) {
        (void)fprintf(out, ", %" PRId64 " left", trace->left);
    }
}

static void put_missing(FILE *out, const struct loy_explain_row *row)
{
    const struct loy_rule *rule = loy_explain_find(row->programme, row->trace->rule);
    bool is_units = rule && rule->reward.kind == LOY_REWARD_PER_UNIT && is(row->trace, LOY_REASON_BELOW_ONE_STEP);
    if (row->trace->missing) {
        (void)fprintf(out, " (%s more%s)",
                      is_units ? loy_explain_quantity(row->trace->missing).text
                               : loy_explain_money(row->programme, row->trace->missing).text,
                      is_units ? " units" : "");
    }
}

void loy_explain_rule(FILE *out, const struct loy_explain_row *row)
{
    const struct loy_rule_trace *trace = row->trace;
    const char *words = trace->reason ? loy_reason_words(trace->reason) : NULL;
    bool decided = is(trace, LOY_REASON_CONDITION) || is(trace, LOY_REASON_UNKNOWN_FACT) ||
                   is(trace, LOY_REASON_CONDITION_ERROR) || is(trace, LOY_REASON_NOT_IN_SEGMENT);
    (void)fprintf(out, "  %-20.*s %8" PRId64, LOY_STR_ARG(row->name), trace->granted);
    if (trace->wanted != trace->granted) {
        (void)fprintf(out, " of %" PRId64, trace->wanted);
    }
    (void)fprintf(out, " %.*s", LOY_STR_ARG(wallet_of(row)));
    if (trace->eligible_minor) {
        (void)fprintf(out, "  on %s", loy_explain_money(row->programme, trace->eligible_minor).text);
    }
    if (trace->multiplier) {
        (void)fprintf(out, "  multiplied by %s", decimal(trace->multiplier, 6).text);
    }
    if (trace->reason) {
        (void)fprintf(out, "  %s", words ? words : trace->reason);
        put_left(out, trace);
    }
    if (trace->detail.len) {
        (void)fprintf(out, "%s%.*s", decided ? ": " : trace->reason ? "; " : "  because ", LOY_STR_ARG(trace->detail));
    }
    put_missing(out, row);
    (void)fputs("\n", out);
}

void loy_explain_rule_json(FILE *out, const struct loy_explain_row *row)
{
    const struct loy_rule_trace *rule = row->trace;
    (void)fputs("{", out);
    loy_json_member(out, "rule", row->name);
    (void)fputs(", ", out);
    loy_json_member(out, "wallet", wallet_of(row));
    (void)fprintf(out,
                  ", \"wanted\": %" PRId64 ", \"granted\": %" PRId64 ", \"eligible_minor\": %" PRId64
                  ", \"missing\": %" PRId64 ", \"left\": %" PRId64 ", \"multiplier_millionths\": %" PRId64,
                  rule->wanted, rule->granted, rule->eligible_minor, rule->missing, rule->left, rule->multiplier);
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
