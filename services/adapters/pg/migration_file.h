/* Migration file: dbmate's format, as text that is already read.
 *
 * `-- migrate:up` and, behind it, `-- migrate:down` begin the two blocks; `transaction:false` on such a line takes the
 * block out of its transaction (one statement then: PostgreSQL makes a transaction of several). Pure; any thread.
 * Test: tests/unit/test_pg_migration_file.c. */
#ifndef LOY_ADAPTERS_PG_MIGRATION_FILE_H
#define LOY_ADAPTERS_PG_MIGRATION_FILE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum { LOY_MIGRATION_VERSION_MAX = 32 };

struct loy_migration_block {
    struct loy_str sql; /* borrowed from the text; empty: nothing to do */
    unsigned line;      /* in the file, of the first line of sql, from 1 */
    bool transaction;
};

struct loy_migration_file {
    struct loy_migration_block up;
    struct loy_migration_block down;
};

/* MALFORMED with the line: no up, two of a kind, down before up, an option that is not known. */
LOY_MUST_USE enum loy_err loy_migration_parse(struct loy_str text, const char *name,
                                              struct loy_migration_file *ret_file, struct loy_error *error);

/* The digits before the first _ of `VERSION_name.sql`; false when the file's name is not of that form. */
LOY_MUST_USE bool loy_migration_version(const char *name, char ret_version[LOY_MIGRATION_VERSION_MAX]);

/* The line in the file of a character (from 1, as PostgreSQL counts: characters, not bytes) of the block's sql. */
unsigned loy_migration_line(const struct loy_migration_block *block, unsigned long character);

#endif
