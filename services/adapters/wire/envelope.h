/* Envelope: which encoding a record is in, and where in it the event lies. Internal to wire.
 *
 * Told by the record's headers (content-type, ce_specversion) and by its first bytes: 0x00 begins the framing of
 * Confluent's schema registry; "{" begins JSON, as no protobuf Event can; everything else is protobuf.
 * No state; any thread. Test: test_wire_envelope.c. */
#ifndef LOY_ADAPTERS_WIRE_ENVELOPE_H
#define LOY_ADAPTERS_WIRE_ENVELOPE_H

#include "base/err.h"
#include "base/str.h"
#include "ports/bus.h"

#include <stdbool.h>

/* The attributes of a CloudEvent that an event can be completed with. Borrowed; empty: none. */
struct loy_wire_cloudevent {
    struct loy_str id;
    struct loy_str source;
    struct loy_str time;
};

struct loy_wire_envelope {
    bool json;
    bool structured;      /* the whole is a CloudEvent, whatever keys it has */
    struct loy_str bytes; /* without framing; borrowed from the record */
    struct loy_wire_cloudevent cloudevent;
};

/* LOY_ERR_MALFORMED for framing that is not ours, LOY_ERR_INVALID_VALUE for a version of CloudEvents that is not 1. */
LOY_MUST_USE enum loy_err loy_wire_open(const struct loy_record *record, struct loy_wire_envelope *ret_envelope,
                                        struct loy_error *error);

/* The same by first bytes alone: for what lies inside a CloudEvent. */
LOY_MUST_USE enum loy_err loy_wire_open_bytes(struct loy_str bytes, struct loy_wire_envelope *ret_envelope,
                                              struct loy_error *error);

/* LOY_ERR_INVALID_VALUE unless it is 1.0, or a later 1. */
LOY_MUST_USE enum loy_err loy_wire_check_specversion(struct loy_str version, struct loy_error *error);

#endif
