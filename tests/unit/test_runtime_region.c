#include "runtime/region.h"

#include "support/cmocka_all.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

/* How many pages of the region are in memory. */
static size_t resident(const struct loy_region *region)
{
    size_t pages = region->size / (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *map = malloc(pages);
    assert_non_null(map);
    assert_int_equal(mincore(region->block, region->size, map), 0);
    size_t count = 0;
    for (size_t i = 0; i < pages; i++) {
        count += map[i] & 1;
    }
    free(map);
    return count;
}

static void costs_memory_only_where_it_was_touched(void **state)
{
    (void)state;
    struct loy_region region;
    struct loy_arena arena;
    assert_int_equal(loy_region_map((size_t)512 * MIB + 1, &region, NULL), LOY_OK);
    assert_int_equal(region.size, (size_t)512 * MIB + (size_t)sysconf(_SC_PAGESIZE));
    loy_region_arena(&region, &arena);
    assert_int_equal(resident(&region), 0);
    memset(loy_arena_alloc(&arena, MIB), 1, MIB);
    assert_in_range(resident(&region) * (size_t)sysconf(_SC_PAGESIZE), MIB, 4 * MIB);
    loy_region_unmap(&region);
    loy_region_unmap(&region);
}

static void pages_above_what_is_kept_go_back_after_a_large_batch(void **state)
{
    (void)state;
    struct loy_region region;
    struct loy_arena arena;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    assert_int_equal(loy_region_map((size_t)64 * MIB, &region, NULL), LOY_OK);
    loy_region_arena(&region, &arena);

    memset(loy_arena_alloc(&arena, MIB), 1, MIB);
    loy_region_reset(&region, &arena, 2 * MIB);
    assert_int_equal(arena.used, 0);
    assert_true(resident(&region) * page >= MIB); /* a usual batch keeps its pages: they will be used again */

    memset(loy_arena_alloc(&arena, (size_t)32 * MIB), 1, (size_t)32 * MIB);
    assert_true(resident(&region) * page >= (size_t)32 * MIB);
    loy_region_reset(&region, &arena, 2 * MIB);
    assert_true(resident(&region) * page <= (size_t)2 * MIB);
    assert_int_equal(arena.peak, 0);
    assert_non_null(memset(loy_arena_alloc(&arena, (size_t)32 * MIB), 1, (size_t)32 * MIB));
    loy_region_unmap(&region);
}

static void more_than_there_are_addresses_is_refused(void **state)
{
    (void)state;
    struct loy_region region;
    struct loy_error error;
    assert_int_equal(loy_region_map((size_t)1 << 60, &region, &error), LOY_ERR_NO_MEMORY);
    assert_non_null(strstr(error.detail, "1152921504606846976"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_memory_only_where_it_was_touched),
        cmocka_unit_test(pages_above_what_is_kept_go_back_after_a_large_batch),
        cmocka_unit_test(more_than_there_are_addresses_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
