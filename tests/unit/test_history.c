/* Purchases by day under several revisions: what a newer one counts is not lost by events that an older one decides. */
#include "support/cmocka_all.h"

#include "engine/history.h"

#include <stdlib.h>

enum { WORLDS = 300, EVENTS = 120, REVISIONS = 3, ARENA = 4 << 20 };

/* Revision 3 takes back what 2 kept longer. */
static const struct loy_programme programmes[REVISIONS] = {
    {.revision = 1, .history = true, .fact_days = {30}, .fact_window_count = 1},
    {.revision = 2, .history = true, .fact_days = {7, 90}, .fact_window_count = 2},
    {.revision = 3, .history = true, .fact_days = {60}, .fact_window_count = 1},
};

struct purchase {
    int64_t day, amount_minor;
};

struct member {
    struct loy_arena arena;
    struct loy_account account;
    struct purchase kept[EVENTS]; /* what the newest revision so far may still count */
    uint32_t kept_count;
    int64_t latest_day;
    uint32_t newest; /* place of that revision */
    uint64_t seed;
};

static int64_t below(struct member *m, uint32_t bound)
{
    m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((uint32_t)(m->seed >> 33) % bound);
}

static int64_t longest(uint32_t revision)
{
    return programmes[revision].fact_days[programmes[revision].fact_window_count - 1];
}

/* The naive answer: a list of purchases, from which only a revision that is the newest so far takes any away. */
static void remember(struct member *m, uint32_t revision, struct purchase purchase)
{
    uint32_t left = 0;
    m->kept[m->kept_count++] = purchase;
    m->latest_day = purchase.day > m->latest_day ? purchase.day : m->latest_day;
    m->newest = revision > m->newest ? revision : m->newest;
    for (uint32_t i = 0; i < m->kept_count; i++) {
        if (revision < m->newest || m->kept[i].day > m->latest_day - longest(revision)) {
            m->kept[left++] = m->kept[i];
        }
    }
    m->kept_count = left;
}

static void compare(const struct member *m)
{
    const struct loy_programme *programme = &programmes[m->newest];
    for (uint32_t w = 0; w < programme->fact_window_count; w++) {
        int64_t purchases, spend_minor, expected = 0, expected_minor = 0;
        loy_history_window(&m->account, m->latest_day, programme->fact_days[w], &purchases, &spend_minor);
        for (uint32_t i = 0; i < m->kept_count; i++) {
            if (m->kept[i].day > m->latest_day - programme->fact_days[w]) {
                expected++;
                expected_minor += m->kept[i].amount_minor;
            }
        }
        assert_int_equal(purchases, expected);
        assert_int_equal(spend_minor, expected_minor);
    }
}

/* A batch ends here: the account is written and read again, and is what it was. */
static void store(struct member *m)
{
    struct loy_str bytes, again;
    struct loy_account read = {0};
    assert_int_equal(loy_account_encode(&m->account, &m->arena, &bytes), LOY_OK);
    assert_int_equal(loy_account_decode(bytes, &m->arena, &read, NULL), LOY_OK);
    assert_int_equal(read.days_revision, m->account.days_revision);
    assert_int_equal(loy_account_encode(&read, &m->arena, &again), LOY_OK);
    assert_true(loy_str_equal(bytes, again));
    m->account = read;
}

static void buy(struct member *m, uint32_t revision, struct purchase purchase)
{
    int64_t at_us = purchase.day * LOY_US_PER_DAY + below(m, 86400) * LOY_US_PER_SECOND;
    assert_int_equal(loy_history_init(&m->account, NULL, at_us, 0, &m->arena), LOY_OK);
    assert_int_equal(loy_history_purchase(&m->account, &programmes[revision], at_us, purchase.amount_minor), LOY_OK);
    remember(m, revision, purchase);
    compare(m);
}

static void member_init(struct member *m, void *block, uint64_t seed)
{
    *m = (struct member){.seed = seed * 2654435761U + 1, .latest_day = -1};
    loy_arena_init(&m->arena, block, ARENA);
    loy_account_init(&m->account, LOY_STR("m1"), 0);
}

static void an_older_revision_loses_nothing_that_a_newer_one_counts(void **state)
{
    void *block = malloc(ARENA);
    struct member *m = malloc(sizeof *m);
    (void)state;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        member_init(m, block, seed);
        int64_t day = 20000;
        for (int i = 0; i < EVENTS; i++) {
            uint32_t published = (uint32_t)(i * REVISIONS / EVENTS);
            uint32_t revision = below(m, 3) ? published : (uint32_t)below(m, published + 1);
            day += below(m, 6);
            buy(m, revision, (struct purchase){day - (revision < published ? below(m, 31) : 0), 1 + below(m, 1000)});
            if (below(m, 4) == 0) {
                store(m);
            }
        }
    }
    free(m);
    free(block);
}

static void a_late_event_of_the_old_revision_keeps_ninety_days(void **state)
{
    void *block = malloc(ARENA);
    struct member *m = malloc(sizeof *m);
    (void)state;
    member_init(m, block, 1);
    buy(m, 1, (struct purchase){1000, 100});
    buy(m, 1, (struct purchase){1080, 100});
    buy(m, 0, (struct purchase){1079, 100}); /* by 30 days, the first would be forgotten */
    assert_int_equal(m->account.day_count, 3);
    assert_int_equal(m->account.days_revision, 2);
    buy(m, 2, (struct purchase){1081, 100}); /* by 60 days it is */
    assert_int_equal(m->account.day_count, 3);
    assert_int_equal(m->account.days_revision, 3);
    free(m);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_revision_loses_nothing_that_a_newer_one_counts),
        cmocka_unit_test(a_late_event_of_the_old_revision_keeps_ninety_days),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
