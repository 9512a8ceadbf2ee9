#include "adapters/pg/query.h"
#include "ctl/commands.h"
#include "ctl/json_out.h"
#include "ports/store.h"

#include <inttypes.h>
#include <string.h>

/* Columns of PARTITIONS_SQL. */
enum { K, OWNER, EPOCH, ATTEMPTS, ALONE, OFFSET, NEXT_OFFSETS, TOPIC };

#define PARTITIONS_SQL                                                                                                 \
    "SELECT p.k, p.owner, p.epoch, p.attempts, p.alone, p.alone_offset, p.next_offset, i.topics[p.alone_topic + 1] "   \
    "FROM partition p CROSS JOIN installation i "

static const char *state_of(int64_t alone)
{
    return alone >= LOY_STOP_AFTER_ALONE ? "stopped" : alone > 0 ? "suspected" : alone < 0 ? "skipping" : "fine";
}

static void print_offsets(const struct loy_rows *rows, int32_t at, const char *between)
{
    int64_t offsets[LOY_TOPICS_MAX];
    uint32_t count = loy_rows_integers(rows, at, NEXT_OFFSETS, offsets, LOY_TOPICS_MAX);
    for (uint32_t i = 0; i < count && i < LOY_TOPICS_MAX; i++) {
        (void)printf("%s%" PRId64, i ? between : "", offsets[i]);
    }
}

static void print_json(const struct loy_rows *rows, int32_t at)
{
    int64_t alone = loy_rows_integer(rows, at, ALONE);
    (void)printf("%s\n {\"partition\": %" PRId64 ", \"epoch\": %" PRId64 ", \"attempts\": %" PRId64
                 ", \"alone\": %" PRId64 ", ",
                 at ? "," : "", loy_rows_integer(rows, at, K), loy_rows_integer(rows, at, EPOCH),
                 loy_rows_integer(rows, at, ATTEMPTS), alone);
    loy_json_member(stdout, "owner", loy_rows_bytes(rows, at, OWNER));
    (void)fputs(", ", stdout);
    loy_json_member(stdout, "state", loy_str(state_of(alone)));
    if (alone != 0) {
        (void)fputs(", ", stdout);
        loy_json_member(stdout, "topic", loy_rows_bytes(rows, at, TOPIC));
        (void)printf(", \"offset\": %" PRId64, loy_rows_integer(rows, at, OFFSET));
    }
    (void)fputs(", \"next_offsets\": [", stdout);
    print_offsets(rows, at, ", ");
    (void)fputs("]}", stdout);
}

static void print_line(const struct loy_rows *rows, int32_t at)
{
    int64_t alone = loy_rows_integer(rows, at, ALONE);
    (void)printf("%-5" PRId64 " %-10s %8" PRId64 " %8" PRId64 " %5" PRId64 "  %.*s  ", loy_rows_integer(rows, at, K),
                 state_of(alone), loy_rows_integer(rows, at, EPOCH), loy_rows_integer(rows, at, ATTEMPTS), alone,
                 LOY_STR_ARG(loy_rows_bytes(rows, at, OWNER)));
    print_offsets(rows, at, ",");
    if (alone != 0) {
        (void)printf("  record %.*s:%" PRId64 ":%" PRId64, LOY_STR_ARG(loy_rows_bytes(rows, at, TOPIC)),
                     loy_rows_integer(rows, at, K), loy_rows_integer(rows, at, OFFSET));
    }
    (void)putchar('\n');
}

static enum loy_err list(struct loy_query *query, bool json, struct loy_error *error)
{
    struct loy_rows rows = {0};
    enum loy_err err = loy_query_rows(query, PARTITIONS_SQL "ORDER BY p.k", NULL, 0, &rows, error);
    if (!err && !json) {
        (void)printf("%-5s %-10s %8s %8s %5s  owner  next offsets\n", "k", "state", "epoch", "attempts", "alone");
    }
    for (int32_t at = 0; !err && at < rows.count; at++) {
        json ? print_json(&rows, at) : print_line(&rows, at);
    }
    if (!err && json) {
        (void)fputs(rows.count ? "\n]\n" : "]\n", stdout);
    }
    loy_rows_free(&rows);
    return err;
}

/* The epoch is how the worker that holds the partition hears of it. What it was shown, it does: nothing else. */
static const char change_sql[] = "UPDATE partition SET alone = $2::int, epoch = epoch + 1 "
                                 "WHERE k = $1::int AND alone = $3::int AND alone_offset = $4::bigint RETURNING k";

static enum loy_err change(struct loy_query *query, const struct loy_rows *shown, bool skip, struct loy_error *error)
{
    char k[24], alone[24], offset[24];
    struct loy_rows changed = {0};
    (void)snprintf(k, sizeof k, "%" PRId64, loy_rows_integer(shown, 0, K));
    (void)snprintf(alone, sizeof alone, "%" PRId64, loy_rows_integer(shown, 0, ALONE));
    (void)snprintf(offset, sizeof offset, "%" PRId64, loy_rows_integer(shown, 0, OFFSET));
    const char *const parameters[] = {k, skip ? "-1" : "0", alone, offset};
    enum loy_err err = loy_query_rows(query, change_sql, parameters, 4, &changed, error);
    if (!err && changed.count == 0) {
        err = loy_error_set(error, LOY_ERR_AGAIN, "partition %s changed meanwhile: look again", k);
    }
    loy_rows_free(&changed);
    return err;
}

static enum loy_err skip_or_retry(struct loy_query *query, const char *k, bool skip, bool yes, struct loy_error *error)
{
    struct loy_rows rows = {0};
    enum loy_err err = loy_query_rows(query, PARTITIONS_SQL "WHERE p.k::text = $1", &k, 1, &rows, error);
    int64_t alone = !err && rows.count > 0 ? loy_rows_integer(&rows, 0, ALONE) : 0;
    if (!err && rows.count == 0) {
        err = loy_error_set(error, LOY_ERR_NOT_FOUND, "there is no partition %s", k);
    } else if (!err && alone < LOY_STOP_AFTER_ALONE && (skip || alone >= 0)) {
        err = loy_error_set(error, LOY_ERR_NOT_FOUND, "partition %s is %s, not stopped: nothing to do", k,
                            state_of(alone));
    }
    if (!err && yes) {
        err = change(query, &rows, skip, error);
    }
    if (!err) {
        (void)printf("%s %.*s:%s:%" PRId64 ": %s\n", yes ? (skip ? "skipped" : "to be tried again") : "not done",
                     LOY_STR_ARG(loy_rows_bytes(&rows, 0, TOPIC)), k, loy_rows_integer(&rows, 0, OFFSET),
                     skip ? "it becomes a dead letter, and the partition goes on"
                          : "it is worked again, and the partition goes on when it comes through");
    }
    loy_rows_free(&rows);
    if (!err && !yes) {
        err = loy_error_set(error, LOY_ERR_CONFIG, "this is what --yes would do");
    }
    return err;
}

enum loy_exit loy_cmd_partition(const struct loy_call *call)
{
    struct loy_query *query = NULL;
    struct loy_error error = {0};
    bool json = loy_call_flag(call, "json");
    bool lists = strcmp(call->words[0], "list") == 0 && call->word_count == 1;
    bool skips = strcmp(call->words[0], "skip") == 0 && call->word_count == 2;
    bool retries = strcmp(call->words[0], "retry") == 0 && call->word_count == 2;
    if (!lists && !skips && !retries) {
        (void)loy_error_set(&error, LOY_ERR_CONFIG, "wanted: partition list, partition skip K, or partition retry K");
        return loy_call_failed(call, &error);
    }
    enum loy_err err = loy_query_open(call->config->postgres, "loyalctl partition", &query, &error);
    if (!err && lists && json) {
        (void)putchar('[');
    }
    if (!err) {
        err = lists ? list(query, json, &error)
                    : skip_or_retry(query, call->words[1], skips, loy_call_flag(call, "yes"), &error);
    }
    loy_query_close(query);
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}
