#include "engine/earning.h"

#include <assert.h>

static bool contains(struct loy_text_set set, struct loy_str text)
{
    for (uint32_t i = 0; i < set.count; i++) {
        if (loy_str_equal(set.texts[i], text)) {
            return true;
        }
    }
    return false;
}

static bool is_eligible(const struct loy_rule *rule, const struct loy_line *line)
{
    return !contains(rule->lines.except_skus, line->sku) && !contains(rule->lines.except_categories, line->category);
}

enum loy_err loy_allot(int64_t total, const int64_t *weights, uint32_t count, struct loy_arena *arena,
                       int64_t *ret_parts)
{
    int64_t weight_sum = 0;
    int64_t given = 0;
    int64_t *rests = loy_arena_alloc(arena, count * sizeof *rests);
    if (!rests) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!loy_i64_add(weight_sum, weights[i], &weight_sum)) {
            return LOY_ERR_OVERFLOW;
        }
    }
    assert(weight_sum > 0 && total >= 0);
    for (uint32_t i = 0; i < count; i++) {
        loy_wide share = (loy_wide)total * weights[i];
        ret_parts[i] = (int64_t)(share / weight_sum);
        rests[i] = (int64_t)(share % weight_sum);
        given += ret_parts[i];
    }
    for (; given < total; given++) { /* fewer rounds than lines */
        uint32_t largest = 0;
        for (uint32_t i = 1; i < count; i++) {
            largest = rests[i] > rests[largest] ? i : largest;
        }
        ret_parts[largest]++;
        rests[largest] = -1;
    }
    return LOY_OK;
}

/* Points for an eligible total, before anything limits them. */
static bool points_for(const struct loy_rule *rule, int64_t eligible_minor, int64_t *ret_points)
{
    if (rule->reward.prorata) {
        return loy_i64_muldiv(eligible_minor, rule->reward.points, rule->reward.per, rule->reward.rounding, ret_points);
    }
    return loy_i64_mul(rule->reward.points, eligible_minor / rule->reward.per, ret_points);
}

enum loy_err loy_earning_apply(const struct loy_rule *rule, const struct loy_purchase *purchase,
                               struct loy_arena *arena, struct loy_rule_trace *ret_trace, struct loy_error *error)
{
    struct loy_rule_trace trace = {.rule = rule->number, .line_count = purchase->line_count};
    int64_t *eligible = loy_arena_calloc(arena, purchase->line_count, sizeof *eligible);
    int64_t *lines = loy_arena_calloc(arena, purchase->line_count, sizeof *lines);
    if (!eligible || !lines) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        eligible[i] = is_eligible(rule, &purchase->lines[i]) ? purchase->lines[i].amount_minor : 0;
        trace.eligible_minor += eligible[i]; /* fits: the purchase's total does */
    }
    if (trace.eligible_minor == 0) {
        trace.reason = "nothing_eligible";
    } else if (trace.eligible_minor < rule->minimum_minor) {
        trace.reason = "below_minimum";
    } else if (!points_for(rule, trace.eligible_minor, &trace.wanted)) {
        return loy_error_set(error, LOY_ERR_OVERFLOW, "rule %.*s: the points for %lld do not fit 64 bits",
                             LOY_STR_ARG(rule->id), (long long)trace.eligible_minor);
    } else if (trace.wanted == 0) {
        trace.reason = "below_one_step";
    }
    if (trace.wanted > 0) {
        enum loy_err err = loy_allot(trace.wanted, eligible, purchase->line_count, arena, lines);
        if (err) {
            return loy_error_set(error, err, "rule %.*s: allotment", LOY_STR_ARG(rule->id));
        }
        trace.granted = trace.wanted;
        trace.lines = lines;
    } else {
        trace.line_count = 0;
    }
    *ret_trace = trace;
    return LOY_OK;
}
