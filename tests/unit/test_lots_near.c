/* Members with more lots than a state can hold: no purchase is refused, no point is lost, none expires too early. */
#include "support/cmocka_all.h"
#include "support/programmes.h"

#include "ctl/audit_state.h"
#include "engine/engine.h"
#include "engine/lots_near.h"

#include <stdlib.h>

#define DAY LOY_US_PER_DAY
#define HOUR (LOY_US_PER_SECOND * 3600)
static const int64_t november = INT64_C(1793491200) * LOY_US_PER_SECOND; /* 2026-11-01T00:00:00Z */

enum { WALLETS = 2, RULES = 3, ACCRUALS_MAX = 60000 };

/* The member as a pencil has it: every accrual with its own moments. */
struct accrual {
    int64_t points, release_us, expire_us;
};

struct pencil {
    struct accrual accruals[ACCRUALS_MAX];
    uint32_t count;
    int64_t earned, released, expired; /* as booked */
};

static struct pencil pencils[WALLETS];
static int64_t by_number[ACCRUALS_MAX][2]; /* what entries left of each lot: available, pending */
static uint16_t wallet_of[ACCRUALS_MAX];
static char block[4 << 20];
static struct loy_arena arena;
static struct loy_account account;
static char state[LOY_STATE_BYTES_MAX];
static size_t state_len, largest;
static struct loy_audit_state read_state;
static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return random_state >> 33;
}

static const struct loy_wallet wallets[] = {
    {.id = {"points", 6}, .pending.us = 14 * LOY_US_PER_DAY, .expiry.after.us = 365 * LOY_US_PER_DAY},
    {.id = {"cashback", 8}, .expiry.after.us = 180 * LOY_US_PER_DAY},
};
static const struct loy_period two_days = {.us = 2 * LOY_US_PER_DAY};
static const struct loy_expiry ninety_days = {.after.us = 90 * LOY_US_PER_DAY};
static const struct loy_rule rules[] = {
    {.number = 1, .trigger = LOY_EVENT_PURCHASE, .reward = {.kind = LOY_REWARD_PER_ORDER, .points = 7}},
    {.number = 2,
     .trigger = LOY_EVENT_PURCHASE,
     .reward = {.kind = LOY_REWARD_PER_ORDER, .points = 3},
     .pending = &two_days,
     .expiry = &ninety_days},
    {.number = 3, .trigger = LOY_EVENT_PURCHASE, .reward = {.kind = LOY_REWARD_PER_ORDER, .wallet = 1, .points = 2}},
};
static struct loy_programme programme;

static int64_t second_up(int64_t us)
{
    return (us + LOY_US_PER_SECOND - 1) / LOY_US_PER_SECOND * LOY_US_PER_SECOND;
}

static void expect(uint16_t wallet, int64_t points, int64_t release_us, int64_t expire_us)
{
    struct pencil *pencil = &pencils[wallet];
    assert_true(pencil->count < ACCRUALS_MAX);
    pencil->accruals[pencil->count++] =
        (struct accrual){points, second_up(release_us), expire_us / LOY_US_PER_SECOND * LOY_US_PER_SECOND};
}

/* What had to be released and expired by a moment. */
static void by(const struct pencil *pencil, int64_t at_us, int64_t *ret_released, int64_t *ret_expired)
{
    *ret_released = *ret_expired = 0;
    for (uint32_t i = 0; i < pencil->count; i++) {
        const struct accrual *accrual = &pencil->accruals[i];
        *ret_released += accrual->release_us <= at_us ? accrual->points : 0;
        *ret_expired += accrual->expire_us <= at_us ? accrual->points : 0;
    }
}

static void add_entries(const struct loy_effects *effects)
{
    for (uint32_t i = 0; i < effects->entry_count; i++) {
        const struct loy_entry *entry = &effects->entries[i];
        struct pencil *pencil = &pencils[entry->wallet];
        bool pending = entry->kind == LOY_ENTRY_EARN_PENDING || entry->kind == LOY_ENTRY_JOIN_PENDING;
        bool earns = entry->kind == LOY_ENTRY_EARN || entry->kind == LOY_ENTRY_EARN_PENDING;
        pencil->earned += earns ? entry->amount : 0;
        pencil->released += entry->kind == LOY_ENTRY_EARN || entry->kind == LOY_ENTRY_RELEASE ? entry->amount : 0;
        pencil->expired -= entry->kind == LOY_ENTRY_EXPIRE ? entry->amount : 0;
        wallet_of[entry->lot] = entry->wallet;
        by_number[entry->lot][0] += pending ? 0 : entry->amount;
        by_number[entry->lot][1] += pending ? entry->amount : entry->kind == LOY_ENTRY_RELEASE ? -entry->amount : 0;
    }
}

/* One event, on the account read back from its bytes, as a worker would. */
static void decide(const struct loy_event *event, int64_t at_us)
{
    struct loy_effects effects;
    struct loy_str bytes;
    loy_arena_init(&arena, block, sizeof block);
    loy_account_init(&account, LOY_STR("anna"), 3);
    if (state_len > 0) {
        assert_int_equal(loy_account_decode((struct loy_str){state, state_len}, &arena, &account, NULL), LOY_OK);
    }
    assert_int_equal(loy_engine_decide(&programme, &account, event, at_us, NULL, &arena, &effects, NULL), LOY_OK);
    add_entries(&effects);
    assert_int_equal(loy_account_encode(&account, &arena, &bytes), LOY_OK);
    assert_true(bytes.len <= sizeof state);
    memcpy(state, bytes.at, bytes.len);
    state_len = bytes.len;
    largest = state_len > largest ? state_len : largest;
}

static void buy(int64_t at_us)
{
    const struct loy_line line = {.sku = LOY_STR("A"), .amount_minor = 10000};
    const struct loy_event event = {
        .kind = LOY_EVENT_PURCHASE,
        .event_id = LOY_STR("1"),
        .source = LOY_STR("pos"),
        .member_id = LOY_STR("anna"),
        .occurred_at_us = at_us,
        .purchase = {.order_version = 1, .lines = &line, .line_count = 1, .total_minor = 10000}};
    decide(&event, at_us);
    expect(0, 7, at_us + 14 * DAY, at_us + 365 * DAY);
    if (programme.rule_count > 1) {
        expect(0, 3, at_us + 2 * DAY, at_us + 90 * DAY);
        expect(1, 2, 0, at_us + 180 * DAY);
    }
}

static void tick(int64_t at_us)
{
    const struct loy_event event = {.kind = LOY_EVENT_TICK, .occurred_at_us = at_us, .tick_due_at_us = at_us};
    decide(&event, at_us);
}

/* Sums hold to the point; what is due has come, later by no more than the slack, and nothing before it was due. */
static void assert_exact(int64_t at_us, int64_t slack_us)
{
    for (int w = 0; w < WALLETS; w++) {
        const struct pencil *pencil = &pencils[w];
        const struct loy_balance *balance = &account.balances[w];
        int64_t released, expired, released_before, expired_before;
        by(pencil, at_us, &released, &expired);
        by(pencil, at_us - slack_us, &released_before, &expired_before);
        assert_int_equal(balance->available + balance->pending + pencil->expired, pencil->earned);
        assert_int_equal(balance->available, pencil->released - pencil->expired);
        assert_true(pencil->released <= released && pencil->released >= released_before);
        assert_true(pencil->expired <= expired && pencil->expired >= expired_before);
    }
}

/* The auditor reads the same state, and finds in it what the entries left. */
static void assert_audited(void)
{
    int64_t gone[WALLETS][LOY_AUDIT_LOTS_MAX + 1] = {{0}};
    assert_int_equal(loy_audit_state_read((struct loy_str){state, state_len}, &read_state, NULL), LOY_OK);
    assert_int_equal(read_state.lot_count, account.lot_count);
    for (int32_t number = 1; number < account.next_lot; number++) {
        uint32_t before;
        struct loy_audit_lot *lot = loy_audit_state_lot(&read_state, wallet_of[number], number, &before);
        if (lot) {
            lot->entries_available += by_number[number][0];
            lot->entries_pending += by_number[number][1];
        } else {
            gone[wallet_of[number]][before] += by_number[number][0] + by_number[number][1];
        }
    }
    for (uint32_t i = 0; i <= read_state.lot_count; i++) { /* between two lots that are there */
        assert_true(gone[0][i] == 0 && gone[1][i] == 0);
    }
    for (uint32_t i = 0; i < read_state.lot_count; i++) {
        const struct loy_audit_lot *lot = &read_state.lots[i];
        assert_int_equal(lot->entries_available, lot->pending ? 0 : lot->points);
        assert_int_equal(lot->entries_pending, lot->pending ? lot->points : 0);
    }
}

static void begin(uint32_t rule_count, uint64_t seed)
{
    programme = *test_programme("shop");
    programme.wallets = wallets;
    programme.wallet_count = WALLETS;
    programme.rules = rules;
    programme.rule_count = rule_count;
    memset(pencils, 0, sizeof pencils);
    memset(by_number, 0, sizeof by_number);
    state_len = largest = 0;
    random_state = seed;
}

/* `count` purchases at random moments of a span of time, then ticks until nothing is left. */
static void live(uint32_t count, int64_t span_us, int64_t slack_us)
{
    int64_t at_us = november;
    for (uint32_t i = 0; i < count; i++) {
        at_us += (int64_t)(next_random() % (uint64_t)(2 * span_us / count));
        buy(at_us);
        if (i % 97 == 0) {
            assert_exact(at_us, slack_us);
        }
        if (i % 997 == 0) {
            assert_audited();
        }
    }
    for (int64_t due_us; (due_us = loy_account_due_us(&account)) != LOY_NEVER;) {
        tick(due_us);
        assert_exact(due_us, slack_us);
    }
    assert_int_equal(account.lot_count, 0);
    for (int w = 0; w < WALLETS; w++) {
        assert_true(account.balances[w].available == 0 && pencils[w].expired == pencils[w].earned);
    }
}

/* What rejected a member's purchases: each had its own second of release, and the state's 4 KiB were full. */
static void five_thousand_purchases_may_be_pending(void **unused)
{
    (void)unused;
    begin(1, 1);
    live(5000, 14 * DAY, 3 * HOUR);
    assert_int_equal(pencils[0].earned, 35000);
    assert_true(largest > LOY_STATE_BYTES_JOIN / 2 && largest <= LOY_STATE_BYTES_JOIN + 64);
}

static void rules_of_different_validity_may_credit_one_wallet_in_turn(void **unused)
{
    (void)unused;
    begin(RULES, 2);
    live(5000, 14 * DAY, 12 * HOUR);
    assert_int_equal(pencils[0].earned, 50000);
    assert_int_equal(pencils[1].earned, 10000);
}

/* A daily customer's points expire within days of what was promised, never before it. */
static void a_purchase_a_day_for_years_moves_no_expiry_by_three_days(void **unused)
{
    (void)unused;
    begin(RULES, 3);
    live(3 * 365, 3 * 365 * DAY, 3 * DAY);
}

static void many_purchases_for_years_are_never_refused(void **unused)
{
    (void)unused;
    begin(RULES, 4);
    live(12000, 800 * DAY, 30 * DAY);
}

/* An account of few lots is left as it is, to the second. */
static void lots_that_have_room_are_not_joined(void **unused)
{
    (void)unused;
    begin(RULES, 5);
    live(60, 365 * DAY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_thousand_purchases_may_be_pending),
        cmocka_unit_test(rules_of_different_validity_may_credit_one_wallet_in_turn),
        cmocka_unit_test(a_purchase_a_day_for_years_moves_no_expiry_by_three_days),
        cmocka_unit_test(many_purchases_for_years_are_never_refused),
        cmocka_unit_test(lots_that_have_room_are_not_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
