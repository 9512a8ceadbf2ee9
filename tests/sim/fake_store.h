/* Fake store: the ledger's tables in memory, and connections to them that break as real ones do.
 *
 * struct fake_db is the server: it outlives its clients, and what they submitted. struct fake_store is one client's
 * connection and implements ports/store.h. A transaction checks its guards in the adapter's order (partition, revision,
 * journal, member, reads, counter) and writes all or nothing. A client that dies leaves its transaction behind: it
 * executes later, or an acquire ends it. Tables are open for checks. One thread. Tests: tests/unit/test_fakes.c,
 * tests/contract/. */
#ifndef LOY_TESTS_SIM_FAKE_STORE_H
#define LOY_TESTS_SIM_FAKE_STORE_H

#include "ports/store.h"
#include "sim/world.h"

enum { FAKE_OUTBOX_MAX = 256, FAKE_REVISIONS_MAX = 8, FAKE_COUNTERS_MAX = 8 };

/* Rows of table `partition` with what hangs on them. */
struct fake_partition {
    struct loy_partition row;
    int64_t start_offset[LOY_TOPICS_MAX];
    char owner[64];
    struct loy_outbox_row outbox[FAKE_OUTBOX_MAX]; /* by seq */
    uint32_t outbox_count;
};

struct fake_member {
    struct loy_member_write write; /* the row and its balances, as last written */
    int64_t due_at_us;             /* INT64_MAX: no row in `due` */
};

struct fake_revision {
    int32_t number;
    int64_t from_us;
};

struct fake_transaction;

struct fake_db {
    struct sim_world *world;
    uint16_t topic_count;
    int32_t partition_count;
    struct fake_partition *partitions;
    struct loy_journal_row *journal;
    uint32_t journal_count, journal_capacity;
    uint32_t *journal_known; /* of each row: how many revisions stood there when it was committed */
    struct sim_map journal_keys;
    struct fake_member *members;
    uint32_t member_count, member_capacity;
    struct sim_map member_ids;
    struct sim_map member_numbers; /* (k, n) */
    struct fake_revision revisions[FAKE_REVISIONS_MAX];
    uint32_t revision_count;
    struct loy_counter_row counters[FAKE_COUNTERS_MAX];
    uint32_t counter_count;
    struct fake_transaction *transactions; /* under way, in order of submission */
    struct loy_str poison;                 /* an event that contains it cannot be stored; empty: none */
    uint64_t stale_commits;                /* that stand though a newer owner had acquired: none, ever */
    bool down;
    bool silent;           /* requests vanish, and their clients give up after SILENCE_US */
    bool refuses_bad_text; /* U+0000 and broken UTF-8 are poison, as in PostgreSQL */
};

void fake_db_init(struct fake_db *db, struct sim_world *world, uint16_t topic_count, int32_t partitions);
void fake_db_fini(struct fake_db *db);
/* Publishes the next programme revision, between two commits. */
void fake_db_publish(struct fake_db *db, int64_t from_us);
/* Executes what is due by the world's time. */
void fake_db_run(struct fake_db *db);
/* When something is next to happen; INT64_MAX: nothing. */
int64_t fake_db_next_us(const struct fake_db *db);
/* The row; NULL when there is none. */
const struct fake_member *fake_db_member(const struct fake_db *db, struct loy_str member_id);
struct loy_counter_row *fake_db_counter(struct fake_db *db, int32_t id);
const struct loy_journal_row *fake_db_journal(const struct fake_db *db, const struct loy_journal_key *key);

struct fake_store {
    struct fake_db *db;
    const char *name; /* in the trace */
    struct fake_transaction *pending;
    struct fake_transaction *answered; /* owns what the last result points to */
};

void fake_store_init(struct fake_store *store, struct fake_db *db, const char *name);
/* Closes in good order: what is under way is given up. */
void fake_store_fini(struct fake_store *store);
/* The client is gone; what it submitted lives on in the server. */
void fake_store_kill(struct fake_store *store);
/* Stops the client inside the transaction under way, which holds its rows until somebody ends it. */
void fake_store_stall(struct fake_store *store);
struct loy_store fake_store_port(struct fake_store *store);

/* For fake_db.c and fake_store.c only. */
struct fake_transaction {
    struct fake_transaction *next;
    struct fake_db *db;
    struct loy_store_request request; /* a copy in pool */
    struct loy_store_result result;   /* in pool */
    struct sim_pool pool;
    const char *name;
    bool owned;       /* a client still waits for the result */
    bool client_died; /* as opposed to: the client gave up */
    bool executed;
    bool waited_for_lock;
    bool reply_lost;  /* the client learns nothing of what it executed */
    bool holds_locks; /* stalled in the middle */
    int64_t execute_at_us;
    int64_t stalled_until_us;
    int64_t reply_at_us;
};

/* Fills t->result; writes all or nothing. */
void fake_db_execute(struct fake_db *db, struct fake_transaction *t);
void fake_transaction_free(struct fake_transaction *t);

#endif
