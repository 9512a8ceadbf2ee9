/* Metrics: the text page that Prometheus reads (exposition format 0.0.4), from tables of rows.
 *
 * Values are plain atomics in structs that one thread writes (worker/worker_metrics.h); a row says where in the struct.
 * A group is a table and the structs of all threads; their values are summed on the page. The same rows write
 * docs/metrics.md. Reads /proc/self for the process's own. Any thread. Test: tests/unit/test_runtime_metrics.c. */
#ifndef LOY_RUNTIME_METRICS_H
#define LOY_RUNTIME_METRICS_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum loy_metric_type { LOY_METRIC_COUNTER, LOY_METRIC_GAUGE, LOY_METRIC_HISTOGRAM };

enum { LOY_METRIC_BUCKETS_MAX = 32 };

/* What a read function fills: value, or a distribution. Starts at zero for each row; add to it. */
struct loy_metric_value {
    double value;
    uint64_t buckets[LOY_METRIC_BUCKETS_MAX]; /* how many fell into each, not yet cumulative; the last is +Inf */
    double bounds[LOY_METRIC_BUCKETS_MAX];    /* upper bound of each but the last, in the metric's unit */
    uint32_t bucket_count;
    double sum;
};

struct loy_metric {
    const char *name; /* [a-z0-9_]+; counters end in _total, times in _seconds */
    const char *help;
    enum loy_metric_type type;
    const char *labels; /* inside the braces: version="1"; NULL: none */
    void (*read)(const struct loy_metric *metric, const void *source, struct loy_metric_value *value);
    size_t at; /* offset of the field in the source, for read */
};

/* For rows whose field is an _Atomic uint64_t. */
void loy_metric_read_u64(const struct loy_metric *metric, const void *source, struct loy_metric_value *value);
#define LOY_METRIC_COUNTER_ROW(structure, field, name, help)                                                           \
    {                                                                                                                  \
        (name), (help), LOY_METRIC_COUNTER, NULL, loy_metric_read_u64, offsetof(structure, field)                      \
    }
#define LOY_METRIC_GAUGE_ROW(structure, field, name, help)                                                             \
    {                                                                                                                  \
        (name), (help), LOY_METRIC_GAUGE, NULL, loy_metric_read_u64, offsetof(structure, field)                        \
    }

/* A table and where its values are. Borrowed. */
struct loy_metric_group {
    const struct loy_metric *rows;
    size_t count;
    const void *const *sources;
    size_t source_count;
};

/* The process's own: CPU, memory, descriptors, start, build. */
struct loy_metric_group loy_metrics_of_process(void);

/* The page. In the builder's arena; buf->failed when it does not fit. */
void loy_metrics_render(struct loy_buf *buf, const struct loy_metric_group *groups, size_t group_count);
/* docs/metrics.md; sources are not looked at. The process's own are added. */
void loy_metrics_write_markdown(FILE *out, const struct loy_metric_group *groups, size_t group_count);

#endif
