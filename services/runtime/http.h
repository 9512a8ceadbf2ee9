/* HTTP: one small port with /metrics, /livez and /readyz (libmicrohttpd, one thread of its own).
 *
 * For probes and Prometheus inside a trusted network: no TLS, no login, so the address is 127.0.0.1 unless configured.
 * Connections, sizes and times are bounded. Callbacks run on the port's thread. Test: tests/unit/test_runtime_http.c.
 */
#ifndef LOY_RUNTIME_HTTP_H
#define LOY_RUNTIME_HTTP_H

#include "base/err.h"
#include "runtime/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loy_http;

enum { LOY_HTTP_WHY_MAX = 512 };

struct loy_http_config {
    const char *address; /* IPv4 or IPv6, not a name */
    int port;            /* 0: any free one */
    /* False: 503, and the sentence put into why (NUL-terminated) is the body. Live: restart me; ready: how am I. */
    bool (*is_live)(void *context, char why[LOY_HTTP_WHY_MAX]);
    bool (*is_ready)(void *context, char why[LOY_HTTP_WHY_MAX]);
    void *context;
    const struct loy_metric_group *groups; /* borrowed until loy_http_stop; loy_metrics_of_process is added */
    size_t group_count;
};

/* Opens the port. LOY_ERR_CONFIG with address and port when it cannot. */
LOY_MUST_USE enum loy_err loy_http_start(const struct loy_http_config *config, struct loy_http **ret_http,
                                         struct loy_error *error);
/* The port that is open. */
int loy_http_port(const struct loy_http *http);
/* Closes it and waits for its thread. Takes NULL. */
void loy_http_stop(struct loy_http *http);

#endif
