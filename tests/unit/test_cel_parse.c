#include "support/check_cel.h"
#include "support/cmocka_all.h"

#include <stdlib.h>

static void a_syntax_error_says_what_was_expected_where(void **state)
{
    check_issues(state, "", "1:1: the expression ends here, but a value was expected");
    check_issues(state, "1 +", "1:4: the expression ends here, but a value was expected");
    check_issues(state, "(1 + 2", "1:7: the expression ends here, but ')' was expected");
    check_issues(state, "1 2", "1:3: '2' stands where an operator or the end was expected");
    check_issues(state, "flag = true", "1:6: a single '=' is no operator: did you mean '=='?");
    check_issues(state, "flag & flag", "1:6: did you mean '&&'?");
    check_issues(state, "'abc", "1:1: this text is not closed");
    check_issues(state, "for > 1", "1:1: 'for' is a reserved word");
    check_issues(state, "has(flag)", "1:5: has() wants a field: has(purchase.coupon)");
    check_issues(state, "[1].map(x.y, 1)", "1:9: map() wants a plain name for its variable here");
    check_issues(state, "purchase{total: 1}", "1:9: records cannot be built in an expression");
    check_issues(state, "flag ? 1", "1:9: the expression ends here, but ':' was expected");
    check_issues(state, "12x", "1:1: a number must not run into a name");
    check_issues(state, "9223372036854775808", "1:1: not a number: it does not fit an int");
    check_issues(state, "'\\q'", "1:1: not a text: it has an escape sequence that is none");
    check_issues(state, "\"\xff\"", "1:1: the expression is not UTF-8");
}

static void literals_are_exact(void **state)
{
    check_value(state, "-9223372036854775808", "-9223372036854775808");
    check_value(state, "[0x7fffffffffffffff, -0x1]", "[9223372036854775807, -1]");
    check_value(state, "18446744073709551615u", "18446744073709551615u");
    check_value(state, "[.5, 1e-2, 1.5E+3]", "[0.5, 0.01, 1500.0]");
    check_value(state, "'\\u00e9\\U0001F431\\x41\\101'", "\"é🐱AA\"");
    check_value(state, "b'\\xff\\000A'", "b\"\\xff\\x00A\"");
    check_value(state, "r'\\n' + '''a'b''' + \"\"\"c\"d\"\"\"", "\"\\\\na'bc\\\"d\"");
    check_value(state, "'a' // a comment\n + 'b'", "\"ab\"");
    check_value(state, "[1, 2,] + [3]", "[1, 2, 3]");
    check_value(state, "{'a': 1,}.a", "1");
}

static void precedence_is_the_definitions(void **state)
{
    check_value(state, "1 + 2 * 3 - 4 / 2 % 2", "7");
    check_value(state, "!true || true && false", "false");
    check_value(state, "1 < 2 == true ? 'a' : 'b'", "\"a\"");
    check_value(state, "2 - 1 - 1", "0");
    check_value(state, "- - 3", "3");
    check_value(state, "-[1][0] + 5", "4");
}

/* open × count, then the middle, then close × count */
static char *nested(const char *open, size_t count, const char *middle, const char *close)
{
    size_t size = count * (strlen(open) + strlen(close)) + strlen(middle) + 1;
    char *text = malloc(size);
    text[0] = '\0';
    char *at = text;
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, open);
    }
    at = stpcpy(at, middle);
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, close);
    }
    return text;
}

static void check_depth(void **state, const char *open, size_t count, const char *close, bool fits)
{
    char *text = nested(open, count, "1", close);
    if (fits) {
        assert_string_equal(cel_fixture_issues(*state, text, NULL), "");
    } else {
        assert_non_null(strstr(cel_fixture_issues(*state, text, NULL), "nested deeper than 250"));
    }
    free(text);
    struct cel_fixture *fixture = *state;
    loy_arena_reset_to(&fixture->programs, (struct loy_arena_mark){FIXTURE_PROGRAMS / 4});
}

static void depth_is_bounded_whatever_makes_it(void **state)
{
    check_depth(state, "(", 120, ")", true);
    check_depth(state, "(", 20000, ")", false);
    check_depth(state, "[", 20000, "]", false);
    check_depth(state, "-(", 20000, ")", false);
    check_depth(state, "", 200, "+1", true);
    check_depth(state, "", 20000, "+1", false);
    check_depth(state, "true?1:", 9000, "", false);
    check_depth(state, "", 20000, "[0]", false);
}

static void a_long_chain_of_conditions_is_not_deep(void **state)
{
    char *text = nested("flag && ", 2000, "flag", "");
    assert_string_equal(cel_fixture_eval(*state, text), "true");
    free(text);
}

static void size_is_bounded(void **state)
{
    char *text = nested(" ", LOY_CEL_MAX_TEXT, "1", "");
    assert_string_equal(cel_fixture_issues(*state, text, NULL), "1:1: the expression is longer than 65536 bytes");
    free(text);
    text = nested("1,", 5000, "1", "");
    char *list = malloc(strlen(text) + 3);
    list[0] = '[';
    strcpy(stpcpy(list + 1, text), "]");
    assert_non_null(strstr(cel_fixture_issues(*state, list, NULL), "more than 4096 items"));
    free(list);
    free(text);
    assert_non_null(
        strstr(cel_fixture_issues(*state, "[1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, true)))))", NULL),
               "more than 4 macros inside each other"));
}

static void a_full_arena_is_no_crash(void **state)
{
    struct cel_fixture *fixture = *state;
    const char *text = "purchase.lines.filter(l, l.amount > 100 && l.category in ['a', 'b']).map(l, l.amount)[0] > 5";
    static char block[16384];
    for (size_t size = 0; size < sizeof block; size += 48) {
        struct loy_arena arena;
        struct loy_cel_issues issues;
        const struct loy_cel_program *program;
        loy_arena_init(&arena, block, size);
        enum loy_err err = loy_cel_compile(fixture->env, loy_str(text), NULL, &arena, &program, &issues);
        assert_true(err == LOY_ERR_NO_MEMORY || err == LOY_OK);
        if (err == LOY_OK) {
            assert_true(size > 1000);
            return;
        }
    }
    fail_msg("16 KiB were not enough");
}

static int set_up(void **state)
{
    (void)cel_group_set_up(state);
    struct cel_fixture *fixture = *state;
    (void)loy_arena_alloc(&fixture->programs, FIXTURE_PROGRAMS / 4 - fixture->programs.used);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syntax_error_says_what_was_expected_where),
        cmocka_unit_test(literals_are_exact),
        cmocka_unit_test(precedence_is_the_definitions),
        cmocka_unit_test(depth_is_bounded_whatever_makes_it),
        cmocka_unit_test(a_long_chain_of_conditions_is_not_deep),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(a_full_arena_is_no_crash),
    };
    return cmocka_run_group_tests(tests, set_up, cel_group_tear_down);
}
