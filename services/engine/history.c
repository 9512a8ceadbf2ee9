#include "engine/history.h"

#include "base/num.h"

#include <assert.h>

enum { KEY_NUMBER = 128, KEY_COUNTED = 8, DAYS_A_WEEK = 7 };

uint32_t loy_counter_key(int32_t number, enum loy_counted counted, enum loy_window window)
{
    assert(number >= 0 && number <= LOY_RULE_NUMBER_MAX);
    return (uint32_t)number * KEY_NUMBER + (uint32_t)counted * KEY_COUNTED + (uint32_t)window;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t loy_window_at(enum loy_window window, int64_t local_day)
{
    struct loy_date date;
    switch (window) {
    case LOY_WINDOW_DAY:
        return local_day;
    case LOY_WINDOW_WEEK: /* 1970-01-01 was a Thursday */
        return floor_div(local_day + 3, DAYS_A_WEEK);
    case LOY_WINDOW_MONTH:
        date = loy_date_from_days(local_day);
        return (int64_t)date.year * 12 + date.month - 1;
    case LOY_WINDOW_YEAR:
        return loy_date_from_days(local_day).year;
    case LOY_WINDOW_LIFETIME:
    case LOY_WINDOW_ORDER:
    case LOY_WINDOW_BALANCE:
        break;
    }
    return 0;
}

/* Whether what was counted counts now. It does while its window lasts; and where another revision has another zone, so
 * that the latest event lies in another window than it was counted in, while the window lasts that it lies in by this
 * zone: else a member could have a day's limit twice because the day has another name. */
static bool still_counts(const struct loy_account *account, const struct loy_counter *counter,
                         const struct loy_zone *zone, int64_t now)
{
    if (counter->window == now) {
        return true;
    }
    enum loy_window window = (enum loy_window)(counter->key % KEY_COUNTED);
    int64_t counted_in = loy_window_at(window, loy_local_day(zone, account->clock_us));
    return counted_in != counter->window && counted_in == now;
}

enum loy_err loy_history_init(struct loy_account *account, const struct loy_zone *zone, int64_t moment_us,
                              uint32_t extra, struct loy_arena *arena)
{
    struct loy_day *days = LOY_NEW_ARRAY(arena, struct loy_day, account->day_count + 1);
    struct loy_counter *counters = LOY_NEW_ARRAY(arena, struct loy_counter, account->counter_count + extra);
    int64_t now[LOY_WINDOW_BALANCE + 1];
    uint32_t known = 0; /* bits: which of `now` stand */
    uint32_t kept = 0;
    int64_t today = loy_local_day(zone, moment_us);
    if (!days || !counters) {
        return LOY_ERR_NO_MEMORY;
    }
    if (account->day_count) {
        memcpy(days, account->days, account->day_count * sizeof *days);
    }
    for (uint32_t i = 0; i < account->counter_count; i++) {
        struct loy_counter counter = account->counters[i];
        uint32_t window = counter.key % KEY_COUNTED;
        if (window <= LOY_WINDOW_BALANCE && !(known & 1u << window)) {
            now[window] = loy_window_at((enum loy_window)window, today);
            known |= 1u << window;
        }
        if (window > LOY_WINDOW_BALANCE) {
            counters[kept++] = counter;
        } else if (still_counts(account, &counter, zone, now[window])) {
            counter.window = now[window];
            counters[kept++] = counter;
        }
    }
    account->days = days;
    account->counters = counters;
    account->counter_count = kept;
    return LOY_OK;
}

/* The place of the key, or where it would stand. */
static uint32_t place_of(const struct loy_account *account, uint32_t key)
{
    uint32_t from = 0, until = account->counter_count;
    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        if (account->counters[middle].key < key) {
            from = middle + 1;
        } else {
            until = middle;
        }
    }
    return from;
}

static bool stands_at(const struct loy_account *account, uint32_t at, uint32_t key)
{
    return at < account->counter_count && account->counters[at].key == key;
}

int64_t loy_counter_used(const struct loy_account *account, uint32_t key)
{
    uint32_t at = place_of(account, key);
    return stands_at(account, at, key) ? account->counters[at].used : 0;
}

void loy_counter_set(struct loy_account *account, uint32_t key, int64_t window, int64_t used)
{
    uint32_t at = place_of(account, key);
    bool there = stands_at(account, at, key);
    struct loy_counter *counter = &account->counters[at];
    if (used == 0 && there) {
        memmove(counter, counter + 1, (account->counter_count - at - 1) * sizeof *counter);
        account->counter_count--;
    } else if (used != 0) {
        if (!there) {
            memmove(counter + 1, counter, (account->counter_count - at) * sizeof *counter);
            account->counter_count++;
        }
        *counter = (struct loy_counter){key, window, used};
    }
}

static enum loy_err add_to_day(struct loy_account *account, int32_t day, int64_t total_minor)
{
    uint32_t at = account->day_count;
    while (at > 0 && account->days[at - 1].day >= day) {
        at--;
    }
    struct loy_day *place = &account->days[at];
    if (at == account->day_count || place->day != day) {
        memmove(place + 1, place, (account->day_count - at) * sizeof *place);
        *place = (struct loy_day){.day = day};
        account->day_count++;
    }
    place->purchases++;
    return loy_i64_add(place->spend_minor, total_minor, &place->spend_minor) ? LOY_OK : LOY_ERR_OVERFLOW;
}

enum loy_err loy_history_purchase(struct loy_account *account, const struct loy_programme *programme, int64_t at_us,
                                  int64_t total_minor)
{
    int64_t day = loy_local_day(programme->zone, at_us);
    int64_t seen = programme->fact_window_count ? programme->fact_days[programme->fact_window_count - 1] : 0;
    if (!loy_i64_add(account->spend_minor, total_minor, &account->spend_minor)) {
        return LOY_ERR_OVERFLOW;
    }
    bool first = account->purchases++ == 0;
    account->first_purchase_us = first || at_us < account->first_purchase_us ? at_us : account->first_purchase_us;
    account->last_purchase_us = first || at_us > account->last_purchase_us ? at_us : account->last_purchase_us;
    enum loy_err err = seen ? add_to_day(account, (int32_t)day, total_minor) : LOY_OK;
    bool older = programme->revision < account->days_revision;
    uint32_t gone = 0;
    seen = older ? LOY_FACT_DAYS_MAX : seen;
    while (gone < account->day_count && account->days[gone].day <= account->days[account->day_count - 1].day - seen) {
        gone++;
    }
    memmove(account->days, account->days + gone, (account->day_count - gone) * sizeof *account->days);
    account->day_count -= gone;
    account->days_revision = !account->day_count ? 0 : older ? account->days_revision : programme->revision;
    return err;
}

void loy_history_window(const struct loy_account *account, int64_t last_day, uint32_t days, int64_t *ret_purchases,
                        int64_t *ret_spend_minor)
{
    *ret_purchases = *ret_spend_minor = 0;
    for (uint32_t i = account->day_count; i-- > 0 && account->days[i].day > last_day - (int64_t)days;) {
        if (account->days[i].day <= last_day) {
            *ret_purchases += account->days[i].purchases;
            *ret_spend_minor += account->days[i].spend_minor; /* fits: the member's whole spend does */
        }
    }
}
