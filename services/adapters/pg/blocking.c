#include "adapters/pg/blocking.h"

#include "adapters/pg/connect.h"
#include "adapters/pg/statements.h"

#include <string.h>

enum loy_err loy_pg_refusal(const char *what, const PGconn *conn, const PGresult *result, struct loy_error *error)
{
    const char *field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *sqlstate = field ? field : "";
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    enum loy_guard guard;
    enum loy_err code = LOY_ERR_INTERNAL;
    if (loy_pg_judge(LOY_PG_BEGIN, sqlstate, &guard) == LOY_STORE_OUTAGE) {
        code = LOY_ERR_UNAVAILABLE;
    } else if (strncmp(sqlstate, "42", 2) == 0) {
        code = LOY_ERR_MISMATCH;
    }
    char text[LOY_ERROR_DETAIL_MAX / 2];
    loy_pg_message(primary ? primary : PQerrorMessage(conn), text, sizeof text);
    return loy_error_set(error, code, "%s: %s", what, text);
}

enum loy_err loy_pg_exec(PGconn *conn, const char *what, const char *sql, int count, const char *const *values,
                         PGresult **ret_result, struct loy_error *error)
{
    PGresult *result = PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        enum loy_err err = loy_pg_refusal(what, conn, result, error);
        PQclear(result);
        return err;
    }
    if (ret_result) {
        *ret_result = result;
    } else {
        PQclear(result);
    }
    return LOY_OK;
}
