#include "support/check_cel.h"
#include "support/cmocka_all.h"

static void records_are_read_by_slot(void **state)
{
    check_value(state, "purchase.total", "148000");
    check_value(state, "purchase.lines.filter(l, l.category == 'coffee').map(l, l.amount)", "[10000, 30000]");
    check_value(state, "purchase.lines[1].amount", "20000");
    check_value(state, "purchase.lines.map(l, l.amount > 10000, l.category)", "[\"bakery\", \"coffee\"]");
    check_value(state, "type(purchase)", "purchase");
    check_value(state, "dyn(purchase).total", "148000");
    check_value(state, "purchase.lines[0] == purchase.lines[0] && purchase.lines[0] != purchase.lines[2]", "true");
}

static void a_missing_fact_is_an_error_that_logic_may_absorb(void **state)
{
    check_value(state, "purchase.coupon == 'A'", "error: purchase.coupon is not known");
    check_value(state, "has(purchase.coupon)", "false");
    check_value(state, "has(purchase.total)", "true");
    check_value(state, "purchase.coupon == 'A' || flag", "true");
    check_value(state, "purchase.coupon == 'A' && !flag", "false");
    check_value(state, "has(purchase.coupon) && purchase.coupon == 'A'", "false");
}

static void errors_name_their_place(void **state)
{
    check_value(state, "purchase.total / (member.days_since_purchase - 30)", "error: division by zero at 1:16");
    check_value(state, "\n\n attributes.size", "error: no such key at 3:13");
    check_value(state, "purchase.total * 9223372036854775807", "error: the result is out of range at 1:16");
    check_value(state, "attributes.colour + 1", "error: no such overload at 1:19");
    check_value(state, "purchase.lines[7].amount", "error: no such index at 1:15");
}

static void functions_handed_in_are_called(void **state)
{
    check_value(state, "purchase.total - money('480.00')", "100000");
    check_value(state, "money('x') + purchase.total", "error: no amount at 1:1");
    check_value(state, "purchase.channel.shout().shout()", "\"web!!\"");
}

static void a_constant_call_is_done_while_compiling(void **state)
{
    struct cel_fixture *fixture = *state;
    assert_string_equal(cel_fixture_eval(fixture, "money('1.00') + 2 * 3"), "106");
    assert_int_equal(fixture->used, 2); /* one constant, and the end */
    assert_string_equal(cel_fixture_eval(fixture, "1 / 0"), "error: division by zero at 1:3");
}

static void fuel_ends_an_evaluation_and_is_not_absorbed(void **state)
{
    struct cel_fixture *fixture = *state;
    fixture->fuel = 60;
    check_value(state, "flag || purchase.lines.all(a, a.amount > 0)", "true");
    check_value(state, "purchase.lines.all(a, purchase.lines.all(b, a.amount + b.amount > 0)) || flag",
                "error: cost limit reached at 1:38");
    fixture->fuel = 10000000;
}

static void memory_ends_at_the_arena(void **state)
{
    struct cel_fixture *fixture = *state;
    const char *text = "[1, 2, 3, 4, 5, 6, 7, 8].map(a, [1, 2, 3, 4, 5, 6, 7, 8].map(b, purchase.channel + 'x'))";
    const struct loy_cel_program *program = cel_fixture_compile(fixture, text, NULL);
    char block[2048];
    struct loy_arena small;
    loy_arena_init(&small, block, sizeof block);
    uint64_t fuel = 1000000;
    struct loy_cel_value value = loy_cel_eval(program, fixture->variables, &small, &fuel);
    assert_int_equal(value.kind, LOY_CEL_ERROR);
    assert_int_equal(value.fault, LOY_CEL_FAULT_BUDGET);
    loy_arena_init(&small, block, 0);
    value = loy_cel_eval(program, fixture->variables, &small, &fuel);
    assert_int_equal(value.fault, LOY_CEL_FAULT_BUDGET);
}

static void no_evaluation_uses_more_than_its_static_cost(void **state)
{
    static const char *const texts[] = {
        "purchase.total > 5 && purchase.channel == 'web'",
        "purchase.lines.exists(l, l.category == 'tea')",
        "purchase.lines.all(a, purchase.lines.exists(b, a.amount == b.amount))",
        "purchase.lines.map(l, l.category).join(', ')",
        "'%s bought %d: %.2f'.format([purchase.channel, purchase.total, double(purchase.total)])",
        "purchase.tags.exists_one(t, t in ['new', 'old']) ? purchase.tags + purchase.tags : []",
        "purchase.channel.replace('', purchase.channel).split('w')",
        "purchase.lines == purchase.lines",
        "{'a': purchase.total, 'b': 2}[purchase.tags[0] == 'new' ? 'a' : 'b']",
        "purchase.channel.shout().lastIndexOf('b') + size(purchase.tags)",
        "cel.bind(x, purchase.lines.filter(l, l.amount > 100), size(x) * size(x))",
        "purchase.at.getFullYear() == 2026 && purchase.at.getMonth() == 10",
    };
    struct cel_fixture *fixture = *state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct loy_cel_program *program = cel_fixture_compile(fixture, texts[i], NULL);
        assert_non_null(program);
        (void)cel_fixture_eval(fixture, texts[i]);
        assert_true(fixture->used > 0);
        if (fixture->used > loy_cel_program_cost(program)) {
            fail_msg("%s used %llu, at most %llu were announced", texts[i], (unsigned long long)fixture->used,
                     (unsigned long long)loy_cel_program_cost(program));
        }
    }
}

static void macros_absorb_as_logic_does(void **state)
{
    check_value(state, "purchase.lines.exists(l, 1 / (l.amount - 10000) == 0)", "true");
    check_value(state, "purchase.lines.all(l, 1 / (l.amount - 10000) == 1)", "false");
    check_value(state, "purchase.lines.exists_one(l, l.amount > 20000)", "true");
    check_value(state, "cel.bind(x, 1 / (purchase.total - 148000), flag)", "true");
}

static void muldiv_takes_its_product_in_128_bits_and_rounds_as_said(void **state)
{
    check_value(state, "muldiv(9223372036854775807, 3, 9)", "3074457345618258602");
    check_value(state, "muldiv(-7, 1, 2)", "-4");
    check_value(state, "[muldiv(5, 1, 2, 'half_even'), muldiv(7, 1, 2, 'half_even'), muldiv(5, 1, 2, 'ceil')]",
                "[2, 4, 3]");
    check_value(state, "muldiv(1, 1, 0)", "error: division by zero at 1:1");
    check_value(state, "muldiv(9223372036854775807, 2, 1)", "error: the result is out of range at 1:1");
    check_value(state, "muldiv(1, 1, 1, 'up')", "error: rounding is 'floor', 'half_even' or 'ceil' at 1:1");
}

static void a_program_is_read_only_and_gives_the_same_twice(void **state)
{
    struct cel_fixture *fixture = *state;
    const struct loy_cel_program *program =
        cel_fixture_compile(fixture, "purchase.lines.filter(l, l.amount > 10000).map(l, l.category + '-')", NULL);
    for (int i = 0; i < 3; i++) {
        uint64_t fuel = 1000;
        loy_arena_reset(&fixture->scratch);
        struct loy_cel_value value = loy_cel_eval(program, fixture->variables, &fixture->scratch, &fuel);
        assert_int_equal(value.kind, LOY_CEL_LIST);
        assert_int_equal(value.len, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_by_slot),
        cmocka_unit_test(a_missing_fact_is_an_error_that_logic_may_absorb),
        cmocka_unit_test(errors_name_their_place),
        cmocka_unit_test(functions_handed_in_are_called),
        cmocka_unit_test(a_constant_call_is_done_while_compiling),
        cmocka_unit_test(fuel_ends_an_evaluation_and_is_not_absorbed),
        cmocka_unit_test(memory_ends_at_the_arena),
        cmocka_unit_test(no_evaluation_uses_more_than_its_static_cost),
        cmocka_unit_test(macros_absorb_as_logic_does),
        cmocka_unit_test(muldiv_takes_its_product_in_128_bits_and_rounds_as_said),
        cmocka_unit_test(a_program_is_read_only_and_gives_the_same_twice),
    };
    return cmocka_run_group_tests(tests, cel_group_set_up, cel_group_tear_down);
}
