#include "engine/match.h"

#include "base/num.h"

#include <assert.h>

static bool has_label(struct loy_text_set set, const struct loy_line *line)
{
    for (uint32_t i = 0; i < line->label_count; i++) {
        if (loy_text_set_has(set, line->labels[i])) {
            return true;
        }
    }
    return false;
}

/* Drops the lines whose text at place `at` is not in the set; of an "except" set those whose is. */
static inline void drop_by_text(struct loy_text_set set, bool except, size_t at, const struct loy_purchase *purchase,
                                int64_t *values)
{
    for (uint32_t i = 0; set.count && i < purchase->line_count; i++) {
        const struct loy_str *text = (const struct loy_str *)((const char *)&purchase->lines[i] + at);
        if (values[i] && loy_text_set_has(set, *text) == except) {
            values[i] = 0;
        }
    }
}

static inline void drop_by_label(struct loy_text_set set, bool except, const struct loy_purchase *purchase,
                                 int64_t *values)
{
    for (uint32_t i = 0; set.count && i < purchase->line_count; i++) {
        if (values[i] && has_label(set, &purchase->lines[i]) == except) {
            values[i] = 0;
        }
    }
}

static void drop_by_kind(const struct loy_line_filter *filter, const struct loy_purchase *purchase, int64_t *values)
{
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        const struct loy_line *line = &purchase->lines[i];
        uint32_t kind = 1u << (line->kind ? line->kind : LOY_LINE_GOODS);
        if ((filter->kinds && !(filter->kinds & kind)) || (filter->except_kinds & kind) ||
            (filter->except_discounted && line->discount_minor > 0)) {
            values[i] = 0;
        }
    }
}

/* Set by set, so that one that says nothing costs nothing a line. */
void loy_line_filter_apply(const struct loy_line_filter *filter, const struct loy_purchase *purchase, int64_t *values)
{
    drop_by_text(filter->skus, false, offsetof(struct loy_line, sku), purchase, values);
    drop_by_text(filter->categories, false, offsetof(struct loy_line, category), purchase, values);
    drop_by_text(filter->brands, false, offsetof(struct loy_line, brand), purchase, values);
    drop_by_label(filter->labels, false, purchase, values);
    drop_by_text(filter->except_skus, true, offsetof(struct loy_line, sku), purchase, values);
    drop_by_text(filter->except_categories, true, offsetof(struct loy_line, category), purchase, values);
    drop_by_text(filter->except_brands, true, offsetof(struct loy_line, brand), purchase, values);
    drop_by_label(filter->except_labels, true, purchase, values);
    if (filter->kinds || filter->except_kinds || filter->except_discounted) {
        drop_by_kind(filter, purchase, values);
    }
}

bool loy_line_matches(const struct loy_line_filter *filter, const struct loy_line *line)
{
    const struct loy_purchase one = {.lines = line, .line_count = 1};
    int64_t value = 1;
    loy_line_filter_apply(filter, &one, &value);
    return value != 0;
}

/* What was paid with points falls on all lines in proportion to their amounts; at most the whole order. */
static enum loy_err take_off_points(const struct loy_purchase *purchase, struct loy_arena *arena, int64_t *amounts)
{
    int64_t paid = 0;
    int64_t *weights = loy_arena_alloc(arena, purchase->line_count * sizeof *weights);
    int64_t *parts = loy_arena_alloc(arena, purchase->line_count * sizeof *parts);
    if (!weights || !parts) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < purchase->tender_count; i++) {
        const struct loy_tender *tender = &purchase->tenders[i];
        bool is_points = tender->points > 0 || loy_str_equal(tender->kind, LOY_STR("points"));
        if (is_points && !loy_i64_add(paid, tender->amount_minor, &paid)) {
            return LOY_ERR_OVERFLOW;
        }
    }
    paid = paid < purchase->total_minor ? paid : purchase->total_minor;
    if (paid <= 0) {
        return LOY_OK;
    }
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        weights[i] = purchase->lines[i].amount_minor;
    }
    enum loy_err err = loy_allot(paid, weights, purchase->line_count, arena, parts);
    for (uint32_t i = 0; !err && i < purchase->line_count; i++) {
        amounts[i] = amounts[i] > parts[i] ? amounts[i] - parts[i] : 0;
    }
    return err;
}

static enum loy_err sum_of(const int64_t *values, uint32_t count, int64_t *ret_sum)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!loy_i64_add(sum, values[i], &sum)) {
            return LOY_ERR_OVERFLOW;
        }
    }
    *ret_sum = sum;
    return LOY_OK;
}

static enum loy_err find_plain(const struct loy_purchase *purchase, struct loy_arena *arena,
                               struct loy_plain_amounts *plain)
{
    int64_t *amounts = loy_arena_alloc(arena, purchase->line_count * sizeof *amounts);
    if (!amounts) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        int64_t amount = purchase->lines[i].amount_minor;
        amounts[i] = amount > 0 ? amount : 0;
    }
    plain->amounts = amounts;
    return sum_of(amounts, purchase->line_count, &plain->total);
}

/* The lines' amounts on a rule's own basis. */
static enum loy_err basis_of(const struct loy_rule *rule, const struct loy_purchase *purchase, int64_t *amounts)
{
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        const struct loy_line *line = &purchase->lines[i];
        int64_t amount = line->amount_minor;
        if ((rule->before_discount && !loy_i64_add(amount, line->discount_minor, &amount)) ||
            (rule->without_tax && !loy_i64_sub(amount, line->tax_minor, &amount))) {
            return LOY_ERR_OVERFLOW;
        }
        amounts[i] = amount > 0 ? amount : 0;
    }
    return LOY_OK;
}

enum loy_err loy_eligible_amounts(const struct loy_rule *rule, const struct loy_purchase *purchase,
                                  struct loy_plain_amounts *plain, struct loy_arena *arena, const int64_t **ret_amounts,
                                  int64_t *ret_total)
{
    bool own_basis = rule->before_discount || rule->without_tax;
    enum loy_err err = own_basis || plain->amounts ? LOY_OK : find_plain(purchase, arena, plain);
    if (err) {
        return err;
    }
    if (!own_basis && loy_line_filter_is_open(&rule->lines)) {
        *ret_amounts = plain->amounts;
        *ret_total = plain->total;
        return LOY_OK;
    }
    int64_t *amounts = loy_arena_alloc(arena, purchase->line_count * sizeof *amounts);
    if (!amounts) {
        return LOY_ERR_NO_MEMORY;
    }
    if (own_basis) {
        err = basis_of(rule, purchase, amounts);
    } else {
        memcpy(amounts, plain->amounts, purchase->line_count * sizeof *amounts);
    }
    if (!err && rule->lines.except_paid_with_points) {
        err = take_off_points(purchase, arena, amounts);
    }
    if (err) {
        return err;
    }
    loy_line_filter_apply(&rule->lines, purchase, amounts);
    *ret_amounts = amounts;
    return sum_of(amounts, purchase->line_count, ret_total);
}

enum loy_err loy_eligible_quantities(const struct loy_rule *rule, const struct loy_purchase *purchase,
                                     struct loy_arena *arena, int64_t **ret_quantities, int64_t *ret_total)
{
    int64_t *quantities = loy_arena_alloc(arena, purchase->line_count * sizeof *quantities);
    if (!quantities) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        quantities[i] = purchase->lines[i].quantity_milli;
    }
    loy_line_filter_apply(&rule->lines, purchase, quantities);
    *ret_quantities = quantities;
    return sum_of(quantities, purchase->line_count, ret_total);
}

/* What was lost by rounding down, one each to the largest rests; fewer rounds than lines. */
static void allot_rests(int64_t left, int64_t *rests, uint32_t count, int64_t *parts)
{
    for (; left > 0; left--) {
        uint32_t largest = 0;
        int64_t most = rests[0];
        for (uint32_t i = 1; i < count; i++) {
            if (rests[i] > most) {
                most = rests[i];
                largest = i;
            }
        }
        parts[largest]++;
        rests[largest] = -1;
    }
}

enum loy_err loy_allot(int64_t total, const int64_t *weights, uint32_t count, struct loy_arena *arena,
                       int64_t *ret_parts)
{
    int64_t weight_sum;
    int64_t left = total;
    int64_t *rests = loy_arena_alloc(arena, count * sizeof *rests);
    if (!rests) {
        return LOY_ERR_NO_MEMORY;
    }
    enum loy_err err = sum_of(weights, count, &weight_sum);
    if (err) {
        return err;
    }
    assert(weight_sum > 0 && total >= 0);
    int64_t largest;
    bool narrow = loy_i64_mul(total, weight_sum, &largest); /* nearly always: a division in 128 bits costs ten others */
    for (uint32_t i = 0; i < count; i++) {
        if (weights[i] == 0) {
            ret_parts[i] = rests[i] = 0;
            continue;
        }
        if (narrow) {
            int64_t product = total * weights[i];
            ret_parts[i] = product / weight_sum;
            rests[i] = product % weight_sum;
        } else {
            loy_wide share = (loy_wide)total * weights[i];
            ret_parts[i] = (int64_t)(share / weight_sum);
            rests[i] = (int64_t)(share % weight_sum);
        }
        left -= ret_parts[i];
    }
    allot_rests(left, rests, count, ret_parts);
    return LOY_OK;
}
