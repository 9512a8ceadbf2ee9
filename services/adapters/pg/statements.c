#include "adapters/pg/statements.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name;
    enum loy_guard guard;
    const char *broken;
    const char *sql;
} table[LOY_PG_STATEMENT_COUNT] = {
#define LOY_PG_STATEMENT_ROW(symbol, name_, guard_, broken_, sql_)                                                     \
    [LOY_PG_##symbol] = {name_, LOY_GUARD_##guard_, broken_, sql_},
    LOY_PG_STATEMENTS(LOY_PG_STATEMENT_ROW)
#undef LOY_PG_STATEMENT_ROW
};

/* First match wins: what begins so means that. Anything that is not here stops the process. */
static const struct {
    const char *prefix;
    enum loy_store_status status;
    bool ends_connection;
} classes[] = {
    {"08", LOY_STORE_OUTAGE, true},     /* connection exception */
    {"40", LOY_STORE_OUTAGE, false},    /* deadlock, serialisation */
    {"53", LOY_STORE_OUTAGE, false},    /* disk full, out of memory, too many connections */
    {"57014", LOY_STORE_OUTAGE, false}, /* statement cancelled */
    {"57", LOY_STORE_OUTAGE, true},     /* shut down, terminated, starting up */
    {"25006", LOY_STORE_OUTAGE, true},  /* read-only: a standby, or the old primary */
    {"55P03", LOY_STORE_OUTAGE, false}, /* a lock was not to be had in time */
    {"22", LOY_STORE_POISON, false},    /* data exception */
    {"23", LOY_STORE_POISON, false},    /* integrity constraint */
};

const char *loy_pg_statement_sql(enum loy_pg_statement statement)
{
    assert(statement < LOY_PG_STATEMENT_COUNT);
    return table[statement].sql;
}

const char *loy_pg_statement_name(enum loy_pg_statement statement)
{
    assert(statement < LOY_PG_STATEMENT_COUNT);
    return table[statement].name;
}

enum loy_store_status loy_pg_judge(enum loy_pg_statement statement, const char *sqlstate, enum loy_guard *ret_guard)
{
    assert(statement < LOY_PG_STATEMENT_COUNT);
    *ret_guard = LOY_GUARD_NONE;
    if (!sqlstate[0]) {
        return LOY_STORE_OUTAGE;
    }
    if (table[statement].guard != LOY_GUARD_NONE && strcmp(sqlstate, table[statement].broken) == 0) {
        *ret_guard = table[statement].guard;
        return LOY_STORE_GUARD;
    }
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strncmp(sqlstate, classes[i].prefix, strlen(classes[i].prefix)) == 0) {
            return classes[i].status;
        }
    }
    return LOY_STORE_FATAL;
}

bool loy_pg_ends_connection(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strncmp(sqlstate, classes[i].prefix, strlen(classes[i].prefix)) == 0) {
            return classes[i].ends_connection;
        }
    }
    return false;
}
