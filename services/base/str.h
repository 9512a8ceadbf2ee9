/* Text as (pointer, length), and a builder that keeps its first error.
 *
 * Wire strings are never NUL-terminated here. Pure; one thread at a time. Test: tests/unit/test_base.c. */
#ifndef LOY_BASE_STR_H
#define LOY_BASE_STR_H

#include "base/arena.h"
#include "base/err.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. at may be NULL when len is 0. */
struct loy_str {
    const char *at;
    size_t len;
};

#define LOY_STR(literal) ((struct loy_str){"" literal "", sizeof(literal) - 1})
/* For printf: "%.*s", LOY_STR_ARG(s). */
#define LOY_STR_ARG(s) ((int)((s).len > 4096 ? 4096 : (s).len)), ((s).at ? (s).at : "")

static inline struct loy_str loy_str(const char *text)
{
    return (struct loy_str){text, text ? strlen(text) : 0};
}

/* The last byte first: of codes and categories of one length it differs sooner than the others. */
static inline bool loy_str_equal(struct loy_str a, struct loy_str b)
{
    return a.len == b.len && (a.len == 0 || (a.at[a.len - 1] == b.at[b.len - 1] && memcmp(a.at, b.at, a.len) == 0));
}

/* Byte order, as PostgreSQL's collation "C": < 0, 0, > 0. */
int loy_str_compare(struct loy_str a, struct loy_str b);
bool loy_str_starts_with(struct loy_str text, struct loy_str prefix);

/* A copy in the arena, not NUL-terminated; at is NULL when it does not fit. */
struct loy_str loy_str_copy(struct loy_arena *arena, struct loy_str text);
/* A NUL-terminated copy in the arena; NULL when it does not fit. */
char *loy_str_dup_z(struct loy_arena *arena, struct loy_str text);

/* Whole UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF); U+0000 counts as valid here. */
bool loy_str_is_utf8(struct loy_str text);
/* Decodes one code point of valid UTF-8 at *offset (< len) and moves *offset behind it. */
uint32_t loy_str_next_code_point(struct loy_str text, size_t *offset);

/* Whole text as a decimal integer, with an optional sign; false when it is not one or does not fit. */
LOY_MUST_USE bool loy_str_to_i64(struct loy_str text, int64_t *ret_value);
LOY_MUST_USE bool loy_str_to_u64(struct loy_str text, uint64_t *ret_value);

/* Builds bytes in an arena. After a failure every append does nothing and `failed` stays set: check once at the end.
 * The bytes move as the builder grows; they are the builder's until loy_buf_str is taken. */
struct loy_buf {
    struct loy_arena *arena;
    char *at;
    size_t len;
    size_t capacity;
    bool failed;
};

void loy_buf_init(struct loy_buf *buf, struct loy_arena *arena, size_t first_capacity);
LOY_PRINTF(2, 3) void loy_buf_printf(struct loy_buf *buf, const char *format, ...);
/* Makes room for size bytes more; false after a failure. */
bool loy_buf_reserve(struct loy_buf *buf, size_t size);
/* size bytes at the end that the caller fills at once; NULL after a failure. */
static inline void *loy_buf_extend(struct loy_buf *buf, size_t size)
{
    if (buf->failed || (size > buf->capacity - buf->len && !loy_buf_reserve(buf, size))) {
        return NULL;
    }
    void *extended = buf->at + buf->len;
    buf->len += size;
    return extended;
}

static inline void loy_buf_append(struct loy_buf *buf, struct loy_str text)
{
    assert(text.at || text.len == 0);
    void *at = loy_buf_extend(buf, text.len);
    if (at && text.len) {
        memcpy(at, text.at, text.len);
    }
}

static inline void loy_buf_append_byte(struct loy_buf *buf, uint8_t byte)
{
    uint8_t *at = loy_buf_extend(buf, 1);
    if (at) {
        *at = byte;
    }
}
/* What was built; empty after a failure. Borrowed from the arena. */
struct loy_str loy_buf_str(const struct loy_buf *buf);
/* The same, and the end of building: room that is left over goes back, where nothing was allocated behind it. */
struct loy_str loy_buf_finish(struct loy_buf *buf);

#endif
