#include "support/cmocka_all.h"

#include "cel/numtext.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double parsed(const char *text)
{
    double value = -1;
    assert_true(loy_cel_double_parse(loy_str(text), &value));
    return value;
}

static void hard_decimals_are_rounded_as_the_c_library_does(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "0.1",
        "123.456",
        "9007199254740993",
        "9007199254740992.5",
        "1e22",
        "1e23",
        "1e-22",
        "8.98846567431158e307",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e309",
        "4.9e-324",
        "2.4703e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "1e-400",
        "0.000000000000000000000000000000000000001",
        "123456789012345678901234567890",
        "9.5367431640625e-07",
        "7.2057594037927933e16",
        "6.02214e23",
        "1.448997445238699",
        "5e-324",
        "1e-5000",
        "1e5000",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286"
        "416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571"
        "366959622842914819860834936475292719074168444365510704342711559699508093042880",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (bits_of(parsed(texts[i])) != bits_of(strtod(texts[i], NULL))) {
            fail_msg("%s: %.17g, not %.17g", texts[i], parsed(texts[i]), strtod(texts[i], NULL));
        }
    }
}

static void random_doubles_are_read_back_and_parsed_as_the_c_library_does(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252;
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = next_random(&seed);
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (isnan(value) || isinf(value)) {
            continue;
        }
        char text[LOY_CEL_DOUBLE_TEXT_MAX], long_text[64];
        size_t len = loy_cel_double_format(value, text);
        assert_true(len < sizeof text);
        assert_true(loy_cel_double_parse((struct loy_str){text, len}, &back));
        assert_int_equal(bits_of(back), bits_of(value));
        (void)snprintf(long_text, sizeof long_text, "%.*e", (int)(bits % 25), value);
        assert_int_equal(bits_of(parsed(long_text)), bits_of(strtod(long_text, NULL)));
    }
}

static void text_is_the_shortest(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {1e21, "1e+21"},
                 {1e20, "100000000000000000000"},
                 {123.456, "123.456"},
                 {-0.0, "-0"},
                 {1e-5, "1e-05"},
                 {0.0001, "0.0001"},
                 {5e-324, "5e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {-2.5e-7, "-2.5e-07"},
                 {0.3, "0.3"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1e6, "1000000"},
                 {12345678.5, "12345678.5"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[LOY_CEL_DOUBLE_TEXT_MAX];
        (void)loy_cel_double_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const texts[] = {"", "+", ".", "1e", "1e+", "0x1", "1 ", " 1", "1.2.3", "nana", "infin", "1_0"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        double value;
        assert_false(loy_cel_double_parse(loy_str(texts[i]), &value));
    }
    assert_true(isnan(parsed("NaN")));
    assert_true(isinf(parsed("-Infinity")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_decimals_are_rounded_as_the_c_library_does),
        cmocka_unit_test(random_doubles_are_read_back_and_parsed_as_the_c_library_does),
        cmocka_unit_test(text_is_the_shortest),
        cmocka_unit_test(what_is_no_number_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
