/* Diff: what changes between two programmes, in words, and what typical baskets earn before and after.
 *
 * Compares the files' trees, entry by entry (by id), so that moved lines and comments are no change; the baskets go
 * through the engine. Memory: the arena. One thread. Test: tests/integration/test_programme.py. */
#ifndef LOY_PROGRAMME_DIFF_H
#define LOY_PROGRAMME_DIFF_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/programme.h"

enum { LOY_DIFF_LINES_MAX = 4096 };

struct loy_programme_diff_side {
    const struct loy_programme *programme;
    struct loy_str text;
};

struct loy_programme_diff {
    struct loy_str *lines;
    uint32_t count;
};

/* at_us: when the baskets are bought. LOY_ERR_NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_programme_diff_make(const struct loy_programme_diff_side *before,
                                                  const struct loy_programme_diff_side *after, int64_t at_us,
                                                  struct loy_arena *arena, struct loy_programme_diff *ret_diff,
                                                  struct loy_error *error);

#endif
