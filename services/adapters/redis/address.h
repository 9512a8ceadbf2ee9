/* Redis addresses: redis://[user:password@]host[:port][/db], rediss:// with TLS, unix://[user:password@]/path[?db=n].
 *
 * Pure; the caller's arena. Test: tests/unit/test_redis_address.c. */
#ifndef LOY_ADAPTERS_REDIS_ADDRESS_H
#define LOY_ADAPTERS_REDIS_ADDRESS_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

/* Texts are NUL-terminated and percent-decoded. */
struct loy_redis_address {
    const char *path; /* of a unix socket; NULL: host and port */
    const char *host;
    const char *port;
    const char *user;     /* NULL: the default user */
    const char *password; /* NULL: none is asked for */
    int db;
    bool tls;
};

/* LOY_ERR_CONFIG with a sentence that does not show the password. */
LOY_MUST_USE enum loy_err loy_redis_address_parse(const char *url, struct loy_arena *arena,
                                                  struct loy_redis_address *ret_address, struct loy_error *error);

#endif
