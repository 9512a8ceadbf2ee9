#include "base/num.h"
#include "programme/compile.h"

static void warn_ended(struct loy_compile *compile, const struct loy_rule *rule, const struct loy_yaml *node)
{
    int64_t now = compile->given->now_us;
    if (now != INT64_MIN && rule->until_us && rule->until_us <= now && rule->from_us < rule->until_us) {
        LOY_COMPILE_WARNING(compile, loy_yaml_get(loy_yaml_get(node, "period"), "until"),
                            "campaign '%.*s' has ended already", LOY_STR_ARG(rule->id));
    }
}

/* Points that a member can be granted in all, as far as limits and caps say; INT64_MAX: no bound. */
static int64_t most_of_a_member(const struct loy_rule *rule)
{
    int64_t most = INT64_MAX;
    for (uint32_t i = 0; i < rule->cap_count; i++) {
        if (rule->caps[i].window == LOY_WINDOW_LIFETIME && rule->caps[i].points < most) {
            most = rule->caps[i].points;
        }
    }
    for (uint32_t i = 0; i < rule->limit_count; i++) {
        int64_t points = 0;
        if (rule->limits[i].window == LOY_WINDOW_LIFETIME && rule->reward.kind == LOY_REWARD_PER_ORDER &&
            loy_i64_mul(rule->limits[i].times, rule->reward.points, &points) && points < most) {
            most = points;
        }
    }
    return most;
}

static void warn_budget(struct loy_compile *compile, const struct loy_rule *rule, const struct loy_yaml *node)
{
    const struct loy_yaml *budget = loy_yaml_get(node, "budget");
    if (!rule->budget || !budget || loy_compile_decimal(budget, "points", 0, 0) < 1) {
        return;
    }
    bool bounded = rule->cap_count > 0 || rule->limit_count > 0;
    int64_t most = most_of_a_member(rule);
    if (!bounded || (most != INT64_MAX && most >= rule->budget->limit)) {
        LOY_COMPILE_WARNING(compile, budget, "one member alone could use up this budget: add a `limit` or a `cap`");
    }
}

static bool has_base(const struct loy_compile *compile, uint16_t wallet)
{
    for (uint32_t i = 0; i < compile->rule_count; i++) {
        const struct loy_rule *rule = &compile->rules[i];
        if (!rule->is_campaign && rule->reward.kind != LOY_REWARD_MULTIPLY && rule->reward.wallet == wallet) {
            return true;
        }
    }
    return false;
}

static void warn_rules(struct loy_compile *compile)
{
    for (uint32_t i = 0; i < compile->rule_count; i++) {
        const struct loy_rule *rule = &compile->rules[i];
        const struct loy_yaml *node = compile->rule_nodes[i];
        warn_ended(compile, rule, node);
        warn_budget(compile, rule, node);
        if (rule->reward.kind == LOY_REWARD_MULTIPLY && !has_base(compile, rule->reward.wallet)) {
            LOY_COMPILE_WARNING(compile, loy_yaml_get(node, "reward"),
                                "nothing to multiply: no earning rule credits this wallet");
        }
        if (rule->reward.kind == LOY_REWARD_PER_AMOUNT && rule->minimum_minor && !rule->reward.prorata &&
            rule->minimum_minor < rule->reward.per) {
            LOY_COMPILE_WARNING(compile, loy_yaml_get(node, "minimum"),
                                "this minimum is below one full step, which already earns nothing");
        }
    }
}

/* A level that costs no more than the one before is passed as soon as that is reached. */
static void warn_levels(struct loy_compile *compile)
{
    const struct loy_yaml *tiers = loy_yaml_get(compile->root, "tiers");
    const struct loy_yaml *levels = tiers ? loy_yaml_get(tiers->first, "levels") : NULL;
    int64_t before = -1;
    for (const struct loy_yaml *level = levels ? levels->first : NULL; level; level = level->next) {
        const struct loy_yaml *from = loy_yaml_get(level, "from");
        int64_t value = loy_compile_decimal(level, "from", 3, -1);
        if (from && value <= before) {
            LOY_COMPILE_WARNING(compile, from,
                                "a level that nobody stays below: an earlier one begins at as much or more");
        }
        before = value > before ? value : before;
    }
}

void loy_compile_warn(struct loy_compile *compile)
{
    warn_levels(compile);
    if (compile->full || !compile->rules) {
        return;
    }
    warn_rules(compile);
    if (compile->rule_count == 0 && !compile->issues->errors) {
        LOY_COMPILE_WARNING(compile, compile->root, "no rule grants anything in this version");
    }
}
