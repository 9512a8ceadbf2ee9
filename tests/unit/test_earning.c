/* Earning, FEATURES 1 to 6: what a purchase gives by rule, line, basis, wallet and currency. */
#include "support/cmocka_all.h"

#include "support/story.h"

static struct story s;

static const char *const sunday = "2026-11-01T09:00:00Z";

static int set_up(void **state)
{
    (void)state;
    story_init(&s);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    story_fini(&s);
    return 0;
}

static struct loy_reward per_100(int64_t points)
{
    return (struct loy_reward){.kind = LOY_REWARD_PER_AMOUNT, .points = points, .per = 10000};
}

static struct loy_reward once(int64_t points)
{
    return (struct loy_reward){.kind = LOY_REWARD_PER_ORDER, .points = points};
}

static void nine_hundred_ninety_nine_ninety_nine_gives_90_and_99(void **state)
{
    (void)state;
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)});
    story_rule(&s, (struct loy_rule){.number = 2, .reward = per_100(10)})->reward.prorata = true;
    story_spend(&s, sunday, 99999);
    assert_int_equal(story_granted(&s, 1), 90);
    assert_int_equal(story_granted(&s, 2), 99);
}

static void one_event_fills_several_wallets(void **state)
{
    (void)state;
    static const struct loy_str own[] = {{"own_brand", 9}};
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)});
    story_rule(&s, (struct loy_rule){.number = 2,
                                     .lines.labels = {own, 1},
                                     .reward = {.kind = LOY_REWARD_PERCENT, .wallet = CASHBACK, .points = 5000}});
    story_rule(&s,
               (struct loy_rule){.number = 3,
                                 .reward = {.kind = LOY_REWARD_PER_UNIT, .wallet = STAMPS, .points = 1, .per = 1000}});
    struct loy_line *line = story_line(&s, "dairy", 33333);
    line->labels = own;
    line->label_count = 1;
    line->quantity_milli = 1750; /* weighed */
    story_line(&s, "bread", 10000)->quantity_milli = 2000;
    story_buy(&s, sunday);
    assert_int_equal(story_available(&s, POINTS), 40);
    assert_int_equal(story_available(&s, CASHBACK), 1666); /* 5 % of 333.33, floor */
    assert_int_equal(story_available(&s, STAMPS), 3);      /* 3.75 pieces */
    assert_int_equal(story_trace(&s, 2)->lines[0], 1666);
    assert_int_equal(story_trace(&s, 2)->lines[1], 0);
    assert_int_equal(s.effects.entry_count, 3);
}

static void lines_are_taken_and_left_out(void **state)
{
    (void)state;
    static const struct loy_str drinks[] = {{"coffee", 6}, {"tea", 3}};
    static const struct loy_str gifts[] = {{"gift_card", 9}};
    struct loy_line_filter only = {.categories = {drinks, 2}, .except_discounted = true};
    story_rule(&s, (struct loy_rule){.number = 1, .lines = only, .reward = per_100(1)});
    story_rule(&s, (struct loy_rule){.number = 2, .lines.except_categories = {gifts, 1}, .reward = per_100(1)});
    story_rule(&s, (struct loy_rule){.number = 3, .lines.kinds = 1u << LOY_LINE_DELIVERY, .reward = per_100(1)});
    story_line(&s, "coffee", 100000);
    story_line(&s, "tea", 20000)->discount_minor = 1;
    story_line(&s, "gift_card", 3000000);
    story_line(&s, "", 40000)->kind = LOY_LINE_DELIVERY;
    story_buy(&s, sunday);
    assert_int_equal(story_granted(&s, 1), 10);
    assert_int_equal(story_granted(&s, 2), 16);
    assert_int_equal(story_granted(&s, 3), 4);
    story_line(&s, "bread", 100000);
    story_buy(&s, sunday);
    assert_string_equal(story_reason(&s, 1), "not concerned");
    assert_string_equal(story_reason(&s, 3), "nothing_eligible");
}

static void the_basis_is_before_or_after_discount_and_tax(void **state)
{
    (void)state;
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(1)});
    story_rule(&s, (struct loy_rule){.number = 2, .before_discount = true, .reward = per_100(1)});
    story_rule(&s, (struct loy_rule){.number = 3, .without_tax = true, .reward = per_100(1)});
    story_rule(&s, (struct loy_rule){.number = 4, .before_discount = true, .without_tax = true, .reward = per_100(1)});
    struct loy_line *line = story_line(&s, "goods", 120000);
    line->discount_minor = 50000;
    line->tax_minor = 20000;
    story_buy(&s, sunday);
    assert_int_equal(story_granted(&s, 1), 12);
    assert_int_equal(story_granted(&s, 2), 17);
    assert_int_equal(story_granted(&s, 3), 10);
    assert_int_equal(story_granted(&s, 4), 15);
}

static void what_was_paid_with_points_does_not_earn(void **state)
{
    (void)state;
    static const struct loy_str bread[] = {{"bread", 5}};
    struct loy_line_filter filter = {.except_categories = {bread, 1}, .except_paid_with_points = true};
    story_rule(&s, (struct loy_rule){.number = 1, .lines = filter, .reward = per_100(1)});
    story_line(&s, "cheese", 60000);
    story_line(&s, "bread", 40000);
    s.tenders[0] = (struct loy_tender){.kind = LOY_STR("points"), .amount_minor = 50000, .points = 5000};
    s.tenders[1] = (struct loy_tender){.kind = LOY_STR("cash"), .amount_minor = 50000};
    s.event.purchase.tender_count = 2;
    story_buy(&s, sunday);
    assert_int_equal(story_trace(&s, 1)->eligible_minor, 30000);
    assert_int_equal(story_granted(&s, 1), 3);
}

static void a_minimum_names_what_is_missing(void **state)
{
    (void)state;
    story_rule(&s, (struct loy_rule){.number = 1, .minimum_minor = 50000, .reward = once(100)});
    story_spend(&s, sunday, 48000);
    assert_string_equal(story_reason(&s, 1), "below_minimum");
    assert_int_equal(story_trace(&s, 1)->missing, 2000);
    story_spend(&s, sunday, 50000);
    assert_int_equal(story_granted(&s, 1), 100);
}

static void remainders_are_carried_to_the_next_purchase(void **state)
{
    (void)state;
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)})->reward.carry = true;
    story_rule(&s, (struct loy_rule){.number = 2, .reward = per_100(10)})->reward =
        (struct loy_reward){.kind = LOY_REWARD_PER_AMOUNT, .points = 10, .per = 10000, .prorata = true, .carry = true};
    int64_t steps = 0, shares = 0;
    for (int i = 0; i < 100; i++) {
        story_spend(&s, sunday, 3333);
        steps += story_granted(&s, 1);
        shares += story_granted(&s, 2);
    }
    assert_int_equal(steps, 333300 / 10000 * 10);
    assert_int_equal(shares, 333300 * 10 / 10000);
}

static void a_carried_remainder_that_waits_is_not_lost(void **state)
{
    (void)state;
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)})->reward.carry = true;
    story_spend(&s, sunday, 9999);
    assert_string_equal(story_reason(&s, 1), "below_one_step");
    assert_int_equal(story_trace(&s, 1)->missing, 1);
    story_spend(&s, sunday, 1);
    assert_int_equal(story_granted(&s, 1), 10);
}

static void level_and_segment_multiply_base_points_and_not_bonuses(void **state)
{
    (void)state;
    static const struct loy_level levels[] = {{.number = 7, .id = {"gold", 4}, .multiply_milli = 1500}};
    s.programme.levels = levels;
    s.programme.level_count = 1;
    s.segments[0] = (struct loy_segment){LOY_STR("night"), story_cel(&s, "event.hour < 6", "bool"), 2000};
    s.programme.segment_count = 1;
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)})->reward.prorata = true;
    story_rule(&s, (struct loy_rule){.number = 2, .reward = per_100(10), .not_multiplied = true});
    story_rule(&s, (struct loy_rule){.number = 3, .reward = once(5), .is_campaign = true});
    story_spend(&s, sunday, 99999);
    assert_int_equal(story_granted(&s, 1), 99);
    s.account.level = 7;
    story_spend(&s, sunday, 99999);
    assert_int_equal(story_granted(&s, 1), 149); /* 99.999 × 1.5, rounded once */
    assert_int_equal(story_trace(&s, 1)->multiplier, 1500000);
    story_spend(&s, "2026-11-01T23:30:00Z", 100000); /* half past two in Moscow */
    assert_int_equal(story_granted(&s, 1), 300);
    assert_int_equal(story_granted(&s, 2), 100);
    assert_int_equal(story_granted(&s, 3), 5);
    assert_true(loy_str_equal(story_trace(&s, 1)->detail, LOY_STR("")));
}

static void foreign_money_goes_by_the_rate_of_its_day(void **state)
{
    (void)state;
    static struct loy_rate rates[] = {{{"KZT", 3}, 0, 19, 100}, {{"KZT", 3}, 0, 2, 10}};
    rates[1].from_us = INT64_C(1793491200) * LOY_US_PER_SECOND; /* 2026-11-01T00:00:00Z */
    s.programme.rates = rates;
    s.programme.rate_count = 2;
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)});
    s.event.purchase.currency = LOY_STR("KZT");
    story_spend(&s, "2026-10-31T23:59:59Z", 100000);
    assert_int_equal(story_trace(&s, 1)->eligible_minor, 19000);
    s.event.purchase.currency = LOY_STR("KZT");
    story_spend(&s, "2026-11-01T00:00:00Z", 100000);
    assert_int_equal(story_trace(&s, 1)->eligible_minor, 20000);
    s.event.purchase.currency = LOY_STR("USD");
    story_line(&s, "goods", 100);
    assert_int_equal(story_try(&s, sunday), LOY_ERR_UNKNOWN_CURRENCY);
}

static void a_formula_gives_points_and_says_why_it_cannot(void **state)
{
    (void)state;
    struct loy_reward formula = {.kind = LOY_REWARD_FORMULA};
    formula.amount = story_cel(&s, "purchase.total / 10000 * 3 - 5", "int");
    story_rule(&s, (struct loy_rule){.number = 1, .reward = formula});
    formula.amount = story_cel(&s, "10000000 / (purchase.total - 100000)", "int");
    story_rule(&s, (struct loy_rule){.number = 2, .reward = formula});
    story_spend(&s, sunday, 100000);
    assert_int_equal(story_granted(&s, 1), 25);
    assert_string_equal(story_reason(&s, 2), "condition_error");
    assert_non_null(memmem(story_trace(&s, 2)->detail.at, story_trace(&s, 2)->detail.len, "division by zero", 16));
    story_spend(&s, sunday, 10000);
    assert_string_equal(story_reason(&s, 1), "below_one_step");
}

static void an_activity_earns_without_a_purchase(void **state)
{
    (void)state;
    static const struct loy_str names[] = {{"app_install", 11}};
    story_rule(&s, (struct loy_rule){
                       .number = 1, .trigger = LOY_EVENT_ACTIVITY, .activities = {names, 1}, .reward = once(200)});
    story_do(&s, sunday, "check_in");
    assert_string_equal(story_reason(&s, 1), "not concerned");
    story_do(&s, sunday, "app_install");
    assert_int_equal(story_available(&s, POINTS), 200);
    story_spend(&s, sunday, 100000);
    assert_string_equal(story_reason(&s, 1), "not concerned");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nine_hundred_ninety_nine_ninety_nine_gives_90_and_99),
        TEST(one_event_fills_several_wallets),
        TEST(lines_are_taken_and_left_out),
        TEST(the_basis_is_before_or_after_discount_and_tax),
        TEST(what_was_paid_with_points_does_not_earn),
        TEST(a_minimum_names_what_is_missing),
        TEST(remainders_are_carried_to_the_next_purchase),
        TEST(a_carried_remainder_that_waits_is_not_lost),
        TEST(level_and_segment_multiply_base_points_and_not_bonuses),
        TEST(foreign_money_goes_by_the_rate_of_its_day),
        TEST(a_formula_gives_points_and_says_why_it_cannot),
        TEST(an_activity_earns_without_a_purchase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
