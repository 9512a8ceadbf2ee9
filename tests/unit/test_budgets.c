/* What a decision says about the budgets it looked at: it stays the same, to the last byte of the account, for every
 * `used` up to at_most. Random programmes, members and purchases. */
#include "support/cmocka_all.h"

#include "engine/engine.h"
#include "engine/index.h"

#include <stdlib.h>

enum { PROGRAMMES = 3000, EVENTS = 12, RULES_MAX = 9, COUNTERS = 3, GROUPS = 3, ARENA = 4 << 20, TRIES = 6 };

struct random_world {
    struct loy_arena arena;
    uint64_t seed;
    bool grouped; /* some rules are compared with others of their group */
    struct loy_rule rules[RULES_MAX];
    struct loy_stack_group groups[GROUPS];
    struct loy_budget budgets[COUNTERS];
    struct loy_budget_view views[COUNTERS];
    struct loy_wallet wallets[2];
    struct loy_cap caps[3];
    struct loy_limit limit;
    struct loy_programme programme;
};

struct decided {
    struct loy_effects effects;
    struct loy_str state;
    struct loy_account account;
};

static uint32_t below(struct random_world *w, uint32_t bound)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->seed >> 33) % bound;
}

static struct loy_rule rule(struct random_world *w, uint32_t i)
{
    static const struct loy_reward rewards[] = {
        {.kind = LOY_REWARD_PER_AMOUNT, .points = 7, .per = 1000},
        {.kind = LOY_REWARD_PER_AMOUNT, .points = 3, .per = 700, .prorata = true, .carry = true},
        {.kind = LOY_REWARD_PER_ORDER, .points = 25},
        {.kind = LOY_REWARD_PER_ORDER, .points = 40, .wallet = 1},
        {.kind = LOY_REWARD_MULTIPLY, .points = 2000},
    };
    return (struct loy_rule){
        .number = (int32_t)i + 1,
        .id = {&"abcdefghi"[i], 1},
        .is_campaign = below(w, 3) > 0,
        .trigger = LOY_EVENT_PURCHASE,
        .reward = rewards[below(w, sizeof rewards / sizeof *rewards)],
        .limits = &w->limit,
        .limit_count = below(w, 4) == 0,
        .caps = &w->caps[0],
        .cap_count = below(w, 4) == 0,
        .group = w->grouped && below(w, 2) ? &w->groups[below(w, GROUPS)] : NULL,
        .exclusive = below(w, 20) == 0,
        .priority = (int32_t)below(w, 3),
        .budget = below(w, 5) ? &w->budgets[below(w, COUNTERS)] : NULL,
    };
}

static void invent(struct random_world *w)
{
    static const enum loy_pick picks[GROUPS] = {LOY_PICK_BEST, LOY_PICK_BEST, LOY_PICK_EXCLUSIVE};
    w->caps[0] = (struct loy_cap){LOY_WINDOW_LIFETIME, 90, false};
    w->caps[1] = (struct loy_cap){LOY_WINDOW_ORDER, 70, false};
    w->caps[2] = (struct loy_cap){LOY_WINDOW_LIFETIME, 300, true};
    w->limit = (struct loy_limit){LOY_WINDOW_LIFETIME, 2};
    w->wallets[0] = (struct loy_wallet){.id = LOY_STR("points"), .caps = &w->caps[1], .cap_count = below(w, 3)};
    w->wallets[1] = (struct loy_wallet){.id = LOY_STR("stamps")};
    for (uint32_t i = 0; i < COUNTERS; i++) {
        w->budgets[i] = (struct loy_budget){(int32_t)(7 - i), {"budget", 6}, (int64_t)below(w, 250), below(w, 2)};
        w->views[i] = (struct loy_budget_view){(int32_t)(7 - i), 0};
    }
    for (uint32_t i = 0; i < GROUPS; i++) {
        w->groups[i] = (struct loy_stack_group){{"group", 5}, picks[i]};
    }
    w->grouped = below(w, 3) > 0;
    w->programme = (struct loy_programme){.id = LOY_STR("random"),
                                          .currency = LOY_STR("RUB"),
                                          .currency_digits = 2,
                                          .wallets = w->wallets,
                                          .wallet_count = 2,
                                          .rules = w->rules,
                                          .rule_count = 1 + below(w, RULES_MAX),
                                          .budgets = w->budgets,
                                          .budget_count = below(w, 2) ? COUNTERS : 0, /* in their order, or not */
                                          .late.us = LOY_US_PER_DAY};
    for (uint32_t i = 0; i < w->programme.rule_count; i++) {
        w->rules[i] = rule(w, i);
    }
    loy_rules_sort(w->rules, w->programme.rule_count);
}

static struct decided decide(struct random_world *w, const struct loy_account *account, const struct loy_event *event,
                             const struct loy_budget_view views[COUNTERS])
{
    const struct loy_budget_views budgets = {views, COUNTERS};
    struct decided decided = {.account = *account};
    struct loy_error error;
    assert_int_equal(loy_engine_decide(&w->programme, &decided.account, event, event->occurred_at_us, &budgets,
                                       &w->arena, &decided.effects, &error),
                     LOY_OK);
    assert_int_equal(loy_account_encode(&decided.account, &w->arena, &decided.state), LOY_OK);
    return decided;
}

static bool is_same(const struct decided *a, const struct decided *b)
{
    bool same = a->effects.entry_count == b->effects.entry_count && loy_str_equal(a->state, b->state);
    for (uint32_t i = 0; same && i < a->effects.entry_count; i++) {
        const struct loy_entry *one = &a->effects.entries[i], *other = &b->effects.entries[i];
        same = one->rule == other->rule && one->amount == other->amount && one->wallet == other->wallet;
    }
    return same;
}

static struct loy_budget_view *view_of(struct loy_budget_view views[COUNTERS], int32_t counter)
{
    return &views[7 - counter];
}

struct found {
    uint64_t looks, at_most_ends, conservative, shorts, losers;
};

/* Any use between the one that was seen and at_most, of all counters at once: the same. */
static void must_stay(struct random_world *w, const struct loy_account *account, const struct loy_event *event,
                      const struct decided *decided)
{
    for (int try = 0; try < TRIES; try++) {
        struct loy_budget_view views[COUNTERS];
        memcpy(views, w->views, sizeof views);
        for (uint32_t i = 0; i < decided->effects.charge_count; i++) {
            const struct loy_charge *charge = &decided->effects.charges[i];
            struct loy_budget_view *view = view_of(views, charge->counter);
            assert_true(charge->at_most >= view->used);
            int64_t room = charge->at_most == INT64_MAX ? 1000 : charge->at_most - view->used;
            view->used += try == 0 ? room : (int64_t)below(w, (uint32_t)room + 1);
        }
        struct decided again = decide(w, account, event, views);
        assert_true(is_same(decided, &again));
    }
}

/* One more than at_most: something else is decided. Only where the best of a group was chosen may it be the same. */
static void must_change(struct random_world *w, const struct loy_account *account, const struct loy_event *event,
                        const struct decided *decided, struct found *found)
{
    for (uint32_t i = 0; i < decided->effects.charge_count; i++) {
        const struct loy_charge *charge = &decided->effects.charges[i];
        struct loy_budget_view views[COUNTERS];
        memcpy(views, w->views, sizeof views);
        found->looks++;
        found->shorts += charge->is_short;
        found->losers += charge->points == 0 && !charge->is_short;
        if (charge->at_most == INT64_MAX) {
            assert_int_equal(charge->points, 0);
            continue;
        }
        view_of(views, charge->counter)->used = charge->at_most + 1;
        struct decided again = decide(w, account, event, views);
        found->at_most_ends++;
        found->conservative += is_same(decided, &again);
        assert_true(w->grouped || !is_same(decided, &again));
    }
}

/* Whatever was cut or refused for a budget says so. */
static void shorts_must_show(const struct random_world *w, const struct decided *decided)
{
    for (uint32_t i = 0; i < decided->effects.rule_count; i++) {
        const struct loy_rule_trace *trace = &decided->effects.rules[i];
        const struct loy_rule *rule = w->rules;
        while (rule->number != trace->rule) {
            rule++;
        }
        bool shown = !trace->reason || strcmp(trace->reason, "budget") != 0 || trace->wanted == 0;
        for (uint32_t j = 0; !shown && j < decided->effects.charge_count; j++) {
            const struct loy_charge *charge = &decided->effects.charges[j];
            shown = charge->counter == rule->budget->counter && charge->is_short;
        }
        assert_true(shown || trace->left > 0); /* left > 0: a cap before it may have left nothing to cut */
    }
}

static void a_decision_stays_what_it_is_up_to_at_most(void **state)
{
    (void)state;
    static struct random_world world;
    struct random_world *w = &world;
    struct found found = {0};
    char *block = malloc(ARENA);
    for (uint64_t seed = 1; seed <= PROGRAMMES; seed++) {
        *w = (struct random_world){.seed = seed};
        loy_arena_init(&w->arena, block, ARENA);
        invent(w);
        struct loy_account account;
        loy_account_init(&account, LOY_STR("anna"), 1);
        for (int i = 0; i < EVENTS; i++) {
            struct loy_line line = {.amount_minor = (int64_t)below(w, 9000), .quantity_milli = 1000};
            struct loy_event event = {.kind = LOY_EVENT_PURCHASE,
                                      .occurred_at_us = INT64_C(1793491200) * LOY_US_PER_SECOND + i,
                                      .purchase = {.total_minor = line.amount_minor, .lines = &line, .line_count = 1}};
            struct decided decided = decide(w, &account, &event, w->views);
            must_stay(w, &account, &event, &decided);
            must_change(w, &account, &event, &decided, &found);
            shorts_must_show(w, &decided);
            account = decided.account;
            for (uint32_t j = 0; j < decided.effects.charge_count; j++) {
                struct loy_budget_view *view = view_of(w->views, decided.effects.charges[j].counter);
                view->used += decided.effects.charges[j].points;
                assert_true(view->used <= w->budgets[7 - view->counter].limit);
            }
        }
    }
    print_message("%llu looks at budgets, %llu short, %llu took nothing and were not; %llu ends tried, %llu of them "
                  "lower than needed\n",
                  (unsigned long long)found.looks, (unsigned long long)found.shorts, (unsigned long long)found.losers,
                  (unsigned long long)found.at_most_ends, (unsigned long long)found.conservative);
    assert_true(found.shorts > 1000 && found.losers > 100 && found.at_most_ends > 10000);
    assert_true(found.conservative * 20 < found.at_most_ends);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_decision_stays_what_it_is_up_to_at_most)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
