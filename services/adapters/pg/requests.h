/* Requests of the store as pipelines of statements, and their rows as results.
 *
 * Sending copies everything into libpq's buffer, so a statement's parameters live in the arena only while it is being
 * sent. One thread. Test: tests/contract/contract_store.c. */
#ifndef LOY_ADAPTERS_PG_REQUESTS_H
#define LOY_ADAPTERS_PG_REQUESTS_H

#include "adapters/pg/statements.h"
#include "base/arena.h"
#include "base/err.h"
#include "ports/store.h"

#include <libpq-fe.h>
#include <stdint.h>

/* Types of our own: their numbers differ from database to database. */
struct loy_pg_types {
    Oid journal;
    Oid journal_array;
    Oid entry;
    Oid entry_array;
    Oid member;
    Oid member_array;
};

struct loy_pg_labels {
    char of[LOY_PG_STATEMENT_COUNT][LOY_PG_LABEL_SIZE];
};

struct loy_pg_params;

/* A pipeline that is being filled. */
struct loy_pg_pipe {
    PGconn *conn; /* borrowed, in pipeline mode, not blocking */
    struct loy_arena *arena;
    const struct loy_pg_types *types;
    const struct loy_pg_labels *labels;   /* of what the session keeps; NULL: it keeps nothing */
    uint8_t sent[LOY_PG_STATEMENT_COUNT]; /* enum loy_pg_statement, in the order of sending */
    unsigned sent_count;
};

/* One statement; params may be NULL. NO_MEMORY when they did not fit into the arena, UNAVAILABLE when libpq refused. */
LOY_MUST_USE enum loy_err loy_pg_send(struct loy_pg_pipe *pipe, enum loy_pg_statement statement,
                                      const struct loy_pg_params *params);

/* The statements of a request, between BEGIN and COMMIT; without the final sync. */
LOY_MUST_USE enum loy_err loy_pg_send_commit(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit);
LOY_MUST_USE enum loy_err loy_pg_send_acquire(struct loy_pg_pipe *pipe, const struct loy_store_acquire *acquire);
LOY_MUST_USE enum loy_err loy_pg_send_load(struct loy_pg_pipe *pipe, const struct loy_store_load *load);
LOY_MUST_USE enum loy_err loy_pg_send_find(struct loy_pg_pipe *pipe, const struct loy_store_find *find);
LOY_MUST_USE enum loy_err loy_pg_send_due(struct loy_pg_pipe *pipe, const struct loy_store_due *due);
LOY_MUST_USE enum loy_err loy_pg_send_release(struct loy_pg_pipe *pipe, const struct loy_store_release *release);
LOY_MUST_USE enum loy_err loy_pg_send_mark(struct loy_pg_pipe *pipe, const struct loy_store_mark *mark);

/* Rows of a statement's result into the arena; bytes stay the result's. CORRUPT with a sentence when they are not of
 * the expected shape. */
LOY_MUST_USE enum loy_err loy_pg_read_partitions(const PGresult *rows, struct loy_arena *arena,
                                                 struct loy_store_result *result);
LOY_MUST_USE enum loy_err loy_pg_read_outbox(const PGresult *rows, struct loy_arena *arena,
                                             struct loy_store_result *result);
LOY_MUST_USE enum loy_err loy_pg_read_members(const PGresult *rows, struct loy_arena *arena,
                                              struct loy_store_result *result);
LOY_MUST_USE enum loy_err loy_pg_read_counters(const PGresult *rows, struct loy_arena *arena,
                                               struct loy_store_result *result);
LOY_MUST_USE enum loy_err loy_pg_read_found(const PGresult *rows, struct loy_arena *arena,
                                            struct loy_store_result *result);
LOY_MUST_USE enum loy_err loy_pg_read_due(const PGresult *rows, struct loy_arena *arena,
                                          struct loy_store_result *result);
LOY_MUST_USE enum loy_err loy_pg_read_types(const PGresult *rows, struct loy_pg_types *ret_types);

#endif
