#include "adapters/redis/row.h"

#include "support/cmocka_all.h"

static const struct loy_account_key key = {5, {"member-1", 8}};

static struct loy_member_row example(void)
{
    struct loy_member_row row = {.k = 5,
                                 .n = 123456,
                                 .member_id = key.member_id,
                                 .seq = INT64_C(1) << 40,
                                 .version = 77,
                                 .state = LOY_STR("the state of an account")};
    row.digest = loy_digest_of(row.state);
    return row;
}

static char bytes[LOY_REDIS_ROW_MAX + 64];

static struct loy_str encoded(void)
{
    struct loy_member_row row = example();
    loy_redis_row_encode(&row, 3, bytes);
    return (struct loy_str){bytes, LOY_REDIS_ROW_HEAD + row.state.len};
}

static void a_row_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct loy_member_row row;
    struct loy_member_row expected = example();
    assert_true(loy_redis_row_decode(encoded(), &key, 3, &row));
    assert_int_equal(row.k, expected.k);
    assert_int_equal(row.n, expected.n);
    assert_int_equal(row.seq, expected.seq);
    assert_int_equal(row.version, expected.version);
    assert_true(loy_str_equal(row.member_id, expected.member_id));
    assert_true(loy_str_equal(row.state, expected.state));
    assert_memory_equal(&row.digest, &expected.digest, sizeof row.digest);
}

static void every_damaged_bit_is_told(void **state)
{
    (void)state;
    struct loy_str text = encoded();
    for (size_t bit = 0; bit < text.len * 8; bit++) {
        struct loy_member_row row;
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        assert_false(loy_redis_row_decode(text, &key, 3, &row));
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
}

static void a_cut_or_longer_row_is_told(void **state)
{
    (void)state;
    struct loy_member_row row;
    struct loy_str text = encoded();
    for (size_t length = 0; length < text.len; length++) {
        assert_false(loy_redis_row_decode((struct loy_str){bytes, length}, &key, 3, &row));
    }
    assert_false(loy_redis_row_decode((struct loy_str){bytes, text.len + 1}, &key, 3, &row));
    assert_false(loy_redis_row_decode((struct loy_str){bytes, LOY_REDIS_ROW_MAX + 1}, &key, 3, &row));
}

static void a_row_from_under_another_key_is_told(void **state)
{
    (void)state;
    struct loy_member_row row;
    struct loy_str text = encoded();
    struct loy_account_key other = {5, LOY_STR("member-2")};
    struct loy_account_key elsewhere = {6, key.member_id};
    assert_false(loy_redis_row_decode(text, &other, 3, &row));
    assert_false(loy_redis_row_decode(text, &elsewhere, 3, &row));
    assert_false(loy_redis_row_decode(text, &key, 4, &row));
    assert_true(loy_redis_row_decode(text, &key, 3, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_read_as_it_was_written),
        cmocka_unit_test(every_damaged_bit_is_told),
        cmocka_unit_test(a_cut_or_longer_row_is_told),
        cmocka_unit_test(a_row_from_under_another_key_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
