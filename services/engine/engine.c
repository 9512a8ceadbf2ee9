#include "engine/engine.h"

#include "engine/history.h"
#include "engine/lots.h"
#include "engine/lots_near.h"
#include "engine/period.h"
#include "engine/rates.h"
#include "engine/rules.h"
#include "engine/traits.h"

const char *loy_entry_kind_name(enum loy_entry_kind kind)
{
    switch (kind) {
#define NAME_CASE(symbol, number, name, available, pending, reserved)                                                  \
    case LOY_ENTRY_##symbol:                                                                                           \
        return name;
        LOY_ENTRY_KINDS(NAME_CASE)
#undef NAME_CASE
    }
    return "unknown";
}

const char *loy_applied_name(enum loy_applied applied)
{
    switch (applied) {
#define NAME_CASE(symbol, number, name)                                                                                \
    case LOY_APPLIED_##symbol:                                                                                         \
        return name;
        LOY_APPLIED_KINDS(NAME_CASE)
#undef NAME_CASE
    }
    return "unknown";
}

static const struct {
    const char *name, *words;
} reasons[] = {
#define REASON_ROW(symbol, name, words) [LOY_REASON_##symbol] = {name, words},
    LOY_REASONS(REASON_ROW)
#undef REASON_ROW
};

enum { REASON_COUNT = sizeof reasons / sizeof reasons[0] };

const char *loy_reason_name(enum loy_reason reason)
{
    return reasons[reason].name;
}

const char *loy_reason_words(const char *name)
{
    for (int i = 1; i < REASON_COUNT; i++) {
        if (strcmp(reasons[i].name, name) == 0) {
            return reasons[i].words;
        }
    }
    return NULL;
}

/* The moment that decides windows and validity: occurred_at, unless it is too far from the arrival to be believed. */
static int64_t validity_moment(const struct loy_programme *programme, const struct loy_event *event, int64_t arrival_us,
                               bool *ret_late)
{
    *ret_late = !loy_period_believes(programme, event->occurred_at_us, arrival_us);
    return *ret_late ? arrival_us : event->occurred_at_us;
}

/* One decision. `account` is the caller's copy, thrown away after a failure. */
struct decision {
    const struct loy_programme *programme;
    struct loy_account *account;
    const struct loy_budget_views *budgets;
    struct loy_arena *arena;
    struct loy_effects *effects;
    struct loy_error *error;
    struct loy_deciding deciding; /* of events that rules may concern */
};

/* A tick is time and nothing else. */
static bool has_rules(const struct loy_event *event)
{
    return event->kind != LOY_EVENT_TICK;
}

static enum loy_err find_rules(struct decision *decision, const struct loy_event *event)
{
    struct loy_deciding *deciding = &decision->deciding;
    *deciding = (struct loy_deciding){.programme = decision->programme, .event = event, .arena = decision->arena};
    if (!has_rules(event)) {
        return LOY_OK;
    }
    bool late;
    deciding->at_us = validity_moment(decision->programme, event, decision->effects->arrival_us, &late);
    enum loy_err err = loy_rates_apply(decision->programme, event, deciding->at_us, decision->arena, &deciding->event,
                                       decision->error);
    if (err) {
        return err;
    }
    err = loy_rules_collect(deciding);
    decision->effects->late = late && (event->kind == LOY_EVENT_PURCHASE || deciding->count > 0);
    return err ? loy_error_set(decision->error, err, "no room for the rules") : LOY_OK;
}

/* What the rules find is the account before any of them has granted. */
static enum loy_err apply_rules(struct decision *decision, struct loy_booking *booking)
{
    struct loy_deciding *deciding = &decision->deciding;
    struct loy_account before = *decision->account;
    struct loy_granting granting = {
        .programme = decision->programme,
        .booking = booking,
        .budgets = decision->budgets,
        .moment_us = decision->effects->moment_us,
        .today = loy_local_day(decision->programme->zone, decision->effects->moment_us),
        .earned_us = deciding->at_us,
        .charges = LOY_NEW_ARRAY(decision->arena, struct loy_charge, deciding->count),
    };
    deciding->facts = (struct loy_facts){.programme = decision->programme,
                                         .account = &before,
                                         .event = deciding->event,
                                         .at_us = deciding->at_us,
                                         .arena = decision->arena};
    if (!granting.charges) {
        return loy_error_set(decision->error, LOY_ERR_NO_MEMORY, "no room for charges");
    }
    enum loy_err err = loy_rules_grant(deciding, &granting, decision->error);
    if (!err && decision->programme->history && deciding->event->kind == LOY_EVENT_PURCHASE) {
        err = loy_history_purchase(decision->account, decision->programme, deciding->at_us,
                                   deciding->event->purchase.total_minor);
        err = err ? loy_error_set(decision->error, err, "the member's spend does not fit 64 bits") : LOY_OK;
    }
    bool remembers = decision->programme->fact_categories.count || decision->programme->fact_skus.count;
    if (!err && remembers && deciding->event->kind == LOY_EVENT_PURCHASE) {
        err = loy_traits_purchase(decision->account, decision->programme, &deciding->event->purchase, deciding->at_us,
                                  decision->arena);
        err = err ? loy_error_set(decision->error, err, "no room for what was bought") : LOY_OK;
    }
    decision->effects->rules = deciding->traces;
    decision->effects->rule_count = deciding->count;
    decision->effects->charges = granting.charges;
    decision->effects->charge_count = granting.charge_count;
    return err;
}

static enum loy_err open_account(struct decision *decision, struct loy_booking *booking)
{
    struct loy_account *account = decision->account;
    const struct loy_programme *programme = decision->programme;
    enum loy_err err = loy_booking_init(booking, account, decision->deciding.count, decision->arena);
    if (!err && (account->counter_count || decision->deciding.counters || programme->history)) {
        err = loy_history_init(account, programme->zone, decision->effects->moment_us, decision->deciding.counters,
                               decision->arena);
    }
    account->clock_us = decision->effects->moment_us;
    account->wallet_count =
        programme->wallet_count > account->wallet_count ? programme->wallet_count : account->wallet_count;
    return err ? loy_error_set(decision->error, err, "no room for a booking") : LOY_OK;
}

static enum loy_err decide(struct decision *decision, const struct loy_event *event)
{
    struct loy_effects *effects = decision->effects;
    struct loy_booking booking;
    enum loy_err err = find_rules(decision, event);
    err = err ? err : open_account(decision, &booking);
    if (err) {
        return err;
    }
    err = loy_lots_advance(&booking, effects->moment_us);
    effects->advanced = booking.count;
    uint32_t lots_before = decision->account->lot_count;
    if (!err && has_rules(event)) {
        err = apply_rules(decision, &booking);
    }
    if (!err && event->change) { /* after the rules, which see the member as before the event */
        err =
            loy_traits_change(decision->account, decision->programme, event->change, decision->arena, decision->error);
    }
    /* What was earned so long ago that it has expired by now goes at once: nothing past is left due. */
    if (!err && loy_lots_any_due(decision->account, lots_before, effects->moment_us)) {
        err = loy_lots_advance(&booking, effects->moment_us);
    }
    if (err) {
        return err;
    }
    effects->applied = booking.count > effects->advanced || (event->kind == LOY_EVENT_TICK && booking.count > 0)
                           ? LOY_APPLIED_EFFECT
                           : LOY_APPLIED_NO_EFFECT;
    loy_lots_join(decision->account);
    err = loy_lots_fit(&booking);
    if (err) {
        return loy_error_set(decision->error, err, "no room to join lots");
    }
    effects->entries = booking.entries;
    effects->entry_count = booking.count;
    effects->changed = booking.count > 0;
    decision->account->seq++;
    decision->account->version += effects->changed;
    return LOY_OK;
}

enum loy_err loy_engine_decide(const struct loy_programme *programme, struct loy_account *account,
                               const struct loy_event *event, int64_t arrival_us,
                               const struct loy_budget_views *budgets, struct loy_arena *arena,
                               struct loy_effects *ret_effects, struct loy_error *error)
{
    bool historical = event->occurred_at_us < arrival_us && loy_programme_is_historical(programme, event->source);
    struct loy_effects effects = {.arrival_us = historical ? event->occurred_at_us : arrival_us};
    effects.moment_us = effects.arrival_us > account->clock_us ? effects.arrival_us : account->clock_us;
    struct loy_account after = *account;
    struct decision decision = {.programme = programme,
                                .account = &after,
                                .budgets = budgets,
                                .arena = arena,
                                .effects = &effects,
                                .error = error};
    enum loy_err err = decide(&decision, event);
    if (err) {
        return err;
    }
    *account = after;
    *ret_effects = effects;
    return LOY_OK;
}
