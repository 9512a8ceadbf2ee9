/* Varints: unsigned LEB128, signed in zigzag, as protobuf has them. For bytes that are ours on both sides.
 *
 * Pure; any thread. Test: tests/unit/test_base.c. */
#ifndef LOY_BASE_VARINT_H
#define LOY_BASE_VARINT_H

#include "base/str.h"

#include <stdint.h>

enum { LOY_VARINT_MAX = 10 }; /* bytes */

/* Append; the builder keeps an error. */
void loy_varint_put(struct loy_buf *buf, uint64_t value);
void loy_varint_put_signed(struct loy_buf *buf, int64_t value);

/* A reader keeps its first error, as a builder does: check `failed` once at the end. */
struct loy_varint_reader {
    struct loy_str bytes;
    size_t at;
    bool failed;
};

uint64_t loy_varint_get(struct loy_varint_reader *reader);
int64_t loy_varint_get_signed(struct loy_varint_reader *reader);
/* `len` bytes, borrowed from the input. */
struct loy_str loy_varint_get_bytes(struct loy_varint_reader *reader, uint64_t len);

#endif
