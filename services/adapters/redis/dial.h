/* Dialling: from an address to a connected, non-blocking socket, without ever waiting.
 *
 * Names are looked up by the C library's own helper thread (getaddrinfo_a), since the resolver may take seconds when
 * the name server is down. One thread. Test: tests/unit/test_redis_cache.c. */
#ifndef LOY_ADAPTERS_REDIS_DIAL_H
#define LOY_ADAPTERS_REDIS_DIAL_H

#include "adapters/redis/address.h"

#include <netdb.h>

enum loy_dial_state { LOY_DIAL_IDLE, LOY_DIAL_RESOLVING, LOY_DIAL_CONNECTING, LOY_DIAL_CONNECTED, LOY_DIAL_FAILED };

struct loy_redis_lookup;

struct loy_redis_dial {
    enum loy_dial_state state;
    struct loy_redis_lookup *lookup; /* under way; its memory is the helper thread's too */
    struct addrinfo *found;          /* of the last lookup */
    const struct addrinfo *next;     /* to be tried */
    int fd;                          /* -1: none */
    char why[160];                   /* of FAILED */
};

void loy_redis_dial_init(struct loy_redis_dial *dial);
/* Begins anew. The address is borrowed until the end. */
void loy_redis_dial_start(struct loy_redis_dial *dial, const struct loy_redis_address *address);
/* Goes on; CONNECTED: dial->fd is the caller's from now on. */
enum loy_dial_state loy_redis_dial_turn(struct loy_redis_dial *dial);
/* Gives up. A lookup under way is left to end by itself, and the next start waits for it. */
void loy_redis_dial_stop(struct loy_redis_dial *dial);
void loy_redis_dial_fini(struct loy_redis_dial *dial);

#endif
