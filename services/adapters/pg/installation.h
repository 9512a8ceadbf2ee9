/* Installation: what a deployment is, agreed once. Its topics, their partitions, the group.
 *
 * The first worker to start writes it (any number may start at once); every other program must have been given the
 * same. Blocking: for the start of a program. One thread. Test: tests/integration/test_store.py. */
#ifndef LOY_ADAPTERS_PG_INSTALLATION_H
#define LOY_ADAPTERS_PG_INSTALLATION_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* All borrowed during the call. */
struct loy_installation {
    const struct loy_str *topics; /* input topics in their order; the internal and the tick topic last */
    uint32_t topic_count;         /* 1 to LOY_TOPICS_MAX */
    int32_t partitions;           /* of each topic */
    struct loy_str group;
};

struct loy_installation_state {
    int32_t incarnation;
    int32_t newest_revision;
    bool created; /* by this call */
};

/* Checks the schema, then the installation; writes it where there is none (`create`), or refuses (NOT_FOUND). MISMATCH
 * names both values. UNAVAILABLE when the database cannot be reached. */
LOY_MUST_USE enum loy_err loy_installation_agree(const char *conninfo, const struct loy_installation *wanted,
                                                 bool create, struct loy_installation_state *ret_state,
                                                 struct loy_error *error);

#endif
