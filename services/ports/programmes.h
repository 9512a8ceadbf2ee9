/* Programmes port: the revisions that were published, compiled, shared by the threads of a process.
 *
 * Never blocks: who implements it loads and compiles elsewhere (worker/revisions.c, on a thread of its own; the
 * simulator: at a moment of its choice). What `current` gave stays valid as long as the worker lives, since an old
 * event may need an old revision at any time. A revision that cannot be compiled by this version never shows up here:
 * workers then wait at the REVISION guard, and the implementation says why. */
#ifndef LOY_PORTS_PROGRAMMES_H
#define LOY_PORTS_PROGRAMMES_H

#include <stdint.h>

struct loy_revisions; /* engine/revisions.h */

struct loy_programmes {
    /* All revisions that are known now; any thread. */
    const struct loy_revisions *(*current)(void *self);
    /* A newer one than `number` is in force: load it soon. May be called again and again. */
    void (*refresh)(void *self, int32_t number);
    void *self;
};

#endif
