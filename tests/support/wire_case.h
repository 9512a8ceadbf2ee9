/* What the wire tests share: an arena of the promised size, and decoding of a text in one line. */
#ifndef LOY_TESTS_WIRE_CASE_H
#define LOY_TESTS_WIRE_CASE_H

#include "adapters/wire/wire.h"

#include <stdbool.h>

struct wire_case {
    struct loy_arena arena;
    struct loy_event event;
    struct loy_error error;
};

/* Empties the case's arena: one static block for all. */
void wire_case_init(struct wire_case *test);

/* Decodes the bytes as a record without headers, into test->event and test->error. */
enum loy_err wire_case_decode(struct wire_case *test, struct loy_str bytes, bool internal);

/* An event of this kind as JSON: "purchase: {…}" inside an otherwise good envelope. */
enum loy_err wire_case_kind(struct wire_case *test, const char *kind_and_value);

#endif
