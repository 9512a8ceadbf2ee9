/* Parameters of one statement in PostgreSQL's binary format: arrays, records, scalars, written once into an arena.
 *
 * Sizes are known before a byte is written, so nothing is ever moved. Pure; one thread.
 * Format: array_send, record_send and their likes of PostgreSQL. Test: tests/unit/test_pg_params.c. */
#ifndef LOY_ADAPTERS_PG_PARAMS_H
#define LOY_ADAPTERS_PG_PARAMS_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Types that have the same number in every PostgreSQL: src/include/catalog/pg_type.dat. */
enum loy_pg_oid {
    LOY_PG_BYTEA = 17,
    LOY_PG_INT8 = 20,
    LOY_PG_INT2 = 21,
    LOY_PG_INT4 = 23,
    LOY_PG_TEXT = 25,
    LOY_PG_BYTEA_ARRAY = 1001,
    LOY_PG_INT2_ARRAY = 1005,
    LOY_PG_INT4_ARRAY = 1007,
    LOY_PG_TEXT_ARRAY = 1009,
    LOY_PG_INT8_ARRAY = 1016,
    LOY_PG_TIMESTAMPTZ = 1184,
    LOY_PG_TIMESTAMPTZ_ARRAY = 1185,
    LOY_PG_UUID = 2950,
    LOY_PG_UUID_ARRAY = 2951,
};

enum {
    LOY_PG_PARAMS_MAX = 12,
    LOY_PG_ARRAY_HEADER = 20, /* dimensions, has-nulls, element type, length, lower bound */
};

/* In the form that PQsendQueryParams takes. */
struct loy_pg_params {
    struct loy_arena *arena;
    int count;
    bool failed; /* the arena is full: check once before sending */
    uint32_t types[LOY_PG_PARAMS_MAX];
    const char *values[LOY_PG_PARAMS_MAX];
    int lengths[LOY_PG_PARAMS_MAX];
    int formats[LOY_PG_PARAMS_MAX];
};

void loy_pg_params_init(struct loy_pg_params *params, struct loy_arena *arena);

/* One more parameter of `size` bytes, which the caller writes at once; NULL after a failure. */
uint8_t *loy_pg_param(struct loy_pg_params *params, uint32_t type, size_t size);
/* One more parameter: an array of `count` elements whose values take `bytes` together. Returns where the first element
 * (its length, its value) goes; NULL after a failure. */
uint8_t *loy_pg_param_array(struct loy_pg_params *params, uint32_t type, uint32_t element, uint32_t count,
                            size_t bytes);

void loy_pg_param_i32(struct loy_pg_params *params, int32_t value);
void loy_pg_param_time(struct loy_pg_params *params, int64_t us);
void loy_pg_param_text(struct loy_pg_params *params, struct loy_str text);

/* One more parameter: an array of a field of `count` structs, `stride` bytes apart, whose first is at `first`. */
void loy_pg_param_i32s(struct loy_pg_params *params, uint32_t count, const int32_t *first, size_t stride);
void loy_pg_param_i64s(struct loy_pg_params *params, uint32_t count, const int64_t *first, size_t stride);
void loy_pg_param_digests(struct loy_pg_params *params, uint32_t count, const struct loy_digest *first, size_t stride);

/* Microseconds since 1970 to PostgreSQL's since 2000 and back. What PostgreSQL has no time for becomes a number that it
 * refuses (22008) or, back, the nearest int64. */
int64_t loy_pg_time(int64_t us);
int64_t loy_pg_time_back(int64_t pg_us);

/* Raw big-endian values; each returns the place behind what it wrote. */
static inline uint8_t *loy_pg_put_2(uint8_t *at, int16_t value)
{
    uint16_t wire = htobe16((uint16_t)value);
    memcpy(at, &wire, sizeof wire);
    return at + sizeof wire;
}

static inline uint8_t *loy_pg_put_4(uint8_t *at, int32_t value)
{
    uint32_t wire = htobe32((uint32_t)value);
    memcpy(at, &wire, sizeof wire);
    return at + sizeof wire;
}

static inline uint8_t *loy_pg_put_8(uint8_t *at, int64_t value)
{
    uint64_t wire = htobe64((uint64_t)value);
    memcpy(at, &wire, sizeof wire);
    return at + sizeof wire;
}

/* Elements of an array: length, value. */
static inline uint8_t *loy_pg_put_i16(uint8_t *at, int16_t value)
{
    return loy_pg_put_2(loy_pg_put_4(at, 2), value);
}

static inline uint8_t *loy_pg_put_i32(uint8_t *at, int32_t value)
{
    return loy_pg_put_4(loy_pg_put_4(at, 4), value);
}

static inline uint8_t *loy_pg_put_i64(uint8_t *at, int64_t value)
{
    return loy_pg_put_8(loy_pg_put_4(at, 8), value);
}

static inline uint8_t *loy_pg_put_bytes(uint8_t *at, const void *bytes, size_t size)
{
    at = loy_pg_put_4(at, (int32_t)size);
    if (size) {
        memcpy(at, bytes, size);
    }
    return at + size;
}

static inline uint8_t *loy_pg_put_digest(uint8_t *at, const struct loy_digest *digest)
{
    return loy_pg_put_bytes(at, digest->bytes, sizeof digest->bytes);
}

static inline uint8_t *loy_pg_put_null(uint8_t *at)
{
    return loy_pg_put_4(at, -1);
}

/* Head of an array that stands inside a record: without its own length. */
static inline uint8_t *loy_pg_put_array_header(uint8_t *at, uint32_t element, uint32_t count)
{
    at = loy_pg_put_4(at, 1);
    at = loy_pg_put_4(at, 0);
    at = loy_pg_put_4(at, (int32_t)element);
    at = loy_pg_put_4(at, (int32_t)count);
    return loy_pg_put_4(at, 1);
}

#endif
