/* A small world for tests of cel: a purchase with lines, a member, two functions handed in; and one-line helpers. */
#ifndef LOY_TESTS_CEL_FIXTURE_H
#define LOY_TESTS_CEL_FIXTURE_H

#include "cel/cel.h"

enum { FIXTURE_PROGRAMS = 4 << 20, FIXTURE_SCRATCH = 1 << 20, FIXTURE_LINES = 3 };

enum fixture_purchase {
    PURCHASE_TOTAL,
    PURCHASE_CHANNEL,
    PURCHASE_LINES,
    PURCHASE_COUPON,
    PURCHASE_AT,
    PURCHASE_TAGS,
    PURCHASE_FIELDS
};
enum fixture_member { MEMBER_AVERAGE, MEMBER_LEVEL, MEMBER_DAYS, MEMBER_FIELDS };
enum fixture_line { LINE_CATEGORY, LINE_AMOUNT, LINE_FIELDS };

struct cel_fixture {
    struct loy_arena programs, scratch;
    struct loy_cel_env *env;
    uint32_t line_id, purchase_id, member_id;
    struct loy_cel_value variables[4]; /* purchase, member, attributes, flag */
    struct loy_cel_value purchase[PURCHASE_FIELDS], member[MEMBER_FIELDS];
    struct loy_cel_value lines[FIXTURE_LINES], slots[FIXTURE_LINES][LINE_FIELDS];
    struct loy_cel_entry attributes[2];
    struct loy_cel_issues issues;
    uint64_t fuel; /* before each evaluation */
    uint64_t used; /* by the last one */
    char text[4096];
};

/* Functions: money(string) -> int, constant; shout(string) -> string, a method. */
void cel_fixture_init(struct cel_fixture *fixture);
void cel_fixture_fini(struct cel_fixture *fixture);

/* NULL: issues. */
const struct loy_cel_program *cel_fixture_compile(struct cel_fixture *fixture, const char *text,
                                                  const struct loy_cel_options *options);
/* The result as source text, "error: …", or the first issue as "line:column: message". In fixture->text. */
const char *cel_fixture_eval(struct cel_fixture *fixture, const char *text);
const char *cel_fixture_eval_with(struct cel_fixture *fixture, const char *text, const struct loy_cel_options *options);
/* All issues, a line each. */
const char *cel_fixture_issues(struct cel_fixture *fixture, const char *text, const struct loy_cel_options *options);
const char *cel_fixture_explain(struct cel_fixture *fixture, const char *text);

#endif
