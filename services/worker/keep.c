/* Keep: what outlives a decision. The engine works in the thread's scratch arena, which takes several KiB an event;
 * only what the commit and its messages need, some hundred bytes, is copied into the batch. */
#include "worker/state.h"

#include "adapters/wire/wire.h"

enum { SPARE = 2 }; /* elements more than are needed now, for the member's next events in this batch */

/* Copies count elements to where the slot keeps such ones, or to a larger place in the batch. */
static bool keep_array(struct loy_arena *arena, struct loy_kept *kept, const void *from, size_t count, size_t size)
{
    if (count > kept->room) {
        kept->at = loy_arena_alloc(arena, (count + SPARE) * size);
        kept->room = kept->at ? count + SPARE : 0;
    }
    if (count && kept->at) {
        memmove(kept->at, from, count * size); /* the engine may have left it where it was kept */
    }
    return count == 0 || kept->at;
}

static bool keep_account(struct loy_batch *batch, struct loy_slot *slot)
{
    struct loy_account *account = &slot->account;
    struct loy_arena *arena = &batch->arena;
    if (!keep_array(arena, &slot->lots, account->lots, account->lot_count, sizeof *account->lots) ||
        !keep_array(arena, &slot->days, account->days, account->day_count, sizeof *account->days) ||
        !keep_array(arena, &slot->counters, account->counters, account->counter_count, sizeof *account->counters) ||
        !keep_array(arena, &slot->traits, account->traits.at, account->traits.len, 1)) {
        return false;
    }
    account->lots = slot->lots.at;
    account->lot_capacity = account->lot_count;
    account->days = slot->days.at;
    account->counters = slot->counters.at;
    account->traits.at = account->traits.len ? slot->traits.at : NULL;
    return true;
}

/* The rules' part is kept as the journal's bytes. */
static bool keep_effects(struct loy_batch *batch, struct loy_item *item)
{
    struct loy_effects *effects = &item->effects;
    if (loy_wire_encode_trace(effects, item->enrolled, &batch->arena, &item->trace)) {
        return false;
    }
    effects->rules = NULL;
    effects->rule_count = 0;
    effects->entries = loy_arena_copy(&batch->arena, effects->entries, effects->entry_count * sizeof *effects->entries);
    effects->charges =
        loy_arena_copy(&batch->arena, effects->charges, effects->charge_count * sizeof *effects->charges);
    return effects->entries && effects->charges;
}

enum loy_err loy_keep(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item)
{
    struct loy_slot *slot = &batch->slots[item->slot];
    if (!keep_account(batch, slot) || !keep_effects(batch, item)) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for the decisions of %u records", batch->count);
    }
    return item->effects.changed ? loy_message_update(worker, batch, item, &slot->account) : LOY_OK;
}
