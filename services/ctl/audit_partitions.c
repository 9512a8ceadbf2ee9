/* The audit's first part: the rows of the partitions, what they add up to, and where the journal's rows came from. */
#include "ctl/audit.h"

#include <inttypes.h>
#include <stdlib.h>

#define FOUND(audit, check, where, expected, found)                                                                    \
    do {                                                                                                               \
        const struct loy_phrase where_ = (where), expected_ = (expected), found_ = (found);                            \
        loy_audit_found(audit, LOY_AUDIT_##check, &where_, &expected_, &found_);                                       \
    } while (0)

static const char *const outcome_names[LOY_OUTCOME_COUNT] = {
#define LOY_OUTCOME_NAME(symbol, name) [LOY_OUTCOME_##symbol] = (name),
    LOY_OUTCOMES(LOY_OUTCOME_NAME)
#undef LOY_OUTCOME_NAME
};

static enum loy_err read_installation(struct loy_audit *audit, struct loy_error *error)
{
    struct loy_rows rows = {0};
    enum loy_err err =
        loy_query_rows(audit->query, "SELECT partitions, cardinality(topics) FROM installation", NULL, 0, &rows, error);
    if (!err && rows.count == 0) {
        err = loy_error_set(error, LOY_ERR_NOT_FOUND, "there is nothing to check yet: no worker has started here");
    }
    if (!err) {
        audit->partitions = (int32_t)loy_rows_integer(&rows, 0, 0);
        audit->topics = (uint32_t)loy_rows_integer(&rows, 0, 1);
        audit->rows = calloc((size_t)audit->partitions, sizeof *audit->rows);
        audit->outbox_empty = calloc((size_t)audit->partitions, sizeof *audit->outbox_empty);
        if (!audit->rows || !audit->outbox_empty || audit->topics > LOY_TOPICS_MAX) {
            err = loy_error_set(error, LOY_ERR_NO_MEMORY, "%d partitions of %u topics are too many", audit->partitions,
                                audit->topics);
        }
    }
    loy_rows_free(&rows);
    return err;
}

/* One partition's row: its arrays, and for each topic next = start + sum of the totals. */
static void check_row(struct loy_audit *audit, const struct loy_rows *rows, int32_t at)
{
    enum { TOTALS_MAX = LOY_TOPICS_MAX * LOY_OUTCOME_COUNT };
    int64_t start[LOY_TOPICS_MAX], next[LOY_TOPICS_MAX], totals[TOTALS_MAX];
    int32_t k = (int32_t)loy_rows_integer(rows, at, 0);
    uint32_t starts = loy_rows_integers(rows, at, 1, start, LOY_TOPICS_MAX);
    uint32_t nexts = loy_rows_integers(rows, at, 2, next, LOY_TOPICS_MAX);
    uint32_t total_count = loy_rows_integers(rows, at, 3, totals, TOTALS_MAX);
    if (starts != audit->topics || nexts != audit->topics || total_count != audit->topics * LOY_OUTCOME_COUNT) {
        FOUND(audit, INSTALLATION, loy_phrase("partition %d", k),
              loy_phrase("%u offsets and %u totals", audit->topics, audit->topics * LOY_OUTCOME_COUNT),
              loy_phrase("%u start offsets, %u next offsets and %u totals", starts, nexts, total_count));
        return;
    }
    struct loy_partition *row = &audit->rows[k];
    for (uint32_t topic = 0; topic < audit->topics; topic++) {
        int64_t sum = start[topic];
        for (int outcome = 0; outcome < LOY_OUTCOME_COUNT; outcome++) {
            int64_t total = totals[topic * LOY_OUTCOME_COUNT + (uint32_t)outcome];
            row->totals[topic][outcome] = total;
            sum += total;
            if (total < 0) {
                FOUND(audit, TOTALS, loy_phrase("partition %d, topic %u", k, topic), loy_phrase("at least 0"),
                      loy_phrase("%" PRId64 " %s", total, outcome_names[outcome]));
            }
        }
        row->next_offset[topic] = next[topic];
        if (next[topic] != sum) {
            FOUND(audit, OFFSETS, loy_phrase("partition %d, topic %u", k, topic),
                  loy_phrase("next offset %" PRId64 " (start and outcomes)", sum), loy_phrase("%" PRId64, next[topic]));
        }
    }
}

static enum loy_err check_rows(struct loy_audit *audit, struct loy_error *error)
{
    struct loy_rows rows = {0};
    enum loy_err err = loy_query_rows(audit->query,
                                      "SELECT k, start_offset, next_offset, outcome_totals, outbox_seq, next_n "
                                      "FROM partition ORDER BY k",
                                      NULL, 0, &rows, error);
    for (int32_t k = 0; k < audit->partitions; k++) {
        audit->rows[k].k = -1;
        audit->outbox_empty[k] = true;
    }
    for (int32_t at = 0; at < rows.count; at++) {
        int64_t k = loy_rows_integer(&rows, at, 0);
        if (k < 0 || k >= audit->partitions) {
            FOUND(audit, INSTALLATION, loy_phrase("partition %" PRId64, k),
                  loy_phrase("partitions 0 to %d", audit->partitions - 1), loy_phrase("a row for it"));
            continue;
        }
        audit->rows[k].k = (int32_t)k;
        audit->rows[k].outbox_seq = loy_rows_integer(&rows, at, 4);
        audit->rows[k].next_n = (int32_t)loy_rows_integer(&rows, at, 5);
        check_row(audit, &rows, at);
    }
    for (int32_t k = 0; !err && k < audit->partitions; k++) {
        if (audit->rows[k].k < 0) {
            FOUND(audit, INSTALLATION, loy_phrase("partition %d", k), loy_phrase("a row"), loy_phrase("none"));
        }
    }
    loy_rows_free(&rows);
    return err;
}

/* Rows follow each other without gap and end at outbox_seq: only the oldest are ever deleted. */
static enum loy_err check_outbox(struct loy_audit *audit, struct loy_error *error)
{
    struct loy_rows rows = {0};
    enum loy_err err =
        loy_query_rows(audit->query, "SELECT k, min(seq), max(seq), count(*) FROM outbox GROUP BY k ORDER BY k", NULL,
                       0, &rows, error);
    for (int32_t at = 0; at < rows.count; at++) {
        int64_t k = loy_rows_integer(&rows, at, 0);
        int64_t first = loy_rows_integer(&rows, at, 1), last = loy_rows_integer(&rows, at, 2);
        int64_t count = loy_rows_integer(&rows, at, 3);
        audit->outbox_rows += count;
        bool known = k >= 0 && k < audit->partitions && audit->rows[k].k >= 0;
        if (!known) {
            FOUND(audit, OUTBOX, loy_phrase("outbox of partition %" PRId64, k),
                  loy_phrase("a partition of that number"), loy_phrase("none"));
            continue;
        }
        audit->outbox_empty[k] = false;
        if (first < 1 || last != audit->rows[k].outbox_seq || last - first + 1 != count) {
            FOUND(audit, OUTBOX, loy_phrase("outbox of partition %" PRId64, k),
                  loy_phrase("rows without gap up to %" PRId64, audit->rows[k].outbox_seq),
                  loy_phrase("%" PRId64 " rows from %" PRId64 " to %" PRId64, count, first, last));
        }
    }
    loy_rows_free(&rows);
    return err;
}

enum loy_err loy_audit_partitions(struct loy_audit *audit, struct loy_error *error)
{
    enum loy_err err = read_installation(audit, error);
    err = err ? err : check_rows(audit, error);
    return err ? err : check_outbox(audit, error);
}

static enum loy_err check_positions_once(struct loy_audit *audit, struct loy_error *error)
{
    struct loy_cursor cursor = {0};
    enum loy_err err = loy_cursor_open(audit->query, "positions",
                                       "SELECT topic, part, off, count(*), min(k), max(k) FROM journal "
                                       "GROUP BY topic, part, off HAVING count(*) > 1 ORDER BY topic, part, off",
                                       &cursor, error);
    while (!err && !(err = loy_cursor_next(&cursor, error)) && !cursor.at_end) {
        const struct loy_rows *rows = &cursor.rows;
        FOUND(audit, POSITION_TWICE,
              loy_phrase("topic %" PRId64 ", partition %" PRId64 ", offset %" PRId64,
                         loy_rows_integer(rows, cursor.row, 0), loy_rows_integer(rows, cursor.row, 1),
                         loy_rows_integer(rows, cursor.row, 2)),
              loy_phrase("one row in the journal"),
              loy_phrase("%" PRId64 " (k from %" PRId64 " to %" PRId64 ")", loy_rows_integer(rows, cursor.row, 3),
                         loy_rows_integer(rows, cursor.row, 4), loy_rows_integer(rows, cursor.row, 5)));
    }
    loy_cursor_close(&cursor);
    return err;
}

/* A record's position is the first one it had: of a forwarded record, that of the partition it was found in. */
static enum loy_err check_positions_read(struct loy_audit *audit, struct loy_error *error)
{
    struct loy_cursor cursor = {0};
    enum loy_err err = loy_cursor_open(
        audit->query, "unread",
        "SELECT j.k, j.n, j.seq, j.topic, j.part, j.off, coalesce(p.start_offset[j.topic + 1], -1), "
        "coalesce(p.next_offset[j.topic + 1], -1) FROM journal j LEFT JOIN partition p ON p.k = j.part "
        "WHERE (j.off >= p.start_offset[j.topic + 1] AND j.off < p.next_offset[j.topic + 1]) IS NOT TRUE "
        "ORDER BY j.k, j.n, j.seq",
        &cursor, error);
    while (!err && !(err = loy_cursor_next(&cursor, error)) && !cursor.at_end) {
        int64_t value[8];
        for (int32_t column = 0; column < 8; column++) {
            value[column] = loy_rows_integer(&cursor.rows, cursor.row, column);
        }
        FOUND(audit, POSITION_UNREAD,
              loy_phrase("journal k %" PRId64 ", n %" PRId64 ", seq %" PRId64, value[0], value[1], value[2]),
              value[7] < 0 ? loy_phrase("a topic and partition of the installation")
                           : loy_phrase("an offset from %" PRId64 " to below %" PRId64, value[6], value[7]),
              loy_phrase("topic %" PRId64 ", partition %" PRId64 ", offset %" PRId64, value[3], value[4], value[5]));
    }
    loy_cursor_close(&cursor);
    return err;
}

enum loy_err loy_audit_positions(struct loy_audit *audit, struct loy_error *error)
{
    enum loy_err err = check_positions_once(audit, error);
    return err ? err : check_positions_read(audit, error);
}
