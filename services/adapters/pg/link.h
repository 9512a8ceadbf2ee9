/* Link: one connection of the store that comes up without blocking, and again after each loss.
 *
 * A failed attempt is reported once; the next one waits (50 ms, doubling to 1 s, with jitter). One thread.
 * Test: tests/contract/contract_store.c, tests/integration/test_store.py. */
#ifndef LOY_ADAPTERS_PG_LINK_H
#define LOY_ADAPTERS_PG_LINK_H

#include "adapters/pg/requests.h"
#include "base/err.h"
#include "runtime/backoff.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

enum loy_pg_link_state {
    LOY_PG_LINK_DOWN,       /* no connection; a new one not before not_before_us */
    LOY_PG_LINK_CONNECTING, /* PQconnectPoll wants `events` */
    LOY_PG_LINK_TYPES,      /* asked for the numbers of our types, and told what to keep */
    LOY_PG_LINK_READY,      /* in pipeline mode, not blocking */
};

struct loy_pg_link {
    enum loy_pg_link_state state;
    PGconn *conn;
    short events;
    bool types_read;
    int64_t not_before_us;
    int64_t deadline_us; /* of the attempt */
    int64_t connect_timeout_us;
    struct loy_backoff backoff;
    struct loy_pg_types types;
    bool keeps; /* until a session shows that it is a pooler's: statements that a commit repeats have labels */
    struct loy_pg_labels labels;
};

/* Down; connects at the first step. */
void loy_pg_link_init(struct loy_pg_link *link, int64_t connect_timeout_us, uint64_t seed);

/* Takes one step, and as many more as need no waiting. OK: look at `state`. UNAVAILABLE: this attempt failed and is
 * over. MISMATCH: connected, but our tables are not there. *error is filled then. */
LOY_MUST_USE enum loy_err loy_pg_link_step(struct loy_pg_link *link, const char *conninfo, int64_t now_us,
                                           struct loy_error *error);

/* Closes the connection; the next attempt waits only if `failed`. */
void loy_pg_link_drop(struct loy_pg_link *link, int64_t now_us, bool failed);

/* An idle connection on which the server said something has ended, or is about to: better replaced before use. */
bool loy_pg_link_is_stale(const struct loy_pg_link *link);

#endif
