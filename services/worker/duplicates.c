/* Duplicates: the same event twice, or the same order from two channels. Within a batch they are found in memory,
 * across batches by the journal's primary key, which refuses the commit. A refused commit costs PostgreSQL as much as
 * one that stands, so events that this thread committed lately are looked for before. */
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

/* Journal keys serve as text for a table: ints and bytes without padding. */
_Static_assert(sizeof(struct loy_journal_key) == 24, "used as bytes");

static struct loy_str key_text(const struct loy_journal_key *key)
{
    return (struct loy_str){(const char *)key, sizeof *key};
}

static struct loy_journal_key key_of(const struct loy_batch *batch, const struct loy_item *item)
{
    const struct loy_slot *slot = &batch->slots[item->slot];
    struct loy_journal_key key = {.k = slot->k, .n = slot->exists ? slot->read.n : slot->account.n};
    memcpy(key.event_key.bytes, item->identity + sizeof item->slot, sizeof key.event_key.bytes);
    return key;
}

void loy_duplicates_remember(struct loy_worker *worker, const struct loy_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        if (batch->items[i].outcome == LOY_OUTCOME_APPLIED) {
            loy_recent_put(worker->recent, key_of(batch, &batch->items[i]).event_key);
        }
    }
}

/* A preview may be asked again and again, and is no copy of the purchase that follows it. */
void loy_duplicates_identify(struct loy_item *item)
{
    struct loy_digest key = item->event.preview ? (struct loy_digest){0} : loy_event_key(&item->event);
    memcpy(item->identity + sizeof item->slot, key.bytes, sizeof key.bytes);
}

enum loy_err loy_duplicates_expect(struct loy_worker *worker, struct loy_batch *batch)
{
    batch->identified = true;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct loy_item *item = &batch->items[i];
        if (!item->settled) {
            memcpy(item->identity, &item->slot, sizeof item->slot);
            loy_recent_expect(worker->recent, key_of(batch, item).event_key);
        }
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct loy_item *item = &batch->items[i];
        if (item->settled) {
            continue;
        }
        bool came_lately = loy_recent_has(worker->recent, key_of(batch, item).event_key);
        batch->expecting = batch->expecting || (came_lately && batch->slots[item->slot].exists);
    }
    if (!batch->expecting) {
        return LOY_OK;
    }
    loy_count(&worker->metrics->duplicates_expected, 1);
    return loy_duplicates_find(worker, batch);
}

enum loy_err loy_duplicates_find(struct loy_worker *worker, struct loy_batch *batch)
{
    struct loy_journal_key *keys = loy_arena_alloc(&batch->arena, batch->count * sizeof *keys);
    uint32_t count = 0;
    if (!keys) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room to look for duplicates");
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct loy_item *item = &batch->items[i];
        if (item->settled) {
            continue;
        }
        struct loy_journal_key key = key_of(batch, item);
        bool asked = batch->expecting ? loy_recent_has(worker->recent, key.event_key) && batch->slots[item->slot].exists
                                      : item->outcome == LOY_OUTCOME_APPLIED;
        if (asked) {
            keys[count++] = key;
        }
    }
    batch->request = (struct loy_store_request){.kind = LOY_STORE_FIND, .find = {.keys = keys, .count = count}};
    batch->phase = LOY_BATCH_FIND;
    return LOY_FAILPOINT("find");
}

/* Settles one item against the journal's event, unless that is another member's: then the account's number is not what
 * a cache made us think. */
static enum loy_err settle(struct loy_worker *worker, struct loy_batch *batch, struct loy_item *item,
                           struct loy_str encoded, bool *ret_deceived)
{
    struct loy_event first;
    struct loy_error error;
    enum loy_err err = loy_wire_event_decode(encoded, &batch->arena, &first, &error);
    if (err) {
        return loy_worker_fail(worker, err, "journal row of account %d/%d: %s", batch->slots[item->slot].k,
                               batch->slots[item->slot].account.n, error.detail);
    }
    if (!loy_str_equal(first.member_id, item->event.member_id)) {
        *ret_deceived = true;
        return LOY_OK;
    }
    loy_duplicates_compare(item, &first);
    if (item->outcome == LOY_OUTCOME_REJECTED) {
        err = loy_item_reject(worker, batch, item, LOY_ERR_EVENT_ID_REUSED, "event_id: came before with other content");
    }
    item->settled = true;
    return err;
}

/* Every item under a key that stands in the journal is settled, the copies within the batch as well. What is kept must
 * outlive a new decision: the mark of `loaded` moves up. */
enum loy_err loy_duplicates_found(struct loy_worker *worker, struct loy_batch *batch,
                                  const struct loy_store_result *result)
{
    struct loy_table found;
    /* the guard fired, and not on an account's number as it is now */
    bool deceived = result->found_count == 0 && !batch->expecting;
    batch->expecting = false;
    if (!loy_table_init(&found, &batch->arena, result->found_count)) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for %u duplicates", result->found_count);
    }
    for (uint32_t i = 0; i < result->found_count; i++) {
        loy_table_put(&found, key_text(&result->found[i].key), (int32_t)i);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        struct loy_item *item = &batch->items[i];
        if (item->settled) {
            continue;
        }
        struct loy_journal_key key = key_of(batch, item);
        int32_t at = loy_table_find(&found, key_text(&key));
        enum loy_err err = at < 0 ? LOY_OK : settle(worker, batch, item, result->found[at].event, &deceived);
        if (err) {
            return err;
        }
    }
    batch->loaded = loy_arena_mark(&batch->arena);
    batch->phase = LOY_BATCH_DECIDE;
    if (deceived) {
        loy_load_again(worker, batch);
    }
    return LOY_FAILPOINT("found");
}
