#include "programme/compile.h"

static const char *const forms[] = {"points", "percent", "multiply", "amount"};
enum { FORMS = sizeof forms / sizeof *forms };

/* The one form that the reward has; NULL, with an issue where there should be one, when it has none or several. */
static const struct loy_yaml *form_of(struct loy_compile *compile, const struct loy_yaml *reward)
{
    const struct loy_yaml *form = NULL;
    for (int i = 0; i < FORMS; i++) {
        const struct loy_yaml *found = loy_yaml_get(reward, forms[i]);
        if (found && form) {
            loy_issues_add(compile->issues, LOY_ISSUE_ERROR, found->key_line, found->key_column,
                           "'%.*s' beside '%.*s': a reward has one of points, percent, multiply and amount",
                           LOY_STR_ARG(found->key), LOY_STR_ARG(form->key));
            return NULL;
        }
        form = found ? found : form;
    }
    static const char *const later[] = {"entitlement", "badge", "message", "draw"};
    bool has_later = false;
    for (int i = 0; i < 4; i++) {
        has_later |= loy_yaml_get(reward, later[i]) != NULL;
    }
    if (!form && !has_later) {
        LOY_COMPILE_ERROR(compile, reward,
                          "a reward of nothing: one of points, percent, multiply and amount is wanted");
    }
    return form;
}

/* Keys that go with one form only. */
static void refuse_with(struct loy_compile *compile, const struct loy_yaml *reward, const char *key, const char *why)
{
    const struct loy_yaml *node = loy_yaml_get(reward, key);
    if (node) {
        loy_issues_add(compile->issues, LOY_ISSUE_ERROR, node->key_line, node->key_column, "'%s' %s", key, why);
    }
}

static void points_reward(struct loy_compile *compile, const struct loy_yaml *map, struct loy_reward *reward)
{
    const struct loy_yaml *per = loy_yaml_get(map, "per"), *units = loy_yaml_get(map, "per_units");
    reward->points = loy_compile_decimal(map, "points", 0, 1);
    reward->kind = per ? LOY_REWARD_PER_AMOUNT : units ? LOY_REWARD_PER_UNIT : LOY_REWARD_PER_ORDER;
    reward->per = per ? loy_compile_decimal(map, "per", compile->programme->currency_digits, 1)
                      : loy_compile_decimal(map, "per_units", 3, 0);
    if (per && units) {
        refuse_with(compile, map, "per_units", "beside 'per': points are for money or for units");
    }
    if (!per && !units) {
        refuse_with(compile, map, "prorata", "goes with 'per' or 'per_units'");
        refuse_with(compile, map, "carry", "goes with 'per', 'per_units' or 'percent'");
    }
}

static void fill_reward(struct loy_compile *compile, const struct loy_yaml *map, const struct loy_yaml *form,
                        struct loy_reward *reward)
{
    int round = loy_compile_choice(map, "round", "floor half_even ceil");
    reward->rounding = round < 0 ? LOY_ROUND_FLOOR : (enum loy_rounding)round;
    reward->prorata = loy_compile_bool(map, "prorata", false);
    reward->carry = loy_compile_bool(map, "carry", false);
    if (loy_str_equal(form->key, LOY_STR("points"))) {
        points_reward(compile, map, reward);
        return;
    }
    refuse_with(compile, map, "per", "goes with 'points'");
    refuse_with(compile, map, "per_units", "goes with 'points'");
    refuse_with(compile, map, "prorata", "goes with 'points'");
    if (loy_str_equal(form->key, LOY_STR("amount"))) {
        reward->kind = LOY_REWARD_FORMULA;
        reward->amount = loy_compile_cel(compile, form, "int");
    } else {
        bool is_percent = loy_str_equal(form->key, LOY_STR("percent"));
        reward->kind = is_percent ? LOY_REWARD_PERCENT : LOY_REWARD_MULTIPLY;
        reward->points = loy_compile_decimal(map, is_percent ? "percent" : "multiply", 3, 2000);
    }
}

static bool has_point_form(const struct loy_yaml *map)
{
    bool has = false;
    for (int i = 0; i < FORMS; i++) {
        has |= loy_yaml_get(map, forms[i]) != NULL;
    }
    return has;
}

void loy_compile_reward(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    const struct loy_yaml *one = NULL, *first = NULL;
    for (uint32_t i = 0; (one = loy_compile_one_of(map, "reward", i)) != NULL; i++) {
        if (one->kind != LOY_YAML_MAP) {
            continue;
        }
        if (first && has_point_form(one)) {
            loy_issues_add(
                compile->issues, LOY_ISSUE_INACTIVE, one->line, one->column,
                "a second reward of points in one rule is not in force in this version: write a rule for it");
            continue;
        }
        const struct loy_yaml *form = form_of(compile, one);
        const struct loy_yaml *wallet = loy_yaml_get(one, "wallet");
        int32_t number = wallet ? loy_compile_wallet(compile, wallet) : 0;
        if (!form) {
            continue;
        }
        first = one;
        rule->reward.wallet = (uint16_t)(number < 0 ? 0 : number);
        if (!wallet) { /* the first of the file, whatever its number */
            const struct loy_yaml *wallets = loy_yaml_get(compile->root, "wallets");
            for (uint16_t w = 0; wallets && wallets->first && w < compile->programme->wallet_count; w++) {
                rule->reward.wallet =
                    loy_str_equal(compile->wallets[w].id, wallets->first->key) ? w : rule->reward.wallet;
            }
        }
        fill_reward(compile, one, form, &rule->reward);
    }
}
