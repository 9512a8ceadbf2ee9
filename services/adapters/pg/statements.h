/* Statements of the store, one row each, and what a failure of each means.
 *
 * Which statement failed decides the guard; the SQLSTATE decides the rest (classes as in ports/store.h). Pure; any
 * thread. Test: tests/unit/test_pg_statements.c. */
#ifndef LOY_ADAPTERS_PG_STATEMENTS_H
#define LOY_ADAPTERS_PG_STATEMENTS_H

#include "ports/store.h"

#include <stdbool.h>

/* Nested loops through the primary keys are right for every batch, whatever the statistics say; a transaction that
 * waits for somebody else's lock gives up by itself even when its client is gone. SET LOCAL in one statement: nothing
 * stays in the session, so PgBouncer in transaction mode may hand it to anyone. */
#define LOY_PG_SET_LOCAL                                                                                               \
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), "                   \
    "set_config('enable_mergejoin', 'off', true), set_config('enable_bitmapscan', 'off', true), "                      \
    "set_config('jit', 'off', true), set_config('lock_timeout', '10s', true)"

/* Row i of a flattened parameter: 16 offsets and 16 × 6 totals a partition, of which the row's own topics count. */
#define LOY_PG_OFFSETS(parameter) "(" parameter ")[(w.i - 1) * 16 + 1 : (w.i - 1) * 16 + cardinality(p.next_offset)]"
#define LOY_PG_TOTALS(parameter) "(" parameter ")[(w.i - 1) * 96 + 1 : (w.i - 1) * 96 + cardinality(p.outcome_totals)]"

/* The member's balances in a flattened parameter, $12 wallets each. */
#define LOY_PG_BALANCES(parameter) "(" parameter ")[(w.i - 1) * $12 + 1 : w.i * $12]"

/*  symbol, name (in errors), guard, SQLSTATE that breaks the guard, text.  In the order of a commit. */
#define LOY_PG_STATEMENTS(X)                                                                                           \
    X(BEGIN, "begin", NONE, "", "BEGIN ISOLATION LEVEL READ COMMITTED")                                                \
    X(SETTINGS, "settings", NONE, "", LOY_PG_SET_LOCAL)                                                                \
    X(PARTITION, "partition", PARTITION, "22012",                                                                      \
      "WITH moved AS (UPDATE partition p SET next_offset = " LOY_PG_OFFSETS(                                           \
          "$8") ", "                                                                                                   \
                "attempts = CASE WHEN p.next_offset = " LOY_PG_OFFSETS(                                                \
                    "$8") " THEN p.attempts ELSE 0 END, "                                                              \
                          "alone = CASE WHEN ($8)[(w.i - 1) * 16 + 1 + p.alone_topic] > p.alone_offset THEN 0 ELSE "   \
                          "p.alone END, "                                                                              \
                          "outcome_totals = (SELECT array_agg(t.a + t.b ORDER BY t.o) FROM "                           \
                          "unnest(p.outcome_totals, " LOY_PG_TOTALS(                                                   \
                              "$9") ") WITH ORDINALITY AS t(a, b, o)), outbox_seq = w.new_outbox_seq, next_n = "       \
                                    "w.new_next_n "                                                                    \
                                    "FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY "                             \
                                    "AS w(k, epoch, old_outbox_seq, new_outbox_seq, old_next_n, new_next_n, i) "       \
                                    "WHERE p.k = w.k AND p.epoch = w.epoch AND p.next_offset = " LOY_PG_OFFSETS(       \
                                        "$7") " "                                                                      \
                                              "AND p.outbox_seq = w.old_outbox_seq AND p.next_n = w.old_next_n "       \
                                              "RETURNING 1) "                                                          \
                                              "SELECT must_hold(count(*) = cardinality($1)) FROM moved")               \
    X(REVISION, "revision", REVISION, "22012", "SELECT must_hold(no_newer_revision($1, $2))")                          \
    X(JOURNAL, "journal", JOURNAL, "23505", "INSERT INTO journal SELECT * FROM unnest($1)")                            \
    X(MEMBER_UPDATE, "member", MEMBER, "22012",                                                                        \
      "WITH changed AS (UPDATE member m SET seq = ($6)[w.i], version = ($7)[w.i], digest = ($8)[w.i], "                \
      "available = " LOY_PG_BALANCES("$9") ", pending = " LOY_PG_BALANCES(                                             \
          "$10") ", "                                                                                                  \
                 "reserved = " LOY_PG_BALANCES("$11") ", state = w.state "                                             \
                                                      "FROM unnest($1, $2, $3) WITH ORDINALITY AS w(k, n, state, i) "  \
                                                      "WHERE m.k = w.k AND m.n = w.n AND m.seq = ($4)[w.i] AND "       \
                                                      "m.digest = ($5)[w.i] RETURNING 1) "                             \
                                                      "SELECT must_hold(count(*) = cardinality($1)) FROM changed")     \
    X(MEMBER_INSERT, "new member", MEMBER, "23505", "INSERT INTO member SELECT * FROM unnest($1)")                     \
    X(READS, "read member", MEMBER, "22012",                                                                           \
      "SELECT must_hold(count(*) = cardinality($1)) FROM unnest($1, $2, $3, $4) AS r(k, n, seq, digest) "              \
      "JOIN member m ON m.k = r.k AND m.n = r.n AND m.seq = r.seq AND m.digest = r.digest")                            \
    X(DUE_PUT, "due", NONE, "",                                                                                        \
      "INSERT INTO due SELECT * FROM unnest($1, $2, $3) ON CONFLICT (k, n) DO UPDATE SET at = excluded.at")            \
    X(DUE_DELETE, "due done", NONE, "",                                                                                \
      "DELETE FROM due d USING unnest($1, $2) AS w(k, n) WHERE d.k = w.k AND d.n = w.n")                               \
    X(OUTBOX_TRIM, "outbox trim", NONE, "",                                                                            \
      "DELETE FROM outbox o USING unnest($1, $2) AS w(k, through) WHERE o.k = w.k AND o.seq <= w.through")             \
    X(OUTBOX_PUT, "outbox", NONE, "", "INSERT INTO outbox SELECT * FROM unnest($1, $2, $3)")                           \
    X(COUNTER, "counter", COUNTER, "22012",                                                                            \
      "WITH locked AS MATERIALIZED (SELECT c.id, c.used, w.points, w.at_most "                                         \
      "FROM unnest($1, $2, $3) AS w(id, points, at_most) JOIN counter c ON c.id = w.id ORDER BY c.id FOR UPDATE OF "   \
      "c), "                                                                                                           \
      "charged AS (UPDATE counter c SET used = l.used + l.points FROM locked l WHERE c.id = l.id AND l.points > 0) "   \
      "SELECT must_hold(count(*) = cardinality($1)) FROM locked WHERE used <= at_most")                                \
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
