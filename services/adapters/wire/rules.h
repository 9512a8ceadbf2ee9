/* Rules: the limits of proto/loyalty/v1/event.proto, a row a field. Internal to wire.
 *
 * One table beside protobuf-c's descriptors, in the same order; the reader of protobuf checks every event against it,
 * whichever encoding it came in. Constant data; any thread. Test: test_wire_rules.c holds it against the descriptors.
 */
#ifndef LOY_ADAPTERS_WIRE_RULES_H
#define LOY_ADAPTERS_WIRE_RULES_H

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

enum loy_wire_check {
    LOY_WIRE_ANY,
    LOY_WIRE_NOT_NEGATIVE,
    LOY_WIRE_FROM_1,
    LOY_WIRE_NOT_ZERO,
    LOY_WIRE_ACCOUNT,  /* a text: 1 to max bytes, else LOY_ERR_INVALID_MEMBER */
    LOY_WIRE_MEMBER,   /* the same, and not beginning with "~" */
    LOY_WIRE_CURRENCY, /* a text: three capital letters */
    LOY_WIRE_DATE,     /* a text: YYYY-MM-DD, a day that exists */
};

struct loy_wire_rules;

struct loy_wire_rule {
    uint16_t number;    /* of the field */
    uint16_t max_bytes; /* of a text, or of each text */
    uint16_t max_count; /* of a repeated field */
    uint8_t check;      /* enum loy_wire_check */
    const struct loy_wire_rules *message;
};

struct loy_wire_rules {
    const ProtobufCMessageDescriptor *descriptor;
    const struct loy_wire_rule *fields; /* one for each of the descriptor's, in its order */
    uint64_t required;                  /* bit = number of a field that must be there and, if a text, not empty */
};

/* For an Event. */
const struct loy_wire_rules *loy_wire_event_rules(void);

#endif
