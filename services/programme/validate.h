/* Validate: a tree against the table of keys: unknown keys, types, limits, what is missing, what is not in force.
 *
 * What needs more than one value at once (rules that name wallets, conditions) is compile.h's. Pure; one thread.
 * Test: tests/integration/test_programme.py. */
#ifndef LOY_PROGRAMME_VALIDATE_H
#define LOY_PROGRAMME_VALIDATE_H

#include "programme/issue.h"
#include "programme/keys.h"
#include "programme/yaml.h"

/* Adds an issue for everything that the shape does not allow. digits: of the programme's currency. */
void loy_programme_validate(const struct loy_yaml *root, const struct loy_shape *shape, int32_t digits,
                            struct loy_programme_issues *issues);

#endif
