#include "worker/recent.h"

#include <stdlib.h>
#include <string.h>

struct loy_recent {
    uint64_t marks[LOY_RECENT_KEYS]; /* 0: none */
};

struct loy_recent *loy_recent_new(void)
{
    return calloc(1, sizeof(struct loy_recent));
}

void loy_recent_destroy(struct loy_recent *recent)
{
    free(recent);
}

/* The half of the key that is a hash of the event's identity; the other may be that of its order. */
static uint64_t mark_of(struct loy_digest event_key)
{
    uint64_t mark;
    memcpy(&mark, event_key.bytes + sizeof event_key.bytes - sizeof mark, sizeof mark);
    return mark;
}

void loy_recent_put(struct loy_recent *recent, struct loy_digest event_key)
{
    uint64_t mark = mark_of(event_key);
    recent->marks[mark % LOY_RECENT_KEYS] = mark;
}

void loy_recent_expect(const struct loy_recent *recent, struct loy_digest event_key)
{
    __builtin_prefetch(&recent->marks[mark_of(event_key) % LOY_RECENT_KEYS], 1);
}

bool loy_recent_has(const struct loy_recent *recent, struct loy_digest event_key)
{
    uint64_t mark = mark_of(event_key);
    return mark != 0 && recent->marks[mark % LOY_RECENT_KEYS] == mark;
}
