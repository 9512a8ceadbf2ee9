/* The pure ground: numbers, text, calendar, hashes, varints, table. */
#include "support/cmocka_all.h"

#include "base/calendar.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/table.h"
#include "base/varint.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

/* --- numbers --- */

static void muldiv_rounds_once_and_refuses_what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        int64_t a, b, c, floor, half_even, ceil;
    } rows[] = {
        {7, 1, 2, 3, 4, 4},
        {5, 1, 2, 2, 2, 3},
        {-5, 1, 2, -3, -2, -2},
        {-7, 1, 2, -4, -4, -3},
        {6, 1, 3, 2, 2, 2},
        {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
        {99999, 10, 10000, 99, 100, 100},
        {7, 1, -2, -4, -4, -3},
        {0, 5, 3, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got;
        assert_true(loy_i64_muldiv(rows[i].a, rows[i].b, rows[i].c, LOY_ROUND_FLOOR, &got));
        assert_int_equal(got, rows[i].floor);
        assert_true(loy_i64_muldiv(rows[i].a, rows[i].b, rows[i].c, LOY_ROUND_HALF_EVEN, &got));
        assert_int_equal(got, rows[i].half_even);
        assert_true(loy_i64_muldiv(rows[i].a, rows[i].b, rows[i].c, LOY_ROUND_CEIL, &got));
        assert_int_equal(got, rows[i].ceil);
    }
    int64_t untouched = 42;
    assert_false(loy_i64_muldiv(INT64_MAX, 2, 1, LOY_ROUND_FLOOR, &untouched));
    assert_false(loy_i64_muldiv(1, 1, 0, LOY_ROUND_FLOOR, &untouched));
    assert_false(loy_i64_muldiv(INT64_MIN, -1, 1, LOY_ROUND_FLOOR, &untouched));
    assert_false(loy_i64_add(INT64_MAX, 1, &untouched));
    assert_false(loy_i64_sub(INT64_MIN, 1, &untouched));
    assert_false(loy_i64_mul(INT64_MAX, 2, &untouched));
    assert_int_equal(untouched, 42);
}

/* The definition, by counting: the largest whole number that is not above, and how far the quotient is from it. */
static int64_t counted_quotient(int64_t product, int64_t c, enum loy_rounding rounding)
{
    int64_t whole = -2000;
    while ((whole + 1) * c <= product) {
        whole++;
    }
    int64_t rest = product - whole * c;
    bool up = rounding == LOY_ROUND_CEIL
                  ? rest > 0
                  : rounding == LOY_ROUND_HALF_EVEN && (2 * rest > c || (2 * rest == c && whole % 2 != 0));
    return whole + up;
}

static void muldiv_is_the_same_in_64_and_in_128_bits(void **state)
{
    const int64_t far = INT64_C(1) << 62;
    (void)state;
    for (int64_t a = -17; a <= 17; a++) {
        for (int64_t b = -5; b <= 5; b++) {
            for (int64_t c = 1; c <= 9; c++) {
                for (int rounding = LOY_ROUND_FLOOR; rounding <= LOY_ROUND_CEIL; rounding++) {
                    int64_t expected = counted_quotient(a * b, c, (enum loy_rounding)rounding), got;
                    assert_true(loy_i64_muldiv(a, b, c, (enum loy_rounding)rounding, &got));
                    assert_int_equal(got, expected);
                    assert_true(loy_i64_muldiv(a * b, -1, -c, (enum loy_rounding)rounding, &got));
                    assert_int_equal(got, expected);
                }
            }
        }
    }
    int64_t got;
    assert_true(loy_i64_muldiv(far, 6, far, LOY_ROUND_HALF_EVEN, &got));
    assert_int_equal(got, 6);
    assert_true(loy_i64_muldiv(INT64_MIN, 1, INT64_MAX, LOY_ROUND_FLOOR, &got)); /* a rest just below the divisor */
    assert_int_equal(got, -2);
    assert_true(loy_i64_muldiv(INT64_MIN, 1, INT64_MAX, LOY_ROUND_HALF_EVEN, &got));
    assert_int_equal(got, -1);
    assert_true(loy_i64_muldiv(INT64_MAX - 1, 1, INT64_MAX, LOY_ROUND_CEIL, &got));
    assert_int_equal(got, 1);
}

static void decimals_are_exact_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int scale;
        int64_t units;
    } good[] = {{"1480", 2, 148000},
                {"-12.5", 2, -1250},
                {"0.10", 2, 10},
                {"1.500", 2, 150},
                {"+3.14", 2, 314},
                {"0", 0, 0},
                {"-0.01", 2, -1},
                {"9223372036854775807", 0, INT64_MAX},
                {"-92233720368547758.08", 2, INT64_MIN}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t units;
        assert_true(loy_decimal_parse(loy_str(good[i].text), good[i].scale, &units));
        assert_int_equal(units, good[i].units);
        char text[LOY_DECIMAL_TEXT_MAX];
        size_t length = loy_decimal_format(units, good[i].scale, text);
        int64_t back;
        assert_true(loy_decimal_parse((struct loy_str){text, length}, good[i].scale, &back));
        assert_int_equal(back, units);
    }
    static const char *const bad[] = {
        "", "-", ".", "1.", ".5", "1.234", "1,5", "1e3", " 1", "1.2.3", "92233720368547758.08"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t units;
        assert_false(loy_decimal_parse(loy_str(bad[i]), 2, &units));
    }
}

static void whole_numbers_are_printed_as_printf_does(void **state)
{
    (void)state;
    static const int64_t some[] = {0, 9, 10, 99, 100, 101, 999, 1000, 100500, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    uint64_t random = 7;
    for (size_t i = 0; i < 2000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int64_t number = i < sizeof some / sizeof *some ? some[i] : (int64_t)random >> (i % 64);
        const int64_t both[] = {number, number == INT64_MIN ? number : -number};
        for (int sign = 0; sign < 2; sign++) {
            char text[LOY_DECIMAL_TEXT_MAX], expected[LOY_DECIMAL_TEXT_MAX];
            int length = snprintf(expected, sizeof expected, "%lld", (long long)both[sign]);
            assert_int_equal(loy_decimal_format(both[sign], 0, text), length);
            assert_string_equal(text, expected);
        }
    }
}

/* --- text --- */

static void utf8_is_judged_as_unicode_says(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "a", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "кофе"};
    static const char *const bad[] = {"\x80",
                                      "\xC0\x80",
                                      "\xC2",
                                      "\xE0\x80\x80",
                                      "\xED\xA0\x80",
                                      "\xF0\x80\x80\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "a\xE2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(loy_str_is_utf8(loy_str(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(loy_str_is_utf8(loy_str(bad[i])));
    }
    size_t at = 0;
    assert_int_equal(loy_str_next_code_point(LOY_STR("\xF0\x9F\x98\x80"), &at), 0x1F600);
    assert_int_equal(at, 4);
}

static void integers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(loy_str_to_i64(LOY_STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(loy_str_to_i64(LOY_STR("9223372036854775807"), &value));
    assert_false(loy_str_to_i64(LOY_STR("9223372036854775808"), &value));
    assert_false(loy_str_to_i64(LOY_STR("12a"), &value));
    assert_false(loy_str_to_i64(LOY_STR("-"), &value));
    assert_false(loy_str_to_i64(LOY_STR(""), &value));
}

static void a_builder_grows_and_keeps_its_first_error(void **state)
{
    (void)state;
    char block[4096];
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, block, sizeof block);
    loy_buf_init(&buf, &arena, 4);
    for (int i = 0; i < 50; i++) {
        loy_buf_printf(&buf, "%d,", i);
    }
    assert_true(loy_str_starts_with(loy_buf_str(&buf), LOY_STR("0,1,2,3,")));
    while (!buf.failed) {
        loy_buf_append(&buf, LOY_STR("more and more"));
    }
    assert_int_equal(loy_buf_str(&buf).len, 0);
    loy_buf_append(&buf, LOY_STR("x"));
    assert_true(buf.failed);
}

/* --- calendar --- */

static void days_and_dates_agree_over_all_years(void **state)
{
    (void)state;
    struct loy_date date = {1, 1, 1};
    int64_t day = loy_days_from_date(date);
    assert_int_equal(loy_days_from_date((struct loy_date){1970, 1, 1}), 0);
    assert_int_equal(day, LOY_MOMENT_MIN / LOY_US_PER_DAY);
    for (; date.year < 10000; day++) {
        struct loy_date got = loy_date_from_days(day);
        assert_true(got.year == date.year && got.month == date.month && got.day == date.day);
        assert_int_equal(loy_days_from_date(date), day);
        if (date.day < loy_days_in_month(date.year, date.month)) {
            date.day++;
        } else {
            date = (struct loy_date){date.month == 12 ? date.year + 1 : date.year, (uint8_t)(date.month % 12 + 1), 1};
        }
    }
}

static void months_later_is_the_same_day_or_the_last_one(void **state)
{
    (void)state;
    struct loy_date date = loy_date_add_months((struct loy_date){2024, 2, 29}, 12);
    assert_true(date.year == 2025 && date.month == 2 && date.day == 28);
    date = loy_date_add_months((struct loy_date){2026, 1, 31}, -2);
    assert_true(date.year == 2025 && date.month == 11 && date.day == 30);
}

static void a_zone_moves_the_day_and_midnight_may_be_missing(void **state)
{
    (void)state;
    /* a zone that skips midnight: at local 00:00 of day 100 it becomes 01:00 */
    const struct loy_zone_transition rows[] = {{0, 3 * 3600},
                                               {100 * LOY_US_PER_DAY - 3 * 3600 * LOY_US_PER_SECOND, 4 * 3600}};
    struct loy_zone zone = {rows, 2};
    assert_int_equal(loy_local_day(&zone, 50 * LOY_US_PER_DAY - 3 * 3600 * LOY_US_PER_SECOND), 50);
    assert_int_equal(loy_local_day(&zone, 50 * LOY_US_PER_DAY - 3 * 3600 * LOY_US_PER_SECOND - 1), 49);
    int64_t start = loy_day_start_us(&zone, 100);
    assert_int_equal(start, rows[1].from_us);
    assert_int_equal(loy_civil_from_moment(&zone, start).hour, 1);
    for (int64_t day = 10; day < 200; day++) {
        start = loy_day_start_us(&zone, day);
        assert_int_equal(loy_local_day(&zone, start), day);
        assert_int_equal(loy_local_day(&zone, start - 1), day - 1);
    }
}

/* Invented zones, with transitions by the hundred and days that are skipped or come twice: by the definition. */
static void a_day_starts_with_the_first_moment_of_its_date(void **state)
{
    enum { ROWS = 200, DAYS = 1500 };
    static struct loy_zone_transition rows[ROWS];
    const int64_t hour = 3600 * LOY_US_PER_SECOND;
    uint32_t random = 1, skipped = 0;
    (void)state;
    for (int round = 0; round < 20; round++) {
        int64_t at = 0;
        for (int i = 0; i < ROWS; i++) {
            random = random * 1664525 + 1013904223;
            at += (1 + (random >> 8) % 300) * hour;
            rows[i] = (struct loy_zone_transition){at, (int32_t)((random >> 20) % 53 - 26) * 3600};
        }
        const struct loy_zone zone = {rows, ROWS};
        static int64_t first[DAYS];
        for (int day = 0; day < DAYS; day++) {
            first[day] = INT64_MAX;
        }
        for (int64_t moment = -4 * LOY_US_PER_DAY; moment < (DAYS + 4) * LOY_US_PER_DAY; moment += hour) {
            int64_t day = loy_local_day(&zone, moment);
            if (day >= 0 && day < DAYS && first[day] == INT64_MAX) {
                first[day] = moment;
            }
        }
        for (int day = 0; day < DAYS; day++) {
            skipped += first[day] == INT64_MAX;
            assert_int_equal(loy_day_start_us(&zone, day),
                             first[day] != INT64_MAX
                                 ? first[day]
                                 : day * LOY_US_PER_DAY -
                                       loy_zone_offset_s(&zone, day * LOY_US_PER_DAY) * LOY_US_PER_SECOND);
        }
    }
    assert_true(skipped > 50); /* else they were not tried */
}

static void moments_are_read_and_written_as_rfc_3339(void **state)
{
    (void)state;
    static const char *const texts[] = {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-11-01T09:30:00Z",
                                        "2026-11-01T09:30:00.125Z"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t moment;
        char text[LOY_MOMENT_TEXT_MAX];
        assert_true(loy_moment_parse(texts[i], strlen(texts[i]), &moment));
        loy_moment_format(moment, text);
        assert_string_equal(text, texts[i]);
    }
    int64_t a;
    int64_t b;
    assert_true(loy_moment_parse("2026-11-01T12:30:00+03:00", 25, &a));
    assert_true(loy_moment_parse("2026-11-01T09:30:00.000000999Z", 30, &b));
    assert_int_equal(a, b);
    static const char *const bad[] = {"",
                                      "2026-02-29T00:00:00Z",
                                      "2026-11-01T24:00:00Z",
                                      "2026-11-01 09:30",
                                      "2026-11-01T09:30:00",
                                      "0000-01-01T00:00:00Z",
                                      "2026-11-01T09:30:00.Z",
                                      "0001-01-01T00:00:00+01:00",
                                      "2026-11-01T09:30:00Zx"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(loy_moment_parse(bad[i], strlen(bad[i]), &a));
    }
    assert_int_equal(loy_civil_from_moment(NULL, b).weekday, 6); /* a Sunday */
}

/* --- hashes --- */

static void murmur2_places_keys_as_java_clients_do(void **state)
{
    (void)state;
    /* vectors of Apache Kafka's UtilsTest */
    static const struct {
        const char *key;
        int32_t hash;
    } rows[] = {{"21", -973932308},
                {"foobar", -790332482},
                {"a-little-bit-long-string", -985981536},
                {"a-little-bit-longer-string", -1486304829},
                {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                {"abc", 479470107}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal((int32_t)loy_murmur2(loy_str(rows[i].key)), rows[i].hash);
        assert_int_equal(loy_partition_of(loy_str(rows[i].key), 64), (rows[i].hash & 0x7fffffff) % 64);
    }
}

static void parts_are_hashed_with_their_lengths(void **state)
{
    (void)state;
    uint8_t a[32];
    uint8_t b[32];
    struct loy_str one[] = {{"ab", 2}, {"c", 1}};
    struct loy_str other[] = {{"a", 1}, {"bc", 2}};
    loy_sha256_parts(one, 2, a);
    loy_sha256_parts(other, 2, b);
    assert_memory_not_equal(a, b, 32);
    static const uint8_t
        whole[32] = {0x43, 0xee, 0x65, 0x55, 0x79, 0xde, 0x01, 0xca, 0x73, 0x9b, 0x3f,
                     0x95, 0xc1, 0xc2, 0xd3, 0xf4, 0x6d, 0x35, 0x3b, 0x2c, 0x0d, 0xf8,
                     0x18, 0x06, 0x4e, 0xa5, 0x94, 0x50, 0x6c, 0xdb, 0x26, 0x17}; /* of Python's hashlib */
    assert_memory_equal(a, whole, 32);
    struct loy_digest digest = loy_digest_of(LOY_STR("abc")); /* FIPS 180-2, B.1 */
    static const uint8_t expected[16] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                         0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23};
    assert_memory_equal(digest.bytes, expected, 16);
}

/* Whether parts are gathered or not is not to be seen. */
static void parts_of_any_length_are_hashed_as_their_bytes(void **state)
{
    (void)state;
    static char text[4096], whole[sizeof text + 64];
    static const size_t lengths[] = {0, 1, 7, 500, 1007, 1008, 1009, 1015, 1016, 1017, 1024, 2000};
    enum { COUNT = sizeof lengths / sizeof *lengths };
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 7 + i / 256);
    }
    for (size_t i = 0; i < (size_t)COUNT * COUNT; i++) {
        struct loy_str parts[] = {{text, lengths[i / COUNT]}, {text + 2048, lengths[i % COUNT]}, {text + 5, 9}};
        uint8_t sha256[32];
        size_t used = 0;
        for (size_t part = 0; part < 3; part++) {
            for (int b = 0; b < 8; b++) {
                whole[used++] = (char)(uint8_t)(parts[part].len >> (8 * b));
            }
            memcpy(whole + used, parts[part].at, parts[part].len);
            used += parts[part].len;
        }
        loy_sha256_parts(parts, 3, sha256);
        assert_memory_equal(loy_digest_of((struct loy_str){whole, used}).bytes, sha256, 16);
    }
}

/* However the last block comes to be filled. */
static void a_part_of_each_length_is_hashed_as_its_bytes(void **state)
{
    (void)state;
    char text[8 + 300];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 11);
    }
    for (size_t length = 0; length <= sizeof text - 8; length++) {
        uint8_t sha256[32];
        uint64_t little = htole64((uint64_t)length);
        memcpy(text, &little, 8);
        loy_sha256_parts(&(struct loy_str){text + 8, length}, 1, sha256);
        assert_memory_equal(loy_digest_of((struct loy_str){text, 8 + length}).bytes, sha256, 16);
    }
}

/* --- varints and the table --- */

static void varints_come_back_and_cut_ones_fail(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, 127, 128, -64, -65, 1 << 20, INT64_MAX, INT64_MIN};
    char block[1024];
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, block, sizeof block);
    loy_buf_init(&buf, &arena, 256);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        loy_varint_put_signed(&buf, values[i]);
        loy_varint_put(&buf, (uint64_t)values[i]);
    }
    struct loy_varint_reader reader = {.bytes = loy_buf_str(&buf)};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_int_equal(loy_varint_get_signed(&reader), values[i]);
        assert_true(loy_varint_get(&reader) == (uint64_t)values[i]);
    }
    assert_false(reader.failed);
    assert_int_equal(reader.at, reader.bytes.len);
    (void)loy_varint_get(&reader);
    assert_true(reader.failed);
    struct loy_varint_reader endless = {.bytes = LOY_STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")};
    (void)loy_varint_get(&endless);
    assert_true(endless.failed);
    struct loy_varint_reader shorter = {.bytes = LOY_STR("abc")};
    assert_null(loy_varint_get_bytes(&shorter, 4).at);
    assert_true(shorter.failed);
}

/* The keys of a partition have the same low bits of their hash, so they cannot be what chooses a place. */
static void keys_of_one_partition_are_spread_over_a_table(void **state)
{
    (void)state;
    enum { PLACES = 1024, KEYS = 512 };
    bool taken[PLACES] = {false};
    uint32_t keys = 0, places = 0;
    for (int i = 0; keys < KEYS; i++) {
        char text[16];
        struct loy_str key = {text, (size_t)snprintf(text, sizeof text, "m-%06d", i)};
        if (loy_partition_of(key, 64) == 5) {
            uint32_t place = loy_hash_place(loy_murmur2(key), PLACES - 1);
            assert_true(place < PLACES);
            places += !taken[place];
            taken[place] = true;
            keys++;
        }
    }
    assert_true(places > 350); /* chance makes 403 of them; the low bits alone, 16 */
}

static void a_table_finds_every_key_and_keeps_the_first_value(void **state)
{
    (void)state;
    enum { KEYS = 5000 };
    static char texts[KEYS][16];
    static char block[1 << 20];
    struct loy_arena arena;
    struct loy_table table;
    loy_arena_init(&arena, block, sizeof block);
    assert_true(loy_table_init(&table, &arena, KEYS));
    for (int i = 0; i < KEYS; i++) {
        snprintf(texts[i], sizeof texts[i], "member-%d", i);
        assert_int_equal(loy_table_put(&table, loy_str(texts[i]), i), i);
        assert_int_equal(loy_table_put(&table, loy_str(texts[i]), i + 1), i);
    }
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(loy_table_find(&table, loy_str(texts[i])), i);
    }
    assert_int_equal(loy_table_find(&table, LOY_STR("nobody")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(muldiv_rounds_once_and_refuses_what_does_not_fit),
        cmocka_unit_test(muldiv_is_the_same_in_64_and_in_128_bits),
        cmocka_unit_test(decimals_are_exact_both_ways),
        cmocka_unit_test(whole_numbers_are_printed_as_printf_does),
        cmocka_unit_test(utf8_is_judged_as_unicode_says),
        cmocka_unit_test(integers_are_read_whole_or_not_at_all),
        cmocka_unit_test(a_builder_grows_and_keeps_its_first_error),
        cmocka_unit_test(days_and_dates_agree_over_all_years),
        cmocka_unit_test(months_later_is_the_same_day_or_the_last_one),
        cmocka_unit_test(a_zone_moves_the_day_and_midnight_may_be_missing),
        cmocka_unit_test(a_day_starts_with_the_first_moment_of_its_date),
        cmocka_unit_test(moments_are_read_and_written_as_rfc_3339),
        cmocka_unit_test(murmur2_places_keys_as_java_clients_do),
        cmocka_unit_test(parts_are_hashed_with_their_lengths),
        cmocka_unit_test(parts_of_any_length_are_hashed_as_their_bytes),
        cmocka_unit_test(a_part_of_each_length_is_hashed_as_its_bytes),
        cmocka_unit_test(varints_come_back_and_cut_ones_fail),
        cmocka_unit_test(keys_of_one_partition_are_spread_over_a_table),
        cmocka_unit_test(a_table_finds_every_key_and_keeps_the_first_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
