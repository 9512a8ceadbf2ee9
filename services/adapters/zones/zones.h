/* Time zones from the system's zoneinfo (RFC 9636, TZif), as tables for base/calendar.h.
 *
 * Publishing a revision reads the zones that it names and freezes their tables into it; nothing else reads them, so
 * that every machine decides with the same. Transitions that a file states as a rule are written out up to
 * LOY_ZONES_LAST_YEAR. Not pure: reads files. Any thread. Test: tests/unit/test_zones.c. */
#ifndef LOY_ADAPTERS_ZONES_ZONES_H
#define LOY_ADAPTERS_ZONES_ZONES_H

#include "base/arena.h"
#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"

enum { LOY_ZONES_LAST_YEAR = 2099, LOY_ZONES_MAX_FILE = 65536, LOY_ZONES_MAX_TRANSITIONS = 4096 };

#define LOY_ZONES_FOLDER "/usr/share/zoneinfo"

/* name: "Europe/Moscow". folder NULL: what TZDIR says, as for the C library, or LOY_ZONES_FOLDER. The table is in the
 * arena. LOY_ERR_NOT_FOUND: no such zone, or not a name; LOY_ERR_CORRUPT: the file is no TZif. */
LOY_MUST_USE enum loy_err loy_zones_read(const char *folder, struct loy_str name, struct loy_arena *arena,
                                         struct loy_zone *ret_zone, struct loy_error *error);
/* The same from bytes in memory. */
LOY_MUST_USE enum loy_err loy_zones_parse(struct loy_str bytes, struct loy_arena *arena, struct loy_zone *ret_zone,
                                          struct loy_error *error);

#endif
