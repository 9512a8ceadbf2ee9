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

static char bytes[1024];

static const struct loy_str json = {"{\"version\":\"77\",\"a\":{\"b\":\"}\"}}", 30};
static char room[LOY_REDIS_ROW_MAX * 4];

static struct loy_str encoded(void)
{
    struct loy_member_row row = example();
    assert_int_equal(json.len, strlen(json.at));
    assert_true(loy_redis_row_fits(&row, json));
    loy_redis_row_encode(&row, json, 3, bytes);
    return (struct loy_str){bytes, loy_redis_row_length(&row, json)};
}

static bool decodes(struct loy_str value, const struct loy_account_key *of, int32_t incarnation,
                    struct loy_member_row *ret_row)
{
    struct loy_arena arena;
    loy_arena_init(&arena, room, sizeof room);
    return loy_redis_row_decode(value, of, incarnation, &arena, ret_row);
}

static void a_value_is_json_and_ends_with_the_row(void **state)
{
    (void)state;
    struct loy_str value = encoded();
    assert_memory_equal(value.at, json.at, json.len - 1);
    assert_memory_equal(value.at + json.len - 1, ",\"loyald\":\"", 11);
    assert_memory_equal(value.at + value.len - 2, "\"}", 2);
    for (size_t i = json.len + 10; i < value.len - 2; i++) {
        assert_non_null(memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", value.at[i], 64));
    }
}

static void a_state_of_any_length_comes_back(void **state)
{
    (void)state;
    static char text[LOY_REDIS_ROW_MAX];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 31 + i / 256);
    }
    static const size_t lengths[] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255, 256, 257, LOY_REDIS_ROW_MAX - LOY_REDIS_ROW_HEAD};
    static char large[LOY_REDIS_ROW_MAX * 2];
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct loy_member_row row = example();
        struct loy_member_row found;
        row.state = (struct loy_str){text, lengths[i]};
        assert_true(loy_redis_row_fits(&row, json));
        loy_redis_row_encode(&row, json, 3, large);
        assert_true(decodes((struct loy_str){large, loy_redis_row_length(&row, json)}, &key, 3, &found));
        assert_true(loy_str_equal(found.state, row.state));
    }
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    struct loy_member_row row = example();
    static char text[LOY_REDIS_ROW_MAX + LOY_REDIS_JSON_MAX];
    assert_false(loy_redis_row_fits(&row, (struct loy_str){0}));
    assert_false(loy_redis_row_fits(&row, LOY_STR("{}")));
    assert_false(loy_redis_row_fits(&row, LOY_STR("null")));
    assert_false(loy_redis_row_fits(&row, (struct loy_str){text, LOY_REDIS_JSON_MAX + 1}));
    row.state = (struct loy_str){text, LOY_REDIS_ROW_MAX - LOY_REDIS_ROW_HEAD + 1};
    assert_false(loy_redis_row_fits(&row, json));
}

static void a_row_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct loy_member_row row;
    struct loy_member_row expected = example();
    assert_true(decodes(encoded(), &key, 3, &row));
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
    for (size_t bit = (json.len - 1) * 8; bit < text.len * 8; bit++) { /* the JSON is for others */
        struct loy_member_row row;
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        assert_false(decodes(text, &key, 3, &row));
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
}

static void a_cut_or_longer_row_is_told(void **state)
{
    (void)state;
    struct loy_member_row row;
    struct loy_str text = encoded();
    for (size_t length = 0; length < text.len; length++) {
        assert_false(decodes((struct loy_str){bytes, length}, &key, 3, &row));
    }
    assert_false(decodes((struct loy_str){bytes, text.len + 1}, &key, 3, &row));
    bytes[text.len - 2] = bytes[text.len - 1] = 'A'; /* two digits more */
    memcpy(bytes + text.len, "\"}", 2);
    assert_false(decodes((struct loy_str){bytes, text.len + 2}, &key, 3, &row));
}

static void a_row_from_under_another_key_is_told(void **state)
{
    (void)state;
    struct loy_member_row row;
    struct loy_str text = encoded();
    struct loy_account_key other = {5, LOY_STR("member-2")};
    struct loy_account_key elsewhere = {6, key.member_id};
    assert_false(decodes(text, &other, 3, &row));
    assert_false(decodes(text, &elsewhere, 3, &row));
    assert_false(decodes(text, &key, 4, &row));
    assert_true(decodes(text, &key, 3, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_read_as_it_was_written),
        cmocka_unit_test(a_value_is_json_and_ends_with_the_row),
        cmocka_unit_test(a_state_of_any_length_comes_back),
        cmocka_unit_test(what_does_not_fit_is_told),
        cmocka_unit_test(every_damaged_bit_is_told),
        cmocka_unit_test(a_cut_or_longer_row_is_told),
        cmocka_unit_test(a_row_from_under_another_key_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
