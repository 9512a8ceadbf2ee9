/* Store port: the ledger. Submit and complete, never block; one request at a time.
 *
 * What a commit means, and which guard protects what, is DESIGN's "life of a batch", repeated in docs/architecture.md.
 * Implementations: adapters/pg (real), tests/sim (simulated); one contract test for both. One thread. Everything a
 * request points to is borrowed until its result was polled; what a result points to is borrowed until the next submit.
 */
#ifndef LOY_PORTS_STORE_H
#define LOY_PORTS_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Outcomes of an input record: invariant I1. Order and number are those of partition.outcome_totals.  symbol, name */
#define LOY_OUTCOMES(X)                                                                                                \
    X(APPLIED, "applied")                                                                                              \
    X(DUPLICATE, "duplicate")                                                                                          \
    X(IGNORED, "ignored")                                                                                              \
    X(FORWARDED, "forwarded")                                                                                          \
    X(REJECTED, "rejected")                                                                                            \
    X(GAP, "gap")

enum loy_outcome {
#define LOY_OUTCOME_ENUM(symbol, name) LOY_OUTCOME_##symbol,
    LOY_OUTCOMES(LOY_OUTCOME_ENUM)
#undef LOY_OUTCOME_ENUM
        LOY_OUTCOME_COUNT
};

enum {
    LOY_TOPICS_MAX = 16,
    LOY_STORE_WALLETS_MAX = 8,
    LOY_STOP_AFTER_ALONE = 3, /* workers that one record stopped alone: its partition stops */
};

/* --- acquire ---------------------------------------------------------------------------------------------------- */

/* Row `partition`. */
struct loy_partition {
    int32_t k;
    int64_t epoch;
    int32_t attempts; /* acquires since the offsets last moved that were not released; this one included */
    int64_t next_offset[LOY_TOPICS_MAX];
    int64_t totals[LOY_TOPICS_MAX][LOY_OUTCOME_COUNT];
    int64_t outbox_seq; /* the last row's number; 0: none yet */
    int32_t next_n;     /* the next account's number */
    /* Workers that one record stopped while it was worked alone; negative: an operator skips it; 0: there is none. */
    int32_t alone;
    int32_t alone_topic;  /* which record */
    int64_t alone_offset; /* 0 again when the offset of its topic is past it */
};

struct loy_outbox_row {
    int32_t k;
    int64_t seq;
    struct loy_str payload; /* messages of one batch, as worker/outbox.h packs them */
};

/* Takes the partitions over: raises each epoch, ends whoever holds their rows, reads offsets and untrimmed outbox. */
struct loy_store_acquire {
    const int32_t *ks; /* ascending */
    uint32_t count;
    struct loy_str owner; /* for people: host, process, thread */
};

/* --- release ---------------------------------------------------------------------------------------------------- */

/* Gives partitions back in good order: what is counted in `attempts` is then the owners that ended without. Rows of
 * another epoch are left as they are; nothing depends on it, so it may be lost. */
struct loy_store_release {
    const int32_t *ks; /* ascending */
    const int64_t *epochs;
    uint32_t count;
};

/* --- mark ------------------------------------------------------------------------------------------------------- */

/* Writes down, before it is worked alone, which record may be the end of this worker. Fenced by the epoch, as a commit
 * is (guard PARTITION). Sets values and counts nothing, so it may be repeated after an outage. */
struct loy_store_mark {
    int32_t k;
    int64_t epoch;
    int32_t alone; /* as it is to stand, with the record */
    int32_t topic;
    int64_t offset;
};

/* --- load ------------------------------------------------------------------------------------------------------- */

struct loy_account_key {
    int32_t k;
    struct loy_str member_id;
};

struct loy_member_row {
    int32_t k;
    int32_t n;
    struct loy_str member_id;
    int64_t seq;
    int64_t version;
    struct loy_digest digest; /* of all the others: loy_account_digest */
    struct loy_str state;
};

/* Row `counter`: a budget's use by all members. */
struct loy_counter_row {
    int32_t id;
    int64_t used;
};

/* Either may be empty, not both. */
struct loy_store_load {
    const struct loy_account_key *keys;
    uint32_t count;
    const int32_t *counters; /* ids, ascending */
    uint32_t counter_count;
};

/* --- find: journal rows that a violated guard pointed to ---------------------------------------------------------- */

struct loy_journal_key {
    int32_t k;
    int32_t n;
    struct loy_digest event_key;
};

struct loy_journal_found {
    struct loy_journal_key key;
    struct loy_str event; /* the encoded event that stands there */
};

struct loy_store_find {
    const struct loy_journal_key *keys;
    uint32_t count;
};

/* --- commit ----------------------------------------------------------------------------------------------------- */

/* What a batch does to one partition's row. Fenced by epoch, next_offset, outbox_seq and next_n as they were read. */
struct loy_partition_write {
    int32_t k;
    int64_t epoch;
    int64_t old_next_offset[LOY_TOPICS_MAX];
    int64_t new_next_offset[LOY_TOPICS_MAX];
    int64_t add_totals[LOY_TOPICS_MAX][LOY_OUTCOME_COUNT];
    int64_t old_outbox_seq;
    int64_t new_outbox_seq;
    int32_t old_next_n;
    int32_t new_next_n;
    int64_t trim_through; /* outbox rows up to this seq were acknowledged: delete them; 0: none */
};

struct loy_journal_entry {
    int16_t kind;
    int16_t wallet;
    int64_t amount;
    int32_t lot;
    int32_t rule;
    int32_t funder;
};

struct loy_journal_row {
    struct loy_journal_key key;
    int64_t seq;
    int64_t version; /* after the event */
    struct loy_position_in {
        int16_t topic;
        int32_t partition;
        int64_t offset;
    } from; /* where the record came in first: before forwarding */
    int64_t arrival_us;
    int64_t occurred_at_us;
    int32_t revision;
    int16_t engine;
    int16_t kind;           /* enum loy_event_kind */
    int16_t applied;        /* enum loy_applied */
    struct loy_str subject; /* order id …; empty: none */
    const struct loy_journal_entry *entries;
    uint32_t entry_count;
    struct loy_str event;
    struct loy_str trace;
};

struct loy_member_write {
    struct loy_member_row row; /* as it is to stand */
    bool is_new;
    int64_t old_seq; /* what was read: the guard; not for new ones */
    struct loy_digest old_digest;
    uint16_t wallet_count;
    int64_t available[LOY_STORE_WALLETS_MAX];
    int64_t pending[LOY_STORE_WALLETS_MAX];
    int64_t reserved[LOY_STORE_WALLETS_MAX];
};

/* An account that was read and not written: must still be what was read. */
struct loy_member_read {
    int32_t k;
    int32_t n;
    int64_t seq;
    struct loy_digest digest;
};

struct loy_due_write {
    int32_t k;
    int32_t n;
    int64_t at_us; /* INT64_MAX: nothing is due any more */
    bool is_new;   /* the account is enrolled by this commit: no row of it stands there */
};

/* What a batch takes from a counter. Guard COUNTER: `used` must not be above at_most, which keeps every decision of the
 * batch what it is; then the points are added. The last statements of a commit, rows locked in the order of ids. */
struct loy_counter_charge {
    int32_t id;
    int64_t points; /* >= 0 */
    int64_t at_most;
};

struct loy_store_commit {
    /* The newest revision that was known: no newer one may be in force for `newest_moment_us`, the latest moment that a
     * revision was chosen for; 0: nothing was decided. */
    int32_t revision;
    int64_t newest_moment_us;
    const struct loy_partition_write *partitions; /* ascending by k */
    uint32_t partition_count;
    const struct loy_journal_row *journal; /* any order; the adapter sorts where that helps */
    uint32_t journal_count;
    const struct loy_member_write *members;
    uint32_t member_count;
    const struct loy_member_read *reads;
    uint32_t read_count;
    const struct loy_due_write *due;
    uint32_t due_count;
    const struct loy_outbox_row *outbox; /* at most one a partition; seq = its new_outbox_seq */
    uint32_t outbox_count;
    const struct loy_counter_charge *charges; /* ascending by id, one row a counter */
    uint32_t charge_count;
};

/* --- due, for the scheduler --------------------------------------------------------------------------------------- */

struct loy_due_row {
    int32_t k;
    struct loy_str member_id;
    int64_t at_us;
};

struct loy_store_due {
    int64_t until_us;
    uint32_t limit;
};

/* --- requests and results ------------------------------------------------------------------------------------------
 */

/* Which condition of a commit did not hold.  symbol, name (logs, metrics) */
#define LOY_GUARDS(X)                                                                                                  \
    X(NONE, "none")                                                                                                    \
    X(PARTITION, "partition") /* another owner, or offsets not as expected: acquire again */                           \
    X(REVISION, "revision")   /* a newer revision is in force: load it, decide again */                                \
    X(JOURNAL, "journal")     /* an event key stands there already: find, mark, decide again */                        \
    X(MEMBER, "member")       /* an account is not what was read, or enrolled meanwhile: drop caches, decide again */  \
    X(COUNTER, "counter")     /* a budget was used more than the decisions allow for: read it, decide again */

enum loy_guard {
#define LOY_GUARD_ENUM(symbol, name) LOY_GUARD_##symbol,
    LOY_GUARDS(LOY_GUARD_ENUM)
#undef LOY_GUARD_ENUM
};

enum loy_store_status {
    LOY_STORE_DONE,
    LOY_STORE_GUARD,  /* `guard` says which; nothing was written */
    LOY_STORE_OUTAGE, /* nothing was written, or (commit_unknown) nobody knows: acquire again before deciding anything
                       */
    LOY_STORE_POISON, /* the data of this request is refused (SQLSTATE 22, 23 outside a guard); nothing was written */
    LOY_STORE_FATAL,  /* anything else: stop the process */
};

enum loy_store_request_kind {
    LOY_STORE_ACQUIRE,
    LOY_STORE_LOAD,
    LOY_STORE_FIND,
    LOY_STORE_COMMIT,
    LOY_STORE_DUE,
    LOY_STORE_MARK,
    LOY_STORE_RELEASE,
};

struct loy_store_request {
    enum loy_store_request_kind kind;
    union {
        struct loy_store_acquire acquire;
        struct loy_store_load load;
        struct loy_store_find find;
        struct loy_store_commit commit;
        struct loy_store_due due;
        struct loy_store_mark mark;
        struct loy_store_release release;
    };
};

struct loy_store_result {
    enum loy_store_status status;
    enum loy_guard guard;
    bool commit_unknown;
    struct loy_error error; /* for the log; not for DONE */
    char sqlstate[6];
    const struct loy_partition *partitions; /* acquire: one for each k asked, same order */
    uint32_t partition_count;
    const struct loy_outbox_row *outbox; /* acquire: by k, seq */
    uint32_t outbox_count;
    const struct loy_member_row *members; /* load: those that exist, any order */
    uint32_t member_count;
    const struct loy_counter_row *counters; /* load: those that exist, any order */
    uint32_t counter_count;
    const struct loy_journal_found *found; /* find: those that exist, any order */
    uint32_t found_count;
    const struct loy_due_row *due; /* due: earliest first */
    uint32_t due_count;
};

struct loy_store {
    /* LOY_OK, or LOY_ERR_AGAIN while a request is under way. Connects by itself; an outage is a result. */
    enum loy_err (*submit)(void *self, const struct loy_store_request *request);
    /* True when the result of the request is there. Never blocks. */
    bool (*poll)(void *self, struct loy_store_result *ret_result);
    /* For poll(2): the descriptor and the events (POLLIN, POLLOUT) to wait for now; fd -1: nothing to wait for. */
    void (*wait_on)(void *self, int *ret_fd, short *ret_events);
    void *self;
};

#endif
