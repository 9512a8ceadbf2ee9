#include "support/check_cel.h"
#include "support/cmocka_all.h"

static void a_field_that_is_none_is_found_at_its_column_with_a_suggestion(void **state)
{
    check_issues(state, "purchase.totl > 5", "1:10: no field 'totl' on purchase: did you mean 'total'?");
    check_issues(state, "purchase.zzz > 5", "1:10: no field 'zzz' on purchase");
    check_issues(state, "\n  purchase.lines.all(l,\n l.amuont > 1)",
                 "3:4: no field 'amuont' on line: did you mean 'amount'?");
}

static void several_mistakes_are_told_in_one_pass_in_the_order_of_the_text(void **state)
{
    check_issues(state, "purchas.total > 5 && member.levl == 'x' && size(flag) > 1",
                 "1:1: nothing is called 'purchas': did you mean 'purchase'?\n"
                 "1:29: no field 'levl' on member: did you mean 'level'?\n"
                 "1:44: 'size' takes (string) or (bytes) or (list(A)) or (map(A, B)), found (bool)");
}

static void types_that_do_not_fit_are_told_with_what_was_expected(void **state)
{
    check_issues(state, "purchase.total >= '5'", "1:16: '>=' takes (int, int), found (int, string)");
    check_issues(state, "purchase.total + 1.5 > 2.0", "1:16: '+' takes (int, int), found (int, double)");
    check_issues(state, "flag && 1", "1:9: what stands beside '&&' must be a bool, found int");
    check_issues(state, "flag ? 1 : 'a'", "1:6: the two sides of ':' must have one type, found int and string");
    check_issues(state, "5.exists(x, x > 1)", "1:1: only lists and maps can be gone through, found int");
}

static void an_unknown_function_gets_a_suggestion(void **state)
{
    check_issues(state, "purchase.channel.startWith('w')",
                 "1:18: there is no method 'startWith': did you mean 'startsWith'?");
    check_issues(state, "mony('5') > 1", "1:1: there is no function 'mony': did you mean 'money'?");
    check_issues(state, "purchase.lines.exists(l)",
                 "1:16: there is no method 'exists': it takes a variable and an expression\n"
                 "1:23: nothing is called 'l'");
}

static void the_wanted_type_of_the_result_is_asked_for(void **state)
{
    struct loy_cel_options options = {.result = "bool"};
    assert_string_equal(cel_fixture_issues(*state, "purchase.total", &options),
                        "1:1: the expression must be of type bool, found int");
    assert_string_equal(cel_fixture_issues(*state, "purchase.total > 1", &options), "");
}

static void the_caret_stands_under_the_column_of_code_points(void **state)
{
    struct cel_fixture *fixture = *state;
    const char *text = "'ñandú' == purchase.chanel";
    assert_null(cel_fixture_compile(fixture, text, NULL));
    struct loy_buf buf;
    loy_buf_init(&buf, &fixture->scratch, 256);
    loy_cel_issue_print(&fixture->issues.items[0], loy_str(text), &buf);
    struct loy_str printed = loy_buf_str(&buf);
    assert_true(loy_str_equal(printed, LOY_STR("1:21: no field 'chanel' on purchase: did you mean 'channel'?\n"
                                               " | 'ñandú' == purchase.chanel\n"
                                               " |                     ^\n")));
}

static void the_money_profile_refuses_doubles_and_remarks_on_division(void **state)
{
    struct loy_cel_options money = {.result = "int", .money = true};
    assert_string_equal(cel_fixture_issues(*state, "int(double(purchase.total) * 0.1)", &money),
                        "1:5: this is a double, and no double may decide an amount: use ints, and muldiv() for shares");
    assert_string_equal(
        cel_fixture_issues(*state, "purchase.total > 1 ? 1 : int(0.5)", &money),
        "1:30: this is a double, and no double may decide an amount: use ints, and muldiv() for shares");
    assert_string_equal(
        cel_fixture_issues(*state, "purchase.total / 100", &money),
        "1:16: warning: int division drops the rest, towards zero; muldiv(a, b, c, 'half_even') rounds as you say");
    assert_non_null(cel_fixture_compile(*state, "purchase.total / 100", &money));
    assert_string_equal(cel_fixture_issues(*state, "muldiv(purchase.total, 15, 100)", &money), "");
    struct loy_cel_options any = {.money = true};
    assert_string_equal(cel_fixture_issues(*state, "attributes.score", &any),
                        "1:1: the type of the result is only known at run time: it might be a double");
}

static void more_issues_than_fit_are_counted_out(void **state)
{
    struct cel_fixture *fixture = *state;
    const char *text = "[a1, a2, a3, a4, a5, a6, a7, a8, a9, b1, b2, b3, b4, b5, b6, b7, b8, b9, c1, c2, c3, c4]";
    assert_null(cel_fixture_compile(fixture, text, NULL));
    assert_int_equal(fixture->issues.count, LOY_CEL_MAX_ISSUES);
    assert_true(fixture->issues.more);
}

static void what_could_cost_too_much_is_refused(void **state)
{
    struct loy_cel_options options = {.max_cost = 5000};
    assert_string_equal(
        cel_fixture_issues(*state, "purchase.lines.all(a, purchase.lines.all(b, purchase.lines.all(c, true)))",
                           &options),
        "1:1: this could cost 2050812 steps with the largest values declared, at most 5000 are allowed");
    assert_string_equal(cel_fixture_issues(*state, "purchase.lines.all(a, a.amount > 0)", &options), "");
}

static void a_condition_tells_which_facts_it_needs(void **state)
{
    const struct loy_cel_program *program =
        cel_fixture_compile(*state, "purchase.total > 1 && member.level == 'x' && purchase.total < 9 && flag", NULL);
    size_t count;
    const struct loy_cel_need *needs = loy_cel_program_needs(program, &count);
    assert_int_equal(count, 3);
    assert_int_equal(needs[0].variable, 0);
    assert_int_equal(needs[0].field, PURCHASE_TOTAL);
    assert_int_equal(needs[1].variable, 1);
    assert_int_equal(needs[1].field, MEMBER_LEVEL);
    assert_int_equal(needs[2].variable, 3);
    assert_int_equal(needs[2].record, -1);
}

static void the_language_owns_its_names(void **state)
{
    struct cel_fixture *fixture = *state;
    struct loy_error error;
    uint32_t slot;
    struct loy_cel_function size = {.name = "size", .signature = "string -> int"};
    struct loy_cel_function odd = {.name = "odd", .signature = "strin -> int"};
    assert_int_equal(loy_cel_env_add_function(fixture->env, &size, &error), LOY_ERR_INVALID_VALUE);
    assert_int_equal(loy_cel_env_add_function(fixture->env, &odd, &error), LOY_ERR_INVALID_VALUE);
    assert_string_equal(error.detail, "cel: 'strin -> int' of the function odd is no signature");
    assert_int_equal(loy_cel_env_add_variable(fixture->env, "flag", "bool", &slot, &error), LOY_ERR_INVALID_VALUE);
    assert_int_equal(loy_cel_env_add_variable(fixture->env, "x", "list(int", &slot, &error), LOY_ERR_INVALID_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_that_is_none_is_found_at_its_column_with_a_suggestion),
        cmocka_unit_test(several_mistakes_are_told_in_one_pass_in_the_order_of_the_text),
        cmocka_unit_test(types_that_do_not_fit_are_told_with_what_was_expected),
        cmocka_unit_test(an_unknown_function_gets_a_suggestion),
        cmocka_unit_test(the_wanted_type_of_the_result_is_asked_for),
        cmocka_unit_test(the_caret_stands_under_the_column_of_code_points),
        cmocka_unit_test(the_money_profile_refuses_doubles_and_remarks_on_division),
        cmocka_unit_test(more_issues_than_fit_are_counted_out),
        cmocka_unit_test(what_could_cost_too_much_is_refused),
        cmocka_unit_test(a_condition_tells_which_facts_it_needs),
        cmocka_unit_test(the_language_owns_its_names),
    };
    return cmocka_run_group_tests(tests, cel_group_set_up, cel_group_tear_down);
}
