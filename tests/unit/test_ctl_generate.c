#include "support/cmocka_all.h"

#include "adapters/wire/wire.h"
#include "base/calendar.h"
#include "base/table.h"
#include "ctl/generate.h"
#include "ctl/record_file.h"
#include "ctl/shop.h"

#include <stdlib.h>

enum { EVENTS = 20000, ARENA_BYTES = 64 << 20, SCRATCH_BYTES = 20 << 20 };

static const struct loy_generate_options usual = {
    .members = 400,
    .events = EVENTS,
    .seed = 7,
    .days = 365,
    .start_day = 20454, /* 2026-01-01 */
    .duplicates = 30000,
    .no_member = 20000,
    .broken = 25000,
    .member_prefix = "m",
    .source = "generator",
};

static struct loy_generator *generator_of(const struct loy_generate_options *options)
{
    struct loy_generator *generator = NULL;
    assert_int_equal(loy_generator_new(options, &generator, NULL), LOY_OK);
    return generator;
}

static bool next(struct loy_generator *generator, struct loy_generated *record)
{
    enum loy_err err = loy_generator_next(generator, record, NULL);
    assert_true(err == LOY_OK || err == LOY_ERR_NOT_FOUND);
    return err == LOY_OK;
}

static void the_same_seed_gives_the_same_bytes_and_another_one_does_not(void **state)
{
    (void)state;
    struct loy_generate_options other = usual;
    other.seed = 8;
    struct loy_generator *a = generator_of(&usual), *b = generator_of(&usual), *c = generator_of(&other);
    struct loy_generated first, second, third;
    uint64_t count = 0, different = 0;
    while (next(a, &first)) {
        assert_true(next(b, &second) && next(c, &third));
        assert_int_equal(first.sort, second.sort);
        assert_true(loy_str_equal(first.bytes, second.bytes));
        different += !loy_str_equal(first.bytes, third.bytes);
        count++;
    }
    assert_false(next(b, &second));
    assert_int_equal(count, EVENTS);
    assert_int_equal(different, EVENTS);
    loy_generator_destroy(a);
    loy_generator_destroy(b);
    loy_generator_destroy(c);
}

/* The bytes of a well-known stream: a change here changes what everybody's seed means. */
static void a_seed_means_the_same_on_every_machine(void **state)
{
    (void)state;
    struct loy_rng rng = {1234567};
    assert_true(loy_rng_next(&rng) == UINT64_C(6457827717110365317)); /* splitmix64's published first values */
    assert_true(loy_rng_next(&rng) == UINT64_C(3203168211198807973));
    assert_true(loy_rng_next(&rng) == UINT64_C(9817491932198370423));
}

struct decoded {
    enum loy_err err;
    struct loy_event event;
};

static struct decoded decode(struct loy_str bytes, struct loy_arena *arena)
{
    struct decoded decoded;
    const struct loy_record record = {.has_value = true, .value = bytes};
    loy_arena_reset(arena);
    decoded.err = loy_wire_decode(&record, false, arena, &decoded.event, NULL);
    return decoded;
}

static enum loy_err expected_error(enum loy_record_sort sort)
{
    switch (sort) {
    case LOY_RECORD_CUT_OFF:
        return LOY_ERR_MALFORMED;
    case LOY_RECORD_WRONG_TOTAL:
        return LOY_ERR_TOTAL_DIFFERS;
    case LOY_RECORD_UNKNOWN_KIND:
        return LOY_ERR_UNKNOWN_KIND;
    case LOY_RECORD_INVALID_UTF8:
        return LOY_ERR_INVALID_TEXT;
    case LOY_RECORD_BAD_MEMBER:
        return LOY_ERR_INVALID_MEMBER;
    default:
        return LOY_OK;
    }
}

/* Every record is what it was made for, in the eyes of the worker's own decoder; and repeats repeat. */
static void check_stream(bool json)
{
    struct loy_generate_options options = usual;
    options.json = json;
    void *block = malloc(ARENA_BYTES), *scratch = malloc(SCRATCH_BYTES);
    struct loy_arena kept, arena;
    struct loy_table seen;
    struct loy_generated record;
    uint64_t sorts[LOY_RECORD_SORT_COUNT] = {0}, kinds[LOY_EVENT_KIND_COUNT] = {0};
    int64_t last_us = INT64_MIN;
    assert_true(block && scratch);
    loy_arena_init(&kept, block, ARENA_BYTES);
    loy_arena_init(&arena, scratch, SCRATCH_BYTES);
    assert_true(loy_table_init(&seen, &kept, EVENTS));
    struct loy_generator *generator = generator_of(&options);
    while (next(generator, &record)) {
        struct decoded decoded = decode(record.bytes, &arena);
        sorts[record.sort]++;
        assert_int_equal(decoded.err, expected_error(record.sort));
        if (record.sort == LOY_RECORD_DUPLICATE) {
            assert_true(loy_table_find(&seen, record.bytes) >= 0);
        } else {
            struct loy_str copy = loy_str_copy(&kept, record.bytes);
            assert_true(copy.at && loy_table_find(&seen, copy) < 0);
            assert_int_equal(loy_table_put(&seen, copy, 1), 1);
        }
        if (record.sort == LOY_RECORD_VALID) {
            kinds[decoded.event.kind]++;
            assert_true(decoded.event.occurred_at_us >= last_us); /* in the order of time */
            last_us = decoded.event.occurred_at_us;
            assert_true(loy_str_equal(loy_record_member(record.bytes), decoded.event.member_id));
        }
        if (record.sort == LOY_RECORD_NO_MEMBER) {
            assert_int_equal(decoded.event.member_id.len, 0);
            assert_int_equal(loy_record_member(record.bytes).len, 0);
        }
    }
    loy_generator_destroy(generator);
    for (int kind = LOY_EVENT_PURCHASE; kind < LOY_EVENT_TICK; kind++) {
        assert_true(kinds[kind] > 0);
    }
    assert_true(kinds[LOY_EVENT_PURCHASE] > sorts[LOY_RECORD_VALID] / 2);
    assert_in_range(sorts[LOY_RECORD_DUPLICATE], EVENTS * 25 / 1000, EVENTS * 35 / 1000);
    assert_in_range(sorts[LOY_RECORD_NO_MEMBER], EVENTS * 16 / 1000, EVENTS * 24 / 1000);
    for (int sort = LOY_RECORD_FIRST_BROKEN; sort < LOY_RECORD_SORT_COUNT; sort++) {
        assert_in_range(sorts[sort], EVENTS * 3 / 1000, EVENTS * 7 / 1000);
    }
    free(block);
    free(scratch);
}

static void protobuf_records_are_what_they_were_made_for(void **state)
{
    (void)state;
    check_stream(false);
}

static void json_records_are_what_they_were_made_for(void **state)
{
    (void)state;
    check_stream(true);
}

static void members_have_ids_of_their_range_and_none_is_left_out(void **state)
{
    (void)state;
    bool seen[401] = {false};
    uint32_t distinct = 0, most = 0, counts[401] = {0};
    struct loy_generated record;
    struct loy_generator *generator = generator_of(&usual);
    while (next(generator, &record)) {
        struct loy_str member = loy_record_member(record.bytes);
        int64_t number = 0;
        if (record.sort != LOY_RECORD_VALID) {
            continue;
        }
        assert_int_equal(member.at[0], 'm');
        assert_true(loy_str_to_i64((struct loy_str){member.at + 1, member.len - 1}, &number));
        assert_in_range(number, 1, 400);
        distinct += !seen[number];
        seen[number] = true;
        most = ++counts[number] > most ? counts[number] : most;
    }
    loy_generator_destroy(generator);
    assert_in_range(distinct, 380, 400);
    assert_in_range(most, EVENTS / 400 * 3, EVENTS / 400 * 12); /* the keenest: several times the average */
}

static void a_stream_stays_within_its_days_and_may_be_tiny(void **state)
{
    (void)state;
    for (uint64_t events = 0; events < 40; events += 3) {
        struct loy_generate_options options = usual;
        char scratch[1 << 16];
        struct loy_generated record;
        uint64_t count = 0;
        options.events = events;
        options.days = 10;
        options.broken = options.duplicates = options.no_member = 0;
        struct loy_generator *generator = generator_of(&options);
        while (next(generator, &record)) {
            struct loy_arena arena;
            loy_arena_init(&arena, scratch, sizeof scratch);
            struct decoded decoded = decode(record.bytes, &arena);
            assert_int_equal(decoded.err, LOY_OK);
            assert_in_range(loy_local_day(NULL, decoded.event.occurred_at_us), 20454, 20463);
            count++;
        }
        assert_int_equal(count, events);
        loy_generator_destroy(generator);
    }
}

static void the_time_of_day_rises_with_the_share(void **state)
{
    (void)state;
    int64_t last = -1;
    for (uint64_t share = 0; share <= UINT32_MAX; share += 65537) {
        int64_t at = loy_shop_time_of_day_us((uint32_t)share);
        assert_true(at >= last && at < LOY_US_PER_DAY);
        last = at;
    }
    assert_true(loy_shop_time_of_day_us(UINT32_MAX) < LOY_US_PER_DAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes_and_another_one_does_not),
        cmocka_unit_test(a_seed_means_the_same_on_every_machine),
        cmocka_unit_test(protobuf_records_are_what_they_were_made_for),
        cmocka_unit_test(json_records_are_what_they_were_made_for),
        cmocka_unit_test(members_have_ids_of_their_range_and_none_is_left_out),
        cmocka_unit_test(a_stream_stays_within_its_days_and_may_be_tiny),
        cmocka_unit_test(the_time_of_day_rises_with_the_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
