#include "programme/issue.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_MAX = 512, SHOWN_LINE_MAX = 160 };

void loy_issues_init(struct loy_programme_issues *issues, struct loy_arena *arena)
{
    *issues = (struct loy_programme_issues){.arena = arena};
}

void loy_issues_add(struct loy_programme_issues *issues, enum loy_issue_kind kind, uint32_t line, uint32_t column,
                    const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    issues->errors += kind == LOY_ISSUE_ERROR;
    issues->inactive += kind == LOY_ISSUE_INACTIVE;
    issues->warnings += kind == LOY_ISSUE_WARNING;
    if (issues->count < LOY_PROGRAMME_ISSUES_MAX) {
        issues->items[issues->count++] =
            (struct loy_programme_issue){kind, line, column, loy_str_copy(issues->arena, loy_str(message))};
    }
}

static bool comes_later(const struct loy_programme_issue *a, const struct loy_programme_issue *b)
{
    return a->line > b->line || (a->line == b->line && a->column > b->column);
}

void loy_issues_sort(struct loy_programme_issues *issues)
{
    for (uint32_t i = 1; i < issues->count; i++) {
        struct loy_programme_issue moved = issues->items[i];
        uint32_t at = i;
        for (; at > 0 && comes_later(&issues->items[at - 1], &moved); at--) {
            issues->items[at] = issues->items[at - 1];
        }
        issues->items[at] = moved;
    }
}

const char *loy_issue_kind_name(enum loy_issue_kind kind)
{
    static const char *const names[] = {"error", "not in force", "warning"};
    return names[kind];
}

static struct loy_str line_of(struct loy_str text, uint32_t line)
{
    size_t at = 0;
    for (uint32_t i = 1; i < line && at < text.len; at++) {
        i += text.at[at] == '\n';
    }
    size_t end = at;
    while (end < text.len && text.at[end] != '\n' && text.at[end] != '\r') {
        end++;
    }
    return (struct loy_str){text.at + at, end - at};
}

void loy_issue_print(const struct loy_programme_issue *issue, const char *file, struct loy_str text,
                     struct loy_buf *buf)
{
    loy_buf_printf(buf, "%s:%u:%u: %s: %.*s\n", file, issue->line, issue->column, loy_issue_kind_name(issue->kind),
                   LOY_STR_ARG(issue->message));
    struct loy_str line = line_of(text, issue->line);
    if (line.len == 0 || line.len > SHOWN_LINE_MAX) {
        return;
    }
    loy_buf_printf(buf, "    %.*s\n    ", LOY_STR_ARG(line));
    /* Tabs stay tabs, so that the caret stands under its column whatever their width. */
    size_t at = 0;
    for (uint32_t column = 1; column < issue->column; column++) {
        bool is_tab = at < line.len && line.at[at] == '\t';
        loy_buf_append_byte(buf, is_tab ? '\t' : ' ');
        for (at++; at < line.len && ((uint8_t)line.at[at] & 0xc0) == 0x80; at++) {
        }
    }
    loy_buf_append(buf, LOY_STR("^\n"));
}
