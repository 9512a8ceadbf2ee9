/* Keys of a file of examples. Pure data. Test: tests/integration/test_programme.py. */
#ifndef LOY_PROGRAMME_EXAMPLES_KEYS_H
#define LOY_PROGRAMME_EXAMPLES_KEYS_H

#include "programme/keys.h"

const struct loy_shape *loy_shape_examples(void);

#endif
