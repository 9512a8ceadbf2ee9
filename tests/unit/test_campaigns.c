/* Campaigns, FEATURES 5, 22 to 25: when they count, whom they know, how often, how much, and which of several. */
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

static struct loy_reward times(int64_t milli)
{
    return (struct loy_reward){.kind = LOY_REWARD_MULTIPLY, .points = milli};
}

static bool says(int32_t rule, const char *text)
{
    const struct loy_rule_trace *trace = story_trace(&s, rule);
    bool found = trace && memmem(trace->detail.at, trace->detail.len, text, strlen(text));
    if (!found) {
        print_message("rule %d says: %.*s\n", rule, LOY_STR_ARG(trace ? trace->detail : LOY_STR("nothing")));
    }
    return found;
}

/* --- when -------------------------------------------------------------------------------------------------------- */

static void coffee_counts_double_at_weekends_until_sunday_midnight_in_moscow(void **state)
{
    (void)state;
    static const struct loy_str coffee[] = {{"coffee", 6}};
    enum { WEEKEND = 1 << 5 | 1 << 6 };
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)});
    story_rule(&s, (struct loy_rule){.number = 2,
                                     .is_campaign = true,
                                     .lines.categories = {coffee, 1},
                                     .weekdays = WEEKEND,
                                     .reward = times(2000)});
    static const struct {
        const char *at;
        int64_t bonus;
    } visits[] = {
        {"2026-10-30T20:59:59Z", 0},  /* Friday 23:59:59 in Moscow */
        {"2026-10-30T21:00:00Z", 20}, /* Saturday */
        {"2026-11-01T20:59:59Z", 20}, /* Sunday 23:59:59 */
        {"2026-11-01T21:00:00Z", 0},  /* Monday */
    };
    for (size_t i = 0; i < 4; i++) {
        story_line(&s, "coffee", 20000);
        story_line(&s, "bread", 30000);
        story_buy(&s, visits[i].at);
        assert_int_equal(story_granted(&s, 1), 50);
        assert_int_equal(story_granted(&s, 2), visits[i].bonus);
        assert_string_equal(story_reason(&s, 2), visits[i].bonus ? "" : "other_weekday");
    }
    assert_int_equal(story_available(&s, POINTS), 4 * 50 + 2 * 20);
}

static void happy_hours_and_a_period_end_when_they_say(void **state)
{
    (void)state;
    static const struct loy_minutes night[] = {{0, 6 * 60, true}, {22 * 60, 24 * 60, false}};
    struct loy_rule rule = {.number = 1, .minutes = night, .minute_count = 2, .reward = once(5), .is_campaign = true};
    rule.from_us = INT64_C(1793491200) * LOY_US_PER_SECOND; /* 2026-11-01T00:00:00Z: 03:00 in Moscow */
    rule.until_us = rule.from_us + LOY_US_PER_DAY;
    story_rule(&s, rule);
    story_spend(&s, "2026-10-31T23:59:59.999999Z", 100);
    assert_string_equal(story_reason(&s, 1), "not concerned");
    story_spend(&s, "2026-11-01T02:59:59Z", 100);
    assert_int_equal(story_granted(&s, 1), 5);
    story_spend(&s, "2026-11-01T03:00:00Z", 100);
    assert_string_equal(story_reason(&s, 1), "other_hour");
    story_spend(&s, "2026-11-01T19:00:00Z", 100);
    assert_int_equal(story_granted(&s, 1), 5);
    story_spend(&s, "2026-11-02T00:00:00Z", 100);
    assert_string_equal(story_reason(&s, 1), "not concerned");
}

static void a_way_of_paying_can_be_asked_for(void **state)
{
    (void)state;
    static const struct loy_str cards[] = {{"our_card", 8}};
    story_rule(&s, (struct loy_rule){.number = 1, .tenders = {cards, 1}, .reward = once(5)});
    story_spend(&s, sunday, 100);
    assert_string_equal(story_reason(&s, 1), "other_tender");
    s.tenders[0] = (struct loy_tender){.kind = LOY_STR("our_card"), .amount_minor = 100};
    s.event.purchase.tender_count = 1;
    story_spend(&s, sunday, 100);
    assert_int_equal(story_granted(&s, 1), 5);
}

/* --- whom -------------------------------------------------------------------------------------------------------- */

/* A member with an average purchase of 1,000.00 earns the bonus at 1,500.00, one with 2,000.00 at 2,500.00. */
static void average_purchase_and(int64_t average, int64_t too_little, int64_t enough)
{
    static const uint16_t days[] = {90};
    story_facts(&s, days, 1);
    const struct loy_cel_program *when = story_cel(
        &s,
        "member.last_90_days.purchases >= 3 && purchase.total >= member.last_90_days.average_purchase + money('500')",
        "bool");
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)});
    story_rule(&s, (struct loy_rule){.number = 2, .is_campaign = true, .when = when, .reward = times(2000)});
    story_spend(&s, "2026-10-01T09:00:00Z", average - 20000);
    story_spend(&s, "2026-10-02T09:00:00Z", average);
    story_spend(&s, "2026-10-03T09:00:00Z", average + 20000);
    struct loy_account before = s.account;
    story_spend(&s, sunday, too_little);
    assert_string_equal(story_reason(&s, 2), "condition");
    assert_true(says(2, ": 0.01 short"));
    s.account = before;
    story_spend(&s, sunday, enough);
    assert_int_equal(story_granted(&s, 2), enough / 10000 * 10);
}

static void an_average_of_1000_needs_1500(void **state)
{
    (void)state;
    average_purchase_and(100000, 149999, 150000);
}

static void an_average_of_2000_needs_2500(void **state)
{
    (void)state;
    average_purchase_and(200000, 249999, 250000);
}

static void a_fact_that_is_not_known_is_named(void **state)
{
    (void)state;
    const struct loy_cel_program *silent = story_cel(&s, "member.days_since_purchase >= 120", "bool");
    const struct loy_cel_program *city = story_cel(&s, "store.city == 'Kazan'", "bool");
    story_rule(&s, (struct loy_rule){.number = 1, .when = silent, .reward = once(3000)});
    story_rule(&s, (struct loy_rule){.number = 2, .when = city, .reward = once(1)});
    story_spend(&s, "2026-07-04T09:00:00Z", 100);
    assert_string_equal(story_reason(&s, 1), "unknown_fact");
    assert_true(says(1, "member.days_since_purchase"));
    assert_string_equal(story_reason(&s, 2), "unknown_fact");
    assert_true(says(2, "store.city"));
    s.event.store_city = LOY_STR("Kazan");
    story_spend(&s, sunday, 100); /* exactly 120 × 24 h later */
    assert_int_equal(story_granted(&s, 1), 3000);
    assert_int_equal(story_granted(&s, 2), 1);
    story_spend(&s, sunday, 100);
    assert_string_equal(story_reason(&s, 1), "condition");
    assert_true(says(1, "member.days_since_purchase was 0, needed 120"));
}

static void months_of_silence_are_calendar_months(void **state)
{
    (void)state;
    const struct loy_cel_program *silent = story_cel(&s, "member.months_since_purchase >= 4", "bool");
    story_rule(&s, (struct loy_rule){.number = 1, .when = silent, .reward = once(1)});
    story_spend(&s, "2026-10-31T09:00:00Z", 100);
    struct loy_account before = s.account;
    story_spend(&s, "2027-02-28T08:59:59Z", 100); /* the 31st becomes the 28th */
    assert_int_equal(story_granted(&s, 1), 0);
    s.account = before;
    story_spend(&s, "2027-02-28T09:00:00Z", 100);
    assert_int_equal(story_granted(&s, 1), 1);
}

static void a_window_of_days_forgets_what_is_older(void **state)
{
    (void)state;
    static const uint16_t days[] = {7, 30};
    story_facts(&s, days, 2);
    const struct loy_cel_program *often =
        story_cel(&s, "member.last_7_days.purchases == 2 && member.last_30_days.spend == money('6')", "bool");
    story_rule(&s, (struct loy_rule){.number = 1, .when = often, .reward = once(1)});
    story_spend(&s, "2026-10-02T20:59:59Z", 100); /* 2 October in Moscow: out of 30 days on 1 November */
    story_spend(&s, "2026-10-02T21:00:00Z", 100); /* 3 October: in */
    story_spend(&s, "2026-10-25T09:00:00Z", 200); /* out of 7 days */
    story_spend(&s, "2026-10-31T09:00:00Z", 200);
    story_spend(&s, "2026-10-28T09:00:00Z", 100); /* came late, counts on its day */
    story_spend(&s, sunday, 100);
    assert_int_equal(story_granted(&s, 1), 1);
    assert_int_equal(s.account.purchases, 6);
    assert_int_equal(s.account.day_count, 5);
}

static void a_campaign_can_be_for_a_segment(void **state)
{
    (void)state;
    s.segments[0] = (struct loy_segment){LOY_STR("rich"), story_cel(&s, "member.balance.points >= 100", "bool"), 0};
    s.segments[1] = (struct loy_segment){LOY_STR("new"), story_cel(&s, "member.purchases == 0", "bool"), 0};
    s.programme.segment_count = 2;
    const struct loy_cel_program *both = story_cel(&s, "'rich' in member.segments", "bool");
    story_rule(&s, (struct loy_rule){.number = 1, .audience = 2, .reward = once(100)});
    story_rule(&s, (struct loy_rule){.number = 2, .audience = 1, .reward = once(1)});
    story_rule(&s, (struct loy_rule){.number = 3, .when = both, .reward = once(1)});
    story_spend(&s, sunday, 100);
    assert_int_equal(story_granted(&s, 1), 100);
    assert_string_equal(story_reason(&s, 2), "not_in_segment"); /* the hundred points came with this event */
    assert_true(says(2, "rich: member.balance.points was 0, needed 100: 100 short"));
    assert_true(says(1, "new: member.purchases was 0, as needed: 0"));
    assert_string_equal(story_reason(&s, 3), "condition");
    story_spend(&s, sunday, 100);
    assert_string_equal(story_reason(&s, 1), "not_in_segment");
    assert_int_equal(story_granted(&s, 2), 1);
    assert_int_equal(story_granted(&s, 3), 1);
}

/* What made a rule fire stands in the trace as what kept it from firing does; a segment's reason once an event. */
static void what_a_condition_saw_is_kept_when_it_was_true(void **state)
{
    (void)state;
    static const struct loy_cap cap = {LOY_WINDOW_ORDER, 3, false};
    s.segments[0] = (struct loy_segment){LOY_STR("rich"), story_cel(&s, "member.balance.points >= 100", "bool"), 0};
    s.programme.segment_count = 1;
    story_rule(&s, (struct loy_rule){.number = 1,
                                     .when = story_cel(&s, "purchase.total >= money('15')", "bool"),
                                     .caps = &cap,
                                     .cap_count = 1,
                                     .reward = once(10)});
    story_rule(&s, (struct loy_rule){.number = 2, .audience = 1, .reward = once(1)});
    story_rule(&s, (struct loy_rule){.number = 3, .audience = 1, .reward = once(1)});
    story_spend(&s, sunday, 1600);
    assert_true(says(1, "purchase.total was 16.00, at least 15.00"));
    assert_true(says(2, "rich: member.balance.points was 0"));
    assert_true(loy_str_equal(story_trace(&s, 3)->detail, LOY_STR("rich")));
}

static void conditions_see_lines_attributes_and_the_clock(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "purchase.lines.exists(l, l.category == 'coffee' && l.amount > money('1.50'))",
        "event.attributes['basket'] == 'big' && event.channel == 'app'",
        "event.weekday == 7 && event.hour == 12 && event.month == 11 && event.day == 1",
        "event.at == timestamp('2026-11-01T09:00:00Z') && event.kind == 'purchase'",
        "has(store.id)",
        "has(member.level) || feedback.score > 3",
    };
    static const struct loy_attribute basket = {{"basket", 6}, {"big", 3}};
    for (int i = 0; i < 6; i++) {
        const struct loy_cel_program *when = story_cel(&s, texts[i], "bool");
        story_rule(&s, (struct loy_rule){.number = i + 1, .when = when, .reward = once(1)});
    }
    s.event.attributes = &basket;
    s.event.attribute_count = 1;
    s.event.channel = LOY_STR("app");
    story_line(&s, "coffee", 151);
    story_buy(&s, sunday);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(story_granted(&s, i + 1), 1);
    }
    assert_string_equal(story_reason(&s, 5), "condition");
    assert_string_equal(story_reason(&s, 6), "unknown_fact");
}

/* --- how often, how much ----------------------------------------------------------------------------------------- */

static void a_limit_counts_times_in_its_window(void **state)
{
    (void)state;
    static const struct loy_limit daily[] = {{LOY_WINDOW_DAY, 1}, {LOY_WINDOW_LIFETIME, 3}};
    story_rule(&s, (struct loy_rule){.number = 1, .limits = daily, .limit_count = 2, .reward = once(10)});
    story_spend(&s, "2026-11-01T20:00:00Z", 100);
    assert_int_equal(story_granted(&s, 1), 10);
    story_spend(&s, "2026-11-01T20:59:59Z", 100);
    assert_string_equal(story_reason(&s, 1), "limit");
    assert_int_equal(story_trace(&s, 1)->wanted, 10);
    story_spend(&s, "2026-11-01T21:00:00Z", 100); /* midnight in Moscow */
    assert_int_equal(story_granted(&s, 1), 10);
    story_spend(&s, "2026-11-03T09:00:00Z", 100);
    assert_int_equal(story_granted(&s, 1), 10);
    story_spend(&s, "2027-11-03T09:00:00Z", 100);
    assert_string_equal(story_reason(&s, 1), "limit");
    assert_int_equal(s.account.counter_count, 1); /* of all days only today's is kept */
}

static void a_late_event_does_not_slip_under_a_daily_limit(void **state)
{
    (void)state;
    static const struct loy_limit daily[] = {{LOY_WINDOW_DAY, 1}};
    story_rule(&s, (struct loy_rule){.number = 1, .limits = daily, .limit_count = 1, .reward = once(10)});
    story_spend(&s, "2026-11-02T09:00:00Z", 100);
    story_spend(&s, "2026-11-01T09:00:00Z", 100); /* arrives after the other: the member's clock does not go back */
    assert_string_equal(story_reason(&s, 1), "limit");
    story_spend(&s, "2026-11-02T10:00:00Z", 100);
    assert_string_equal(story_reason(&s, 1), "limit");
}

/* In Moscow until a revision says Vladivostok, seven hours on, or the other way round: a day of the member has one
 * limit whatever it is called. */
static void a_limit_a_day_holds_where_the_time_zone_changes(void **state)
{
    static const struct loy_zone_transition seven_hours_on[] = {{INT64_MIN, 10 * 3600}};
    static const struct loy_zone vladivostok = {seven_hours_on, 1};
    static const struct loy_limit daily[] = {{LOY_WINDOW_DAY, 1}};
    (void)state;
    const struct loy_zone *moscow = s.programme.zone;
    story_rule(&s, (struct loy_rule){.number = 1, .limits = daily, .limit_count = 1, .reward = once(10)});
    story_spend(&s, "2026-11-02T15:00:00Z", 10000); /* the 2nd in Moscow, the 3rd in Vladivostok */
    assert_int_equal(story_granted(&s, 1), 10);
    s.programme.zone = &vladivostok;
    story_spend(&s, "2026-11-02T16:00:00Z", 10000);
    assert_string_equal(story_reason(&s, 1), "limit"); /* one purchase on the 3rd has been granted already */
    story_spend(&s, "2026-11-03T13:59:59Z", 10000);
    assert_string_equal(story_reason(&s, 1), "limit");
    story_spend(&s, "2026-11-03T14:00:00Z", 10000); /* the 4th begins */
    assert_int_equal(story_granted(&s, 1), 10);
    s.programme.zone = moscow;
    story_spend(&s, "2026-11-03T15:00:00Z", 10000); /* the 3rd again */
    assert_string_equal(story_reason(&s, 1), "limit");
    story_spend(&s, "2026-11-03T20:59:59Z", 10000);
    assert_string_equal(story_reason(&s, 1), "limit");
    story_spend(&s, "2026-11-03T21:00:00Z", 10000); /* the 4th begins here too */
    assert_int_equal(story_granted(&s, 1), 10);
}

static void a_cap_grants_what_is_left_or_nothing(void **state)
{
    (void)state;
    static const struct loy_cap partial[] = {{LOY_WINDOW_WEEK, 100, false}};
    static const struct loy_cap full[] = {{LOY_WINDOW_WEEK, 100, true}};
    story_rule(&s, (struct loy_rule){.number = 1, .caps = partial, .cap_count = 1, .reward = per_100(10)});
    story_rule(&s, (struct loy_rule){.number = 2, .caps = full, .cap_count = 1, .reward = per_100(10)});
    story_spend(&s, "2026-10-27T09:00:00Z", 60000);
    story_spend(&s, "2026-10-28T09:00:00Z", 60000);
    assert_int_equal(story_granted(&s, 1), 40);
    assert_int_equal(story_trace(&s, 1)->wanted, 60);
    assert_int_equal(story_trace(&s, 1)->left, 40);
    assert_string_equal(story_reason(&s, 1), "cap");
    assert_int_equal(story_granted(&s, 2), 0);
    assert_string_equal(story_reason(&s, 2), "cap");
    story_spend(&s, "2026-11-01T20:59:59Z", 40000); /* Sunday */
    assert_int_equal(story_granted(&s, 1), 0);
    assert_int_equal(story_granted(&s, 2), 40);
    story_spend(&s, "2026-11-01T21:00:00Z", 60000); /* Monday */
    assert_int_equal(story_granted(&s, 1), 60);
    assert_int_equal(story_granted(&s, 2), 60);
}

static void a_wallets_cap_is_used_by_base_points_first(void **state)
{
    (void)state;
    static const struct loy_cap caps[] = {{LOY_WINDOW_DAY, 100, false}, {LOY_WINDOW_ORDER, 80, false}};
    s.wallets[POINTS].caps = caps;
    s.wallets[POINTS].cap_count = 2;
    struct loy_rule rules[] = {
        {.number = 3, .id = LOY_STR("b"), .is_campaign = true, .priority = 1, .reward = once(50)},
        {.number = 4, .id = LOY_STR("a"), .is_campaign = true, .priority = 1, .reward = once(50)},
        {.number = 5, .id = LOY_STR("c"), .is_campaign = true, .reward = once(5)},
        {.number = 2, .reward = times(1500)},
        {.number = 1, .reward = per_100(10)},
    };
    loy_rules_sort(rules, 5);
    for (int i = 0; i < 5; i++) {
        story_rule(&s, rules[i]);
    }
    story_spend(&s, sunday, 40000);
    assert_int_equal(story_granted(&s, 1), 40);
    assert_int_equal(story_granted(&s, 2), 20);
    assert_int_equal(story_granted(&s, 5), 5);
    assert_int_equal(story_granted(&s, 4), 15); /* 80 an order, by id */
    assert_int_equal(story_granted(&s, 3), 0);
    assert_string_equal(story_reason(&s, 3), "wallet_cap");
    story_spend(&s, sunday, 40000);
    assert_int_equal(story_granted(&s, 1), 20); /* 100 a day */
    assert_int_equal(story_available(&s, POINTS), 100);
}

static void a_cap_on_the_balance_fills_it_up_to_the_brim(void **state)
{
    (void)state;
    static const struct loy_cap brim[] = {{LOY_WINDOW_BALANCE, 150, false}};
    s.wallets[POINTS].caps = brim;
    s.wallets[POINTS].cap_count = 1;
    s.wallets[POINTS].pending.us = 14 * LOY_US_PER_DAY;
    story_rule(&s, (struct loy_rule){.number = 1, .reward = once(100)});
    story_spend(&s, sunday, 100);
    story_spend(&s, sunday, 100);
    assert_int_equal(story_granted(&s, 1), 50);
    story_spend(&s, sunday, 100);
    assert_int_equal(story_granted(&s, 1), 0);
    assert_int_equal(s.account.balances[POINTS].pending, 150);
}

static void a_cooldown_waits(void **state)
{
    (void)state;
    story_rule(&s, (struct loy_rule){.number = 1, .cooldown.us = 3600 * LOY_US_PER_SECOND, .reward = once(10)});
    story_spend(&s, "2026-11-01T09:00:00Z", 100);
    story_spend(&s, "2026-11-01T09:59:59Z", 100);
    assert_string_equal(story_reason(&s, 1), "cooldown");
    assert_int_equal(story_trace(&s, 1)->left, LOY_US_PER_SECOND);
    story_spend(&s, "2026-11-01T10:00:00Z", 100);
    assert_int_equal(story_granted(&s, 1), 10);
}

/* --- which of several -------------------------------------------------------------------------------------------- */

static void the_best_of_a_group_is_granted(void **state)
{
    (void)state;
    static const struct loy_stack_group basket = {{"basket", 6}, LOY_PICK_BEST};
    static const struct loy_cap tight[] = {{LOY_WINDOW_LIFETIME, 70, false}};
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)});
    story_rule(&s, (struct loy_rule){.number = 2, .is_campaign = true, .group = &basket, .reward = once(60)});
    story_rule(
        &s,
        (struct loy_rule){
            .number = 3, .is_campaign = true, .group = &basket, .caps = tight, .cap_count = 1, .reward = times(2000)});
    story_rule(&s, (struct loy_rule){.number = 4, .is_campaign = true, .reward = once(1)});
    story_spend(&s, sunday, 50000); /* twice the base: 50 */
    assert_int_equal(story_granted(&s, 2), 60);
    assert_string_equal(story_reason(&s, 3), "stack");
    assert_int_equal(story_trace(&s, 3)->wanted, 50);
    assert_int_equal(story_granted(&s, 4), 1);
    story_spend(&s, sunday, 80000); /* 80, of which 70 fit */
    assert_string_equal(story_reason(&s, 2), "stack");
    assert_int_equal(story_granted(&s, 3), 70);
    story_spend(&s, sunday, 80000); /* nothing fits any more: the other is better */
    assert_int_equal(story_granted(&s, 2), 60);
    assert_int_equal(story_granted(&s, 3), 0);
}

static void a_group_can_be_taken_by_the_first_that_fires(void **state)
{
    (void)state;
    static const struct loy_stack_group one = {{"one", 3}, LOY_PICK_EXCLUSIVE};
    story_rule(&s, (struct loy_rule){
                       .number = 1, .is_campaign = true, .group = &one, .minimum_minor = 10000, .reward = once(1)});
    story_rule(&s, (struct loy_rule){.number = 2, .is_campaign = true, .group = &one, .reward = once(9)});
    story_spend(&s, sunday, 10000);
    assert_int_equal(story_granted(&s, 1), 1);
    assert_string_equal(story_reason(&s, 2), "stack");
    story_spend(&s, sunday, 9999);
    assert_string_equal(story_reason(&s, 1), "below_minimum");
    assert_int_equal(story_granted(&s, 2), 9);
}

static void an_exclusive_campaign_stands_alone(void **state)
{
    (void)state;
    story_rule(&s, (struct loy_rule){.number = 1, .reward = per_100(10)});
    story_rule(&s,
               (struct loy_rule){
                   .number = 2, .is_campaign = true, .exclusive = true, .minimum_minor = 20000, .reward = once(50)});
    story_rule(&s, (struct loy_rule){.number = 3, .is_campaign = true, .reward = once(5)});
    story_rule(&s, (struct loy_rule){.number = 4, .is_campaign = true, .exclusive = true, .reward = once(7)});
    story_spend(&s, sunday, 20000);
    assert_int_equal(story_granted(&s, 1), 20);
    assert_int_equal(story_granted(&s, 2), 50);
    assert_string_equal(story_reason(&s, 3), "exclusive");
    assert_string_equal(story_reason(&s, 4), "exclusive");
    story_spend(&s, sunday, 10000);
    assert_int_equal(story_granted(&s, 3), 5);
    assert_string_equal(story_reason(&s, 4), "exclusive");
}

static void a_budgets_last_points_are_given_or_refused(void **state)
{
    (void)state;
    static const struct loy_budget partly = {1, {"partly", 6}, 100, false};
    static const struct loy_budget whole = {2, {"whole", 5}, 100, true};
    s.views[0] = (struct loy_budget_view){1, 0};
    s.views[1] = (struct loy_budget_view){2, 0};
    s.budgets.count = 2;
    story_rule(&s, (struct loy_rule){.number = 1, .budget = &partly, .reward = once(60)});
    story_rule(&s, (struct loy_rule){.number = 2, .budget = &whole, .reward = once(60)});
    story_rule(&s, (struct loy_rule){.number = 3, .budget = &whole, .reward = once(30)});
    story_spend(&s, sunday, 100);
    assert_int_equal(s.effects.charge_count, 2);
    assert_int_equal(s.effects.charges[0].counter, 1);
    assert_int_equal(s.effects.charges[0].points, 60);
    assert_int_equal(s.effects.charges[1].points, 90); /* both rules' */
    assert_int_equal(s.effects.charges[0].at_most, 40);
    assert_int_equal(s.effects.charges[1].at_most, 10);
    assert_false(s.effects.charges[0].is_short || s.effects.charges[1].is_short);
    story_spend(&s, sunday, 100);
    assert_int_equal(story_granted(&s, 1), 40);
    assert_string_equal(story_reason(&s, 1), "budget");
    assert_int_equal(story_granted(&s, 2), 0);
    assert_string_equal(story_reason(&s, 2), "budget");
    assert_int_equal(story_trace(&s, 2)->left, 10);
    assert_int_equal(s.views[0].used, 100);
    assert_int_equal(s.views[1].used, 90);
    assert_int_equal(s.effects.charges[0].at_most, 60); /* cut to what was left: for this very use only */
    assert_true(s.effects.charges[0].is_short && s.effects.charges[1].is_short);
    story_spend(&s, sunday, 100);
    assert_int_equal(s.effects.charge_count, 2);
    for (int i = 0; i < 2; i++) { /* both were looked at and gave nothing, and cannot give more later */
        assert_int_equal(s.effects.charges[i].points, 0);
        assert_int_equal(s.effects.charges[i].at_most, INT64_MAX);
        assert_true(s.effects.charges[i].is_short);
    }
    s.budgets.count = 1;
    story_line(&s, "goods", 100);
    assert_int_equal(story_try(&s, sunday), LOY_ERR_NOT_FOUND);
}

/* --- the state --------------------------------------------------------------------------------------------------- */

static void what_a_member_remembers_survives_its_bytes(void **state)
{
    (void)state;
    static const uint16_t days[] = {30};
    static const struct loy_limit monthly[] = {{LOY_WINDOW_MONTH, 5}};
    story_facts(&s, days, 1);
    (void)story_cel(&s, "member.last_30_days.purchases > 1", "bool");
    story_rule(
        &s,
        (struct loy_rule){.number = 300, .limits = monthly, .limit_count = 1, .cooldown.us = 1, .reward = per_100(10)})
        ->reward.carry = true;
    for (int i = 0; i < 4; i++) {
        char at[] = "2026-11-01T09:00:00Z";
        at[9] = (char)('1' + 2 * i);
        story_spend(&s, at, 12345);
    }
    struct loy_str bytes, again;
    assert_int_equal(loy_account_encode(&s.account, &s.arena, &bytes), LOY_OK);
    assert_int_equal(bytes.at[0], 2);
    assert_true(bytes.len < 512);
    struct loy_account back;
    loy_account_init(&back, s.account.member_id, 3);
    assert_int_equal(loy_account_decode(bytes, &s.arena, &back, &s.error), LOY_OK);
    assert_int_equal(back.purchases, 4);
    assert_int_equal(back.day_count, 4);
    assert_int_equal(back.counter_count, 3);
    assert_int_equal(loy_account_encode(&back, &s.arena, &again), LOY_OK);
    assert_true(loy_str_equal(bytes, again));
    for (size_t cut = 0; cut < bytes.len; cut++) {
        struct loy_account damaged = {0};
        struct loy_str part = {bytes.at, cut};
        assert_int_not_equal(loy_account_decode(part, &s.arena, &damaged, NULL), LOY_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(coffee_counts_double_at_weekends_until_sunday_midnight_in_moscow),
        TEST(happy_hours_and_a_period_end_when_they_say),
        TEST(a_way_of_paying_can_be_asked_for),
        TEST(an_average_of_1000_needs_1500),
        TEST(an_average_of_2000_needs_2500),
        TEST(a_fact_that_is_not_known_is_named),
        TEST(months_of_silence_are_calendar_months),
        TEST(a_window_of_days_forgets_what_is_older),
        TEST(a_campaign_can_be_for_a_segment),
        TEST(what_a_condition_saw_is_kept_when_it_was_true),
        TEST(conditions_see_lines_attributes_and_the_clock),
        TEST(a_limit_counts_times_in_its_window),
        TEST(a_limit_a_day_holds_where_the_time_zone_changes),
        TEST(a_late_event_does_not_slip_under_a_daily_limit),
        TEST(a_cap_grants_what_is_left_or_nothing),
        TEST(a_wallets_cap_is_used_by_base_points_first),
        TEST(a_cap_on_the_balance_fills_it_up_to_the_brim),
        TEST(a_cooldown_waits),
        TEST(the_best_of_a_group_is_granted),
        TEST(a_group_can_be_taken_by_the_first_that_fires),
        TEST(an_exclusive_campaign_stands_alone),
        TEST(a_budgets_last_points_are_given_or_refused),
        TEST(what_a_member_remembers_survives_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
