#include "engine/revisions.h"

#include "engine/period.h"

#include <assert.h>

const struct loy_programme *loy_revisions_newest(const struct loy_revisions *revisions)
{
    assert(revisions->count > 0);
    return revisions->programmes[revisions->count - 1];
}

const struct loy_programme *loy_revisions_at(const struct loy_revisions *revisions, int64_t at_us)
{
    uint32_t i = revisions->count;
    assert(i > 0);
    while (i > 1 && revisions->programmes[i - 1]->from_us > at_us) {
        i--;
    }
    return revisions->programmes[i - 1];
}

const struct loy_programme *loy_revisions_choose(const struct loy_revisions *revisions, const struct loy_event *event,
                                                 int64_t arrival_us, int64_t *ret_moment_us)
{
    int64_t occurred_us = event->occurred_at_us;
    const struct loy_programme *then = loy_revisions_at(revisions, occurred_us);
    bool believed = loy_period_believes(then, occurred_us, arrival_us);
    *ret_moment_us = occurred_us;
    if (believed || (occurred_us < arrival_us && loy_programme_is_historical(then, event->source))) {
        return then;
    }
    *ret_moment_us = occurred_us > arrival_us ? occurred_us : arrival_us;
    return loy_revisions_at(revisions, arrival_us);
}
