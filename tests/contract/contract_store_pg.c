/* The contract of the store on the real adapter: store_pg OWNER [WORKER]
 * OWNER: conninfo of a migrated database that nobody else uses; its tables are emptied. WORKER: conninfo of the stores,
 * where their login is another one. */
#include "contract/contract_store.h"

#include "adapters/pg/pg.h"
#include "contract/proxy.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct database {
    const char *conninfo; /* of the stores, not through the proxy */
    char through_proxy[1024];
    struct proxy *proxy;
    PGconn *direct;
};

static void sql(struct database *database, const char *text)
{
    PGresult *result = PQexec(database->direct, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "%s: %s", text, PQerrorMessage(database->direct));
        exit(2);
    }
    PQclear(result);
}

static void reset(void *self)
{
    struct database *database = self;
    char text[1024];
    sql(database, "TRUNCATE partition, member, journal, outbox, due, counter, programme_revision");
    sql(database, "INSERT INTO programme_revision VALUES (1, '-infinity', 'shop', 'contract', 'first')");
    (void)snprintf(text, sizeof text,
                   "INSERT INTO partition (k, start_offset, next_offset, outcome_totals) "
                   "SELECT k, array_fill(0::bigint, ARRAY[%d]), array_fill(0::bigint, ARRAY[%d]), "
                   "array_fill(0::bigint, ARRAY[%d]) FROM generate_series(0, %d) AS k",
                   CONTRACT_TOPICS, CONTRACT_TOPICS, CONTRACT_TOPICS * LOY_OUTCOME_COUNT, CONTRACT_PARTITIONS - 1);
    sql(database, text);
    (void)snprintf(text, sizeof text,
                   "INSERT INTO counter SELECT id, 'budget ' || id FROM generate_series(1, %d) AS id",
                   CONTRACT_COUNTERS);
    sql(database, text);
}

static struct loy_store open_store(void *self)
{
    struct database *database = self;
    struct loy_pg *pg;
    struct loy_error error;
    struct loy_pg_options options = {.conninfo = database->through_proxy, .statement_timeout_ms = 5000};
    if (loy_pg_new(&options, &pg, &error)) {
        (void)fprintf(stderr, "%s\n", error.detail);
        exit(2);
    }
    return loy_pg_store(pg);
}

static void close_store(void *self, struct loy_store store)
{
    (void)self;
    loy_pg_destroy(store.self);
}

static void add_revision(void *self, int32_t number, int64_t from_us)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "INSERT INTO programme_revision VALUES (%d, timestamptz 'epoch' + %lld * interval '1 us', "
                   "'shop', 'contract', 'next')",
                   number, (long long)from_us);
    sql(self, text);
}

/* The beginning of a commit's pipeline, and then silence: the server waits for the next message, inside a transaction.
 */
static void *stall(void *self, int32_t k)
{
    struct database *database = self;
    PGconn *conn = PQconnectdb(database->conninfo);
    char text[128];
    (void)snprintf(text, sizeof text, "UPDATE partition SET attempts = attempts WHERE k = %d", k);
    if (PQenterPipelineMode(conn) != 1 || !PQsendQueryParams(conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0) ||
        !PQsendQueryParams(conn, text, 0, NULL, NULL, NULL, NULL, 0) || PQsendFlushRequest(conn) != 1 ||
        PQflush(conn) != 0) {
        (void)fprintf(stderr, "stall: %s", PQerrorMessage(conn));
        exit(2);
    }
    for (int answers = 0; answers < 2; answers++) {
        PQclear(PQgetResult(conn));
        PQclear(PQgetResult(conn));
    }
    return conn;
}

static bool has_ended(void *self, void *stalled)
{
    (void)self;
    PGconn *conn = stalled;
    bool ended = false;
    for (int i = 0; i < 200 && !ended; i++) { /* the backend ends a little after it was told to */
        ended = !PQconsumeInput(conn);
        usleep(ended ? 0 : 10 * 1000);
    }
    PQfinish(conn);
    return ended;
}

static void lose_replies(void *self, bool lost)
{
    struct database *database = self;
    proxy_set(database->proxy, lost ? PROXY_LOSE_REPLIES : PROXY_FORWARD);
}

static void take_away(void *self, bool away)
{
    struct database *database = self;
    proxy_set(database->proxy, away ? PROXY_AWAY : PROXY_FORWARD);
}

static void swallow(void *self, bool swallowed)
{
    struct database *database = self;
    proxy_set(database->proxy, swallowed ? PROXY_BLACK_HOLE : PROXY_FORWARD);
}

static bool connect_owner(struct database *database, const char *conninfo)
{
    database->direct = PQconnectdb(conninfo);
    if (PQstatus(database->direct) != CONNECTION_OK) {
        (void)fprintf(stderr, "%s", PQerrorMessage(database->direct));
        return false;
    }
    sql(database, "SET client_min_messages = warning");
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        (void)fprintf(stderr, "usage: store_pg OWNER [WORKER]\n");
        return 2;
    }
    struct database database = {.conninfo = argv[argc - 1]};
    char folder[] = "/tmp/loyald-contract-XXXXXX";
    if (!connect_owner(&database, argv[1]) || !mkdtemp(folder)) {
        return 2;
    }
    (void)snprintf(database.through_proxy, sizeof database.through_proxy, "%s host=%s", database.conninfo, folder);
    database.proxy = proxy_new(folder, PQhost(database.direct), PQport(database.direct));
    const struct loy_store_maker maker = {
        .self = &database,
        .reset = reset,
        .open = open_store,
        .close = close_store,
        .add_revision = add_revision,
        .stall = stall,
        .has_ended = has_ended,
        .lose_replies = lose_replies,
        .take_away = take_away,
        .swallow = swallow,
        .refuses_bad_text = true,
    };
    int failed = contract_store_run(&maker);
    proxy_destroy(database.proxy);
    (void)rmdir(folder);
    PQfinish(database.direct);
    return failed != 0;
}
