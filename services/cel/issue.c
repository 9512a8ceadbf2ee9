#include "cel/issue.h"

#include <stdio.h>

static void place_of(struct loy_str text, struct loy_cel_issue *issue)
{
    issue->line = issue->column = 1;
    for (size_t i = 0; i < issue->offset && i < text.len; i++) {
        if (text.at[i] == '\n') {
            issue->line++;
            issue->column = 1;
        } else if (((uint8_t)text.at[i] & 0xc0) != 0x80) {
            issue->column++;
        }
    }
}

LOY_PRINTF(5, 0)
static void add(struct loy_cel_issue_sink *sink, bool is_warning, uint32_t start, uint32_t end, const char *format,
                va_list args)
{
    sink->errors += !is_warning;
    struct loy_cel_issues *issues = sink->issues;
    if (issues->count == LOY_CEL_MAX_ISSUES) {
        issues->more = true;
        return;
    }
    char message[512];
    int len = vsnprintf(message, sizeof message, format, args);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof message ? (size_t)len : sizeof message - 1;
    struct loy_cel_issue issue = {.offset = start, .length = end > start ? end - start : 0, .is_warning = is_warning};
    issue.message = loy_str_copy(sink->arena, (struct loy_str){message, kept});
    if (!issue.message.at) {
        sink->failed = true;
        return;
    }
    place_of(sink->text, &issue);
    size_t at = issues->count++;
    for (; at > 0 && issues->items[at - 1].offset > start; at--) {
        issues->items[at] = issues->items[at - 1];
    }
    issues->items[at] = issue;
}

void loy_cel_issue_add(struct loy_cel_issue_sink *sink, uint32_t start, uint32_t end, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(sink, false, start, end, format, args);
    va_end(args);
}

void loy_cel_issue_warn(struct loy_cel_issue_sink *sink, uint32_t start, uint32_t end, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(sink, true, start, end, format, args);
    va_end(args);
}

void loy_cel_issue_print(const struct loy_cel_issue *issue, struct loy_str text, struct loy_buf *buf)
{
    loy_buf_printf(buf, "%u:%u: %s", issue->line, issue->column, issue->is_warning ? "warning: " : "");
    loy_buf_append(buf, issue->message);
    size_t offset = issue->offset < text.len ? issue->offset : text.len;
    size_t start = offset, end = offset;
    while (start > 0 && text.at[start - 1] != '\n') {
        start--;
    }
    while (end < text.len && text.at[end] != '\n') {
        end++;
    }
    loy_buf_append(buf, LOY_STR("\n | "));
    loy_buf_append(buf, (struct loy_str){text.at + start, end - start});
    loy_buf_append(buf, LOY_STR("\n | "));
    for (uint32_t i = 1; i < issue->column; i++) {
        loy_buf_append_byte(buf, ' ');
    }
    loy_buf_append(buf, LOY_STR("^\n"));
}

enum { NAME_MAX_COMPARED = 40, MAX_EDITS = 2 };

/* Edits between two short names (insert, delete, replace, swap of neighbours). */
static uint32_t edits(struct loy_str a, struct loy_str b)
{
    uint32_t rows[3][NAME_MAX_COMPARED + 1];
    for (uint32_t j = 0; j <= b.len; j++) {
        rows[0][j] = j;
    }
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint32_t best = above[j - 1] + (a.at[i - 1] != b.at[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1] &&
                above2[j - 2] + 1 < best) {
                best = above2[j - 2] + 1;
            }
            row[j] = best;
        }
    }
    return rows[a.len % 3][b.len];
}

void loy_cel_nearest_init(struct loy_cel_nearest *nearest, struct loy_str wanted)
{
    uint32_t half = (uint32_t)wanted.len / 2;
    *nearest = (struct loy_cel_nearest){wanted, {NULL, 0}, (half < MAX_EDITS ? half : MAX_EDITS) + 1};
}

void loy_cel_nearest_offer(struct loy_cel_nearest *nearest, struct loy_str name)
{
    struct loy_str wanted = nearest->wanted;
    size_t apart = wanted.len > name.len ? wanted.len - name.len : name.len - wanted.len;
    if (wanted.len > NAME_MAX_COMPARED || name.len > NAME_MAX_COMPARED || apart >= nearest->distance) {
        return;
    }
    uint32_t distance = edits(wanted, name);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = name;
    }
}

const char *loy_cel_nearest_hint(const struct loy_cel_nearest *nearest, struct loy_cel_issue_sink *sink)
{
    if (!nearest->best.at) {
        return "";
    }
    struct loy_buf buf;
    loy_buf_init(&buf, sink->arena, 64);
    loy_buf_printf(&buf, ": did you mean '%.*s'?", LOY_STR_ARG(nearest->best));
    loy_buf_append_byte(&buf, 0);
    return buf.failed ? "" : loy_buf_str(&buf).at;
}
