#include "adapters/pg/params.h"

#include <assert.h>
#include <limits.h>

/* From 1970-01-01 to 2000-01-01. */
static const int64_t EPOCH_US = INT64_C(946684800000000);

void loy_pg_params_init(struct loy_pg_params *params, struct loy_arena *arena)
{
    params->arena = arena;
    params->count = 0;
    params->failed = false;
}

uint8_t *loy_pg_param(struct loy_pg_params *params, uint32_t type, size_t size)
{
    assert(params->count < LOY_PG_PARAMS_MAX);
    uint8_t *at = params->failed || size > INT_MAX ? NULL : loy_arena_alloc(params->arena, size);
    if (!at) {
        params->failed = true;
        return NULL;
    }
    params->types[params->count] = type;
    params->values[params->count] = (const char *)at;
    params->lengths[params->count] = (int)size;
    params->formats[params->count] = 1;
    params->count++;
    return at;
}

uint8_t *loy_pg_param_array(struct loy_pg_params *params, uint32_t type, uint32_t element, uint32_t count, size_t bytes)
{
    uint8_t *at = loy_pg_param(params, type, LOY_PG_ARRAY_HEADER + (size_t)count * 4 + bytes);
    return at ? loy_pg_put_array_header(at, element, count) : NULL;
}

void loy_pg_param_i32(struct loy_pg_params *params, int32_t value)
{
    uint8_t *at = loy_pg_param(params, LOY_PG_INT4, 4);
    if (at) {
        loy_pg_put_4(at, value);
    }
}

void loy_pg_param_time(struct loy_pg_params *params, int64_t us)
{
    uint8_t *at = loy_pg_param(params, LOY_PG_TIMESTAMPTZ, 8);
    if (at) {
        loy_pg_put_8(at, loy_pg_time(us));
    }
}

void loy_pg_param_text(struct loy_pg_params *params, struct loy_str text)
{
    uint8_t *at = loy_pg_param(params, LOY_PG_TEXT, text.len);
    if (at && text.len) {
        memcpy(at, text.at, text.len);
    }
}

void loy_pg_param_i32s(struct loy_pg_params *params, uint32_t count, const int32_t *first, size_t stride)
{
    uint8_t *at = loy_pg_param_array(params, LOY_PG_INT4_ARRAY, LOY_PG_INT4, count, (size_t)count * 4);
    const char *field = (const char *)first;
    for (uint32_t i = 0; at && i < count; i++, field += stride) {
        at = loy_pg_put_i32(at, *(const int32_t *)(const void *)field);
    }
}

void loy_pg_param_i64s(struct loy_pg_params *params, uint32_t count, const int64_t *first, size_t stride)
{
    uint8_t *at = loy_pg_param_array(params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count, (size_t)count * 8);
    const char *field = (const char *)first;
    for (uint32_t i = 0; at && i < count; i++, field += stride) {
        at = loy_pg_put_i64(at, *(const int64_t *)(const void *)field);
    }
}

void loy_pg_param_digests(struct loy_pg_params *params, uint32_t count, const struct loy_digest *first, size_t stride)
{
    uint8_t *at = loy_pg_param_array(params, LOY_PG_UUID_ARRAY, LOY_PG_UUID, count, (size_t)count * 16);
    const char *field = (const char *)first;
    for (uint32_t i = 0; at && i < count; i++, field += stride) {
        at = loy_pg_put_digest(at, (const struct loy_digest *)(const void *)field);
    }
}

int64_t loy_pg_time(int64_t us)
{
    /* INT64_MIN and INT64_MAX are PostgreSQL's infinities: never made by accident. */
    if (us < INT64_MIN + 1 + EPOCH_US) {
        return INT64_MIN + 1;
    }
    return us - EPOCH_US;
}

int64_t loy_pg_time_back(int64_t pg_us)
{
    return pg_us > INT64_MAX - EPOCH_US ? INT64_MAX : pg_us + EPOCH_US;
}
