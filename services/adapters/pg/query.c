#include "adapters/pg/query.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FETCH_ROWS = 2000,
    STATEMENT_MAX = 8192,
};

struct loy_query {
    PGconn *conn;
};

/* PostgreSQL's messages end in a newline and may have several lines: the first says it. */
static struct loy_str first_line(const char *message)
{
    return (struct loy_str){message, strcspn(message, "\n")};
}

enum loy_err loy_query_open(const char *conninfo, const char *name, struct loy_query **ret_query,
                            struct loy_error *error)
{
    struct loy_query *query = calloc(1, sizeof *query);
    if (!query) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a connection");
    }
    const char *const keywords[] = {"connect_timeout", "fallback_application_name", "dbname", NULL};
    const char *const values[] = {"10", name, conninfo, NULL};
    query->conn = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(query->conn) != CONNECTION_OK) {
        enum loy_err err = loy_error_set(
            error, LOY_ERR_UNAVAILABLE, "PostgreSQL cannot be reached: %.*s (LOYALD_POSTGRES or --postgres says where)",
            LOY_STR_ARG(first_line(PQerrorMessage(query->conn))));
        loy_query_close(query);
        return err;
    }
    *ret_query = query;
    return LOY_OK;
}

void loy_query_close(struct loy_query *query)
{
    if (query) {
        PQfinish(query->conn);
        free(query);
    }
}

/* Takes the result; what the server said of it. */
static enum loy_err failed(struct loy_query *query, PGresult *result, struct loy_error *error)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    struct loy_str said = first_line(primary ? primary : PQerrorMessage(query->conn));
    enum loy_err err = LOY_ERR_INTERNAL;
    if (PQstatus(query->conn) != CONNECTION_OK || (state && strncmp(state, "57P", 3) == 0)) {
        err = loy_error_set(error, LOY_ERR_UNAVAILABLE, "PostgreSQL went away: %.*s", LOY_STR_ARG(said));
    } else if (state && strcmp(state, "55P03") == 0) {
        err = loy_error_set(error, LOY_ERR_TIMEOUT, "PostgreSQL says: %.*s", LOY_STR_ARG(said));
    } else if (state && (strcmp(state, "42P01") == 0 || strcmp(state, "42703") == 0)) {
        err = loy_error_set(error, LOY_ERR_MISMATCH, "the database is not migrated (%.*s): run `loyalctl migrate up`",
                            LOY_STR_ARG(said));
    } else if (state && strcmp(state, "42501") == 0) {
        err = loy_error_set(error, LOY_ERR_MISMATCH,
                            "%.*s: log in with a member of the role loyald_reader; to publish, of loyald_publisher; "
                            "to change anything else, of loyald_worker",
                            LOY_STR_ARG(said));
    } else {
        err = loy_error_set(error, LOY_ERR_INTERNAL, "PostgreSQL says: %.*s (%s)", LOY_STR_ARG(said),
                            state ? state : "no code");
    }
    PQclear(result);
    return err;
}

enum loy_err loy_query_do(struct loy_query *query, const char *sql, struct loy_error *error)
{
    PGresult *result = PQexec(query->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        return failed(query, result, error);
    }
    PQclear(result);
    return LOY_OK;
}

enum loy_err loy_query_rows(struct loy_query *query, const char *sql, const char *const *parameters,
                            int parameter_count, struct loy_rows *ret_rows, struct loy_error *error)
{
    assert(parameter_count <= LOY_QUERY_PARAMETERS_MAX);
    PGresult *result = PQexecParams(query->conn, sql, parameter_count, NULL, parameters, NULL, NULL, 1);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        return failed(query, result, error);
    }
    *ret_rows = (struct loy_rows){result, PQntuples(result)};
    return LOY_OK;
}

void loy_rows_free(struct loy_rows *rows)
{
    PQclear(rows->result);
    *rows = (struct loy_rows){NULL, 0};
}

bool loy_rows_is_null(const struct loy_rows *rows, int32_t row, int32_t column)
{
    return PQgetisnull(rows->result, row, column) != 0;
}

static int64_t big_endian(const char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) {
        value = value << 8 | (uint8_t)at[i];
    }
    /* The sign, from however many bytes there are. */
    int unused = 64 - 8 * bytes;
    return (int64_t)(value << unused) >> unused;
}

int64_t loy_rows_integer(const struct loy_rows *rows, int32_t row, int32_t column)
{
    int bytes = PQgetlength(rows->result, row, column);
    assert(bytes == 8 || bytes == 4 || bytes == 2);
    return big_endian(PQgetvalue(rows->result, row, column), bytes);
}

bool loy_rows_boolean(const struct loy_rows *rows, int32_t row, int32_t column)
{
    assert(PQgetlength(rows->result, row, column) == 1);
    return PQgetvalue(rows->result, row, column)[0] != 0;
}

struct loy_str loy_rows_bytes(const struct loy_rows *rows, int32_t row, int32_t column)
{
    return (struct loy_str){PQgetvalue(rows->result, row, column), (size_t)PQgetlength(rows->result, row, column)};
}

/* An array in binary: dimensions, flags, element type, then length and lower bound of each dimension, then each
 * element as its length (-1: NULL) and bytes. */
uint32_t loy_rows_integers(const struct loy_rows *rows, int32_t row, int32_t column, int64_t *ret_values, uint32_t max)
{
    struct loy_str bytes = loy_rows_bytes(rows, row, column);
    if (bytes.len < 12 || big_endian(bytes.at, 4) == 0) {
        return 0;
    }
    int64_t dimensions = big_endian(bytes.at, 4);
    size_t at = 12 + (size_t)dimensions * 8;
    int64_t count = 1;
    for (int64_t i = 0; i < dimensions && at <= bytes.len; i++) {
        count *= big_endian(bytes.at + 12 + i * 8, 4);
    }
    for (int64_t i = 0; i < count && at + 4 <= bytes.len; i++) {
        int64_t length = big_endian(bytes.at + at, 4);
        at += 4;
        assert(length <= 8);
        if (i < max) {
            ret_values[i] = length > 0 ? big_endian(bytes.at + at, (int)length) : 0;
        }
        at += length > 0 ? (size_t)length : 0;
    }
    return (uint32_t)count;
}

enum loy_err loy_cursor_open(struct loy_query *query, const char *name, const char *select,
                             struct loy_cursor *ret_cursor, struct loy_error *error)
{
    char statement[STATEMENT_MAX];
    int length = snprintf(statement, sizeof statement, "DECLARE %s NO SCROLL CURSOR FOR %s", name, select);
    assert(length > 0 && (size_t)length < sizeof statement);
    enum loy_err err = loy_query_do(query, statement, error);
    if (!err) {
        *ret_cursor = (struct loy_cursor){.query = query, .name = name, .row = -1};
    }
    return err;
}

enum loy_err loy_cursor_next(struct loy_cursor *cursor, struct loy_error *error)
{
    if (cursor->at_end || ++cursor->row < cursor->rows.count) {
        return LOY_OK;
    }
    char statement[128];
    (void)snprintf(statement, sizeof statement, "FETCH %d FROM %s", FETCH_ROWS, cursor->name);
    loy_rows_free(&cursor->rows);
    cursor->row = 0;
    enum loy_err err = loy_query_rows(cursor->query, statement, NULL, 0, &cursor->rows, error);
    cursor->at_end = !err && cursor->rows.count == 0;
    return err;
}

void loy_cursor_close(struct loy_cursor *cursor)
{
    if (cursor->query) {
        char statement[128];
        (void)snprintf(statement, sizeof statement, "CLOSE %s", cursor->name);
        loy_rows_free(&cursor->rows);
        /* Ending the transaction would close it as well: a failure here changes nothing. */
        PQclear(PQexec(cursor->query->conn, statement));
        *cursor = (struct loy_cursor){0};
    }
}
