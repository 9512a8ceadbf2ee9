#include "worker/counters.h"

#include "base/num.h"

#include <assert.h>
#include <stdlib.h>

struct counter {
    int32_t id;
    int32_t place;   /* in `views`, while they are of a programme that has it; -1 */
    int64_t used;    /* as known before the batch */
    int64_t charged; /* by the batch so far */
    int64_t at_most; /* what `used` may be when it commits */
    bool is_known;
    bool is_fresh; /* read for this batch */
    bool is_short; /* the batch cut or refused something */
    bool is_wanted;
    bool was_looked_at; /* by the batch */
    bool was_short;     /* in the last batch: then the next one will be, too */
};

struct loy_counters {
    struct counter rows[LOY_COUNTERS_MAX]; /* ascending by id */
    uint32_t count;
    int32_t ids[LOY_COUNTERS_MAX];         /* asked for */
    const struct loy_programme *programme; /* whose views these are; NULL: nobody's */
    struct loy_budget_view rows_of_views[LOY_BUDGETS_MAX];
    struct loy_budget_views views;
};

struct loy_counters *loy_counters_new(void)
{
    return calloc(1, sizeof(struct loy_counters));
}

void loy_counters_destroy(struct loy_counters *counters)
{
    free(counters);
}

void loy_counters_forget(struct loy_counters *counters)
{
    counters->count = 0;
    counters->programme = NULL;
}

/* Where the id is, or belongs. */
static uint32_t place_of(const struct loy_counters *counters, int32_t id)
{
    uint32_t low = 0, high = counters->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (counters->rows[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct counter *find(struct loy_counters *counters, int32_t id)
{
    uint32_t at = place_of(counters, id);
    return at < counters->count && counters->rows[at].id == id ? &counters->rows[at] : NULL;
}

/* Its row, new where there was none; NULL: no room. */
static struct counter *put(struct loy_counters *counters, int32_t id)
{
    uint32_t at = place_of(counters, id);
    if (at < counters->count && counters->rows[at].id == id) {
        return &counters->rows[at];
    }
    if (counters->count == LOY_COUNTERS_MAX) {
        return NULL;
    }
    memmove(&counters->rows[at + 1], &counters->rows[at], (counters->count - at) * sizeof *counters->rows);
    counters->count++;
    counters->rows[at] = (struct counter){.id = id, .place = -1, .at_most = INT64_MAX};
    return &counters->rows[at];
}

void loy_counters_begin(struct loy_counters *counters)
{
    for (uint32_t i = 0; i < counters->count; i++) {
        struct counter *row = &counters->rows[i];
        row->is_fresh = false;
        row->is_wanted = row->was_short || !row->is_known;
    }
    loy_counters_restart(counters);
}

bool loy_counters_know(struct loy_counters *counters, const struct loy_programme *programme)
{
    bool all = true;
    if (counters->programme == programme) {
        return true;
    }
    if (counters->count + programme->budget_count > LOY_COUNTERS_MAX) {
        loy_counters_forget(counters); /* of revisions that are hardly used any more; what is needed is read again */
    }
    for (uint32_t i = 0; i < programme->budget_count; i++) {
        struct counter *row = put(counters, programme->budgets[i].counter);
        assert(row); /* a programme has no more than LOY_BUDGETS_MAX */
        row->is_wanted = row->is_wanted || !row->is_known;
        all = all && row->is_known;
    }
    return all;
}

uint32_t loy_counters_wanted(struct loy_counters *counters, const int32_t **ret_ids)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < counters->count; i++) {
        if (counters->rows[i].is_wanted) {
            counters->ids[count++] = counters->rows[i].id;
        }
    }
    *ret_ids = counters->ids;
    return count;
}

bool loy_counters_read(struct loy_counters *counters, const struct loy_counter_row *rows, uint32_t count,
                       int32_t *ret_missing)
{
    for (uint32_t i = 0; i < count; i++) {
        struct counter *row = find(counters, rows[i].id);
        if (row && row->is_wanted) {
            row->used = rows[i].used;
            row->is_known = row->is_fresh = true;
            row->is_wanted = false;
        }
    }
    for (uint32_t i = 0; i < counters->count; i++) {
        if (counters->rows[i].is_wanted) {
            *ret_missing = counters->rows[i].id;
            return false;
        }
    }
    return true;
}

void loy_counters_restart(struct loy_counters *counters)
{
    counters->programme = NULL; /* views are of the middle of a batch */
    for (uint32_t i = 0; i < counters->count; i++) {
        struct counter *row = &counters->rows[i];
        row->charged = 0;
        row->at_most = INT64_MAX;
        row->is_short = row->was_looked_at = false;
    }
}

const struct loy_budget_views *loy_counters_views(struct loy_counters *counters, const struct loy_programme *programme)
{
    if (programme->budget_count == 0) {
        return NULL;
    }
    if (counters->programme == programme) {
        return &counters->views;
    }
    for (uint32_t i = 0; i < counters->count; i++) {
        counters->rows[i].place = -1;
    }
    for (uint32_t i = 0; i < programme->budget_count; i++) {
        struct counter *row = find(counters, programme->budgets[i].counter);
        assert(row && row->is_known);
        row->place = (int32_t)i;
        counters->rows_of_views[i] = (struct loy_budget_view){row->id, row->used + row->charged};
    }
    counters->programme = programme;
    counters->views = (struct loy_budget_views){counters->rows_of_views, programme->budget_count};
    return &counters->views;
}

void loy_counters_take(struct loy_counters *counters, const struct loy_effects *effects)
{
    for (uint32_t i = 0; i < effects->charge_count; i++) {
        const struct loy_charge *charge = &effects->charges[i];
        struct counter *row = find(counters, charge->counter);
        assert(row && row->place >= 0 && charge->points >= 0 && charge->at_most >= row->used + row->charged);
        if (charge->at_most != INT64_MAX) {
            /* What earlier events of the batch take is part of what this one was decided with. */
            int64_t at_most = charge->at_most - row->charged;
            row->at_most = at_most < row->at_most ? at_most : row->at_most;
        }
        bool fits = loy_i64_add(row->charged, charge->points, &row->charged) &&
                    loy_i64_add(row->used, row->charged, &counters->rows_of_views[row->place].used);
        assert(fits); /* nobody is granted more than the budget's limit */
        row->is_short = row->is_short || charge->is_short;
        row->was_looked_at = true;
    }
}

bool loy_counters_hold(struct loy_counters *counters)
{
    bool hold = true;
    for (uint32_t i = 0; i < counters->count; i++) {
        struct counter *row = &counters->rows[i];
        row->is_wanted = row->is_short && !row->is_fresh;
        hold = hold && !row->is_wanted;
    }
    return hold;
}

static bool is_charged(const struct counter *row)
{
    return row->charged > 0 || row->at_most != INT64_MAX;
}

uint32_t loy_counters_charges(const struct loy_counters *counters, struct loy_counter_charge *rows)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < counters->count; i++) {
        const struct counter *row = &counters->rows[i];
        if (!is_charged(row)) {
            continue; /* refused for good: nothing to take, and nothing that could change it */
        }
        if (rows) {
            rows[count] = (struct loy_counter_charge){row->id, row->charged, row->at_most};
        }
        count++;
    }
    return count;
}

void loy_counters_collided(struct loy_counters *counters)
{
    for (uint32_t i = 0; i < counters->count; i++) {
        struct counter *row = &counters->rows[i];
        row->is_wanted = is_charged(row);
        row->is_fresh = row->is_fresh && !row->is_wanted;
    }
}

void loy_counters_committed(struct loy_counters *counters)
{
    for (uint32_t i = 0; i < counters->count; i++) {
        struct counter *row = &counters->rows[i];
        row->used += row->charged; /* fits: loy_counters_take has seen their sum */
        row->was_short = row->was_looked_at && row->is_short;
    }
    loy_counters_restart(counters);
}
