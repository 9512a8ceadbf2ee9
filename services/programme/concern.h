/* Concern: why an event did not concern a rule, in words. Rules without a line in a trace are explained by it.
 *
 * Agrees with loy_rule_concerns (engine/index.h): it says nothing of a rule that the event concerns, and something of
 * every other. Pure. Test: tests/unit/test_nearest.c. */
#ifndef LOY_PROGRAMME_CONCERN_H
#define LOY_PROGRAMME_CONCERN_H

#include "base/str.h"
#include "engine/event.h"
#include "engine/programme.h"

/* Appends "another channel: app, web" and the like. at_us: the moment of validity. */
void loy_concern_words(const struct loy_rule *rule, const struct loy_event *event, int64_t at_us, struct loy_buf *buf);

#endif
