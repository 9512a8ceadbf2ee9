/* Query: PostgreSQL for tools: blocking, one statement at a time, results in binary.
 *
 * Not for the worker, whose adapter (pg.h) never blocks. Errors: LOY_ERR_UNAVAILABLE where the server cannot be reached
 * or went away, LOY_ERR_MISMATCH where a table is missing (with what to do), LOY_ERR_TIMEOUT where
 * a lock was not to be had within lock_timeout, LOY_ERR_INTERNAL for anything else the server refuses. One thread a
 * connection. Test: tests/integration/test_audit.py and whatever uses loyalctl. */
#ifndef LOY_ADAPTERS_PG_QUERY_H
#define LOY_ADAPTERS_PG_QUERY_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOY_QUERY_PARAMETERS_MAX = 8 };

struct loy_query;

/* conninfo: as libpq takes it; empty: libpq's own environment. name stands in pg_stat_activity. */
LOY_MUST_USE enum loy_err loy_query_open(const char *conninfo, const char *name, struct loy_query **ret_query,
                                         struct loy_error *error);
void loy_query_close(struct loy_query *query);

/* Statements without a result, and without parameters: BEGIN, SET … */
LOY_MUST_USE enum loy_err loy_query_do(struct loy_query *query, const char *sql, struct loy_error *error);

/* Rows of one result. */
struct loy_rows {
    void *result; /* libpq's; NULL: none */
    int32_t count;
};

/* parameters: texts, NUL-terminated, which the statement casts ($1::bigint). Free with loy_rows_free, which takes a
 * zeroed struct too. */
LOY_MUST_USE enum loy_err loy_query_rows(struct loy_query *query, const char *sql, const char *const *parameters,
                                         int parameter_count, struct loy_rows *ret_rows, struct loy_error *error);
void loy_rows_free(struct loy_rows *rows);

/* Values, borrowed until loy_rows_free. A value of another type than asked for is a bug of the statement: assert. */
bool loy_rows_is_null(const struct loy_rows *rows, int32_t row, int32_t column);
int64_t loy_rows_integer(const struct loy_rows *rows, int32_t row, int32_t column); /* smallint, int, bigint */
bool loy_rows_boolean(const struct loy_rows *rows, int32_t row, int32_t column);
struct loy_str loy_rows_bytes(const struct loy_rows *rows, int32_t row, int32_t column); /* text, bytea, uuid */
/* bigint[]: at most max elements to ret_values; returns how many the array has; an element that is NULL is 0. */
uint32_t loy_rows_integers(const struct loy_rows *rows, int32_t row, int32_t column, int64_t *ret_values, uint32_t max);

/* A long result, a piece at a time: only inside a transaction. */
struct loy_cursor {
    struct loy_query *query;
    const char *name; /* borrowed: an identifier of the caller's */
    struct loy_rows rows;
    int32_t row; /* where next() stands; read it with the functions above */
    bool at_end;
};

LOY_MUST_USE enum loy_err loy_cursor_open(struct loy_query *query, const char *name, const char *select,
                                          struct loy_cursor *ret_cursor, struct loy_error *error);
/* Moves to the next row; at_end is set after the last one. */
LOY_MUST_USE enum loy_err loy_cursor_next(struct loy_cursor *cursor, struct loy_error *error);
/* Takes a zeroed struct too. */
void loy_cursor_close(struct loy_cursor *cursor);

#endif
