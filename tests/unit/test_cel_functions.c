/* What the conformance suite leaves open of the functions: edges, limits, what happens with odd arguments. */
#include "support/check_cel.h"
#include "support/cmocka_all.h"

#include "cel/functions.h"
#include "cel/program.h"

static void check_values(void **state, const char *const (*cases)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = cel_fixture_eval(*state, cases[i][0]);
        if (strcmp(got, cases[i][1]) != 0) {
            fail_msg("%s\n  is       %s\n  expected %s", cases[i][0], got, cases[i][1]);
        }
    }
}

#define CHECK_VALUES(state, cases) check_values(state, cases, sizeof(cases) / sizeof(cases)[0])

static void texts_are_cut_and_joined_by_code_points(void **state)
{
    static const char *const cases[][2] = {
        {"'añb'.substring(1, 2)", "\"ñ\""},
        {"'añb'.charAt(3)", "\"\""},
        {"'abc'.split('')", "[\"a\", \"b\", \"c\"]"},
        {"''.split('')", "[]"},
        {"''.split(',')", "[\"\"]"},
        {"'a,b,'.split(',')", "[\"a\", \"b\", \"\"]"},
        {"'a,b,c'.split(',', 2)", "[\"a\", \"b,c\"]"},
        {"'ab'.replace('', '-')", "\"-a-b-\""},
        {"'ab'.replace('', '-', 1)", "\"-ab\""},
        {"'aaa'.replace('a', 'bb', 2)", "\"bbbba\""},
        {"'  '.trim()", "\"\""},
        {"''.trim()", "\"\""},
        {"'aXa'.lastIndexOf('a', 1)", "0"},
        {"'abc'.indexOf('', 3)", "3"},
        {"'abc'.indexOf('c', -1)", "error: the index is out of range at 1:7"},
        {"['a', 'b', 'c'].join(', ')", "\"a, b, c\""},
        {"strings.quote('a\\u0000\"')", "\"\\\"a\\u0000\\\\\\\"\\\"\""},
    };
    CHECK_VALUES(state, cases);
}

static void formats_refuse_what_they_do_not_know(void **state)
{
    static const char *const cases[][2] = {
        {"'%d%%'.format([5])", "\"5%\""},
        {"'%x %X %o %b'.format([-255, 255u, 8, -2])", "\"-ff FF 10 -10\""},
        {"'%.2e|%.0f'.format([12345.678, 0.5])", "\"1.23e+04|0\""},
        {"'%s'.format([{'b': [1, 2.5], 'a': null}])", "\"{a: null, b: [1, 2.5]}\""},
        {"'%'.format([])", "error: a clause of the format that is none at 1:5"},
        {"'%.f'.format([1.0])", "error: a clause of the format that is none at 1:7"},
        {"'%.101f'.format([1.0])", "error: a clause of the format that is none at 1:10"},
        {"'%s %s'.format([1])", "error: the format wants more values than there are at 1:9"},
        {"'%d'.format(['a'])", "error: a clause of the format does not take its value at 1:6"},
        {"'%d'.format([1.5])", "error: a clause of the format does not take its value at 1:6"},
        {"'%s'.format([b'\\xff'])", "error: a clause of the format does not take its value at 1:6"},
    };
    CHECK_VALUES(state, cases);
}

static void moments_and_durations_are_exact_to_a_nanosecond(void **state)
{
    static const char *const cases[][2] = {
        {"timestamp('2024-02-29T23:59:59.000000001Z')", "timestamp(\"2024-02-29T23:59:59.000000001Z\")"},
        {"timestamp('2024-02-29T00:30:00+03:00')", "timestamp(\"2024-02-28T21:30:00Z\")"},
        {"timestamp('2023-02-29T00:00:00Z')", "error: the text is no timestamp at 1:1"},
        {"timestamp('2023-02-28T24:00:00Z')", "error: the text is no timestamp at 1:1"},
        {"timestamp('2023-02-28 10:00:00Z')", "error: the text is no timestamp at 1:1"},
        {"timestamp('0001-01-01T00:00:00Z') - duration('1ns')", "error: the result is out of range at 1:35"},
        {"timestamp(-1) + duration('1ns')", "timestamp(\"1969-12-31T23:59:59.000000001Z\")"},
        {"duration('1h2m3.5s')", "duration(\"3723.5s\")"},
        {"duration('-1.5ms')", "duration(\"-0.0015s\")"},
        {"duration('9223372036854775807ns')", "duration(\"9223372036.854775807s\")"},
        {"duration('-9223372036854775808ns')", "duration(\"-9223372036.854775808s\")"},
        {"duration('9223372036854775808ns')", "error: the text is no duration at 1:1"},
        {"duration('1')", "error: the text is no duration at 1:1"},
        {"duration('0')", "duration(\"0s\")"},
        {"duration('')", "error: the text is no duration at 1:1"},
        {"duration('90m').getHours()", "1"},
        {"timestamp('2024-12-31T23:59:59Z').getDayOfYear()", "365"},
        {"timestamp(0).getHours('+05:30')", "5"},
        {"timestamp(0).getHours('Mars/Olympus')", "error: no such time zone here at 1:14"},
        {"timestamp(0).getHours('25:00')", "error: no such time zone here at 1:14"},
        {"timestamp(253402300799).getFullYear('+14:00')", "10000"},
        {"string(timestamp(-62135596800))", "\"0001-01-01T00:00:00Z\""},
    };
    CHECK_VALUES(state, cases);
}

static void conversions_refuse_what_would_change_a_value(void **state)
{
    static const char *const cases[][2] = {
        {"int('9223372036854775808')", "error: the text is no int at 1:1"},
        {"int(' 1')", "error: the text is no int at 1:1"},
        {"uint(-0.5)", "error: the result is out of range at 1:1"},
        {"int(double('nan'))", "error: the result is out of range at 1:1"},
        {"double('1e400')", "Infinity"},
        {"string(1e6)", "\"1000000\""},
        {"string(b'\\xc3')", "error: the bytes are not UTF-8 at 1:1"},
        {"math.greatest([])", "error: of no numbers none is the greatest or the least at 1:6"},
        {"math.least(1, 2u, 0.5)", "0.5"},
        {"math.bitShiftLeft(1, 63)", "-9223372036854775808"},
        {"-9223372036854775808 % -1", "0"},
        {"9223372036854775807 + 1", "error: the result is out of range at 1:21"},
    };
    CHECK_VALUES(state, cases);
}

static void a_pattern_without_a_matcher_is_an_issue(void **state)
{
    assert_string_equal(cel_fixture_eval(*state, "purchase.channel.matches('w.b')"),
                        "1:18: regular expressions are not available here");
}

static struct loy_cel_value odd_value(unsigned kind)
{
    static const struct loy_cel_value items[1] = {{.kind = LOY_CEL_INT, .as.i = -3}};
    static const struct loy_cel_entry entries[1] = {
        {{.kind = LOY_CEL_INT, .as.i = 1}, {.kind = LOY_CEL_STRING, .len = 2, .as.text = "%d"}}};
    struct loy_cel_value value = {.kind = (uint8_t)kind};
    if (kind == LOY_CEL_STRING || kind == LOY_CEL_BYTES || kind == LOY_CEL_TYPE) {
        return (struct loy_cel_value){.kind = (uint8_t)kind, .len = 2, .as.text = "%d"};
    }
    if (kind == LOY_CEL_LIST) {
        return loy_cel_list(items, 1);
    }
    if (kind == LOY_CEL_MAP) {
        return loy_cel_map(entries, 1);
    }
    value.as.i = kind == LOY_CEL_BOOL ? 1 : -5;
    return value;
}

/* Without the checker any value may come to any function: it must give a value or an error, and touch nothing else. */
static void every_function_takes_any_arguments(void **state)
{
    struct cel_fixture *fixture = *state;
    const struct loy_cel_program *program = cel_fixture_compile(fixture, "flag", NULL);
    unsigned called = 0;
    for (unsigned function = 0; function < LOY_CEL_FN_COUNT; function++) {
        for (uint32_t kinds = 0; kinds < 12 * 12 * 12 * 12; kinds++) {
            struct loy_cel_value args[4];
            uint32_t rest = kinds;
            for (int i = 0; i < 4; i++, rest /= 12) {
                args[i] = odd_value(LOY_CEL_NULL + rest % 12);
            }
            loy_arena_reset(&fixture->scratch);
            struct loy_cel_run run = {.program = program, .arena = &fixture->scratch, .fuel = 100000};
            struct loy_cel_value value = loy_cel_builtin_at(function)->call(&run, args, kinds % 5);
            assert_true(value.kind != LOY_CEL_ABSENT && value.kind < LOY_CEL_KIND_COUNT);
            called++;
        }
    }
    assert_int_equal(called, LOY_CEL_FN_COUNT * 12 * 12 * 12 * 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_cut_and_joined_by_code_points),
        cmocka_unit_test(formats_refuse_what_they_do_not_know),
        cmocka_unit_test(moments_and_durations_are_exact_to_a_nanosecond),
        cmocka_unit_test(conversions_refuse_what_would_change_a_value),
        cmocka_unit_test(a_pattern_without_a_matcher_is_an_issue),
        cmocka_unit_test(every_function_takes_any_arguments),
    };
    return cmocka_run_group_tests(tests, cel_group_set_up, cel_group_tear_down);
}
