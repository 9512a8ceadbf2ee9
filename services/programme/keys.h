/* Keys: the one table of what may stand in a programme, where, and what it means.
 *
 * From its rows come the checks of a file (validate.h), the JSON Schema for editors and the reference (schema.h), and
 * the suggestions for words that are no key. A shape is what a map may hold; shapes nest and never contain themselves.
 * Pure data. Test: tests/unit/test_programme_keys.c. */
#ifndef LOY_PROGRAMME_KEYS_H
#define LOY_PROGRAMME_KEYS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What a value may be.   symbol, in words */
#define LOY_KEY_TYPES(X)                                                                                               \
    X(ID, "an id: a to z, 0 to 9 and _, a letter first")                                                               \
    X(TEXT, "a text")                                                                                                  \
    X(TEXTS, "a text, or a list of texts")                                                                             \
    X(CONDITION, "a condition: CEL over bool, in double quotes")                                                       \
    X(FORMULA, "a formula: CEL over int, in double quotes")                                                            \
    X(MONEY, "an amount of money in the programme's currency, as 100 or 99.90")                                        \
    X(INTEGER, "a whole number")                                                                                       \
    X(NUMBER, "a number with at most 3 decimals, as 1.5")                                                              \
    X(RATE, "a number above 0 with at most 9 decimals")                                                                \
    X(PERCENT, "a percentage, as 10%")                                                                                 \
    X(DURATION, "a length of time, as 14 days, 12 months or 2 hours")                                                  \
    X(WINDOW, "a length of time, as 12 months, or calendar_year")                                                      \
    X(DATE, "a date as 2026-11-01 (its start in the programme's time zone), or a moment as \"2026-11-01T09:00:00Z\"")  \
    X(BOOL, "true or false")                                                                                           \
    X(CHOICE, "one of the words listed")                                                                               \
    X(CHOICES, "one of the words listed, or a list of them")                                                           \
    X(MONTH_DAYS, "dates of each year as \"12-31\", month and day in quotes")                                          \
    X(HOURS, "hours as \"18:00-22:00\" in quotes, or a list of them")                                                  \
    X(DAYS, "whole numbers of days, a list")                                                                           \
    X(OBJECT, "a map of keys")                                                                                         \
    X(LIST, "a list of maps")                                                                                          \
    X(OBJECTS, "a map of keys, or a list of them")                                                                     \
    X(MAP, "a map from ids to maps of keys")                                                                           \
    X(TEXT_MAP, "a map from names to texts")

enum loy_key_type {
#define LOY_KEY_TYPE_ENUM(symbol, words) LOY_KEY_##symbol,
    LOY_KEY_TYPES(LOY_KEY_TYPE_ENUM)
#undef LOY_KEY_TYPE_ENUM
        LOY_KEY_TYPE_COUNT
};

struct loy_key;

/* The keys of one sort of map. */
struct loy_shape {
    const char *name;
    const struct loy_key *keys;
    uint32_t count;
    const char *shorthand; /* the key that a bare value in the map's place stands for; NULL: none */
};

struct loy_key {
    const char *name;
    enum loy_key_type type;
    const struct loy_shape *shape; /* of OBJECT, LIST, OBJECTS, MAP */
    const char *choices;           /* of CHOICE and CHOICES, separated by blanks; ! before those not in force */
    int64_t min, max;              /* INTEGER, DAYS: the value's; NUMBER: in thousandths; lists, maps: elements */
    bool required;
    bool later;           /* accepted, and not in force in this version */
    const char *fallback; /* when it is left out; NULL: nothing */
    const char *since;    /* the version that acts on it first; NULL: none so far */
    const char *help;     /* a sentence or two, without the final stop */
    const char *example;  /* a value */
};

const struct loy_shape *loy_shape_root(void);
const struct loy_key *loy_shape_key(const struct loy_shape *shape, struct loy_str name);
/* The key whose name is nearest to a word that is none; NULL when none is near. */
const struct loy_key *loy_shape_nearest(const struct loy_shape *shape, struct loy_str word);
const char *loy_key_type_words(enum loy_key_type type);

/* The words of `choices`, one after the other; *at begins as choices and is NULL after the last. */
struct loy_str loy_choice_next(const char **at, bool *ret_later);
/* Letters to insert, delete, change or swap to make one word of the other; more than limit counts as limit + 1. */
uint32_t loy_word_distance(struct loy_str a, struct loy_str b, uint32_t limit);

#endif
