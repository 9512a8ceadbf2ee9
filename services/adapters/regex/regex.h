/* Regular expressions for cel: RE2 in linear time, whatever the pattern and the text.
 *
 * Not pure: RE2 takes its memory from the heap, at most LOY_REGEX_MEMORY for a pattern. A matcher compiles patterns for
 * one thread at a time; searching is safe for any number of threads. Patterns live as long as the matcher.
 * Test: tests/unit/test_regex.c. */
#ifndef LOY_ADAPTERS_REGEX_REGEX_H
#define LOY_ADAPTERS_REGEX_REGEX_H

#include "cel/cel.h"

enum { LOY_REGEX_MEMORY = 1 << 20, LOY_REGEX_MAX_PATTERN = 4096 };

struct loy_regex;

/* NULL when the heap is full. */
struct loy_regex *loy_regex_new(void);
/* Also frees every pattern it compiled: no program that uses them may run any more. NULL is fine. */
void loy_regex_destroy(struct loy_regex *regex);
/* For loy_cel_env_set_matcher; borrowed from regex. */
const struct loy_cel_matcher *loy_regex_matcher(const struct loy_regex *regex);

#endif
