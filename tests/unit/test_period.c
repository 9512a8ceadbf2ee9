/* Months, ends of months and dates of the year, in the programme's zone. */
#include "support/cmocka_all.h"
#include "support/story.h"

#include "engine/period.h"

static struct story s; /* in Moscow's time, three hours ahead of UTC */

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

static int64_t moment(const char *text)
{
    int64_t us = 0;
    assert_true(loy_moment_parse(text, strlen(text), &us));
    return us;
}

static void assert_moment(int64_t us, const char *expected)
{
    char text[LOY_MOMENT_TEXT_MAX];
    assert_true(us != LOY_NEVER);
    (void)loy_moment_format(us, text);
    assert_string_equal(text, expected);
}

static void what_waits_in_months_waits_until_the_date_and_what_lasts_lasts_through_it(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        int32_t months;
        const char *wait, *last;
    } cases[] = {
        {"2026-01-15T12:00:00Z", 1, "2026-02-14T21:00:00Z", "2026-02-15T21:00:00Z"},
        {"2026-01-31T12:00:00Z", 1, "2026-02-27T21:00:00Z", "2026-02-28T21:00:00Z"},
        {"2024-02-29T12:00:00Z", 12, "2025-02-27T21:00:00Z", "2025-02-28T21:00:00Z"},
        {"2024-02-29T12:00:00Z", 48, "2028-02-28T21:00:00Z", "2028-02-29T21:00:00Z"},
        {"2026-10-31T21:00:00Z", 1, "2026-11-30T21:00:00Z", "2026-12-01T21:00:00Z"}, /* 1 November in Moscow */
        {"2026-10-31T20:59:59Z", 1, "2026-11-29T21:00:00Z", "2026-11-30T21:00:00Z"}, /* 31 October: the 30th */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct loy_period months = {0, cases[i].months};
        assert_moment(loy_period_wait(s.programme.zone, moment(cases[i].from), months), cases[i].wait);
        assert_moment(loy_period_last(s.programme.zone, moment(cases[i].from), months), cases[i].last);
    }
    const struct loy_period day = {LOY_US_PER_DAY, 0};
    assert_moment(loy_period_wait(s.programme.zone, moment("2026-01-15T12:00:00Z"), day), "2026-01-16T12:00:00Z");
    assert_moment(loy_period_last(s.programme.zone, moment("2026-01-15T12:00:00Z"), day), "2026-01-16T12:00:00Z");
}

static void points_expire_at_ends_of_months_and_at_dates(void **state)
{
    (void)state;
    static const struct loy_month_day year_end[] = {{12, 31}}, twice[] = {{6, 30}, {2, 29}};
    static const struct {
        const char *earned;
        struct loy_expiry expiry;
        const char *expires;
    } cases[] = {
        {"2026-11-15T12:00:00Z", {.after = {0, 12}}, "2027-11-15T21:00:00Z"},
        {"2026-11-15T12:00:00Z", {.after = {0, 12}, .end_of = LOY_END_OF_MONTH}, "2027-11-30T21:00:00Z"},
        {"2026-11-15T12:00:00Z", {.after = {0, 12}, .end_of = LOY_END_OF_QUARTER}, "2027-12-31T21:00:00Z"},
        {"2026-02-15T12:00:00Z", {.after = {0, 12}, .end_of = LOY_END_OF_QUARTER}, "2027-03-31T21:00:00Z"},
        {"2026-02-15T12:00:00Z", {.after = {0, 12}, .end_of = LOY_END_OF_YEAR}, "2027-12-31T21:00:00Z"},
        {"2026-12-31T22:00:00Z", {.end_of = LOY_END_OF_YEAR}, "2027-12-31T21:00:00Z"}, /* 2027 in Moscow */
        {"2026-12-31T12:00:00Z", {.after = {LOY_US_PER_DAY, 0}, .end_of = LOY_END_OF_MONTH}, "2027-01-31T21:00:00Z"},
        {"2026-12-31T12:00:00Z", {.dates = year_end, .date_count = 1}, "2026-12-31T21:00:00Z"},
        {"2026-12-31T22:00:00Z", {.dates = year_end, .date_count = 1}, "2027-12-31T21:00:00Z"},
        {"2026-03-01T12:00:00Z", {.after = {0, 12}, .dates = year_end, .date_count = 1}, "2027-12-31T21:00:00Z"},
        {"2026-03-01T12:00:00Z", {.dates = twice, .date_count = 2}, "2026-06-30T21:00:00Z"},
        {"2026-07-01T12:00:00Z", {.dates = twice, .date_count = 2}, "2027-02-28T21:00:00Z"},
        {"2027-07-01T12:00:00Z", {.dates = twice, .date_count = 2}, "2028-02-29T21:00:00Z"},
        {"2026-11-15T12:00:00Z", {.after = {90 * LOY_US_PER_DAY, 0}}, "2027-02-13T12:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_moment(loy_period_expiry(s.programme.zone, moment(cases[i].earned), &cases[i].expiry), cases[i].expires);
    }
    const struct loy_expiry none = {0};
    assert_true(loy_period_expiry(s.programme.zone, moment("2026-11-15T12:00:00Z"), &none) == LOY_NEVER);
}

static void a_point_goes_with_the_end_of_its_month_however_late_anything_runs(void **state)
{
    (void)state;
    s.wallets[POINTS].expiry = (struct loy_expiry){.after = {0, 12}, .end_of = LOY_END_OF_MONTH};
    s.wallets[POINTS].pending = (struct loy_period){0, 1};
    story_rule(&s,
               (struct loy_rule){.number = 1, .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 5}});
    story_spend(&s, "2026-11-15T12:00:00Z", 100);
    assert_int_equal(s.account.balances[POINTS].pending, 5);
    story_do(&s, "2026-12-14T20:59:59Z", "look");
    assert_int_equal(story_available(&s, POINTS), 0);
    story_do(&s, "2026-12-14T21:00:00Z", "look");
    assert_int_equal(story_available(&s, POINTS), 5);
    story_do(&s, "2027-11-30T20:59:59Z", "look");
    assert_int_equal(story_available(&s, POINTS), 5);
    story_do(&s, "2027-11-30T21:00:00Z", "look");
    assert_int_equal(story_available(&s, POINTS), 0);
}

/* A rule's own times stand instead of the wallet's, zero included. */
static void a_rules_points_have_times_of_their_own(void **state)
{
    (void)state;
    static const struct loy_period at_once = {0};
    static const struct loy_expiry week = {.after = {7 * LOY_US_PER_DAY, 0}};
    s.wallets[POINTS].pending = (struct loy_period){0, 1};
    story_rule(&s,
               (struct loy_rule){.number = 1, .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 5}});
    story_rule(&s, (struct loy_rule){.number = 2,
                                     .pending = &at_once,
                                     .expiry = &week,
                                     .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 3}});
    story_spend(&s, "2026-11-15T12:00:00Z", 100);
    assert_int_equal(s.account.balances[POINTS].pending, 5);
    assert_int_equal(story_available(&s, POINTS), 3);
    story_do(&s, "2026-11-22T12:00:00Z", "look");
    assert_int_equal(story_available(&s, POINTS), 0);
    assert_int_equal(s.account.balances[POINTS].pending, 5);
}

static void a_cooldown_of_a_month_ends_with_the_date(void **state)
{
    (void)state;
    story_rule(&s, (struct loy_rule){.number = 1,
                                     .cooldown = {0, 1},
                                     .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = POINTS, .points = 5}});
    story_spend(&s, "2026-01-31T12:00:00Z", 100);
    assert_int_equal(story_granted(&s, 1), 5);
    story_spend(&s, "2026-02-27T20:59:59Z", 100);
    assert_string_equal(story_reason(&s, 1), "cooldown");
    assert_int_equal(story_trace(&s, 1)->left, LOY_US_PER_SECOND);
    story_spend(&s, "2026-02-27T21:00:00Z", 100);
    assert_int_equal(story_granted(&s, 1), 5);
}

static void an_event_of_the_date_a_month_ago_is_believed(void **state)
{
    (void)state;
    s.programme.late = s.programme.early = (struct loy_period){0, 1};
    assert_true(loy_period_believes(&s.programme, moment("2026-10-15T12:00:00Z"), moment("2026-11-15T20:59:59Z")));
    assert_false(loy_period_believes(&s.programme, moment("2026-10-15T12:00:00Z"), moment("2026-11-15T21:00:00Z")));
    assert_true(loy_period_believes(&s.programme, moment("2026-12-15T20:59:59Z"), moment("2026-11-15T12:00:00Z")));
    assert_false(loy_period_believes(&s.programme, moment("2026-12-15T21:00:00Z"), moment("2026-11-15T12:00:00Z")));
    s.programme.late = s.programme.early = (struct loy_period){LOY_US_PER_SECOND, 0};
    assert_true(loy_period_believes(&s.programme, moment("2026-10-15T12:00:00Z"), moment("2026-10-15T12:00:01Z")));
    assert_false(loy_period_believes(&s.programme, moment("2026-10-15T12:00:00Z"), moment("2026-10-15T12:00:02Z")));
    assert_true(loy_period_believes(&s.programme, moment("2026-10-15T12:00:01Z"), moment("2026-10-15T12:00:00Z")));
    assert_false(loy_period_believes(&s.programme, moment("2026-10-15T12:00:02Z"), moment("2026-10-15T12:00:00Z")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_in_months_waits_until_the_date_and_what_lasts_lasts_through_it),
        TEST(points_expire_at_ends_of_months_and_at_dates),
        TEST(a_point_goes_with_the_end_of_its_month_however_late_anything_runs),
        TEST(a_rules_points_have_times_of_their_own),
        TEST(a_cooldown_of_a_month_ends_with_the_date),
        TEST(an_event_of_the_date_a_month_ago_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
