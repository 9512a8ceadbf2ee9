#include "support/check_cel.h"
#include "support/cmocka_all.h"

static void the_deciding_part_and_what_it_lacked_are_told(void **state)
{
    assert_string_equal(cel_fixture_explain(*state, "purchase.channel == 'web' && purchase.total >= 150000"),
                        "purchase.total was 1,480.00, needed 1,500.00: 20.00 short");
    assert_string_equal(cel_fixture_explain(*state, "member.days_since_purchase > 12000 && flag"),
                        "member.days_since_purchase was 30, needed more than 12,000: 11,970 short");
    assert_string_equal(cel_fixture_explain(*state, "member.days_since_purchase <= 20"),
                        "member.days_since_purchase was 30, allowed up to 20: 10 over");
}

static void a_bound_that_is_computed_is_shown_with_its_formula(void **state)
{
    assert_string_equal(
        cel_fixture_explain(*state, "purchase.total >= member.average_purchase + money('500')"),
        "purchase.total was 1,480.00, needed 1,500.00 (member.average_purchase + money('500')): 20.00 short");
}

static void a_constant_on_the_left_is_told_from_the_fact(void **state)
{
    assert_string_equal(cel_fixture_explain(*state, "150000 <= purchase.total"),
                        "purchase.total was 1,480.00, needed 1,500.00: 20.00 short");
}

static void all_alternatives_of_a_failed_or_are_told(void **state)
{
    assert_string_equal(cel_fixture_explain(*state, "member.level == 'vip' || purchase.total > 200000"),
                        "member.level was \"gold\", needed \"vip\"; "
                        "purchase.total was 1,480.00, needed more than 2,000.00: 520.00 short");
}

static void a_true_condition_tells_what_made_it_true(void **state)
{
    assert_string_equal(cel_fixture_explain(*state, "flag && member.level in ['gold', 'vip']"),
                        "flag was true; member.level was \"gold\", one of [\"gold\", \"vip\"]");
    assert_string_equal(cel_fixture_explain(*state, "member.level == 'vip' || purchase.channel == 'web'"),
                        "purchase.channel was \"web\", as needed: \"web\"");
}

static void a_missing_fact_is_named(void **state)
{
    assert_string_equal(cel_fixture_explain(*state, "flag && purchase.coupon == 'A'"), "purchase.coupon is not known");
}

static void a_part_that_is_no_comparison_shows_its_value(void **state)
{
    assert_string_equal(cel_fixture_explain(*state, "purchase.lines.exists(l, l.category == 'tea') && flag"),
                        "purchase.lines.exists(l, l.category == 'tea') was false");
}

static void counts_of_money_are_no_money(void **state)
{
    assert_string_equal(cel_fixture_explain(*state, "size(purchase.lines) > 5"),
                        "size(purchase.lines) was 3, needed more than 5: 2 short");
}

static void long_numbers_are_told_in_groups_of_three(void **state)
{
    static const struct {
        const char *condition, *told;
    } rows[] = {
        {"member.days_since_purchase > 999", "member.days_since_purchase was 30, needed more than 999: 969 short"},
        {"member.days_since_purchase > 1000", "member.days_since_purchase was 30, needed more than 1,000: 970 short"},
        {"member.days_since_purchase > 1234567",
         "member.days_since_purchase was 30, needed more than 1,234,567: 1,234,537 short"},
        {"member.days_since_purchase > -100", "member.days_since_purchase was 30, more than -100"},
        {"member.days_since_purchase > -1000", "member.days_since_purchase was 30, more than -1,000"},
        {"member.days_since_purchase > -123456", "member.days_since_purchase was 30, more than -123,456"},
        {"purchase.total > -100050", "purchase.total was 1,480.00, more than -1,000.50"},
        {"purchase.total > -5", "purchase.total was 1,480.00, more than -0.05"},
        {"purchase.total >= 123456789", "purchase.total was 1,480.00, needed 1,234,567.89: 1,233,087.89 short"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(cel_fixture_explain(*state, rows[i].condition), rows[i].told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deciding_part_and_what_it_lacked_are_told),
        cmocka_unit_test(long_numbers_are_told_in_groups_of_three),
        cmocka_unit_test(a_bound_that_is_computed_is_shown_with_its_formula),
        cmocka_unit_test(a_constant_on_the_left_is_told_from_the_fact),
        cmocka_unit_test(all_alternatives_of_a_failed_or_are_told),
        cmocka_unit_test(a_true_condition_tells_what_made_it_true),
        cmocka_unit_test(a_missing_fact_is_named),
        cmocka_unit_test(a_part_that_is_no_comparison_shows_its_value),
        cmocka_unit_test(counts_of_money_are_no_money),
    };
    return cmocka_run_group_tests(tests, cel_group_set_up, cel_group_tear_down);
}
