/* Account: what is known of one member between two events, and its bytes in the member row.
 *
 * The state's bytes are canonical: the same account always encodes to the same bytes on any machine (invariant I4).
 * Format 1, integers as LEB128 varints, signed ones in zigzag: byte 1 | signed clock_us | next_lot | wallet count |
 * for each wallet: signed available, signed pending, signed reserved | lot count | for each lot, by id:
 * first - last of the one before (0 at first) | last - first | wallet × 4 + 2 × (has expiry) + (is pending) | points |
 * signed available_from in seconds when pending | signed expires_at in seconds when it has one. Both moments are whole
 * seconds: availability rounded up, expiry rounded down.
 * Format 2, written when the member has a level, a history or a counter (and only then), is format 1 with byte 2 at the
 * front and this behind: level | purchases, and when there are any: signed spend, signed first and signed last purchase
 * in microseconds | day count, and when there are any: revision of the days | for each day, ascending: signed day at
 * first, then day - the one before | purchases | signed spend | counter count | for each counter, by key: key - the one
 * before (0 at first) | signed window | signed used.
 * Formats 3 and 4 are 1 and 2 for a member with a lot that begins before the one before it ends, as joined lots of
 * several wallets may (and only then): each lot's first is counted from the first of the one before, not from its last.
 * Formats 5 to 8 are 1 to 4 for a member with traits (and only then), with these behind: their length | their bytes
 * (engine/traits.h).
 * Pure; the caller's arena. Test: tests/unit/test_engine.c. */
#ifndef LOY_ENGINE_ACCOUNT_H
#define LOY_ENGINE_ACCOUNT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"
#include "engine/programme.h"

#include <stdbool.h>
#include <stdint.h>

#define LOY_NEVER INT64_MAX /* as a moment: it does not come */

enum {
    LOY_STATE_BYTES_MAX = 4096,
    LOY_LOTS_SOFT =
        24, /* past it, lots that differ in nothing but age are joined, after every event; more: lots_near.h */
};

/* The points of one accrual, or of several joined ones (ids first to last). */
struct loy_lot {
    int32_t first;
    int32_t last;
    uint16_t wallet;
    int64_t points;            /* what is left, > 0 */
    int64_t available_from_us; /* pending until then; INT64_MIN: available */
    int64_t expires_at_us;     /* LOY_NEVER: does not expire */
};

struct loy_balance {
    int64_t available;
    int64_t pending;
    int64_t reserved;
};

/* Purchases of one local day, in event time. Day 0 is 1970-01-01. */
struct loy_day {
    int32_t day;
    int64_t purchases; /* > 0 */
    int64_t spend_minor;
};

/* What a counter counts. Numbers are stored: never reuse one. */
enum loy_counted {
    LOY_COUNTED_TIMES = 0,  /* grants of a rule in a window */
    LOY_COUNTED_POINTS = 1, /* points of a rule in a window */
    LOY_COUNTED_WALLET = 2, /* points into a wallet in a window; the number is the wallet's */
    LOY_COUNTED_LAST = 3,   /* moment of a rule's last grant, in microseconds; window LIFETIME */
    LOY_COUNTED_REST = 4,   /* what a rule's rounding left, to be carried; window LIFETIME */
};

/* used in window `window`: the number of the local day, week (day + 3, by 7) or month (year × 12 + month - 1), or the
 * year; 0 for LIFETIME. */
struct loy_counter {
    uint32_t key; /* number × 128 + enum loy_counted × 8 + enum loy_window */
    int64_t window;
    int64_t used; /* not 0 */
};

struct loy_account {
    struct loy_str member_id;
    int32_t k;
    int32_t n;        /* number inside k; -1: not stored yet */
    int64_t seq;      /* journaled events so far */
    int64_t version;  /* published updates so far */
    int64_t clock_us; /* the latest moment of its events */
    int32_t next_lot; /* 1, 2, 3 … */
    uint16_t wallet_count;
    struct loy_balance balances[LOY_WALLETS_MAX];
    struct loy_lot *lots; /* by first; of one wallet, none begins before the one before it ends */
    uint32_t lot_count;
    uint32_t lot_capacity;
    int32_t level;         /* number of the level held; 0: none */
    struct loy_str traits; /* engine/traits.h; empty: none */
    /* When the programme keeps a history: */
    int64_t purchases;
    int64_t spend_minor;
    int64_t first_purchase_us, last_purchase_us; /* when there are any */
    struct loy_day *days;                        /* ascending; those that a declared window can still see */
    uint32_t day_count;
    int32_t days_revision;        /* the newest revision that said which of them can still be seen; 0: there are none */
    struct loy_counter *counters; /* by key */
    uint32_t counter_count;
};

/* A member that has just enrolled. */
void loy_account_init(struct loy_account *account, struct loy_str member_id, int32_t k);

/* Bytes of the state, without what stands in columns of the member row (ids, seq, version): in the arena.
 * LOY_ERR_STATE_TOO_LARGE past LOY_STATE_BYTES_MAX. */
LOY_MUST_USE enum loy_err loy_account_encode(const struct loy_account *account, struct loy_arena *arena,
                                             struct loy_str *ret_state);
/* Fills all but ids, seq and version, which are the caller's. LOY_ERR_CORRUPT for bytes we did not write. */
LOY_MUST_USE enum loy_err loy_account_decode(struct loy_str state, struct loy_arena *arena, struct loy_account *account,
                                             struct loy_error *error);

/* Whether the state may be so large that it has to be measured after an event. */
bool loy_account_is_large(const struct loy_account *account);

/* What tells a row that was read from any other: over everything that decides, so that no cache can lie about one part.
 * First 16 bytes of SHA-256 over three parts, each preceded by its length (base/hash.h): member id | k, n as 4 bytes,
 * seq, version as 8 bytes, little-endian | state. */
struct loy_digest loy_account_digest(const struct loy_account *account, struct loy_str state);

/* The earliest moment at which time alone changes the account; LOY_NEVER when nothing is due. */
int64_t loy_account_due_us(const struct loy_account *account);

#endif
