#include "support/cmocka_all.h"

#include "worker/recent.h"

static struct loy_digest key_of(uint64_t number)
{
    return loy_digest_of((struct loy_str){(const char *)&number, sizeof number});
}

static void what_was_put_lately_is_there(void **state)
{
    (void)state;
    struct loy_recent *recent = loy_recent_new();
    assert_non_null(recent);
    enum { KEYS = LOY_RECENT_KEYS / 64 };
    uint32_t there = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        loy_recent_put(recent, key_of(i));
    }
    assert_true(loy_recent_has(recent, key_of(KEYS - 1)));
    for (uint64_t i = 0; i < KEYS; i++) {
        there += loy_recent_has(recent, key_of(i));
    }
    assert_in_range(there, KEYS - KEYS / 32, KEYS);
    loy_recent_destroy(recent);
}

static void nothing_else_is(void **state)
{
    (void)state;
    struct loy_recent *recent = loy_recent_new();
    assert_non_null(recent);
    assert_false(loy_recent_has(recent, (struct loy_digest){{0}}));
    for (uint64_t i = 0; i < 4 * LOY_RECENT_KEYS; i++) { /* full, several times over */
        loy_recent_put(recent, key_of(i));
    }
    for (uint64_t i = 0; i < 1000; i++) {
        assert_false(loy_recent_has(recent, key_of(UINT64_C(1) << 40 | i)));
    }
    loy_recent_destroy(recent);
    loy_recent_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_lately_is_there),
        cmocka_unit_test(nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
