#include "support/cel_fixture.h"
#include "support/cmocka_all.h"

#include "adapters/regex/regex.h"

#include <stdlib.h>
#include <time.h>

static void constant_patterns_are_compiled_once_and_checked_before_they_run(void **state)
{
    struct cel_fixture *fixture = *state;
    assert_string_equal(cel_fixture_eval(fixture, "purchase.channel.matches('^w.b$')"), "true");
    assert_string_equal(cel_fixture_eval(fixture, "matches(purchase.channel, 'x')"), "false");
    assert_string_equal(cel_fixture_eval(fixture, "purchase.channel.matches('(a')"),
                        "1:26: not a regular expression: missing ): (a");
}

static void a_pattern_known_at_run_time_is_an_evaluation_error_if_it_is_none(void **state)
{
    struct cel_fixture *fixture = *state;
    assert_string_equal(cel_fixture_eval(fixture, "'red'.matches(string(attributes.colour))"), "true");
    assert_string_equal(cel_fixture_eval(fixture, "'red'.matches(purchase.channel + '(')"),
                        "error: not a regular expression at 1:7");
}

static void a_pattern_that_would_backtrack_stays_linear(void **state)
{
    (void)state;
    struct loy_regex *regex = loy_regex_new();
    const struct loy_cel_matcher *matcher = loy_regex_matcher(regex);
    char reason[128];
    const void *pattern = matcher->compile(matcher->context, LOY_STR("(a+)+$"), reason, sizeof reason);
    assert_non_null(pattern);
    char text[4096];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    clock_t start = clock();
    assert_false(matcher->search(pattern, (struct loy_str){text, sizeof text}));
    assert_true(clock() - start < CLOCKS_PER_SEC / 2);
    loy_regex_destroy(regex);
}

static void a_pattern_may_not_be_huge(void **state)
{
    (void)state;
    struct loy_regex *regex = loy_regex_new();
    const struct loy_cel_matcher *matcher = loy_regex_matcher(regex);
    char reason[128];
    assert_null(matcher->compile(matcher->context, LOY_STR("((a{100}){100}){100}"), reason, sizeof reason));
    assert_true(reason[0] != '\0');
    static char long_pattern[LOY_REGEX_MAX_PATTERN + 1];
    memset(long_pattern, 'a', sizeof long_pattern);
    assert_null(
        matcher->compile(matcher->context, (struct loy_str){long_pattern, sizeof long_pattern}, reason, sizeof reason));
    assert_string_equal(reason, "longer than 4096 bytes");
    loy_regex_destroy(regex);
    loy_regex_destroy(NULL);
}

struct with_regex {
    struct cel_fixture fixture;
    struct loy_regex *regex;
};

static int set_up(void **state)
{
    static struct with_regex with;
    cel_fixture_init(&with.fixture);
    with.regex = loy_regex_new();
    loy_cel_env_set_matcher(with.fixture.env, loy_regex_matcher(with.regex));
    *state = &with;
    return 0;
}

static int tear_down(void **state)
{
    struct with_regex *with = *state;
    loy_regex_destroy(with->regex);
    cel_fixture_fini(&with->fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_patterns_are_compiled_once_and_checked_before_they_run),
        cmocka_unit_test(a_pattern_known_at_run_time_is_an_evaluation_error_if_it_is_none),
        cmocka_unit_test(a_pattern_that_would_backtrack_stays_linear),
        cmocka_unit_test(a_pattern_may_not_be_huge),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
