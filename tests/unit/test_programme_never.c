/* Conditions that can never be true are said at their place, and those that can be are left alone. */
#include "programme/programme_file.h"

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

static void compile(const char *condition)
{
    char text[2048];
    (void)snprintf(text, sizeof text,
                   "programme: p\ncurrency: RUB\nwallets:\n  points: {title: Points}\n"
                   "segments:\n  silent: \"member.days_since_purchase >= 120\"\n"
                   "tiers:\n  - {id: club, levels: [{id: green}, {id: gold}]}\n"
                   "campaigns:\n  - {id: c, trigger: purchase, reward: {points: 1}, when: \"%s\"}\n",
                   condition);
    struct loy_programme_given given = {.text = loy_str(text), .now_us = INT64_MIN};
    const struct loy_programme *programme = NULL;
    loy_arena_init(&arena, block, BLOCK);
    assert_int_equal(loy_programme_file_compile(&given, &arena, &programme, &issues), LOY_OK);
}

/* Where the condition's first byte stands. */
enum { LINE = 10, COLUMN = 60 };

static void what_can_never_be_true_is_said_at_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *condition, *part, *words;
    } cases[] = {
        {"purchase.total >= money('1500') && purchase.total < money('1000')", "purchase.total <",
         "together with what is asked of purchase.total before"},
        {"purchase.total > money('5') && event.channel == 'app' && purchase.total < money('5.01')", "purchase.total < ",
         "never true"},
        {"money('5') <= purchase.total && money('4') >= purchase.total", "money('4') >=", "never true"},
        {"purchase.total == money('5') && purchase.total == money('6')", "purchase.total == money('6')", "never true"},
        {"event.channel == 'app' && event.channel == 'web'", "event.channel == 'web'", "asked of event.channel"},
        {"event.hour >= 24", "event.hour", "not a value that event.hour can have"},
        {"event.weekday == 0", "event.weekday", "not a value"},
        {"member.purchases < 0", "member.purchases", "not a value"},
        {"member.last_30_days.purchases > 5 && member.last_30_days.purchases < 6", "member.last_30_days.purchases <",
         "never true"},
        {"member.level == 'platinum'", "member.level", "there is no level 'platinum'"},
        {"event.hour > 3 || member.level in ['gold', 'platin']", "member.level in", "there is no level 'platin'"},
        {"'silnt' in member.segments", "'silnt'", "there is no segment 'silnt'"},
        {"1 > 2", "1 > 2", "always false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        compile(cases[i].condition);
        const char *part = strstr(cases[i].condition, cases[i].part);
        uint32_t column = COLUMN + (uint32_t)(part - cases[i].condition);
        bool found =
            issues.count == 1 && issues.items[0].kind == LOY_ISSUE_WARNING && issues.items[0].line == LINE &&
            (issues.items[0].column == column || issues.items[0].column == COLUMN - 1) &&
            memmem(issues.items[0].message.at, issues.items[0].message.len, cases[i].words, strlen(cases[i].words));
        if (!found) {
            fail_msg("%s: %u issues, the first at %u:%u (column %u): %.*s", cases[i].condition, issues.count,
                     issues.items[0].line, issues.items[0].column, column, LOY_STR_ARG(issues.items[0].message));
        }
    }
}

static void what_can_be_true_is_left_alone(void **state)
{
    (void)state;
    static const char *const conditions[] = {
        "purchase.total >= money('1000') && purchase.total < money('1500')",
        "purchase.total >= money('5') && purchase.total <= money('5')",
        "purchase.total < money('5') || purchase.total > money('7')",
        "(purchase.total < money('5') && event.hour < 3) || (purchase.total > money('7') && event.hour > 3)",
        "purchase.total >= money('0.05') && member.purchases >= 5 && purchase.discount > 0",
        "event.hour >= 23 && event.weekday == 7 && event.minute <= 59",
        "event.channel == 'app' || event.channel == 'web'",
        "event.channel != 'app' && event.channel != 'web'",
        "event.channel in ['app', 'web'] && event.channel == 'web'",
        "purchase.total >= member.average_purchase && purchase.total <= member.average_purchase",
        "member.level == 'gold' || 'silent' in member.segments",
        "purchase.discount < 0 || purchase.total >= 0",
        "member.balance.points < 0",
        "event.at < timestamp('2026-01-01T00:00:00Z') && event.at > timestamp('2025-01-01T00:00:00Z')",
    };
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        compile(conditions[i]);
        if (issues.count) {
            fail_msg("%s: %.*s", conditions[i], LOY_STR_ARG(issues.items[0].message));
        }
    }
}

static void money_beside_a_bare_number_is_asked_about(void **state)
{
    (void)state;
    static const char *const conditions[] = {"purchase.total >= 1500", "1500 < purchase.total",
                                             "member.purchases >= 3 && member.average_purchase * 2 == 1500",
                                             "event.hour > 3 || member.last_30_days.spend >= 1500"};
    static const uint32_t columns[] = {0, 0, 25, 18};
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        compile(conditions[i]);
        assert_int_equal(issues.count, 1);
        assert_int_equal(issues.items[0].kind, LOY_ISSUE_WARNING);
        assert_int_equal(issues.items[0].line, LINE);
        assert_int_equal(issues.items[0].column, COLUMN + columns[i]);
        assert_true(memmem(issues.items[0].message.at, issues.items[0].message.len, "1500 is 15.00", 13) != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_beside_a_bare_number_is_asked_about),
        cmocka_unit_test(what_can_never_be_true_is_said_at_its_place),
        cmocka_unit_test(what_can_be_true_is_left_alone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
