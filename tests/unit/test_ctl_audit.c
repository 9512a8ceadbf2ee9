#include "support/cmocka_all.h"

#include "ctl/audit_published.h"
#include "ctl/audit_state.h"
#include "engine/account.h"

#include <stdlib.h>

static struct loy_audit_state read_state; /* too large for a stack */

static enum loy_err read_bytes(const char *bytes, size_t len, struct loy_error *error)
{
    return loy_audit_state_read((struct loy_str){bytes, len}, &read_state, error);
}

#define READ(literal, error) read_bytes(literal, sizeof(literal) - 1, error)

/* Written by hand from engine/account.h's words: clock 1 s, next lot 8, one wallet 30/20/0; lot 2-4 of 30 available,
 * expiring at 100 s; lot 7 of 20, pending until 50 s. */
#define GOOD "\x01\x80\x89\x7a\x08\x01\x3c\x28\x00\x02\x02\x02\x02\x1e\xc8\x01\x03\x00\x01\x14\x64"

static void a_state_written_by_hand_is_read(void **state)
{
    (void)state;
    assert_int_equal(READ(GOOD, NULL), LOY_OK);
    assert_int_equal(read_state.clock_us, 1000000);
    assert_int_equal(read_state.next_lot, 8);
    assert_int_equal(read_state.wallet_count, 1);
    assert_int_equal(read_state.available[0], 30);
    assert_int_equal(read_state.pending[0], 20);
    assert_int_equal(read_state.lot_count, 2);
    const struct loy_audit_lot *lot = &read_state.lots[0];
    assert_true(lot->first == 2 && lot->last == 4 && lot->points == 30 && !lot->pending && lot->expires);
    assert_int_equal(lot->expires_at_s, 100);
    lot = &read_state.lots[1];
    assert_true(lot->first == 7 && lot->last == 7 && lot->points == 20 && lot->pending && !lot->expires);
    assert_int_equal(lot->available_from_s, 50);
    assert_int_equal(loy_audit_state_due_s(&read_state), 50);
}

static void lots_are_found_by_any_of_their_numbers(void **state)
{
    (void)state;
    uint32_t before = 99;
    assert_int_equal(READ(GOOD, NULL), LOY_OK);
    assert_ptr_equal(loy_audit_state_lot(&read_state, 0, 3, &before), &read_state.lots[0]);
    assert_int_equal(before, 0);
    assert_null(loy_audit_state_lot(&read_state, 1, 3, &before)); /* of another wallet */
    assert_null(loy_audit_state_lot(&read_state, 0, 1, &before));
    assert_int_equal(before, 0);
    assert_null(loy_audit_state_lot(&read_state, 0, 5, &before));
    assert_int_equal(before, 1);
    assert_ptr_equal(loy_audit_state_lot(&read_state, 0, 7, &before), &read_state.lots[1]);
    assert_null(loy_audit_state_lot(&read_state, 0, 8, &before));
    assert_int_equal(before, 2);
}

static void a_state_that_is_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof GOOD - 1; len++) {
        struct loy_error error = {0};
        char *copy = malloc(len + 1); /* of just that size, for the sanitizer */
        assert_non_null(copy);
        memcpy(copy, GOOD, len);
        assert_int_equal(read_bytes(copy, len, &error), LOY_ERR_CORRUPT);
        assert_true(error.detail[0] != 0);
        free(copy);
    }
}

static void each_damage_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *said;
    } cases[] = {
#define CASE(bytes, said) {bytes, sizeof(bytes) - 1, said}
        CASE("\x03\x00\x01\x00\x00", "its format is"),
        CASE(GOOD "\x00", "bytes follow its end"),
        CASE("\x01\x80\x00\x01\x00\x00", "longer than it has to be"),
        CASE("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x01\x00\x00", "more than 64 bits"),
        CASE("\x01\x00\x01\x09", "too many wallets"),
        CASE("\x01\x00\x01\x00\x81\x08", "too many lots"),
        CASE("\x01\x00\x01\x01\x00\x00\x00\x01\x00\x00\x00\x01", "ascending order"),
        CASE("\x01\x00\x01\x01\x00\x00\x00\x01\x01\x00\x00\x00", "no points left"),
        CASE("\x01\x00\x01\x01\x00\x00\x00\x01\x01\x00\x04\x01", "a wallet that the member does not have"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loy_error error = {0};
        assert_int_equal(read_bytes(cases[i].bytes, cases[i].len, &error), LOY_ERR_CORRUPT);
        if (!strstr(error.detail, cases[i].said)) {
            fail_msg("case %zu: '%s' was expected in '%s'", i, cases[i].said, error.detail);
        }
    }
}

/* The auditor's reader agrees with the engine's writer, which it knows nothing of. */
/* Format 2, by hand: the same, then level 3; 2 purchases of 5 in all, at 1 and 2 us; days of revision 7: day 10 with
 * one purchase of 2, day 13 with one of 3; counter 129 (rule 1, times a day) with window 0 used 1. */
#define HISTORY "\x03\x02\x0a\x02\x04\x02\x07\x14\x01\x04\x03\x01\x06\x01\x81\x01\x00\x02"
#define GOOD_BODY "\x80\x89\x7a\x08\x01\x3c\x28\x00\x02\x02\x02\x02\x1e\xc8\x01\x03\x00\x01\x14\x64"

static void a_state_with_a_history_is_read_by_both_readers(void **state)
{
    (void)state;
    static const char bytes[] = "\x02" GOOD_BODY HISTORY;
    static char block[1 << 16];
    struct loy_arena arena;
    struct loy_account account = {0};
    struct loy_str text = {bytes, sizeof bytes - 1}, again;
    loy_arena_init(&arena, block, sizeof block);
    assert_int_equal(read_bytes(text.at, text.len, NULL), LOY_OK);
    assert_int_equal(read_state.lot_count, 2);
    assert_int_equal(loy_account_decode(text, &arena, &account, NULL), LOY_OK);
    assert_int_equal(account.level, 3);
    assert_int_equal(account.purchases, 2);
    assert_int_equal(account.spend_minor, 5);
    assert_int_equal(account.last_purchase_us, 2);
    assert_int_equal(account.days_revision, 7);
    assert_int_equal(account.days[1].day, 13);
    assert_int_equal(account.days[1].spend_minor, 3);
    assert_int_equal(account.counters[0].key, 129);
    assert_int_equal(loy_account_encode(&account, &arena, &again), LOY_OK);
    assert_true(loy_str_equal(text, again));
    for (size_t len = 0; len < text.len; len++) {
        assert_int_equal(read_bytes(text.at, len, NULL), LOY_ERR_CORRUPT);
    }
}

static void a_damaged_history_is_refused_by_both_readers(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } damaged[] = {
#define DAMAGED(history) {"\x02" GOOD_BODY history, sizeof("\x02" GOOD_BODY history) - 1}
        DAMAGED("\x00\x00\x00\x00"),                                 /* nothing that format 1 has not */
        DAMAGED("\x03\x00\x01\x00\x14\x01\x04\x00"),                 /* days of no revision */
        DAMAGED("\x03\x00\x01\x07\x14\x00\x04\x00"),                 /* a day without a purchase */
        DAMAGED("\x03\x00\x02\x07\x14\x01\x04\x00\x01\x04\x00"),     /* the same day twice */
        DAMAGED("\x03\x00\x00\x01\x00\x00\x02"),                     /* a counter without a key */
        DAMAGED("\x03\x00\x00\x01\x05\x00\x00"),                     /* a counter that counts nothing */
        DAMAGED("\x03\x00\x00\x00\x00"),                             /* bytes behind the end */
        DAMAGED("\x03\x00\x00\x01\xff\xff\xff\xff\xff\x01\x00\x02"), /* a key of more than 32 bits */
#undef DAMAGED
    };
    static char block[1 << 16];
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct loy_arena arena;
        struct loy_account account = {0};
        struct loy_str text = {damaged[i].bytes, damaged[i].len};
        loy_arena_init(&arena, block, sizeof block);
        assert_int_equal(read_bytes(text.at, text.len, NULL), LOY_ERR_CORRUPT);
        assert_int_equal(loy_account_decode(text, &arena, &account, NULL), LOY_ERR_CORRUPT);
    }
}

static void states_of_the_engine_are_read_as_they_were(void **state)
{
    (void)state;
    char block[1 << 16];
    struct loy_arena arena;
    struct loy_account account;
    struct loy_str bytes;
    struct loy_lot lots[20];
    uint64_t random = 42;
    for (int round = 0; round < 500; round++) {
        loy_arena_init(&arena, block, sizeof block);
        loy_account_init(&account, LOY_STR("m1"), 0);
        account.lots = lots;
        account.wallet_count = (uint16_t)(1 + round % LOY_WALLETS_MAX);
        account.clock_us = (int64_t)(random % 4000000000000000) - 1000000000000000;
        int32_t number = 0, before = 0, ends[LOY_WALLETS_MAX] = {0};
        account.lot_count = (uint32_t)(round % 20);
        for (uint32_t i = 0; i < account.lot_count; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            lots[i].wallet = (uint16_t)((random >> 50) % account.wallet_count);
            /* every other state with lots that lie around others */
            before = round % 2 || ends[lots[i].wallet] > before ? ends[lots[i].wallet] : before;
            before = round % 2 && i > 0 && lots[i - 1].first > before ? lots[i - 1].first : before;
            before = round % 2 ? before : number > before ? number : before;
            lots[i].first = before + 1 + (int32_t)(random >> 60);
            lots[i].last = ends[lots[i].wallet] = lots[i].first + (int32_t)(random >> 56 & 3);
            number = lots[i].last > number ? lots[i].last : number;
            lots[i].points = 1 + (int64_t)(random >> 20 & 0xfffffff);
            lots[i].available_from_us = random & 1 ? (int64_t)(random >> 33) * LOY_US_PER_SECOND : INT64_MIN;
            lots[i].expires_at_us = random & 2 ? (int64_t)(random >> 31) * LOY_US_PER_SECOND : LOY_NEVER;
        }
        account.next_lot = number + 1;
        account.balances[0] = (struct loy_balance){(int64_t)random, -(int64_t)(random >> 5), round};
        assert_int_equal(loy_account_encode(&account, &arena, &bytes), LOY_OK);
        assert_int_equal(loy_audit_state_read(bytes, &read_state, NULL), LOY_OK);
        assert_int_equal(read_state.clock_us, account.clock_us);
        assert_int_equal(read_state.next_lot, account.next_lot);
        assert_int_equal(read_state.available[0], account.balances[0].available);
        assert_int_equal(read_state.pending[0], account.balances[0].pending);
        assert_int_equal(read_state.reserved[0], account.balances[0].reserved);
        assert_int_equal(read_state.lot_count, account.lot_count);
        for (uint32_t i = 0; i < account.lot_count; i++) {
            uint32_t ignored;
            const struct loy_audit_lot *lot = loy_audit_state_lot(&read_state, lots[i].wallet, lots[i].last, &ignored);
            assert_non_null(lot);
            assert_true(lot->first == lots[i].first && lot->last == lots[i].last && lot->wallet == lots[i].wallet &&
                        lot->points == lots[i].points);
            assert_int_equal(lot->pending, lots[i].available_from_us != INT64_MIN);
            assert_int_equal(lot->expires, lots[i].expires_at_us != LOY_NEVER);
        }
        int64_t due_s = loy_audit_state_due_s(&read_state), due_us = loy_account_due_us(&account);
        assert_int_equal(due_s == INT64_MAX ? INT64_MAX : due_s * LOY_US_PER_SECOND, due_us);
    }
}

/* --- what was published ------------------------------------------------------------------------------------------- */

static void add(struct loy_published *published, const char *member, int32_t incarnation, int64_t version)
{
    const struct loy_published_record record = {
        .member_id = loy_str(member), .incarnation = incarnation, .version = version};
    assert_int_equal(loy_published_add(published, &record), LOY_OK);
}

static int64_t gap_of(const struct loy_published *published, const char *member)
{
    const struct loy_published_member *found = loy_published_find(published, loy_str(member));
    assert_non_null(found);
    return found->gap_at;
}

static void versions_that_follow_each_other_have_no_gap(void **state)
{
    (void)state;
    char block[16384];
    struct loy_arena arena;
    struct loy_published published;
    loy_arena_init(&arena, block, sizeof block);
    assert_true(loy_published_init(&published, &arena, 8, true));
    static const int64_t repeated[] = {1, 2, 3, 2,
                                       3, 4, 1, 5}; /* a batch published again, and a worker that was late */
    for (size_t i = 0; i < sizeof repeated / sizeof repeated[0]; i++) {
        add(&published, "repeats", 1, repeated[i]);
    }
    add(&published, "restored", 1, 1);
    add(&published, "restored", 1, 2);
    add(&published, "restored", 2, 2); /* goes on from its backup */
    add(&published, "restored", 1, 9); /* and drops what the old one still says */
    add(&published, "restored", 2, 3);
    assert_int_equal(gap_of(&published, "repeats"), 0);
    assert_int_equal(gap_of(&published, "restored"), 0);
    assert_int_equal(loy_published_find(&published, LOY_STR("repeats"))->version, 5);
    assert_int_equal(loy_published_find(&published, LOY_STR("restored"))->version, 3);
    assert_null(loy_published_find(&published, LOY_STR("never")));
}

static void a_version_left_out_is_a_gap(void **state)
{
    (void)state;
    char block[16384];
    struct loy_arena arena;
    struct loy_published published;
    loy_arena_init(&arena, block, sizeof block);
    assert_true(loy_published_init(&published, &arena, 8, true));
    add(&published, "late start", 1, 2);
    add(&published, "hole", 1, 1);
    add(&published, "hole", 1, 3);
    add(&published, "hole", 1, 2); /* too late: subscribers drop it */
    assert_int_equal(gap_of(&published, "late start"), 2);
    assert_int_equal(gap_of(&published, "hole"), 3);
    /* Where the broker has deleted the beginning, nobody can say. */
    loy_arena_reset(&arena);
    assert_true(loy_published_init(&published, &arena, 8, false));
    add(&published, "late start", 1, 2);
    assert_int_equal(gap_of(&published, "late start"), 0);
}

static void more_members_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    char block[16384];
    struct loy_arena arena;
    struct loy_published published;
    loy_arena_init(&arena, block, sizeof block);
    assert_true(loy_published_init(&published, &arena, 2, true));
    add(&published, "a", 1, 1);
    add(&published, "b", 1, 1);
    add(&published, "a", 1, 2);
    const struct loy_published_record third = {.member_id = LOY_STR("c"), .incarnation = 1, .version = 1};
    assert_int_equal(loy_published_add(&published, &third), LOY_ERR_NO_MEMORY);
}

static void updates_are_read_in_both_forms(void **state)
{
    (void)state;
    char block[1 << 16];
    struct loy_arena arena;
    struct loy_published_record record;
    struct loy_error error;
    loy_arena_init(&arena, block, sizeof block);
    const struct loy_str json =
        LOY_STR("{\"member_id\":\"m1\",\"incarnation\":1,\"version\":\"7\",\"balance\":{\"wallets\":"
                "[{\"wallet\":\"points\",\"available\":\"12\",\"pending\":\"3\"}]}}");
    assert_int_equal(loy_published_decode(json, &arena, &record, &error), LOY_OK);
    assert_true(loy_str_equal(record.member_id, LOY_STR("m1")) && record.version == 7 && record.has_balances);
    assert_int_equal(record.wallet_count, 1);
    assert_true(record.balances[0][0] == 12 && record.balances[0][1] == 3 && record.balances[0][2] == 0);
    const struct loy_str protobuf = LOY_STR("\x0a\x02m1\x10\x01\x18\x07\x52\x0e\x0a\x0c\x0a\x06points\x10\x0c\x18\x03");
    struct loy_published_record again;
    assert_int_equal(loy_published_decode(protobuf, &arena, &again, &error), LOY_OK);
    assert_true(loy_str_equal(again.member_id, record.member_id) && again.version == 7);
    assert_memory_equal(again.balances, record.balances, sizeof again.balances[0]);
    assert_int_equal(loy_published_decode(LOY_STR("{}"), &arena, &record, &error), LOY_ERR_CORRUPT);
    assert_int_equal(loy_published_decode(LOY_STR("\xff\xff"), &arena, &record, &error), LOY_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_written_by_hand_is_read),
        cmocka_unit_test(lots_are_found_by_any_of_their_numbers),
        cmocka_unit_test(a_state_that_is_cut_off_anywhere_is_refused),
        cmocka_unit_test(each_damage_is_said),
        cmocka_unit_test(a_state_with_a_history_is_read_by_both_readers),
        cmocka_unit_test(a_damaged_history_is_refused_by_both_readers),
        cmocka_unit_test(states_of_the_engine_are_read_as_they_were),
        cmocka_unit_test(versions_that_follow_each_other_have_no_gap),
        cmocka_unit_test(a_version_left_out_is_a_gap),
        cmocka_unit_test(more_members_than_there_is_room_for_are_refused),
        cmocka_unit_test(updates_are_read_in_both_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
