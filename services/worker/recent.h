/* Recent: the keys of events that this thread committed lately. A hint, which decides nothing: an event that is in it
 * is looked for in the journal before its batch is decided, where the journal's guard would refuse the whole batch.
 * What is not in it may be a repetition nevertheless.
 *
 * A table of fixed size in which a newer key takes an older one's place. One thread. Test: tests/unit/test_recent.c. */
#ifndef LOY_WORKER_RECENT_H
#define LOY_WORKER_RECENT_H

#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOY_RECENT_KEYS = 1 << 16 };

struct loy_recent;

/* NULL: no memory. */
struct loy_recent *loy_recent_new(void);
void loy_recent_destroy(struct loy_recent *recent);

/* Begins to bring near what loy_recent_has of that key will read. */
void loy_recent_expect(const struct loy_recent *recent, struct loy_digest event_key);
/* event_key: loy_event_key's. */
void loy_recent_put(struct loy_recent *recent, struct loy_digest event_key);
bool loy_recent_has(const struct loy_recent *recent, struct loy_digest event_key);

#endif
