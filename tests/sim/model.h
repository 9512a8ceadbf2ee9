/* Model: what must be true at the end of a simulated run, worked out a second time and as simply as possible.
 *
 * Written from the documented behaviour; shares no code with services/engine or services/worker, only headers of plain
 * data. It takes from the journal which of several repeats was applied and in which order, checks that this choice is a
 * legal one, and computes everything else itself. One thread. */
#ifndef LOY_TESTS_SIM_MODEL_H
#define LOY_TESTS_SIM_MODEL_H

#include "sim/customers.h"
#include "sim/fake_programmes.h"
#include "sim/fake_store.h"

enum { SIM_RULES_MAX = 8 };

struct sim_model {
    struct sim_world *world;
    const struct fake_published *published;
    const struct fake_broker *broker;
    const struct fake_db *db;
    const struct sim_customers *customers;
    uint16_t internal_topic, tick_topic;
    bool clocks_were_right; /* no worker's clock ever ran behind */
    uint32_t failures;

    /* worked out on the way */
    struct sim_map row_of_position;     /* input position -> journal row */
    struct sim_map first_of_identity;   /* member and identity -> journal row */
    int64_t (*budgeted)[SIM_RULES_MAX]; /* by journal row, then place of the rule: what its budget leaves of it */
};

/* The invariants I1 to I8 over everything that the run left behind; prints each failure. */
void sim_model_check(struct sim_model *model);
/* One message that just came to a log, for what must hold at every moment: nothing is out that is not committed. */
void sim_model_published(struct sim_model *model, uint16_t topic, const struct fake_entry *entry);

/* For model*.c only. */
LOY_PRINTF(2, 3) void sim_model_fail(struct sim_model *model, const char *format, ...);
/* The journal row that stands for a position's record; -1. */
int32_t sim_model_row_at(const struct sim_model *model, struct loy_position at);
/* Where a copy on the internal topic came in first; false when it does not say. */
bool sim_model_origin(const struct loy_bus_message *message, struct loy_position *ret);

void sim_model_check_outcomes(struct sim_model *model);
void sim_model_check_ledger(struct sim_model *model);
/* By which revision a row had to be decided, from what stood in the table when it was committed. */
const struct loy_programme *sim_model_revision(const struct sim_model *model, const struct loy_journal_row *row);
/* What a rule without a budget grants for a record. */
int64_t sim_model_points(const struct loy_rule *rule, const struct sim_record *record);
/* Fills budgeted, and compares what is charged. */
void sim_model_check_budgets(struct sim_model *model);
/* One member's published updates against the balances that each version must have. */
struct sim_expected_balance {
    int64_t available[LOY_WALLETS_MAX];
    int64_t pending[LOY_WALLETS_MAX];
    uint16_t wallet_count;
};
void sim_model_check_updates(struct sim_model *model, const struct fake_member *member,
                             const struct sim_expected_balance *versions, int64_t last);
void sim_model_check_dead_letters(struct sim_model *model);

#endif
