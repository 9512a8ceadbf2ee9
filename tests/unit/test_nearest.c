/* What a larger basket would earn, and why an event did not concern a rule. */
#include "support/cmocka_all.h"
#include "support/story.h"

#include "engine/nearest.h"
#include "programme/concern.h"

#define sunday "2026-11-01T09:00:00Z"

static struct story s;
static struct loy_nearest rows[LOY_NEAREST_MAX];
static uint32_t count;

static int set_up(void **state)
{
    (void)state;
    story_init(&s);
    story_facts(&s, (const uint16_t[]){90}, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    story_fini(&s);
    return 0;
}

/* Decides the lines so far as a preview does, and asks what is nearest. */
static struct loy_event preview(void)
{
    struct loy_account before = s.account, after = s.account;
    struct loy_event event = s.event;
    struct loy_line *lines = loy_arena_copy(&s.arena, s.lines, sizeof s.lines);
    event.kind = LOY_EVENT_PURCHASE;
    event.event_id = event.source = event.member_id = event.order_id = LOY_STR("test");
    event.purchase.order_version = 1;
    event.purchase.lines = lines;
    assert_true(loy_moment_parse(sunday, strlen(sunday), &event.occurred_at_us));
    assert_int_equal(loy_engine_decide(&s.programme, &after, &event, event.occurred_at_us, &s.budgets, &s.arena,
                                       &s.effects, &s.error),
                     LOY_OK);
    const struct loy_nearest_query query = {&s.programme, &before, &event, event.occurred_at_us, s.budgets, &s.effects};
    struct loy_arena_mark mark = loy_arena_mark(&s.arena);
    assert_int_equal(loy_nearest_find(&query, &s.arena, rows, &count), LOY_OK);
    assert_int_equal(loy_arena_mark(&s.arena).used, mark.used);
    s.event = (struct loy_event){0};
    return event;
}

static void the_least_that_is_missing_is_found_to_the_kopeck(void **state)
{
    (void)state;
    static const struct loy_str coffee[] = {{"coffee", 6}}, tea[] = {{"tea", 3}};
    story_rule(
        &s, (struct loy_rule){.number = 1,
                              .reward = {.kind = LOY_REWARD_PER_AMOUNT, .wallet = POINTS, .points = 10, .per = 10000}});
    story_rule(&s, (struct loy_rule){.number = 2,
                                     .minimum_minor = 100000,
                                     .is_campaign = true,
                                     .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 50}});
    story_rule(&s, (struct loy_rule){.number = 3,
                                     .is_campaign = true,
                                     .when = story_cel(&s, "purchase.total > money('940.50')", "bool"),
                                     .reward = {.kind = LOY_REWARD_MULTIPLY, .wallet = POINTS, .points = 2000}});
    story_rule(&s, (struct loy_rule){.number = 4, /* in reach of no basket four times as large */
                                     .is_campaign = true,
                                     .minimum_minor = 400001,
                                     .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 1}});
    story_rule(&s, (struct loy_rule){.number = 5,
                                     .is_campaign = true,
                                     .lines.categories = {coffee, 1},
                                     .minimum_minor = 20001,
                                     .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = CASHBACK, .points = 7}});
    story_rule(&s, (struct loy_rule){.number = 6,
                                     .lines.categories = {tea, 1},
                                     .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 1}});
    loy_rules_sort(s.rules, s.programme.rule_count);
    story_line(&s, "food", 80000);
    story_line(&s, "coffee", 20000 - 100);
    (void)preview();
    assert_int_equal(count, 2);
    assert_true(rows[0].rule->number == 2 && rows[0].more == 100 && rows[0].points == 50 && !rows[0].is_units);
    assert_true(rows[1].rule->number == 5 && rows[1].more == 101 && rows[1].points == 7);
    story_line(&s, "food", 90000);
    (void)preview();
    assert_int_equal(count, 2);
    assert_true(rows[0].rule->number == 3 && rows[0].more == 4051 && rows[0].points == 90);
    assert_true(rows[1].rule->number == 2 && rows[1].more == 10000);
}

static void pieces_are_counted_as_pieces(void **state)
{
    (void)state;
    story_rule(&s,
               (struct loy_rule){.number = 1,
                                 .reward = {.kind = LOY_REWARD_PER_UNIT, .wallet = STAMPS, .points = 1, .per = 6000}});
    story_line(&s, "coffee", 1000)->quantity_milli = 4000;
    (void)preview();
    assert_int_equal(count, 1);
    assert_true(rows[0].is_units && rows[0].more == 2000 && rows[0].points == 1);
}

static void what_was_granted_or_refused_for_another_reason_is_not_near(void **state)
{
    (void)state;
    static const struct loy_cap cap = {LOY_WINDOW_BALANCE, 5, true};
    story_rule(&s,
               (struct loy_rule){.number = 1, .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 3}});
    story_rule(&s, (struct loy_rule){.number = 2,
                                     .weekdays = 1,
                                     .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 3}});
    story_rule(&s, (struct loy_rule){.number = 3,
                                     .caps = &cap,
                                     .cap_count = 1,
                                     .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 3}});
    story_line(&s, "food", 1000);
    (void)preview();
    assert_int_equal(s.effects.rule_count, 3);
    assert_int_equal(count, 0);
}

/* --- concern ------------------------------------------------------------------------------------------------------ */

static bool says(const struct loy_rule *rule, const struct loy_event *event, const char *text)
{
    struct loy_buf buf;
    loy_buf_init(&buf, &s.arena, 64);
    loy_concern_words(rule, event, event->occurred_at_us, &buf);
    struct loy_str words = loy_buf_str(&buf);
    assert_int_equal(words.len == 0, loy_rule_concerns(rule, event, event->occurred_at_us));
    if (!loy_str_equal(words, loy_str(text))) {
        print_message("'%.*s' instead of '%s'\n", LOY_STR_ARG(words), text);
        return false;
    }
    return true;
}

static void why_a_rule_was_not_concerned_is_said(void **state)
{
    (void)state;
    static const struct loy_str texts[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"f", 1}};
    static const struct loy_text_set two = {texts, 2}, six = {texts, 6};
    const int64_t hour = 3600 * LOY_US_PER_SECOND;
    story_line(&s, "food", 1000);
    struct loy_event event = preview();
    event.channel = LOY_STR("pos");
    struct loy_rule rule = {.trigger = LOY_EVENT_PURCHASE};
    assert_true(says(&rule, &event, ""));
    rule.trigger = LOY_EVENT_ACTIVITY;
    assert_true(says(&rule, &event, "only events of kind activity"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .channels = six};
    assert_true(says(&rule, &event, "only the channel a, b, c, d, e, …"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .stores = two};
    assert_true(says(&rule, &event, "only the store a, b"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .store_kinds = two};
    assert_true(says(&rule, &event, "only stores of kind a, b"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .partners = two};
    assert_true(says(&rule, &event, "only the partner a, b"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .from_us = event.occurred_at_us + hour};
    assert_true(says(&rule, &event, "it begins at 2026-11-01T10:00:00Z"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .until_us = event.occurred_at_us};
    assert_true(says(&rule, &event, "it ended at 2026-11-01T09:00:00Z"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .lines.categories = two};
    assert_true(says(&rule, &event, "no line of category a, b"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .lines.labels = two};
    assert_true(says(&rule, &event, "no line with label a, b"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .lines.skus = two};
    assert_true(says(&rule, &event, "no line of SKU a, b"));
    rule = (struct loy_rule){.trigger = LOY_EVENT_PURCHASE, .lines.brands = two};
    assert_true(says(&rule, &event, "no line of brand a, b"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_least_that_is_missing_is_found_to_the_kopeck),
        TEST(pieces_are_counted_as_pieces),
        TEST(what_was_granted_or_refused_for_another_reason_is_not_near),
        TEST(why_a_rule_was_not_concerned_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
