/* Connections: one set of parameters for everything that talks to PostgreSQL.
 *
 * A conninfo is libpq's: key = value pairs, a URI, a database's name, or empty for libpq's own environment. One thread
 * a connection. Test: tests/integration/test_store.py. */
#ifndef LOY_ADAPTERS_PG_CONNECT_H
#define LOY_ADAPTERS_PG_CONNECT_H

#include "base/err.h"

#include <libpq-fe.h>

enum { LOY_PG_CONNECT_TIMEOUT_S = 10 };

/* CONFIG when libpq cannot read it. The sentence never quotes it: it may hold a password. */
LOY_MUST_USE enum loy_err loy_pg_check_conninfo(const char *conninfo, struct loy_error *error);

/* Starts connecting, to be followed by PQconnectPoll; NULL only without memory. The caller PQfinishes it. */
PGconn *loy_pg_connect_start(const char *conninfo);

/* Connects and waits for it. With libpq's own sentence: CONFIG when the server refuses the login (a wrong password, an
 * unknown role, no such line in pg_hba.conf), UNAVAILABLE for everything else. The caller PQfinishes *ret_conn. */
LOY_MUST_USE enum loy_err loy_pg_connect(const char *conninfo, PGconn **ret_conn, struct loy_error *error);

/* libpq's message without its line ends, cut to fit. */
void loy_pg_message(const char *message, char *ret_text, size_t size);

#endif
