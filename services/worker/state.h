/* State: what one worker thread remembers, shared by the files of this room and by nobody else.
 *
 * The steps of a batch are a file each, in the order in which they happen: intake, load, decide, duplicates, commit,
 * publish; ownership is about which partitions are ours. Test: tests/unit/test_worker_*.c, tests/sim/. */
#ifndef LOY_WORKER_STATE_H
#define LOY_WORKER_STATE_H

#include "base/table.h"
#include "engine/engine.h"
#include "engine/revisions.h"
#include "runtime/failpoint.h"
#include "runtime/log.h"
#include "runtime/region.h"
#include "worker/account_cache.h"
#include "worker/counters.h"
#include "worker/outbox.h"
#include "worker/recent.h"
#include "worker/worker.h"
#include "worker/worker_metrics.h"

#include <stdatomic.h>

enum {
    LOY_PUBLISH_MANY = 256,   /* messages of a row that are produced in one call */
    LOY_OUTBOX_ROWS_MAX = 64, /* unacknowledged rows of a partition; past it the partition pauses */
    LOY_OUTBOX_BYTES_MAX = 64 << 20,
    LOY_ALONE_AFTER_ATTEMPTS = 3, /* acquires at an unchanged offset: from then on, one record at a time */
    LOY_MARK_SPREAD_US = 1000000, /* over how long threads spread the marks of records that were marked before */
    LOY_LOOK_US = 5000000,        /* how soon it is noticed what an operator does about a stopped partition */
    LOY_FILL_US = 5000,           /* a batch waits for more records no longer than this */
    LOY_CACHE_TURN_US = 5000,     /* how soon a cache's time-out is noticed */
    LOY_TRIM_IDLE_US = 500000,    /* acknowledged outbox rows of an idle partition are deleted after this */
    LOY_REVOKE_WAIT_US = 3000000, /* how long a revoked partition waits for the reply of its commit */
    LOY_STOP_WAIT_US = 8000000,   /* how long a stop waits for the batch under way and its delivery */
    LOY_RETRY_MIN_US = 50000,
    LOY_RETRY_MAX_US = 2000000,   /* an outage that ends is noticed this soon, whatever it was */
    LOY_GUARD_MISSES_MAX = 8,     /* decisions of one batch, whatever made them necessary but a budget */
    LOY_COLLISIONS_HALVE = 4,     /* on a budget: from then on a batch is decided in halves */
    LOY_COLLISIONS_MAX = 64,      /* of one batch: others cannot have been faster so often */
    LOY_COLLISION_MIN_US = 1000,  /* the longest wait after the first one; twice as long after each of the next seven */
    LOY_THROTTLE_US = 500000,     /* a full batch that cannot go on for so long pauses the input */
    LOY_SAY_AGAIN_US = 10000000,  /* an outage is said once, then no more often than this */
    LOY_REVISION_TURN_US = 50000, /* how soon it is noticed that a newer revision was loaded */
    LOY_BATCH_KEEP = 8 << 20,     /* memory of a batch that is kept for the next one */
    LOY_SCRATCH_KEEP = 1 << 20,   /* and of an event's decision */
    LOY_TURN_EVENTS_MAX = 8192,   /* bus events a turn */
};

/* --- a batch --------------------------------------------------------------------------------------------------------
 */

/* One record on its way to an outcome. A batch of thousands is passed through about ten times, so what most passes
 * look at stands in the first two cache lines, and the event, read in two of them, at the end. */
struct loy_item {
    struct loy_position at; /* where we read it */
    int64_t arrival_us;
    enum loy_outcome outcome;
    int32_t slot;                                    /* the account; -1: none */
    uint32_t member_hash;                            /* loy_murmur2 of the member's id */
    uint8_t identity[4 + sizeof(struct loy_digest)]; /* slot and event key: what is unique in the batch */
    bool undecoded;                                  /* until it is its turn: it may be the end of this worker */
    bool settled;                                    /* the outcome stands, whatever is decided again */
    bool enrolled;
    int64_t seq, version;
    const struct loy_programme *programme; /* the revision that decided it */
    struct loy_str trace;                  /* applied: as the journal keeps it */
    struct loy_str update;      /* the encoded balance update, when it changed something; or the answer to a preview */
    struct loy_effects effects; /* applied; without its rules, of which `trace` tells */
    const char *detail;         /* stable name of what the outcome means; borrowed constant */
    const char *reason;         /* rejected: the sentence; in the arena */
    enum loy_err error;         /* rejected: why */
    struct loy_position origin; /* where it came in first: not `at` when it was forwarded */
    struct loy_record record;   /* a copy: dead letters and forwards carry it untouched */
    struct loy_event event;
};

/* Where the batch keeps the elements of an account's array; it has room for so many. */
struct loy_kept {
    void *at;
    size_t room;
};

/* An account in the batch. What most passes look at comes first, as in an item. */
struct loy_slot {
    struct loy_str member_id;
    uint32_t member_hash; /* loy_murmur2 of it */
    int32_t k;
    bool exists;          /* in the store, as far as we know */
    bool opened;          /* `account` is what was loaded, or more */
    bool written;         /* at least one event was applied */
    int32_t changed_by;   /* the last item that changed its balance; -1: none */
    int32_t applied_by;   /* the last item that was applied, when written */
    struct loy_str state; /* encoded, when written */
    struct loy_digest digest;
    int64_t due_before_us;
    struct loy_member_row read; /* what was read */
    struct loy_account account; /* as decided so far */
    struct loy_kept lots, days, counters, traits;
};

/* What a batch does to one partition. */
struct loy_span {
    int32_t k;
    int64_t next_offset[LOY_TOPICS_MAX];
    int64_t gaps[LOY_TOPICS_MAX];
    int32_t next_n;
    struct loy_buf outbox;
    bool has_outbox;
    size_t outbox_bytes; /* that its messages are expected to take */
};

enum loy_batch_phase {
    LOY_BATCH_FILLING,
    LOY_BATCH_READY,    /* to be loaded */
    LOY_BATCH_MARK,     /* waiting for the mark of its record: alone.c */
    LOY_BATCH_CACHE,    /* waiting for Redis */
    LOY_BATCH_LOAD,     /* waiting for PostgreSQL's members */
    LOY_BATCH_DECIDE,   /* everything is there */
    LOY_BATCH_COMMIT,   /* waiting for the commit */
    LOY_BATCH_FIND,     /* waiting for the journal's rows of repeated events */
    LOY_BATCH_REVISION, /* waiting for a newer revision to be loaded */
    LOY_BATCH_DROPPED,  /* its reply still comes, and what was asked lies in its arena until then */
};

struct loy_batch {
    struct loy_region region;
    struct loy_arena arena; /* over the region */
    enum loy_batch_phase phase;
    struct loy_item *items;
    uint32_t count;
    uint32_t capacity;
    int64_t first_us; /* monotonic: when the first record came */
    struct loy_span *spans;
    uint32_t span_count;
    struct loy_table slot_table;
    struct loy_slot *slots;
    uint32_t slot_count;
    struct loy_account_key *missing; /* slots to load */
    uint32_t missing_count;
    bool skip_caches;             /* a member guard failed: PostgreSQL only */
    struct loy_arena_mark loaded; /* what a new decision starts from */
    bool alone;                   /* its record is of a suspected partition */
    bool identified;              /* its items' identities stand */
    bool expecting;               /* the journal is asked for events that came lately, no guard having fired */
    uint32_t misses;
    const struct loy_revisions *revisions; /* those that were known when it was decided */
    int64_t newest_moment_us;              /* the latest that a revision was chosen for; INT64_MIN: none was */
    uint32_t collisions;                   /* with others on a budget */
    struct loy_store_request request;
    int64_t submitted_us;
};

/* --- what we own ----------------------------------------------------------------------------------------------------
 */

/* A committed outbox row that the broker has not acknowledged whole. From the heap: it outlives its batch. */
struct loy_outgoing {
    struct loy_outgoing *next;      /* of all, in the order of commits */
    struct loy_outgoing *next_of_k; /* of the same partition */
    int32_t k;
    int64_t seq;
    int64_t added_us;                /* monotonic: when it was committed, or read back */
    struct loy_outbox_reader reader; /* what is to be produced next */
    uint32_t produced;
    uint32_t acknowledged;
    bool finished; /* everything was produced */
    size_t len;
    char payload[];
};

struct loy_owned {
    bool held;      /* acquired: its records are worked */
    bool stopped;   /* by a record that stopped three workers: not read until an operator looked */
    int32_t marked; /* row.alone, when the last mark is of this worker; 0: not so */
    int64_t mark_after_us;
    bool cautious;                     /* acquired so often that its records may be what stopped others */
    bool deferred;                     /* a record of it was sought back, to come again alone */
    struct loy_partition row;          /* as it stands in PostgreSQL */
    int64_t read_next[LOY_TOPICS_MAX]; /* the next offset to come from the bus */
    int64_t hole_from[LOY_TOPICS_MAX]; /* offsets that were missing and sought back for once; -1: none */
    int64_t hole_until[LOY_TOPICS_MAX];
    int64_t alone_until[LOY_TOPICS_MAX]; /* one of the records before it was refused by PostgreSQL; 0: none */
    bool drained[LOY_TOPICS_MAX];
    bool ticks_paused;
    bool full; /* paused: the outbox is not acknowledged */
    struct loy_outgoing *outgoing_first, *outgoing_last;
    uint32_t outgoing_rows;
    size_t outgoing_bytes;
    int64_t acknowledged_through; /* outbox rows that may be trimmed */
    int64_t trimmed_through;
    int64_t acknowledged_us;
};

enum loy_asked {
    LOY_ASKED_NOTHING,
    LOY_ASKED_ACQUIRE,
    LOY_ASKED_BATCH,
    LOY_ASKED_TRIM,
    LOY_ASKED_LOOK,
    LOY_ASKED_RELEASE
};

struct loy_worker {
    struct loy_worker_config config;
    struct loy_programmes programmes;
    struct loy_bus bus;
    struct loy_store store;
    struct loy_cache cache;
    bool has_cache;
    struct loy_clock clock;
    struct loy_worker_metrics *metrics;
    uint16_t internal_topic, tick_topic; /* places in config.topics */

    enum loy_worker_state state;
    struct loy_error error;
    int64_t stop_us; /* when the stop was asked for */

    struct loy_owned *owned; /* by k */
    int32_t *assigned;       /* what the group gave us, ascending */
    uint32_t assigned_count;
    bool acquire_wanted;  /* assigned is to be acquired, whole */
    bool assigned_to_bus; /* assign() was called for it: seek from now on */
    bool revoke_wanted;   /* answer revoke_done as soon as nothing is under way */
    int64_t revoke_us;
    int32_t *release_ks; /* what is to be given back in good order, with its epochs */
    int64_t *release_epochs;
    uint32_t release_count;
    bool has_released; /* before a stop */

    enum loy_asked asked;
    bool abandoned;         /* the reply under way is of a batch that was dropped */
    int64_t retry_us;       /* not before: after an outage */
    int64_t retry_delay_us; /* 0: all is well */
    struct loy_batch batches[2];
    struct loy_batch *current; /* being worked */
    struct loy_batch *filling; /* being read */
    int64_t wall_us;           /* the wall clock, as it was looked at last for arrivals */
    uint32_t target;           /* records of a batch, growing with the backlog */
    uint32_t alone;            /* so many records more are worked one at a time */
    bool suspects;             /* a partition has records before its alone_until: one at a time until they are done */
    int64_t look_us;           /* when to look at a stopped partition again */
    uint32_t look_next;        /* at which of the assigned */
    uint32_t deferred;         /* of the partitions we hold */
    bool throttled;            /* the input is paused: the store keeps us waiting */
    int64_t room_us;           /* when the filling batch last had room */
    struct loy_log_repeat outage_said, revision_said;
    struct loy_region small_region;
    struct loy_arena small; /* requests that are no batch: acquire, trim */
    struct loy_region scratch_region;
    struct loy_arena scratch; /* emptied before each event is decoded and before it is decided */

    struct loy_account_cache *accounts;
    struct loy_recent *recent;
    struct loy_counters *counters;
    struct loy_outgoing *outgoing_first, *outgoing_last, *outgoing_next; /* next: to be produced */
    struct loy_partition_write *trim_writes;                             /* of the trim under way, in `small` */
    uint32_t trim_count;
};

/* --- the steps ------------------------------------------------------------------------------------------------------
 */

/* Every step returns LOY_OK or the error that ends the worker, described in worker->error. */
#define STEP LOY_MUST_USE enum loy_err

/* intake.c: what the bus says */
STEP loy_intake_take(struct loy_worker *worker, bool *ret_progress);
void loy_batch_start(struct loy_worker *worker, struct loy_batch *batch);
struct loy_span *loy_batch_span(struct loy_worker *worker, struct loy_batch *batch, int32_t k);

/* Decodes what waited for its turn. */
STEP loy_intake_decode(struct loy_worker *worker, struct loy_batch *batch);

/* alone.c: records that may be the end of a worker */
void loy_alone_hold(struct loy_worker *worker, struct loy_owned *owned, const struct loy_owned *before);
/* Its records are to be alone in their batch. */
bool loy_alone_wanted(const struct loy_owned *owned);
/* One record a batch, now. */
bool loy_alone_is_on(const struct loy_worker *worker, const struct loy_batch *batch);
/* A record of a suspected partition that cannot be alone in this batch: it comes again. */
STEP loy_alone_defer(struct loy_worker *worker, struct loy_owned *owned, struct loy_position at);
/* A record goes into the batch. */
void loy_alone_taken(struct loy_worker *worker, struct loy_batch *batch, struct loy_owned *owned);
bool loy_alone_is_skipped(const struct loy_owned *owned, const struct loy_position *at);
/* Begins the batch: with a mark, a while later, or with what is next. */
STEP loy_alone_start(struct loy_worker *worker, struct loy_batch *batch);
void loy_alone_marked(struct loy_worker *worker, struct loy_batch *batch);
/* The partition's offsets moved. */
void loy_alone_moved(struct loy_owned *owned);
/* Asks whether the epoch of a stopped partition is still ours: an operator raises it. */
void loy_alone_look(struct loy_worker *worker, bool *ret_progress);

/* ownership.c: which partitions are ours */
STEP loy_ownership_event(struct loy_worker *worker, const struct loy_bus_event *event);
STEP loy_ownership_step(struct loy_worker *worker, bool *ret_progress);
STEP loy_ownership_acquired(struct loy_worker *worker, const struct loy_store_result *result);
/* Before a stop: true while partitions are still to be given back. */
bool loy_ownership_release(struct loy_worker *worker);
/* Something is not as we believed: drop the batches, read everything back, go on from there. */
void loy_ownership_reset(struct loy_worker *worker);
/* Reads again from where PostgreSQL stands, which is as we believed. */
STEP loy_ownership_rewind(struct loy_worker *worker);
/* Looks again whether a record that was refused is still to come. */
void loy_ownership_suspect(struct loy_worker *worker);
void loy_ownership_drained(struct loy_worker *worker, int32_t k);

/* load.c: accounts from the thread's cache, Redis, PostgreSQL */
STEP loy_load_start(struct loy_worker *worker, struct loy_batch *batch);
STEP loy_load_from_cache(struct loy_worker *worker, struct loy_batch *batch);
STEP loy_load_from_store(struct loy_worker *worker, struct loy_batch *batch, const struct loy_store_result *result);
/* The thread's cache is about to be asked for the accounts of the batch, of which it is at the one at `at`. */
void loy_load_expect(const struct loy_worker *worker, const struct loy_batch *batch, uint32_t at);
/* The caches lied: everything again from PostgreSQL. */
void loy_load_again(struct loy_worker *worker, struct loy_batch *batch);
/* Budgets are wanted: these alone, then the batch is decided again. */
void loy_load_counters(struct loy_worker *worker, struct loy_batch *batch);

/* decide.c. AGAIN: budgets are wanted. */
STEP loy_decide(struct loy_worker *worker, struct loy_batch *batch);
void loy_item_settle(struct loy_item *item, enum loy_outcome outcome, const char *detail);
STEP loy_item_reject(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item, enum loy_err code,
                     const char *reason);
/* A newer revision is in force than those the batch was decided by: it waits until that is loaded. */
void loy_decide_refresh(struct loy_worker *worker, struct loy_batch *batch);
void loy_decide_refreshed(struct loy_worker *worker, struct loy_batch *batch);

/* Before the engine is asked: the item's revision, the budgets as they are known, an empty scratch. False: budgets are
 * wanted first. */
bool loy_decide_prepare(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item,
                        const struct loy_budget_views **ret_views);

/* preview.c: a purchase that is only asked about. */
STEP loy_preview_decide(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item);
bool loy_preview_is_answered(const struct loy_item *item); /* once decided: its answer is in item->update */

/* keep.c: copies what outlives the decision of an applied item, and encodes its messages */
STEP loy_keep(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item);

/* duplicates.c */
/* The event's key, as soon as it is decoded: what it is made of is at hand then, and far away some thousands later. */
void loy_duplicates_identify(struct loy_item *item);
void loy_duplicates_compare(struct loy_item *item, const struct loy_event *first);
/* Before the batch is first decided: identifies its items, and asks the journal for those that came lately. */
STEP loy_duplicates_expect(struct loy_worker *worker, struct loy_batch *batch);
/* It stands. */
void loy_duplicates_remember(struct loy_worker *worker, const struct loy_batch *batch);
STEP loy_duplicates_find(struct loy_worker *worker, struct loy_batch *batch);
STEP loy_duplicates_found(struct loy_worker *worker, struct loy_batch *batch, const struct loy_store_result *result);

/* messages.c: what a decided batch says, into the spans' outboxes */
STEP loy_message_update(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item,
                        const struct loy_account *account);
/* Of an account that was written. In worker->scratch, unless updates are JSON themselves. */
STEP loy_message_balance_json(struct loy_worker *worker, struct loy_batch *batch, const struct loy_slot *slot,
                              struct loy_str *ret_json);
STEP loy_messages_build(struct loy_worker *worker, struct loy_batch *batch);

/* commit.c */
STEP loy_commit_submit(struct loy_worker *worker, struct loy_batch *batch);
STEP loy_commit_done(struct loy_worker *worker, struct loy_batch *batch);

/* publish.c */
STEP loy_publish_add(struct loy_worker *worker, int32_t k, int64_t seq, struct loy_str payload);
STEP loy_publish_step(struct loy_worker *worker, bool *ret_progress);
void loy_publish_delivered(struct loy_worker *worker, uint64_t cookie, uint32_t count);
STEP loy_publish_undelivered(struct loy_worker *worker);
/* Forgets what the partitions have not had acknowledged: it stands in the outbox. */
STEP loy_publish_forget(struct loy_worker *worker);
STEP loy_publish_trim(struct loy_worker *worker, bool *ret_progress);
void loy_publish_trimmed(struct loy_worker *worker);

/* worker.c */
LOY_COLD LOY_PRINTF(3, 4) enum loy_err
    loy_worker_fail(struct loy_worker *worker, enum loy_err code, const char *format, ...);
int64_t loy_worker_now_us(const struct loy_worker *worker);
void loy_worker_back_off(struct loy_worker *worker);

#endif
