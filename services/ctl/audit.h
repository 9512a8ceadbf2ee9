/* Audit: whether the ledger still is what DESIGN's invariants say, from one snapshot of the database.
 *
 * Written apart from what it checks: its own decoder of member states, its own sums in SQL.
 * Memory does not grow with the ledger: rows come through cursors, a partition at a time. One thread.
 * Test: tests/unit/test_ctl_audit.c, tests/integration/test_audit.py. */
#ifndef LOY_CTL_AUDIT_H
#define LOY_CTL_AUDIT_H

#include "adapters/kafka/kafka.h"
#include "adapters/pg/query.h"
#include "base/err.h"
#include "base/str.h"
#include "ports/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What is checked: the kinds of problems.   symbol, name, invariant, what must hold */
#define LOY_AUDIT_CHECKS(X)                                                                                            \
    X(INSTALLATION, "installation", "I1", "every partition has its row, with an element for each topic")               \
    X(OFFSETS, "offsets", "I1", "next offset = start offset + sum of the outcome totals, per partition and topic")     \
    X(TOTALS, "totals", "I1", "no outcome total is negative")                                                          \
    X(APPLIED, "applied", "I1", "a partition's journal has as many rows as its total of applied records")              \
    X(POSITION_TWICE, "position_twice", "I1", "no input position stands in two rows of the journal")                   \
    X(POSITION_UNREAD, "position_unread", "I1", "every position in the journal has been read, by its partition's row") \
    X(OUTBOX, "outbox", "I3", "outbox rows follow each other without gap up to the partition's outbox_seq")            \
    X(PLACE, "place", "I1", "a member's partition is murmur2(member_id) mod N")                                        \
    X(NUMBER, "number", "I1", "a member's number is below its partition's next_n")                                     \
    X(ORPHAN, "orphan", "I2", "every row of journal and due belongs to a member")                                      \
    X(STATE, "state", "I2", "a member's state is of a known format, in its one canonical form")                        \
    X(DIGEST, "digest", "I2", "a row's digest is that of its id, numbers and state")                                   \
    X(BALANCE_ENTRIES, "balance_entries", "I2", "balances in the columns = sums of the ledger's entries")              \
    X(BALANCE_STATE, "balance_state", "I2", "balances in the state = balances in the columns")                         \
    X(LOT_SUM, "lot_sum", "I2", "the lots' points, pending and available, add up to the balances")                     \
    X(LOT_ENTRIES, "lot_entries", "I2", "what is left of a lot = its entries; nothing is left of a lot that is gone")  \
    X(LOT_NUMBER, "lot_number", "I2", "lots and entries have numbers below the member's next lot")                     \
    X(ENTRY, "entry", "I2", "every entry is of a known kind and wallet, with an amount of the right sign")             \
    X(SEQ, "seq", "I3", "a member's journal is numbered 1, 2, 3 … up to member.seq")                                   \
    X(VERSION, "version", "I3", "versions are 1, 2, 3 … up to member.version, one for each event with entries")        \
    X(REVISION, "revision", "I4", "every decision names a revision that exists")                                       \
    X(CLOCK, "clock", "I4", "the account's clock is not before the arrival of its latest event")                       \
    X(DUE, "due", "I6", "the due row is the earliest moment at which time alone changes the account")                  \
    X(EXPIRED, "expired", "I6",                                                                                        \
      "no lot is left past its expiry, nor pending past its release, by the account's clock")                          \
    X(NEGATIVE, "negative", "I6", "no balance is negative")                                                            \
    X(COUNTER, "counter", "I6", "a counter = what the rules with its budget have granted")                             \
    X(BUDGET, "budget", "I6", "no counter is past the highest limit that its budget ever had")                         \
    X(UPDATES_GAP, "updates_gap", "I3", "published versions of a member follow each other without gap")                \
    X(UPDATES_AHEAD, "updates_ahead", "I3", "nothing is published that is not committed")                              \
    X(UPDATES_BEHIND, "updates_behind", "I3", "with an empty outbox everything committed has been published")          \
    X(BALANCES_TOPIC, "balances_topic", "I3", "the latest record of the topic of balances is the committed balance")   \
    X(TOPIC_RECORD, "topic_record", "I3", "records of the output topics are updates, under their member's key")

enum loy_audit_check {
#define LOY_AUDIT_ENUM(symbol, name, invariant, holds) LOY_AUDIT_##symbol,
    LOY_AUDIT_CHECKS(LOY_AUDIT_ENUM)
#undef LOY_AUDIT_ENUM
        LOY_AUDIT_CHECK_COUNT
};

struct loy_audit_row {
    const char *name, *invariant, *holds;
};
const struct loy_audit_row *loy_audit_row(enum loy_audit_check check);

/* A short text made on the spot: where something is, what was expected, what was found. */
struct loy_phrase {
    char text[224];
};
LOY_PRINTF(1, 2) struct loy_phrase loy_phrase(const char *format, ...);

struct loy_audit {
    struct loy_query *query;
    FILE *out;
    bool json;
    int64_t show; /* problems of each check to print */
    int64_t problems[LOY_AUDIT_CHECK_COUNT];
    int64_t printed;
    int64_t members, journal_rows, entries, lots, due_rows, outbox_rows, counters, messages;
    int64_t
        revisions_unread; /* that granted something and that this version cannot compile: counters are bounds only */
    int32_t partitions;   /* N, and its topics, as the installation row says */
    uint32_t topics;
    struct loy_partition *rows; /* partitions, by k; heap, until loy_audit_fini */
    bool *outbox_empty;         /* by k */
};

/* Reports one problem. */
void loy_audit_found(struct loy_audit *audit, enum loy_audit_check check, const struct loy_phrase *where,
                     const struct loy_phrase *expected, const struct loy_phrase *found);
int64_t loy_audit_problem_count(const struct loy_audit *audit);

/* The parts, inside one transaction; each leaves what it read in *audit. An error means that the audit could not be
 * done, not that something is wrong with the ledger. */
LOY_MUST_USE enum loy_err loy_audit_partitions(struct loy_audit *audit, struct loy_error *error);
LOY_MUST_USE enum loy_err loy_audit_positions(struct loy_audit *audit, struct loy_error *error);
LOY_MUST_USE enum loy_err loy_audit_members(struct loy_audit *audit, struct loy_error *error);
LOY_MUST_USE enum loy_err loy_audit_budgets(struct loy_audit *audit, struct loy_error *error);
/* What was published on an output topic. gapless: it holds every version, else each member's latest. after: a second
 * connection, which sees what was committed since the snapshot. */
LOY_MUST_USE enum loy_err loy_audit_topic(struct loy_audit *audit, struct loy_query *after,
                                          const struct loy_kafka_connection *connection, const char *topic,
                                          bool gapless, struct loy_error *error);

#endif
