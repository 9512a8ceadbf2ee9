/* Spoil: breaks one good event in a stated way, for `generate --broken`.
 *
 * Each way is refused by loyald with its own error; `loyalctl generate --help` says which. Pure; the caller's arena.
 * Test: tests/unit/test_ctl_generate.c. */
#ifndef LOY_CTL_SPOIL_H
#define LOY_CTL_SPOIL_H

#include "ctl/generate.h"
#include "ctl/rng.h"
#include "loyalty/v1/event.pb-c.h"

/* What can be broken in the message before it is encoded: the total, the member id. */
void loy_spoil_message(enum loy_record_sort sort, Loyalty__V1__Event *event, struct loy_rng *rng,
                       struct loy_arena *arena);

/* What can only be broken in the bytes: cut off, an unknown kind, a text that is no UTF-8. */
struct loy_str loy_spoil_bytes(enum loy_record_sort sort, struct loy_str encoded, bool json, struct loy_rng *rng,
                               struct loy_arena *arena);

#endif
