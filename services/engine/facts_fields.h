/* Facts' fields: the one table of what conditions may name, and the numbers of its fields. Inside the room only.
 *
 * X(record, symbol, name, CEL type, is money, largest size). A record with no value in an event has absent fields.
 * Pure data. Test: tests/unit/test_campaigns.c, tests/golden/. */
#ifndef LOY_ENGINE_FACTS_FIELDS_H
#define LOY_ENGINE_FACTS_FIELDS_H

#include "engine/facts.h"

/* Windows and balances come behind the member's and have fields of their own for every programme. */
#define LOY_FACTS_RECORDS(X)                                                                                           \
    X(LINE, "line")                                                                                                    \
    X(EVENT, "event")                                                                                                  \
    X(STORE, "store")                                                                                                  \
    X(PURCHASE, "purchase")                                                                                            \
    X(ACTIVITY, "activity")                                                                                            \
    X(FEEDBACK, "feedback")                                                                                            \
    X(PROFILE, "profile")                                                                                              \
    X(WINDOW, "window")

#define LOY_FACTS_LINE(X)                                                                                              \
    X(LINE, ID, "id", "string", 0, 32)                                                                                 \
    X(LINE, SKU, "sku", "string", 0, 64)                                                                               \
    X(LINE, CATEGORY, "category", "string", 0, 64)                                                                     \
    X(LINE, BRAND, "brand", "string", 0, 64)                                                                           \
    X(LINE, LABELS, "labels", "list(string)", 0, 16)                                                                   \
    X(LINE, KIND, "kind", "string", 0, 16)           /* goods, delivery, gift_card, deposit */                         \
    X(LINE, QUANTITY, "quantity_milli", "int", 0, 0) /* thousandths */                                                 \
    X(LINE, AMOUNT, "amount", "int", 1, 0)           /* after discount, with tax */                                    \
    X(LINE, DISCOUNT, "discount", "int", 1, 0)                                                                         \
    X(LINE, TAX, "tax", "int", 1, 0)

#define LOY_FACTS_EVENT(X)                                                                                             \
    X(EVENT, ID, "id", "string", 0, 128)                                                                               \
    X(EVENT, SOURCE, "source", "string", 0, 64)                                                                        \
    X(EVENT, KIND, "kind", "string", 0, 32)                                                                            \
    X(EVENT, CHANNEL, "channel", "string", 0, 32)                                                                      \
    X(EVENT, PARTNER, "partner", "string", 0, 64)                                                                      \
    X(EVENT, AT, "at", "timestamp", 0, 0) /* the moment of validity: occurred_at, unless too late or early */          \
    X(EVENT, ATTRIBUTES, "attributes", "map(string, string)", 0, 64)                                                   \
    X(EVENT, YEAR, "year", "int", 0, 0)       /* of that moment in the programme's zone, as all below */               \
    X(EVENT, MONTH, "month", "int", 0, 0)     /* 1 to 12 */                                                            \
    X(EVENT, DAY, "day", "int", 0, 0)         /* 1 to 31 */                                                            \
    X(EVENT, WEEKDAY, "weekday", "int", 0, 0) /* 1 Monday to 7 Sunday */                                               \
    X(EVENT, HOUR, "hour", "int", 0, 0)                                                                                \
    X(EVENT, MINUTE, "minute", "int", 0, 0)

#define LOY_FACTS_STORE(X)                                                                                             \
    X(STORE, ID, "id", "string", 0, 64)                                                                                \
    X(STORE, KIND, "kind", "string", 0, 32)                                                                            \
    X(STORE, CITY, "city", "string", 0, 64)                                                                            \
    X(STORE, REGION, "region", "string", 0, 64)

#define LOY_FACTS_PURCHASE(X)                                                                                          \
    X(PURCHASE, ORDER, "order", "string", 0, 64)                                                                       \
    X(PURCHASE, VERSION, "version", "int", 0, 0)                                                                       \
    X(PURCHASE, CURRENCY, "currency", "string", 0, 3)                                                                  \
    X(PURCHASE, TOTAL, "total", "int", 1, 0) /* in the programme's currency, as all amounts */                         \
    X(PURCHASE, DISCOUNT, "discount", "int", 1, 0)                                                                     \
    X(PURCHASE, PAID_WITH_POINTS, "paid_with_points", "int", 1, 0)                                                     \
    X(PURCHASE, QUANTITY, "quantity_milli", "int", 0, 0)                                                               \
    X(PURCHASE, LINES, "lines", "list(line)", 0, 2000)                                                                 \
    X(PURCHASE, TENDERS, "tenders", "list(string)", 0, 16) /* their kinds */                                           \
    X(PURCHASE, CASHIER, "cashier", "string", 0, 64)

#define LOY_FACTS_ACTIVITY(X) X(ACTIVITY, NAME, "name", "string", 0, 64)

#define LOY_FACTS_FEEDBACK(X)                                                                                          \
    X(FEEDBACK, KIND, "kind", "string", 0, 16)                                                                         \
    X(FEEDBACK, SCORE, "score", "int", 0, 0)                                                                           \
    X(FEEDBACK, ORDER, "order", "string", 0, 64)                                                                       \
    X(FEEDBACK, SKU, "sku", "string", 0, 64)                                                                           \
    X(FEEDBACK, STORE, "store", "string", 0, 64)                                                                       \
    X(FEEDBACK, VERIFIED_BUYER, "verified_buyer", "bool", 0, 0)                                                        \
    X(FEEDBACK, PHOTO, "photo", "bool", 0, 0)                                                                          \
    X(FEEDBACK, VIDEO, "video", "bool", 0, 0)                                                                          \
    X(FEEDBACK, TEXT_LENGTH, "text_length", "int", 0, 0)                                                               \
    X(FEEDBACK, MODERATION, "moderation", "string", 0, 16)

/* What other systems told of the member: engine/traits.h. */
#define LOY_FACTS_PROFILE(X)                                                                                           \
    X(PROFILE, BIRTH_DATE, "birth_date", "string", 0, 10) /* YYYY-MM-DD */                                             \
    X(PROFILE, BIRTH_MONTH, "birth_month", "int", 0, 0)                                                                \
    X(PROFILE, BIRTH_DAY, "birth_day", "int", 0, 0)                                                                    \
    X(PROFILE, AGE, "age", "int", 0, 0) /* in whole years, on the local day of the moment of validity */               \
    X(PROFILE, GENDER, "gender", "string", 0, 32)                                                                      \
    X(PROFILE, CITY, "city", "string", 0, 64)                                                                          \
    X(PROFILE, LANGUAGE, "language", "string", 0, 32)                                                                  \
    X(PROFILE, CONTACT, "preferred_contact", "string", 0, 32)                                                          \
    X(PROFILE, CONSENTS, "consents", "list(string)", 0, 64)

#define LOY_FACTS_WINDOW(X)                                                                                            \
    X(WINDOW, PURCHASES, "purchases", "int", 0, 0)                                                                     \
    X(WINDOW, SPEND, "spend", "int", 1, 0)                                                                             \
    X(WINDOW, AVERAGE, "average_purchase", "int", 1, 0) /* spend ÷ purchases, floor */

/* Then member.last_<n>_days (window), one for each declared one. */
#define LOY_FACTS_MEMBER(X)                                                                                            \
    X(MEMBER, ID, "id", "string", 0, 64)                                                                               \
    X(MEMBER, LEVEL, "level", "string", 0, 64)                                                                         \
    X(MEMBER, BALANCE, "balance", "balance", 0, 0) /* member.balance.<wallet>: available points */                     \
    X(MEMBER, PENDING, "pending", "balance", 0, 0)                                                                     \
    X(MEMBER, SEGMENTS, "segments", "list(string)", 0, 64)                                                             \
    X(MEMBER, PROFILE, "profile", "profile", 0, 0)                                                                     \
    X(MEMBER, ATTRIBUTES, "attributes", "map(string, string)", 0, 64)      /* those that facts.attributes names */     \
    X(MEMBER, LAST_BOUGHT, "last_bought", "map(string, timestamp)", 0, 32) /* by category: facts.categories */         \
    X(MEMBER, LAST_BOUGHT_SKU, "last_bought_sku", "map(string, timestamp)", 0, 32) /* facts.skus */                    \
    X(MEMBER, PURCHASES, "purchases", "int", 0, 0)                                 /* of all time, as far as kept */   \
    X(MEMBER, SPEND, "spend", "int", 1, 0)                                                                             \
    X(MEMBER, AVERAGE, "average_purchase", "int", 1, 0)                                                                \
    X(MEMBER, FIRST, "first_purchase", "timestamp", 0, 0)                                                              \
    X(MEMBER, LAST, "last_purchase", "timestamp", 0, 0)                                                                \
    X(MEMBER, DAYS_SINCE, "days_since_purchase", "int", 0, 0)     /* whole periods of 24 hours */                      \
    X(MEMBER, MONTHS_SINCE, "months_since_purchase", "int", 0, 0) /* whole calendar months, local date and time */

#define LOY_FACTS_ENUM(record, symbol, name, type, money, size) LOY_FACT_##record##_##symbol,
enum { LOY_FACTS_LINE(LOY_FACTS_ENUM) LOY_FACT_LINE_COUNT };
enum { LOY_FACTS_EVENT(LOY_FACTS_ENUM) LOY_FACT_EVENT_COUNT };
enum { LOY_FACTS_STORE(LOY_FACTS_ENUM) LOY_FACT_STORE_COUNT };
enum { LOY_FACTS_PURCHASE(LOY_FACTS_ENUM) LOY_FACT_PURCHASE_COUNT };
enum { LOY_FACTS_ACTIVITY(LOY_FACTS_ENUM) LOY_FACT_ACTIVITY_COUNT };
enum { LOY_FACTS_FEEDBACK(LOY_FACTS_ENUM) LOY_FACT_FEEDBACK_COUNT };
enum { LOY_FACTS_PROFILE(LOY_FACTS_ENUM) LOY_FACT_PROFILE_COUNT };
enum { LOY_FACTS_WINDOW(LOY_FACTS_ENUM) LOY_FACT_WINDOW_COUNT };
enum { LOY_FACTS_MEMBER(LOY_FACTS_ENUM) LOY_FACT_MEMBER_COUNT };
#undef LOY_FACTS_ENUM

enum loy_facts_record {
#define LOY_FACTS_RECORD_ENUM(symbol, name) LOY_FACTS_RECORD_##symbol,
    LOY_FACTS_RECORDS(LOY_FACTS_RECORD_ENUM)
#undef LOY_FACTS_RECORD_ENUM
        LOY_FACTS_RECORD_BALANCE,
    LOY_FACTS_RECORD_MEMBER,
    LOY_FACTS_RECORD_COUNT
};

/* Variables, in the order of their slots. */
#define LOY_FACTS_VARIABLES(X)                                                                                         \
    X(EVENT, "event")                                                                                                  \
    X(STORE, "store")                                                                                                  \
    X(PURCHASE, "purchase")                                                                                            \
    X(ACTIVITY, "activity")                                                                                            \
    X(FEEDBACK, "feedback")                                                                                            \
    X(MEMBER, "member")

enum loy_facts_variable {
#define LOY_FACTS_VARIABLE_ENUM(symbol, name) LOY_FACTS_VARIABLE_##symbol,
    LOY_FACTS_VARIABLES(LOY_FACTS_VARIABLE_ENUM)
#undef LOY_FACTS_VARIABLE_ENUM
        LOY_FACTS_VARIABLE_COUNT
};

/* Where the slots of each variable's record begin in the one block of an evaluation, behind the variables. */
enum {
    LOY_FACTS_EVENT_AT = LOY_FACTS_VARIABLE_COUNT,
    LOY_FACTS_STORE_AT = LOY_FACTS_EVENT_AT + LOY_FACT_EVENT_COUNT,
    LOY_FACTS_PURCHASE_AT = LOY_FACTS_STORE_AT + LOY_FACT_STORE_COUNT,
    LOY_FACTS_ACTIVITY_AT = LOY_FACTS_PURCHASE_AT + LOY_FACT_PURCHASE_COUNT,
    LOY_FACTS_FEEDBACK_AT = LOY_FACTS_ACTIVITY_AT + LOY_FACT_ACTIVITY_COUNT,
    LOY_FACTS_MEMBER_AT = LOY_FACTS_FEEDBACK_AT + LOY_FACT_FEEDBACK_COUNT /* the last: it has the windows */
};

struct loy_facts_env {
    struct loy_cel_env *cel;
    uint32_t records[LOY_FACTS_RECORD_COUNT]; /* ids that cel gave */
    const struct loy_cel_value *absent;       /* what the block is before anything is filled: to be copied */
    size_t absent_count;
};

#endif
