#include "programme/examples_keys.h"

#define K(name_, type_, ...)                                                                                           \
    {                                                                                                                  \
        .name = name_, .type = LOY_KEY_##type_, .since = "0.1", __VA_ARGS__                                            \
    }
#define SHAPE(symbol, ...)                                                                                             \
    static const struct loy_key symbol##_keys[] = {__VA_ARGS__};                                                       \
    static const struct loy_shape symbol = {#symbol, symbol##_keys, sizeof symbol##_keys / sizeof *symbol##_keys, NULL}

/* clang-format off */
SHAPE(line,
    K("sku", TEXT, .example = "A-100"), K("category", TEXT, .example = "coffee"), K("brand", TEXT, .example = "acme"),
    K("label", TEXTS, .max = 16, .example = "own_brand"),
    K("kind", CHOICE, .choices = "goods delivery gift_card deposit", .example = "goods"),
    K("amount", MONEY, .required = true, .example = "99.90"), K("discount", MONEY, .example = "10"),
    K("tax", MONEY, .example = "8.10"), K("quantity", NUMBER, .min = 1, .max = 1000000000, .example = "2"));

SHAPE(tender,
    K("kind", TEXT, .required = true, .example = "points"), K("amount", MONEY, .required = true, .example = "50"),
    K("points", INTEGER, .min = 1, .max = 1000000000, .example = "500"));

SHAPE(purchase,
    K("order", TEXT, .example = "o1"), K("total", MONEY, .example = "999.99"),
    K("currency", TEXT, .example = "USD"), K("lines", LIST, .shape = &line, .max = 2000, .example = "[{amount: 10}]"),
    K("tenders", LIST, .shape = &tender, .max = 16, .example = "[{kind: card, amount: 10}]"));

SHAPE(feedback,
    K("kind", CHOICE, .choices = "review rating nps csat survey", .required = true, .example = "review"),
    K("score", INTEGER, .min = -1000000, .max = 1000000, .example = "5"), K("order", TEXT, .example = "o1"),
    K("sku", TEXT, .example = "A-100"), K("store", TEXT, .example = "s1"), K("verified_buyer", BOOL, .example = "true"),
    K("photo", BOOL, .example = "true"), K("video", BOOL, .example = "false"),
    K("text_length", INTEGER, .max = 1000000, .example = "120"),
    K("moderation", CHOICE, .choices = "submitted approved rejected removed", .example = "approved"));

SHAPE(member,
    K("joined", BOOL, .example = "true"), K("birth_date", TEXT, .example = "\"1990-02-28\""), K("gender", TEXT, .example = "female"),
    K("city", TEXT, .example = "Kazan"), K("language", TEXT, .example = "ru"), K("preferred_contact", TEXT, .example = "email"),
    K("consents", TEXTS, .max = 64, .example = "[email]"), K("enter", TEXTS, .max = 64, .example = "[staff]"),
    K("leave", TEXTS, .max = 64, .example = "[staff]"), K("attributes", TEXT_MAP, .example = "{shoe_size: \"41\"}"),
    K("level", TEXT, .example = "gold"),
    K("forget", CHOICES, .choices = "gender city language preferred_contact consents level", .example = "city"), K("erased", BOOL, .example = "true"));

SHAPE(event,
    K("at", DATE, .required = true, .example = "\"2026-11-07T10:00:00Z\""),
    K("purchase", OBJECT, .shape = &purchase, .example = "{total: 999.99}"),
    K("feedback", OBJECT, .shape = &feedback, .example = "{kind: review, score: 5}"),
    K("member", OBJECT, .shape = &member, .example = "{city: Kazan}"),
    K("activity", TEXT, .example = "app_install"), K("channel", TEXT, .example = "app"),
    K("store", TEXT, .example = "s1"), K("store_kind", TEXT, .example = "express"), K("partner", TEXT, .example = "bp"),
    K("expect", TEXT_MAP, .example = "{points: 90}"), K("balances", TEXT_MAP, .example = "{points: 90}"), K("rules", TEXT_MAP, .example = "{base: 90}"));

SHAPE(example,
    K("name", TEXT, .required = true, .example = "full hundreds only"),
    K("level", ID, .example = "gold"),
    K("events", LIST, .shape = &event, .required = true, .max = 1000, .example = "[{at: 2026-11-07, purchase: {total: 100}}]"));

SHAPE(examples,
    K("examples", LIST, .shape = &example, .required = true, .max = 1000, .example = "[{name: first, events: []}]"));
/* clang-format on */

const struct loy_shape *loy_shape_examples(void)
{
    return &examples;
}
