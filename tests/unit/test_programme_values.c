/* What the texts of a programme mean. */
#include "programme/values.h"

#include "support/cmocka_all.h"

static void test_lengths(void **state)
{
    (void)state;
    struct loy_length length = {0};
    assert_true(loy_value_length(LOY_STR("14 days"), &length));
    assert_int_equal(length.us, 14 * LOY_US_PER_DAY);
    assert_true(loy_value_length(LOY_STR("1 year"), &length));
    assert_int_equal(length.months, 12);
    assert_int_equal(length.us, 0);
    assert_true(loy_value_length(LOY_STR("90 minutes"), &length));
    assert_int_equal(length.us, 5400 * LOY_US_PER_SECOND);
    static const char *const wrong[] = {"",       "14",     "days",     "0 days",      "-1 days",
                                        "14days", "14 dys", "14  days", "200000 days", "2000 months"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(loy_value_length(loy_str(wrong[i]), &length));
    }
}

static void test_percentages_and_rates(void **state)
{
    (void)state;
    int64_t a = 0, b = 0;
    assert_true(loy_value_percent(LOY_STR("12.5%"), &a));
    assert_int_equal(a, 12500);
    assert_false(loy_value_percent(LOY_STR("12.5"), &a));
    assert_false(loy_value_percent(LOY_STR("101%"), &a));
    assert_true(loy_value_rate(LOY_STR("92.50"), &a, &b));
    assert_int_equal(a, 925);
    assert_int_equal(b, 10);
    assert_false(loy_value_rate(LOY_STR("0"), &a, &b));
    assert_false(loy_value_rate(LOY_STR("1.0000000001"), &a, &b));
}

static void test_moments(void **state)
{
    (void)state;
    const struct loy_zone_transition moscow[] = {{INT64_MIN, 10800}};
    const struct loy_zone zone = {moscow, 1};
    int64_t us = 0, expected = 0;
    assert_true(loy_value_moment(LOY_STR("2026-11-01"), &zone, &us));
    assert_true(loy_moment_parse("2026-10-31T21:00:00Z", 20, &expected));
    assert_int_equal(us, expected);
    assert_true(loy_value_moment(LOY_STR("2026-10-31T21:00:00Z"), &zone, &us));
    assert_int_equal(us, expected);
    assert_false(loy_value_moment(LOY_STR("2026-02-30"), &zone, &us));
    assert_false(loy_value_moment(LOY_STR("2026-1-1"), &zone, &us));
    assert_false(loy_value_moment(LOY_STR("01.11.2026"), &zone, &us));
}

static void test_hours(void **state)
{
    (void)state;
    uint16_t from = 0, until = 0;
    assert_true(loy_value_hours(LOY_STR("18:00-24:00"), &from, &until));
    assert_int_equal(from, 1080);
    assert_int_equal(until, 1440);
    assert_true(loy_value_hours(LOY_STR("22:30-02:00"), &from, &until));
    assert_int_equal(until, 120);
    static const char *const wrong[] = {"18:00",       "18:00-18:00", "24:00-01:00",
                                        "18:60-19:00", "18:00-24:01", "8:00-9:000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(loy_value_hours(loy_str(wrong[i]), &from, &until));
    }
}

static void test_ids_truths_and_currencies(void **state)
{
    (void)state;
    bool truth = false;
    assert_true(loy_value_is_id(LOY_STR("own_brand2")));
    assert_false(loy_value_is_id(LOY_STR("2own")));
    assert_false(loy_value_is_id(LOY_STR("Own")));
    assert_false(loy_value_is_id(LOY_STR("")));
    assert_true(loy_value_bool(LOY_STR("true"), &truth) && truth);
    assert_false(loy_value_bool(LOY_STR("yes"), &truth));
    assert_int_equal(loy_currency_digits(LOY_STR("RUB")), 2);
    assert_int_equal(loy_currency_digits(LOY_STR("JPY")), 0);
    assert_int_equal(loy_currency_digits(LOY_STR("KWD")), 3);
    assert_int_equal(loy_currency_digits(LOY_STR("rub")), -1);
    assert_int_equal(loy_currency_digits(LOY_STR("P J")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_percentages_and_rates),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_ids_truths_and_currencies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
