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
