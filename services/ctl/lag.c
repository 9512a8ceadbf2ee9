#include "ctl/lag.h"

#include <stdlib.h>

static enum loy_err take_away(struct loy_query *query, const char *topic, int64_t *ends, int32_t partitions,
                              struct loy_error *error)
{
    struct loy_rows rows = {0};
    enum loy_err err = loy_query_rows(query,
                                      "SELECT p.k, p.next_offset[array_position(i.topics, $1)] "
                                      "FROM partition p CROSS JOIN installation i",
                                      &topic, 1, &rows, error);
    for (int32_t row = 0; !err && row < rows.count; row++) {
        int64_t k = loy_rows_integer(&rows, row, 0);
        if (loy_rows_is_null(&rows, row, 1)) {
            err = loy_error_set(error, LOY_ERR_CONFIG,
                                "topic %s is none of the installation's: with --max-lag 0 it is loaded all the same",
                                topic);
        } else if (k >= 0 && k < partitions) {
            int64_t next = loy_rows_integer(&rows, row, 1);
            ends[k] = ends[k] > next ? ends[k] - next : 0;
        }
    }
    loy_rows_free(&rows);
    return err;
}

enum loy_err loy_lag_read(struct loy_query *query, struct loy_publisher *publisher, const char *topic, int64_t *ret_lag,
                          struct loy_error *error)
{
    int32_t partitions = loy_publisher_partitions(publisher);
    int64_t *ends = calloc((size_t)partitions, sizeof *ends);
    if (!ends) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for %d partitions", partitions);
    }
    enum loy_err err = loy_publisher_ends(publisher, ends, error);
    err = err ? err : take_away(query, topic, ends, partitions, error);
    *ret_lag = 0;
    for (int32_t i = 0; i < partitions; i++) {
        *ret_lag += ends[i] > 0 ? ends[i] : 0;
    }
    free(ends);
    return err;
}
