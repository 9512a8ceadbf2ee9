#include "adapters/pg/pg.h"

#include "adapters/pg/connect.h"
#include "adapters/pg/link.h"
#include "adapters/pg/requests.h"
#include "runtime/failpoint.h"
#include "runtime/region.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ARENA_BYTES = 64 << 20,
    ARENA_KEPT_BYTES = 8 << 20, /* after a larger batch, the rest goes back to the system */
    CONNECT_TIMEOUT_MS = 10000,
    STATEMENT_TIMEOUT_MS = 30000,
};

enum phase {
    PHASE_IDLE,        /* no request */
    PHASE_CONNECTING,  /* a request waits for the link */
    PHASE_RUNNING,     /* its pipeline is under way */
    PHASE_ROLLING_BACK /* it failed inside its transaction, which is being ended */
};

struct loy_pg {
    char *conninfo;
    int64_t statement_timeout_us;
    struct loy_pg_link link;
    struct loy_region region;
    struct loy_arena arena;

    enum phase phase;
    struct loy_store_request request;
    struct loy_pg_pipe pipe;
    unsigned reading;   /* index into pipe.sent of the statement whose result comes next */
    bool commit_queued; /* COMMIT was given to libpq: it may be received at any time */
    bool committed;     /* COMMIT was answered */
    bool has_failed;    /* `result` holds a failure already */
    bool has_result;    /* not yet polled */
    bool unflushed;     /* libpq has bytes left to write */
    int64_t deadline_us;
    PGresult *rows[LOY_PG_STATEMENT_COUNT]; /* of statements that return some; freed at the next submit */
    struct loy_store_result result;
};

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- results
 * ----------------------------------------------------------------------------------------------------------- */

static void fail(struct loy_pg *pg, enum loy_store_status status, enum loy_err code, const char *what,
                 const char *message)
{
    if (pg->has_failed) {
        return;
    }
    char text[LOY_ERROR_DETAIL_MAX / 2];
    loy_pg_message(message, text, sizeof text);
    pg->has_failed = true;
    pg->result.status = status;
    pg->result.commit_unknown =
        status == LOY_STORE_OUTAGE && pg->request.kind == LOY_STORE_COMMIT && pg->commit_queued && !pg->committed;
    (void)loy_error_set(&pg->result.error, code, "postgres: %s: %s", what, text);
}

static enum loy_err code_of(enum loy_store_status status)
{
    switch (status) {
    case LOY_STORE_OUTAGE:
        return LOY_ERR_UNAVAILABLE;
    case LOY_STORE_POISON:
        return LOY_ERR_POISON;
    case LOY_STORE_GUARD:
        return LOY_ERR_AGAIN;
    default:
        return LOY_ERR_INTERNAL;
    }
}

/* The server refused a statement. Its detail line may quote a customer's data: only the primary message is kept. */
static void fail_statement(struct loy_pg *pg, enum loy_pg_statement statement, const PGresult *refusal)
{
    if (pg->has_failed) {
        return;
    }
    const char *sqlstate = PQresultErrorField(refusal, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(refusal, PG_DIAG_MESSAGE_PRIMARY);
    enum loy_guard guard;
    enum loy_store_status status = loy_pg_judge(statement, sqlstate ? sqlstate : "", &guard);
    fail(pg, status, code_of(status), loy_pg_statement_name(statement), message ? message : "the connection was lost");
    pg->result.guard = guard;
    pg->link.keeps = pg->link.keeps && !(sqlstate && loy_pg_is_of_a_pooler(sqlstate));
    (void)strncpy(pg->result.sqlstate, sqlstate ? sqlstate : "", sizeof pg->result.sqlstate - 1);
    /* An error before COMMIT is the transaction's end: then nothing was written. Only where COMMIT itself was cut short
     * does nobody know; a refusal of it by the database's own rules (a deadlock, a full disk) is an answer. */
    bool answered = statement != LOY_PG_COMMIT || (sqlstate && !loy_pg_ends_connection(sqlstate) &&
                                                   status != LOY_STORE_FATAL && strcmp(sqlstate, "40003") != 0);
    if (sqlstate && answered) {
        pg->result.commit_unknown = false;
    }
}

static const struct {
    enum loy_pg_statement statement;
    enum loy_err (*read)(const PGresult *rows, struct loy_arena *arena, struct loy_store_result *result);
} readers[] = {
    {LOY_PG_ACQUIRE, loy_pg_read_partitions}, {LOY_PG_ACQUIRE_OUTBOX, loy_pg_read_outbox},
    {LOY_PG_LOAD, loy_pg_read_members},       {LOY_PG_LOAD_COUNTERS, loy_pg_read_counters},
    {LOY_PG_FIND, loy_pg_read_found},         {LOY_PG_DUE_SCAN, loy_pg_read_due},
};

static void read_rows(struct loy_pg *pg)
{
    loy_arena_reset(&pg->arena);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        PGresult *rows = pg->rows[readers[i].statement];
        if (!rows) {
            continue;
        }
        enum loy_err err = readers[i].read(rows, &pg->arena, &pg->result);
        if (err) {
            pg->has_failed = true;
            pg->result.status = LOY_STORE_FATAL;
            return;
        }
    }
}

/* --- sending
 * ----------------------------------------------------------------------------------------------------------- */

static enum loy_err send_request(struct loy_pg *pg)
{
    switch (pg->request.kind) {
    case LOY_STORE_COMMIT:
        return loy_pg_send_commit(&pg->pipe, &pg->request.commit);
    case LOY_STORE_ACQUIRE:
        return loy_pg_send_acquire(&pg->pipe, &pg->request.acquire);
    case LOY_STORE_LOAD:
        return loy_pg_send_load(&pg->pipe, &pg->request.load);
    case LOY_STORE_FIND:
        return loy_pg_send_find(&pg->pipe, &pg->request.find);
    case LOY_STORE_DUE:
        return loy_pg_send_due(&pg->pipe, &pg->request.due);
    case LOY_STORE_RELEASE:
        return loy_pg_send_release(&pg->pipe, &pg->request.release);
    case LOY_STORE_MARK:
        return loy_pg_send_mark(&pg->pipe, &pg->request.mark);
    }
    return LOY_ERR_INTERNAL;
}

static enum loy_err send_pipeline(struct loy_pg *pg)
{
    pg->pipe = (struct loy_pg_pipe){.conn = pg->link.conn,
                                    .arena = &pg->arena,
                                    .types = &pg->link.types,
                                    .labels = pg->link.keeps ? &pg->link.labels : NULL};
    pg->reading = 0;
    loy_region_reset(&pg->region, &pg->arena, ARENA_KEPT_BYTES);
    enum loy_err err = loy_pg_send(&pg->pipe, LOY_PG_BEGIN, NULL);
    err = err ? err : loy_pg_send(&pg->pipe, LOY_PG_SETTINGS, NULL);
    err = err ? err : send_request(pg);
#ifdef LOY_FAILPOINTS
    (void)PQflush(pg->link.conn); /* what was sent so far shall be at work when the point strikes */
    err = err || pg->request.kind != LOY_STORE_COMMIT ? err : LOY_FAILPOINT("pipeline");
#endif
    if (err) {
        return err;
    }
    pg->commit_queued = true;
    err = loy_pg_send(&pg->pipe, LOY_PG_COMMIT, NULL);
    return err || PQpipelineSync(pg->link.conn) ? err : LOY_ERR_UNAVAILABLE;
}

static void finish(struct loy_pg *pg)
{
    pg->phase = PHASE_IDLE;
    pg->has_result = true;
    if (!pg->has_failed) {
        pg->result.status = LOY_STORE_DONE;
        read_rows(pg);
    }
}

static void lose_connection(struct loy_pg *pg, const char *message)
{
    if (!pg->committed) {
        fail(pg, LOY_STORE_OUTAGE, LOY_ERR_UNAVAILABLE, "connection", message);
    }
    loy_pg_link_drop(&pg->link, now_us(), false);
    finish(pg);
}

static void run(struct loy_pg *pg)
{
    enum loy_err err = send_pipeline(pg);
    if (err == LOY_ERR_NO_MEMORY) {
        fail(pg, LOY_STORE_FATAL, err, "request", "the store's arena is too small for it");
        loy_pg_link_drop(&pg->link, now_us(), false);
        finish(pg);
    } else if (err) {
        lose_connection(pg, PQerrorMessage(pg->link.conn));
    } else {
        pg->phase = PHASE_RUNNING;
        pg->unflushed = true; /* as far as we know: exchange looks */
        pg->deadline_us = now_us() + pg->statement_timeout_us;
    }
}

/* The failed transaction still stands open: end it, so that it holds no lock while the caller thinks. */
static void roll_back(struct loy_pg *pg)
{
    pg->pipe.sent_count = 0;
    pg->reading = 0;
    if (loy_pg_send(&pg->pipe, LOY_PG_ROLLBACK, NULL) || !PQpipelineSync(pg->link.conn)) {
        lose_connection(pg, PQerrorMessage(pg->link.conn));
        return;
    }
    pg->phase = PHASE_ROLLING_BACK;
}

/* --- receiving
 * --------------------------------------------------------------------------------------------------------- */

static void take_answer(struct loy_pg *pg, enum loy_pg_statement statement, PGresult *answer)
{
    switch (PQresultStatus(answer)) {
    case PGRES_TUPLES_OK:
        PQclear(pg->rows[statement]);
        pg->rows[statement] = answer;
        return;
    case PGRES_COMMAND_OK:
        if (statement == LOY_PG_COMMIT) {
            pg->committed = strcmp(PQcmdStatus(answer), "COMMIT") == 0;
            if (!pg->committed) {
                fail(pg, LOY_STORE_FATAL, LOY_ERR_INTERNAL, "commit", "the transaction had been rolled back");
            }
        }
        break;
    case PGRES_PIPELINE_ABORTED:
        break; /* an earlier statement of the pipeline said why */
    default:
        fail_statement(pg, statement, answer);
    }
    PQclear(answer);
}

static void take_sync(struct loy_pg *pg)
{
    if (PQtransactionStatus(pg->link.conn) != PQTRANS_IDLE && pg->phase == PHASE_RUNNING) {
        roll_back(pg);
        return;
    }
    if (pg->has_failed && loy_pg_ends_connection(pg->result.sqlstate)) {
        loy_pg_link_drop(&pg->link, now_us(), false);
    }
    finish(pg);
}

static void receive(struct loy_pg *pg)
{
    PGconn *conn = pg->link.conn;
    while ((pg->phase == PHASE_RUNNING || pg->phase == PHASE_ROLLING_BACK) && !PQisBusy(conn)) {
        PGresult *answer = PQgetResult(conn);
        if (PQresultStatus(answer) == PGRES_PIPELINE_SYNC) {
            PQclear(answer);
            take_sync(pg);
        } else if (pg->reading == pg->pipe.sent_count) {
            PQclear(answer); /* nothing is owed but the sync: only a lost connection says more */
            return;
        } else if (answer) {
            take_answer(pg, pg->pipe.sent[pg->reading], answer);
        } else {
            pg->reading++; /* the end of one statement's results */
        }
    }
}

static void exchange(struct loy_pg *pg)
{
    PGconn *conn = pg->link.conn;
    /* Even when writing failed, there may be an answer to read that says why. */
    bool alive = PQflush(conn) >= 0;
    alive = PQconsumeInput(conn) && alive;
    receive(pg);
    if (pg->phase == PHASE_IDLE) {
        return;
    }
    if (!alive || PQstatus(conn) == CONNECTION_BAD) {
        lose_connection(pg, PQerrorMessage(conn));
    } else if (now_us() >= pg->deadline_us) {
        lose_connection(pg, "no answer in time");
    } else {
        pg->unflushed = PQflush(conn) == 1;
    }
}

/* The worker asks much more often than anything happens, and libpq tries to write and read each time. Of an encrypted
 * connection the socket does not tell: what it gave may still be in a library. */
static bool may_exchange(const struct loy_pg *pg)
{
    PGconn *conn = pg->link.conn;
    struct pollfd fd = {.fd = PQsocket(conn), .events = (short)(pg->unflushed ? POLLIN | POLLOUT : POLLIN)};
    return fd.fd < 0 || PQsslInUse(conn) || PQgssEncInUse(conn) || poll(&fd, 1, 0) != 0 || now_us() >= pg->deadline_us;
}

/* --- the port
 * ---------------------------------------------------------------------------------------------------------- */

static enum loy_err submit(void *self, const struct loy_store_request *request)
{
    struct loy_pg *pg = self;
    if (pg->phase != PHASE_IDLE || pg->has_result) {
        return LOY_ERR_AGAIN;
    }
    for (size_t i = 0; i < LOY_PG_STATEMENT_COUNT; i++) {
        PQclear(pg->rows[i]);
        pg->rows[i] = NULL;
    }
    pg->request = *request;
    pg->result = (struct loy_store_result){0};
    pg->has_failed = pg->committed = pg->commit_queued = pg->unflushed = false;
    if (loy_pg_link_is_stale(&pg->link)) {
        loy_pg_link_drop(&pg->link, now_us(), false);
    }
    pg->phase = PHASE_CONNECTING;
    if (pg->link.state == LOY_PG_LINK_READY) {
        run(pg);
        if (pg->phase == PHASE_RUNNING) {
            exchange(pg);
        }
    }
    return LOY_OK;
}

static bool poll_result(void *self, struct loy_store_result *ret_result)
{
    struct loy_pg *pg = self;
    if (pg->phase == PHASE_CONNECTING) {
        struct loy_error error;
        enum loy_err err = loy_pg_link_step(&pg->link, pg->conninfo, now_us(), &error);
        if (err) {
            pg->has_failed = true;
            pg->result.status = err == LOY_ERR_UNAVAILABLE ? LOY_STORE_OUTAGE : LOY_STORE_FATAL;
            pg->result.error = error;
            finish(pg);
        } else if (pg->link.state == LOY_PG_LINK_READY) {
            run(pg);
        }
    }
    if ((pg->phase == PHASE_RUNNING || pg->phase == PHASE_ROLLING_BACK) && may_exchange(pg)) {
        exchange(pg);
    }
    if (!pg->has_result) {
        return false;
    }
    pg->has_result = false;
    *ret_result = pg->result;
    return true;
}

static void wait_on(void *self, int *ret_fd, short *ret_events)
{
    const struct loy_pg *pg = self;
    *ret_fd = -1;
    *ret_events = 0;
    if (pg->phase == PHASE_IDLE || pg->link.state == LOY_PG_LINK_DOWN) {
        return;
    }
    *ret_fd = PQsocket(pg->link.conn);
    *ret_events = pg->phase == PHASE_CONNECTING ? pg->link.events : (short)(pg->unflushed ? POLLIN | POLLOUT : POLLIN);
}

enum loy_err loy_pg_new(const struct loy_pg_options *options, struct loy_pg **ret_pg, struct loy_error *error)
{
    enum loy_err err = loy_pg_check_conninfo(options->conninfo, error);
    if (err) {
        return err;
    }
    struct loy_pg *pg = calloc(1, sizeof *pg);
    if (!pg) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a store");
    }
    pg->conninfo = strdup(options->conninfo);
    err = pg->conninfo ? LOY_OK : loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a store");
    if (!err) {
        size_t bytes = options->arena_bytes ? options->arena_bytes : ARENA_BYTES;
        err = loy_region_map(bytes, &pg->region, error);
    }
    if (err) {
        loy_pg_destroy(pg);
        return err;
    }
    loy_region_arena(&pg->region, &pg->arena);
    uint32_t connect_ms = options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    uint32_t statement_ms = options->statement_timeout_ms ? options->statement_timeout_ms : STATEMENT_TIMEOUT_MS;
    loy_pg_link_init(&pg->link, (int64_t)connect_ms * 1000, (uint64_t)now_us() ^ (uint64_t)(uintptr_t)pg);
    pg->statement_timeout_us = (int64_t)statement_ms * 1000;
    *ret_pg = pg;
    return LOY_OK;
}

void loy_pg_destroy(struct loy_pg *pg)
{
    if (!pg) {
        return;
    }
    for (size_t i = 0; i < LOY_PG_STATEMENT_COUNT; i++) {
        PQclear(pg->rows[i]);
    }
    PQfinish(pg->link.conn);
    loy_region_unmap(&pg->region);
    free(pg->conninfo);
    free(pg);
}

struct loy_store loy_pg_store(struct loy_pg *pg)
{
    return (struct loy_store){.submit = submit, .poll = poll_result, .wait_on = wait_on, .self = pg};
}
