#include "engine/lots.h"

#include "base/num.h"

#include <assert.h>

enum loy_err loy_booking_init(struct loy_booking *booking, struct loy_account *account, uint32_t extra,
                              struct loy_arena *arena)
{
    uint32_t lot_capacity = account->lot_count + extra;
    uint32_t entry_capacity = lot_capacity * 2; /* each lot is booked twice at the most: earned or released, expired */
    struct loy_lot *lots = loy_arena_alloc(arena, lot_capacity * sizeof *lots);
    struct loy_entry *entries = loy_arena_alloc(arena, entry_capacity * sizeof *entries);
    if (!lots || !entries) {
        return LOY_ERR_NO_MEMORY;
    }
    if (account->lot_count) {
        memcpy(lots, account->lots, account->lot_count * sizeof *lots);
    }
    account->lots = lots;
    account->lot_capacity = lot_capacity;
    *booking = (struct loy_booking){arena, account, entries, 0, entry_capacity};
    return LOY_OK;
}

/* Where the next entry is written, for book(). */
static struct loy_entry *next_entry(const struct loy_booking *booking)
{
    assert(booking->count < booking->capacity);
    return &booking->entries[booking->count];
}

/* Takes the next entry, and moves the balances by the factors of its kind. */
static enum loy_err book(struct loy_booking *booking)
{
    static const struct {
        int available, pending, reserved;
    } factors[] = {
#define FACTORS_ROW(symbol, number, name, available_, pending_, reserved_) [number] = {available_, pending_, reserved_},
        LOY_ENTRY_KINDS(FACTORS_ROW)
#undef FACTORS_ROW
    };
    const struct loy_entry *entry = next_entry(booking);
    struct loy_balance *balance = &booking->account->balances[entry->wallet];
    struct loy_balance moved;
    if (!loy_i64_add(balance->available, entry->amount * factors[entry->kind].available, &moved.available) ||
        !loy_i64_add(balance->pending, entry->amount * factors[entry->kind].pending, &moved.pending) ||
        !loy_i64_add(balance->reserved, entry->amount * factors[entry->kind].reserved, &moved.reserved)) {
        return LOY_ERR_OVERFLOW;
    }
    *balance = moved;
    booking->count++;
    return LOY_OK;
}

/* When time alone next changes the lot. */
static int64_t lot_due_us(const struct loy_lot *lot)
{
    return lot->available_from_us != INT64_MIN ? lot->available_from_us : lot->expires_at_us;
}

static void drop_lot(struct loy_account *account, uint32_t at)
{
    memmove(&account->lots[at], &account->lots[at + 1], (account->lot_count - at - 1) * sizeof *account->lots);
    account->lot_count--;
}

enum loy_err loy_lots_advance(struct loy_booking *booking, int64_t moment_us)
{
    struct loy_account *account = booking->account;
    for (;;) {
        uint32_t earliest = 0;
        int64_t due_us = LOY_NEVER;
        for (uint32_t i = 0; i < account->lot_count; i++) {
            int64_t this_us = lot_due_us(&account->lots[i]);
            earliest = this_us < due_us ? i : earliest;
            due_us = this_us < due_us ? this_us : due_us;
        }
        if (due_us == LOY_NEVER || due_us > moment_us) {
            return LOY_OK;
        }
        struct loy_lot *lot = &account->lots[earliest];
        bool release = lot->available_from_us != INT64_MIN;
        *next_entry(booking) = (struct loy_entry){
            .kind = release ? LOY_ENTRY_RELEASE : LOY_ENTRY_EXPIRE,
            .wallet = lot->wallet,
            .amount = release ? lot->points : -lot->points,
            .lot = lot->first,
            .expires_at_us = lot->expires_at_us,
        };
        enum loy_err err = book(booking);
        if (err) {
            return err;
        }
        if (release) {
            lot->available_from_us = INT64_MIN;
        } else {
            drop_lot(account, earliest);
        }
    }
}

bool loy_lots_any_due(const struct loy_account *account, uint32_t from, int64_t moment_us)
{
    for (uint32_t i = from; i < account->lot_count; i++) {
        if (lot_due_us(&account->lots[i]) <= moment_us) {
            return true;
        }
    }
    return false;
}

/* The next whole second, and the last one: as the state keeps them. */
static int64_t second_up(int64_t us)
{
    int64_t rest = us % LOY_US_PER_SECOND;
    return us - rest + (rest > 0 ? LOY_US_PER_SECOND : 0);
}

static int64_t second_down(int64_t us)
{
    int64_t rest = us % LOY_US_PER_SECOND;
    return us - rest - (rest < 0 ? LOY_US_PER_SECOND : 0);
}

enum loy_err loy_lots_earn(struct loy_booking *booking, const struct loy_earned *earned, int64_t moment_us,
                           struct loy_error *error)
{
    struct loy_account *account = booking->account;
    assert(earned->points > 0 && account->lot_count < account->lot_capacity);
    if (account->next_lot == INT32_MAX) {
        return loy_error_set(error, LOY_ERR_OVERFLOW, "the member has had %d lots already", account->next_lot);
    }
    int64_t available_from_us = second_up(earned->available_from_us);
    bool pending = available_from_us > moment_us;
    struct loy_lot *lot = &account->lots[account->lot_count];
    *lot = (struct loy_lot){
        .first = account->next_lot,
        .last = account->next_lot,
        .wallet = earned->wallet,
        .points = earned->points,
        .available_from_us = pending ? available_from_us : INT64_MIN,
        .expires_at_us = earned->expires_at_us == LOY_NEVER ? LOY_NEVER : second_down(earned->expires_at_us),
    };
    *next_entry(booking) = (struct loy_entry){
        .kind = pending ? LOY_ENTRY_EARN_PENDING : LOY_ENTRY_EARN,
        .wallet = lot->wallet,
        .amount = lot->points,
        .lot = lot->first,
        .rule = earned->rule,
        .funder = earned->funder,
        .available_from_us = lot->available_from_us,
        .expires_at_us = lot->expires_at_us,
    };
    enum loy_err err = book(booking);
    if (err) {
        return loy_error_set(error, err, "%lld more points do not fit the balance", (long long)lot->points);
    }
    account->lot_count++;
    account->next_lot++;
    return LOY_OK;
}

static bool alike(const struct loy_lot *a, const struct loy_lot *b)
{
    return a->available_from_us == b->available_from_us && a->expires_at_us == b->expires_at_us;
}

void loy_lots_join(struct loy_account *account)
{
    if (account->lot_count <= LOY_LOTS_SOFT) {
        return;
    }
    struct loy_lot *newest[LOY_WALLETS_MAX] = {0}; /* so far, of each wallet */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        struct loy_lot lot = account->lots[i];
        struct loy_lot *into = newest[lot.wallet];
        if (into && alike(into, &lot)) {
            into->last = lot.last;
            into->points += lot.points; /* fits: the balance holds both */
        } else {
            newest[lot.wallet] = &account->lots[kept];
            account->lots[kept++] = lot;
        }
    }
    account->lot_count = kept;
}
