#include "worker/worker_metrics.h"

void loy_histogram_add(struct loy_histogram *histogram, int64_t us)
{
    uint64_t value_us = us > 0 ? (uint64_t)us : 0;
    int bucket = 0;
    for (uint64_t bound_us = 1000; bucket < LOY_HISTOGRAM_BUCKETS - 1 && value_us > bound_us; bound_us *= 2) {
        bucket++;
    }
    loy_count(&histogram->buckets[bucket], 1);
    loy_count(&histogram->sum_us, value_us);
}

static void read_histogram(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    const struct loy_histogram *histogram = (const void *)((const char *)source + metric->at);
    double bound = 0.001;
    for (int i = 0; i < LOY_HISTOGRAM_BUCKETS; i++, bound *= 2) {
        value->buckets[i] += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        value->bounds[i] = bound;
    }
    value->bucket_count = LOY_HISTOGRAM_BUCKETS;
    value->sum += (double)atomic_load_explicit(&histogram->sum_us, memory_order_relaxed) / 1e6;
}

static const struct loy_metric rows[] = {
#define COUNTER_ROW(field, name, help) LOY_METRIC_COUNTER_ROW(struct loy_worker_metrics, field, name, help),
    LOY_WORKER_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
#define GAUGE_ROW(field, name, help) LOY_METRIC_GAUGE_ROW(struct loy_worker_metrics, field, name, help),
        LOY_WORKER_GAUGES(GAUGE_ROW)
#undef GAUGE_ROW
#define HISTOGRAM_ROW(field, name, help)                                                                               \
    {name, help, LOY_METRIC_HISTOGRAM, NULL, read_histogram, offsetof(struct loy_worker_metrics, field)},
            LOY_WORKER_HISTOGRAMS(HISTOGRAM_ROW)
#undef HISTOGRAM_ROW
};

const struct loy_metric *loy_worker_metric_rows(size_t *ret_count)
{
    *ret_count = sizeof rows / sizeof rows[0];
    return rows;
}
