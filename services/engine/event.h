/* Event: what a customer did, as the engine sees it. Filled by adapters/wire from protobuf or JSON.
 *
 * Meanings, units and limits: proto/loyalty/v1/event.proto. Every text is borrowed from the batch's arena, valid UTF-8
 * without U+0000, and within its limit. Pure data. */
#ifndef LOY_ENGINE_EVENT_H
#define LOY_ENGINE_EVENT_H

#include "base/hash.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Named limits on what a record may hold (bytes of UTF-8, or elements). */
enum {
    LOY_EVENT_BYTES_MAX = 1 << 20,
    LOY_EVENT_ID_MAX = 128,
    LOY_SOURCE_MAX = 64,
    LOY_MEMBER_ID_MAX = 64,
    LOY_ORDER_ID_MAX = 64,
    LOY_NAME_MAX = 64,
    LOY_LABEL_MAX = 32,
    LOY_LINES_MAX = 2000,
    LOY_LABELS_MAX = 16,
    LOY_TENDERS_MAX = 16,
    LOY_ATTRIBUTES_MAX = 64,
    LOY_ATTRIBUTE_VALUE_MAX = 1024,
};

/* Numbers are stored in the journal: never reuse one.   symbol, number, name */
#define LOY_EVENT_KINDS(X)                                                                                             \
    X(PURCHASE, 1, "purchase")                                                                                         \
    X(RETURN, 2, "return")                                                                                             \
    X(CANCELLATION, 3, "cancellation")                                                                                 \
    X(ORDER_STATUS, 4, "order_status")                                                                                 \
    X(REFERRAL, 5, "referral")                                                                                         \
    X(FEEDBACK, 6, "feedback")                                                                                         \
    X(ACTIVITY, 7, "activity")                                                                                         \
    X(MEMBER_CHANGE, 8, "member_change")                                                                               \
    X(REDEMPTION, 9, "redemption")                                                                                     \
    X(ENTITLEMENT_USE, 10, "entitlement_use")                                                                          \
    X(ADJUSTMENT, 11, "adjustment")                                                                                    \
    X(TRANSFER, 12, "transfer")                                                                                        \
    X(TICK, 13, "tick")

enum loy_event_kind {
    LOY_EVENT_NONE = 0,
#define LOY_EVENT_KIND_ENUM(symbol, number, name) LOY_EVENT_##symbol = number,
    LOY_EVENT_KINDS(LOY_EVENT_KIND_ENUM)
#undef LOY_EVENT_KIND_ENUM
        LOY_EVENT_KIND_COUNT
};

enum loy_line_kind { LOY_LINE_GOODS = 1, LOY_LINE_DELIVERY, LOY_LINE_GIFT_CARD, LOY_LINE_DEPOSIT };

struct loy_line {
    struct loy_str line_id;
    struct loy_str sku;
    struct loy_str category;
    struct loy_str brand;
    const struct loy_str *labels;
    uint32_t label_count;
    enum loy_line_kind kind;
    int64_t quantity_milli;
    int64_t amount_minor;
    int64_t discount_minor;
    int64_t tax_minor;
    int64_t cost_minor;
    bool has_cost;
};

struct loy_tender {
    struct loy_str kind;
    int64_t amount_minor;
    int64_t points;
    struct loy_str wallet;
};

struct loy_purchase {
    struct loy_str order_id;
    uint32_t order_version;  /* ≥ 1 */
    int32_t status;          /* OrderState of the protobuf, 0 when absent */
    struct loy_str currency; /* empty: the programme's */
    const struct loy_line *lines;
    uint32_t line_count;
    int64_t total_minor; /* the checked sum of the lines */
    const struct loy_tender *tenders;
    uint32_t tender_count;
    struct loy_str cashier;
};

struct loy_attribute {
    struct loy_str key;
    struct loy_str value;
};

/* Texts are empty where the event does not say. */
struct loy_feedback {
    struct loy_str kind;       /* review, rating, nps, csat, survey */
    struct loy_str moderation; /* submitted, approved, rejected, removed */
    struct loy_str sku, store_id;
    bool has_score, has_verified_buyer, has_photo, has_video, has_text_length;
    int32_t score;
    bool verified_buyer, photo, video;
    uint32_t text_length;
};

/* What a member change may be.   symbol, name */
#define LOY_CHANGES(X)                                                                                                 \
    X(JOINED, "joined")                                                                                                \
    X(PROFILE, "profile")                                                                                              \
    X(IDENTIFIER, "identifier")                                                                                        \
    X(SEGMENTS, "segments")                                                                                            \
    X(LEVEL, "level")                                                                                                  \
    X(MERGE, "merge")                                                                                                  \
    X(POOL, "pool")                                                                                                    \
    X(BLOCK, "block")                                                                                                  \
    X(ERASE, "erase")

enum loy_change {
#define LOY_CHANGE_ENUM(symbol, name) LOY_CHANGE_##symbol,
    LOY_CHANGES(LOY_CHANGE_ENUM)
#undef LOY_CHANGE_ENUM
};

/* PROFILE: a text whose place is NULL is not spoken of, an empty one takes back what was known; consents replace those
 * that were known when there are any, and one empty text takes all back. SEGMENTS: those that the member enters and
 * leaves, and attributes, of which an empty value takes the attribute back. LEVEL: an empty one is none. */
struct loy_member_change {
    enum loy_change what;
    struct loy_str birth_date, gender, city, language, preferred_contact;
    const struct loy_str *consents, *enter, *leave;
    uint32_t consent_count, enter_count, leave_count;
    const struct loy_attribute *attributes;
    uint32_t attribute_count;
    struct loy_str level;
};

struct loy_event {
    enum loy_event_kind kind;
    struct loy_str event_id;
    struct loy_str source;
    struct loy_str member_id;        /* empty: none */
    struct loy_str identifier_value; /* empty: none */
    int32_t identifier_kind;
    int64_t occurred_at_us;
    struct loy_str channel;
    struct loy_str store_id, store_kind, store_city, store_region;
    struct loy_str partner;
    const struct loy_attribute *attributes;
    uint32_t attribute_count;
    bool preview;
    struct loy_str correlation_id;
    struct loy_str order_id;                /* of any kind that names an order; empty: none */
    struct loy_purchase purchase;           /* PURCHASE */
    struct loy_str activity_name;           /* ACTIVITY; of MEMBER_CHANGE the name of what changes */
    const struct loy_feedback *feedback;    /* FEEDBACK */
    const struct loy_member_change *change; /* MEMBER_CHANGE */
    int64_t tick_due_at_us;                 /* TICK */
    /* The canonical protobuf encoding: what the journal keeps, and what tells a repeat from a reused id. */
    struct loy_str encoded;
};

const char *loy_change_name(enum loy_change change);
/* Borrowed constant; "none" for LOY_EVENT_NONE and numbers that are not a kind. */
const char *loy_event_kind_name(enum loy_event_kind kind);

/* The journal's guard against repeats: 8 bytes of SHA-256(subject) then 8 of SHA-256(identity) where the event has an
 * order, else 16 of SHA-256(identity). Identity of a purchase: its order and version; of a tick: its due time; of
 * anything else: source and event id. */
struct loy_digest loy_event_key(const struct loy_event *event);

#endif
