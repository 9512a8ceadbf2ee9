/* Programme file: a marketer's text to the programme that the engine runs. The room's front door.
 *
 * The same text with the same zones, numbers and version always gives the same programme. Everything that is wrong is
 * said at once. Memory: the caller's arena, which the programme keeps; a large programme takes a few MiB
 * (LOY_PROGRAMME_ARENA is enough for any that passes). One thread a call; the result is shared freely.
 * Test: tests/unit/test_programme_compile.c. */
#ifndef LOY_PROGRAMME_PROGRAMME_FILE_H
#define LOY_PROGRAMME_PROGRAMME_FILE_H

#include "base/arena.h"
#include "base/calendar.h"
#include "base/err.h"
#include "base/str.h"
#include "cel/cel.h"
#include "engine/programme.h"
#include "programme/issue.h"

#include <stdint.h>

enum { LOY_PROGRAMME_ARENA = 256 << 20 };

/* What a file needs from outside. All borrowed; text, matcher and context for as long as the programme lives. */
struct loy_programme_given {
    struct loy_str text;
    int32_t revision;
    int64_t from_us; /* of the revision: INT64_MIN for the first */
    int64_t now_us;  /* for warnings about what has ended; INT64_MIN: none of these */
    /* The zone's transitions, as adapters/zones reads them; they have to live as long as the programme. */
    enum loy_err (*zone)(void *context, struct loy_str name, struct loy_arena *arena, struct loy_zone *ret_zone,
                         struct loy_error *error);
    /* Numbers that are stable across revisions: of kind "wallet" (0 to 7), "rule", "funder" and "level" (from 1),
     * "counter" (from 1, of budgets). Negative: there is no number for it. NULL: numbered in the order of the file. */
    int32_t (*number)(void *context, const char *kind, struct loy_str id);
    void *context;
    const struct loy_cel_matcher *matcher; /* NULL: matches() is an error in a condition */
};

/* LOY_ERR_INVALID_VALUE: issues of kind ERROR, sorted, in *ret_issues; LOY_ERR_NO_MEMORY: the arena is full.
 * LOY_OK: a programme; warnings and what is not in force may stand in *ret_issues. */
LOY_MUST_USE enum loy_err loy_programme_file_compile(const struct loy_programme_given *given, struct loy_arena *arena,
                                                     const struct loy_programme **ret_programme,
                                                     struct loy_programme_issues *ret_issues);

/* Whether the text says that publishing wants a second person. Text that is no YAML says nothing. */
bool loy_programme_file_wants_approval(struct loy_str text, struct loy_arena *arena);

#endif
