#include "sim/fake_programmes.h"

#include <stdlib.h>

enum { NOTICED_US = 4000000 };

void fake_published_add(struct fake_published *published, const struct loy_programme *programme)
{
    if (published->count == FAKE_PROGRAMMES_MAX) {
        abort();
    }
    published->programmes[published->count++] = programme;
}

void fake_programmes_init(struct fake_programmes *programmes, const struct fake_published *published)
{
    *programmes = (struct fake_programmes){.published = published, .known = published->count, .load_at_us = INT64_MAX};
    for (uint32_t i = 0; i <= FAKE_PROGRAMMES_MAX; i++) {
        programmes->views[i] = (struct loy_revisions){published->programmes, i};
    }
}

static const struct loy_revisions *current(void *self)
{
    struct fake_programmes *programmes = self;
    struct sim_world *world = programmes->published->world;
    sim_touch(world);
    if (programmes->known < programmes->published->count && programmes->load_at_us == INT64_MAX) {
        programmes->load_at_us = world->now_us + (world->wire_us ? sim_between(world, 0, NOTICED_US) : 0);
    }
    if (programmes->load_at_us <= world->now_us) {
        programmes->known = programmes->published->count;
        programmes->load_at_us = INT64_MAX;
    }
    return &programmes->views[programmes->known];
}

static void refresh(void *self, int32_t number)
{
    struct fake_programmes *programmes = self;
    sim_touch(programmes->published->world);
    if ((int32_t)programmes->published->count > number) {
        int64_t soon_us = sim_soon(programmes->published->world);
        programmes->load_at_us = soon_us < programmes->load_at_us ? soon_us : programmes->load_at_us;
    }
}

struct loy_programmes fake_programmes_port(struct fake_programmes *programmes)
{
    return (struct loy_programmes){current, refresh, programmes};
}
