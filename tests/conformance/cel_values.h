/* The conformance suite's values: {"int":"-1"}, {"list":[..]}, {"timestamp":["s","ns"]} … as cel's, and compared with
 * them. */
#ifndef LOY_TESTS_CONFORMANCE_CEL_VALUES_H
#define LOY_TESTS_CONFORMANCE_CEL_VALUES_H

#include "cel/cel.h"

#include <jansson.h>

/* Borrows text from json. Stops the test program where the suite is not what it says it is. */
struct loy_cel_value conformance_value(const json_t *json, struct loy_arena *arena);
/* The order of a map does not matter; NaN equals NaN; -0.0 is not 0.0. */
bool conformance_equal(const json_t *expected, struct loy_cel_value actual);
/* Makes the test expect something else; false: there is nothing to change (it is only checked). */
bool conformance_change_expectation(json_t *test);

#endif
