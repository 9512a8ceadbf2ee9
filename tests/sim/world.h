/* World: what every simulated part shares: a seeded generator, virtual time, memory, the faults to inject and how often
 * each of them, and each recovery, happened.
 *
 * Not pure (heap), one thread. A world with no faults set is a perfect one: every request is answered at once and no
 * random number is drawn, so unit tests may use the fakes as plain in-memory ports. Test: tests/unit/test_fakes.c. */
#ifndef LOY_TESTS_SIM_WORLD_H
#define LOY_TESTS_SIM_WORLD_H

#include "base/str.h"
#include "ports/clock.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

/* --- what can go wrong, and what was seen to happen ------------------------------------------------------------- */

/* Faults: a probability in thousandths each, all 0 in a perfect world.   field */
#define SIM_FAULTS(X)                                                                                                  \
    X(fetch_delay)        /* a poll says nothing though there is a record */                                           \
    X(fetch_skip)         /* the client loses a record once; a seek back finds it */                                   \
    X(revoke_late_record) /* a record comes out between REVOKED and revoke_done */                                     \
    X(report_delay)       /* a delivery report takes long */                                                           \
    X(delivery_fail)      /* a message fails for good, and all behind it */                                            \
    X(delivery_fail_late) /* … though the broker has it: the acknowledgement was lost */                             \
    X(produce_full)       /* the producer's queue is full */                                                           \
    X(zombie_delivery)    /* what a dead or rebuilt producer had under way still arrives */                            \
    X(bus_error)          /* news of a broker that cannot be reached */                                                \
    X(store_refuse)       /* the request never reaches the server */                                                   \
    X(reply_lost)         /* executed, but the reply is lost */                                                        \
    X(execute_late)       /* the reply is lost at once and the server executes later */                                \
    X(outlive)            /* what the dead had submitted arrives long after */                                         \
    X(stall)              /* the client stalls inside its transaction, holding its rows' locks */                      \
    X(store_slow)         /* the request takes long */                                                                 \
    X(cache_off)          /* the cache cannot be asked */                                                              \
    X(cache_slow)         /* the cache answers late */                                                                 \
    X(cache_lose)         /* a row, or a write, is lost */                                                             \
    X(cache_stale)        /* a row as it stood some writes ago */                                                      \
    X(cache_lie_state)    /* another state under the right seq, with a digest that fits the lie */                     \
    X(cache_lie_digest)   /* another state under the right seq and the right digest */                                 \
    X(cache_lie_columns)  /* another version, n or seq, with a digest that fits the lie or not */                      \
    X(cache_invent)       /* a row of a member that does not exist */                                                  \
    X(cache_garbage)      /* bytes that are no state at all */

struct sim_faults {
#define SIM_FAULT_FIELD(name) uint16_t name;
    SIM_FAULTS(SIM_FAULT_FIELD)
#undef SIM_FAULT_FIELD
};

/* Happenings that are counted: faults as they strike, and the ways back.   symbol, name */
#define SIM_HAPPENINGS(X)                                                                                              \
    X(FETCH_DELAYED, "fetch_delayed")                                                                                  \
    X(FETCH_SKIPPED, "fetch_skipped")                                                                                  \
    X(SEEK_BACK, "seek_back")                                                                                          \
    X(LATE_RECORD, "record_after_revoked")                                                                             \
    X(REBALANCE, "rebalance")                                                                                          \
    X(REVOKED, "revoked")                                                                                              \
    X(REVOKED_IN_FLIGHT, "revoked_with_a_request_under_way")                                                           \
    X(SESSION_EXPIRED, "session_expired")                                                                              \
    X(LOST, "lost")                                                                                                    \
    X(REPORT_DELAYED, "delivery_report_delayed")                                                                       \
    X(DELIVERY_FAILED, "delivery_failed")                                                                              \
    X(DELIVERY_FAILED_LATE, "delivery_failed_though_written")                                                          \
    X(PRODUCER_REBUILT, "producer_rebuilt")                                                                            \
    X(PRODUCE_FULL, "produce_queue_full")                                                                              \
    X(ZOMBIE_DELIVERY, "zombie_delivery")                                                                              \
    X(ZOMBIE_REFUSED, "zombie_refused_by_its_age")                                                                     \
    X(BUS_ERROR, "bus_error")                                                                                          \
    X(BUS_OUTAGE, "bus_outage")                                                                                        \
    X(STORE_REFUSED, "store_refused")                                                                                  \
    X(REPLY_LOST, "commit_reply_lost")                                                                                 \
    X(EXECUTED_LATE, "commit_executed_late")                                                                           \
    X(EXECUTED_AFTER_DEATH, "commit_of_the_dead_executed")                                                             \
    X(FENCED_AFTER_DEATH, "commit_of_the_dead_fenced")                                                                 \
    X(STALLED, "transaction_stalled")                                                                                  \
    X(TERMINATED, "stalled_transaction_ended_by_acquire")                                                              \
    X(STORE_SLOW, "store_slow")                                                                                        \
    X(STORE_OUTAGE, "store_outage")                                                                                    \
    X(STORE_POISON, "store_poison")                                                                                    \
    X(ACQUIRE, "acquire")                                                                                              \
    X(RELEASE, "partition_released")                                                                                   \
    X(MARK, "record_marked_before_its_work")                                                                           \
    X(PARTITION_RETRIED, "stopped_partition_tried_again")                                                              \
    X(ACQUIRE_REPLY_LOST, "acquire_reply_lost")                                                                        \
    X(PUBLISHED, "programme_published")                                                                                \
    X(GUARD_PARTITION, "guard_partition")                                                                              \
    X(GUARD_REVISION, "guard_revision")                                                                                \
    X(GUARD_JOURNAL, "guard_journal")                                                                                  \
    X(GUARD_MEMBER, "guard_member")                                                                                    \
    X(GUARD_COUNTER, "guard_counter")                                                                                  \
    X(COUNTERS_READ, "counters_read_again")                                                                            \
    X(BUDGET_CUT, "budget_cut")                                                                                        \
    X(BUDGET_REFUSED, "budget_refused")                                                                                \
    X(COMMIT, "commit")                                                                                                \
    X(OUTBOX_REPLAYED, "outbox_replayed")                                                                              \
    X(CACHE_OFF, "cache_off")                                                                                          \
    X(CACHE_SLOW, "cache_slow")                                                                                        \
    X(CACHE_LOST, "cache_lost")                                                                                        \
    X(CACHE_STALE, "cache_stale")                                                                                      \
    X(CACHE_LIED_STATE, "cache_lied_state")                                                                            \
    X(CACHE_LIED_DIGEST, "cache_lied_digest")                                                                          \
    X(CACHE_LIED_COLUMNS, "cache_lied_columns")                                                                        \
    X(CACHE_INVENTED, "cache_invented")                                                                                \
    X(CACHE_GARBAGE, "cache_garbage")                                                                                  \
    X(CRASH, "crash")                                                                                                  \
    X(CRASH_IN_COMMIT, "crash_with_a_commit_under_way")                                                                \
    X(RESTART, "restart")                                                                                              \
    X(STOP, "graceful_stop")                                                                                           \
    X(FREEZE, "worker_frozen")                                                                                         \
    X(CLOCK_JUMP, "clock_jump")                                                                                        \
    X(RECORD_DUPLICATE, "record_duplicated")                                                                           \
    X(RECORD_DUPLICATE_ORDER, "record_duplicate_order")                                                                \
    X(RECORD_ID_REUSED, "record_event_id_reused")                                                                      \
    X(RECORD_MISPLACED, "record_mispartitioned")                                                                       \
    X(RECORD_BROKEN, "record_broken")                                                                                  \
    X(RECORD_POISON, "record_poisonous")                                                                               \
    X(RECORD_CORRECTED, "record_corrected_after_rejection")                                                            \
    X(RECORD_TOMBSTONE, "record_tombstone")                                                                            \
    X(RECORD_NO_MEMBER, "record_without_member")                                                                       \
    X(RECORD_LATE, "record_of_long_ago")                                                                               \
    X(RECORD_GAP, "record_gap")                                                                                        \
    X(RECORD_TICK, "record_tick")

enum sim_happening {
#define SIM_HAPPENING_ENUM(symbol, name) SIM_##symbol,
    SIM_HAPPENINGS(SIM_HAPPENING_ENUM)
#undef SIM_HAPPENING_ENUM
        SIM_HAPPENING_COUNT
};

const char *sim_happening_name(enum sim_happening happening);

/* --- memory ------------------------------------------------------------------------------------------------------ */

/* Chunks that never move and are freed together: the world's memory is never given back before its end. */
struct sim_pool {
    struct sim_chunk *chunk;
};

void *sim_alloc(struct sim_pool *pool, size_t size); /* cleared; aborts when there is no memory */
struct loy_str sim_copy(struct sim_pool *pool, struct loy_str text);
void sim_pool_fini(struct sim_pool *pool);
/* realloc that aborts instead of failing: for growing arrays. */
void *sim_grow(void *at, size_t count, size_t size);

/* --- index: bytes to a number, growing ---------------------------------------------------------------------------- */

struct sim_map {
    struct sim_map_slot *slots;
    uint32_t mask;
    uint32_t used;
};

/* Keys are borrowed. -1 when absent. */
int32_t sim_map_find(const struct sim_map *map, struct loy_str key);
void sim_map_put(struct sim_map *map, struct loy_str key, int32_t value);
void sim_map_fini(struct sim_map *map);

/* --- the world -----------------------------------------------------------------------------------------------------
 */

struct sim_world {
    uint64_t seed;
    uint64_t rng_state;
    int64_t now_us;  /* virtual; since 1970: the true time */
    int64_t wire_us; /* the longest that a request normally takes; 0: everything at once */
    struct sim_faults faults;
    uint64_t counts[SIM_HAPPENING_COUNT];
    bool trace;       /* tell everything on stdout */
    uint32_t fuse;    /* port calls until the worker that makes them dies; 0: never */
    jmp_buf on_death; /* armed by whoever sets the fuse */
    struct sim_pool pool;
};

void sim_world_init(struct sim_world *world, uint64_t seed);
void sim_world_fini(struct sim_world *world);

uint64_t sim_random(struct sim_world *world);
/* 0 to bound - 1; bound 0 or 1: 0, without drawing. */
uint64_t sim_below(struct sim_world *world, uint64_t bound);
/* low to high, both included. */
int64_t sim_between(struct sim_world *world, int64_t low, int64_t high);
/* True with a probability in thousandths; 0 draws nothing. */
bool sim_chance(struct sim_world *world, uint32_t per_mille);
/* A moment up to wire_us from now. */
int64_t sim_soon(struct sim_world *world);

/* Every port calls it first: a worker may die between any two calls. */
void sim_touch(struct sim_world *world);
void sim_happened(struct sim_world *world, enum sim_happening happening);
/* One line of the trace, when it is on: virtual seconds, who, what. */
LOY_PRINTF(3, 4) void sim_say(struct sim_world *world, const char *who, const char *format, ...);

/* --- clock -----------------------------------------------------------------------------------------------------------
 */

/* A worker's clock: the world's time, and a wall clock that may be wrong. */
struct sim_clock {
    struct sim_world *world;
    int64_t wall_offset_us;
};

struct loy_clock sim_clock_port(struct sim_clock *clock);

#endif
