#include "base/varint.h"

void loy_varint_put(struct loy_buf *buf, uint64_t value)
{
    char bytes[LOY_VARINT_MAX];
    size_t count = 0;
    for (; value >= 0x80; value >>= 7) {
        bytes[count++] = (char)(value | 0x80);
    }
    bytes[count++] = (char)value;
    loy_buf_append(buf, (struct loy_str){bytes, count});
}

void loy_varint_put_signed(struct loy_buf *buf, int64_t value)
{
    loy_varint_put(buf, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

uint64_t loy_varint_get(struct loy_varint_reader *reader)
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

int64_t loy_varint_get_signed(struct loy_varint_reader *reader)
{
    uint64_t value = loy_varint_get(reader);
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
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
