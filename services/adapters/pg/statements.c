#include "adapters/pg/statements.h"

#include "base/hash.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
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
    {"26000", LOY_STORE_OUTAGE, false}, /* a kept statement is not there: it is sent whole from now on */
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

bool loy_pg_statement_is_kept(enum loy_pg_statement statement)
{
    return statement >= LOY_PG_SETTINGS && statement <= LOY_PG_COUNTER;
}

void loy_pg_statement_label(enum loy_pg_statement statement, char ret_label[LOY_PG_LABEL_SIZE])
{
    const char *sql = loy_pg_statement_sql(statement);
    (void)snprintf(ret_label, LOY_PG_LABEL_SIZE, "loyald_%08" PRIx32, loy_murmur2(loy_str(sql)));
}

bool loy_pg_is_of_a_pooler(const char *sqlstate)
{
    return strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0;
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
