/* Lots near each other in time: joined when a member has so many that the state would pass its limit.
 *
 * A member who buys often, with points that stay pending for days or last so many days, has a lot of each second. None
 * of them may cost the member a purchase, so those that differ least become one: it is available with the last of them
 * and expires with the last of them. No point is lost or expires earlier than promised, and the ledger says what moved
 * where; docs/adr/0017. Pure. Test: tests/unit/test_lots_near.c. */
#ifndef LOY_ENGINE_LOTS_NEAR_H
#define LOY_ENGINE_LOTS_NEAR_H

#include "engine/lots.h"

enum {
    LOY_STATE_BYTES_JOIN = 3072, /* past it, lots near each other are joined … */
    LOY_LOTS_FEW = 32,           /* … down to so many; with these, past LOY_STATE_BYTES_MAX only */
};

/* Joins lots of one wallet, both pending or both available, both expiring or neither, until no more than `most` are
 * left or no two can be joined. Books what each lot that is gone had, and what each that is left got: they add up to 0.
 */
LOY_MUST_USE enum loy_err loy_lots_join_near(struct loy_booking *booking, uint32_t most);

/* Joins as many as the state's limit asks for. What is too large without its lots stays too large. */
LOY_MUST_USE enum loy_err loy_lots_fit(struct loy_booking *booking);

#endif
