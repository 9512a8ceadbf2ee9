/* A second evaluator of CEL, slow and simple, to compare the compiled program with.
 *
 * It walks the parser's tree, looks everything up by name, knows nothing of slots, types, folding, bytecode or fuel,
 * and shares neither comparison nor arithmetic with services/cel: ints are computed in 128 bits and looked at
 * afterwards. It knows what tests/fuzz/cel_generator.c writes. */
#ifndef LOY_TESTS_CEL_REFERENCE_H
#define LOY_TESTS_CEL_REFERENCE_H

#include "cel/node.h"
#include "support/cel_fixture.h"

/* The value, or one of kind ERROR (nothing else of it means anything). */
struct loy_cel_value cel_reference_eval(const struct cel_fixture *fixture, struct loy_arena *arena,
                                        const struct loy_cel_node *root);
/* Equal in kind and value; NaN is NaN, -0.0 is not 0.0; the order in a map does not matter. */
bool cel_reference_same(struct loy_cel_value a, struct loy_cel_value b);

#endif
