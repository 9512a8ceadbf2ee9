/* What the engine alone costs, on one core: events a second with a supermarket's programme, and 1,000 campaigns against
 * 10 where 5 concern the event. Best of several rounds. Every decision starts from a member's state with a history, in
 * an arena that is reset; with "state" the member's bytes are decoded before and encoded after it as well. */
#include "engine/engine.h"
#include "engine/facts.h"
#include "engine/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ARENA = 64 << 20, ROUNDS = 25, TIMES = 4000, LINES = 8, EVENTS = 32, RULES = 1100, CONCERNED = 5 };

static const int64_t sunday_us = INT64_C(1793523600) * LOY_US_PER_SECOND; /* 2026-11-01T09:00:00Z */

struct bench {
    struct loy_arena revision, scratch;
    struct loy_programme programme;
    struct loy_rule rules[RULES];
    struct loy_line lines[EVENTS][LINES];
    struct loy_event events[EVENTS];
    struct loy_account account;
    struct loy_str state;
};

static void check(enum loy_err err, const char *what)
{
    if (err) {
        fprintf(stderr, "engine_bench: %s: %s\n", what, loy_err_name(err));
        exit(2);
    }
}

static const struct loy_zone_transition hours[] = {{INT64_MIN, 3 * 3600}};
static const struct loy_zone moscow = {hours, 1};
static const struct loy_wallet wallets[] = {{.id = {"points", 6}, .pending.us = 14 * LOY_US_PER_DAY},
                                            {.id = {"cashback", 8}, .is_money = true}};
static const struct loy_level levels[] = {{1, {"gold", 4}, 1500}};
static const struct loy_str not_earning[] = {{"tobacco", 7}, {"gift_card", 9}};
static const struct loy_str coffee[] = {{"coffee", 6}};
static const struct loy_str own_brand[] = {{"own_brand", 9}};
static const struct loy_cap daily[] = {{LOY_WINDOW_DAY, 5000, false}};
static const struct loy_limit weekly[] = {{LOY_WINDOW_WEEK, 2}};
static const struct loy_stack_group basket = {{"basket", 6}, LOY_PICK_BEST};

static const struct loy_cel_program *compile(struct bench *b, const char *text)
{
    static struct loy_cel_issues issues;
    const struct loy_cel_program *program = NULL;
    const struct loy_cel_options options = {.result = "bool", .money = true};
    check(loy_cel_compile(loy_facts_cel(b->programme.facts), loy_str(text), &options, &b->revision, &program, &issues),
          text);
    return program;
}

static struct loy_rule *add(struct bench *b, struct loy_rule rule)
{
    struct loy_rule *place = &b->rules[b->programme.rule_count];
    *place = rule;
    place->number = (int32_t)++b->programme.rule_count;
    place->trigger = LOY_EVENT_PURCHASE;
    return place;
}

static void open_programme(struct bench *b)
{
    b->programme = (struct loy_programme){.id = LOY_STR("supermarket"),
                                          .revision = 1,
                                          .from_us = INT64_MIN,
                                          .currency = LOY_STR("RUB"),
                                          .currency_digits = 2,
                                          .zone = &moscow,
                                          .wallets = wallets,
                                          .wallet_count = 2,
                                          .rules = b->rules,
                                          .levels = levels,
                                          .level_count = 1,
                                          .history = true,
                                          .fact_days = {90},
                                          .fact_window_count = 1,
                                          .late.us = 30 * LOY_US_PER_DAY,
                                          .early.us = 300 * LOY_US_PER_SECOND};
    check(loy_facts_env_new(&b->programme, NULL, NULL, 0, &b->revision, &b->programme.facts, NULL), "facts");
}

static void add_standing(struct bench *b)
{
    add(b, (struct loy_rule){.id = LOY_STR("base"),
                             .lines.except_categories = {not_earning, 2},
                             .reward = {.kind = LOY_REWARD_PER_AMOUNT, .points = 10, .per = 10000},
                             .caps = daily,
                             .cap_count = 1});
    add(b, (struct loy_rule){
               .id = LOY_STR("cashback"),
               .lines.labels = {own_brand, 1},
               .reward = {.kind = LOY_REWARD_PERCENT, .wallet = 1, .points = 5000, .rounding = LOY_ROUND_HALF_EVEN}});
    add(b, (struct loy_rule){.id = LOY_STR("coffee"),
                             .lines.categories = {coffee, 1},
                             .weekdays = 1 << 5 | 1 << 6,
                             .reward = {.kind = LOY_REWARD_MULTIPLY, .points = 2000}});
}

static void add_campaigns(struct bench *b)
{
    add(b, (struct loy_rule){.id = LOY_STR("bigger_basket"),
                             .is_campaign = true,
                             .when = compile(b, "member.last_90_days.purchases >= 3 && purchase.total >= "
                                                "member.last_90_days.average_purchase + money('500')"),
                             .group = &basket,
                             .reward = {.kind = LOY_REWARD_MULTIPLY, .points = 2000}});
    add(b, (struct loy_rule){.id = LOY_STR("gold_week"),
                             .is_campaign = true,
                             .when = compile(b, "member.level == 'gold' && event.channel == 'pos'"),
                             .group = &basket,
                             .limits = weekly,
                             .limit_count = 1,
                             .reward = {.kind = LOY_REWARD_PER_ORDER, .points = 20}});
}

/* Seven others that fill the ten of which five concern the event: they are for other goods, stores and times. */
static void add_unconcerned(struct bench *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char *id = loy_arena_alloc(&b->revision, 24);
        struct loy_str *text = LOY_NEW(&b->revision, struct loy_str);
        check(id && text ? LOY_OK : LOY_ERR_NO_MEMORY, "room for rules");
        (void)snprintf(id, 24, "other_%u", i);
        *text = loy_str(id);
        struct loy_rule *rule = add(
            b,
            (struct loy_rule){.id = *text, .is_campaign = true, .reward = {.kind = LOY_REWARD_PER_ORDER, .points = 5}});
        switch (i % 4) {
        case 0:
            rule->lines.categories = (struct loy_text_set){text, 1};
            break;
        case 1:
            rule->lines.skus = (struct loy_text_set){text, 1};
            break;
        case 2:
            rule->stores = (struct loy_text_set){text, 1};
            break;
        default: /* a campaign of a week, this year or next, but not now */
            rule->from_us = sunday_us + ((int64_t)(i % 104) - 52) * 7 * LOY_US_PER_DAY + LOY_US_PER_DAY;
            rule->until_us = rule->from_us + 6 * LOY_US_PER_DAY;
        }
    }
}

static void add_concerned(struct bench *b)
{
    static const struct loy_str goods[] = {{"goods_1", 7}, {"goods_3", 7}};
    for (uint32_t i = 0; i < CONCERNED; i++) {
        add(b, (struct loy_rule){.id = LOY_STR("concerned"),
                                 .is_campaign = true,
                                 .lines.categories = {goods, 2},
                                 .priority = (int32_t)i,
                                 .reward = {.kind = LOY_REWARD_PER_ORDER, .points = 5}});
    }
}

static void go_shopping(struct bench *b)
{
    static const struct loy_str categories[LINES] = {{"coffee", 6},  {"goods_1", 7}, {"goods_2", 7}, {"goods_3", 7},
                                                     {"tobacco", 7}, {"goods_5", 7}, {"goods_6", 7}, {"goods_7", 7}};
    static const struct loy_str skus[LINES] = {{"4600000000001", 13}, {"4600000000002", 13}, {"4600000000003", 13},
                                               {"4600000000004", 13}, {"4600000000005", 13}, {"4600000000006", 13},
                                               {"4600000000007", 13}, {"4600000000008", 13}};
    for (int i = 0; i < EVENTS; i++) {
        struct loy_event *event = &b->events[i];
        *event = (struct loy_event){.kind = LOY_EVENT_PURCHASE,
                                    .event_id = LOY_STR("1"),
                                    .source = LOY_STR("pos"),
                                    .channel = LOY_STR("pos"),
                                    .store_id = LOY_STR("store-17"),
                                    .occurred_at_us = sunday_us + i * LOY_US_PER_SECOND};
        for (int j = 0; j < LINES; j++) {
            b->lines[i][j] = (struct loy_line){.sku = skus[j],
                                               .category = categories[j],
                                               .kind = LOY_LINE_GOODS,
                                               .labels = own_brand,
                                               .label_count = j == 2,
                                               .quantity_milli = 1000,
                                               .amount_minor = 5000 + 977 * ((i * 7 + j * 3) % 40)};
            event->purchase.total_minor += b->lines[i][j].amount_minor;
        }
        event->purchase.lines = b->lines[i];
        event->purchase.line_count = LINES;
    }
}

/* A member with a level, a year of purchases behind and some points. */
static void live_a_year(struct bench *b)
{
    struct loy_effects effects;
    loy_account_init(&b->account, LOY_STR("anna"), 1);
    b->account.level = 1;
    for (int i = 0; i < 50; i++) {
        struct loy_event event = b->events[i % EVENTS];
        event.occurred_at_us = sunday_us - (50 - i) * 7 * LOY_US_PER_DAY;
        check(loy_engine_decide(&b->programme, &b->account, &event, event.occurred_at_us, NULL, &b->revision, &effects,
                                NULL),
              "a year");
    }
    check(loy_account_encode(&b->account, &b->revision, &b->state), "state");
}

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void decide(struct bench *b, int i, bool with_state)
{
    struct loy_account account = b->account;
    struct loy_effects effects;
    struct loy_str bytes;
    loy_arena_reset(&b->scratch);
    if (with_state) {
        check(loy_account_decode(b->state, &b->scratch, &account, NULL), "decode");
    }
    const struct loy_event *event = &b->events[i % EVENTS];
    check(loy_engine_decide(&b->programme, &account, event, event->occurred_at_us, NULL, &b->scratch, &effects, NULL),
          "decide");
    if (with_state) {
        check(loy_account_encode(&account, &b->scratch, &bytes), "encode");
    }
}

static double measure(struct bench *b, bool with_state)
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        for (int i = 0; i < TIMES; i++) {
            decide(b, i, with_state);
        }
        double took = (now_ns() - start) / TIMES;
        best = took < best ? took : best;
    }
    return best;
}

static void close_programme(struct bench *b, bool indexed)
{
    loy_rules_sort(b->rules, b->programme.rule_count);
    b->programme.index = NULL;
    if (indexed) {
        check(loy_index_new(b->rules, b->programme.rule_count, &b->revision, &b->programme.index), "index");
    }
}

static double with_campaigns(struct bench *b, uint32_t others, bool indexed)
{
    loy_arena_reset(&b->revision);
    open_programme(b);
    add_standing(b);
    add_concerned(b);
    add_unconcerned(b, others);
    close_programme(b, indexed);
    live_a_year(b);
    return measure(b, false);
}

int main(int argc, char **argv)
{
    int profiled = argc > 1 ? atoi(argv[1]) : 0; /* so many decisions and nothing else: for a profiler */
    struct bench *b = calloc(1, sizeof *b);
    if (!b) {
        return 2;
    }
    loy_arena_init(&b->revision, malloc(ARENA), ARENA);
    loy_arena_init(&b->scratch, malloc(ARENA), ARENA);
    go_shopping(b);
    open_programme(b);
    add_standing(b);
    add_campaigns(b);
    close_programme(b, true);
    live_a_year(b);
    for (int i = 0; i < profiled; i++) {
        decide(b, i, false);
    }
    if (profiled) {
        return 0;
    }
    double alone = measure(b, false);
    size_t bytes = b->scratch.used;
    double state = measure(b, true);
    printf("supermarket, %d lines a basket, %u rules\n", LINES, b->programme.rule_count);
    printf("  decide                   %7.0f ns   %9.0f events/s   (to reach 500,000)   %zu bytes of arena   %s\n",
           alone, 1e9 / alone, bytes, alone <= 2000 ? "ok" : "TOO SLOW");
    printf("  decode, decide, encode   %7.0f ns   %9.0f events/s   state of %zu bytes\n", state, 1e9 / state,
           b->state.len);
    double ten = with_campaigns(b, 5, true);
    double thousand = with_campaigns(b, 995, true);
    double without = with_campaigns(b, 995, false);
    printf("10 campaigns, 5 concern    %7.0f ns\n", ten);
    printf("1,000 campaigns, 5 concern %7.0f ns   %.2f times as much   (to reach 2)   %s\n", thousand, thousand / ten,
           thousand <= 2 * ten ? "ok" : "TOO SLOW");
    printf("  the same without index   %7.0f ns\n", without);
    free(b->revision.base);
    free(b->scratch.base);
    free(b);
    return alone <= 2000 && thousand <= 2 * ten ? 0 : 1;
}
