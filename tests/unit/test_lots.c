/* Lots of several wallets: joined past the soft limit, without a point or a moment lost, and read back by two readers.
 */
#include "support/cmocka_all.h"

#include "ctl/audit_state.h"
#include "engine/lots.h"

#define DAY LOY_US_PER_DAY

static char block[8 << 20];
static struct loy_arena arena;
static struct loy_audit_state read_state;

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return random_state >> 33;
}

/* Points that are due by moments: what a member can still spend at each time, of each wallet. */
static int64_t points_left(const struct loy_account *account, uint16_t wallet, int64_t at_us)
{
    int64_t points = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct loy_lot *lot = &account->lots[i];
        points += lot->wallet == wallet && lot->expires_at_us > at_us ? lot->points : 0;
    }
    return points;
}

static void fill(struct loy_account *account, struct loy_lot *lots, uint32_t count, uint16_t wallets, uint32_t days)
{
    loy_account_init(account, LOY_STR("anna"), 3);
    account->wallet_count = wallets;
    account->lots = lots;
    account->lot_count = account->lot_capacity = count;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t day = next_random() % days;
        lots[i] = (struct loy_lot){.first = (int32_t)i + 1,
                                   .last = (int32_t)i + 1,
                                   .wallet = (uint16_t)(next_random() % wallets),
                                   .points = 1 + (int64_t)(next_random() % 1000),
                                   .available_from_us = next_random() % 4 ? INT64_MIN : (int64_t)(day + 1) * DAY,
                                   .expires_at_us = day ? (int64_t)(day + 400) * DAY : LOY_NEVER};
    }
    account->next_lot = (int32_t)count + 1;
}

/* No two of a wallet that lie next to each other differ in age alone, and none overlap. */
static void assert_joined(const struct loy_account *account)
{
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct loy_lot *lot = &account->lots[i], *next = NULL;
        assert_true(i == 0 || lot->first > account->lots[i - 1].first);
        for (uint32_t j = i + 1; !next && j < account->lot_count; j++) {
            next = account->lots[j].wallet == lot->wallet ? &account->lots[j] : NULL;
        }
        assert_true(!next || next->first > lot->last);
        assert_true(!next || next->available_from_us != lot->available_from_us ||
                    next->expires_at_us != lot->expires_at_us);
    }
}

static void assert_survives_its_bytes(const struct loy_account *account)
{
    struct loy_str bytes, again;
    struct loy_account back;
    loy_account_init(&back, account->member_id, account->k);
    assert_int_equal(loy_account_encode(account, &arena, &bytes), LOY_OK);
    assert_int_equal(loy_account_decode(bytes, &arena, &back, NULL), LOY_OK);
    assert_int_equal(back.lot_count, account->lot_count);
    for (uint32_t i = 0; i < back.lot_count; i++) {
        assert_int_equal(back.lots[i].first, account->lots[i].first);
        assert_int_equal(back.lots[i].last, account->lots[i].last);
        assert_int_equal(back.lots[i].points, account->lots[i].points);
    }
    assert_int_equal(loy_account_encode(&back, &arena, &again), LOY_OK);
    assert_true(loy_str_equal(bytes, again));
    assert_int_equal(loy_audit_state_read(bytes, &read_state, NULL), LOY_OK);
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct loy_lot *lot = &account->lots[i];
        uint32_t before;
        for (int32_t number = lot->first; number <= lot->last; number++) {
            const struct loy_audit_lot *found = loy_audit_state_lot(&read_state, lot->wallet, number, &before);
            assert_non_null(found);
            assert_int_equal(found->points, lot->points);
        }
    }
}

static void joining_loses_no_point_and_no_moment(void **state)
{
    (void)state;
    uint32_t joined = 0, around = 0;
    for (random_state = 1; joined < 2000 && random_state != 0;) {
        struct loy_lot lots[200], before_lots[200];
        struct loy_account account, before;
        uint32_t count = 1 + (uint32_t)(next_random() % 200);
        loy_arena_init(&arena, block, sizeof block);
        fill(&account, lots, count, (uint16_t)(1 + next_random() % 4), 1 + (uint32_t)(next_random() % 3));
        memcpy(before_lots, lots, sizeof lots);
        before = account;
        before.lots = before_lots;
        loy_lots_join(&account);
        for (uint16_t wallet = 0; wallet < account.wallet_count; wallet++) {
            for (int64_t day = 0; day < 410; day += 3) {
                assert_int_equal(points_left(&account, wallet, day * DAY), points_left(&before, wallet, day * DAY));
            }
        }
        assert_int_equal(loy_account_due_us(&account), loy_account_due_us(&before));
        if (count <= LOY_LOTS_SOFT) {
            assert_int_equal(account.lot_count, count);
        } else {
            assert_joined(&account);
            joined++;
        }
        for (uint32_t i = 1; i < account.lot_count; i++) {
            around += account.lots[i].first <= account.lots[i - 1].last;
        }
        if (!loy_account_is_large(&account)) {
            assert_survives_its_bytes(&account);
        }
    }
    assert_true(joined == 2000 && around > 1000);
}

/* What made states grow towards their limit: two wallets credited by every purchase. */
static void lots_of_two_wallets_that_alternate_are_joined(void **state)
{
    (void)state;
    struct loy_lot lots[100];
    struct loy_account account;
    loy_arena_init(&arena, block, sizeof block);
    fill(&account, lots, 100, 1, 1);
    account.wallet_count = 2;
    for (uint32_t i = 0; i < 100; i++) {
        lots[i].wallet = (uint16_t)(i % 2);
        lots[i].points = i + 1;
        lots[i].available_from_us = INT64_MIN;
    }
    loy_lots_join(&account);
    assert_int_equal(account.lot_count, 2);
    assert_true(lots[0].first == 1 && lots[0].last == 99 && lots[0].points == 2500);
    assert_true(lots[1].first == 2 && lots[1].last == 100 && lots[1].points == 2550);
    assert_survives_its_bytes(&account);
}

/* Bytes that say the same in another format, or lots of a wallet that overlap, are damage for both readers. */
static void another_format_for_the_same_lots_is_refused(void **state)
{
    (void)state;
    static const char good[] = "\x03\x00\x05\x02\x00\x00\x00\x00\x00\x00\x02\x01\x02\x00\x07\x01\x02\x04\x07";
    static const struct {
        size_t at;
        char byte;
    } damages[] = {{0, 5}, {12, 0}, {17, 0}};
    struct loy_account account;
    loy_arena_init(&arena, block, sizeof block);
    loy_account_init(&account, LOY_STR("anna"), 3);
    struct loy_str bytes = {good, sizeof good - 1};
    assert_int_equal(loy_account_decode(bytes, &arena, &account, NULL), LOY_OK);
    assert_true(account.lot_count == 2 && account.lots[0].last == 3 && account.lots[1].first == 2 &&
                account.lots[1].last == 4);
    assert_int_equal(loy_audit_state_read(bytes, &read_state, NULL), LOY_OK);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char bad[sizeof good];
        memcpy(bad, good, sizeof good);
        bad[damages[i].at] = damages[i].byte;
        assert_int_not_equal(loy_account_decode((struct loy_str){bad, sizeof good - 1}, &arena, &account, NULL),
                             LOY_OK);
        assert_int_not_equal(loy_audit_state_read((struct loy_str){bad, sizeof good - 1}, &read_state, NULL), LOY_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining_loses_no_point_and_no_moment),
        cmocka_unit_test(lots_of_two_wallets_that_alternate_are_joined),
        cmocka_unit_test(another_format_for_the_same_lots_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
