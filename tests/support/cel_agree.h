/* One comparison of the compiled program with the reference evaluator, for the unit test and for the fuzzer. */
#ifndef LOY_TESTS_CEL_AGREE_H
#define LOY_TESTS_CEL_AGREE_H

#include "support/cel_fixture.h"

struct cel_agree {
    struct cel_fixture fixture;
    struct loy_arena reference;
    struct loy_arena_mark start; /* of the fixture's programs */
    uint64_t values, errors, unlimited;
    char why[8192];
};

void cel_agree_init(struct cel_agree *agree);
void cel_agree_fini(struct cel_agree *agree);
/* NULL: they agree in the value, or both fail, and the fuel used was within the static cost. Else what is wrong. */
const char *cel_agree_try(struct cel_agree *agree, const uint8_t *bytes, size_t len);

#endif
