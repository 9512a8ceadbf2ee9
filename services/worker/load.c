/* Load: the accounts of a batch, from the thread's cache, then Redis, then PostgreSQL. What a cache says is a guess
 * that the commit compares. */
#include "worker/state.h"

/* All but the account, which is opened when it is decided about. */
static void start_slot(struct loy_slot *slot, const struct loy_item *item)
{
    memset(slot, 0, offsetof(struct loy_slot, account));
    slot->member_id = item->event.member_id;
    slot->member_hash = item->member_hash;
    slot->k = item->at.partition;
    slot->account.n = -1;
}

/* Every item that is not settled gets a slot; the same member the same one. */
static enum loy_err make_slots(struct loy_worker *worker, struct loy_batch *batch)
{
    batch->slots = loy_arena_alloc(&batch->arena, batch->count * sizeof *batch->slots);
    batch->missing = loy_arena_alloc(&batch->arena, batch->count * sizeof *batch->missing);
    if (!batch->slots || !batch->missing || !loy_table_init(&batch->slot_table, &batch->arena, batch->count)) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for the accounts of %u records", batch->count);
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        struct loy_item *item = &batch->items[i];
        if (item->settled) {
            continue;
        }
        item->slot = loy_table_put_hashed(&batch->slot_table, item->event.member_id, item->member_hash,
                                          (int32_t)batch->slot_count);
        if (item->slot == (int32_t)batch->slot_count) {
            start_slot(&batch->slots[batch->slot_count++], item);
        }
    }
    return LOY_OK;
}

/* Copies a row into the batch: what it was borrowed from moves on. */
static enum loy_err fill_slot(struct loy_worker *worker, struct loy_batch *batch, struct loy_slot *slot,
                              const struct loy_member_row *row)
{
    slot->exists = true;
    slot->read = *row;
    slot->read.member_id = slot->member_id;
    slot->read.state = loy_str_copy(&batch->arena, row->state);
    return slot->read.state.at ? LOY_OK
                               : loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for the accounts of a batch");
}

/* Redis may give parts of different rows: what does not fit its own digest is a miss. The commit compares the digest.
 */
static bool is_whole(const struct loy_member_row *row)
{
    struct loy_account account = {
        .member_id = row->member_id, .k = row->k, .n = row->n, .seq = row->seq, .version = row->version};
    struct loy_digest digest = loy_account_digest(&account, row->state);
    return memcmp(digest.bytes, row->digest.bytes, sizeof digest.bytes) == 0;
}

static enum loy_err fill_from_rows(struct loy_worker *worker, struct loy_batch *batch,
                                   const struct loy_member_row *rows, uint32_t count, _Atomic uint64_t *counter)
{
    for (uint32_t i = 0; i < count; i++) {
        int32_t at = loy_table_find(&batch->slot_table, rows[i].member_id);
        bool asked = at >= 0 && !batch->slots[at].exists && batch->slots[at].k == rows[i].k;
        if (!asked || (batch->phase == LOY_BATCH_CACHE && !is_whole(&rows[i]))) {
            continue; /* a cache may invent anything */
        }
        loy_count(counter, 1);
        enum loy_err err = fill_slot(worker, batch, &batch->slots[at], &rows[i]);
        if (err) {
            return err;
        }
    }
    return LOY_OK;
}

static void list_missing(struct loy_batch *batch)
{
    batch->missing_count = 0;
    for (uint32_t i = 0; i < batch->slot_count; i++) {
        if (!batch->slots[i].exists) {
            batch->missing[batch->missing_count++] =
                (struct loy_account_key){batch->slots[i].k, batch->slots[i].member_id};
        }
    }
}

static void ask_store(struct loy_worker *worker, struct loy_batch *batch)
{
    list_missing(batch);
    struct loy_store_load load = {.keys = batch->missing, .count = batch->missing_count};
    load.counter_count = loy_counters_wanted(worker->counters, &load.counters);
    if (load.count == 0 && load.counter_count == 0) {
        batch->phase = LOY_BATCH_DECIDE;
        batch->loaded = loy_arena_mark(&batch->arena);
        return;
    }
    batch->request = (struct loy_store_request){.kind = LOY_STORE_LOAD, .load = load};
    batch->phase = LOY_BATCH_LOAD; /* submitted as soon as the store is free: worker.c */
}

void loy_load_expect(const struct loy_worker *worker, const struct loy_batch *batch, uint32_t at)
{
    enum { APART = 6 };
    for (uint32_t step = 0; step < LOY_ACCOUNT_CACHE_STEPS; step++) {
        uint32_t ahead = at + (LOY_ACCOUNT_CACHE_STEPS - step) * APART;
        if (ahead < batch->slot_count) {
            loy_account_cache_expect(worker->accounts, batch->slots[ahead].member_hash, (int)step);
        }
    }
}

enum loy_err loy_load_start(struct loy_worker *worker, struct loy_batch *batch)
{
    enum loy_err err = LOY_FAILPOINT("load");
    err = err || batch->slots ? err : make_slots(worker, batch);
    if (err) {
        return err;
    }
    loy_counters_begin(worker->counters);
    /* What is not known comes with the accounts. */
    const struct loy_revisions *revisions = worker->programmes.current(worker->programmes.self);
    (void)loy_counters_know(worker->counters, loy_revisions_newest(revisions));
    for (uint32_t i = 0; !err && !batch->skip_caches && i < batch->slot_count; i++) {
        struct loy_member_row row;
        loy_load_expect(worker, batch, i);
        if (loy_account_cache_get(worker->accounts, batch->slots[i].member_id, batch->slots[i].member_hash, &row)) {
            loy_count(&worker->metrics->cache_hits, 1);
            err = fill_slot(worker, batch, &batch->slots[i], &row);
        }
    }
    list_missing(batch);
    if (!err && worker->has_cache && !batch->skip_caches && batch->missing_count > 0 &&
        worker->cache.load(worker->cache.self, batch->missing, batch->missing_count) == LOY_OK) {
        batch->phase = LOY_BATCH_CACHE;
        return LOY_OK;
    }
    ask_store(worker, batch);
    return err;
}

void loy_load_counters(struct loy_worker *worker, struct loy_batch *batch)
{
    struct loy_store_load load = {0};
    load.counter_count = loy_counters_wanted(worker->counters, &load.counters);
    loy_arena_reset_to(&batch->arena, batch->loaded);
    batch->request = (struct loy_store_request){.kind = LOY_STORE_LOAD, .load = load};
    batch->phase = LOY_BATCH_LOAD;
}

enum loy_err loy_load_from_cache(struct loy_worker *worker, struct loy_batch *batch)
{
    const struct loy_member_row *rows;
    uint32_t count;
    if (!worker->cache.poll(worker->cache.self, &rows, &count)) {
        return LOY_OK;
    }
    enum loy_err err = LOY_FAILPOINT("cache_answered");
    err = err ? err : fill_from_rows(worker, batch, rows, count, &worker->metrics->redis_hits);
    ask_store(worker, batch);
    return err;
}

enum loy_err loy_load_from_store(struct loy_worker *worker, struct loy_batch *batch,
                                 const struct loy_store_result *result)
{
    enum loy_err err = LOY_FAILPOINT("loaded");
    int32_t missing;
    if (!loy_counters_read(worker->counters, result->counters, result->counter_count, &missing)) {
        return loy_worker_fail(worker, LOY_ERR_MISMATCH, "counter %d of a budget is not in the database", missing);
    }
    err = err ? err : fill_from_rows(worker, batch, result->members, result->member_count, &worker->metrics->loaded);
    batch->phase = LOY_BATCH_DECIDE;
    batch->loaded = loy_arena_mark(&batch->arena);
    return err;
}

void loy_load_again(struct loy_worker *worker, struct loy_batch *batch)
{
    for (uint32_t i = 0; i < batch->slot_count; i++) {
        batch->slots[i].exists = false;
        loy_account_cache_drop(worker->accounts, batch->slots[i].member_id, batch->slots[i].member_hash);
    }
    batch->skip_caches = true;
    batch->phase = LOY_BATCH_READY;
}
