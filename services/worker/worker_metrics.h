/* Counters of one worker thread: plain numbers that the thread alone writes and the metrics page reads.
 *
 * One row a counter; runtime/metrics renders them with their help, docs/metrics.md is generated from them. */
#ifndef LOY_WORKER_WORKER_METRICS_H
#define LOY_WORKER_WORKER_METRICS_H

#include "runtime/metrics.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/*   field, name, help */
#define LOY_WORKER_COUNTERS(X)                                                                                         \
    X(applied, "loyald_events_applied_total", "Records whose event was applied to an account")                         \
    X(duplicate, "loyald_events_duplicate_total", "Records that repeat an event or an order")                          \
    X(ignored, "loyald_events_ignored_total", "Tombstones, previews and records that name no member")                  \
    X(forwarded, "loyald_events_forwarded_total", "Records forwarded to the partition of their member")                \
    X(rejected, "loyald_events_rejected_total", "Records sent to the dead letters")                                    \
    X(gap, "loyald_offsets_gap_total", "Offsets that the log skipped")                                                 \
    X(no_effect, "loyald_events_no_effect_total", "Applied events of a kind or content that changes no balance")       \
    X(batches, "loyald_batches_total", "Batches committed")                                                            \
    X(acquires, "loyald_acquires_total", "Partitions acquired")                                                        \
    X(guard_partition, "loyald_guard_partition_total", "Commits refused because a partition has another owner")        \
    X(guard_journal, "loyald_guard_journal_total", "Commits refused because an event stood in the journal")            \
    X(duplicates_expected, "loyald_duplicates_expected_total",                                                         \
      "Batches for which the journal was asked first: an event in them had come lately")                               \
    X(guard_member, "loyald_guard_member_total", "Commits refused because an account was not what was read")           \
    X(guard_counter, "loyald_guard_counter_total",                                                                     \
      "Commits refused because others used more of a budget than the decisions allow for: decided again")              \
    X(guard_revision, "loyald_guard_revision_total", "Commits refused because of a newer programme revision")          \
    X(outages, "loyald_store_outages_total", "Requests that PostgreSQL did not answer")                                \
    X(commits_unknown, "loyald_commits_unknown_total", "Commits whose outcome nobody knew until acquire")              \
    X(poison_alone, "loyald_poison_alone_total", "Batches of one record, after repeated failures")                     \
    X(published, "loyald_messages_published_total", "Messages acknowledged by Kafka")                                  \
    X(producer_rebuilds, "loyald_producer_rebuilds_total", "Producers rebuilt after a failed delivery")                \
    X(cache_hits, "loyald_account_cache_hits_total", "Accounts found in the thread's own cache")                       \
    X(redis_hits, "loyald_account_redis_hits_total", "Accounts found in Redis")                                        \
    X(loaded, "loyald_accounts_loaded_total", "Accounts read from PostgreSQL")                                         \
    X(enrolled, "loyald_members_enrolled_total", "Members enrolled by their first event")

/* Distributions, in seconds.   field, name, help */
#define LOY_WORKER_HISTOGRAMS(X)                                                                                       \
    X(commit_seconds, "loyald_commit_seconds", "From submit to reply of a batch's transaction")                        \
    X(latency_seconds, "loyald_event_latency_seconds", "From the broker's timestamp of an event to its commit")        \
    X(publish_seconds, "loyald_publish_seconds",                                                                       \
      "From the commit of a partition's messages to Kafka's acknowledgement of the last of them")

/* How it is now.   field, name, help */
#define LOY_WORKER_GAUGES(X)                                                                                           \
    X(assigned, "loyald_partitions_assigned", "Partitions that the group gives us now")                                \
    X(partitions, "loyald_partitions_owned", "Partitions acquired and worked now")                                     \
    X(partitions_stopped, "loyald_partitions_stopped", "Partitions stopped by a record that stopped three workers")    \
    X(store_down, "loyald_store_down", "Threads whose last request to PostgreSQL failed; 0: all is well")              \
    X(revision_waits, "loyald_revision_waits", "Threads whose batch waits for a newer programme revision")

enum { LOY_HISTOGRAM_BUCKETS = 16 }; /* upper bounds 1 ms × 2^i; the last is +Inf */

struct loy_histogram {
    _Atomic uint64_t buckets[LOY_HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum_us;
};

struct loy_worker_metrics {
#define LOY_WORKER_COUNTER_FIELD(field, name, help) _Atomic uint64_t field;
    LOY_WORKER_COUNTERS(LOY_WORKER_COUNTER_FIELD)
#undef LOY_WORKER_COUNTER_FIELD
#define LOY_WORKER_HISTOGRAM_FIELD(field, name, help) struct loy_histogram field;
    LOY_WORKER_HISTOGRAMS(LOY_WORKER_HISTOGRAM_FIELD)
#undef LOY_WORKER_HISTOGRAM_FIELD
#define LOY_WORKER_GAUGE_FIELD(field, name, help) _Atomic uint64_t field;
    LOY_WORKER_GAUGES(LOY_WORKER_GAUGE_FIELD)
#undef LOY_WORKER_GAUGE_FIELD
};

/* Single writer: a relaxed load and store, no locked instruction. */
static inline void loy_count(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

/* The rows of the metrics page and of docs/metrics.md, over struct loy_worker_metrics. */
const struct loy_metric *loy_worker_metric_rows(size_t *ret_count);

/* us: microseconds; negative counts as 0. One writer. */
void loy_histogram_add(struct loy_histogram *histogram, int64_t us);

#endif
