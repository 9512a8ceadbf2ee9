#include "support/cmocka_all.h"

#include "adapters/wire/usual.h"
#include "support/wire_case.h"

#include <stdlib.h>

static const char *const purchases[] = {
    "\"purchase\": {\"order_id\": \"o-1\", \"lines\": [{\"sku\": \"x\", \"category\": \"toys\", "
    "\"quantity_milli\": 2000, \"amount_minor\": 250}, {\"amount_minor\": 100}], \"total_minor\": 350}",
    "\"channel\": \"web\", \"store\": {\"id\": \"s1\", \"kind\": \"corner\", \"city\": \"Tver\", \"region\": \"T\"}, "
    "\"partner\": \"bp\", \"purchase\": {\"order_id\": \"o-1\", \"order_version\": 3, \"status\": \"PAID\", "
    "\"currency\": \"RUB\", \"lines\": [{\"line_id\": \"a\", \"sku\": \"x\", \"category\": \"c\", \"brand\": \"b\", "
    "\"labels\": [\"own\", \"bio\"], \"kind\": \"DELIVERY\", \"quantity_milli\": 0, \"amount_minor\": 0, "
    "\"unit_price_minor\": 5, \"discount_minor\": 6, \"tax_minor\": 7, \"cost_minor\": 0}, {\"amount_minor\": "
    "70000000000}], \"total_minor\": 70000000000, \"tenders\": [{\"kind\": \"card\", \"amount_minor\": 300}, "
    "{\"kind\": \"points\", \"points\": 10, \"wallet\": \"points\"}], \"cashier\": \"c-7\"}",
    "\"purchase\": {\"order_id\": \"o\", \"lines\": [{\"line_id\": \"3\", \"amount_minor\": 1}, {\"amount_minor\": "
    "2}]}",
};

static const char *const others[] = {
    "\"preview\": true, \"purchase\": {\"order_id\": \"o-1\", \"lines\": [{\"amount_minor\": 1}]}",
    "\"attributes\": {\"a\": \"1\"}, \"purchase\": {\"order_id\": \"o-1\", \"lines\": [{\"amount_minor\": 1}]}",
    "\"purchase\": {\"order_id\": \"o-1\", \"coupon_codes\": [\"c\"], \"lines\": [{\"amount_minor\": 1}]}",
    "\"purchase\": {\"order_id\": \"\xD1\x8F\", \"lines\": [{\"amount_minor\": 1}]}",
    "\"purchase\": {\"order_id\": \"o-1\", \"lines\": [{\"amount_minor\": 1, \"tax_minor\": -1}]}",
    "\"activity\": {\"name\": \"check_in\"}",
};

static void assert_same_text(struct loy_str one, struct loy_str other)
{
    assert_true(loy_str_equal(one, other));
}

static void assert_same_lines(const struct loy_purchase *one, const struct loy_purchase *other)
{
    assert_int_equal(one->line_count, other->line_count);
    for (uint32_t i = 0; i < one->line_count; i++) {
        const struct loy_line *a = &one->lines[i], *b = &other->lines[i];
        assert_same_text(a->line_id, b->line_id);
        assert_same_text(a->sku, b->sku);
        assert_same_text(a->category, b->category);
        assert_same_text(a->brand, b->brand);
        assert_int_equal(a->label_count, b->label_count);
        for (uint32_t j = 0; j < a->label_count; j++) {
            assert_same_text(a->labels[j], b->labels[j]);
        }
        assert_int_equal(a->kind, b->kind);
        assert_int_equal(a->quantity_milli, b->quantity_milli);
        assert_int_equal(a->amount_minor, b->amount_minor);
        assert_int_equal(a->discount_minor, b->discount_minor);
        assert_int_equal(a->tax_minor, b->tax_minor);
        assert_int_equal(a->cost_minor, b->cost_minor);
        assert_int_equal(a->has_cost, b->has_cost);
    }
}

static void assert_same_purchase(const struct loy_purchase *one, const struct loy_purchase *other)
{
    assert_same_text(one->order_id, other->order_id);
    assert_int_equal(one->order_version, other->order_version);
    assert_int_equal(one->status, other->status);
    assert_same_text(one->currency, other->currency);
    assert_int_equal(one->total_minor, other->total_minor);
    assert_same_text(one->cashier, other->cashier);
    assert_same_lines(one, other);
    assert_int_equal(one->tender_count, other->tender_count);
    for (uint32_t i = 0; i < one->tender_count; i++) {
        const struct loy_tender *a = &one->tenders[i], *b = &other->tenders[i];
        assert_same_text(a->kind, b->kind);
        assert_int_equal(a->amount_minor, b->amount_minor);
        assert_int_equal(a->points, b->points);
        assert_same_text(a->wallet, b->wallet);
    }
}

static void assert_same_event(const struct loy_event *one, const struct loy_event *other)
{
    assert_int_equal(one->kind, other->kind);
    assert_same_text(one->event_id, other->event_id);
    assert_same_text(one->source, other->source);
    assert_same_text(one->member_id, other->member_id);
    assert_same_text(one->identifier_value, other->identifier_value);
    assert_int_equal(one->identifier_kind, other->identifier_kind);
    assert_int_equal(one->occurred_at_us, other->occurred_at_us);
    assert_same_text(one->channel, other->channel);
    assert_same_text(one->store_id, other->store_id);
    assert_same_text(one->store_kind, other->store_kind);
    assert_same_text(one->store_city, other->store_city);
    assert_same_text(one->store_region, other->store_region);
    assert_same_text(one->partner, other->partner);
    assert_int_equal(one->attribute_count, other->attribute_count);
    assert_int_equal(one->preview, other->preview);
    assert_same_text(one->correlation_id, other->correlation_id);
    assert_same_text(one->order_id, other->order_id);
    assert_same_text(one->activity_name, other->activity_name);
    assert_null(one->feedback);
    assert_null(one->change);
    assert_int_equal(one->tick_due_at_us, other->tick_due_at_us);
    assert_same_text(one->encoded, other->encoded);
    assert_same_purchase(&one->purchase, &other->purchase);
}

/* Reads the bytes both ways; true: the short way took them. */
static bool agree(struct wire_case *test, struct loy_str bytes)
{
    struct loy_arena_mark mark = loy_arena_mark(&test->arena);
    struct loy_event usual;
    bool is_usual = loy_wire_usual_read(bytes, &test->arena, &usual);
    if (is_usual) {
        struct loy_event event;
        assert_int_equal(loy_wire_event_decode(bytes, &test->arena, &event, &test->error), LOY_OK);
        assert_same_event(&usual, &event);
    } else {
        assert_int_equal(test->arena.used, mark.used);
    }
    loy_arena_reset_to(&test->arena, mark);
    return is_usual;
}

static struct loy_str encode(struct wire_case *test, const char *kind_and_value)
{
    wire_case_init(test);
    assert_int_equal(wire_case_kind(test, kind_and_value), LOY_OK);
    return test->event.encoded;
}

static void purchases_are_read_the_short_way_and_are_the_same(void **state)
{
    (void)state;
    struct wire_case test;
    for (size_t i = 0; i < sizeof purchases / sizeof *purchases; i++) {
        assert_true(agree(&test, encode(&test, purchases[i])));
    }
}

static void what_is_rare_is_left_to_the_long_way(void **state)
{
    (void)state;
    struct wire_case test;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(agree(&test, encode(&test, others[i])));
    }
}

/* Bytes that differ from a purchase a little: whatever the short way takes, the long way takes as the same. */
static void neighbours_of_purchases_are_the_same_both_ways(void **state)
{
    (void)state;
    enum { ROUNDS = 60000 };
    struct wire_case test;
    unsigned taken = 0, left = 0, seed = 1;
    for (size_t i = 0; i < sizeof purchases / sizeof *purchases; i++) {
        struct loy_str bytes = encode(&test, purchases[i]);
        assert_true(bytes.len > 1);
        for (int round = 0; round < ROUNDS; round++) {
            struct loy_arena_mark mark = loy_arena_mark(&test.arena);
            char *changed = loy_arena_copy(&test.arena, bytes.at, bytes.len);
            size_t length = bytes.len - (rand_r(&seed) % 16 == 0 ? 1 : 0);
            for (int change = 0; change <= round % 3; change++) {
                size_t at = (size_t)rand_r(&seed) % bytes.len;
                changed[at] = (char)(rand_r(&seed) % 2 ? rand_r(&seed) : changed[at] + rand_r(&seed) % 3 - 1);
            }
            bool is_usual = agree(&test, (struct loy_str){changed, length});
            taken += is_usual;
            left += !is_usual;
            loy_arena_reset_to(&test.arena, mark);
        }
    }
    assert_true(taken > ROUNDS / 2);
    assert_true(left > ROUNDS / 2);
}

static void a_total_that_is_not_the_lines_is_left_to_the_long_way(void **state)
{
    (void)state;
    struct wire_case test;
    struct loy_str bytes = encode(&test, purchases[0]);
    char *changed = loy_arena_copy(&test.arena, bytes.at, bytes.len);
    changed[bytes.len - 2]--;
    assert_false(agree(&test, (struct loy_str){changed, bytes.len}));
    assert_int_equal(wire_case_decode(&test, (struct loy_str){changed, bytes.len}, false), LOY_ERR_TOTAL_DIFFERS);
}

static void a_full_arena_is_left_to_the_long_way(void **state)
{
    (void)state;
    struct wire_case test;
    struct loy_str bytes = encode(&test, purchases[1]);
    char block[256];
    struct loy_event event;
    for (size_t size = 0; size < sizeof block; size += 16) {
        struct loy_arena small;
        loy_arena_init(&small, block, size);
        assert_false(loy_wire_usual_read(bytes, &small, &event));
        assert_int_equal(small.used, 0);
    }
    LOY_UNPOISON(block, sizeof block); /* the stack has another use for it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purchases_are_read_the_short_way_and_are_the_same),
        cmocka_unit_test(what_is_rare_is_left_to_the_long_way),
        cmocka_unit_test(neighbours_of_purchases_are_the_same_both_ways),
        cmocka_unit_test(a_total_that_is_not_the_lines_is_left_to_the_long_way),
        cmocka_unit_test(a_full_arena_is_left_to_the_long_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
