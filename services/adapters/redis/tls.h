/* TLS to Redis, where hiredis was built with it (1.x; Debian 12's 0.14 is not).
 *
 * The server's certificate is verified against the system's authorities (SSL_CERT_FILE, SSL_CERT_DIR override them) and
 * against the host name, which hiredis alone does not do. One thread. Test: tests/unit/test_redis_address.c (refusal).
 */
#ifndef LOY_ADAPTERS_REDIS_TLS_H
#define LOY_ADAPTERS_REDIS_TLS_H

#include "base/err.h"

#include <hiredis/hiredis.h>

struct loy_redis_tls;

/* LOY_ERR_CONFIG where there is no TLS in this build. */
LOY_MUST_USE enum loy_err loy_redis_tls_new(struct loy_redis_tls **ret_tls, struct loy_error *error);
void loy_redis_tls_destroy(struct loy_redis_tls *tls);
/* Puts TLS on a connected, non-blocking context. */
LOY_MUST_USE enum loy_err loy_redis_tls_start(struct loy_redis_tls *tls, redisContext *context, const char *host,
                                              struct loy_error *error);

/* The last thing that TLS said went wrong in this thread; hiredis keeps only an errno. Otherwise what is given. */
const char *loy_redis_tls_why(const char *otherwise, char ret_why[160]);

#endif
