#include "engine/grant.h"

#include "base/num.h"
#include "engine/history.h"
#include "engine/period.h"

#include <assert.h>

static bool waits(const struct loy_rule *rule)
{
    return rule->cooldown.us > 0 || rule->cooldown.months > 0;
}

uint32_t loy_counters_of(const struct loy_rule *rule, const struct loy_programme *programme)
{
    return rule->limit_count + rule->cap_count + programme->wallets[rule->reward.wallet].cap_count + waits(rule) +
           rule->reward.carry;
}

/* --- what is left ------------------------------------------------------------------------------------------------ */

static const struct loy_account *account_of(const struct loy_granting *granting)
{
    return granting->booking->account;
}

struct loy_room loy_grant_allowed(const struct loy_granting *granting, const struct loy_rule *rule)
{
    const struct loy_account *account = account_of(granting);
    if (waits(rule)) {
        int64_t last_us = loy_counter_used(account, loy_counter_key(rule->number, LOY_COUNTED_LAST, 0));
        int64_t next_us = loy_period_wait(granting->programme->zone, last_us, rule->cooldown);
        if (last_us != 0 && granting->moment_us < next_us) {
            return (struct loy_room){.left = next_us - granting->moment_us, .reason = LOY_REASON_COOLDOWN};
        }
    }
    for (uint32_t i = 0; i < rule->limit_count; i++) {
        const struct loy_limit *limit = &rule->limits[i];
        uint32_t key = loy_counter_key(rule->number, LOY_COUNTED_TIMES, limit->window);
        int64_t used = limit->window == LOY_WINDOW_ORDER ? 0 : loy_counter_used(account, key);
        if (used >= limit->times) {
            return (struct loy_room){.reason = LOY_REASON_LIMIT};
        }
    }
    return (struct loy_room){0};
}

static int64_t used_of(const struct loy_granting *granting, const struct loy_cap *cap, uint16_t wallet, uint32_t key,
                       int64_t in_order)
{
    const struct loy_balance *balance = &account_of(granting)->balances[wallet];
    int64_t sum;
    switch (cap->window) {
    case LOY_WINDOW_ORDER:
        return in_order;
    case LOY_WINDOW_BALANCE:
        return loy_i64_add(balance->available, balance->pending, &sum) ? sum : INT64_MAX;
    case LOY_WINDOW_LIFETIME:
    case LOY_WINDOW_DAY:
    case LOY_WINDOW_WEEK:
    case LOY_WINDOW_MONTH:
    case LOY_WINDOW_YEAR:
        break;
    }
    return loy_counter_used(account_of(granting), key);
}

static void cut(struct loy_room *room, int64_t limit, int64_t used, bool all_or_nothing, enum loy_reason reason)
{
    int64_t left;
    if (!loy_i64_sub(limit, used, &left)) {
        left = used > 0 ? INT64_MIN : INT64_MAX;
    }
    if (room->points <= left) {
        return;
    }
    left = left > 0 ? left : 0;
    *room = (struct loy_room){.points = all_or_nothing ? 0 : left, .left = left, .reason = reason};
}

/* A worker gives the views in the order of the programme's budgets; others may not. */
static const struct loy_budget_view *view_of(const struct loy_granting *granting, const struct loy_budget *budget)
{
    const struct loy_budget_views *views = granting->budgets;
    uintptr_t place = ((uintptr_t)budget - (uintptr_t)granting->programme->budgets) / sizeof *budget;
    if (views && place < views->count && views->rows[place].counter == budget->counter) {
        return &views->rows[place];
    }
    for (uint32_t i = 0; views && i < views->count; i++) {
        if (views->rows[i].counter == budget->counter) {
            return &views->rows[i];
        }
    }
    return NULL;
}

/* The row of a counter, or where it belongs: *ret_is_there says which. */
static struct loy_charge *charge_of(const struct loy_granting *granting, int32_t counter, bool *ret_is_there)
{
    uint32_t at = 0;
    while (at < granting->charge_count && granting->charges[at].counter < counter) {
        at++;
    }
    *ret_is_there = at < granting->charge_count && granting->charges[at].counter == counter;
    return &granting->charges[at];
}

/* Others charge too between the reading of a counter and the commit, and `used` only grows by that. What was not cut
 * stays as it is while all of it still fits; what was cut to a part holds for this very `used`; what is refused stays
 * refused. */
static enum loy_err cut_to_budget(const struct loy_granting *granting, const struct loy_rule *rule,
                                  struct loy_room *room, struct loy_error *error)
{
    const struct loy_budget *budget = rule->budget;
    const struct loy_budget_view *view = view_of(granting, budget);
    bool is_there;
    const struct loy_charge *charge = charge_of(granting, budget->counter, &is_there);
    int64_t taken = is_there ? charge->points : 0;
    int64_t used;
    if (!view || !loy_i64_add(view->used, taken, &used)) {
        return loy_error_set(error, LOY_ERR_NOT_FOUND, "budget %.*s of rule %.*s has not been loaded",
                             LOY_STR_ARG(budget->id), LOY_STR_ARG(rule->id));
    }
    int64_t before = room->points;
    cut(room, budget->limit, used, budget->refuse, LOY_REASON_BUDGET);
    room->is_short = room->points < before;
    room->at_most = room->points == 0 ? INT64_MAX : view->used;
    if (room->points > 0 && !room->is_short &&
        (!loy_i64_sub(budget->limit, taken, &room->at_most) || !loy_i64_sub(room->at_most, before, &room->at_most))) {
        room->at_most = view->used;
    }
    return LOY_OK;
}

enum loy_err loy_grant_room(const struct loy_granting *granting, const struct loy_rule *rule, int64_t wanted,
                            struct loy_room *ret_room, struct loy_error *error)
{
    uint16_t at = rule->reward.wallet;
    const struct loy_wallet *wallet = &granting->programme->wallets[at];
    struct loy_room room = {.points = wanted};
    for (uint32_t i = 0; i < rule->cap_count; i++) {
        uint32_t key = loy_counter_key(rule->number, LOY_COUNTED_POINTS, rule->caps[i].window);
        cut(&room, rule->caps[i].points, used_of(granting, &rule->caps[i], at, key, 0), rule->caps[i].full,
            LOY_REASON_CAP);
    }
    for (uint32_t i = 0; i < wallet->cap_count; i++) {
        uint32_t key = loy_counter_key(at, LOY_COUNTED_WALLET, wallet->caps[i].window);
        cut(&room, wallet->caps[i].points, used_of(granting, &wallet->caps[i], at, key, granting->to_wallet[at]),
            wallet->caps[i].full, LOY_REASON_WALLET_CAP);
    }
    room.at_most = INT64_MAX;
    enum loy_err err = rule->budget ? cut_to_budget(granting, rule, &room, error) : LOY_OK;
    if (err) {
        return err;
    }
    *ret_room = room;
    return LOY_OK;
}

/* --- booking ----------------------------------------------------------------------------------------------------- */

static enum loy_err count_more(struct loy_granting *granting, uint32_t key, enum loy_window window, int64_t more)
{
    struct loy_account *account = granting->booking->account;
    int64_t used = loy_counter_used(account, key);
    if (window == LOY_WINDOW_ORDER || window == LOY_WINDOW_BALANCE) {
        return LOY_OK; /* known without counting */
    }
    if (!loy_i64_add(used, more, &used)) {
        return LOY_ERR_OVERFLOW;
    }
    loy_counter_set(account, key, loy_window_at(window, granting->today), used);
    return LOY_OK;
}

/* Two caps on the same window share a counter: it is counted once. */
static bool is_first_of_window(const struct loy_cap *caps, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (caps[i].window == caps[at].window) {
            return false;
        }
    }
    return true;
}

static enum loy_err count_points(struct loy_granting *granting, int32_t number, enum loy_counted counted,
                                 const struct loy_cap *caps, uint32_t cap_count, int64_t points)
{
    enum loy_err err = LOY_OK;
    for (uint32_t i = 0; !err && i < cap_count; i++) {
        if (is_first_of_window(caps, i)) {
            err = count_more(granting, loy_counter_key(number, counted, caps[i].window), caps[i].window, points);
        }
    }
    return err;
}

static enum loy_err count_times(struct loy_granting *granting, const struct loy_rule *rule)
{
    enum loy_err err = LOY_OK;
    for (uint32_t i = 0; !err && i < rule->limit_count; i++) {
        bool first = true;
        for (uint32_t j = 0; j < i; j++) {
            first = first && rule->limits[j].window != rule->limits[i].window;
        }
        if (first) {
            enum loy_window window = rule->limits[i].window;
            err = count_more(granting, loy_counter_key(rule->number, LOY_COUNTED_TIMES, window), window, 1);
        }
    }
    return err;
}

void loy_grant_note(struct loy_granting *granting, const struct loy_rule *rule, const struct loy_room *room)
{
    if (!rule->budget) {
        return;
    }
    bool is_there;
    struct loy_charge *row = charge_of(granting, rule->budget->counter, &is_there);
    if (!is_there) {
        size_t behind = (size_t)(granting->charges + granting->charge_count - row);
        memmove(row + 1, row, behind * sizeof *row);
        granting->charge_count++;
        *row = (struct loy_charge){.counter = rule->budget->counter, .at_most = INT64_MAX};
    }
    row->at_most = room->at_most < row->at_most ? room->at_most : row->at_most;
    row->is_short = row->is_short || room->is_short;
}

static enum loy_err charge(struct loy_granting *granting, const struct loy_budget *budget, int64_t points)
{
    bool is_there;
    struct loy_charge *row = charge_of(granting, budget->counter, &is_there);
    assert(is_there);
    return loy_i64_add(row->points, points, &row->points) ? LOY_OK : LOY_ERR_OVERFLOW;
}

enum loy_err loy_grant_book(struct loy_granting *granting, const struct loy_rule *rule, int64_t points,
                            struct loy_error *error)
{
    uint16_t at = rule->reward.wallet;
    const struct loy_wallet *wallet = &granting->programme->wallets[at];
    struct loy_booking *booking = granting->booking;
    const struct loy_zone *zone = granting->programme->zone;
    const struct loy_period *pending = rule->pending ? rule->pending : &wallet->pending;
    const struct loy_earned earned = {
        .wallet = at,
        .rule = rule->number,
        .funder = rule->funder,
        .points = points,
        .available_from_us =
            pending->us || pending->months ? loy_period_wait(zone, granting->earned_us, *pending) : INT64_MIN,
        .expires_at_us = loy_period_expiry(zone, granting->earned_us, rule->expiry ? rule->expiry : &wallet->expiry),
    };
    enum loy_err err = loy_lots_earn(booking, &earned, granting->moment_us, error);
    if (err) {
        return err;
    }
    granting->to_wallet[at] += points; /* fits: the balance holds it */
    err = count_points(granting, rule->number, LOY_COUNTED_POINTS, rule->caps, rule->cap_count, points);
    err = err ? err : count_points(granting, at, LOY_COUNTED_WALLET, wallet->caps, wallet->cap_count, points);
    err = err ? err : count_times(granting, rule);
    if (!err && waits(rule)) {
        loy_counter_set(booking->account, loy_counter_key(rule->number, LOY_COUNTED_LAST, 0), 0, granting->moment_us);
    }
    if (!err && rule->budget) {
        err = charge(granting, rule->budget, points);
    }
    return err ? loy_error_set(error, err, "rule %.*s: its counters", LOY_STR_ARG(rule->id)) : LOY_OK;
}
