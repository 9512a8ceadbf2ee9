/* Cache port: may lose, delay or invent anything; never decides (invariant I5). Submit and complete, never block.
 *
 * What a load returns is only a guess: the store compares seq and digest of every account in the commit.
 * Implementations: adapters/redis (real), tests/sim (simulated), and a NULL port for none. One thread. */
#ifndef LOY_PORTS_CACHE_H
#define LOY_PORTS_CACHE_H

#include "ports/store.h"

struct loy_cache_write {
    struct loy_member_row row;
    /* What other services read (docs/redis.md): the balance as it is with this row, a JSON object. */
    struct loy_str balance_json;
};

struct loy_cache {
    /* Asks for the rows of keys (copied); at most one load under way, until poll gave its end. LOY_ERR_AGAIN when one
     * is, LOY_ERR_UNAVAILABLE when the cache is off or broken (ask the store instead). */
    enum loy_err (*load)(void *self, const struct loy_account_key *keys, uint32_t count);
    /* True when the load is over: rows that were there (borrowed until the next load), or none after a time-out. Time
     * passes inside poll: while a load is under way, call it every 10 ms at the latest; else now and then, since it
     * also connects and writes. */
    bool (*poll)(void *self, const struct loy_member_row **ret_rows, uint32_t *ret_count);
    /* Hands over committed rows: what one client stores last is what stands there. Copied; never waited for; dropped
     * when the cache is behind. */
    void (*store)(void *self, const struct loy_cache_write *writes, uint32_t count);
    void (*wait_on)(void *self, int *ret_fd, short *ret_events);
    void *self;
};

#endif
