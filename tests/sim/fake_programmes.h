/* Fake programmes: the revisions that stand in the simulated database, and what a process has loaded of them so far.
 *
 * A process notices a publication some time later, and soon after it was asked to refresh; in a perfect world at once.
 * Implements ports/programmes.h. One thread. Test: tests/unit/test_worker.c, tests/sim/. */
#ifndef LOY_TESTS_SIM_FAKE_PROGRAMMES_H
#define LOY_TESTS_SIM_FAKE_PROGRAMMES_H

#include "engine/revisions.h"
#include "ports/programmes.h"
#include "sim/world.h"

enum { FAKE_PROGRAMMES_MAX = 8 };

/* The table. Compiled programmes are borrowed; each is the next number. */
struct fake_published {
    struct sim_world *world;
    const struct loy_programme *programmes[FAKE_PROGRAMMES_MAX];
    uint32_t count;
};

/* A process's view: the first `known` of them. Whoever reads may keep a view, so there is one for each length. */
struct fake_programmes {
    const struct fake_published *published;
    struct loy_revisions views[FAKE_PROGRAMMES_MAX + 1];
    uint32_t known;
    int64_t load_at_us; /* INT64_MAX: nothing newer was noticed */
};

void fake_published_add(struct fake_published *published, const struct loy_programme *programme);
/* Knows what stands there now. */
void fake_programmes_init(struct fake_programmes *programmes, const struct fake_published *published);
struct loy_programmes fake_programmes_port(struct fake_programmes *programmes);

#endif
