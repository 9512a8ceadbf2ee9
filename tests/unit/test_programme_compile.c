/* Programme files to the engine's programme, what is wrong with them, and what is not in force. */
#include "engine/facts.h"
#include "programme/programme_file.h"
#include "programme/schema.h"

#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

static struct loy_arena arena;
static struct loy_programme_issues issues;
static void *block;

enum { BLOCK = 64 << 20 };

static int setup(void **state)
{
    (void)state;
    block = malloc(BLOCK);
    return block ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(block);
    return 0;
}

#define HEAD "programme: p\ncurrency: RUB\nwallets:\n  points: {pending: 14 days, expiry: 365 days}\n"

static const struct loy_programme *compile_as(const char *text, const struct loy_programme_given *options)
{
    struct loy_programme_given given = options ? *options : (struct loy_programme_given){.now_us = INT64_MIN};
    const struct loy_programme *programme = NULL;
    given.text = loy_str(text);
    loy_arena_init(&arena, block, BLOCK);
    enum loy_err err = loy_programme_file_compile(&given, &arena, &programme, &issues);
    assert_int_equal(err, issues.errors ? LOY_ERR_INVALID_VALUE : LOY_OK);
    return err ? NULL : programme;
}

static const struct loy_programme *compile(const char *text)
{
    const struct loy_programme *programme = compile_as(text, NULL);
    if (!programme) {
        fail_msg("line %u: %.*s", issues.items[0].line, LOY_STR_ARG(issues.items[0].message));
    }
    return programme;
}

static void assert_says(const char *text, enum loy_issue_kind kind, uint32_t line, const char *words)
{
    (void)compile_as(text, NULL);
    for (uint32_t i = 0; i < issues.count; i++) {
        const struct loy_programme_issue *issue = &issues.items[i];
        if (issue->kind == kind && issue->line == line &&
            memmem(issue->message.at, issue->message.len, words, strlen(words))) {
            return;
        }
    }
    fail_msg("nobody says '%s' of line %u:\n%s", words, line, text);
}

static void test_a_rule_is_what_the_file_says(void **state)
{
    (void)state;
    const struct loy_programme *p = compile(
        HEAD "earning:\n  - {id: base, title: Base, trigger: purchase, minimum: 50.5, days: [mon, sun], hours: "
             "\"22:00-02:00\","
             " lines: {kind: goods, except: {category: [tobacco]}}, reward: {points: 10, per: 100, prorata: true, "
             "round: ceil},"
             " cap: {points: 5, per: balance, when_short: refuse}, limit: {times: 2, per: week}, multiplied: false}\n");
    const struct loy_rule *rule = &p->rules[0];
    assert_int_equal(p->rule_count, 1);
    assert_int_equal(p->wallets[0].pending.us, 14 * LOY_US_PER_DAY);
    assert_int_equal(p->wallets[0].expiry.after.us, 365 * LOY_US_PER_DAY);
    assert_int_equal(p->late.us, 30 * LOY_US_PER_DAY);
    assert_int_equal(rule->number, 1);
    assert_int_equal(rule->trigger, LOY_EVENT_PURCHASE);
    assert_int_equal(rule->minimum_minor, 5050);
    assert_int_equal(rule->weekdays, 1 | 1 << 6);
    assert_int_equal(rule->minute_count, 2);
    assert_int_equal(rule->minutes[0].from, 1320);
    assert_int_equal(rule->minutes[0].until, 1440);
    assert_int_equal(rule->minutes[1].until, 120);
    assert_int_equal(rule->lines.kinds, 1 << LOY_LINE_GOODS);
    assert_int_equal(rule->lines.except_categories.count, 1);
    assert_int_equal(rule->reward.kind, LOY_REWARD_PER_AMOUNT);
    assert_int_equal(rule->reward.per, 10000);
    assert_int_equal(rule->reward.rounding, LOY_ROUND_CEIL);
    assert_int_equal(rule->caps[0].window, LOY_WINDOW_BALANCE);
    assert_true(rule->caps[0].full && rule->reward.prorata && rule->not_multiplied);
    assert_int_equal(rule->limits[0].window, LOY_WINDOW_WEEK);
}

static void test_windows_are_those_that_conditions_name(void **state)
{
    (void)state;
    const struct loy_programme *p = compile(
        HEAD
        "segments: {a: \"member.last_90_days.purchases > 1\"}\nearning:\n  - {id: b, trigger: purchase, segment: a,"
        " when: \"member.last_7_days.spend > money('5') || member.last_90_days.spend > 1\", reward: {points: 1}}\n");
    assert_int_equal(p->fact_window_count, 2);
    assert_int_equal(p->fact_days[0], 7);
    assert_int_equal(p->fact_days[1], 90);
    assert_true(p->history);
    assert_int_equal(p->rules[0].audience, 1);
    assert_false(compile(HEAD "earning:\n  - {id: b, trigger: purchase, reward: {points: 1}}\n")->history);
}

static int32_t number_of(void *context, const char *kind, struct loy_str id)
{
    (void)context;
    return strcmp(kind, "wallet") == 0 ? (loy_str_equal(id, LOY_STR("cash")) ? 0 : 1) : 40 + (int32_t)id.len;
}

static void test_numbers_are_the_dictionarys(void **state)
{
    (void)state;
    const struct loy_programme_given given = {.now_us = INT64_MIN, .number = number_of};
    const struct loy_programme *p = compile_as(
        "programme: p\ncurrency: RUB\nwallets:\n  points: {title: P}\n  cash: {unit: money}\nearning:\n"
        "  - {id: base, trigger: purchase, reward: {points: 1}, funder: bp, budget: {points: 9}, limit: {times: 1}}\n",
        &given);
    assert_non_null(p);
    assert_true(loy_str_equal(p->wallets[0].id, LOY_STR("cash")) && p->wallets[0].is_money);
    assert_int_equal(p->rules[0].reward.wallet, 1); /* the first of the file */
    assert_int_equal(p->rules[0].number, 44);
    assert_int_equal(p->rules[0].funder, 42);
    assert_int_equal(p->rules[0].budget->counter, 40 + 11);
}

static void test_a_wallet_of_an_earlier_revision_has_to_stay(void **state)
{
    (void)state;
    const struct loy_programme_given given = {.now_us = INT64_MIN, .number = number_of};
    assert_null(compile_as(HEAD "earning:\n  - {id: b, trigger: purchase, reward: {points: 1}}\n", &given));
    assert_int_equal(issues.errors, 1);
}

static void test_rates_are_of_minor_units_and_in_order_of_time(void **state)
{
    (void)state;
    const struct loy_programme *p = compile(
        HEAD "exchange_rates:\n  - {currency: USD, rate: 92.5, from: 2026-02-01}\n  - {currency: JPY, rate: 0.6}\n"
             "earning:\n  - {id: b, trigger: purchase, reward: {points: 1}}\n");
    assert_int_equal(p->rate_count, 2);
    assert_true(loy_str_equal(p->rates[0].currency, LOY_STR("JPY")));
    assert_int_equal(p->rates[0].numerator * 10, p->rates[0].denominator * 600); /* 1 yen is 60 kopecks */
    assert_int_equal(p->rates[1].numerator * 10, p->rates[1].denominator * 925);
}

static void test_warnings(void **state)
{
    (void)state;
#define RULE(rest) HEAD "earning:\n  - {id: b, trigger: purchase, " rest "}\n"
    assert_says(RULE("reward: {points: 1}, when: \"1 > 2\""), LOY_ISSUE_WARNING, 6, "always false");
    assert_says(RULE("reward: {points: 1}, budget: {points: 100}"), LOY_ISSUE_WARNING, 6, "use up this budget");
    assert_says(RULE("reward: {points: 60}, limit: {times: 2}, budget: {points: 100}"), LOY_ISSUE_WARNING, 6, "use up");
    assert_says(RULE("reward: {multiply: 2}"), LOY_ISSUE_WARNING, 6, "nothing to multiply");
    assert_says(HEAD "tiers:\n  - {id: t, levels: [{id: a, from: 10}, {id: b, from: 10}]}\n", LOY_ISSUE_WARNING, 6,
                "nobody");
    const struct loy_programme_given later = {.now_us = INT64_C(1800000000000000)};
    assert_non_null(compile_as(
        HEAD "campaigns:\n  - {id: c, trigger: purchase, period: {until: 2026-11-01}, reward: {points: 1}}\n", &later));
    assert_int_equal(issues.warnings, 1);
    (void)compile(RULE("reward: {points: 60}, limit: {times: 1}, budget: {points: 100}"));
    assert_int_equal(issues.warnings, 0);
}

static void test_lengths_in_months_and_dates_of_the_year(void **state)
{
    (void)state;
    const struct loy_programme *p = compile(
        "programme: p\ncurrency: RUB\nwallets:\n  points: {pending: 1 month, expiry: {after: 1 year, end_of: "
        "quarter}}\n"
        "  stamps: {expiry: {dates: [\"06-30\", \"02-29\"]}}\nlate: {accept: 2 months, early: 1 hour}\nearning:\n"
        "  - {id: b, trigger: purchase, cooldown: 1 month, pending: 3 days, expiry: 6 months, reward: {points: 1}}\n"
        "  - {id: c, trigger: purchase, reward: {points: 1}}\n");
    const struct loy_wallet *points = &p->wallets[0], *stamps = &p->wallets[1];
    const struct loy_rule *rule = &p->rules[0];
    assert_int_equal(issues.inactive, 0);
    assert_true(points->pending.months == 1 && points->pending.us == 0);
    assert_true(points->expiry.after.months == 12 && points->expiry.end_of == LOY_END_OF_QUARTER);
    assert_true(stamps->expiry.date_count == 2 && stamps->expiry.dates[1].month == 2 &&
                stamps->expiry.dates[1].day == 29 && stamps->expiry.end_of == LOY_END_OF_NOTHING);
    assert_true(p->late.months == 2 && p->late.us == 0 && p->early.us == 3600 * LOY_US_PER_SECOND);
    assert_true(rule->cooldown.months == 1 && rule->pending->us == 3 * LOY_US_PER_DAY &&
                rule->expiry->after.months == 6);
    assert_true(!p->rules[1].pending && !p->rules[1].expiry);
    assert_says("programme: p\ncurrency: RUB\nwallets:\n  points:\n    expiry: {dates: \"31-12\"}\n", LOY_ISSUE_ERROR,
                5, "which is not dates of each year");
}

/* What the engine does not act on: this list only shrinks. */
static void test_the_list_of_what_is_not_in_force(void **state)
{
    (void)state;
    struct loy_buf buf;
    loy_arena_init(&arena, block, BLOCK);
    loy_buf_init(&buf, &arena, 4096);
    loy_programme_inactive_keys(&buf);
    struct loy_str found = loy_buf_str(&buf);
    FILE *in = fopen("tests/golden/programme_not_in_force.txt", getenv("UPDATE_SNAPSHOTS") ? "w+b" : "rb");
    assert_non_null(in);
    if (getenv("UPDATE_SNAPSHOTS")) {
        (void)fwrite(found.at, 1, found.len, in);
        rewind(in);
    }
    char *expected = loy_arena_alloc(&arena, 65536);
    size_t len = fread(expected, 1, 65536, in);
    (void)fclose(in);
    assert_int_equal(len, found.len);
    assert_memory_equal(expected, found.at, len);
}

static void test_an_arena_that_is_too_small_is_no_crash(void **state)
{
    (void)state;
    const struct loy_programme_given given = {
        .text = LOY_STR(
            HEAD "earning:\n  - {id: b, trigger: purchase, when: \"purchase.total > 5\", reward: {points: 1}}\n"),
        .now_us = INT64_MIN};
    enum loy_err err = LOY_ERR_NO_MEMORY;
    size_t size = 0;
    for (; err != LOY_OK && size < BLOCK; size += 4093) {
        const struct loy_programme *programme = NULL;
        loy_arena_init(&arena, block, size);
        err = loy_programme_file_compile(&given, &arena, &programme, &issues);
        assert_true(err == LOY_OK || err == LOY_ERR_NO_MEMORY);
    }
    assert_int_equal(err, LOY_OK);
}

/* Knows two zones, and writes down what it is asked for. */
static enum loy_err two_zones(void *context, struct loy_str name, struct loy_arena *into, struct loy_zone *ret_zone,
                              struct loy_error *error)
{
    static const struct loy_zone_transition moscow[] = {{INT64_MIN, 10800}}, tokyo[] = {{INT64_MIN, 32400}};
    bool is_moscow = loy_str_equal(name, LOY_STR("Europe/Moscow"));
    char *asked = context;
    (void)into;
    (void)error;
    (void)sprintf(asked + strlen(asked), "%.*s ", LOY_STR_ARG(name));
    *ret_zone = (struct loy_zone){is_moscow ? moscow : tokyo, 1};
    return is_moscow || loy_str_equal(name, LOY_STR("Asia/Tokyo")) ? LOY_OK : LOY_ERR_NOT_FOUND;
}

static void test_time_zones_of_conditions_are_those_that_they_name(void **state)
{
    (void)state;
    char asked[256] = "";
    const struct loy_programme_given given = {.now_us = INT64_MIN, .zone = two_zones, .context = asked};
    const char *head = "time_zone: Europe/Moscow\n" HEAD "earning:\n  - id: b\n    trigger: purchase\n"
                       "    reward: {points: 1}\n    when: \"";
    static const struct {
        const char *when, *asked, *refused;
    } rows[] = {
        {"event.at.getHours('Asia/Tokyo') == 9 && event.at.getMonth('Europe/Moscow') == 0", "Europe/Moscow Asia/Tokyo ",
         NULL},
        {"event.at.getHours('Asia/Tokyo') == 9 || event.at.getMinutes('Asia/Tokyo') == 9", "Europe/Moscow Asia/Tokyo ",
         NULL},
        {"event.at.getHours('UTC') == 9 || event.at.getHours('+03:00') == 9", "Europe/Moscow ", NULL},
        {"event.channel.startsWith('Asia/Tokyo')", "Europe/Moscow ", NULL},
        {"event.at.getHours('Asia/Tokio') == 9", "Europe/Moscow Asia/Tokio ", "there is no time zone 'Asia/Tokio'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, "%s%s\"\n", head, rows[i].when);
        asked[0] = '\0';
        const struct loy_programme *programme = compile_as(text, &given);
        assert_string_equal(asked, rows[i].asked);
        assert_int_equal(programme == NULL, rows[i].refused != NULL);
        if (rows[i].refused) {
            assert_int_equal(issues.count, 1);
            assert_int_equal(issues.items[0].line, 10);
            assert_int_equal(issues.items[0].column, 12 + sizeof "event.at.getHours(");
            assert_memory_equal(issues.items[0].message.at, rows[i].refused, strlen(rows[i].refused));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_zones_of_conditions_are_those_that_they_name),
        cmocka_unit_test(test_a_rule_is_what_the_file_says),
        cmocka_unit_test(test_windows_are_those_that_conditions_name),
        cmocka_unit_test(test_numbers_are_the_dictionarys),
        cmocka_unit_test(test_a_wallet_of_an_earlier_revision_has_to_stay),
        cmocka_unit_test(test_rates_are_of_minor_units_and_in_order_of_time),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_lengths_in_months_and_dates_of_the_year),
        cmocka_unit_test(test_the_list_of_what_is_not_in_force),
        cmocka_unit_test(test_an_arena_that_is_too_small_is_no_crash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
