#include "base/varint.h"

void loy_varint_put_long(struct loy_buf *buf, uint64_t value)
{
    size_t bits = 64 - (size_t)__builtin_clzll(value | 1);
    uint8_t *at = loy_buf_extend(buf, (bits + 6) / 7);
    if (!at) {
        return;
    }
    for (; value >= 0x80; value >>= 7) {
        *at++ = (uint8_t)(value | 0x80);
    }
    *at = (uint8_t)value;
}

uint64_t loy_varint_get_long(struct loy_varint_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && reader->at < reader->bytes.len; shift += 7) {
        uint8_t byte = (uint8_t)reader->bytes.at[reader->at++];
        if (shift == 63 && byte > 1) {
            break;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return reader->failed ? 0 : value;
        }
    }
    reader->failed = true;
    return 0;
}

struct loy_str loy_varint_get_bytes(struct loy_varint_reader *reader, uint64_t len)
{
    if (reader->failed || len > reader->bytes.len - reader->at) {
        reader->failed = true;
        return (struct loy_str){0};
    }
    struct loy_str bytes = {reader->bytes.at + reader->at, (size_t)len};
    reader->at += (size_t)len;
    return bytes;
}
