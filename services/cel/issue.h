/* Collects the issues of one compilation: at most LOY_CEL_MAX_ISSUES, sorted by place, with suggestions.
 * Inside the room only. Pure; one thread. Test: tests/unit/test_cel_check.c. */
#ifndef LOY_CEL_ISSUE_H
#define LOY_CEL_ISSUE_H

#include "cel/cel.h"

struct loy_cel_issue_sink {
    struct loy_cel_issues *issues;
    struct loy_arena *arena; /* of the messages */
    struct loy_str text;
    uint32_t errors; /* issues that are no warnings, kept or not */
    bool failed;     /* arena full */
};

LOY_PRINTF(4, 5)
void loy_cel_issue_add(struct loy_cel_issue_sink *sink, uint32_t start, uint32_t end, const char *format, ...);
LOY_PRINTF(4, 5)
void loy_cel_issue_warn(struct loy_cel_issue_sink *sink, uint32_t start, uint32_t end, const char *format, ...);

/* The nearest of many names: offer each, then ask. At most two edits, and fewer than half of the name. */
struct loy_cel_nearest {
    struct loy_str wanted;
    struct loy_str best;
    uint32_t distance;
};
void loy_cel_nearest_init(struct loy_cel_nearest *nearest, struct loy_str wanted);
void loy_cel_nearest_offer(struct loy_cel_nearest *nearest, struct loy_str name);
/* ": did you mean 'total'?", or "". In the arena of the sink. */
const char *loy_cel_nearest_hint(const struct loy_cel_nearest *nearest, struct loy_cel_issue_sink *sink);

#endif
