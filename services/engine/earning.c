#include "engine/earning.h"

#include "base/num.h"

enum { PERCENT_WHOLE = 100000, FACTOR_ONE = 1000 };

/* --- shares and steps -------------------------------------------------------------------------------------------- */

/* points × total ÷ per with what was carried: whole points, and the rest of it in 1/per of a point (pro rata) or in
 * units of the total (full steps). A rest from before a change of `per` is cut to what that can be. */
static bool with_carry(const struct loy_reward *reward, int64_t per, bool prorata, int64_t total, int64_t carried,
                       int64_t *ret_points, int64_t *ret_rest)
{
    int64_t before = carried < per ? carried : per - 1;
    if (!prorata) {
        int64_t sum;
        if (!loy_i64_add(total, before, &sum) || !loy_i64_mul(sum / per, reward->points, ret_points)) {
            return false;
        }
        *ret_rest = sum % per;
        return true;
    }
    loy_wide parts = (loy_wide)total * reward->points + before;
    if (parts / per > INT64_MAX) {
        return false;
    }
    *ret_points = (int64_t)(parts / per);
    *ret_rest = (int64_t)(parts % per);
    return true;
}

static bool multiplied(const struct loy_reward *reward, int64_t multiplier, int64_t *points)
{
    return multiplier == LOY_MULTIPLIER_ONE ||
           loy_i64_muldiv(*points, multiplier, LOY_MULTIPLIER_ONE, reward->rounding, points);
}

/* A share is rounded once, multiplier included. */
static bool share_of(const struct loy_reward *reward, int64_t per, int64_t total, int64_t multiplier,
                     int64_t *ret_points)
{
    int64_t points = reward->points;
    int64_t divisor = per;
    if (multiplier != LOY_MULTIPLIER_ONE &&
        (!loy_i64_mul(points, multiplier, &points) || !loy_i64_mul(divisor, LOY_MULTIPLIER_ONE, &divisor))) {
        return false;
    }
    return loy_i64_muldiv(total, points, divisor, reward->rounding, ret_points);
}

static bool points_for(const struct loy_reward *reward, int64_t total, const struct loy_earning_input *input,
                       struct loy_wanted *wanted)
{
    bool percent = reward->kind == LOY_REWARD_PERCENT;
    bool prorata = percent || reward->prorata;
    int64_t per = percent ? PERCENT_WHOLE : reward->per;
    int64_t multiplier = percent ? LOY_MULTIPLIER_ONE : input->multiplier;
    if (reward->carry) {
        if (!with_carry(reward, per, prorata, total, input->rest, &wanted->points, &wanted->rest)) {
            return false;
        }
    } else if (prorata) {
        return share_of(reward, per, total, multiplier, &wanted->points);
    } else if (!loy_i64_mul(reward->points, total / per, &wanted->points)) {
        return false;
    }
    if (wanted->points == 0 && !prorata) {
        wanted->missing = per - (reward->carry ? wanted->rest : total);
    }
    return multiplied(reward, multiplier, &wanted->points);
}

/* --- kinds of rewards -------------------------------------------------------------------------------------------- */

static enum loy_err overflow(const struct loy_rule *rule, int64_t total, struct loy_error *error)
{
    return loy_error_set(error, LOY_ERR_OVERFLOW, "rule %.*s: the points for %lld do not fit 64 bits",
                         LOY_STR_ARG(rule->id), (long long)total);
}

static enum loy_err want_by_total(const struct loy_rule *rule, const struct loy_earning_input *input,
                                  struct loy_wanted *wanted, struct loy_error *error)
{
    int64_t total = wanted->eligible_minor;
    if (rule->reward.kind == LOY_REWARD_PER_UNIT && input->purchase) {
        int64_t *quantities;
        enum loy_err err = loy_eligible_quantities(rule, input->purchase, input->arena, &quantities, &total);
        if (err) {
            return loy_error_set(error, err, "rule %.*s: quantities", LOY_STR_ARG(rule->id));
        }
        wanted->weights = quantities;
    }
    if (total == 0) {
        wanted->reason = LOY_REASON_NOTHING_ELIGIBLE;
        wanted->rest = input->rest;
        return LOY_OK;
    }
    return points_for(&rule->reward, total, input, wanted) ? LOY_OK : overflow(rule, total, error);
}

static enum loy_err want_for_order(const struct loy_rule *rule, const struct loy_earning_input *input,
                                   struct loy_wanted *wanted, struct loy_error *error)
{
    bool by_lines = !loy_line_filter_is_open(&rule->lines) || rule->minimum_minor > 0;
    wanted->weights = wanted->eligible_minor > 0 ? wanted->weights : NULL;
    if (input->purchase && by_lines && wanted->eligible_minor == 0) {
        wanted->reason = LOY_REASON_NOTHING_ELIGIBLE;
        return LOY_OK;
    }
    if (rule->reward.kind == LOY_REWARD_FORMULA) {
        enum loy_err err =
            loy_facts_formula(input->facts, rule->reward.amount, &wanted->points, &wanted->reason, &wanted->detail);
        wanted->points = wanted->points > 0 ? wanted->points : 0;
        return err ? loy_error_set(error, err, "rule %.*s: its formula", LOY_STR_ARG(rule->id)) : LOY_OK;
    }
    wanted->points = rule->reward.points;
    return multiplied(&rule->reward, input->multiplier, &wanted->points) ? LOY_OK
                                                                         : overflow(rule, rule->reward.points, error);
}

/* The base points on the lines that count, and those that belong to no line when all lines count. */
static enum loy_err want_multiple(const struct loy_rule *rule, const struct loy_earning_input *input,
                                  struct loy_wanted *wanted, struct loy_error *error)
{
    const struct loy_base *base = input->base;
    bool open = loy_line_filter_is_open(&rule->lines);
    int64_t total = open ? base->unallotted : 0;
    int64_t *weights = NULL;
    if (input->purchase && base->lines) {
        weights = loy_arena_copy(input->arena, base->lines, input->purchase->line_count * sizeof *weights);
        if (!weights) {
            return loy_error_set(error, LOY_ERR_NO_MEMORY, "rule %.*s: its lines", LOY_STR_ARG(rule->id));
        }
        int64_t sum = 0;
        if (!open) {
            loy_line_filter_apply(&rule->lines, input->purchase, weights);
        }
        for (uint32_t i = 0; i < input->purchase->line_count; i++) {
            sum += weights[i]; /* fits: the balance holds them all */
        }
        total += sum;
        weights = sum > 0 ? weights : NULL;
    }
    wanted->weights = weights;
    if (total == 0) {
        wanted->reason = LOY_REASON_NO_BASE;
        return LOY_OK;
    }
    if (!loy_i64_muldiv(total, rule->reward.points - FACTOR_ONE, FACTOR_ONE, rule->reward.rounding, &wanted->points)) {
        return overflow(rule, total, error);
    }
    wanted->points = wanted->points > 0 ? wanted->points : 0;
    return LOY_OK;
}

static enum loy_err want(const struct loy_rule *rule, const struct loy_earning_input *input, struct loy_wanted *wanted,
                         struct loy_error *error)
{
    switch (rule->reward.kind) {
    case LOY_REWARD_PER_AMOUNT:
    case LOY_REWARD_PER_UNIT:
    case LOY_REWARD_PERCENT:
        return want_by_total(rule, input, wanted, error);
    case LOY_REWARD_PER_ORDER:
    case LOY_REWARD_FORMULA:
        return want_for_order(rule, input, wanted, error);
    case LOY_REWARD_MULTIPLY:
        return want_multiple(rule, input, wanted, error);
    case LOY_REWARD_NONE:
        break;
    }
    return LOY_OK;
}

enum loy_err loy_earning_wanted(const struct loy_rule *rule, const struct loy_earning_input *input,
                                struct loy_wanted *ret_wanted, struct loy_error *error)
{
    struct loy_wanted wanted = {.rest = input->rest};
    if (input->purchase) {
        enum loy_err err = loy_eligible_amounts(rule, input->purchase, input->plain, input->arena, &wanted.weights,
                                                &wanted.eligible_minor);
        if (err) {
            return loy_error_set(error, err, "rule %.*s: eligible amounts", LOY_STR_ARG(rule->id));
        }
        if (wanted.eligible_minor > 0 && wanted.eligible_minor < rule->minimum_minor) {
            wanted.reason = LOY_REASON_BELOW_MINIMUM;
            wanted.missing = rule->minimum_minor - wanted.eligible_minor;
            *ret_wanted = wanted;
            return LOY_OK;
        }
    }
    enum loy_err err = want(rule, input, &wanted, error);
    if (err) {
        return err;
    }
    if (!wanted.reason && wanted.points == 0) {
        wanted.reason = LOY_REASON_BELOW_ONE_STEP;
    }
    *ret_wanted = wanted;
    return LOY_OK;
}
