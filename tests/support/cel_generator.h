/* Writes random expressions of a wanted type over the fixture's world: type-correct, small, often failing when run.
 *
 * Every choice takes a byte, so that libFuzzer steers it and a seed repeats it. */
#ifndef LOY_TESTS_CEL_GENERATOR_H
#define LOY_TESTS_CEL_GENERATOR_H

#include "base/str.h"

enum cel_generated_type {
    GENERATE_BOOL,
    GENERATE_INT,
    GENERATE_UINT,
    GENERATE_DOUBLE,
    GENERATE_STRING,
    GENERATE_INTS,
    GENERATE_STRINGS,
    GENERATE_MAP,
    GENERATE_LINES,
    GENERATE_LINE,
    GENERATE_TYPES
};

/* The first byte chooses the type. */
void cel_generate(const uint8_t *bytes, size_t len, struct loy_buf *out);

#endif
