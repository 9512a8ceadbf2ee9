/* Match: which lines of a purchase count for a rule, and with what. Pure. Test: tests/unit/test_earning.c. */
#ifndef LOY_ENGINE_MATCH_H
#define LOY_ENGINE_MATCH_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/event.h"
#include "engine/programme.h"

static inline bool loy_text_set_has(struct loy_text_set set, struct loy_str text)
{
    for (uint32_t i = 0; i < set.count; i++) {
        if (loy_str_equal(set.texts[i], text)) {
            return true;
        }
    }
    return false;
}
/* Whether the filter says nothing about lines, "except" included. */
static inline bool loy_line_filter_is_open(const struct loy_line_filter *filter)
{
    return !(filter->skus.count | filter->categories.count | filter->brands.count | filter->labels.count |
             filter->kinds | filter->except_skus.count | filter->except_categories.count | filter->except_brands.count |
             filter->except_labels.count | filter->except_kinds | filter->except_discounted |
             filter->except_paid_with_points);
}
/* Whether the line counts, whatever its amount. */
bool loy_line_matches(const struct loy_line_filter *filter, const struct loy_line *line);
/* Makes the values of the lines that do not count 0. */
void loy_line_filter_apply(const struct loy_line_filter *filter, const struct loy_purchase *purchase, int64_t *values);

/* The amounts of all lines of an event's purchase, after discount and with tax: what most rules start from. Computed
 * with the first of them. */
struct loy_plain_amounts {
    int64_t *amounts; /* NULL: not yet */
    int64_t total;
};

/* What each line of the purchase counts for the rule: amounts on the rule's basis, 0 for lines that do not count. Their
 * sum is *ret_total. OVERFLOW; NO_MEMORY. */
LOY_MUST_USE enum loy_err loy_eligible_amounts(const struct loy_rule *rule, const struct loy_purchase *purchase,
                                               struct loy_plain_amounts *plain, struct loy_arena *arena,
                                               const int64_t **ret_amounts, int64_t *ret_total);
/* The same in thousandths of the quantity. */
LOY_MUST_USE enum loy_err loy_eligible_quantities(const struct loy_rule *rule, const struct loy_purchase *purchase,
                                                  struct loy_arena *arena, int64_t **ret_quantities,
                                                  int64_t *ret_total);

/* Allots `total` (≥ 0) over weights (≥ 0, not all 0) by largest remainder, ties by position. The sum of ret_parts is
 * total. The method of Hamilton. */
LOY_MUST_USE enum loy_err loy_allot(int64_t total, const int64_t *weights, uint32_t count, struct loy_arena *arena,
                                    int64_t *ret_parts);

#endif
