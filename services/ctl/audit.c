#include "ctl/audit.h"

#include "ctl/json_out.h"

#include <stdarg.h>

static const struct loy_audit_row checks[LOY_AUDIT_CHECK_COUNT] = {
#define LOY_AUDIT_ROW(symbol, name, invariant, holds) [LOY_AUDIT_##symbol] = {name, invariant, holds},
    LOY_AUDIT_CHECKS(LOY_AUDIT_ROW)
#undef LOY_AUDIT_ROW
};

const struct loy_audit_row *loy_audit_row(enum loy_audit_check check)
{
    return &checks[check];
}

struct loy_phrase loy_phrase(const char *format, ...)
{
    struct loy_phrase phrase;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(phrase.text, sizeof phrase.text, format, args);
    va_end(args);
    return phrase;
}

static void print_json(struct loy_audit *audit, const struct loy_audit_row *row, const struct loy_phrase *where,
                       const struct loy_phrase *expected, const struct loy_phrase *found)
{
    (void)fputs(audit->printed > 0 ? ",\n  {" : "\n  {", audit->out);
    loy_json_member(audit->out, "check", loy_str(row->name));
    (void)fputs(", ", audit->out);
    loy_json_member(audit->out, "invariant", loy_str(row->invariant));
    (void)fputs(", ", audit->out);
    loy_json_member(audit->out, "where", loy_str(where->text));
    (void)fputs(", ", audit->out);
    loy_json_member(audit->out, "expected", loy_str(expected->text));
    (void)fputs(", ", audit->out);
    loy_json_member(audit->out, "found", loy_str(found->text));
    (void)putc('}', audit->out);
}

void loy_audit_found(struct loy_audit *audit, enum loy_audit_check check, const struct loy_phrase *where,
                     const struct loy_phrase *expected, const struct loy_phrase *found)
{
    if (++audit->problems[check] > audit->show) {
        return;
    }
    const struct loy_audit_row *row = &checks[check];
    if (audit->json) {
        print_json(audit, row, where, expected, found);
    } else {
        (void)fprintf(audit->out, "%s %s: %s: expected %s, found %s\n", row->invariant, row->name, where->text,
                      expected->text, found->text);
    }
    audit->printed++;
}

int64_t loy_audit_problem_count(const struct loy_audit *audit)
{
    int64_t count = 0;
    for (int check = 0; check < LOY_AUDIT_CHECK_COUNT; check++) {
        count += audit->problems[check];
    }
    return count;
}
