/* Several syntax errors of an expression in one pass, and no second one that only comes from the first. */
#include "cel/lexer.h"
#include "support/check_cel.h"
#include "support/cmocka_all.h"

#include <stdio.h>

struct broken {
    const char *text, *issues;
};

static const struct broken snapshot[] = {
    /* operators of other languages are named, and taken for what they mean */
    {"purchase.total => 5 and flag or member.level <> 'x'",
     "1:16: '=>' is no operator: did you mean '>='?\n"
     "1:21: 'and' stands where an operator or the end was expected: did you mean '&&'?\n"
     "1:30: 'or' stands where an operator or the end was expected: did you mean '||'?\n"
     "1:46: '<>' is no operator: did you mean '!='?"},
    {"flag = true & flag = false", "1:6: a single '=' is no operator: did you mean '=='?\n"
                                   "1:13: did you mean '&&'?\n"
                                   "1:20: a single '=' is no operator: did you mean '=='?"},
    /* an operand that is not there */
    {"purchase.total > && flag || member.level == ", "1:18: '&&' stands where a value was expected\n"
                                                     "1:45: the expression ends here, but a value was expected"},
    {"&& || && flag", "1:1: '&&' stands where a value was expected\n"
                      "1:4: '||' stands where a value was expected\n"
                      "1:7: '&&' stands where a value was expected"},
    {"1 +* 2 == == 3", "1:4: '*' stands where a value was expected\n1:11: '==' stands where a value was expected"},
    /* an operator that is not there */
    {"flag flag && 1 2 || 'a' 'b' 'c'", "1:6: 'flag' stands where an operator or the end was expected\n"
                                        "1:16: '2' stands where an operator or the end was expected\n"
                                        "1:25: ''b'' stands where an operator or the end was expected"},
    /* lists of things */
    {"math.least(1, , 2) + math.least(3 4) + math.least(5",
     "1:15: ',' stands where a value was expected\n"
     "1:35: '4' stands where ',' or ')' was expected\n"
     "1:52: the expression ends here, but ',' or ')' was expected"},
    {"[1, 2 3, 4 5, 6]", "1:7: '3' stands where ',' or ']' was expected\n"
                         "1:12: '5' stands where ',' or ']' was expected"},
    {"{'a': 1 'b': 2, 'c' 3, 4: }", "1:9: ''b'' stands where ',' or '}' was expected\n"
                                    "1:21: '3' stands where ':' was expected\n"
                                    "1:27: '}' stands where a value was expected"},
    {"purchase.lines.exists(l, l.amount > && l.category == 'a', ) || (flag",
     "1:37: '&&' stands where a value was expected\n"
     "1:59: ')' stands where a value was expected\n"
     "1:69: the expression ends here, but ')' was expected"},
    /* brackets: too few, too many, of the wrong kind */
    {"1)) && (2 +", "1:2: ')' stands where an operator or the end was expected\n"
                    "1:12: the expression ends here, but a value was expected"},
    {"(flag && (flag || flag) && purchase.total == 1", "1:47: the expression ends here, but ')' was expected"},
    {"size([1) > 0 && 2 3 > 4", "1:8: ')' stands where ',' or ']' was expected\n"
                                "1:19: '3' stands where an operator or the end was expected"},
    {"size([1}) > 0 && flag == ", "1:8: '}' stands where ',' or ']' was expected\n"
                                  "1:26: the expression ends here, but a value was expected"},
    {"(((", "1:4: the expression ends here, but a value was expected"},
    /* a choice */
    {"flag ? 1 2 : 3 4", "1:10: '2' stands where ':' was expected\n"
                         "1:16: '4' stands where an operator or the end was expected"},
    {"flag ? 1 && flag", "1:17: the expression ends here, but ':' was expected"},
    /* words and names */
    {"for > 1 && if.x == 2 && has(flag) && [1].map(x.y, 1) == []",
     "1:1: 'for' is a reserved word\n"
     "1:12: 'if' is a reserved word\n"
     "1:29: has() wants a field: has(purchase.coupon)\n"
     "1:46: map() wants a plain name for its variable here"},
    {"purchase. > 1 && member.'x' == 2 && ..flag", "1:11: '>' stands where the name of a field was expected\n"
                                                   "1:25: ''x'' stands where the name of a field was expected\n"
                                                   "1:38: '.' stands where a name was expected"},
    {"purchase{total: 1} == 2 && line{x: 3} == 4", "1:9: records cannot be built in an expression\n"
                                                   "1:32: records cannot be built in an expression"},
    /* what is no token */
    {"12x + 9223372036854775808 + '\\q' + 1 # 2 && é == 3", "1:1: a number must not run into a name\n"
                                                            "1:7: not a number: it does not fit an int\n"
                                                            "1:29: not a text: it has an escape sequence that is none\n"
                                                            "1:38: this character has no meaning here\n"
                                                            "1:45: this character has no meaning here"},
    {"flag == && 'abc && (1 + 2", "1:9: '&&' stands where a value was expected\n1:12: this text is not closed"},
    /* several lines */
    {"flag &&\n  (1 + ] > 2 ||\n  purchase.total >", "2:8: ']' stands where a value was expected\n"
                                                     "3:19: the expression ends here, but a value was expected"},
};

static void several_errors_are_found_in_one_pass(void **state)
{
    for (size_t i = 0; i < sizeof snapshot / sizeof snapshot[0]; i++) {
        assert_string_equal(cel_fixture_issues(*state, snapshot[i].text, NULL), snapshot[i].issues);
    }
}

static void each_has_its_line_and_a_caret(void **state)
{
    struct cel_fixture *fixture = *state;
    const char *text = "flag &&\n  (1 + ] > 2";
    assert_null(cel_fixture_compile(fixture, text, NULL));
    char block[512];
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, block, sizeof block);
    loy_buf_init(&buf, &arena, 256);
    for (size_t i = 0; i < fixture->issues.count; i++) {
        loy_cel_issue_print(&fixture->issues.items[i], loy_str(text), &buf);
    }
    loy_buf_append_byte(&buf, 0);
    assert_string_equal(loy_buf_str(&buf).at, "2:8: ']' stands where a value was expected\n"
                                              " |   (1 + ] > 2\n"
                                              " |        ^\n");
}

static void ten_syntax_errors_are_enough(void **state)
{
    struct cel_fixture *fixture = *state;
    assert_null(cel_fixture_compile(fixture, "1 2,1 2,1 2,1 2,1 2,1 2,1 2,1 2,1 2,1 2", NULL));
    assert_int_equal(fixture->issues.count, LOY_CEL_MAX_SYNTAX_ISSUES);
    assert_false(fixture->issues.more);
    assert_null(cel_fixture_compile(fixture, "1 2,1 2,1 2,1 2,1 2,1 2,1 2,1 2,1 2,1 2,1 2", NULL));
    assert_int_equal(fixture->issues.count, LOY_CEL_MAX_SYNTAX_ISSUES);
    assert_true(fixture->issues.more);
}

static const char *const valid[] = {
    "purchase.total >= member.average_purchase + money('500') && purchase.channel == 'web' || !flag",
    "purchase.lines.exists(l, l.category in ['coffee', 'tea'] && l.amount > 100) ? {'a': 1, 'b': -2}['a'] : 3",
    "cel.bind(x, [1, 2, (3 + 4) * 5], x.map(y, y > 1, y - 1)).filter(z, z % 2 == 0) == [4, 6]",
};

/* A text with one token left out, or another put before it. */
static void change(const char *text, struct loy_cel_token token, const char *before, bool without, char *ret,
                   size_t size)
{
    (void)snprintf(ret, size, "%.*s%s%s", (int)token.start, text, before, text + (without ? token.end : token.start));
}

/* One mistake: three issues at the most. A stray bracket is worth three: it, what it seems to close, and the right one.
 */
static void check_change(void **state, const char *text, size_t *changes, size_t *issues)
{
    struct cel_fixture *fixture = *state;
    struct loy_arena_mark mark = loy_arena_mark(&fixture->programs);
    (void)cel_fixture_compile(fixture, text, &(struct loy_cel_options){.skip_check = true});
    if (fixture->issues.count > 3) {
        fail_msg("%s\n%s", text, cel_fixture_issues(fixture, text, &(struct loy_cel_options){.skip_check = true}));
    }
    *changes += fixture->issues.count > 0;
    *issues += fixture->issues.count;
    loy_arena_reset_to(&fixture->programs, mark);
}

static void one_mistake_is_seldom_two_issues(void **state)
{
    static const char *const inserted[] = {" 1 ", " x ", " + ", " && ", ", ", " : ", " ? ",
                                           "(",   ")",   "[",   "]",    "{",  "}",   " . "};
    char text[256];
    size_t changes = 0, issues = 0;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        struct loy_str whole = loy_str(valid[i]);
        assert_string_equal(cel_fixture_issues(*state, valid[i], NULL), "");
        for (uint32_t at = 0; at < whole.len;) {
            struct loy_cel_token token = loy_cel_next_token(whole, at);
            change(valid[i], token, "", true, text, sizeof text);
            check_change(state, text, &changes, &issues);
            for (size_t j = 0; j < sizeof inserted / sizeof inserted[0]; j++) {
                change(valid[i], token, inserted[j], false, text, sizeof text);
                check_change(state, text, &changes, &issues);
            }
            at = token.end;
        }
    }
    print_message("%zu mistakes, %zu issues\n", changes, issues);
    assert_true(changes > 500);
    assert_true(issues * 100 < changes * 125);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_errors_are_found_in_one_pass),
        cmocka_unit_test(each_has_its_line_and_a_caret),
        cmocka_unit_test(ten_syntax_errors_are_enough),
        cmocka_unit_test(one_mistake_is_seldom_two_issues),
    };
    return cmocka_run_group_tests(tests, cel_group_set_up, cel_group_tear_down);
}
