/* pg: the store port over PostgreSQL, one connection that pipelines.
 *
 * A commit is one pipeline BEGIN … COMMIT of unnamed statements with binary arrays; see statements.h. An outage is a
 * result (and the next request connects again, with back-off): LOY_STORE_OUTAGE with commit_unknown when the COMMIT may
 * have been received and was not answered. While nothing can be waited for (wait_on gives -1: back-off, idle) call poll
 * by a timer; time-outs are noticed in poll as well. One thread. Test: tests/contract/contract_store.c. */
#ifndef LOY_ADAPTERS_PG_PG_H
#define LOY_ADAPTERS_PG_PG_H

#include "base/err.h"
#include "ports/store.h"

#include <stddef.h>
#include <stdint.h>

struct loy_pg;

struct loy_pg_options {
    const char *conninfo; /* libpq's: pairs, URI, name, or "" for its environment; copied */
    size_t arena_bytes;   /* for the largest statement and the rows of a result; 0: 64 MiB. Touched only as needed */
    uint32_t connect_timeout_ms;   /* 0: 10 000 */
    uint32_t statement_timeout_ms; /* from submit to the result, once connected; 0: 30 000 */
};

/* Does not connect yet. CONFIG when libpq cannot read the conninfo, NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_pg_new(const struct loy_pg_options *options, struct loy_pg **ret_pg,
                                     struct loy_error *error);
/* Closes the connection, whatever is under way. NULL is fine. */
void loy_pg_destroy(struct loy_pg *pg);

/* The port; valid as long as pg is. */
struct loy_store loy_pg_store(struct loy_pg *pg);

#endif
