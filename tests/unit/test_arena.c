#include "support/cmocka_all.h"

#include "base/arena.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WITH_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

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

/* Without this the sanitizer would see one large object, and no overrun in it. */
static void a_sanitizer_sees_the_ends_of_allocations(void **state)
{
    (void)state;
#ifdef WITH_ASAN
    char block[256];
    struct loy_arena arena;
    loy_arena_init(&arena, block, sizeof block);
    char *first = loy_arena_alloc(&arena, 16);
    struct loy_arena_mark mark = loy_arena_mark(&arena);
    char *second = loy_arena_alloc(&arena, 5);
    assert_false(__asan_address_is_poisoned(first + 15));
    assert_true(__asan_address_is_poisoned(first + 16));
    assert_false(__asan_address_is_poisoned(second + 4));
    assert_true(__asan_address_is_poisoned(second + 5));
    loy_arena_reset_to(&arena, mark);
    assert_true(__asan_address_is_poisoned(second));
    assert_ptr_equal(loy_arena_alloc(&arena, 5), second);
    assert_false(__asan_address_is_poisoned(second));
    loy_arena_init(&arena, block, sizeof block); /* the block is its owner's again */
    assert_false(__asan_address_is_poisoned(first + 16));
#else
    skip();
#endif
}

static void only_the_latest_allocation_is_resized(void **state)
{
    (void)state;
    char block[256];
    struct loy_arena arena;
    loy_arena_init(&arena, block, sizeof block);
    char *first = loy_arena_alloc(&arena, 20);
    assert_true(loy_arena_resize(&arena, first, 20, 64));
    assert_false(loy_arena_resize(&arena, first, 64, sizeof block + 1));
    assert_true(loy_arena_resize(&arena, first, 64, 10));
    size_t used = arena.used;
    assert_true(used < 64);
    char *second = loy_arena_alloc(&arena, 8);
    assert_ptr_equal(second, first + used);
    assert_false(loy_arena_resize(&arena, first, 10, 12));
    assert_true(loy_arena_resize(&arena, second, 8, arena.size - used));
    assert_null(loy_arena_alloc(&arena, 1));
    assert_int_equal(arena.used, arena.peak);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_within_the_block),
        cmocka_unit_test(a_full_arena_returns_null_and_stays_usable),
        cmocka_unit_test(calloc_clears_what_was_used_before),
        cmocka_unit_test(a_sanitizer_sees_the_ends_of_allocations),
        cmocka_unit_test(only_the_latest_allocation_is_resized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
