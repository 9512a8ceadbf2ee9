#include "adapters/pg/schema.h"

#include "adapters/pg/blocking.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* One for each file of migrations/; a unit test compares. */
static const char *const versions[] = {
    "20261122000001", /* ledger */
    "20261122000002", /* acquire */
    "20261122000003", /* roles */
    "20261122000004", /* levels */
    "20261122000005", /* joined lots */
    "20261122000006", /* commit */
    "20261122000007", /* zones */
    "20261122000008", /* statistics */
    "20261122000009", /* new due */
    "20261122000010", /* compressed outbox */
    "20261122000011", /* arrays by number */
    "20261122000012", /* sooner acquire */
};

enum { VERSIONS = sizeof versions / sizeof *versions };

const char *loy_pg_schema_version(unsigned i)
{
    return i < VERSIONS ? versions[i] : NULL;
}

static bool is_known(const char *version)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        if (strcmp(versions[i], version) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_applied(const PGresult *applied, const char *version)
{
    for (int i = 0; i < PQntuples(applied); i++) {
        if (strcmp(PQgetvalue(applied, i, 0), version) == 0) {
            return true;
        }
    }
    return false;
}

static enum loy_err compare(const PGresult *applied, struct loy_error *error)
{
    for (size_t i = 0; i < VERSIONS; i++) {
        if (!is_applied(applied, versions[i])) {
            return loy_error_set(error, LOY_ERR_MISMATCH,
                                 "the database lacks migration %s: run `loyalctl migrate up` first", versions[i]);
        }
    }
    for (int i = 0; i < PQntuples(applied); i++) {
        if (!is_known(PQgetvalue(applied, i, 0))) {
            return loy_error_set(error, LOY_ERR_MISMATCH,
                                 "the database has migration %s, which is newer than this program: start the release "
                                 "that it came with, or run that release's `loyalctl migrate down`",
                                 PQgetvalue(applied, i, 0));
        }
    }
    return LOY_OK;
}

enum loy_err loy_pg_schema_check(PGconn *conn, struct loy_error *error)
{
    PGresult *rows;
    enum loy_err err =
        loy_pg_exec(conn, "schema", "SELECT to_regclass('schema_migrations') IS NOT NULL", 0, NULL, &rows, error);
    if (err) {
        return err;
    }
    bool exists = PQgetvalue(rows, 0, 0)[0] == 't';
    PQclear(rows);
    if (!exists) {
        return loy_error_set(error, LOY_ERR_MISMATCH,
                             "the database %s has no tables of loyald: run `loyalctl migrate up` first", PQdb(conn));
    }
    err = loy_pg_exec(conn, "schema", "SELECT version FROM schema_migrations ORDER BY version", 0, NULL, &rows, error);
    if (err) {
        return err;
    }
    err = compare(rows, error);
    PQclear(rows);
    return err;
}
