#include "support/story.h"

#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA = 16 << 20 };

static const struct loy_zone_transition moscow_hours[] = {{INT64_MIN, 3 * 3600}};
static const struct loy_zone moscow = {moscow_hours, 1};

void story_init(struct story *s)
{
    *s = (struct story){0};
    loy_arena_init(&s->arena, malloc(ARENA), ARENA);
    s->wallets[POINTS].id = LOY_STR("points");
    s->wallets[CASHBACK] = (struct loy_wallet){.id = LOY_STR("cashback"), .is_money = true};
    s->wallets[STAMPS].id = LOY_STR("stamps");
    s->programme = (struct loy_programme){
        .id = LOY_STR("story"),
        .revision = 1,
        .from_us = INT64_MIN,
        .currency = LOY_STR("RUB"),
        .currency_digits = 2,
        .zone = &moscow,
        .wallets = s->wallets,
        .wallet_count = 3,
        .rules = s->rules,
        .segments = s->segments,
        .late.us = 30 * LOY_US_PER_DAY,
        .early.us = 300 * LOY_US_PER_SECOND,
    };
    s->budgets.rows = s->views;
    loy_account_init(&s->account, LOY_STR("anna"), 3);
    story_facts(s, NULL, 0);
}

void story_fini(struct story *s)
{
    free(s->arena.base);
}

void story_facts(struct story *s, const uint16_t *days, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        s->programme.fact_days[i] = days[i];
    }
    s->programme.fact_window_count = count;
    assert_int_equal(loy_facts_env_new(&s->programme, NULL, NULL, 0, &s->arena, &s->programme.facts, &s->error), 0);
}

const struct loy_cel_program *story_cel(struct story *s, const char *text, const char *type)
{
    static struct loy_cel_issues issues;
    const struct loy_cel_program *program = NULL;
    const struct loy_cel_options options = {.result = type, .money = true, .max_cost = LOY_FACTS_FUEL};
    if (loy_cel_compile(loy_facts_cel(s->programme.facts), loy_str(text), &options, &s->arena, &program, &issues)) {
        fail_msg("%s: %.*s", text, LOY_STR_ARG(issues.items[0].message));
    }
    s->programme.history = s->programme.history || loy_facts_needs_history(s->programme.facts, program);
    return program;
}

struct loy_rule *story_rule(struct story *s, struct loy_rule rule)
{
    assert_true(s->programme.rule_count < STORY_RULES);
    struct loy_rule *place = &s->rules[s->programme.rule_count++];
    *place = rule;
    place->trigger = rule.trigger ? rule.trigger : LOY_EVENT_PURCHASE;
    return place;
}

struct loy_line *story_line(struct story *s, const char *category, int64_t amount_minor)
{
    struct loy_purchase *purchase = &s->event.purchase;
    assert_true(purchase->line_count < STORY_LINES);
    struct loy_line *line = &s->lines[purchase->line_count++];
    *line = (struct loy_line){
        .category = loy_str(category), .kind = LOY_LINE_GOODS, .quantity_milli = 1000, .amount_minor = amount_minor};
    purchase->total_minor += amount_minor;
    return line;
}

static int64_t moment(const char *at)
{
    int64_t us;
    if (!loy_moment_parse(at, strlen(at), &us)) {
        fail_msg("%s is no moment", at);
    }
    return us;
}

/* Decides the next event, and forgets it: what the caller set in it was for it only. */
static enum loy_err decide(struct story *s, const char *at)
{
    s->event.event_id = s->event.source = LOY_STR("test");
    s->event.member_id = LOY_STR("anna");
    s->event.occurred_at_us = moment(at);
    struct loy_event event = s->event;
    enum loy_err err = loy_engine_decide(&s->programme, &s->account, &event, event.occurred_at_us, &s->budgets,
                                         &s->arena, &s->effects, &s->error);
    for (uint32_t i = 0; !err && i < s->effects.charge_count; i++) {
        for (uint32_t j = 0; j < s->budgets.count; j++) {
            if (s->views[j].counter == s->effects.charges[i].counter) {
                s->views[j].used += s->effects.charges[i].points;
            }
        }
    }
    s->event = (struct loy_event){0};
    return err;
}

enum loy_err story_try(struct story *s, const char *at)
{
    s->event.kind = LOY_EVENT_PURCHASE;
    s->event.order_id = s->event.purchase.order_id = LOY_STR("order");
    s->event.purchase.order_version = 1;
    s->event.purchase.lines = s->lines;
    s->event.purchase.tenders = s->tenders;
    return decide(s, at);
}

void story_buy(struct story *s, const char *at)
{
    if (story_try(s, at)) {
        fail_msg("%s: %s", at, s->error.detail);
    }
}

void story_spend(struct story *s, const char *at, int64_t amount_minor)
{
    story_line(s, "goods", amount_minor);
    story_buy(s, at);
}

void story_do(struct story *s, const char *at, const char *activity)
{
    s->event.kind = LOY_EVENT_ACTIVITY;
    s->event.activity_name = loy_str(activity);
    if (decide(s, at)) {
        fail_msg("%s: %s", at, s->error.detail);
    }
}

const struct loy_rule_trace *story_trace(const struct story *s, int32_t rule)
{
    for (uint32_t i = 0; i < s->effects.rule_count; i++) {
        if (s->effects.rules[i].rule == rule) {
            return &s->effects.rules[i];
        }
    }
    return NULL;
}

int64_t story_granted(const struct story *s, int32_t rule)
{
    const struct loy_rule_trace *trace = story_trace(s, rule);
    return trace ? trace->granted : 0;
}

const char *story_reason(const struct story *s, int32_t rule)
{
    const struct loy_rule_trace *trace = story_trace(s, rule);
    return !trace ? "not concerned" : trace->reason ? trace->reason : "";
}

int64_t story_available(const struct story *s, int wallet)
{
    return s->account.balances[wallet].available;
}
