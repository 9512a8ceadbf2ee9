#include "engine/match.h"

#include "base/num.h"

#include <assert.h>

bool loy_text_set_has(struct loy_text_set set, struct loy_str text)
{
    for (uint32_t i = 0; i < set.count; i++) {
        if (loy_str_equal(set.texts[i], text)) {
            return true;
        }
    }
    return false;
}

static bool has_label(struct loy_text_set set, const struct loy_line *line)
{
    for (uint32_t i = 0; i < line->label_count; i++) {
        if (loy_text_set_has(set, line->labels[i])) {
            return true;
        }
    }
    return false;
}

bool loy_line_filter_is_open(const struct loy_line_filter *filter)
{
    return filter->skus.count == 0 && filter->categories.count == 0 && filter->brands.count == 0 &&
           filter->labels.count == 0 && filter->kinds == 0 && filter->except_skus.count == 0 &&
           filter->except_categories.count == 0 && filter->except_brands.count == 0 &&
           filter->except_labels.count == 0 && filter->except_kinds == 0 && !filter->except_discounted &&
           !filter->except_paid_with_points;
}

bool loy_line_matches(const struct loy_line_filter *filter, const struct loy_line *line)
{
    uint32_t kind = 1u << (line->kind ? line->kind : LOY_LINE_GOODS);
    bool wanted = (filter->skus.count == 0 || loy_text_set_has(filter->skus, line->sku)) &&
                  (filter->categories.count == 0 || loy_text_set_has(filter->categories, line->category)) &&
                  (filter->brands.count == 0 || loy_text_set_has(filter->brands, line->brand)) &&
                  (filter->labels.count == 0 || has_label(filter->labels, line)) &&
                  (filter->kinds == 0 || (filter->kinds & kind));
    return wanted && !loy_text_set_has(filter->except_skus, line->sku) &&
           !loy_text_set_has(filter->except_categories, line->category) &&
           !loy_text_set_has(filter->except_brands, line->brand) && !has_label(filter->except_labels, line) &&
           !(filter->except_kinds & kind) && !(filter->except_discounted && line->discount_minor > 0);
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

/* A line's amount on the rule's basis. */
static bool basis_of(const struct loy_rule *rule, const struct loy_line *line, int64_t *ret_amount)
{
    int64_t amount = line->amount_minor;
    if ((rule->before_discount && !loy_i64_add(amount, line->discount_minor, &amount)) ||
        (rule->without_tax && !loy_i64_sub(amount, line->tax_minor, &amount))) {
        return false;
    }
    *ret_amount = amount > 0 ? amount : 0;
    return true;
}

enum loy_err loy_eligible_amounts(const struct loy_rule *rule, const struct loy_purchase *purchase,
                                  struct loy_arena *arena, int64_t **ret_amounts, int64_t *ret_total)
{
    int64_t *amounts = loy_arena_alloc(arena, purchase->line_count * sizeof *amounts);
    int64_t total = 0;
    if (!amounts) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        if (!basis_of(rule, &purchase->lines[i], &amounts[i])) {
            return LOY_ERR_OVERFLOW;
        }
    }
    bool all = loy_line_filter_is_open(&rule->lines);
    enum loy_err err = rule->lines.except_paid_with_points ? take_off_points(purchase, arena, amounts) : LOY_OK;
    for (uint32_t i = 0; !err && i < purchase->line_count; i++) {
        amounts[i] = all || loy_line_matches(&rule->lines, &purchase->lines[i]) ? amounts[i] : 0;
        err = loy_i64_add(total, amounts[i], &total) ? LOY_OK : LOY_ERR_OVERFLOW;
    }
    *ret_amounts = amounts;
    *ret_total = total;
    return err;
}

enum loy_err loy_eligible_quantities(const struct loy_rule *rule, const struct loy_purchase *purchase,
                                     struct loy_arena *arena, int64_t **ret_quantities, int64_t *ret_total)
{
    int64_t *quantities = loy_arena_alloc(arena, purchase->line_count * sizeof *quantities);
    int64_t total = 0;
    if (!quantities) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        const struct loy_line *line = &purchase->lines[i];
        quantities[i] = loy_line_matches(&rule->lines, line) ? line->quantity_milli : 0;
        if (!loy_i64_add(total, quantities[i], &total)) {
            return LOY_ERR_OVERFLOW;
        }
    }
    *ret_quantities = quantities;
    *ret_total = total;
    return LOY_OK;
}

enum loy_err loy_allot(int64_t total, const int64_t *weights, uint32_t count, struct loy_arena *arena,
                       int64_t *ret_parts)
{
    int64_t weight_sum = 0;
    int64_t given = 0;
    int64_t *rests = loy_arena_alloc(arena, count * sizeof *rests);
    if (!rests) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!loy_i64_add(weight_sum, weights[i], &weight_sum)) {
            return LOY_ERR_OVERFLOW;
        }
    }
    assert(weight_sum > 0 && total >= 0);
    for (uint32_t i = 0; i < count; i++) {
        int64_t product;
        if (loy_i64_mul(total, weights[i], &product)) { /* nearly always: a division in 128 bits costs ten of these */
            ret_parts[i] = product / weight_sum;
            rests[i] = product % weight_sum;
        } else {
            loy_wide share = (loy_wide)total * weights[i];
            ret_parts[i] = (int64_t)(share / weight_sum);
            rests[i] = (int64_t)(share % weight_sum);
        }
        given += ret_parts[i];
    }
    for (; given < total; given++) { /* fewer rounds than lines */
        uint32_t largest = 0;
        for (uint32_t i = 1; i < count; i++) {
            largest = rests[i] > rests[largest] ? i : largest;
        }
        ret_parts[largest]++;
        rests[largest] = -1;
    }
    return LOY_OK;
}
