#include "adapters/pg/installation.h"

#include "adapters/pg/blocking.h"
#include "adapters/pg/connect.h"
#include "adapters/pg/schema.h"
#include "ports/store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two workers that start at once write one after the other. Any number that nobody else uses. */
#define LOCK_SQL "SELECT pg_advisory_xact_lock(7015498211)"

enum { TOPICS_TEXT_MAX = LOY_TOPICS_MAX * 260, NUMBER_TEXT = 16 };

/* What the database must say, as text. */
struct agreed {
    char topics[TOPICS_TEXT_MAX]; /* joined by commas, which no topic's name has */
    char partitions[NUMBER_TEXT];
    char topic_count[NUMBER_TEXT];
    char *group;
};

static void agreed_fini(struct agreed *agreed)
{
    free(agreed->group);
}

static enum loy_err agreed_init(struct agreed *agreed, const struct loy_installation *wanted, struct loy_error *error)
{
    assert(wanted->topic_count > 0 && wanted->topic_count <= LOY_TOPICS_MAX);
    size_t length = 0;
    agreed->topics[0] = '\0';
    for (uint32_t i = 0; i < wanted->topic_count; i++) {
        int more = snprintf(agreed->topics + length, sizeof agreed->topics - length, "%s%.*s", i ? "," : "",
                            LOY_STR_ARG(wanted->topics[i]));
        length += more > 0 ? (size_t)more : 0;
        if (length >= sizeof agreed->topics) {
            return loy_error_set(error, LOY_ERR_CONFIG, "topics: their names are too long together");
        }
    }
    (void)snprintf(agreed->partitions, sizeof agreed->partitions, "%" PRId32, wanted->partitions);
    (void)snprintf(agreed->topic_count, sizeof agreed->topic_count, "%" PRIu32, wanted->topic_count);
    agreed->group = strndup(wanted->group.at ? wanted->group.at : "", wanted->group.len);
    if (!agreed->group) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the installation");
    }
    return LOY_OK;
}

static enum loy_err differ(const char *what, const char *theirs, const char *ours, struct loy_error *error)
{
    return loy_error_set(error, LOY_ERR_MISMATCH,
                         "installation: its %s %.150s, this program was started with %.150s: these never change after "
                         "the first start",
                         what, theirs, ours);
}

static enum loy_err check_encoding(PGconn *conn, struct loy_error *error)
{
    const char *encoding = PQparameterStatus(conn, "server_encoding");
    if (encoding && strcmp(encoding, "UTF8") == 0) {
        return LOY_OK;
    }
    return loy_error_set(error, LOY_ERR_MISMATCH, "the database %s has the encoding %s: loyald needs UTF8", PQdb(conn),
                         encoding ? encoding : "(unknown)");
}

static enum loy_err write_first(PGconn *conn, const struct agreed *agreed, struct loy_error *error)
{
    const char *row[] = {agreed->topics, agreed->partitions, agreed->group};
    enum loy_err err = loy_pg_exec(conn, "installation",
                                   "INSERT INTO installation (topics, partitions, group_id) "
                                   "VALUES (string_to_array($1, ','), $2::int, $3)",
                                   3, row, NULL, error);
    if (err) {
        return err;
    }
    const char *counts[] = {agreed->partitions, agreed->topic_count};
    return loy_pg_exec(conn, "partitions",
                       "INSERT INTO partition (k, start_offset, next_offset, outcome_totals) "
                       "SELECT k, array_fill(0::bigint, ARRAY[$2::int]), array_fill(0::bigint, ARRAY[$2::int]), "
                       "array_fill(0::bigint, ARRAY[6 * $2::int]) FROM generate_series(0, $1::int - 1) AS k",
                       2, counts, NULL, error);
}

static enum loy_err compare(const PGresult *row, const struct agreed *agreed, struct loy_error *error)
{
    const char *topics = PQgetvalue(row, 0, 0);
    const char *partitions = PQgetvalue(row, 0, 1);
    const char *group = PQgetvalue(row, 0, 2);
    if (strcmp(topics, agreed->topics) != 0) {
        return differ("topics are", topics, agreed->topics, error);
    }
    if (strcmp(partitions, agreed->partitions) != 0) {
        return differ("number of partitions is", partitions, agreed->partitions, error);
    }
    if (strcmp(group, agreed->group) != 0) {
        return differ("group is", group, agreed->group, error);
    }
    if (strcmp(PQgetvalue(row, 0, 5), agreed->partitions) != 0) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "installation: %s partitions, but %s rows of them", partitions,
                             PQgetvalue(row, 0, 5));
    }
    return LOY_OK;
}

/* One row, or none: topics, partitions, group, incarnation, newest revision, rows of partition. */
static enum loy_err read_row(PGconn *conn, PGresult **ret_row, struct loy_error *error)
{
    return loy_pg_exec(conn, "installation",
                       "SELECT array_to_string(topics, ','), partitions, group_id, incarnation, "
                       "coalesce((SELECT max(number) FROM programme_revision), 0), "
                       "(SELECT count(*) FROM partition) FROM installation",
                       0, NULL, ret_row, error);
}

/* Inside a transaction. */
static enum loy_err agree(PGconn *conn, const struct agreed *agreed, bool create,
                          struct loy_installation_state *ret_state, struct loy_error *error)
{
    PGresult *row = NULL;
    bool created = false;
    enum loy_err err = create ? loy_pg_exec(conn, "installation", LOCK_SQL, 0, NULL, NULL, error) : LOY_OK;
    err = err ? err : read_row(conn, &row, error);
    if (!err && PQntuples(row) == 0) {
        PQclear(row);
        row = NULL;
        err = create ? write_first(conn, agreed, error)
                     : loy_error_set(error, LOY_ERR_NOT_FOUND,
                                     "the database %s has no installation yet: start a worker first", PQdb(conn));
        created = create;
        err = err ? err : read_row(conn, &row, error);
    }
    err = err ? err : compare(row, agreed, error);
    if (!err) {
        ret_state->incarnation = (int32_t)strtol(PQgetvalue(row, 0, 3), NULL, 10);
        ret_state->newest_revision = (int32_t)strtol(PQgetvalue(row, 0, 4), NULL, 10);
        ret_state->created = created;
    }
    PQclear(row);
    return err;
}

enum loy_err loy_installation_agree(const char *conninfo, const struct loy_installation *wanted, bool create,
                                    struct loy_installation_state *ret_state, struct loy_error *error)
{
    struct agreed agreed = {.group = NULL};
    struct loy_installation_state found;
    PGconn *conn = NULL;
    enum loy_err err = agreed_init(&agreed, wanted, error);
    err = err ? err : loy_pg_connect(conninfo, &conn, error);
    err = err ? err : check_encoding(conn, error);
    err = err ? err : loy_pg_schema_check(conn, error);
    err = err ? err : loy_pg_exec(conn, "begin", "BEGIN ISOLATION LEVEL READ COMMITTED", 0, NULL, NULL, error);
    err = err ? err : agree(conn, &agreed, create, &found, error);
    err = err ? err : loy_pg_exec(conn, "commit", "COMMIT", 0, NULL, NULL, error);
    if (!err) {
        *ret_state = found;
    }
    PQfinish(conn);
    agreed_fini(&agreed);
    return err;
}
