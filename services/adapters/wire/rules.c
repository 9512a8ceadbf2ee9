#include "adapters/wire/rules.h"

#include "engine/event.h"

#include "loyalty/v1/event.pb-c.h"

enum {
    CONSENTS_MAX = 64,
    SEGMENTS_MAX = 64,
    COUPONS_MAX = 16,
    CORRELATION_ID_MAX = 128,
    IDENTIFIER_MAX = 128,
    REASON_MAX = 256,
    DATE_BYTES = 10,
    CURRENCY_BYTES = 3,
};

#define PLAIN(n)                                                                                                       \
    {                                                                                                                  \
        .number = (n)                                                                                                  \
    }
#define NUMBER(n, c)                                                                                                   \
    {                                                                                                                  \
        .number = (n), .check = LOY_WIRE_##c                                                                           \
    }
#define TEXT(n, bytes)                                                                                                 \
    {                                                                                                                  \
        .number = (n), .max_bytes = (bytes)                                                                            \
    }
#define CHECKED(n, bytes, c)                                                                                           \
    {                                                                                                                  \
        .number = (n), .max_bytes = (bytes), .check = LOY_WIRE_##c                                                     \
    }
#define TEXTS(n, count, bytes)                                                                                         \
    {                                                                                                                  \
        .number = (n), .max_bytes = (bytes), .max_count = (count)                                                      \
    }
#define MESSAGE(n, rules)                                                                                              \
    {                                                                                                                  \
        .number = (n), .message = &(rules)                                                                             \
    }
#define MESSAGES(n, count, rules)                                                                                      \
    {                                                                                                                  \
        .number = (n), .max_count = (count), .message = &(rules)                                                       \
    }
#define BIT(n) (UINT64_C(1) << (n))
#define RULES(type, must)                                                                                              \
    static const struct loy_wire_rules type = {&loyalty__v1__##type##__descriptor, type##_fields, (must)}

static const struct loy_wire_rule timestamp_fields[] = {PLAIN(1), PLAIN(2)};
static const struct loy_wire_rules timestamp = {&google__protobuf__timestamp__descriptor, timestamp_fields, 0};

static const struct loy_wire_rule identifier_fields[] = {PLAIN(1), TEXT(2, IDENTIFIER_MAX)};
RULES(identifier, BIT(1) | BIT(2));

static const struct loy_wire_rule store_fields[] = {TEXT(1, LOY_NAME_MAX), TEXT(2, LOY_LABEL_MAX),
                                                    TEXT(3, LOY_NAME_MAX), TEXT(4, LOY_NAME_MAX)};
RULES(store, 0);

static const struct loy_wire_rule attribute_fields[] = {TEXT(1, LOY_NAME_MAX), TEXT(2, LOY_ATTRIBUTE_VALUE_MAX)};
static const struct loy_wire_rules attribute = {&loyalty__v1__event__attributes_entry__descriptor, attribute_fields,
                                                BIT(1)};
static const struct loy_wire_rules segment_attribute = {&loyalty__v1__segments__attributes_entry__descriptor,
                                                        attribute_fields, BIT(1)};

static const struct loy_wire_rule line_fields[] = {
    TEXT(1, LOY_LABEL_MAX),
    TEXT(2, LOY_NAME_MAX),
    TEXT(3, LOY_NAME_MAX),
    TEXT(4, LOY_NAME_MAX),
    TEXTS(5, LOY_LABELS_MAX, LOY_LABEL_MAX),
    PLAIN(6),
    NUMBER(7, NOT_NEGATIVE),
    NUMBER(8, NOT_NEGATIVE),
    PLAIN(9),
    PLAIN(10),
    PLAIN(11),
    PLAIN(12),
};
RULES(line, BIT(8));

static const struct loy_wire_rule tender_fields[] = {TEXT(1, LOY_LABEL_MAX), NUMBER(2, NOT_NEGATIVE),
                                                     NUMBER(3, NOT_NEGATIVE), TEXT(4, LOY_NAME_MAX)};
RULES(tender, 0);

static const struct loy_wire_rule purchase_fields[] = {
    TEXT(1, LOY_ORDER_ID_MAX),
    NUMBER(2, FROM_1),
    PLAIN(3),
    CHECKED(4, CURRENCY_BYTES, CURRENCY),
    MESSAGES(5, LOY_LINES_MAX, line),
    PLAIN(6),
    MESSAGES(7, LOY_TENDERS_MAX, tender),
    TEXTS(8, COUPONS_MAX, LOY_NAME_MAX),
    TEXT(9, LOY_NAME_MAX),
    TEXT(10, LOY_NAME_MAX),
};
RULES(purchase, BIT(1) | BIT(5));
/* What is to be paid with points may have no order yet. */
static const struct loy_wire_rules basket = {&loyalty__v1__purchase__descriptor, purchase_fields, 0};

static const struct loy_wire_rule returned_line_fields[] = {TEXT(1, LOY_LABEL_MAX), NUMBER(2, NOT_NEGATIVE),
                                                            NUMBER(3, NOT_NEGATIVE)};
RULES(returned_line, BIT(1));

static const struct loy_wire_rule return_fields[] = {
    TEXT(1, LOY_ORDER_ID_MAX),
    MESSAGES(2, LOY_LINES_MAX, returned_line),
    NUMBER(3, NOT_NEGATIVE),
    CHECKED(4, CURRENCY_BYTES, CURRENCY),
};
static const struct loy_wire_rules return_rules = {&loyalty__v1__return__descriptor, return_fields, 0};

static const struct loy_wire_rule cancellation_fields[] = {TEXT(1, LOY_ORDER_ID_MAX), PLAIN(2)};
RULES(cancellation, BIT(1));

static const struct loy_wire_rule order_status_fields[] = {TEXT(1, LOY_ORDER_ID_MAX), PLAIN(2)};
RULES(order_status, BIT(1) | BIT(2));

static const struct loy_wire_rule referral_fields[] = {CHECKED(1, LOY_MEMBER_ID_MAX, MEMBER), TEXT(2, LOY_NAME_MAX)};
RULES(referral, 0);

static const struct loy_wire_rule feedback_fields[] = {
    TEXT(1, LOY_EVENT_ID_MAX),
    PLAIN(2),
    PLAIN(3),
    TEXT(4, LOY_ORDER_ID_MAX),
    TEXT(5, LOY_NAME_MAX),
    TEXT(6, LOY_NAME_MAX),
    PLAIN(7),
    PLAIN(8),
    PLAIN(9),
    PLAIN(10),
    PLAIN(11),
};
RULES(feedback, BIT(2));

static const struct loy_wire_rule activity_fields[] = {TEXT(1, LOY_NAME_MAX), TEXT(2, LOY_NAME_MAX),
                                                       TEXT(3, LOY_NAME_MAX), TEXT(4, LOY_NAME_MAX)};
RULES(activity, BIT(1));

static const struct loy_wire_rule joined_fields[] = {TEXT(1, LOY_NAME_MAX)};
RULES(joined, 0);

static const struct loy_wire_rule profile_fields[] = {
    CHECKED(1, DATE_BYTES, DATE),         TEXT(2, LOY_LABEL_MAX), TEXT(3, LOY_NAME_MAX), TEXT(4, LOY_LABEL_MAX),
    TEXTS(5, CONSENTS_MAX, LOY_NAME_MAX), TEXT(6, LOY_LABEL_MAX),
};
RULES(profile, 0);

static const struct loy_wire_rule identifier_change_fields[] = {MESSAGE(1, identifier), PLAIN(2)};
RULES(identifier_change, BIT(1) | BIT(2));

static const struct loy_wire_rule segments_fields[] = {TEXTS(1, SEGMENTS_MAX, LOY_NAME_MAX),
                                                       TEXTS(2, SEGMENTS_MAX, LOY_NAME_MAX),
                                                       MESSAGES(3, LOY_ATTRIBUTES_MAX, segment_attribute)};
RULES(segments, 0);

static const struct loy_wire_rule level_change_fields[] = {TEXT(1, LOY_NAME_MAX), TEXT(2, LOY_NAME_MAX),
                                                           TEXT(3, LOY_NAME_MAX), TEXT(4, REASON_MAX)};
RULES(level_change, BIT(2));

static const struct loy_wire_rule merge_fields[] = {CHECKED(1, LOY_MEMBER_ID_MAX, MEMBER)};
RULES(merge, BIT(1));

static const struct loy_wire_rule pool_membership_fields[] = {CHECKED(1, LOY_MEMBER_ID_MAX, MEMBER), PLAIN(2)};
RULES(pool_membership, BIT(1) | BIT(2));

static const struct loy_wire_rule block_fields[] = {PLAIN(1), TEXT(2, REASON_MAX)};
RULES(block, BIT(1));

static const struct loy_wire_rule erase_fields[] = {TEXT(1, REASON_MAX)};
RULES(erase, 0);

static const struct loy_wire_rule member_change_fields[] = {
    MESSAGE(1, joined),          MESSAGE(2, profile),      MESSAGE(3, identifier_change),
    MESSAGE(4, segments),        MESSAGE(5, level_change), MESSAGE(6, merge),
    MESSAGE(7, pool_membership), MESSAGE(8, block),        MESSAGE(9, erase),
};
RULES(member_change, 0);

static const struct loy_wire_rule redemption_fields[] = {
    TEXT(1, LOY_NAME_MAX), PLAIN(2), TEXT(3, LOY_NAME_MAX), NUMBER(4, NOT_NEGATIVE), TEXT(5, LOY_NAME_MAX),
    MESSAGE(6, basket),    PLAIN(7),
};
RULES(redemption, BIT(1) | BIT(2));

static const struct loy_wire_rule entitlement_use_fields[] = {TEXT(1, LOY_NAME_MAX), TEXT(2, LOY_ORDER_ID_MAX)};
RULES(entitlement_use, BIT(1));

static const struct loy_wire_rule adjustment_fields[] = {TEXT(1, LOY_NAME_MAX), NUMBER(2, NOT_ZERO),
                                                         TEXT(3, LOY_NAME_MAX), TEXT(4, REASON_MAX)};
RULES(adjustment, BIT(2) | BIT(3) | BIT(4));

static const struct loy_wire_rule transfer_fields[] = {CHECKED(1, LOY_MEMBER_ID_MAX, MEMBER), TEXT(2, LOY_NAME_MAX),
                                                       TEXT(3, LOY_NAME_MAX), NUMBER(4, FROM_1)};
RULES(transfer, BIT(4));

static const struct loy_wire_rule follow_up_fields[] = {TEXT(1, LOY_MEMBER_ID_MAX), TEXT(2, LOY_SOURCE_MAX),
                                                        TEXT(3, LOY_EVENT_ID_MAX), PLAIN(4), PLAIN(5)};
RULES(follow_up, BIT(1) | BIT(2) | BIT(3));

static const struct loy_wire_rule tick_fields[] = {MESSAGE(1, timestamp)};
RULES(tick, BIT(1));

/* event_id, source, occurred_at may come from a CloudEvents envelope: decode.c asks for them after it. */
static const struct loy_wire_rule event_fields[] = {
    TEXT(1, LOY_EVENT_ID_MAX),
    TEXT(2, LOY_SOURCE_MAX),
    CHECKED(3, LOY_MEMBER_ID_MAX, ACCOUNT),
    MESSAGE(4, identifier),
    MESSAGE(5, timestamp),
    TEXT(6, LOY_LABEL_MAX),
    MESSAGE(7, store),
    TEXT(8, LOY_NAME_MAX),
    MESSAGES(9, LOY_ATTRIBUTES_MAX, attribute),
    PLAIN(10),
    TEXT(11, CORRELATION_ID_MAX),
    MESSAGE(20, purchase),
    MESSAGE(21, return_rules),
    MESSAGE(22, cancellation),
    MESSAGE(23, order_status),
    MESSAGE(24, referral),
    MESSAGE(25, feedback),
    MESSAGE(26, activity),
    MESSAGE(27, member_change),
    MESSAGE(28, redemption),
    MESSAGE(29, entitlement_use),
    MESSAGE(30, adjustment),
    MESSAGE(31, transfer),
    MESSAGE(50, follow_up),
    MESSAGE(51, tick),
};
RULES(event, 0);

const struct loy_wire_rules *loy_wire_event_rules(void)
{
    return &event;
}
