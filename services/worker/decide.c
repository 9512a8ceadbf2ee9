/* Decide: every record of the batch gets its outcome, in the order of its topic, ticks last. Can be done again from
 * what was loaded: nothing before the commit leaves a trace. */
#include "worker/state.h"

#include "adapters/wire/wire.h"

#include <assert.h>

void loy_item_settle(struct loy_item *item, enum loy_outcome outcome, const char *detail)
{
    item->settled = true;
    item->outcome = outcome;
    item->detail = detail;
}

enum loy_err loy_item_reject(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item,
                             enum loy_err code, const char *reason)
{
    item->outcome = LOY_OUTCOME_REJECTED;
    item->detail = loy_err_name(code);
    item->error = code;
    item->reason = loy_str_dup_z(&batch->arena, loy_str(reason));
    if (!item->reason) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for the reason of a dead letter");
    }
    item->settled = batch->phase == LOY_BATCH_FILLING; /* what the engine refuses may be decided otherwise next time */
    return LOY_OK;
}

/* What an account is as it was loaded. */
static enum loy_err open_account(struct loy_worker *worker, struct loy_batch *batch, struct loy_slot *slot)
{
    struct loy_account *account = &slot->account;
    slot->opened = true;
    slot->lots = slot->days = slot->counters = slot->traits = (struct loy_kept){0};
    loy_account_init(account, slot->member_id, slot->k);
    slot->due_before_us = LOY_NEVER;
    if (!slot->exists) {
        return LOY_OK;
    }
    enum loy_err err = loy_account_decode(slot->read.state, &batch->arena, account, &worker->error);
    if (err == LOY_ERR_CORRUPT && !batch->skip_caches) {
        return LOY_ERR_CORRUPT; /* it may be a cache that lies: ask PostgreSQL */
    }
    if (err) {
        return loy_worker_fail(worker, err, "account %d/%d: %s", slot->k, slot->read.n, worker->error.detail);
    }
    if (account->wallet_count > loy_revisions_newest(batch->revisions)->wallet_count) {
        if (!batch->skip_caches) {
            return LOY_ERR_CORRUPT;
        }
        loy_decide_refresh(worker, batch); /* a newer revision gave it a wallet that has no name here yet */
        return LOY_ERR_AGAIN;
    }
    account->n = slot->read.n;
    account->seq = slot->read.seq;
    account->version = slot->read.version;
    slot->due_before_us = loy_account_due_us(account);
    return LOY_OK;
}

/* Accounts are opened one by one, each when the first of its events is decided: it is near then. */
static void forget_decisions(const struct loy_worker *worker, struct loy_batch *batch)
{
    for (uint32_t i = 0; i < batch->slot_count; i++) {
        struct loy_slot *slot = &batch->slots[i];
        slot->opened = false;
        slot->written = false;
        slot->changed_by = -1;
    }
    for (uint32_t i = 0; i < batch->span_count; i++) {
        batch->spans[i].next_n = worker->owned[batch->spans[i].k].row.next_n;
    }
}

/* A state near its hard limit is measured after every event, so that the event that would pass it is the one refused.
 */
static enum loy_err measure(struct loy_worker *worker, const struct loy_account *account, struct loy_error *error)
{
    struct loy_str state;
    if (!loy_account_is_large(account)) {
        return LOY_OK;
    }
    enum loy_err err = loy_account_encode(account, &worker->scratch, &state);
    return err ? loy_error_set(error, err, "the member's state would pass %d bytes with %u lots", LOY_STATE_BYTES_MAX,
                               account->lot_count)
               : LOY_OK;
}

bool loy_decide_prepare(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item,
                        const struct loy_budget_views **ret_views)
{
    int64_t moment_us;
    item->programme = loy_revisions_choose(batch->revisions, &item->event, item->arrival_us, &moment_us);
    batch->newest_moment_us = moment_us > batch->newest_moment_us ? moment_us : batch->newest_moment_us;
    if (!loy_counters_know(worker->counters, item->programme)) {
        return false;
    }
    *ret_views = loy_counters_views(worker->counters, item->programme);
    loy_region_reset(&worker->scratch_region, &worker->scratch, LOY_SCRATCH_KEEP);
    return true;
}

static enum loy_err apply(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item)
{
    struct loy_slot *slot = &batch->slots[item->slot];
    struct loy_account before = slot->account;
    struct loy_error error;
    const struct loy_budget_views *views;
    if (!loy_decide_prepare(worker, batch, item, &views)) {
        return LOY_ERR_AGAIN;
    }
    enum loy_err err = loy_engine_decide(item->programme, &slot->account, &item->event, item->arrival_us, views,
                                         &worker->scratch, &item->effects, &error);
    if (!err) {
        err = measure(worker, &slot->account, &error);
    }
    if (err) {
        slot->account = before;
        return loy_err_class(err) == LOY_CLASS_REJECT ? loy_item_reject(worker, batch, item, err, error.detail)
                                                      : loy_worker_fail(worker, err, "deciding: %s", error.detail);
    }
    if (slot->account.n < 0) {
        slot->account.n = loy_batch_span(worker, batch, slot->k)->next_n++;
        item->enrolled = true;
    }
    loy_counters_take(worker->counters, &item->effects);
    slot->written = true;
    item->outcome = LOY_OUTCOME_APPLIED;
    item->detail = loy_applied_name(item->effects.applied);
    item->seq = slot->account.seq;
    item->version = slot->account.version;
    return loy_keep(worker, batch, item);
}

static enum loy_err decide_item(struct loy_worker *worker, struct loy_batch *batch, struct loy_table *seen, uint32_t at)
{
    struct loy_item *item = &batch->items[at];
    struct loy_slot *slot = &batch->slots[item->slot];
    enum loy_err err = slot->opened ? LOY_OK : open_account(worker, batch, slot);
    if (err) {
        return err;
    }
    bool is_new = slot->account.n < 0;
    bool is_tick = item->event.kind == LOY_EVENT_TICK;
    int64_t moment_us = item->arrival_us > slot->account.clock_us ? item->arrival_us : slot->account.clock_us;
    bool too_early = item->event.tick_due_at_us > moment_us || loy_account_due_us(&slot->account) > moment_us;
    if (is_tick && (is_new || too_early)) {
        item->outcome = LOY_OUTCOME_IGNORED; /* not in the journal: a later tick with the same due time must count */
        item->detail = "nothing_due";
        return LOY_OK;
    }
    if (is_new && !worker->config.enrol) {
        return loy_item_reject(worker, batch, item, LOY_ERR_UNKNOWN_MEMBER,
                               "member_id: no such member, and first events do not enrol here");
    }
    if (item->event.preview) {
        return loy_preview_decide(worker, batch, item);
    }
    struct loy_str identity = {(const char *)item->identity, sizeof item->identity};
    int32_t first = loy_table_find(seen, identity);
    if (first >= 0) {
        loy_duplicates_compare(item, &batch->items[first].event);
        return item->outcome == LOY_OUTCOME_REJECTED ? loy_item_reject(worker, batch, item, LOY_ERR_EVENT_ID_REUSED,
                                                                       "event_id: came before with other content")
                                                     : LOY_OK;
    }
    err = apply(worker, batch, item);
    if (!err && item->outcome == LOY_OUTCOME_APPLIED) {
        loy_table_put(seen, identity, (int32_t)at); /* rejected ones are not in the guard: they can be replayed */
        batch->slots[item->slot].applied_by = (int32_t)at;
        if (item->effects.changed) {
            batch->slots[item->slot].changed_by = (int32_t)at;
        }
    }
    return err;
}

static enum loy_err close_accounts(struct loy_worker *worker, struct loy_batch *batch)
{
    for (uint32_t i = 0; i < batch->slot_count; i++) {
        struct loy_slot *slot = &batch->slots[i];
        if (!slot->written) {
            continue;
        }
        struct loy_str state;
        loy_arena_reset(&worker->scratch);
        enum loy_err err = loy_account_encode(&slot->account, &worker->scratch, &state);
        slot->state = err ? (struct loy_str){0} : loy_str_copy(&batch->arena, state);
        if (err || !slot->state.at) {
            return loy_worker_fail(worker, err ? err : LOY_ERR_NO_MEMORY, "account %d/%d cannot be encoded", slot->k,
                                   slot->account.n);
        }
        slot->digest = loy_account_digest(&slot->account, slot->state);
    }
    return LOY_OK;
}

enum loy_err loy_decide(struct loy_worker *worker, struct loy_batch *batch)
{
    struct loy_table seen;
    loy_arena_reset_to(&batch->arena, batch->loaded);
    batch->revisions = worker->programmes.current(worker->programmes.self);
    batch->newest_moment_us = INT64_MIN;
    if (++batch->misses > LOY_GUARD_MISSES_MAX) {
        return loy_worker_fail(worker, LOY_ERR_INTERNAL, "a batch was refused %d times: run loyalctl audit",
                               LOY_GUARD_MISSES_MAX);
    }
    loy_counters_restart(worker->counters);
    forget_decisions(worker, batch);
    enum loy_err err = LOY_OK;
    if (!loy_table_init(&seen, &batch->arena, batch->count)) {
        err = loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for %u identities", batch->count);
    }
    for (int ticks = 0; ticks <= 1; ticks++) {
        for (uint32_t i = 0; !err && i < batch->count; i++) {
            const struct loy_item *item = &batch->items[i];
            if (!item->settled && (item->at.topic == worker->tick_topic) == ticks) {
                err = decide_item(worker, batch, &seen, i);
            }
        }
    }
    if (!err && !loy_counters_hold(worker->counters)) {
        batch->misses--; /* nobody was wrong: a budget is cut or refused only as it was read for this batch */
        err = LOY_ERR_AGAIN;
    }
    return err ? err : close_accounts(worker, batch);
}

/* --- a newer revision
 * ------------------------------------------------------------------------------------------------- */

static void ask_for_newer(struct loy_worker *worker, int32_t known)
{
    uint64_t unsaid;
    worker->programmes.refresh(worker->programmes.self, known);
    if (loy_log_repeat_failed(&worker->revision_said, loy_worker_now_us(worker), LOY_SAY_AGAIN_US, &unsaid)) {
        LOY_INFO("revision_wanted", LOY_LOG_STR("owner", worker->config.owner), LOY_LOG_INT("newer_than", known));
    }
}

void loy_decide_refresh(struct loy_worker *worker, struct loy_batch *batch)
{
    batch->phase = LOY_BATCH_REVISION;
    batch->misses--; /* it waits for something newer to be decided by: no reason to give up */
    ask_for_newer(worker, loy_revisions_newest(batch->revisions)->revision);
}

void loy_decide_refreshed(struct loy_worker *worker, struct loy_batch *batch)
{
    int32_t known = loy_revisions_newest(batch->revisions)->revision;
    if (loy_revisions_newest(worker->programmes.current(worker->programmes.self))->revision <= known) {
        ask_for_newer(worker, known);
        return;
    }
    batch->phase = LOY_BATCH_DECIDE;
    if (loy_log_repeat_works(&worker->revision_said)) {
        LOY_INFO("revision_taken_up", LOY_LOG_STR("owner", worker->config.owner));
    }
}
