/* The index decides nothing: random programmes and events, decided with it and without it, to the last byte. */
#include "support/cmocka_all.h"

#include "engine/engine.h"
#include "engine/facts.h"
#include "engine/index.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROGRAMMES = 150, EVENTS = 40, RULES_MAX = 140, TEXTS = 12, ARENA = 32 << 20, CONDITIONS = 5 };

static const int64_t start_us = INT64_C(1793491200) * LOY_US_PER_SECOND;

struct random_world {
    struct loy_arena revision, scratch;
    uint64_t seed;
    struct loy_str texts[TEXTS];
    struct loy_rule rules[RULES_MAX];
    char ids[RULES_MAX][8];
    const struct loy_cel_program *conditions[CONDITIONS];
    struct loy_stack_group groups[2];
    struct loy_budget budget;
    struct loy_wallet wallets[2];
    struct loy_limit limit;
    struct loy_cap cap;
    struct loy_programme programme;
};

static uint32_t below(struct random_world *w, uint32_t bound)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->seed >> 33) % bound;
}

static struct loy_str text(struct random_world *w)
{
    return w->texts[below(w, TEXTS)];
}

/* Mostly empty. */
static struct loy_text_set some(struct random_world *w)
{
    uint32_t count = below(w, 4) ? 0 : 1 + below(w, 3);
    struct loy_str *texts = LOY_NEW_ARRAY(&w->revision, struct loy_str, count);
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = text(w);
    }
    return (struct loy_text_set){texts, count};
}

static int64_t moment(struct random_world *w)
{
    return start_us + (int64_t)below(w, 60 * 86400) * LOY_US_PER_SECOND;
}

static struct loy_reward reward(struct random_world *w)
{
    static const struct loy_reward rewards[] = {
        {.kind = LOY_REWARD_PER_AMOUNT, .points = 10, .per = 10000},
        {.kind = LOY_REWARD_PER_AMOUNT, .points = 10, .per = 10000, .prorata = true, .carry = true},
        {.kind = LOY_REWARD_PER_ORDER, .points = 25},
        {.kind = LOY_REWARD_PER_UNIT, .points = 1, .per = 1000},
        {.kind = LOY_REWARD_PERCENT, .wallet = 1, .points = 5000},
        {.kind = LOY_REWARD_MULTIPLY, .points = 2000},
    };
    return rewards[below(w, sizeof rewards / sizeof *rewards)];
}

static struct loy_rule rule(struct random_world *w, uint32_t number)
{
    char *id = w->ids[number];
    (void)snprintf(id, 8, "r%u", below(w, 1000));
    return (struct loy_rule){
        .number = (int32_t)number + 1,
        .id = loy_str(id),
        .is_campaign = below(w, 3) > 0,
        .trigger = below(w, 5) ? LOY_EVENT_PURCHASE : LOY_EVENT_ACTIVITY,
        .activities = some(w),
        .channels = some(w),
        .stores = some(w),
        .store_kinds = some(w),
        .partners = some(w),
        .from_us = below(w, 2) ? moment(w) : 0,
        .until_us = below(w, 2) ? moment(w) : 0,
        .weekdays = (uint8_t)(below(w, 3) ? 0 : below(w, 128)),
        .when = below(w, 3) ? NULL : w->conditions[below(w, CONDITIONS)],
        .lines = {.skus = some(w), .categories = some(w), .brands = some(w), .labels = some(w)},
        .minimum_minor = below(w, 3) ? 0 : (int64_t)below(w, 30000),
        .reward = reward(w),
        .cooldown.us = below(w, 5) ? 0 : LOY_US_PER_DAY,
        .limits = &w->limit,
        .limit_count = below(w, 3) == 0,
        .caps = &w->cap,
        .cap_count = below(w, 3) == 0,
        .group = below(w, 4) ? NULL : &w->groups[below(w, 2)],
        .exclusive = below(w, 20) == 0,
        .priority = (int32_t)below(w, 3),
        .budget = below(w, 5) ? NULL : &w->budget,
    };
}

static void compile(struct random_world *w)
{
    static const char *const conditions[CONDITIONS] = {
        "purchase.total > 20000", "member.purchases % 2 == 0", "store.city == 'a'",
        "purchase.lines.exists(l, l.category == 'b') && member.days_since_purchase < 9",
        "store.id in ['a', 'b', 'c'] && event.channel != 'd'"};
    static struct loy_cel_issues issues;
    assert_int_equal(loy_facts_env_new(&w->programme, NULL, NULL, 0, &w->revision, &w->programme.facts, NULL), LOY_OK);
    for (int i = 0; i < CONDITIONS; i++) {
        assert_int_equal(loy_cel_compile(loy_facts_cel(w->programme.facts), loy_str(conditions[i]), NULL, &w->revision,
                                         &w->conditions[i], &issues),
                         LOY_OK);
    }
}

static void invent(struct random_world *w)
{
    static const char letters[] = "abcdefghijkl";
    for (int i = 0; i < TEXTS; i++) {
        w->texts[i] = (struct loy_str){letters + i, 1};
    }
    w->groups[0] = (struct loy_stack_group){{"best", 4}, LOY_PICK_BEST};
    w->groups[1] = (struct loy_stack_group){{"one", 3}, LOY_PICK_EXCLUSIVE};
    w->limit = (struct loy_limit){LOY_WINDOW_WEEK, 2};
    w->cap = (struct loy_cap){LOY_WINDOW_MONTH, 60, false};
    w->budget = (struct loy_budget){1, {"all", 3}, 500, false};
    w->wallets[0].id = LOY_STR("points");
    w->wallets[1].id = LOY_STR("cashback");
    w->programme = (struct loy_programme){.id = LOY_STR("random"),
                                          .currency = LOY_STR("RUB"),
                                          .currency_digits = 2,
                                          .wallets = w->wallets,
                                          .wallet_count = 2,
                                          .rules = w->rules,
                                          .rule_count = 1 + below(w, RULES_MAX),
                                          .history = true,
                                          .late.us = 90 * LOY_US_PER_DAY};
    compile(w);
    for (uint32_t i = 0; i < w->programme.rule_count; i++) {
        w->rules[i] = rule(w, i);
    }
    loy_rules_sort(w->rules, w->programme.rule_count);
}

static struct loy_event happen(struct random_world *w)
{
    uint32_t count = 1 + below(w, 6);
    struct loy_line *lines = LOY_NEW_ARRAY(&w->scratch, struct loy_line, count);
    struct loy_event event = {.kind = below(w, 5) ? LOY_EVENT_PURCHASE : LOY_EVENT_ACTIVITY,
                              .occurred_at_us = moment(w),
                              .channel = text(w),
                              .store_id = text(w),
                              .store_kind = text(w),
                              .store_city = text(w),
                              .partner = text(w),
                              .activity_name = text(w)};
    for (uint32_t i = 0; i < count; i++) {
        struct loy_str *labels = LOY_NEW_ARRAY(&w->scratch, struct loy_str, 2);
        labels[0] = text(w);
        labels[1] = text(w);
        lines[i] = (struct loy_line){.sku = text(w),
                                     .category = text(w),
                                     .brand = text(w),
                                     .labels = labels,
                                     .label_count = below(w, 3),
                                     .quantity_milli = (int64_t)below(w, 5000),
                                     .amount_minor = (int64_t)below(w, 20000)};
        event.purchase.total_minor += lines[i].amount_minor;
    }
    event.purchase.lines = lines;
    event.purchase.line_count = count;
    return event;
}

static bool same_trace(const struct loy_rule_trace *a, const struct loy_rule_trace *b)
{
    return a->rule == b->rule && a->wanted == b->wanted && a->granted == b->granted &&
           a->eligible_minor == b->eligible_minor && a->reason == b->reason && loy_str_equal(a->detail, b->detail) &&
           a->missing == b->missing && a->left == b->left && a->line_count == b->line_count &&
           (a->lines == NULL) == (b->lines == NULL) &&
           (!a->lines || memcmp(a->lines, b->lines, a->line_count * sizeof *a->lines) == 0);
}

static void assert_same(const struct loy_effects *a, const struct loy_effects *b)
{
    assert_int_equal(a->rule_count, b->rule_count);
    for (uint32_t i = 0; i < a->rule_count; i++) {
        assert_true(same_trace(&a->rules[i], &b->rules[i]));
    }
    assert_int_equal(a->entry_count, b->entry_count);
    for (uint32_t i = 0; i < a->entry_count; i++) {
        assert_int_equal(a->entries[i].rule, b->entries[i].rule);
        assert_int_equal(a->entries[i].amount, b->entries[i].amount);
    }
    assert_int_equal(a->charge_count, b->charge_count);
}

static void the_same_is_decided_with_an_index_and_without(void **state)
{
    (void)state;
    static struct random_world world;
    struct random_world *w = &world;
    char *blocks = malloc(2 * (size_t)ARENA);
    uint64_t concerned = 0, granted = 0, possible = 0;
    for (uint64_t seed = 1; seed <= PROGRAMMES; seed++) {
        struct loy_account plain, indexed;
        const struct loy_index *index;
        *w = (struct random_world){.seed = seed};
        loy_arena_init(&w->revision, blocks, ARENA);
        loy_arena_init(&w->scratch, blocks + ARENA, ARENA);
        invent(w);
        assert_int_equal(loy_index_new(w->rules, w->programme.rule_count, &w->revision, &index), LOY_OK);
        loy_account_init(&plain, LOY_STR("anna"), 1);
        loy_account_init(&indexed, LOY_STR("anna"), 1);
        struct loy_budget_view view = {1, 0};
        struct loy_budget_views views = {&view, 1};
        for (int i = 0; i < EVENTS; i++) {
            struct loy_event event = happen(w);
            struct loy_effects one, other;
            struct loy_str bytes, same_bytes;
            w->programme.index = NULL;
            assert_int_equal(
                loy_engine_decide(&w->programme, &plain, &event, event.occurred_at_us, &views, &w->scratch, &one, NULL),
                LOY_OK);
            w->programme.index = index;
            assert_int_equal(loy_engine_decide(&w->programme, &indexed, &event, event.occurred_at_us, &views,
                                               &w->scratch, &other, NULL),
                             LOY_OK);
            assert_same(&one, &other);
            assert_int_equal(loy_account_encode(&plain, &w->scratch, &bytes), LOY_OK);
            assert_int_equal(loy_account_encode(&indexed, &w->scratch, &same_bytes), LOY_OK);
            assert_true(loy_str_equal(bytes, same_bytes));
            view.used += one.charge_count ? one.charges[0].points : 0;
            assert_true(view.used <= w->budget.limit);
            concerned += one.rule_count;
            granted += one.entry_count;
            possible += w->programme.rule_count;
        }
    }
    free(blocks);
    print_message("%llu of %llu rules concerned an event, %llu entries\n", (unsigned long long)concerned,
                  (unsigned long long)possible, (unsigned long long)granted);
    assert_true(concerned > 1000 && granted > 300); /* else nothing was tried */
}

static void an_index_leaves_out_what_other_constants_and_times_name(void **state)
{
    (void)state;
    static struct random_world world;
    char *block = malloc(ARENA);
    struct random_world *w = &world;
    const struct loy_index *index;
    *w = (struct random_world){.seed = 1};
    loy_arena_init(&w->revision, block, ARENA);
    static const struct loy_str names[] = {{"x", 1}, {"y", 1}};
    for (uint32_t i = 0; i < 100; i++) {
        w->rules[i] = (struct loy_rule){.number = (int32_t)i + 1,
                                        .trigger = LOY_EVENT_PURCHASE,
                                        .lines.categories = {&names[i % 2], i < 50},
                                        .from_us = start_us + i * LOY_US_PER_DAY,
                                        .until_us = start_us + (i + 1) * LOY_US_PER_DAY};
    }
    assert_int_equal(loy_index_new(w->rules, 100, &w->revision, &index), LOY_OK);
    struct loy_line line = {.category = names[0]};
    struct loy_event event = {.kind = LOY_EVENT_PURCHASE, .purchase = {.lines = &line, .line_count = 1}};
    uint64_t bits[2] = {0};
    loy_index_candidates(index, &event, start_us + 10 * LOY_US_PER_DAY, bits);
    assert_true(bits[0] & 1u << 10);
    assert_false(bits[0] & 1u << 11); /* the other category */
    assert_false(bits[0] & 1u << 20); /* another time */
    event.kind = LOY_EVENT_ACTIVITY;
    uint64_t none[2] = {0};
    loy_index_candidates(index, &event, start_us + 10 * LOY_US_PER_DAY, none);
    assert_true(none[0] == 0 && none[1] == 0);
    free(block);
}

static void constants_of_conditions_become_the_rules_own(void **state)
{
    (void)state;
    static struct random_world world;
    static struct loy_cel_issues issues;
    struct random_world *w = &world;
    char *block = malloc(ARENA);
    *w = (struct random_world){.seed = 1};
    loy_arena_init(&w->revision, block, ARENA);
    w->programme.wallets = w->wallets;
    w->wallets[0].id = LOY_STR("points");
    w->programme.wallet_count = 1;
    assert_int_equal(loy_facts_env_new(&w->programme, NULL, NULL, 0, &w->revision, &w->programme.facts, NULL), LOY_OK);
    static const struct {
        const char *when;
        uint32_t channels, stores;
    } cases[] = {
        {"event.channel == 'app'", 1, 0},
        {"purchase.total > 5 && 'app' == event.channel && store.id in ['1', '2', '3']", 1, 3},
        {"event.channel != 'app'", 0, 0},
        {"event.channel == 'app' || store.id == '1'", 0, 0},
        {"!(event.channel == 'app') && store.id in [event.channel]", 0, 0},
        {"(event.channel == 'app' || event.channel == 'web') && store.id == '1'", 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct loy_rule rule = {.trigger = LOY_EVENT_PURCHASE};
        assert_int_equal(loy_cel_compile(loy_facts_cel(w->programme.facts), loy_str(cases[i].when), NULL, &w->revision,
                                         &rule.when, &issues),
                         LOY_OK);
        assert_int_equal(loy_rule_narrow(&rule, &w->revision), LOY_OK);
        assert_int_equal(rule.channels.count, cases[i].channels);
        assert_int_equal(rule.stores.count, cases[i].stores);
    }
    static const struct loy_str web[] = {{"web", 3}};
    struct loy_rule rule = {.trigger = LOY_EVENT_PURCHASE, .channels = {web, 1}};
    assert_int_equal(loy_cel_compile(loy_facts_cel(w->programme.facts), LOY_STR("event.channel == 'app'"), NULL,
                                     &w->revision, &rule.when, &issues),
                     LOY_OK);
    assert_int_equal(loy_rule_narrow(&rule, &w->revision), LOY_OK);
    assert_ptr_equal(rule.channels.texts, web); /* what the rule says itself stays */
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_decided_with_an_index_and_without),
        cmocka_unit_test(constants_of_conditions_become_the_rules_own),
        cmocka_unit_test(an_index_leaves_out_what_other_constants_and_times_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
