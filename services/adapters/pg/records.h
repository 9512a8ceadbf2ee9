/* Records: rows of journal and member in PostgreSQL's binary format of their own row types.
 *
 * Columns in the order of the tables, which the numbers of our types are read for at each connection; the schema is the
 * program's own (schema.h), so they cannot differ. Pure; any thread. Test: tests/contract/contract_store.c. */
#ifndef LOY_ADAPTERS_PG_RECORDS_H
#define LOY_ADAPTERS_PG_RECORDS_H

#include "adapters/pg/requests.h"
#include "ports/store.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes of the record, without the length before it. */
size_t loy_pg_journal_size(const struct loy_journal_row *row);
size_t loy_pg_member_size(const struct loy_member_write *write);

/* Writes exactly so many; returns the place behind them. */
uint8_t *loy_pg_put_journal(uint8_t *at, const struct loy_journal_row *row, const struct loy_pg_types *types);
uint8_t *loy_pg_put_member(uint8_t *at, const struct loy_member_write *write);

#endif
