/* Audit state: the auditor's own reader of a member's state.
 *
 * The format is written down in engine/account.h; nothing of engine/account.c is used, so that a mistake made there is
 * not made here again. Pure; the caller's storage. Test: tests/unit/test_ctl_audit.c. */
#ifndef LOY_CTL_AUDIT_STATE_H
#define LOY_CTL_AUDIT_STATE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOY_AUDIT_WALLETS_MAX = 8,
    LOY_AUDIT_LOTS_MAX = 1024, /* of four bytes at least, in 4 KiB */
};

struct loy_audit_lot {
    int64_t first, last;
    uint32_t wallet;
    int64_t points;
    bool pending, expires;
    int64_t available_from_s, expires_at_s;
    /* The ledger's view of the same numbers, added up by the auditor. */
    int64_t entries_available, entries_pending;
};

struct loy_audit_state {
    int64_t clock_us;
    int64_t next_lot;
    uint32_t wallet_count;
    int64_t available[LOY_AUDIT_WALLETS_MAX], pending[LOY_AUDIT_WALLETS_MAX], reserved[LOY_AUDIT_WALLETS_MAX];
    uint32_t lot_count;
    struct loy_audit_lot lots[LOY_AUDIT_LOTS_MAX]; /* by wallet, then by number */
};

/* LOY_ERR_CORRUPT with what is wrong at which byte. */
LOY_MUST_USE enum loy_err loy_audit_state_read(struct loy_str bytes, struct loy_audit_state *ret_state,
                                               struct loy_error *error);
/* Seconds since 1970 of the next moment at which time alone changes it; INT64_MAX: none. */
int64_t loy_audit_state_due_s(const struct loy_audit_state *state);
/* The lot of a wallet that has this number, or is joined with it; NULL when there is none. *ret_before: how many lots
 * are of wallets before it or lie wholly before the number. */
struct loy_audit_lot *loy_audit_state_lot(struct loy_audit_state *state, uint32_t wallet, int64_t number,
                                          uint32_t *ret_before);

#endif
