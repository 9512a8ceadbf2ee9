#include "adapters/wire/put.h"

#include "base/calendar.h"

enum { SHORT_MAX = 127, VARINT_TAG_1 = 1 << 3, VARINT_TAG_2 = 2 << 3 };

struct loy_wire_room loy_wire_put_grow(struct loy_buf *buf, char *at, size_t size)
{
    if (!at || buf->failed) {
        return (struct loy_wire_room){0};
    }
    buf->len = (size_t)(at - buf->at);
    if (!loy_buf_reserve(buf, size)) {
        return (struct loy_wire_room){0};
    }
    return (struct loy_wire_room){buf->at + buf->len, buf->at + buf->capacity};
}

static int64_t cut(int64_t moment_us)
{
    return moment_us < LOY_MOMENT_MIN ? LOY_MOMENT_MIN : moment_us > LOY_MOMENT_MAX ? LOY_MOMENT_MAX : moment_us;
}

char *loy_wire_put_json_moment(char *at, int64_t moment_us)
{
    static_assert(LOY_MOMENT_TEXT_MAX + 2 <= LOY_WIRE_MOMENT_MAX, "room for a moment as a text");
    *at++ = '"';
    at += loy_moment_format(cut(moment_us), at);
    *at++ = '"';
    return at;
}

char *loy_wire_put_timestamp(char *at, int64_t moment_us)
{
    char *length = at++; /* 23 at the most */
    moment_us = cut(moment_us);
    int64_t part = moment_us % LOY_US_PER_SECOND;
    part += part < 0 ? LOY_US_PER_SECOND : 0;
    int64_t seconds = (moment_us - part) / LOY_US_PER_SECOND;
    if (seconds) {
        *at++ = VARINT_TAG_1;
        at = loy_wire_put_varint(at, (uint64_t)seconds);
    }
    if (part) {
        *at++ = VARINT_TAG_2;
        at = loy_wire_put_varint(at, (uint64_t)part * 1000);
    }
    *length = (char)(at - length - 1);
    return at;
}

char *loy_wire_put_long_close(char *length_at, char *at)
{
    size_t length = (size_t)(at - length_at) - 1;
    size_t more = 0;
    for (size_t rest = length; rest > SHORT_MAX; rest >>= 7) {
        more++;
    }
    memmove(length_at + 1 + more, length_at + 1, length);
    (void)loy_wire_put_varint(length_at, length);
    return at + more;
}
