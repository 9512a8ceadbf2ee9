/* The engine's decisions on the shop's programme and others: what a reader of FEATURES would expect, to the point. */
#include "support/cmocka_all.h"
#include "support/programmes.h"

#include "engine/engine.h"
#include "engine/match.h"

#include <stdlib.h>

#define DAY LOY_US_PER_DAY
static const int64_t november = INT64_C(1793491200) * LOY_US_PER_SECOND; /* 2026-11-01T00:00:00Z */

static char block[4 << 20];
static struct loy_arena arena;
static struct loy_account account;
static struct loy_effects effects;

static int set_up(void **state)
{
    (void)state;
    loy_arena_init(&arena, block, sizeof block);
    loy_account_init(&account, LOY_STR("anna"), 3);
    return 0;
}

static struct loy_event purchase(const struct loy_line *lines, uint32_t count, int64_t occurred_at_us)
{
    struct loy_event event = {
        .kind = LOY_EVENT_PURCHASE,
        .event_id = LOY_STR("1"),
        .source = LOY_STR("pos"),
        .member_id = LOY_STR("anna"),
        .order_id = LOY_STR("order-1"),
        .occurred_at_us = occurred_at_us,
        .purchase = {.order_id = LOY_STR("order-1"), .order_version = 1, .lines = lines, .line_count = count}};
    for (uint32_t i = 0; i < count; i++) {
        event.purchase.total_minor += lines[i].amount_minor;
    }
    return event;
}

static enum loy_err decide(const char *programme, const struct loy_event *event, int64_t arrival_us)
{
    return loy_engine_decide(test_programme(programme), &account, event, arrival_us, NULL, &arena, &effects, NULL);
}

static void decide_one(const char *programme, int64_t amount_minor, int64_t at_us)
{
    struct loy_line line = {.sku = LOY_STR("A"), .amount_minor = amount_minor};
    struct loy_event event = purchase(&line, 1, at_us);
    assert_int_equal(decide(programme, &event, at_us), LOY_OK);
}

static void full_steps_count_whole_hundreds_and_prorata_shares_them(void **state)
{
    (void)state;
    decide_one("retail_full_steps", 999990, november);
    assert_int_equal(account.balances[0].available, 90);
    decide_one("retail_prorata", 999990, november);
    assert_int_equal(account.balances[0].available, 90 + 99);
}

static void a_purchase_of_zero_earns_nothing_and_is_applied(void **state)
{
    (void)state;
    decide_one("retail_prorata", 0, november);
    assert_int_equal(effects.applied, LOY_APPLIED_NO_EFFECT);
    assert_false(effects.changed);
    assert_int_equal(account.seq, 1);
    assert_int_equal(account.version, 0);
    assert_string_equal(effects.rules[0].reason, "nothing_eligible");
}

static void excluded_categories_and_a_minimum_are_judged_on_the_eligible_total(void **state)
{
    (void)state;
    struct loy_line lines[] = {{.category = LOY_STR("tobacco"), .amount_minor = 100000},
                               {.category = LOY_STR("coffee"), .amount_minor = 4999}};
    struct loy_event event = purchase(lines, 2, november);
    assert_int_equal(decide("shop", &event, november), LOY_OK);
    assert_string_equal(effects.rules[0].reason, "below_minimum");
    assert_int_equal(effects.rules[0].eligible_minor, 4999);
}

static void pending_points_are_released_by_the_next_event_after_fourteen_days(void **state)
{
    (void)state;
    decide_one("shop", 10000, november);
    assert_int_equal(account.balances[0].pending, 10);
    assert_int_equal(loy_account_due_us(&account), november + 14 * DAY);
    decide_one("shop", 0, november + 14 * DAY - LOY_US_PER_SECOND);
    assert_int_equal(account.balances[0].available, 0);
    decide_one("shop", 0, november + 14 * DAY);
    assert_int_equal(account.balances[0].available, 10);
    assert_int_equal(account.balances[0].pending, 0);
    assert_int_equal(effects.entries[0].kind, LOY_ENTRY_RELEASE);
    assert_int_equal(effects.advanced, 1);
    assert_int_equal(loy_account_due_us(&account), LOY_NEVER);
}

static void an_expired_lot_is_gone_however_late_the_next_event_comes(void **state)
{
    (void)state;
    struct loy_wallet wallet = {.id = LOY_STR("points"), .pending.us = 2 * DAY, .expiry.after.us = 10 * DAY};
    struct loy_programme programme = *test_programme("shop");
    programme.wallets = &wallet;
    struct loy_line line = {.amount_minor = 10000};
    struct loy_event event = purchase(&line, 1, november);
    assert_int_equal(loy_engine_decide(&programme, &account, &event, november, NULL, &arena, &effects, NULL), LOY_OK);
    struct loy_event tick = {.kind = LOY_EVENT_TICK, .tick_due_at_us = november + 2 * DAY};
    int64_t late = november + 400 * DAY;
    assert_int_equal(loy_engine_decide(&programme, &account, &tick, late, NULL, &arena, &effects, NULL), LOY_OK);
    assert_int_equal(effects.entry_count, 2);
    assert_int_equal(effects.entries[0].kind, LOY_ENTRY_RELEASE);
    assert_int_equal(effects.entries[1].kind, LOY_ENTRY_EXPIRE);
    assert_int_equal(effects.entries[1].amount, -10);
    assert_int_equal(effects.applied, LOY_APPLIED_EFFECT);
    assert_int_equal(account.balances[0].available, 0);
    assert_int_equal(account.lot_count, 0);
}

static void an_event_from_long_ago_is_judged_as_of_its_arrival(void **state)
{
    (void)state;
    struct loy_line line = {.amount_minor = 10000};
    struct loy_event event = purchase(&line, 1, LOY_MOMENT_MIN);
    assert_int_equal(decide("shop", &event, november), LOY_OK);
    assert_true(effects.late);
    assert_int_equal(account.lots[0].available_from_us, november + 14 * DAY);
    struct loy_event far = purchase(&line, 1, LOY_MOMENT_MAX);
    assert_int_equal(decide("shop", &far, november), LOY_OK);
    assert_true(effects.late);
}

static void a_historical_source_arrives_when_it_happened(void **state)
{
    (void)state;
    struct loy_str sources[] = {{"pos", 3}};
    struct loy_programme programme = *test_programme("shop");
    programme.historical_sources = sources;
    programme.historical_source_count = 1;
    struct loy_line line = {.amount_minor = 10000};
    struct loy_event event = purchase(&line, 1, november - 400 * DAY);
    assert_int_equal(loy_engine_decide(&programme, &account, &event, november, NULL, &arena, &effects, NULL), LOY_OK);
    assert_int_equal(effects.arrival_us, november - 400 * DAY);
    assert_false(effects.late);
    event.occurred_at_us = LOY_MOMENT_MAX; /* time does not pass faster for it than for the broker */
    assert_int_equal(loy_engine_decide(&programme, &account, &event, november, NULL, &arena, &effects, NULL), LOY_OK);
    assert_int_equal(effects.arrival_us, november);
}

static void a_refused_event_leaves_the_account_as_it_was(void **state)
{
    (void)state;
    decide_one("retail_prorata", 500000, november);
    struct loy_account before = account;
    struct loy_line line = {.amount_minor = 10000};
    struct loy_event event = purchase(&line, 1, november + DAY);
    event.purchase.currency = LOY_STR("USD");
    assert_int_equal(decide("retail_prorata", &event, november + DAY), LOY_ERR_UNKNOWN_CURRENCY);
    assert_memory_equal(&before, &account, sizeof before);
    account.balances[0].available = INT64_MAX - 5;
    before = account;
    line.amount_minor = 1000000;
    event = purchase(&line, 1, november + DAY);
    assert_int_equal(decide("retail_prorata", &event, november + DAY), LOY_ERR_OVERFLOW);
    assert_memory_equal(&before, &account, sizeof before);
}

static void the_moment_never_goes_back(void **state)
{
    (void)state;
    decide_one("shop", 10000, november + 5 * DAY);
    decide_one("shop", 10000, november);
    assert_int_equal(effects.moment_us, november + 5 * DAY);
}

/* Largest remainder over random orders: nothing is lost, nobody is further than one point from the exact share. */
static void an_allotment_gives_out_exactly_the_total(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 2000; round++) {
        int64_t weights[20];
        int64_t parts[20];
        uint32_t count = 1 + (uint32_t)rand() % 20;
        int64_t weight_sum = 0;
        int64_t given = 0;
        for (uint32_t i = 0; i < count; i++) {
            weights[i] = rand() % 4 ? rand() % 100000 : 0;
            weight_sum += weights[i];
        }
        weights[0] += weight_sum == 0;
        weight_sum += weight_sum == 0;
        int64_t total = rand() % 5000;
        loy_arena_reset(&arena);
        assert_int_equal(loy_allot(total, weights, count, &arena, parts), LOY_OK);
        for (uint32_t i = 0; i < count; i++) {
            given += parts[i];
            assert_true(parts[i] >= total * weights[i] / weight_sum && parts[i] <= total * weights[i] / weight_sum + 1);
        }
        assert_int_equal(given, total);
    }
}

static void many_lots_are_joined_without_losing_a_point(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct loy_account kept = account;
        struct loy_lot lots[64];
        assert_true(kept.lot_count <= 64);
        memcpy(lots, kept.lots ? kept.lots : lots, kept.lot_count * sizeof *lots);
        loy_arena_reset(&arena);
        account.lots = loy_arena_copy(&arena, lots, sizeof lots);
        decide_one("retail_prorata", 10000 + i, november + i);
    }
    int64_t sum = 0;
    for (uint32_t i = 0; i < account.lot_count; i++) {
        sum += account.lots[i].points;
    }
    assert_int_equal(sum, account.balances[0].available);
    assert_int_equal(sum, 3000);
    assert_int_equal(account.lots[account.lot_count - 1].last, 3000);
}

/* The state's bytes: whatever was decided comes back from them, and damaged ones are never taken for a state. */
static void a_state_survives_its_bytes_and_damage_is_seen(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        decide_one("shop", 10000 * (i + 1), november + i * DAY);
    }
    struct loy_str bytes;
    assert_int_equal(loy_account_encode(&account, &arena, &bytes), LOY_OK);
    struct loy_account back;
    loy_account_init(&back, account.member_id, account.k);
    assert_int_equal(loy_account_decode(bytes, &arena, &back, NULL), LOY_OK);
    assert_int_equal(back.lot_count, account.lot_count);
    assert_memory_equal(back.balances, account.balances, sizeof back.balances);
    struct loy_str again;
    assert_int_equal(loy_account_encode(&back, &arena, &again), LOY_OK);
    assert_true(loy_str_equal(bytes, again));
    for (size_t cut = 0; cut < bytes.len; cut++) {
        struct loy_account damaged;
        loy_account_init(&damaged, account.member_id, account.k);
        assert_int_not_equal(loy_account_decode((struct loy_str){bytes.at, cut}, &arena, &damaged, NULL), LOY_OK);
    }
    struct loy_digest digest = loy_account_digest(&account, bytes);
    account.version++;
    struct loy_digest other = loy_account_digest(&account, bytes);
    assert_memory_not_equal(&digest, &other, sizeof digest);
}

static void a_key_tells_orders_and_events_apart(void **state)
{
    (void)state;
    struct loy_line line = {.amount_minor = 1};
    struct loy_event one = purchase(&line, 1, november);
    struct loy_event other_channel = one;
    other_channel.event_id = LOY_STR("2");
    other_channel.source = LOY_STR("web");
    struct loy_digest a = loy_event_key(&one);
    struct loy_digest b = loy_event_key(&other_channel);
    assert_memory_equal(&a, &b, sizeof a);
    struct loy_event amended = one;
    amended.purchase.order_version = 2;
    b = loy_event_key(&amended);
    assert_memory_equal(&a, &b, 8); /* an order's rows lie side by side */
    assert_memory_not_equal(&a, &b, sizeof a);
    struct loy_event ret = one;
    ret.kind = LOY_EVENT_RETURN;
    b = loy_event_key(&ret);
    assert_memory_equal(&a, &b, 8);
    assert_memory_not_equal(&a, &b, sizeof a);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(full_steps_count_whole_hundreds_and_prorata_shares_them),
        TEST(a_purchase_of_zero_earns_nothing_and_is_applied),
        TEST(excluded_categories_and_a_minimum_are_judged_on_the_eligible_total),
        TEST(pending_points_are_released_by_the_next_event_after_fourteen_days),
        TEST(an_expired_lot_is_gone_however_late_the_next_event_comes),
        TEST(an_event_from_long_ago_is_judged_as_of_its_arrival),
        TEST(a_historical_source_arrives_when_it_happened),
        TEST(a_refused_event_leaves_the_account_as_it_was),
        TEST(the_moment_never_goes_back),
        TEST(an_allotment_gives_out_exactly_the_total),
        TEST(many_lots_are_joined_without_losing_a_point),
        TEST(a_state_survives_its_bytes_and_damage_is_seen),
        TEST(a_key_tells_orders_and_events_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
