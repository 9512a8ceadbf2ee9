/* Statements of the store, one row each, and what a failure of each means.
 *
 * Which statement failed decides the guard; the SQLSTATE decides the rest (classes as in ports/store.h). Pure; any
 * thread. Test: tests/unit/test_pg_statements.c. */
#ifndef LOY_ADAPTERS_PG_STATEMENTS_H
#define LOY_ADAPTERS_PG_STATEMENTS_H

#include "ports/store.h"

#include <stdbool.h>

/*  symbol, name (in errors), guard, SQLSTATE that breaks the guard, text.  In the order of a commit, whose statements
 * are functions of the database (migrations/): what it plans once stays planned. */
#define LOY_PG_STATEMENTS(X)                                                                                           \
    X(BEGIN, "begin", NONE, "", "BEGIN ISOLATION LEVEL READ COMMITTED")                                                \
    X(SETTINGS, "settings", NONE, "", "SELECT begin_batch()")                                                          \
    X(PARTITION, "partition", PARTITION, "22012", "SELECT move_partitions($1, $2, $3, $4, $5, $6, $7, $8, $9)")        \
    X(REVISION, "revision", REVISION, "22012", "SELECT must_hold(no_newer_revision($1, $2))")                          \
    X(JOURNAL, "journal", JOURNAL, "23505", "SELECT add_journal($1)")                                                  \
    X(MEMBER_UPDATE, "member", MEMBER, "22012",                                                                        \
      "SELECT change_members($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")                                      \
    X(MEMBER_INSERT, "new member", MEMBER, "23505", "SELECT add_members($1)")                                          \
    X(READS, "read member", MEMBER, "22012", "SELECT confirm_members($1, $2, $3, $4)")                                 \
    X(DUE_ADD, "new due", NONE, "", "SELECT add_due($1, $2, $3)")                                                      \
    X(DUE_PUT, "due", NONE, "", "SELECT put_due($1, $2, $3)")                                                          \
    X(DUE_DELETE, "due done", NONE, "", "SELECT end_due($1, $2)")                                                      \
    X(OUTBOX_TRIM, "outbox trim", NONE, "", "SELECT trim_outbox($1, $2)")                                              \
    X(OUTBOX_PUT, "outbox", NONE, "", "SELECT put_outbox($1, $2, $3)")                                                 \
    X(COUNTER, "counter", COUNTER, "22012", "SELECT charge_counters($1, $2, $3)")                                      \
    X(ACQUIRE, "acquire", NONE, "",                                                                                    \
      "SELECT k, epoch, attempts, next_offset, outcome_totals, outbox_seq, next_n, alone, alone_topic, alone_offset "  \
      "FROM acquire_partitions($1, $2)")                                                                               \
    X(ACQUIRE_OUTBOX, "acquire outbox", NONE, "",                                                                      \
      "SELECT o.k, o.seq, o.payload FROM outbox o WHERE o.k = ANY ($1) ORDER BY o.k, o.seq")                           \
    X(RELEASE, "release", NONE, "",                                                                                    \
      "WITH mine AS MATERIALIZED (SELECT p.k FROM unnest($1, $2) AS w(k, epoch) "                                      \
      "JOIN partition p ON p.k = w.k AND p.epoch = w.epoch ORDER BY p.k FOR UPDATE OF p) "                             \
      "UPDATE partition p SET attempts = p.attempts - 1 FROM mine WHERE p.k = mine.k AND p.attempts > 0")              \
    X(MARK, "mark", PARTITION, "22012",                                                                                \
      "WITH marked AS (UPDATE partition SET alone = $3, alone_topic = $4, alone_offset = $5 "                          \
      "WHERE k = $1 AND epoch = $2 RETURNING 1) SELECT must_hold(count(*) = 1) FROM marked")                           \
    X(LOAD, "load", NONE, "",                                                                                          \
      "SELECT m.k, m.n, m.member_id, m.seq, m.version, m.digest, m.state "                                             \
      "FROM unnest($1) AS w(member_id) JOIN member m ON m.member_id = w.member_id")                                    \
    X(LOAD_COUNTERS, "load of counters", NONE, "",                                                                     \
      "SELECT c.id, c.used FROM unnest($1) AS w(id) JOIN counter c ON c.id = w.id")                                    \
    X(FIND, "find", NONE, "",                                                                                          \
      "SELECT j.k, j.n, j.event_key, j.event FROM unnest($1, $2, $3) AS w(k, n, event_key) "                           \
      "JOIN journal j ON j.k = w.k AND j.n = w.n AND j.event_key = w.event_key")                                       \
    X(DUE_SCAN, "scan of due", NONE, "",                                                                               \
      "SELECT d.k, m.member_id, d.at FROM (SELECT k, n, at FROM due WHERE at <= $1 ORDER BY at LIMIT $2) d "           \
      "JOIN member m ON m.k = d.k AND m.n = d.n ORDER BY d.at, d.k, d.n")                                              \
    X(COMMIT, "commit", NONE, "", "COMMIT")                                                                            \
    X(ROLLBACK, "rollback", NONE, "", "ROLLBACK")                                                                      \
    X(TYPES, "types", NONE, "",                                                                                        \
      "SELECT 'journal'::regtype::oid, 'journal[]'::regtype::oid, 'entry'::regtype::oid, 'entry[]'::regtype::oid, "    \
      "'member'::regtype::oid, 'member[]'::regtype::oid")

enum loy_pg_statement {
#define LOY_PG_STATEMENT_ENUM(symbol, name, guard, broken, sql) LOY_PG_##symbol,
    LOY_PG_STATEMENTS(LOY_PG_STATEMENT_ENUM)
#undef LOY_PG_STATEMENT_ENUM
        LOY_PG_STATEMENT_COUNT
};

/* True for the functions of a commit: the session keeps them under their labels, parsed and planned once. */
bool loy_pg_statement_is_kept(enum loy_pg_statement statement);

/* A name that says the text: who finds it in a session that others had before runs what was meant. */
enum { LOY_PG_LABEL_SIZE = 16 };
void loy_pg_statement_label(enum loy_pg_statement statement, char ret_label[LOY_PG_LABEL_SIZE]);

/* True when a session did not keep what it was told to, or kept it for somebody else: a pooler's, docs/adr/0018. */
bool loy_pg_is_of_a_pooler(const char *sqlstate);

/* Borrowed constants. */
const char *loy_pg_statement_sql(enum loy_pg_statement statement);
const char *loy_pg_statement_name(enum loy_pg_statement statement);

/* What an error with this SQLSTATE (five characters, or "" when there was no reply) in this statement means, with
 * *ret_guard the guard that did not hold, or NONE. Never DONE. */
enum loy_store_status loy_pg_judge(enum loy_pg_statement statement, const char *sqlstate, enum loy_guard *ret_guard);

/* True when the connection is of no more use after this SQLSTATE: it is ending, or leads to a server that cannot write.
 */
bool loy_pg_ends_connection(const char *sqlstate);

#endif
