/* Path: where in a message a reader is, so that an error can name the field. Internal to wire.
 *
 * Frames lie on the readers' stacks; the text is made only when something is wrong. Pure; any thread.
 * Test: test_wire_decode.c. */
#ifndef LOY_ADAPTERS_WIRE_PATH_H
#define LOY_ADAPTERS_WIRE_PATH_H

#include "base/err.h"

#include <stdint.h>

struct loy_wire_path {
    const struct loy_wire_path *up; /* NULL: the message itself */
    const char *name;               /* of the field; NULL: none */
    int64_t index;                  /* of the element; -1: not repeated */
};

/* Fills *error with "purchase.lines[3].sku: sentence" and returns code. Either may be NULL. */
LOY_COLD LOY_PRINTF(4, 5) enum loy_err loy_wire_fail(struct loy_error *error, enum loy_err code,
                                                     const struct loy_wire_path *path, const char *format, ...);

#endif
