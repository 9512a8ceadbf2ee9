#include "support/cmocka_all.h"

#include "adapters/pg/params.h"

static void an_array_is_written_as_array_send_does(void **state)
{
    (void)state;
    char block[512];
    struct loy_arena arena;
    struct loy_pg_params params;
    loy_arena_init(&arena, block, sizeof block);
    loy_pg_params_init(&params, &arena);
    uint8_t *at = loy_pg_param_array(&params, LOY_PG_INT4_ARRAY, LOY_PG_INT4, 2, 8);
    at = loy_pg_put_i32(at, 1);
    at = loy_pg_put_i32(at, -2);
    static const uint8_t expected[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0,    2,    0,    0,
                                       0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0,  0, 4, 0xff, 0xff, 0xff, 0xfe};
    assert_int_equal(params.count, 1);
    assert_int_equal(params.types[0], 1007);
    assert_int_equal(params.formats[0], 1);
    assert_int_equal(params.lengths[0], sizeof expected);
    assert_ptr_equal(at, params.values[0] + params.lengths[0]);
    assert_memory_equal(params.values[0], expected, sizeof expected);
}

static void scalars_are_big_endian(void **state)
{
    (void)state;
    char block[512];
    struct loy_arena arena;
    struct loy_pg_params params;
    loy_arena_init(&arena, block, sizeof block);
    loy_pg_params_init(&params, &arena);
    loy_pg_param_i32(&params, 258);
    loy_pg_param_time(&params, INT64_C(946684800000001));
    loy_pg_param_text(&params, LOY_STR("a\0b"));
    loy_pg_param_text(&params, (struct loy_str){0});
    assert_memory_equal(params.values[0], "\0\0\1\2", 4);
    assert_memory_equal(params.values[1], "\0\0\0\0\0\0\0\1", 8);
    assert_int_equal(params.lengths[2], 3);
    assert_memory_equal(params.values[2], "a\0b", 3);
    assert_int_equal(params.lengths[3], 0);
    assert_non_null(params.values[3]); /* NULL would be SQL's null */
}

static void a_full_arena_fails_once_and_for_all(void **state)
{
    (void)state;
    char block[64];
    struct loy_arena arena;
    struct loy_pg_params params;
    loy_arena_init(&arena, block, sizeof block);
    loy_pg_params_init(&params, &arena);
    assert_null(loy_pg_param_array(&params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, 100, 800));
    loy_pg_param_i32(&params, 1);
    loy_pg_param_text(&params, LOY_STR("x"));
    assert_true(params.failed);
    assert_int_equal(params.count, 0);
}

static void moments_go_there_and_back(void **state)
{
    (void)state;
    static const int64_t moments[] = {0, -1, 1, INT64_C(946684800000000), INT64_C(1790000000000000), INT64_MAX};
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        assert_int_equal(loy_pg_time_back(loy_pg_time(moments[i])), moments[i]);
    }
    /* What is before PostgreSQL's first day must not become its -infinity. */
    assert_int_equal(loy_pg_time(INT64_MIN), INT64_MIN + 1);
    assert_int_equal(loy_pg_time_back(INT64_MAX), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_is_written_as_array_send_does),
        cmocka_unit_test(scalars_are_big_endian),
        cmocka_unit_test(a_full_arena_fails_once_and_for_all),
        cmocka_unit_test(moments_go_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
