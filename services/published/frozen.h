/* Frozen zones: the time zones that a revision names, as text that stands with it in PostgreSQL.
 *
 * Laws change, and machines learn of it at different times: with tables of their own, two workers would put the same
 * purchase into two days. So publishing writes the tables down, and whoever works with the revision reads these. A line
 * a zone, fields separated by a blank: name, offset from UTC in seconds before the first transition, then for each
 * transition its moment in seconds since 1970 and the offset from then on. Transitions end with LOY_ZONES_LAST_YEAR.
 * Reads the machine's files where nothing is frozen. One thread. Test: tests/unit/test_frozen.c. */
#ifndef LOY_PUBLISHED_FROZEN_H
#define LOY_PUBLISHED_FROZEN_H

#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"

struct loy_frozen_zones {
    struct loy_str text;     /* borrowed */
    bool is_frozen;          /* false: zones are this machine's, and text is nothing */
    struct loy_buf *written; /* NULL, or where each zone that is asked for is written down, in the order of asking */
};

/* The table is in the arena. NULL zones: this machine's. LOY_ERR_NOT_FOUND: no such zone, here or frozen;
 * LOY_ERR_CORRUPT: what is frozen is no such text. */
LOY_MUST_USE enum loy_err loy_frozen_zone(const struct loy_frozen_zones *zones, struct loy_str name,
                                          struct loy_arena *arena, struct loy_zone *ret_zone, struct loy_error *error);

#endif
