/* Schema: the migrations that this program was built for, and whether a database has exactly those.
 *
 * Blocking; one thread a connection. Test: tests/unit/test_pg_schema.c, tests/integration/test_store.py. */
#ifndef LOY_ADAPTERS_PG_SCHEMA_H
#define LOY_ADAPTERS_PG_SCHEMA_H

#include "base/err.h"

#include <libpq-fe.h>

/* The i-th version, ascending; NULL past the end. Borrowed. */
const char *loy_pg_schema_version(unsigned i);

/* MISMATCH with a sentence that says what to run: a migration is missing, or there is one that this program does not
 * know. */
LOY_MUST_USE enum loy_err loy_pg_schema_check(PGconn *conn, struct loy_error *error);

#endif
