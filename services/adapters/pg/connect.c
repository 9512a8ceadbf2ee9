#include "adapters/pg/connect.h"

#include "runtime/clock.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>

enum { PARAMETERS = 10, ASK_AGAIN_MS = 3000 };

/* What stands before dbname may be overridden by the conninfo, what stands behind may not. A silent network must end in
 * an error here, not in a wait: the time-outs are the connection's, whatever our own are. */
static PGconn *start(const char *conninfo, bool wait)
{
    const char *const keywords[PARAMETERS] = {
        "fallback_application_name",
        "connect_timeout",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "dbname",
        "client_encoding",
        NULL,
    };
    const char *const values[PARAMETERS] = {"loyald", "10", "10", "5", "3", "30000", conninfo, "UTF8", NULL};
    return wait ? PQconnectdbParams(keywords, values, 1) : PQconnectStartParams(keywords, values, 1);
}

enum loy_err loy_pg_check_conninfo(const char *conninfo, struct loy_error *error)
{
    /* libpq takes what has neither = nor a scheme as the name of a database. */
    if (!strchr(conninfo, '=') && !strstr(conninfo, "://")) {
        return LOY_OK;
    }
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    if (!options) {
        return loy_error_set(error, LOY_ERR_CONFIG,
                             "postgres: neither key = value pairs nor a URI that libpq understands");
    }
    PQconninfoFree(options);
    return LOY_OK;
}

PGconn *loy_pg_connect_start(const char *conninfo)
{
    return start(conninfo, false);
}

static void ignore_notice(void *nobody, const PGresult *notice)
{
    (void)nobody;
    (void)notice;
}

/* Drives a connection that was started until it stands, fails, or has taken too long. */
static void finish_connecting(PGconn *conn, int64_t timeout_us)
{
    struct loy_clock clock = loy_clock_of_system();
    int64_t deadline_us = clock.monotonic_us(clock.self) + timeout_us;
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (want == PGRES_POLLING_READING || want == PGRES_POLLING_WRITING) {
        struct pollfd socket = {.fd = PQsocket(conn), .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int64_t left_ms = (deadline_us - clock.monotonic_us(clock.self)) / 1000;
        if (left_ms <= 0 || poll(&socket, 1, (int)left_ms) <= 0) {
            return;
        }
        want = PQconnectPoll(conn);
    }
}

/* Whether the server turned us away for who we are (SQLSTATE class 28: the password, the role, pg_hba.conf). libpq
 * tells the SQLSTATE of a connection that failed only in its message, and only if asked to before: hence a second
 * attempt. */
static bool is_refused(const char *conninfo)
{
    PGconn *conn = start(conninfo, false);
    bool refused = false;
    if (conn && PQstatus(conn) != CONNECTION_BAD) {
        (void)PQsetErrorVerbosity(conn, PQERRORS_SQLSTATE);
        finish_connecting(conn, ASK_AGAIN_MS * INT64_C(1000));
        const char *message = PQerrorMessage(conn);
        refused = PQstatus(conn) == CONNECTION_BAD && (strstr(message, " 28P01") || strstr(message, " 28000"));
    }
    PQfinish(conn);
    return refused;
}

enum loy_err loy_pg_connect(const char *conninfo, PGconn **ret_conn, struct loy_error *error)
{
    enum loy_err err = loy_pg_check_conninfo(conninfo, error);
    if (err) {
        return err;
    }
    PGconn *conn = start(conninfo, true);
    if (PQstatus(conn) != CONNECTION_OK) {
        char text[LOY_ERROR_DETAIL_MAX];
        loy_pg_message(PQerrorMessage(conn), text, sizeof text);
        PQfinish(conn);
        if (is_refused(conninfo)) {
            return loy_error_set(error, LOY_ERR_CONFIG, "postgres: %s", text);
        }
        return loy_error_set(error, LOY_ERR_UNAVAILABLE, "postgres: %s", text[0] ? text : "no memory to connect");
    }
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
    *ret_conn = conn;
    return LOY_OK;
}

void loy_pg_message(const char *message, char *ret_text, size_t size)
{
    size_t length = message ? strlen(message) : 0;
    while (length > 0 && (message[length - 1] == '\n' || message[length - 1] == ' ')) {
        length--;
    }
    length = length < size - 1 ? length : size - 1;
    for (size_t i = 0; i < length; i++) {
        ret_text[i] = message[i] == '\n' ? ' ' : message[i];
    }
    ret_text[length] = '\0';
}
