/* I6 of budgets: whoever decided what and when, it came out as if the events had been decided one after the other, in
 * the order in which they were committed, each with all that was used before. */
#include "sim/model.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct sim_record *record_of(const struct sim_model *model, const struct loy_journal_row *row)
{
    return sim_customers_at(model->customers,
                            (struct loy_position){row->from.topic, row->from.partition, row->from.offset});
}

/* What is left of `wanted`; adds it to what is used. */
static int64_t charge(struct sim_model *model, const struct loy_budget *budget, int64_t wanted, int64_t *used)
{
    int64_t left = budget->limit - *used;
    int64_t granted = wanted <= left ? wanted : budget->refuse ? 0 : left;
    if (granted < wanted) {
        sim_happened(model->world, granted > 0 ? SIM_BUDGET_CUT : SIM_BUDGET_REFUSED);
    }
    *used += granted;
    return granted;
}

void sim_model_check_budgets(struct sim_model *model)
{
    int64_t used[FAKE_COUNTERS_MAX] = {0};
    model->budgeted = calloc(model->db->journal_count + 1, sizeof *model->budgeted);
    if (!model->budgeted) {
        abort();
    }
    for (uint32_t i = 0; i < model->db->journal_count; i++) {
        const struct sim_record *record = record_of(model, &model->db->journal[i]);
        const struct loy_programme *programme = sim_model_revision(model, &model->db->journal[i]);
        if (programme->rule_count > SIM_RULES_MAX) {
            abort();
        }
        for (uint32_t j = 0; record && j < programme->rule_count; j++) {
            const struct loy_budget *budget = programme->rules[j].budget;
            if (budget) {
                int64_t wanted = sim_model_points(&programme->rules[j], record);
                model->budgeted[i][j] = charge(model, budget, wanted, &used[budget->counter]);
            }
        }
    }
    for (uint32_t i = 0; i < model->db->counter_count; i++) {
        const struct loy_counter_row *counter = &model->db->counters[i];
        if (counter->used != used[counter->id]) {
            sim_model_fail(model, "I6: counter %d stands at %" PRId64 ", expected %" PRId64, counter->id, counter->used,
                           used[counter->id]);
        }
    }
}
