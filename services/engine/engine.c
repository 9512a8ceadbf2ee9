#include "engine/engine.h"

#include "engine/earning.h"
#include "engine/lots.h"

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

/* The moment that decides windows and validity: occurred_at, unless it is too far from the arrival to be believed. */
static int64_t validity_moment(const struct loy_programme *programme, const struct loy_event *event, int64_t arrival_us,
                               bool *ret_late)
{
    *ret_late = event->occurred_at_us < arrival_us - programme->late_us ||
                event->occurred_at_us > arrival_us + programme->early_us;
    return *ret_late ? arrival_us : event->occurred_at_us;
}

static enum loy_err decide_purchase(const struct loy_programme *programme, struct loy_booking *booking,
                                    const struct loy_event *event, struct loy_effects *effects, struct loy_error *error)
{
    const struct loy_purchase *purchase = &event->purchase;
    if (purchase->currency.len && !loy_str_equal(purchase->currency, programme->currency)) {
        return loy_error_set(error, LOY_ERR_UNKNOWN_CURRENCY,
                             "purchase.currency is %.*s: programme %.*s counts in %.*s and has no rate for it",
                             LOY_STR_ARG(purchase->currency), LOY_STR_ARG(programme->id),
                             LOY_STR_ARG(programme->currency));
    }
    int64_t earned_us = validity_moment(programme, event, effects->arrival_us, &effects->late);
    struct loy_rule_trace *traces = LOY_NEW_ARRAY(booking->arena, struct loy_rule_trace, programme->rule_count);
    if (!traces) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        const struct loy_rule *rule = &programme->rules[i];
        enum loy_err err = loy_earning_apply(rule, purchase, booking->arena, &traces[i], error);
        if (!err && traces[i].granted > 0) {
            err = loy_lots_earn(booking, &programme->wallets[rule->reward.wallet], rule->reward.wallet, rule->number,
                                traces[i].granted, earned_us, effects->moment_us, error);
        }
        if (err) {
            return err;
        }
    }
    effects->rules = traces;
    effects->rule_count = programme->rule_count;
    return LOY_OK;
}

/* Decides on `account`, which the caller throws away after a failure. */
static enum loy_err decide(const struct loy_programme *programme, struct loy_account *account,
                           const struct loy_event *event, struct loy_arena *arena, struct loy_effects *effects,
                           struct loy_error *error)
{
    struct loy_booking booking;
    enum loy_err err = loy_booking_init(&booking, account, programme->rule_count, arena);
    if (err) {
        return loy_error_set(error, err, "no room for a booking");
    }
    account->clock_us = effects->moment_us;
    account->wallet_count =
        programme->wallet_count > account->wallet_count ? programme->wallet_count : account->wallet_count;
    err = loy_lots_advance(&booking, effects->moment_us);
    effects->advanced = booking.count;
    if (!err && event->kind == LOY_EVENT_PURCHASE) {
        err = decide_purchase(programme, &booking, event, effects, error);
    }
    if (!err) { /* what was earned so long ago that it has expired by now goes at once: nothing past is left due */
        err = loy_lots_advance(&booking, effects->moment_us);
    }
    if (err) {
        return err;
    }
    loy_lots_join(account);
    effects->entries = booking.entries;
    effects->entry_count = booking.count;
    effects->changed = booking.count > 0;
    effects->applied = booking.count > effects->advanced || (event->kind == LOY_EVENT_TICK && booking.count > 0)
                           ? LOY_APPLIED_EFFECT
                           : LOY_APPLIED_NO_EFFECT;
    account->seq++;
    account->version += effects->changed;
    return LOY_OK;
}

enum loy_err loy_engine_decide(const struct loy_programme *programme, struct loy_account *account,
                               const struct loy_event *event, int64_t arrival_us, struct loy_arena *arena,
                               struct loy_effects *ret_effects, struct loy_error *error)
{
    bool historical = event->occurred_at_us < arrival_us && loy_programme_is_historical(programme, event->source);
    struct loy_effects effects = {.arrival_us = historical ? event->occurred_at_us : arrival_us};
    effects.moment_us = effects.arrival_us > account->clock_us ? effects.arrival_us : account->clock_us;
    struct loy_account after = *account;
    enum loy_err err = decide(programme, &after, event, arena, &effects, error);
    if (err) {
        return err;
    }
    *account = after;
    *ret_effects = effects;
    return LOY_OK;
}
