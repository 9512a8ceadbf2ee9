/* Migrate: brings a database's schema to what a folder of migrations says, or back.
 *
 * Files as dbmate's (see migration_file.h), what was applied in schema_migrations(version), so that either tool goes on
 * where the other stopped. A lock of the session keeps two from migrating at once: connect directly, not through a
 * pooler in transaction mode. Blocking. Test: tests/integration/test_migrate.py. */
#ifndef LOY_ADAPTERS_PG_MIGRATE_H
#define LOY_ADAPTERS_PG_MIGRATE_H

#include "base/err.h"

#include <stdbool.h>

enum loy_migrate_verb {
    LOY_MIGRATE_UP,     /* everything that is not applied, in the order of versions */
    LOY_MIGRATE_DOWN,   /* the newest applied ones, `steps` of them */
    LOY_MIGRATE_STATUS, /* changes nothing */
};

/* One migration: as it stands (status), or just now applied or undone. */
struct loy_migration_state {
    const char *version;
    const char *name; /* of the file; "" when the database has a version that the folder has not */
    bool applied;
};

struct loy_migrate {
    const char *conninfo;
    const char *folder;
    unsigned steps;
    void (*report)(void *self, const struct loy_migration_state *migration);
    void *self;
};

/* *ret_pending: how many of the folder are not applied when it is over. NOT_FOUND: no folder, or no file of a version
 * that must be undone. MALFORMED, MISMATCH, INTERNAL: the sentence begins with file and line. UNAVAILABLE: an outage,
 * or somebody else is migrating. What was applied before the error stays. */
LOY_MUST_USE enum loy_err loy_migrate_run(const struct loy_migrate *migrate, enum loy_migrate_verb verb,
                                          unsigned *ret_pending, struct loy_error *error);

#endif
