/* Published: a programme's text and the numbers that PostgreSQL gave its ids, to the programme that runs.
 *
 * The worker and loyalctl compile with the same functions, so that what `publish` accepted is what runs. Blocking; one
 * thread a connection. Test: tests/integration/test_programme.py, tests/integration/test_revisions.py. */
#ifndef LOY_PUBLISHED_PUBLISHED_H
#define LOY_PUBLISHED_PUBLISHED_H

#include "adapters/pg/query.h"
#include "adapters/regex/regex.h"
#include "programme/programme_file.h"
#include "published/frozen.h"

/* Numbers of the dictionary and of the counters, which never change; those that are missing are added behind, to be
 * inserted by who publishes. */
struct loy_number {
    struct loy_str kind, id;
    int32_t number;
    bool added;
};

struct loy_numbers {
    struct loy_arena *arena;
    struct loy_number *rows;
    uint32_t count, capacity;
};

/* Sets *numbers, whatever it held; its rows and texts go to the arena. */
LOY_MUST_USE enum loy_err loy_published_numbers(struct loy_query *query, struct loy_arena *arena,
                                                struct loy_numbers *numbers, struct loy_error *error);

/* Borrowed as long as the programme lives. */
struct loy_published_given {
    struct loy_str text;
    int32_t revision;
    int64_t from_us;                      /* INT64_MIN for the first */
    int64_t now_us;                       /* for warnings about what has ended; INT64_MIN: none of these */
    struct loy_numbers *numbers;          /* NULL: numbered in the order of the file */
    const struct loy_frozen_zones *zones; /* NULL: this machine's */
    const struct loy_regex *regex;
};

/* As loy_programme_file_compile. */
LOY_MUST_USE enum loy_err loy_published_compile(const struct loy_published_given *given, struct loy_arena *arena,
                                                const struct loy_programme **ret_programme,
                                                struct loy_programme_issues *ret_issues);

/* What stands in programme_revision. Texts are borrowed until the rows are freed. */
struct loy_published_row {
    int32_t number;
    int64_t from_us;
    struct loy_str text;
    struct loy_frozen_zones zones;
};

/* Those with a higher number than `after`, ascending. */
LOY_MUST_USE enum loy_err loy_published_after(struct loy_query *query, int32_t after, struct loy_rows *ret_rows,
                                              struct loy_error *error);
/* programme_revision.zones, which is NULL for what was published by a version that froze none. */
struct loy_frozen_zones loy_published_zones(const struct loy_rows *rows, int32_t row, int32_t column);
struct loy_published_row loy_published_row(const struct loy_rows *rows, int32_t row);

#endif
