#include "adapters/pg/link.h"

#include "adapters/pg/connect.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BACKOFF_FIRST_US = 50 * 1000,
    BACKOFF_LAST_US = 1000 * 1000,
};

static bool is_readable(const PGconn *conn, short events)
{
    struct pollfd fd = {.fd = PQsocket(conn), .events = events};
    return fd.fd < 0 || poll(&fd, 1, 0) != 0;
}

void loy_pg_link_init(struct loy_pg_link *link, int64_t connect_timeout_us, uint64_t seed)
{
    *link = (struct loy_pg_link){.connect_timeout_us = connect_timeout_us, .keeps = true};
    for (int i = 0; i < LOY_PG_STATEMENT_COUNT; i++) {
        loy_pg_statement_label((enum loy_pg_statement)i, link->labels.of[i]);
    }
    loy_backoff_init(&link->backoff, BACKOFF_FIRST_US, BACKOFF_LAST_US, seed);
}

void loy_pg_link_drop(struct loy_pg_link *link, int64_t now_us, bool failed)
{
    PQfinish(link->conn);
    link->conn = NULL;
    link->state = LOY_PG_LINK_DOWN;
    link->not_before_us = now_us;
    if (!failed) {
        return;
    }
    link->not_before_us += loy_backoff_next_us(&link->backoff);
}

static enum loy_err give_up(struct loy_pg_link *link, int64_t now_us, const char *reason, struct loy_error *error)
{
    char text[LOY_ERROR_DETAIL_MAX];
    loy_pg_message(reason, text, sizeof text);
    loy_pg_link_drop(link, now_us, true);
    return loy_error_set(error, LOY_ERR_UNAVAILABLE, "postgres: %s", text[0] ? text : "the connection was lost");
}

static void ignore_notice(void *nobody, const PGresult *notice)
{
    (void)nobody;
    (void)notice;
}

static enum loy_err start(struct loy_pg_link *link, const char *conninfo, int64_t now_us, struct loy_error *error)
{
    link->conn = loy_pg_connect_start(conninfo);
    if (!link->conn || PQstatus(link->conn) == CONNECTION_BAD) {
        return give_up(link, now_us, PQerrorMessage(link->conn), error);
    }
    link->state = LOY_PG_LINK_CONNECTING;
    link->events = POLLOUT;
    link->deadline_us = now_us + link->connect_timeout_us;
    return LOY_OK;
}

/* A commit is 1 MB and more. What the socket does not take at once libpq moves to the front of its buffer, each time it
 * tries again, and each time costs us and PostgreSQL a wake-up. Over TCP the kernel sees to it itself; what it does not
 * allow here (net.core.wmem_max) is cut. */
static void take_whole_commits(const PGconn *conn)
{
    const int bytes = 2 << 20;
    struct sockaddr_storage name = {0};
    socklen_t length = sizeof name;
    int fd = PQsocket(conn);
    if (getsockname(fd, (struct sockaddr *)&name, &length) == 0 && name.ss_family == AF_UNIX) {
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
}

/* The types of its parameters are those of the function that each calls. */
static bool send_kept(struct loy_pg_link *link)
{
    for (int i = 0; link->keeps && i < LOY_PG_STATEMENT_COUNT; i++) {
        enum loy_pg_statement statement = (enum loy_pg_statement)i;
        if (loy_pg_statement_is_kept(statement) &&
            !PQsendPrepare(link->conn, link->labels.of[i], loy_pg_statement_sql(statement), 0, NULL)) {
            return false;
        }
    }
    return true;
}

static enum loy_err ask_types(struct loy_pg_link *link, int64_t now_us, struct loy_error *error)
{
    PQsetNoticeReceiver(link->conn, ignore_notice, NULL);
    take_whole_commits(link->conn);
    if (PQsetnonblocking(link->conn, 1) != 0 || !PQenterPipelineMode(link->conn) ||
        !PQsendQueryParams(link->conn, loy_pg_statement_sql(LOY_PG_TYPES), 0, NULL, NULL, NULL, NULL, 1) ||
        !send_kept(link) || !PQpipelineSync(link->conn)) {
        return give_up(link, now_us, PQerrorMessage(link->conn), error);
    }
    link->state = LOY_PG_LINK_TYPES;
    link->types_read = false;
    return LOY_OK;
}

static enum loy_err connect_more(struct loy_pg_link *link, int64_t now_us, struct loy_error *error)
{
    switch (PQconnectPoll(link->conn)) {
    case PGRES_POLLING_READING:
        link->events = POLLIN;
        return LOY_OK;
    case PGRES_POLLING_WRITING:
        link->events = POLLOUT;
        return LOY_OK;
    case PGRES_POLLING_OK:
        return ask_types(link, now_us, error);
    default:
        return give_up(link, now_us, PQerrorMessage(link->conn), error);
    }
}

/* A refusal of the question itself (class 42) is a database that is not ours; everything else is an outage. */
static enum loy_err refused_types(struct loy_pg_link *link, const PGresult *result, int64_t now_us,
                                  struct loy_error *error)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (sqlstate && loy_pg_is_of_a_pooler(sqlstate)) {
        link->keeps = false;
        return LOY_OK;
    }
    if (!sqlstate || strncmp(sqlstate, "42", 2) != 0) {
        return give_up(link, now_us, PQresultErrorMessage(result), error);
    }
    loy_pg_link_drop(link, now_us, true);
    return loy_error_set(error, LOY_ERR_MISMATCH,
                         "postgres: loyald's tables are not in this database: run `loyalctl migrate up`");
}

static enum loy_err read_types(struct loy_pg_link *link, int64_t now_us, struct loy_error *error)
{
    int left = PQflush(link->conn);
    if (left < 0 || !PQconsumeInput(link->conn)) {
        return give_up(link, now_us, PQerrorMessage(link->conn), error);
    }
    link->events = left ? POLLIN | POLLOUT : POLLIN;
    while (link->state == LOY_PG_LINK_TYPES && !PQisBusy(link->conn)) {
        PGresult *result = PQgetResult(link->conn);
        enum loy_err err = LOY_OK;
        switch (PQresultStatus(result)) {
        case PGRES_TUPLES_OK:
            err = loy_pg_read_types(result, &link->types);
            link->types_read = err == LOY_OK;
            break;
        case PGRES_COMMAND_OK:
        case PGRES_PIPELINE_ABORTED: /* what came before it said why */
            break;
        case PGRES_PIPELINE_SYNC:
            link->state = LOY_PG_LINK_READY;
            loy_backoff_reset(&link->backoff);
            break;
        default:
            if (result) {
                err = refused_types(link, result, now_us, error);
            } else if (PQstatus(link->conn) == CONNECTION_BAD) {
                err = give_up(link, now_us, PQerrorMessage(link->conn), error);
            }
        }
        PQclear(result);
        if (err) {
            return err;
        }
    }
    return LOY_OK;
}

enum loy_err loy_pg_link_step(struct loy_pg_link *link, const char *conninfo, int64_t now_us, struct loy_error *error)
{
    if (link->state == LOY_PG_LINK_READY || (link->state == LOY_PG_LINK_DOWN && now_us < link->not_before_us)) {
        return LOY_OK;
    }
    if (link->state != LOY_PG_LINK_DOWN && now_us >= link->deadline_us) {
        return give_up(link, now_us, "no answer while connecting", error);
    }
    enum loy_err err = LOY_OK;
    if (link->state == LOY_PG_LINK_DOWN) {
        err = start(link, conninfo, now_us, error);
    }
    while (!err && link->state == LOY_PG_LINK_CONNECTING && is_readable(link->conn, link->events)) {
        err = connect_more(link, now_us, error);
    }
    if (!err && link->state == LOY_PG_LINK_TYPES) {
        err = read_types(link, now_us, error);
    }
    return err;
}

bool loy_pg_link_is_stale(const struct loy_pg_link *link)
{
    return link->state == LOY_PG_LINK_READY &&
           (PQstatus(link->conn) != CONNECTION_OK || is_readable(link->conn, POLLIN));
}
