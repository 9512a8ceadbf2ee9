/* Programmes in C for unit tests: the shop of docs/examples, and those of the real year (tests/integration/programmes).
 */
#ifndef LOY_TESTS_PROGRAMMES_H
#define LOY_TESTS_PROGRAMMES_H

#include "engine/programme.h"

/* NULL when there is none of that name. */
const struct loy_programme *test_programme(const char *id);

#endif
