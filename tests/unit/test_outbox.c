#include "support/cmocka_all.h"

#include "worker/outbox.h"

static char block[1 << 16];

static struct loy_bus_message message_of(struct loy_str key, struct loy_str value)
{
    return (struct loy_bus_message){.partition = -1, .has_key = true, .has_value = true, .key = key, .value = value};
}

static void check(struct loy_outbox_reader *reader, enum loy_output output, struct loy_str value)
{
    struct loy_outbox_message read;
    assert_true(loy_outbox_get(reader, &read));
    assert_int_equal(read.output, output);
    assert_true(loy_str_equal(read.message.value, value));
}

static void what_was_put_is_read_in_its_order(void **state)
{
    (void)state;
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, block, sizeof block);
    loy_buf_init(&buf, &arena, 16);
    struct loy_bus_message first = message_of(LOY_STR("m-1"), LOY_STR("one"));
    struct loy_header headers[] = {{LOY_STR("h"), LOY_STR("v")}, {LOY_STR("null"), {0}}};
    struct loy_bus_message letter = {.partition = 3, .headers = headers, .header_count = 2};
    loy_outbox_put(&buf, LOY_OUTPUT_UPDATES, &first);
    loy_outbox_put(&buf, LOY_OUTPUT_DEAD_LETTERS, &letter);
    struct loy_outbox_reader reader = {.in = {.bytes = loy_buf_str(&buf)}};
    check(&reader, LOY_OUTPUT_UPDATES, LOY_STR("one"));
    struct loy_outbox_message read;
    assert_true(loy_outbox_get(&reader, &read));
    assert_int_equal(read.output, LOY_OUTPUT_DEAD_LETTERS);
    assert_int_equal(read.message.partition, 3);
    assert_false(read.message.has_key || read.message.has_value);
    assert_int_equal(read.message.header_count, 2);
    assert_true(loy_str_equal(read.headers[0].value, LOY_STR("v")));
    assert_null(read.headers[1].value.at);
    assert_false(loy_outbox_get(&reader, &read));
    assert_false(reader.in.failed);
}

/* A full producer makes the worker read a message again: from either half. */
static void the_latest_update_is_read_as_two_messages(void **state)
{
    (void)state;
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, block, sizeof block);
    loy_buf_init(&buf, &arena, 16);
    struct loy_bus_message older = message_of(LOY_STR("m-1"), LOY_STR("one"));
    struct loy_bus_message latest = message_of(LOY_STR("m-1"), LOY_STR("two"));
    loy_outbox_put(&buf, LOY_OUTPUT_LATEST, &latest);
    assert_true(buf.len <= latest.key.len + latest.value.len + LOY_OUTBOX_OVERHEAD);
    loy_outbox_put(&buf, LOY_OUTPUT_UPDATES, &older);
    struct loy_outbox_reader reader = {.in = {.bytes = loy_buf_str(&buf)}};
    struct loy_outbox_reader again = reader;
    check(&reader, LOY_OUTPUT_UPDATES, LOY_STR("two"));
    check(&again, LOY_OUTPUT_UPDATES, LOY_STR("two"));
    again = reader;
    check(&reader, LOY_OUTPUT_BALANCES, LOY_STR("two"));
    check(&again, LOY_OUTPUT_BALANCES, LOY_STR("two"));
    check(&reader, LOY_OUTPUT_UPDATES, LOY_STR("one"));
    struct loy_outbox_message read;
    assert_false(loy_outbox_get(&reader, &read));
    assert_false(reader.in.failed);
}

static void damaged_rows_are_seen(void **state)
{
    (void)state;
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, block, sizeof block);
    loy_buf_init(&buf, &arena, 16);
    struct loy_bus_message message = message_of(LOY_STR("m-1"), LOY_STR("one"));
    loy_outbox_put(&buf, LOY_OUTPUT_LATEST, &message);
    struct loy_outbox_message read;
    for (size_t len = 1; len < buf.len; len++) {
        struct loy_outbox_reader reader = {.in = {.bytes = {buf.at, len}}};
        assert_false(loy_outbox_get(&reader, &read));
        assert_true(reader.in.failed);
    }
    buf.at[0] = LOY_OUTPUT_PREVIEWS + 1;
    struct loy_outbox_reader reader = {.in = {.bytes = loy_buf_str(&buf)}};
    assert_false(loy_outbox_get(&reader, &read));
    assert_true(reader.in.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_read_in_its_order),
        cmocka_unit_test(the_latest_update_is_read_as_two_messages),
        cmocka_unit_test(damaged_rows_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
