/* Lots: points with their own validity. Time, which releases and expires them, and new accruals.
 *
 * Every change of a balance goes through here and leaves an entry. Pure. Test: tests/unit/test_engine.c. */
#ifndef LOY_ENGINE_LOTS_H
#define LOY_ENGINE_LOTS_H

#include "engine/account.h"
#include "engine/effects.h"

/* Entries of one decision, as they are booked. */
struct loy_booking {
    struct loy_arena *arena;
    struct loy_account *account;
    struct loy_entry *entries;
    uint32_t count;
    uint32_t capacity;
};

/* What a booking starts from: a copy of the account's lots that this decision may change, with room for `extra`. */
LOY_MUST_USE enum loy_err loy_booking_init(struct loy_booking *booking, struct loy_account *account, uint32_t extra,
                                           struct loy_arena *arena);

/* Books everything that is due by moment_us, in order of due time (a release before an expiry, then by lot). */
LOY_MUST_USE enum loy_err loy_lots_advance(struct loy_booking *booking, int64_t moment_us);

/* Whether time has already changed one of the lots from a position on. */
bool loy_lots_any_due(const struct loy_account *account, uint32_t from, int64_t moment_us);

/* An accrual. The state keeps whole seconds: availability is rounded up, expiry down. */
struct loy_earned {
    uint16_t wallet;
    int32_t rule, funder;
    int64_t points;            /* > 0 */
    int64_t available_from_us; /* INT64_MIN: at once */
    int64_t expires_at_us;     /* LOY_NEVER: does not */
};

/* Credits it as a new lot: pending when it is available only after moment_us. */
LOY_MUST_USE enum loy_err loy_lots_earn(struct loy_booking *booking, const struct loy_earned *earned, int64_t moment_us,
                                        struct loy_error *error);

/* Joins lots that differ in nothing but age and have none of their wallet between them, when there are more than
 * LOY_LOTS_SOFT. Lots of other wallets may lie between them: the joined one's numbers then run around theirs. */
void loy_lots_join(struct loy_account *account);

#endif
