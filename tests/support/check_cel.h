/* What the unit tests of cel share: a group's fixture, and assertions on an expression's value or issues. */
#ifndef LOY_TESTS_CHECK_CEL_H
#define LOY_TESTS_CHECK_CEL_H

#include "support/cel_fixture.h"

/* *state is a struct cel_fixture from set up to tear down. */
int cel_group_set_up(void **state);
int cel_group_tear_down(void **state);

/* As cel_fixture_eval and cel_fixture_issues print them. */
void check_value(void **state, const char *text, const char *expected);
void check_issues(void **state, const char *text, const char *expected);

#endif
