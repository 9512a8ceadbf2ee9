/* Revisions: all programmes of the installation, and which of them decides an event.
 *
 * Revision r is in force at t when it is the highest number with from <= t; number 1 is from the beginning of time. An
 * event is decided by the revision in force when it occurred; one that is too late or too early by that revision's own
 * bounds, by the one in force when it arrived. Immutable, shared by threads. Pure. Test: tests/unit/test_revisions.c.
 */
#ifndef LOY_ENGINE_REVISIONS_H
#define LOY_ENGINE_REVISIONS_H

#include "engine/programme.h"

struct loy_revisions {
    const struct loy_programme *const *programmes; /* ascending by number; the first is in force from INT64_MIN */
    uint32_t count;                                /* > 0 */
};

/* The highest number. */
const struct loy_programme *loy_revisions_newest(const struct loy_revisions *revisions);
const struct loy_programme *loy_revisions_at(const struct loy_revisions *revisions, int64_t at_us);

/* Which programme decides the event. *ret_moment_us: the latest moment that was looked at, for the commit's guard. */
const struct loy_programme *loy_revisions_choose(const struct loy_revisions *revisions, const struct loy_event *event,
                                                 int64_t arrival_us, int64_t *ret_moment_us);

#endif
