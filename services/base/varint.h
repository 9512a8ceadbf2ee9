/* Varints: unsigned LEB128, signed in zigzag, as protobuf has them. For bytes that are ours on both sides.
 *
 * Pure; any thread. Test: tests/unit/test_base.c. */
#ifndef LOY_BASE_VARINT_H
#define LOY_BASE_VARINT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOY_VARINT_MAX = 10 }; /* bytes */

/* Most numbers take one byte and are put and got in place; these two are for the others, and for this file only. */
void loy_varint_put_long(struct loy_buf *buf, uint64_t value);
struct loy_varint_reader;
uint64_t loy_varint_get_long(struct loy_varint_reader *reader);

/* Append; the builder keeps an error. */
static inline void loy_varint_put(struct loy_buf *buf, uint64_t value)
{
    if (value < 0x80) {
        loy_buf_append_byte(buf, (uint8_t)value);
    } else {
        loy_varint_put_long(buf, value);
    }
}

static inline void loy_varint_put_signed(struct loy_buf *buf, int64_t value)
{
    loy_varint_put(buf, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/* A reader keeps its first error, as a builder does: check `failed` once at the end. */
struct loy_varint_reader {
    struct loy_str bytes;
    size_t at;
    bool failed;
};

static inline uint64_t loy_varint_get(struct loy_varint_reader *reader)
{
    if (reader->at < reader->bytes.len && (uint8_t)reader->bytes.at[reader->at] < 0x80) {
        uint8_t byte = (uint8_t)reader->bytes.at[reader->at++];
        return reader->failed ? 0 : byte;
    }
    return loy_varint_get_long(reader);
}

static inline int64_t loy_varint_get_signed(struct loy_varint_reader *reader)
{
    uint64_t value = loy_varint_get(reader);
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

/* `len` bytes, borrowed from the input. */
struct loy_str loy_varint_get_bytes(struct loy_varint_reader *reader, uint64_t len);

#endif
