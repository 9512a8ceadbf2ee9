/* Blocking statements for what runs once: at the start of a program, or from a command line. Never in the hot path.
 *
 * One thread a connection. Test: tests/integration/test_store.py, test_migrate.py. */
#ifndef LOY_ADAPTERS_PG_BLOCKING_H
#define LOY_ADAPTERS_PG_BLOCKING_H

#include "base/err.h"

#include <libpq-fe.h>

/* Runs one statement with text parameters ($1 …, NULL is SQL's null). *ret_result (may be NULL: nobody looks) is the
 * caller's to PQclear. UNAVAILABLE for an outage, CONFIG for missing privileges or tables, INTERNAL for the rest;
 * `what` begins the sentence. */
LOY_MUST_USE enum loy_err loy_pg_exec(PGconn *conn, const char *what, const char *sql, int count,
                                      const char *const *values, PGresult **ret_result, struct loy_error *error);

/* The error of a failed result, as above. */
enum loy_err loy_pg_refusal(const char *what, const PGconn *conn, const PGresult *result, struct loy_error *error);

#endif
