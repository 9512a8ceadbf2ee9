/* Which revision decides: compared with a scan over all of them on random publications and events, and what the
 * commit's guard rests on: no revision that begins after the reported moment changes the choice. */
#include "support/cmocka_all.h"

#include "engine/revisions.h"

enum { WORLDS = 2000, EVENTS = 50, REVISIONS_MAX = 8, SPAN = 100 };

struct published {
    struct loy_programme programmes[REVISIONS_MAX + 1];
    const struct loy_programme *pointers[REVISIONS_MAX + 1];
    struct loy_revisions revisions;
    uint64_t seed;
};

static const struct loy_str imports[] = {{"import", 6}};

static int64_t below(struct published *p, uint32_t bound)
{
    p->seed = p->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((uint32_t)(p->seed >> 33) % bound);
}

static void publish(struct published *p, int64_t from_us)
{
    uint32_t i = p->revisions.count;
    p->programmes[i] = (struct loy_programme){.revision = (int32_t)i + 1,
                                              .from_us = i == 0 ? INT64_MIN : from_us,
                                              .late.us = below(p, SPAN / 4),
                                              .early.us = below(p, SPAN / 10),
                                              .historical_sources = imports,
                                              .historical_source_count = below(p, 2) ? 1 : 0};
    p->pointers[i] = &p->programmes[i];
    p->revisions = (struct loy_revisions){p->pointers, i + 1};
}

static void publish_some(struct published *p, uint64_t seed)
{
    *p = (struct published){.seed = seed * 2654435761U + 1};
    uint32_t count = 1 + (uint32_t)below(p, REVISIONS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        publish(p, below(p, SPAN));
    }
}

static struct loy_event some_event(struct published *p)
{
    return (struct loy_event){.occurred_at_us = below(p, SPAN + 20) - 10,
                              .source = below(p, 3) == 0 ? imports[0] : LOY_STR("till")};
}

/* DESIGN's sentence, word by word: the highest number with from <= t; number 1 is from the beginning of time. */
static const struct loy_programme *naive_at(const struct published *p, int64_t at_us)
{
    const struct loy_programme *found = &p->programmes[0];
    for (uint32_t i = 1; i < p->revisions.count; i++) {
        if (p->programmes[i].from_us <= at_us) {
            found = &p->programmes[i];
        }
    }
    return found;
}

static const struct loy_programme *naive_choice(const struct published *p, const struct loy_event *event,
                                                int64_t arrival_us)
{
    const struct loy_programme *then = naive_at(p, event->occurred_at_us);
    bool import = then->historical_source_count && loy_str_equal(event->source, imports[0]);
    bool too_late = event->occurred_at_us < arrival_us - then->late.us && !import;
    bool too_early = event->occurred_at_us > arrival_us + then->early.us;
    return too_late || too_early ? naive_at(p, arrival_us) : then;
}

static void the_choice_is_that_of_a_scan_over_all_revisions(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        struct published p;
        publish_some(&p, seed);
        for (int i = 0; i < EVENTS; i++) {
            struct loy_event event = some_event(&p);
            int64_t arrival_us = below(&p, SPAN + 20) - 10, moment_us;
            assert_ptr_equal(loy_revisions_at(&p.revisions, arrival_us), naive_at(&p, arrival_us));
            assert_ptr_equal(loy_revisions_choose(&p.revisions, &event, arrival_us, &moment_us),
                             naive_choice(&p, &event, arrival_us));
        }
        assert_int_equal(loy_revisions_newest(&p.revisions)->revision, p.revisions.count);
    }
}

static void what_begins_after_the_moment_changes_nothing(void **state)
{
    uint32_t changed_at_the_moment = 0;
    (void)state;
    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        struct published p;
        publish_some(&p, seed);
        uint32_t known = p.revisions.count;
        for (int i = 0; i < EVENTS; i++) {
            struct loy_event event = some_event(&p);
            int64_t arrival_us = below(&p, SPAN + 20) - 10, moment_us, ignored_us;
            p.revisions.count = known;
            const struct loy_programme *chosen = loy_revisions_choose(&p.revisions, &event, arrival_us, &moment_us);
            publish(&p, moment_us + 1 + below(&p, 20));
            assert_ptr_equal(loy_revisions_choose(&p.revisions, &event, arrival_us, &ignored_us), chosen);
            p.revisions.count = known;
            publish(&p, moment_us);
            changed_at_the_moment += loy_revisions_choose(&p.revisions, &event, arrival_us, &ignored_us) != chosen;
        }
    }
    assert_true(changed_at_the_moment > WORLDS); /* no moment later than it needs to be, as a rule */
}

static void late_and_early_events_are_judged_as_of_their_arrival(void **state)
{
    struct published p = {.seed = 1};
    int64_t moment_us;
    (void)state;
    publish(&p, 0);
    publish(&p, 50);
    p.programmes[0].late.us = 10;
    p.programmes[0].early.us = p.programmes[1].early.us = 5;
    p.programmes[0].historical_source_count = 1;
    struct loy_event event = {.occurred_at_us = 45, .source = LOY_STR("till")};
    assert_int_equal(loy_revisions_choose(&p.revisions, &event, 55, &moment_us)->revision, 1);
    assert_int_equal(moment_us, 45);
    assert_int_equal(loy_revisions_choose(&p.revisions, &event, 56, &moment_us)->revision, 2);
    assert_int_equal(moment_us, 56);
    event.source = imports[0];
    assert_int_equal(loy_revisions_choose(&p.revisions, &event, 56, &moment_us)->revision, 1);
    assert_int_equal(moment_us, 45);
    event = (struct loy_event){.occurred_at_us = 50, .source = LOY_STR("till")};
    assert_int_equal(loy_revisions_choose(&p.revisions, &event, 45, &moment_us)->revision, 2);
    assert_int_equal(loy_revisions_choose(&p.revisions, &event, 44, &moment_us)->revision, 1);
    assert_int_equal(moment_us, 50); /* what was looked at, not what was chosen by */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_choice_is_that_of_a_scan_over_all_revisions),
        cmocka_unit_test(what_begins_after_the_moment_changes_nothing),
        cmocka_unit_test(late_and_early_events_are_judged_as_of_their_arrival),
    };
    return cmocka_run_group_tests_name("revisions", tests, NULL, NULL);
}
