#include "support/cmocka_all.h"

#include "base/arena.h"

static void allocations_are_aligned_and_within_the_block(void **state)
{
    (void)state;
    char block[256];
    struct loy_arena arena;
    loy_arena_init(&arena, block + 1, sizeof block - 1);
    for (size_t size = 0; size < 20; size++) {
        char *at = loy_arena_alloc(&arena, size);
        if (!at) {
            break;
        }
        assert_int_equal((uintptr_t)at % 16, 0);
        assert_true(at >= block && at + size <= block + sizeof block);
    }
}

static void a_full_arena_returns_null_and_stays_usable(void **state)
{
    (void)state;
    char block[128];
    struct loy_arena arena;
    loy_arena_init(&arena, block, sizeof block);
    struct loy_arena_mark mark = loy_arena_mark(&arena);
    assert_null(loy_arena_alloc(&arena, 129));
    assert_null(loy_arena_calloc(&arena, SIZE_MAX / 2, 3));
    assert_non_null(loy_arena_alloc(&arena, 64));
    assert_null(loy_arena_alloc(&arena, 100));
    loy_arena_reset_to(&arena, mark);
    assert_non_null(loy_arena_alloc(&arena, 100));
    assert_true(arena.peak <= arena.size);
}

static void calloc_clears_what_was_used_before(void **state)
{
    (void)state;
    char block[128];
    struct loy_arena arena;
    loy_arena_init(&arena, block, sizeof block);
    memset(loy_arena_alloc(&arena, 96), 0xff, 96);
    loy_arena_reset(&arena);
    const char *at = loy_arena_calloc(&arena, 8, 12);
    for (int i = 0; i < 96; i++) {
        assert_int_equal(at[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_within_the_block),
        cmocka_unit_test(a_full_arena_returns_null_and_stays_usable),
        cmocka_unit_test(calloc_clears_what_was_used_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
