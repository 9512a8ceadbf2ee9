#include "engine/grant.h"

#include "base/num.h"
#include "engine/history.h"

uint32_t loy_counters_of(const struct loy_rule *rule, const struct loy_programme *programme)
{
    return rule->limit_count + rule->cap_count + programme->wallets[rule->reward.wallet].cap_count +
           (rule->cooldown_us > 0) + rule->reward.carry;
}

/* --- what is left ------------------------------------------------------------------------------------------------ */

static const struct loy_account *account_of(const struct loy_granting *granting)
{
    return granting->booking->account;
}

struct loy_room loy_grant_allowed(const struct loy_granting *granting, const struct loy_rule *rule)
{
    const struct loy_account *account = account_of(granting);
    if (rule->cooldown_us > 0) {
        int64_t last_us = loy_counter_used(account, loy_counter_key(rule->number, LOY_COUNTED_LAST, 0));
        int64_t passed_us = granting->moment_us - last_us;
        if (last_us != 0 && passed_us < rule->cooldown_us) {
            return (struct loy_room){0, rule->cooldown_us - passed_us, LOY_REASON_COOLDOWN};
        }
    }
    for (uint32_t i = 0; i < rule->limit_count; i++) {
        const struct loy_limit *limit = &rule->limits[i];
        uint32_t key = loy_counter_key(rule->number, LOY_COUNTED_TIMES, limit->window);
        int64_t used = limit->window == LOY_WINDOW_ORDER ? 0 : loy_counter_used(account, key);
        if (used >= limit->times) {
            return (struct loy_room){0, 0, LOY_REASON_LIMIT};
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
    *room = (struct loy_room){all_or_nothing ? 0 : left, left, reason};
}

static const struct loy_budget_view *view_of(const struct loy_granting *granting, int32_t counter)
{
    for (uint32_t i = 0; granting->budgets && i < granting->budgets->count; i++) {
        if (granting->budgets->rows[i].counter == counter) {
            return &granting->budgets->rows[i];
        }
    }
    return NULL;
}

static int64_t charged(const struct loy_granting *granting, int32_t counter)
{
    for (uint32_t i = 0; i < granting->charge_count; i++) {
        if (granting->charges[i].counter == counter) {
            return granting->charges[i].points;
        }
    }
    return 0;
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
    if (rule->budget) {
        const struct loy_budget_view *view = view_of(granting, rule->budget->counter);
        int64_t used;
        if (!view || !loy_i64_add(view->used, charged(granting, view->counter), &used)) {
            return loy_error_set(error, LOY_ERR_NOT_FOUND, "budget %.*s of rule %.*s has not been loaded",
                                 LOY_STR_ARG(rule->budget->id), LOY_STR_ARG(rule->id));
        }
        cut(&room, rule->budget->limit, used, rule->budget->refuse, LOY_REASON_BUDGET);
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
    loy_counter_set(account, key, loy_window_at(window, granting->programme->zone, granting->moment_us), used);
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

static enum loy_err charge(struct loy_granting *granting, int32_t counter, int64_t points)
{
    uint32_t at = granting->charge_count;
    while (at > 0 && granting->charges[at - 1].counter >= counter) {
        at--;
    }
    struct loy_charge *row = &granting->charges[at];
    if (at < granting->charge_count && row->counter == counter) {
        return loy_i64_add(row->points, points, &row->points) ? LOY_OK : LOY_ERR_OVERFLOW;
    }
    memmove(row + 1, row, (granting->charge_count - at) * sizeof *row);
    granting->charge_count++;
    *row = (struct loy_charge){.counter = counter, .points = points, .at_most = view_of(granting, counter)->used};
    return LOY_OK;
}

enum loy_err loy_grant_book(struct loy_granting *granting, const struct loy_rule *rule, int64_t points,
                            struct loy_error *error)
{
    uint16_t at = rule->reward.wallet;
    const struct loy_wallet *wallet = &granting->programme->wallets[at];
    struct loy_booking *booking = granting->booking;
    enum loy_err err =
        loy_lots_earn(booking, wallet, at, rule->number, points, granting->earned_us, granting->moment_us, error);
    if (err) {
        return err;
    }
    booking->entries[booking->count - 1].funder = rule->funder;
    granting->to_wallet[at] += points; /* fits: the balance holds it */
    err = count_points(granting, rule->number, LOY_COUNTED_POINTS, rule->caps, rule->cap_count, points);
    err = err ? err : count_points(granting, at, LOY_COUNTED_WALLET, wallet->caps, wallet->cap_count, points);
    err = err ? err : count_times(granting, rule);
    if (!err && rule->cooldown_us > 0) {
        loy_counter_set(booking->account, loy_counter_key(rule->number, LOY_COUNTED_LAST, 0), 0, granting->moment_us);
    }
    if (!err && rule->budget) {
        err = charge(granting, rule->budget->counter, points);
    }
    return err ? loy_error_set(error, err, "rule %.*s: its counters", LOY_STR_ARG(rule->id)) : LOY_OK;
}
