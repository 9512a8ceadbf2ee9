/* Base64, RFC 4648: the usual and the URL-safe alphabet, with or without padding. Internal to wire.
 *
 * Pure; any thread. Test: test_wire.py, test_wire_envelope.c. */
#ifndef LOY_ADAPTERS_WIRE_BASE64_H
#define LOY_ADAPTERS_WIRE_BASE64_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* LOY_ERR_MALFORMED for text that is not base64, LOY_ERR_NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_wire_base64_decode(struct loy_str text, struct loy_arena *arena,
                                                 struct loy_str *ret_bytes);

#endif
