/* Fill: a protobuf Event, already within its limits, to what the engine sees. Internal to wire.
 *
 * Checks what holds between fields. Texts are borrowed from the message. No state; any thread, an arena each.
 * Test: test_wire_decode.c. */
#ifndef LOY_ADAPTERS_WIRE_FILL_H
#define LOY_ADAPTERS_WIRE_FILL_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/event.h"

#include "loyalty/v1/event.pb-c.h"

/* ret_event->encoded is left empty. Errors of class REJECT, or LOY_ERR_NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_wire_fill(const Loyalty__V1__Event *message, struct loy_arena *arena,
                                        struct loy_event *ret_event, struct loy_error *error);

#endif
