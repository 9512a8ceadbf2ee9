#include "engine/rates.h"

static const struct loy_rate *rate_of(const struct loy_programme *programme, struct loy_str currency, int64_t at_us)
{
    const struct loy_rate *found = NULL;
    for (uint32_t i = 0; i < programme->rate_count; i++) {
        const struct loy_rate *rate = &programme->rates[i];
        if (rate->from_us <= at_us && loy_str_equal(rate->currency, currency)) {
            found = rate;
        }
    }
    return found;
}

static bool convert(const struct loy_rate *rate, int64_t *amount)
{
    return loy_i64_muldiv(*amount, rate->numerator, rate->denominator, LOY_ROUND_HALF_EVEN, amount);
}

static bool convert_line(const struct loy_rate *rate, struct loy_line *line)
{
    return convert(rate, &line->amount_minor) && convert(rate, &line->discount_minor) &&
           convert(rate, &line->tax_minor) && convert(rate, &line->cost_minor);
}

static bool convert_purchase(const struct loy_rate *rate, struct loy_line *lines, struct loy_tender *tenders,
                             struct loy_purchase *purchase)
{
    purchase->total_minor = 0;
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        if (!convert_line(rate, &lines[i]) ||
            !loy_i64_add(purchase->total_minor, lines[i].amount_minor, &purchase->total_minor)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < purchase->tender_count; i++) {
        if (!convert(rate, &tenders[i].amount_minor)) {
            return false;
        }
    }
    purchase->lines = lines;
    purchase->tenders = tenders;
    return true;
}

enum loy_err loy_rates_apply(const struct loy_programme *programme, const struct loy_event *event, int64_t at_us,
                             struct loy_arena *arena, const struct loy_event **ret_event, struct loy_error *error)
{
    const struct loy_purchase *purchase = &event->purchase;
    if (event->kind != LOY_EVENT_PURCHASE || purchase->currency.len == 0 ||
        loy_str_equal(purchase->currency, programme->currency)) {
        *ret_event = event;
        return LOY_OK;
    }
    const struct loy_rate *rate = rate_of(programme, purchase->currency, at_us);
    if (!rate) {
        return loy_error_set(error, LOY_ERR_UNKNOWN_CURRENCY,
                             "purchase.currency is %.*s: programme %.*s counts in %.*s and has no rate for it",
                             LOY_STR_ARG(purchase->currency), LOY_STR_ARG(programme->id),
                             LOY_STR_ARG(programme->currency));
    }
    struct loy_event *copy = loy_arena_copy(arena, event, sizeof *event);
    struct loy_line *lines = LOY_NEW_ARRAY(arena, struct loy_line, purchase->line_count);
    struct loy_tender *tenders = LOY_NEW_ARRAY(arena, struct loy_tender, purchase->tender_count);
    if (!copy || !lines || !tenders) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room to convert a purchase");
    }
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        lines[i] = purchase->lines[i];
    }
    for (uint32_t i = 0; i < purchase->tender_count; i++) {
        tenders[i] = purchase->tenders[i];
    }
    if (!convert_purchase(rate, lines, tenders, &copy->purchase)) {
        return loy_error_set(error, LOY_ERR_OVERFLOW, "the purchase does not fit 64 bits in %.*s",
                             LOY_STR_ARG(programme->currency));
    }
    *ret_event = copy;
    return LOY_OK;
}
