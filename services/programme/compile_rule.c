/* Rules: earning, campaigns, and what partners grant. */
#include "engine/facts.h"
#include "programme/compile.h"
#include "programme/keys.h"
#include "programme/values.h"

#include <stdio.h>

/* In the order of enum loy_window. */
static const char windows[] = "lifetime day week month year order balance";

void loy_compile_caps(struct loy_compile *compile, const struct loy_yaml *map, const struct loy_cap **ret_caps,
                      uint32_t *ret_count)
{
    uint32_t count = 0;
    while (loy_compile_one_of(map, "cap", count)) {
        count++;
    }
    struct loy_cap *caps = count ? loy_compile_room(compile, count, sizeof *caps) : NULL;
    for (uint32_t i = 0; caps && i < count; i++) {
        const struct loy_yaml *cap = loy_compile_one_of(map, "cap", i);
        int window = loy_compile_choice(cap, "per", windows);
        caps[i] = (struct loy_cap){.window = window < 0 ? LOY_WINDOW_LIFETIME : (enum loy_window)window,
                                   .points = loy_compile_decimal(cap, "points", 0, 1),
                                   .full = loy_compile_choice(cap, "when_short", "partial refuse") == 1};
    }
    *ret_caps = caps;
    *ret_count = caps ? count : 0;
}

static void add_limits(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    uint32_t count = 0;
    while (loy_compile_one_of(map, "limit", count)) {
        count++;
    }
    struct loy_limit *limits = count ? loy_compile_room(compile, count, sizeof *limits) : NULL;
    for (uint32_t i = 0; limits && i < count; i++) {
        const struct loy_yaml *limit = loy_compile_one_of(map, "limit", i);
        int window = loy_compile_choice(limit, "per", windows);
        limits[i] = (struct loy_limit){.window = window < 0 ? LOY_WINDOW_LIFETIME : (enum loy_window)window,
                                       .times = loy_compile_decimal(limit, "times", 0, 1)};
    }
    rule->limits = limits;
    rule->limit_count = limits ? count : 0;
}

int32_t loy_compile_wallet(struct loy_compile *compile, const struct loy_yaml *id)
{
    for (uint16_t i = 0; i < compile->programme->wallet_count; i++) {
        if (loy_str_equal(compile->wallets[i].id, id->text)) {
            return i;
        }
    }
    struct loy_str nearest = {0};
    for (uint16_t i = 0; i < compile->programme->wallet_count; i++) {
        nearest = loy_word_distance(compile->wallets[i].id, id->text, 2) <= 2 ? compile->wallets[i].id : nearest;
    }
    LOY_COMPILE_ERROR(compile, id,
                      nearest.len ? "there is no wallet '%.*s': did you mean '%.*s'?" : "there is no wallet '%.*s'%.*s",
                      LOY_STR_ARG(id->text), LOY_STR_ARG(nearest));
    return -1;
}

static void segment_bits(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    const struct loy_yaml *id = NULL;
    for (uint32_t i = 0; (id = loy_compile_one_of(map, "segment", i)) != NULL; i++) {
        struct loy_str nearest = {0};
        uint32_t at = 0;
        for (; at < compile->programme->segment_count; at++) {
            if (loy_str_equal(compile->segments[at].id, id->text)) {
                break;
            }
            nearest =
                loy_word_distance(compile->segments[at].id, id->text, 2) <= 2 ? compile->segments[at].id : nearest;
        }
        if (at < compile->programme->segment_count) {
            rule->audience |= UINT64_C(1) << at;
        } else {
            LOY_COMPILE_ERROR(compile, id,
                              nearest.len ? "there is no segment '%.*s': did you mean '%.*s'?"
                                          : "there is no segment '%.*s'%.*s",
                              LOY_STR_ARG(id->text), LOY_STR_ARG(nearest));
        }
    }
}

/* audience: {when}: a segment of the campaign's own, which no condition can name. */
static void audience_segment(struct loy_compile *compile, const struct loy_yaml *when, struct loy_rule *rule)
{
    struct loy_programme *programme = compile->programme;
    const struct loy_cel_program *program = loy_compile_cel(compile, when, "bool");
    if (!program) {
        return;
    }
    if (programme->segment_count == LOY_SEGMENTS_MAX) {
        LOY_COMPILE_ERROR(compile, when, "more than %d segments and audiences", LOY_SEGMENTS_MAX);
        return;
    }
    if (loy_facts_needs_segments(programme->facts, program)) {
        LOY_COMPILE_ERROR(compile, when, "an audience's condition may not name member.segments: write `segment:`");
        return;
    }
    char id[80];
    (void)snprintf(id, sizeof id, "audience.%.*s", LOY_STR_ARG(rule->id));
    uint32_t at = programme->segment_count++;
    compile->segments[at] = (struct loy_segment){.id = loy_str_copy(compile->arena, loy_str(id)), .when = program};
    compile->segment_nodes[at] = when;
    rule->audience |= UINT64_C(1) << at;
}

static void add_audience(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    segment_bits(compile, map, rule);
    const struct loy_yaml *audience = loy_yaml_get(map, "audience");
    const struct loy_yaml *when = loy_yaml_get(audience, "when");
    segment_bits(compile, audience, rule);
    if (when && rule->audience) {
        LOY_COMPILE_ERROR(compile, when,
                          "an audience is a segment or a condition: name the condition in segments, or write it under "
                          "the rule's `when`");
    } else if (when) {
        audience_segment(compile, when, rule);
    }
}

static void add_hours(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    const struct loy_yaml *hours = NULL;
    struct loy_minutes *minutes = NULL;
    for (uint32_t i = 0; (hours = loy_compile_one_of(map, "hours", i)) != NULL && i < 16; i++) {
        uint16_t from = 0, until = 0;
        minutes = minutes ? minutes : loy_compile_room(compile, 32, sizeof *minutes);
        if (!minutes || hours->kind != LOY_YAML_TEXT || !loy_value_hours(hours->text, &from, &until)) {
            continue;
        }
        minutes[rule->minute_count++] = (struct loy_minutes){from, from < until ? until : 1440, false};
        if (from > until && until > 0) {
            minutes[rule->minute_count++] = (struct loy_minutes){0, until, true};
        }
    }
    rule->minutes = minutes;
}

static void add_recurrence(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    static const char weekdays[] = "mon tue wed thu fri sat sun";
    const struct loy_yaml *node = loy_yaml_get(map, "recurrence"), *day = NULL;
    struct loy_recurrence *row = node ? loy_compile_room(compile, 1, sizeof *row) : NULL;
    if (!row || node->kind != LOY_YAML_MAP) {
        return;
    }
    row->first = (uint8_t)loy_compile_bits(node, "first", weekdays);
    row->last = (uint8_t)loy_compile_bits(node, "last", weekdays);
    row->date_count = loy_compile_dates(compile, node, &row->dates);
    for (uint32_t i = 0; (day = loy_compile_one_of(node, "month_days", i)) != NULL; i++) {
        int64_t number = 0;
        if (day->kind == LOY_YAML_TEXT && loy_str_to_i64(day->text, &number) && number >= 1 && number <= 31) {
            row->month_days |= 1u << number;
        }
    }
    if (!loy_yaml_get(node, "first") && !loy_yaml_get(node, "last") && !loy_yaml_get(node, "month_days") &&
        !loy_yaml_get(node, "dates")) {
        LOY_COMPILE_ERROR(compile, node,
                          "on which days does it come again? `first: sat`, `last: fri`, `month_days: [1, 15]`, or "
                          "`dates: \"12-24\"` (of the year); weekdays are `days`");
    }
    rule->recurrence = row;
}

static void add_lines(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    static const char kinds[] = "goods delivery gift_card deposit";
    const struct loy_yaml *lines = loy_yaml_get(map, "lines");
    const struct loy_yaml *except = loy_yaml_get(lines, "except");
    /* enum loy_line_kind begins with 1 */
    rule->lines = (struct loy_line_filter){
        .skus = loy_compile_texts(compile, lines, "sku"),
        .categories = loy_compile_texts(compile, lines, "category"),
        .brands = loy_compile_texts(compile, lines, "brand"),
        .labels = loy_compile_texts(compile, lines, "label"),
        .kinds = loy_compile_bits(lines, "kind", kinds) << 1,
        .except_skus = loy_compile_texts(compile, except, "sku"),
        .except_categories = loy_compile_texts(compile, except, "category"),
        .except_brands = loy_compile_texts(compile, except, "brand"),
        .except_labels = loy_compile_texts(compile, except, "label"),
        .except_kinds = loy_compile_bits(except, "kind", kinds) << 1,
        .except_discounted = loy_compile_bool(except, "discounted", false),
        .except_paid_with_points = loy_compile_bool(except, "paid_with_points", false),
    };
}

static void add_budget(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    const struct loy_yaml *node = loy_yaml_get(map, "budget");
    if (!node || node->kind != LOY_YAML_MAP) {
        return;
    }
    char own[80];
    (void)snprintf(own, sizeof own, "%.*s.budget", LOY_STR_ARG(rule->id));
    struct loy_str id = loy_compile_text(node, "id");
    id = id.len ? id : loy_str_copy(compile->arena, loy_str(own));
    int64_t limit = loy_compile_decimal(node, "points", 0, 1);
    bool refuse = loy_compile_choice(node, "when_short", "partial refuse") == 1;
    for (uint32_t i = 0; i < compile->budget_count; i++) {
        struct loy_budget *budget = &compile->budgets[i];
        if (loy_str_equal(budget->id, id)) {
            if (budget->limit != limit || budget->refuse != refuse) {
                LOY_COMPILE_ERROR(compile, node,
                                  "budget '%.*s' is another one at line %u: rules that share it say the same",
                                  LOY_STR_ARG(id), compile->budget_nodes[i]->line);
            }
            rule->budget = budget;
            return;
        }
    }
    if (compile->budget_count == LOY_BUDGETS_MAX) {
        LOY_COMPILE_ERROR(compile, node, "more than %d budgets", LOY_BUDGETS_MAX);
        return;
    }
    uint32_t at = compile->budget_count++;
    int32_t counter = loy_compile_number(compile, "counter", id, (int32_t)compile->budget_count, node);
    compile->budgets[at] = (struct loy_budget){.counter = counter, .id = id, .limit = limit, .refuse = refuse};
    compile->budget_nodes[at] = node;
    rule->budget = &compile->budgets[at];
}

static void add_stack(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    const struct loy_yaml *node = loy_yaml_get(map, "stack");
    struct loy_str id = node && node->kind == LOY_YAML_TEXT ? node->text : loy_compile_text(node, "group");
    int pick = loy_compile_choice(node, "pick", "all best exclusive");
    rule->exclusive = loy_compile_bool(node, "exclusive", false);
    if (!id.len) {
        if (node && pick > 0) {
            LOY_COMPILE_ERROR(compile, node, "'pick' goes with 'group': the campaigns to pick from");
        }
        return;
    }
    uint32_t at = 0;
    while (at < compile->group_count && !loy_str_equal(compile->groups[at].id, id)) {
        at++;
    }
    if (at == compile->group_count) {
        compile->group_count++;
        compile->groups[at] = (struct loy_stack_group){id, pick < 0 ? LOY_PICK_ALL : (enum loy_pick)pick};
    } else if (pick >= 0 && compile->groups[at].pick != (enum loy_pick)pick) {
        if (compile->groups[at].pick != LOY_PICK_ALL) {
            LOY_COMPILE_ERROR(compile, node, "group '%.*s' picks otherwise elsewhere: a group has one way",
                              LOY_STR_ARG(id));
        }
        compile->groups[at].pick = (enum loy_pick)pick;
    }
    rule->group = &compile->groups[at];
}

static int32_t funder_number(struct loy_compile *compile, struct loy_str id, const struct loy_yaml *node)
{
    uint32_t at = 0;
    while (at < compile->funders && !loy_str_equal(compile->funder_ids[at], id)) {
        at++;
    }
    if (at == compile->funders) {
        compile->funder_ids[compile->funders++] = id;
    }
    return loy_compile_number(compile, "funder", id, (int32_t)at + 1, node);
}

/* Keys that look at an order. */
static void refuse_without_order(struct loy_compile *compile, const struct loy_yaml *map)
{
    struct loy_str trigger = loy_compile_text(map, "trigger");
    static const char *const keys[] = {"lines", "minimum", "basis", "without_tax", "tender"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct loy_yaml *node = loy_yaml_get(map, keys[i]);
        if (node) {
            loy_issues_add(compile->issues, LOY_ISSUE_ERROR, node->key_line, node->key_column,
                           "'%s' looks at the lines of a purchase, which trigger '%.*s' has not: take it out, or use "
                           "`trigger: purchase`",
                           keys[i], LOY_STR_ARG(trigger));
        }
    }
    const struct loy_yaml *limit = NULL;
    for (uint32_t i = 0; (limit = loy_compile_one_of(map, "limit", i)) != NULL; i++) {
        if (loy_str_equal(loy_compile_text(limit, "per"), LOY_STR("order"))) {
            loy_issues_add(compile->issues, LOY_ISSUE_INACTIVE, limit->line, limit->column,
                           "a limit over the events of one order is not in force in this version: it would count each "
                           "event alone");
        }
    }
    enum loy_reward_kind kind = compile->rules[compile->rule_count].reward.kind;
    const struct loy_yaml *reward = loy_yaml_get(map, "reward");
    if (reward && (kind == LOY_REWARD_PER_AMOUNT || kind == LOY_REWARD_PER_UNIT || kind == LOY_REWARD_PERCENT)) {
        LOY_COMPILE_ERROR(
            compile, reward,
            "this reward counts a purchase's lines, which trigger '%.*s' has not: grant a number, as `{points: "
            "50}`",
            LOY_STR_ARG(trigger));
    }
}

/* Triggers in force, in the order of `triggers`. */
static const char triggers[] = "purchase activity feedback joined member_change";
static const enum loy_event_kind trigger_kinds[] = {LOY_EVENT_PURCHASE, LOY_EVENT_ACTIVITY, LOY_EVENT_FEEDBACK,
                                                    LOY_EVENT_MEMBER_CHANGE, LOY_EVENT_MEMBER_CHANGE};

/* What narrows a trigger: `activity`, `change`. */
static void rule_trigger(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    static const struct loy_str joined = {"joined", 6};
    static const struct {
        const char *key, *trigger;
    } goes_with[] = {{"activity", "activity"}, {"change", "member_change"}};
    struct loy_str trigger = loy_compile_text(map, "trigger");
    int place = loy_compile_choice(map, "trigger", triggers);
    rule->trigger = place < 0 ? LOY_EVENT_PURCHASE : trigger_kinds[place];
    rule->activities =
        loy_compile_texts(compile, map, rule->trigger == LOY_EVENT_MEMBER_CHANGE ? "change" : "activity");
    if (loy_str_equal(trigger, joined)) {
        rule->activities = (struct loy_text_set){&joined, 1};
    }
    for (size_t i = 0; i < sizeof goes_with / sizeof *goes_with; i++) {
        const struct loy_yaml *node = loy_yaml_get(map, goes_with[i].key);
        if (place >= 0 && node && !loy_str_equal(trigger, loy_str(goes_with[i].trigger))) {
            loy_issues_add(compile->issues, LOY_ISSUE_ERROR, node->key_line, node->key_column,
                           "'%s' goes with `trigger: %s`", goes_with[i].key, goes_with[i].trigger);
        }
    }
    if (place > 0) {
        refuse_without_order(compile, map);
    }
}

static void rule_concerns(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    rule->channels = loy_compile_texts(compile, map, "channel");
    rule->stores = loy_compile_texts(compile, map, "store");
    rule->store_kinds = loy_compile_texts(compile, map, "store_kind");
    rule->partners = loy_compile_texts(compile, map, "partner");
    rule->tenders = loy_compile_texts(compile, map, "tender");
    const struct loy_yaml *period = loy_yaml_get(map, "period");
    rule->from_us = loy_compile_moment(compile, period, "from", 0);
    rule->until_us = loy_compile_moment(compile, period, "until", 0);
    if (rule->until_us && rule->from_us >= rule->until_us) {
        LOY_COMPILE_ERROR(
            compile, loy_yaml_get(period, "until"),
            "the period ends before it begins: `until` is the first moment that is not in it any more, and comes after "
            "`from`");
    }
    rule->weekdays = (uint8_t)loy_compile_bits(map, "days", "mon tue wed thu fri sat sun");
    add_hours(compile, map, rule);
    add_recurrence(compile, map, rule);
}

/* Instead of the wallet's. */
static void rule_lasting(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    const struct loy_yaml *pending = loy_yaml_get(map, "pending"), *expiry = loy_yaml_get(map, "expiry");
    struct loy_period *span = pending ? loy_compile_room(compile, 1, sizeof *span) : NULL;
    struct loy_expiry *row = expiry ? loy_compile_room(compile, 1, sizeof *row) : NULL;
    if (span) {
        *span = loy_compile_period(map, "pending", 0);
    }
    if (row) {
        loy_compile_expiry(compile, map, row);
    }
    rule->pending = span;
    rule->expiry = row;
}

static void rule_terms(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule)
{
    rule->before_discount = loy_compile_choice(map, "basis", "after_discount before_discount") == 1;
    rule->without_tax = loy_compile_bool(map, "without_tax", false);
    rule->minimum_minor = loy_compile_decimal(map, "minimum", compile->programme->currency_digits, 0);
    rule->cooldown = loy_compile_period(map, "cooldown", 0);
    rule_lasting(compile, map, rule);
    rule->priority = (int32_t)loy_compile_decimal(map, "priority", 0, 0);
    rule->not_multiplied = !loy_compile_bool(map, "multiplied", true);
    int returns = loy_compile_choice(map, "returns", "default proportional recheck keep");
    rule->returns = returns < 0 ? LOY_RETURNS_DEFAULT : (enum loy_returns)returns;
    add_limits(compile, map, rule);
    loy_compile_caps(compile, map, &rule->caps, &rule->cap_count);
    add_budget(compile, map, rule);
}

/* Whether the rule's id is free: the ledger knows rules by it. */
static bool id_is_free(struct loy_compile *compile, const struct loy_yaml *map, struct loy_str id)
{
    for (uint32_t i = 0; i < compile->rule_count; i++) {
        const struct loy_yaml *other = compile->rule_nodes[i];
        if (loy_str_equal(compile->rules[i].id, id)) {
            const struct loy_yaml *node = loy_yaml_get(map, "id"), *sibling = other;
            while (sibling && sibling != map) {
                sibling = sibling->next;
            }
            if (sibling) {
                return false; /* of the same list: said when its ids were checked */
            }
            LOY_COMPILE_ERROR(compile, node ? node : map,
                              "id '%.*s' is that of line %u already: earning rules, campaigns and partners share one "
                              "list, so give this one "
                              "another",
                              LOY_STR_ARG(id), other->line);
            return false;
        }
    }
    return true;
}

static void add_rule(struct loy_compile *compile, const struct loy_yaml *map, bool is_campaign)
{
    struct loy_rule *rule = &compile->rules[compile->rule_count];
    struct loy_str id = loy_compile_text(map, "id"), title = loy_compile_text(map, "title");
    if (map->kind != LOY_YAML_MAP || !id.len || !id_is_free(compile, map, id)) {
        return;
    }
    *rule = (struct loy_rule){.id = id, .title = title.len ? title : id, .is_campaign = is_campaign};
    rule->number = loy_compile_number(compile, "rule", id, (int32_t)compile->rule_count + 1, map);
    rule_concerns(compile, map, rule);
    add_lines(compile, map, rule);
    add_audience(compile, map, rule);
    rule->when = loy_compile_cel(compile, loy_yaml_get(map, "when"), "bool");
    loy_compile_reward(compile, map, rule);
    rule_terms(compile, map, rule);
    add_stack(compile, map, rule);
    const struct loy_yaml *funder = loy_yaml_get(map, "funder");
    rule->funder = funder && funder->text.len ? funder_number(compile, funder->text, funder) : 0;
    rule_trigger(compile, map, rule);
    if (loy_compile_choice(map, "trigger", triggers) >= 0 && rule->reward.kind != LOY_REWARD_NONE) {
        compile->rule_nodes[compile->rule_count++] = map;
    }
}

/* A partner's reward is a standing rule on purchases at the partner, paid by its funder. */
static void add_partner(struct loy_compile *compile, const struct loy_yaml *map)
{
    struct loy_rule *rule = &compile->rules[compile->rule_count];
    struct loy_str id = loy_compile_text(map, "id"), title = loy_compile_text(map, "title");
    struct loy_str *partner = loy_compile_room(compile, 1, sizeof *partner);
    const struct loy_yaml *funder = loy_yaml_get(map, "funder");
    if (map->kind != LOY_YAML_MAP || !id.len || !partner || !loy_yaml_get(map, "reward") ||
        !id_is_free(compile, map, id)) {
        return;
    }
    *partner = id;
    *rule = (struct loy_rule){.id = id, .title = title.len ? title : id, .trigger = LOY_EVENT_PURCHASE};
    rule->number = loy_compile_number(compile, "rule", id, (int32_t)compile->rule_count + 1, map);
    rule->partners = (struct loy_text_set){partner, 1};
    rule->funder = funder_number(compile, funder && funder->text.len ? funder->text : id, map);
    add_lines(compile, map, rule);
    loy_compile_reward(compile, map, rule);
    if (rule->reward.kind != LOY_REWARD_NONE) {
        compile->rule_nodes[compile->rule_count++] = map;
    }
}

static uint32_t children(const struct loy_yaml *node)
{
    return node && node->kind == LOY_YAML_LIST ? node->count : 0;
}

void loy_compile_rules(struct loy_compile *compile)
{
    const struct loy_yaml *earning = loy_yaml_get(compile->root, "earning");
    const struct loy_yaml *campaigns = loy_yaml_get(compile->root, "campaigns");
    const struct loy_yaml *partners = loy_yaml_get(compile->root, "partners");
    uint32_t capacity = children(earning) + children(campaigns) + children(partners);
    if (capacity > LOY_RULES_MAX) {
        LOY_COMPILE_ERROR(compile, compile->root, "%u rules in all: at most %d", capacity, LOY_RULES_MAX);
        return;
    }
    compile->rules = loy_compile_room(compile, capacity + 1, sizeof *compile->rules);
    compile->rule_nodes = loy_compile_room(compile, capacity + 1, sizeof *compile->rule_nodes);
    compile->budgets = loy_compile_room(compile, LOY_BUDGETS_MAX, sizeof *compile->budgets);
    compile->budget_nodes = loy_compile_room(compile, LOY_BUDGETS_MAX, sizeof *compile->budget_nodes);
    compile->groups = loy_compile_room(compile, capacity + 1, sizeof *compile->groups);
    compile->funder_ids = loy_compile_room(compile, capacity + 1, sizeof *compile->funder_ids);
    if (compile->full) {
        return;
    }
    for (const struct loy_yaml *node = children(earning) ? earning->first : NULL; node; node = node->next) {
        add_rule(compile, node, false);
    }
    for (const struct loy_yaml *node = children(partners) ? partners->first : NULL; node; node = node->next) {
        add_partner(compile, node);
    }
    for (const struct loy_yaml *node = children(campaigns) ? campaigns->first : NULL; node; node = node->next) {
        add_rule(compile, node, true);
    }
}
