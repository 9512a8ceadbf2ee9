#include "engine/lots_near.h"

#include "base/num.h"

#include <assert.h>

/* A lot's nearest is looked for among so many that follow it by expiry: rules of different validity that credit one
 * wallet in turn have lots that lie between each other. */
enum { NEIGHBOURS = 8 };

/* A lot, and what of its points others had before. */
struct near {
    struct loy_lot lot;
    int64_t gained;
};

static bool is_before(const struct loy_lot *a, const struct loy_lot *b)
{
    if (a->wallet != b->wallet) {
        return a->wallet < b->wallet;
    }
    if (a->expires_at_us != b->expires_at_us) {
        return a->expires_at_us < b->expires_at_us;
    }
    return a->available_from_us != b->available_from_us ? a->available_from_us < b->available_from_us
                                                        : a->first < b->first;
}

static uint64_t apart(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? (uint64_t)b_us - (uint64_t)a_us : (uint64_t)a_us - (uint64_t)b_us;
}

/* How much joining the two would move them in time; UINT64_MAX: they cannot be joined. */
static uint64_t distance(const struct loy_lot *a, const struct loy_lot *b)
{
    bool pending = a->available_from_us != INT64_MIN, expires = a->expires_at_us != LOY_NEVER;
    if (a->wallet != b->wallet || pending != (b->available_from_us != INT64_MIN) ||
        expires != (b->expires_at_us != LOY_NEVER)) {
        return UINT64_MAX;
    }
    uint64_t later = pending ? apart(a->available_from_us, b->available_from_us) : 0;
    uint64_t longer = expires ? apart(a->expires_at_us, b->expires_at_us) : 0;
    return later < UINT64_MAX / 2 && longer < UINT64_MAX / 2 ? later + longer : UINT64_MAX - 1;
}

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

/* By wallet and expiry; back to the order of their numbers. Few stand far from their place, as lots are earned in about
 * the order in which they expire. */
static void sort(struct near *lots, uint32_t count, bool by_number)
{
    for (uint32_t i = 1; i < count; i++) {
        struct near lot = lots[i];
        uint32_t at = i;
        while (at > 0 &&
               (by_number ? lot.lot.first < lots[at - 1].lot.first : is_before(&lot.lot, &lots[at - 1].lot))) {
            lots[at] = lots[at - 1];
            at--;
        }
        lots[at] = lot;
    }
}

/* The two that lie nearest; false: no two can be joined. */
static bool find_nearest(const struct near *lots, uint32_t count, uint32_t *ret_left, uint32_t *ret_right)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i + 1 < count && least > 0; i++) {
        for (uint32_t j = i + 1; j < count && j <= i + NEIGHBOURS; j++) {
            uint64_t this = distance(&lots[i].lot, &lots[j].lot);
            if (this < least) {
                least = this;
                *ret_left = i;
                *ret_right = j;
            }
        }
    }
    return least < UINT64_MAX;
}

static void book_move(struct loy_booking *booking, const struct loy_lot *lot, int64_t points)
{
    bool pending = lot->available_from_us != INT64_MIN;
    assert(booking->count < booking->capacity);
    booking->entries[booking->count++] = (struct loy_entry){
        .kind = pending ? LOY_ENTRY_JOIN_PENDING : LOY_ENTRY_JOIN,
        .wallet = lot->wallet,
        .amount = points,
        .lot = lot->first,
        .available_from_us = lot->available_from_us,
        .expires_at_us = lot->expires_at_us,
    };
}

/* The later one takes the points of the other. */
static void join(struct loy_booking *booking, struct near *lots, uint32_t *count, uint32_t left, uint32_t right)
{
    struct near *from = &lots[left], *into = &lots[right];
    int64_t own = from->lot.points - from->gained;
    book_move(booking, &from->lot, -own);
    into->gained += from->lot.points;
    into->lot.points += from->lot.points; /* fits: the balance holds both */
    into->lot.available_from_us = later(from->lot.available_from_us, into->lot.available_from_us);
    into->lot.expires_at_us = later(from->lot.expires_at_us, into->lot.expires_at_us);
    memmove(from, from + 1, (*count - left - 1) * sizeof *lots);
    --*count;
}

/* Room for an entry of each lot, after those that stand. */
static enum loy_err make_room(struct loy_booking *booking, uint32_t lots)
{
    uint32_t capacity = booking->count + lots;
    struct loy_entry *entries = loy_arena_alloc(booking->arena, capacity * sizeof *entries);
    if (!entries) {
        return LOY_ERR_NO_MEMORY;
    }
    if (booking->count) {
        memcpy(entries, booking->entries, booking->count * sizeof *entries);
    }
    booking->entries = entries;
    booking->capacity = capacity;
    return LOY_OK;
}

enum loy_err loy_lots_join_near(struct loy_booking *booking, uint32_t most)
{
    struct loy_account *account = booking->account;
    uint32_t count = account->lot_count, left, right;
    struct near *lots = LOY_NEW_ARRAY(booking->arena, struct near, count);
    if (!lots || make_room(booking, count)) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        lots[i].lot = account->lots[i];
    }
    sort(lots, count, false);
    while (count > most && find_nearest(lots, count, &left, &right)) {
        join(booking, lots, &count, left, right);
    }
    sort(lots, count, true);
    for (uint32_t i = 0; i < count; i++) {
        if (lots[i].gained > 0) {
            book_move(booking, &lots[i].lot, lots[i].gained);
        }
        account->lots[i] = lots[i].lot;
    }
    account->lot_count = count;
    return LOY_OK;
}

enum loy_err loy_lots_fit(struct loy_booking *booking)
{
    struct loy_account *account = booking->account;
    while (loy_account_is_large(account)) {
        struct loy_str state;
        enum loy_err err = loy_account_encode(account, booking->arena, &state);
        size_t most = account->lot_count > LOY_LOTS_FEW ? LOY_STATE_BYTES_JOIN : LOY_STATE_BYTES_MAX;
        if (err == LOY_ERR_NO_MEMORY || (!err && state.len <= most)) {
            return err;
        }
        uint32_t before = account->lot_count;
        err = loy_lots_join_near(booking, before - before / 4);
        if (err || account->lot_count == before) {
            return err;
        }
    }
    return LOY_OK;
}
