/* Duplicates: the same event twice, or the same order from two channels. Within a batch they are found in memory,
 * across batches by the journal's primary key, which refuses the commit. */
#include "worker/state.h"

#include "adapters/wire/wire.h"

#include <assert.h>

/* Says what `item` is beside the event that was applied under its key; the outcome REJECTED means a reused id. */
void loy_duplicates_compare(struct loy_item *item, const struct loy_event *first)
{
    bool same_id =
        loy_str_equal(item->event.event_id, first->event_id) && loy_str_equal(item->event.source, first->source);
    bool same_content = loy_str_equal(item->event.encoded, first->encoded);
    item->outcome = same_id && !same_content ? LOY_OUTCOME_REJECTED : LOY_OUTCOME_DUPLICATE;
    item->detail = same_id ? "duplicate" : "duplicate_order";
}

/* The journal keys of what was applied, as text for a table: a struct of ints and bytes without padding. */
_Static_assert(sizeof(struct loy_journal_key) == 24, "used as bytes");

enum loy_err loy_duplicates_find(struct loy_worker *worker, struct loy_batch *batch)
{
    struct loy_journal_key *keys = loy_arena_alloc(&batch->arena, batch->count * sizeof *keys);
    uint32_t count = 0;
    if (!keys || !loy_table_init(&batch->key_table, &batch->arena, batch->count)) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room to look for duplicates");
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct loy_item *item = &batch->items[i];
        if (item->settled || item->outcome != LOY_OUTCOME_APPLIED) {
            continue;
        }
        const struct loy_slot *slot = &batch->slots[item->slot];
        struct loy_journal_key *key = &keys[count++];
        *key = (struct loy_journal_key){.k = slot->k, .n = slot->account.n};
        memcpy(key->event_key.bytes, item->identity + 4, sizeof key->event_key.bytes);
        loy_table_put(&batch->key_table, (struct loy_str){(const char *)key, sizeof *key}, (int32_t)i);
    }
    batch->request = (struct loy_store_request){.kind = LOY_STORE_FIND, .find = {.keys = keys, .count = count}};
    batch->phase = LOY_BATCH_FIND;
    return LOY_OK;
}

static struct loy_item *item_of(struct loy_batch *batch, const struct loy_journal_key *key)
{
    int32_t at = loy_table_find(&batch->key_table, (struct loy_str){(const char *)key, sizeof *key});
    return at < 0 ? NULL : &batch->items[at];
}

/* Settles one item against the journal's event. The mark of `loaded` moves up: what is kept must outlive a new
 * decision. */
static enum loy_err settle(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item,
                           struct loy_str encoded)
{
    struct loy_event first;
    struct loy_error error;
    enum loy_err err = loy_wire_event_decode(encoded, &batch->arena, &first, &error);
    if (err) {
        return loy_worker_fail(worker, err, "journal row of account %d/%d: %s", batch->slots[item->slot].k,
                               batch->slots[item->slot].account.n, error.detail);
    }
    loy_duplicates_compare(item, &first);
    if (item->outcome == LOY_OUTCOME_REJECTED) {
        err = loy_item_reject(worker, batch, item, LOY_ERR_EVENT_ID_REUSED, "event_id: came before with other content");
    }
    item->settled = true;
    return err;
}

enum loy_err loy_duplicates_found(struct loy_worker *worker, struct loy_batch *batch,
                                  const struct loy_store_result *result)
{
    for (uint32_t i = 0; i < result->found_count; i++) {
        struct loy_item *item = item_of(batch, &result->found[i].key);
        enum loy_err err = item ? settle(worker, batch, item, result->found[i].event) : LOY_OK;
        if (err) {
            return err;
        }
    }
    batch->loaded = loy_arena_mark(&batch->arena);
    batch->phase = LOY_BATCH_DECIDE;
    if (result->found_count == 0) { /* the guard fired on an account's number that is not what we think */
        loy_load_again(worker, batch);
    }
    return LOY_OK;
}
