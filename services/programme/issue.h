/* Issues: what is wrong with a programme, each at its place in the file.
 *
 * All of them are gathered before any is shown, so that an author sees them at once. Texts lie in the caller's arena.
 * Pure; one thread. Test: tests/integration/test_programme.py. */
#ifndef LOY_PROGRAMME_ISSUE_H
#define LOY_PROGRAMME_ISSUE_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOY_PROGRAMME_ISSUES_MAX = 200 };

enum loy_issue_kind {
    LOY_ISSUE_ERROR,
    LOY_ISSUE_INACTIVE, /* accepted, but this version does not act on it: publish refuses it unless told otherwise */
    LOY_ISSUE_WARNING,  /* allowed, and probably not what was meant */
};

struct loy_programme_issue {
    enum loy_issue_kind kind;
    uint32_t line, column; /* from 1; columns count code points */
    struct loy_str message;
};

struct loy_programme_issues {
    struct loy_arena *arena;
    struct loy_programme_issue items[LOY_PROGRAMME_ISSUES_MAX];
    uint32_t count;
    uint32_t errors, inactive, warnings; /* all that were found, kept or not */
};

void loy_issues_init(struct loy_programme_issues *issues, struct loy_arena *arena);
/* The message is at most 511 bytes; past LOY_PROGRAMME_ISSUES_MAX only counted. */
LOY_PRINTF(5, 6)
void loy_issues_add(struct loy_programme_issues *issues, enum loy_issue_kind kind, uint32_t line, uint32_t column,
                    const char *format, ...);
/* By line and column, in the order of their finding where these are equal. */
void loy_issues_sort(struct loy_programme_issues *issues);
/* "error", "not in force", "warning". */
const char *loy_issue_kind_name(enum loy_issue_kind kind);
/* "FILE:12:3: error: message", the line of the text, and a caret under the column. */
void loy_issue_print(const struct loy_programme_issue *issue, const char *file, struct loy_str text,
                     struct loy_buf *buf);

#endif
