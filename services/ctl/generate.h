/* Generate: a seeded stream of what the customers of an invented shop do, in the order of time.
 *
 * The same options give the same bytes on any machine. Every kind of event, mostly purchases; with stated shares of
 * exact repeats, of records that name no member, and of broken ones of each sort. One thread; memory does not grow with
 * the length of the stream. Test: tests/unit/test_ctl_generate.c. */
#ifndef LOY_CTL_GENERATE_H
#define LOY_CTL_GENERATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "ctl/rng.h"

#include <stdbool.h>
#include <stdint.h>

/* What a record of the stream is.   symbol, name */
#define LOY_RECORD_SORTS(X)                                                                                            \
    X(VALID, "valid")                                                                                                  \
    X(DUPLICATE, "duplicate")                                                                                          \
    X(NO_MEMBER, "no_member")                                                                                          \
    X(CUT_OFF, "cut_off")                                                                                              \
    X(WRONG_TOTAL, "wrong_total")                                                                                      \
    X(UNKNOWN_KIND, "unknown_kind")                                                                                    \
    X(INVALID_UTF8, "invalid_utf8")                                                                                    \
    X(BAD_MEMBER, "bad_member")

enum loy_record_sort {
#define LOY_RECORD_SORT_ENUM(symbol, name) LOY_RECORD_##symbol,
    LOY_RECORD_SORTS(LOY_RECORD_SORT_ENUM)
#undef LOY_RECORD_SORT_ENUM
        LOY_RECORD_SORT_COUNT,
    LOY_RECORD_FIRST_BROKEN = LOY_RECORD_CUT_OFF,
};

enum { LOY_MEMBER_PREFIX_MAX = 40 };

struct loy_generate_options {
    uint64_t members; /* at least 1 */
    uint64_t events;  /* records in all, shares included */
    uint64_t seed;
    uint32_t days;                          /* at least 1 */
    int64_t start_day;                      /* days since 1970-01-01 */
    uint32_t duplicates, no_member, broken; /* in millionths of the records */
    bool json;
    const char *member_prefix; /* at most LOY_MEMBER_PREFIX_MAX bytes */
    const char *source;
};

struct loy_generated {
    struct loy_str bytes; /* one record, borrowed until the next call */
    enum loy_record_sort sort;
};

struct loy_generator;

/* Borrows the options' texts until destroy. */
LOY_MUST_USE enum loy_err loy_generator_new(const struct loy_generate_options *options,
                                            struct loy_generator **ret_generator, struct loy_error *error);
void loy_generator_destroy(struct loy_generator *generator);

/* The next record; LOY_ERR_NOT_FOUND at the end of the stream. */
LOY_MUST_USE enum loy_err loy_generator_next(struct loy_generator *generator, struct loy_generated *ret_record,
                                             struct loy_error *error);

const char *loy_record_sort_name(enum loy_record_sort sort);

#endif
