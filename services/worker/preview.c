/* Preview: a purchase that is only asked about. Decided in its turn among the others, by the member's state, the
 * revision and the budgets that they are decided by; the account stays as it was, nothing is charged, and the answer
 * goes out with the batch. */
#include "worker/state.h"

#include "adapters/wire/wire.h"
#include "engine/nearest.h"

bool loy_preview_is_answered(const struct loy_item *item)
{
    return item->event.preview && item->outcome == LOY_OUTCOME_IGNORED && item->slot >= 0;
}

static enum loy_err answer(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item,
                           const struct loy_budget_views *views, const struct loy_account *after)
{
    struct loy_nearest nearest[LOY_NEAREST_MAX];
    struct loy_wire_preview preview = {.decided = {.programme = item->programme,
                                                   .newest = loy_revisions_newest(batch->revisions),
                                                   .account = after,
                                                   .event = &item->event,
                                                   .effects = &item->effects,
                                                   .incarnation = worker->config.incarnation},
                                       .nearest = nearest};
    const struct loy_nearest_query query = {.programme = item->programme,
                                            .account = &batch->slots[item->slot].account,
                                            .event = &item->event,
                                            .arrival_us = item->arrival_us,
                                            .budgets = views ? *views : (struct loy_budget_views){0},
                                            .effects = &item->effects};
    enum loy_err err = loy_nearest_find(&query, &worker->scratch, nearest, &preview.nearest_count);
    err = err ? err : loy_wire_encode_preview(&preview, worker->config.output_json, &batch->arena, &item->update);
    return err ? loy_worker_fail(worker, err, "answering a preview") : LOY_OK;
}

enum loy_err loy_preview_decide(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item)
{
    struct loy_account after = batch->slots[item->slot].account;
    struct loy_error error;
    const struct loy_budget_views *views;
    if (!loy_decide_prepare(worker, batch, item, &views)) {
        return LOY_ERR_AGAIN;
    }
    enum loy_err err = loy_engine_decide(item->programme, &after, &item->event, item->arrival_us, views,
                                         &worker->scratch, &item->effects, &error);
    if (err) {
        return loy_err_class(err) == LOY_CLASS_REJECT ? loy_item_reject(worker, batch, item, err, error.detail)
                                                      : loy_worker_fail(worker, err, "previewing: %s", error.detail);
    }
    item->outcome = LOY_OUTCOME_IGNORED;
    item->detail = "preview";
    return answer(worker, batch, item, views, &after);
}
