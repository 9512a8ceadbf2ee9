/* Usual: a purchase in canonical protobuf, read straight into what the engine sees. Internal to wire.
 *
 * Nearly every record is one. It is read without protobuf-c's structs between, and its texts stay where they are, which
 * takes a third of the time. What is accepted here is what the long way (proto.c, fill.c) makes the same event of:
 * anything that is out of order, unknown, rare or wrong is left to it. Pure; any thread, an arena each.
 * Test: tests/unit/test_wire_usual.c. */
#ifndef LOY_ADAPTERS_WIRE_USUAL_H
#define LOY_ADAPTERS_WIRE_USUAL_H

#include "base/arena.h"
#include "base/str.h"
#include "engine/event.h"

#include <stdbool.h>

/* True: *ret_event is the purchase in `bytes`, which are its canonical encoding and hold its texts. False: it is not a
 * usual one, or the arena is full; then the arena is as it was, and *ret_event of no use. */
LOY_MUST_USE bool loy_wire_usual_read(struct loy_str bytes, struct loy_arena *arena, struct loy_event *ret_event);

#endif
