#include "adapters/kafka/connection.h"
#include "ctl/audit.h"
#include "ctl/commands.h"

#include <inttypes.h>
#include <stdlib.h>

/* One snapshot for all statements. Cursors are read to their end, so plans are made for all rows. */
static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL cursor_tuple_fraction = 1; "
                            "SET LOCAL statement_timeout = 0";

static enum loy_err check_topics(const struct loy_call *call, struct loy_audit *audit, struct loy_error *error)
{
    struct loy_query *after = NULL;
    const struct loy_config *config = call->config;
    struct loy_kafka_connection connection = loy_kafka_connection_of(config, "loyalctl");
    enum loy_err err = loy_query_open(config->postgres, "loyalctl audit", &after, error);
    err = err ? err : loy_audit_topic(audit, after, &connection, config->topic_updates, true, error);
    err = err ? err : loy_audit_topic(audit, after, &connection, config->topic_balances, false, error);
    loy_query_close(after);
    return err;
}

static enum loy_err check(const struct loy_call *call, struct loy_audit *audit, struct loy_error *error)
{
    enum loy_err err = loy_query_do(audit->query, begin, error);
    err = err ? err : loy_audit_partitions(audit, error);
    err = err ? err : loy_audit_positions(audit, error);
    err = err ? err : loy_audit_members(audit, error);
    err = err ? err : loy_audit_budgets(audit, error);
    if (!err && loy_call_flag(call, "topics")) {
        err = check_topics(call, audit, error);
    }
    return err ? err : loy_query_do(audit->query, "COMMIT", error);
}

static void summarize(const struct loy_audit *audit)
{
    int64_t problems = loy_audit_problem_count(audit);
    if (audit->json) {
        (void)fprintf(audit->out,
                      "%s],\n \"ok\": %s, \"problem_count\": %" PRId64 ", \"partitions\": %d, \"members\": %" PRId64
                      ", \"journal_rows\": %" PRId64 ", \"entries\": %" PRId64 ", \"lots\": %" PRId64
                      ", \"due_rows\": %" PRId64 ", \"outbox_rows\": %" PRId64 ", \"counters\": %" PRId64
                      ", \"revisions_unread\": %" PRId64 ", \"messages\": %" PRId64 "}\n",
                      audit->printed > 0 ? "\n " : "", problems ? "false" : "true", problems, audit->partitions,
                      audit->members, audit->journal_rows, audit->entries, audit->lots, audit->due_rows,
                      audit->outbox_rows, audit->counters, audit->revisions_unread, audit->messages);
        return;
    }
    for (int i = 0; i < LOY_AUDIT_CHECK_COUNT; i++) {
        if (audit->problems[i] > audit->show) {
            (void)fprintf(audit->out, "%s: %" PRId64 " problems in all, %" PRId64 " of them shown\n",
                          loy_audit_row((enum loy_audit_check)i)->name, audit->problems[i], audit->show);
        }
    }
    if (audit->revisions_unread > 0) {
        (void)fprintf(audit->out,
                      "budgets: %" PRId64
                      " revisions that granted points cannot be read by this version: what counters "
                      "hold beyond the others' grants is not checked\n",
                      audit->revisions_unread);
    }
    (void)fprintf(audit->out,
                  "audit: %" PRId64 " problems; %d partitions, %" PRId64 " members, %" PRId64 " journal rows, %" PRId64
                  " entries, %" PRId64 " lots, %" PRId64 " due, %" PRId64 " outbox rows, %" PRId64 " counters, %" PRId64
                  " messages\n",
                  problems, audit->partitions, audit->members, audit->journal_rows, audit->entries, audit->lots,
                  audit->due_rows, audit->outbox_rows, audit->counters, audit->messages);
}

enum loy_exit loy_cmd_audit(const struct loy_call *call)
{
    struct loy_audit audit = {.out = stdout, .json = loy_call_flag(call, "json")};
    struct loy_error error = {0};
    enum loy_err err = loy_call_number(call, "show", 0, INT64_MAX, &audit.show, &error);
    err = err ? err : loy_query_open(call->config->postgres, "loyalctl audit", &audit.query, &error);
    if (!err && audit.json) {
        (void)fputs("{\"problems\": [", audit.out);
    }
    err = err ? err : check(call, &audit, &error);
    if (!err) {
        summarize(&audit);
    }
    loy_query_close(audit.query);
    free(audit.rows);
    free(audit.outbox_empty);
    if (err) {
        return loy_call_failed(call, &error);
    }
    return loy_audit_problem_count(&audit) > 0 ? LOY_EXIT_FAILED : LOY_EXIT_OK;
}
