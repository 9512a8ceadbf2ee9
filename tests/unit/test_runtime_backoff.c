#include "runtime/backoff.h"

#include "runtime/clock.h"
#include "support/cmocka_all.h"

static void waits_stay_between_their_limits_and_grow(void **state)
{
    (void)state;
    int64_t largest[12] = {0};
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct loy_backoff backoff;
        loy_backoff_init(&backoff, 100, 10000, seed);
        for (int i = 0; i < 12; i++) {
            int64_t limit = i < 6 ? 200 << i : 10000;
            int64_t wait = loy_backoff_next_us(&backoff);
            assert_in_range(wait, 100, limit);
            largest[i] = wait > largest[i] ? wait : largest[i];
        }
    }
    for (int i = 0; i < 12; i++) {
        assert_true(largest[i] > (i < 6 ? 190 << i : 9900));
    }
}

static void two_that_failed_together_do_not_come_back_together(void **state)
{
    (void)state;
    struct loy_backoff a;
    struct loy_backoff b;
    loy_backoff_init(&a, 1000, 1000000, 1);
    loy_backoff_init(&b, 1000, 1000000, 2);
    int same = 0;
    for (int i = 0; i < 100; i++) {
        same += loy_backoff_next_us(&a) == loy_backoff_next_us(&b);
    }
    assert_true(same < 5);
}

static void a_success_begins_anew(void **state)
{
    (void)state;
    struct loy_backoff backoff;
    loy_backoff_init(&backoff, 10, INT64_MAX, 7);
    for (int i = 0; i < 200; i++) {
        assert_true(loy_backoff_next_us(&backoff) >= 10);
    }
    loy_backoff_reset(&backoff);
    assert_in_range(loy_backoff_next_us(&backoff), 10, 20);
}

static void the_system_clocks_run(void **state)
{
    (void)state;
    struct loy_clock clock = loy_clock_of_system();
    int64_t before = clock.monotonic_us(clock.self);
    assert_true(clock.monotonic_us(clock.self) >= before);
    assert_true(clock.wall_us(clock.self) > INT64_C(1700000000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_stay_between_their_limits_and_grow),
        cmocka_unit_test(two_that_failed_together_do_not_come_back_together),
        cmocka_unit_test(a_success_begins_anew),
        cmocka_unit_test(the_system_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
