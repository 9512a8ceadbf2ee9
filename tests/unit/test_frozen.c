/* Tables of time zones that stand with a revision: written as they are read, and read as they were written. */
#include "published/frozen.h"

#include "support/cmocka_all.h"

#include <stdlib.h>

static char block[4 << 20];
static struct loy_arena arena;

static enum loy_err find(const char *text, const char *name, struct loy_zone *ret_zone)
{
    const struct loy_frozen_zones zones = {.text = loy_str(text), .is_frozen = true};
    struct loy_error error = {0};
    loy_arena_init(&arena, block, sizeof block);
    return loy_frozen_zone(&zones, loy_str(name), &arena, ret_zone, &error);
}

static void what_is_written_down_is_read_back(void **state)
{
    static const char *const names[] = {"Europe/Moscow", "Europe/Berlin", "America/St_Johns", "Asia/Tokyo", "UTC"};
    enum { NAMES = sizeof names / sizeof *names };
    (void)state;
    struct loy_zone of_machine[NAMES];
    struct loy_buf buf;
    loy_arena_init(&arena, block, sizeof block);
    loy_buf_init(&buf, &arena, 1 << 20);
    const struct loy_frozen_zones machine = {.written = &buf};
    for (int i = 0; i < NAMES; i++) {
        assert_int_equal(loy_frozen_zone(&machine, loy_str(names[i]), &arena, &of_machine[i], NULL), LOY_OK);
    }
    assert_false(buf.failed);
    print_message("%d zones are %zu bytes\n", NAMES, buf.len);
    const struct loy_frozen_zones frozen = {.text = loy_buf_str(&buf), .is_frozen = true};
    for (int i = 0; i < NAMES; i++) {
        struct loy_zone zone;
        assert_int_equal(loy_frozen_zone(&frozen, loy_str(names[i]), &arena, &zone, NULL), LOY_OK);
        assert_int_equal(zone.count, of_machine[i].count);
        for (size_t row = 0; row < zone.count; row++) {
            assert_int_equal(zone.transitions[row].from_us, of_machine[i].transitions[row].from_us);
            assert_int_equal(zone.transitions[row].offset_s, of_machine[i].transitions[row].offset_s);
        }
    }
}

static void a_zone_that_is_not_frozen_is_not_looked_for_on_the_machine(void **state)
{
    struct loy_zone zone;
    (void)state;
    assert_int_equal(find("Europe/Moscow 10800\n", "Europe/Berlin", &zone), LOY_ERR_NOT_FOUND);
    assert_int_equal(find("", "Europe/Berlin", &zone), LOY_ERR_NOT_FOUND);
    assert_int_equal(find("Europe/Moscow 10800\n", "Europe", &zone), LOY_ERR_NOT_FOUND);
    assert_int_equal(find("A/B 3600 0 7200\nEurope/Moscow 10800\n", "Europe/Moscow", &zone), LOY_OK);
    assert_int_equal(zone.count, 1);
    assert_int_equal(loy_zone_offset_s(&zone, 0), 10800);
    assert_int_equal(find("A/B 3600 0 7200\n", "A/B", &zone), LOY_OK);
    assert_int_equal(loy_zone_offset_s(&zone, -1), 3600);
    assert_int_equal(loy_zone_offset_s(&zone, 0), 7200);
}

static void a_table_that_cannot_be_is_refused(void **state)
{
    static const char *const bad[] = {
        "A/B\n",
        "A/B \n",
        "A/B x\n",
        "A/B 3600 0\n",
        "A/B 3600 5 7200 5 3600\n",
        "A/B 93601\n",
        "A/B 0 1e9 3600\n",
        "A/B 0  3600\n",
        "A/B 0 9 3600 8 7200\n",
        "A/B 0 253402300801 3600\n",
        "A/B 0 -62135596801 3600\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct loy_zone zone;
        if (find(bad[i], "A/B", &zone) != LOY_ERR_CORRUPT) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_down_is_read_back),
        cmocka_unit_test(a_zone_that_is_not_frozen_is_not_looked_for_on_the_machine),
        cmocka_unit_test(a_table_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
