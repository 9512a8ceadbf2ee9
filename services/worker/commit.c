/* Commit: the batch as one transaction, and what follows when it stands. */
#include "worker/state.h"

#include "base/expect.h"

#include <stdlib.h>

enum { CACHE_CHUNK = 64 }; /* accounts handed to the cache at a time: their balances are as large as the batch */

static enum loy_err out_of_room(struct loy_worker *worker, const struct loy_batch *batch)
{
    return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room to commit %u records", batch->count);
}

static int by_k(const void *a, const void *b)
{
    const struct loy_partition_write *left = a;
    const struct loy_partition_write *right = b;
    return (left->k > right->k) - (left->k < right->k);
}

static void count_outcomes(struct loy_partition_write *write, const struct loy_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct loy_item *item = &batch->items[i];
        write[item->at.partition].add_totals[item->at.topic][item->outcome]++;
    }
}

static bool put_partitions(struct loy_worker *worker, struct loy_batch *batch, struct loy_store_commit *commit)
{
    struct loy_partition_write *by_partition =
        loy_arena_calloc(&batch->arena, (size_t)worker->config.partitions, sizeof *by_partition);
    struct loy_partition_write *writes = loy_arena_alloc(&batch->arena, batch->span_count * sizeof *writes);
    struct loy_outbox_row *outbox = loy_arena_alloc(&batch->arena, batch->span_count * sizeof *outbox);
    uint32_t outbox_count = 0;
    if (!by_partition || !writes || !outbox) {
        return false;
    }
    count_outcomes(by_partition, batch);
    for (uint32_t i = 0; i < batch->span_count; i++) {
        const struct loy_span *span = &batch->spans[i];
        const struct loy_owned *owned = &worker->owned[span->k];
        struct loy_partition_write *write = &by_partition[span->k];
        write->k = span->k;
        write->epoch = owned->row.epoch;
        memcpy(write->old_next_offset, owned->row.next_offset, sizeof write->old_next_offset);
        memcpy(write->new_next_offset, owned->row.next_offset, sizeof write->new_next_offset);
        for (uint16_t topic = 0; topic < worker->config.topic_count; topic++) {
            if (span->next_offset[topic] > write->new_next_offset[topic]) {
                write->new_next_offset[topic] = span->next_offset[topic];
            }
            write->add_totals[topic][LOY_OUTCOME_GAP] += span->gaps[topic];
        }
        write->old_outbox_seq = owned->row.outbox_seq;
        write->new_outbox_seq = owned->row.outbox_seq + span->has_outbox;
        write->old_next_n = owned->row.next_n;
        write->new_next_n = span->next_n;
        write->trim_through = owned->acknowledged_through;
        if (span->has_outbox) {
            outbox[outbox_count++] =
                (struct loy_outbox_row){span->k, write->new_outbox_seq, loy_buf_str(&span->outbox)};
        }
        writes[i] = *write;
    }
    qsort(writes, batch->span_count, sizeof *writes, by_k);
    commit->partitions = writes;
    commit->partition_count = batch->span_count;
    commit->outbox = outbox;
    commit->outbox_count = outbox_count;
    return true;
}

static bool put_journal_row(struct loy_batch *batch, const struct loy_item *item, struct loy_journal_row *row)
{
    const struct loy_slot *slot = &batch->slots[item->slot];
    const struct loy_effects *effects = &item->effects;
    struct loy_journal_entry *entries = loy_arena_alloc(&batch->arena, effects->entry_count * sizeof *entries);
    *row = (struct loy_journal_row){
        .key = {.k = slot->k, .n = slot->account.n},
        .seq = item->seq,
        .version = item->version,
        .from = {item->origin.topic, item->origin.partition, item->origin.offset},
        .arrival_us = effects->arrival_us,
        .occurred_at_us = item->event.occurred_at_us,
        .revision = item->programme->revision,
        .engine = LOY_ENGINE_VERSION,
        .kind = (int16_t)item->event.kind,
        .applied = (int16_t)effects->applied,
        .subject = item->event.order_id,
        .entries = entries,
        .entry_count = effects->entry_count,
        .event = item->event.encoded,
        .trace = item->trace,
    };
    memcpy(row->key.event_key.bytes, item->identity + 4, sizeof row->key.event_key.bytes);
    for (uint32_t i = 0; entries && i < effects->entry_count; i++) {
        const struct loy_entry *entry = &effects->entries[i];
        entries[i] = (struct loy_journal_entry){(int16_t)entry->kind, (int16_t)entry->wallet, entry->amount, entry->lot,
                                                entry->rule,          entry->funder};
    }
    return entries;
}

static bool put_journal(struct loy_batch *batch, struct loy_store_commit *commit)
{
    struct loy_journal_row *rows = loy_arena_alloc(&batch->arena, batch->count * sizeof *rows);
    uint32_t count = 0;
    for (uint32_t i = 0; rows && i < batch->count; i++) {
        const struct loy_item *item = &batch->items[i];
        if (item->outcome != LOY_OUTCOME_APPLIED) {
            continue;
        }
        if (!put_journal_row(batch, item, &rows[count++])) {
            return false;
        }
    }
    /* What the engine refused was decided too: a newer revision may have taken it. */
    if (batch->newest_moment_us != INT64_MIN) {
        commit->revision = loy_revisions_newest(batch->revisions)->revision;
        commit->newest_moment_us = batch->newest_moment_us;
    }
    commit->journal = rows;
    commit->journal_count = count;
    return rows != NULL;
}

static void put_member(const struct loy_slot *slot, struct loy_member_write *write)
{
    const struct loy_account *account = &slot->account;
    *write = (struct loy_member_write){
        .row = {.k = slot->k,
                .n = account->n,
                .member_id = slot->member_id,
                .seq = account->seq,
                .version = account->version,
                .digest = slot->digest,
                .state = slot->state},
        .is_new = !slot->exists,
        .old_seq = slot->read.seq,
        .old_digest = slot->read.digest,
        .wallet_count = account->wallet_count,
    };
    for (uint16_t i = 0; i < account->wallet_count; i++) {
        write->available[i] = account->balances[i].available;
        write->pending[i] = account->balances[i].pending;
        write->reserved[i] = account->balances[i].reserved;
    }
}

/* Accounts that were read decide as well: a duplicate or a tick with nothing to do was judged by them. */
static bool put_members(struct loy_batch *batch, struct loy_store_commit *commit)
{
    struct loy_member_write *members = loy_arena_alloc(&batch->arena, batch->slot_count * sizeof *members);
    struct loy_member_read *reads = loy_arena_alloc(&batch->arena, batch->slot_count * sizeof *reads);
    struct loy_due_write *due = loy_arena_alloc(&batch->arena, batch->slot_count * sizeof *due);
    if (!members || !reads || !due) {
        return false;
    }
    for (uint32_t i = 0; i < batch->slot_count; i++) {
        const struct loy_slot *slot = &batch->slots[i];
        if (slot->written) {
            int64_t due_us = loy_account_due_us(&slot->account);
            put_member(slot, &members[commit->member_count++]);
            if (due_us != slot->due_before_us) {
                due[commit->due_count++] = (struct loy_due_write){slot->k, slot->account.n, due_us, !slot->exists};
            }
        } else if (slot->exists) {
            reads[commit->read_count++] =
                (struct loy_member_read){slot->k, slot->read.n, slot->read.seq, slot->read.digest};
        }
    }
    commit->members = members;
    commit->reads = reads;
    commit->due = due;
    return true;
}

static bool put_charges(struct loy_worker *worker, struct loy_batch *batch, struct loy_store_commit *commit)
{
    uint32_t count = loy_counters_charges(worker->counters, NULL);
    struct loy_counter_charge *charges = loy_arena_alloc(&batch->arena, count * sizeof *charges);
    if (charges) {
        commit->charge_count = loy_counters_charges(worker->counters, charges);
        commit->charges = charges;
    }
    return charges != NULL;
}

enum loy_err loy_commit_submit(struct loy_worker *worker, struct loy_batch *batch)
{
    batch->request = (struct loy_store_request){.kind = LOY_STORE_COMMIT};
    struct loy_store_commit *commit = &batch->request.commit;
    if (!put_partitions(worker, batch, commit) || !put_journal(batch, commit) || !put_members(batch, commit) ||
        !put_charges(worker, batch, commit)) {
        return out_of_room(worker, batch);
    }
    batch->phase = LOY_BATCH_COMMIT;
    return LOY_FAILPOINT("commit");
}

/* --- when it stands
 * --------------------------------------------------------------------------------------------------- */

/* Some accounts on their way to the cache, which copies them. */
struct cache_chunk {
    struct loy_cache_write writes[CACHE_CHUNK];
    uint32_t count;
};

static void hand_over(struct loy_worker *worker, struct cache_chunk *chunk)
{
    enum loy_err lost = LOY_FAILPOINT("cache_write");
    if (chunk->count > 0 && !lost) {
        worker->cache.store(worker->cache.self, chunk->writes, chunk->count);
    }
    chunk->count = 0;
    loy_arena_reset(&worker->scratch); /* the balances of those */
}

static void put_cache(struct loy_worker *worker, struct loy_batch *batch, const struct loy_slot *slot,
                      const struct loy_member_row *row, struct cache_chunk *chunk)
{
    struct loy_str json;
    bool is_published = row->version > 0; /* else there is nothing that others could be shown */
    if (!is_published || loy_message_balance_json(worker, batch, slot, &json) != LOY_OK) {
        return; /* the cache may lose anything */
    }
    chunk->writes[chunk->count++] = (struct loy_cache_write){*row, json};
    if (chunk->count == CACHE_CHUNK) {
        hand_over(worker, chunk);
    }
}

/* What the balance of an account is written from lies far away by now: its last item, then what that points to. */
static void expect_balances(const struct loy_batch *batch, uint32_t at)
{
    enum { APART = 4 };
    if (at + 2 * APART < batch->slot_count) {
        const struct loy_slot *slot = &batch->slots[at + 2 * APART];
        const struct loy_item *item = &batch->items[slot->changed_by >= 0 ? slot->changed_by : 0];
        __builtin_prefetch(&item->effects);
        __builtin_prefetch(&item->event);
        __builtin_prefetch(&item->event.occurred_at_us);
        __builtin_prefetch(&item->event.order_id);
    }
    if (at + APART < batch->slot_count) {
        const struct loy_slot *slot = &batch->slots[at + APART];
        const struct loy_item *item = &batch->items[slot->changed_by >= 0 ? slot->changed_by : 0];
        loy_expect(slot->state.at, slot->state.len);
        loy_expect(item->effects.entries, (size_t)2 * LOY_CPU_LINE);
        __builtin_prefetch(item->event.source.at);
        __builtin_prefetch(item->event.event_id.at);
        __builtin_prefetch(item->event.order_id.at);
        __builtin_prefetch(slot->account.lots);
    }
}

static void remember_accounts(struct loy_worker *worker, struct loy_batch *batch)
{
    struct cache_chunk chunk;
    chunk.count = 0;
    loy_arena_reset(&worker->scratch);
    for (uint32_t i = 0; i < batch->slot_count; i++) {
        const struct loy_slot *slot = &batch->slots[i];
        loy_load_expect(worker, batch, i);
        expect_balances(batch, i);
        if (!slot->written) {
            continue;
        }
        struct loy_member_row row = {.k = slot->k,
                                     .n = slot->account.n,
                                     .member_id = slot->member_id,
                                     .seq = slot->account.seq,
                                     .version = slot->account.version,
                                     .digest = slot->digest,
                                     .state = slot->state};
        loy_account_cache_put(worker->accounts, &row, slot->member_hash);
        if (worker->has_cache) {
            put_cache(worker, batch, slot, &row, &chunk);
        }
    }
    hand_over(worker, &chunk);
}

static void count_metrics(struct loy_worker *worker, const struct loy_batch *batch)
{
    struct loy_worker_metrics *metrics = worker->metrics;
    _Atomic uint64_t *const counters[] = {&metrics->applied,   &metrics->duplicate, &metrics->ignored,
                                          &metrics->forwarded, &metrics->rejected,  &metrics->gap};
    int64_t wall_us = worker->clock.wall_us(worker->clock.self);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct loy_item *item = &batch->items[i];
        loy_count(counters[item->outcome], 1);
        if (item->outcome == LOY_OUTCOME_APPLIED) {
            loy_count(&metrics->no_effect, item->effects.applied == LOY_APPLIED_NO_EFFECT);
            loy_count(&metrics->enrolled, item->enrolled);
            loy_histogram_add(&metrics->latency_seconds, wall_us - item->arrival_us);
        }
    }
    for (uint32_t i = 0; i < batch->span_count; i++) {
        for (uint16_t topic = 0; topic < worker->config.topic_count; topic++) {
            loy_count(&metrics->gap, (uint64_t)batch->spans[i].gaps[topic]);
        }
    }
    loy_count(&metrics->batches, 1);
    loy_histogram_add(&metrics->commit_seconds, loy_worker_now_us(worker) - batch->submitted_us);
}

enum loy_err loy_commit_done(struct loy_worker *worker, struct loy_batch *batch)
{
    const struct loy_store_commit *commit = &batch->request.commit;
    enum loy_err err = LOY_OK;
    for (uint32_t i = 0; i < commit->partition_count; i++) {
        const struct loy_partition_write *write = &commit->partitions[i];
        struct loy_owned *owned = &worker->owned[write->k];
        if (memcmp(owned->row.next_offset, write->new_next_offset, sizeof owned->row.next_offset) != 0) {
            memcpy(owned->row.next_offset, write->new_next_offset, sizeof owned->row.next_offset);
            loy_alone_moved(owned);
        }
        owned->row.outbox_seq = write->new_outbox_seq;
        owned->row.next_n = write->new_next_n;
        owned->trimmed_through = write->trim_through;
    }
    for (uint32_t i = 0; !err && i < commit->outbox_count; i++) {
        err = loy_publish_add(worker, commit->outbox[i].k, commit->outbox[i].seq, commit->outbox[i].payload);
    }
    loy_counters_committed(worker->counters);
    remember_accounts(worker, batch);
    loy_duplicates_remember(worker, batch);
    count_metrics(worker, batch);
    worker->alone -= worker->alone > 0;
    if (worker->suspects) {
        loy_ownership_suspect(worker);
    }
    return err ? err : LOY_FAILPOINT("committed");
}
