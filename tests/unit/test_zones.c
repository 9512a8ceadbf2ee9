#include "support/cmocka_all.h"

#include "adapters/zones/rule.h"
#include "adapters/zones/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static char block[1 << 20];

static struct loy_zone read_zone(const char *name)
{
    struct loy_arena arena;
    struct loy_zone zone = {NULL, 0};
    struct loy_error error = {.detail = ""};
    loy_arena_init(&arena, block, sizeof block);
    if (loy_zones_read(NULL, loy_str(name), &arena, &zone, &error) != LOY_OK) {
        fail_msg("%s: %s", name, error.detail);
    }
    return zone;
}

/* The C library reads the same files: an independent reader to compare with. */
static void every_zone_agrees_with_the_c_library(void **state)
{
    static const char *const names[] = {"Europe/Moscow",       "Europe/Berlin",     "America/New_York",
                                        "Asia/Kathmandu",      "Australia/Sydney",  "America/St_Johns",
                                        "Asia/Tokyo",          "Africa/Casablanca", "Europe/Dublin",
                                        "America/Los_Angeles", "Pacific/Apia",      "Etc/GMT+5"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct loy_zone zone = read_zone(names[i]);
        assert_int_equal(setenv("TZ", names[i], 1), 0);
        tzset();
        for (time_t at = -2000000000; at < 4000000000; at += 86400 * 9 + 4321) {
            struct tm local;
            localtime_r(&at, &local);
            int32_t offset = loy_zone_offset_s(&zone, (int64_t)at * LOY_US_PER_SECOND);
            if (offset != local.tm_gmtoff) {
                fail_msg("%s at %lld: %d, the C library says %ld", names[i], (long long)at, offset, local.tm_gmtoff);
            }
        }
    }
}

static void transitions_ascend(void **state)
{
    (void)state;
    struct loy_zone zone = read_zone("America/New_York");
    assert_true(zone.count > 100);
    for (size_t i = 1; i < zone.count; i++) {
        assert_true(zone.transitions[i].from_us > zone.transitions[i - 1].from_us);
        assert_true(zone.transitions[i].offset_s != zone.transitions[i - 1].offset_s);
    }
}

static void the_rule_reaches_beyond_the_file(void **state)
{
    (void)state;
    struct loy_zone zone = read_zone("Europe/Berlin");
    int64_t summer = loy_days_from_date((struct loy_date){2090, 7, 1}) * LOY_US_PER_DAY;
    int64_t winter = loy_days_from_date((struct loy_date){2090, 12, 1}) * LOY_US_PER_DAY;
    assert_int_equal(loy_zone_offset_s(&zone, summer), 7200);
    assert_int_equal(loy_zone_offset_s(&zone, winter), 3600);
}

static void what_is_no_name_never_leaves_the_folder(void **state)
{
    static const char *const names[] = {"",        "../../etc/passwd", "/etc/passwd", "Europe//Moscow",
                                        "Europe/", "Europe/Mosow",     "a b"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct loy_arena arena;
        struct loy_zone zone;
        loy_arena_init(&arena, block, sizeof block);
        assert_int_equal(loy_zones_read(NULL, loy_str(names[i]), &arena, &zone, NULL), LOY_ERR_NOT_FOUND);
    }
}

static void rules_are_read_as_posix_has_them(void **state)
{
    struct loy_zone_rule rule;
    (void)state;
    assert_true(loy_zone_rule_parse(LOY_STR("<+0545>-5:45"), &rule));
    assert_int_equal(rule.standard_s, 20700);
    assert_false(rule.has_summer);
    assert_true(loy_zone_rule_parse(LOY_STR("EST5EDT,M3.2.0,M11.1.0"), &rule));
    assert_int_equal(rule.summer_s, -14400);
    assert_int_equal(loy_zone_change_second(&rule.to_summer, 2026) / 86400,
                     loy_days_from_date((struct loy_date){2026, 3, 8}));
    assert_true(loy_zone_rule_parse(LOY_STR("IST-1GMT0,M10.5.0,M3.5.0/1"), &rule));
    assert_int_equal(rule.summer_s, 0);
    assert_true(loy_zone_rule_parse(LOY_STR("A0B,J60,300/-2"), &rule));
    assert_int_equal(loy_zone_change_second(&rule.to_summer, 2024) / 86400,
                     loy_days_from_date((struct loy_date){2024, 3, 1}));
    assert_false(loy_zone_rule_parse(LOY_STR("EST5EDT"), &rule));
    assert_false(loy_zone_rule_parse(LOY_STR("EST5EDT,M13.1.0,M1.1.0"), &rule));
    assert_false(loy_zone_rule_parse(LOY_STR("EST5EDT,M3.2.0,M11.1.0x"), &rule));
}

static void broken_files_are_corrupt_not_a_crash(void **state)
{
    (void)state;
    FILE *file = fopen(LOY_ZONES_FOLDER "/Europe/Berlin", "rb");
    assert_non_null(file);
    static char bytes[LOY_ZONES_MAX_FILE], copy[LOY_ZONES_MAX_FILE];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    struct loy_arena arena;
    struct loy_zone zone;
    for (size_t cut = 0; cut < size; cut += 7) {
        loy_arena_init(&arena, block, sizeof block);
        assert_int_equal(loy_zones_parse((struct loy_str){bytes, cut}, &arena, &zone, NULL), LOY_ERR_CORRUPT);
    }
    for (size_t i = 0; i < size; i++) { /* any answer but a crash */
        memcpy(copy, bytes, size);
        copy[i] = (char)(copy[i] ^ 0x80);
        loy_arena_init(&arena, block, sizeof block);
        enum loy_err err = loy_zones_parse((struct loy_str){copy, size}, &arena, &zone, NULL);
        assert_true(err == LOY_OK || err == LOY_ERR_CORRUPT || err == LOY_ERR_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_agrees_with_the_c_library),
        cmocka_unit_test(transitions_ascend),
        cmocka_unit_test(the_rule_reaches_beyond_the_file),
        cmocka_unit_test(what_is_no_name_never_leaves_the_folder),
        cmocka_unit_test(rules_are_read_as_posix_has_them),
        cmocka_unit_test(broken_files_are_corrupt_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
