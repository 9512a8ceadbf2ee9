#include "adapters/pg/params.h"
#include "adapters/pg/records.h"
#include "adapters/pg/requests.h"

#include <assert.h>
#include <stdlib.h>

/* --- partition, revision -------------------------------------------------------------------------------------------
 */

static void put_offsets(struct loy_pg_params *params, const struct loy_store_commit *commit, bool new)
{
    uint32_t count = commit->partition_count * LOY_TOPICS_MAX;
    uint8_t *at = loy_pg_param_array(params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count, (size_t)count * 8);
    for (uint32_t i = 0; at && i < commit->partition_count; i++) {
        const struct loy_partition_write *write = &commit->partitions[i];
        const int64_t *offsets = new ? write->new_next_offset : write->old_next_offset;
        for (int topic = 0; topic < LOY_TOPICS_MAX; topic++) {
            at = loy_pg_put_i64(at, offsets[topic]);
        }
    }
}

static void put_totals(struct loy_pg_params *params, const struct loy_store_commit *commit)
{
    uint32_t count = commit->partition_count * LOY_TOPICS_MAX * LOY_OUTCOME_COUNT;
    uint8_t *at = loy_pg_param_array(params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count, (size_t)count * 8);
    for (uint32_t i = 0; at && i < commit->partition_count; i++) {
        const int64_t(*totals)[LOY_OUTCOME_COUNT] = commit->partitions[i].add_totals;
        for (int topic = 0; topic < LOY_TOPICS_MAX; topic++) {
            for (int outcome = 0; outcome < LOY_OUTCOME_COUNT; outcome++) {
                at = loy_pg_put_i64(at, totals[topic][outcome]);
            }
        }
    }
}

static enum loy_err send_partitions(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    const struct loy_partition_write *writes = commit->partitions;
    uint32_t count = commit->partition_count;
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, count, &writes->k, sizeof *writes);
    loy_pg_param_i64s(&params, count, &writes->epoch, sizeof *writes);
    loy_pg_param_i64s(&params, count, &writes->old_outbox_seq, sizeof *writes);
    loy_pg_param_i64s(&params, count, &writes->new_outbox_seq, sizeof *writes);
    loy_pg_param_i32s(&params, count, &writes->old_next_n, sizeof *writes);
    loy_pg_param_i32s(&params, count, &writes->new_next_n, sizeof *writes);
    put_offsets(&params, commit, false);
    put_offsets(&params, commit, true);
    put_totals(&params, commit);
    return loy_pg_send(pipe, LOY_PG_PARTITION, &params);
}

static enum loy_err send_revision(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32(&params, commit->revision);
    loy_pg_param_time(&params, commit->newest_moment_us);
    return loy_pg_send(pipe, LOY_PG_REVISION, &params);
}

/* --- journal ---------------------------------------------------------------------------------------------------------
 */

static int compare_place(int32_t k_a, int32_t n_a, int32_t k_b, int32_t n_b)
{
    return k_a != k_b ? (k_a < k_b ? -1 : 1) : (n_a > n_b) - (n_a < n_b);
}

static int compare_journal(const void *a, const void *b)
{
    const struct loy_journal_key *one = &(*(const struct loy_journal_row *const *)a)->key;
    const struct loy_journal_key *other = &(*(const struct loy_journal_row *const *)b)->key;
    int order = compare_place(one->k, one->n, other->k, other->n);
    return order ? order : memcmp(one->event_key.bytes, other->event_key.bytes, sizeof one->event_key.bytes);
}

static int compare_member(const void *a, const void *b)
{
    const struct loy_member_row *one = &(*(const struct loy_member_write *const *)a)->row;
    const struct loy_member_row *other = &(*(const struct loy_member_write *const *)b)->row;
    return compare_place(one->k, one->n, other->k, other->n);
}

static enum loy_err send_journal(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    uint32_t count = commit->journal_count;
    const struct loy_journal_row **sorted = LOY_NEW_ARRAY(pipe->arena, const struct loy_journal_row *, count);
    if (!sorted) {
        return LOY_ERR_NO_MEMORY;
    }
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = &commit->journal[i];
        bytes += loy_pg_journal_size(sorted[i]);
    }
    qsort(sorted, count, sizeof(void *), compare_journal);
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    uint8_t *at = loy_pg_param_array(&params, pipe->types->journal_array, pipe->types->journal, count, bytes);
    for (uint32_t i = 0; at && i < count; i++) {
        at = loy_pg_put_4(at, (int32_t)loy_pg_journal_size(sorted[i]));
        at = loy_pg_put_journal(at, sorted[i], pipe->types);
    }
    assert(!at || (const char *)at == params.values[0] + params.lengths[0]);
    return loy_pg_send(pipe, LOY_PG_JOURNAL, &params);
}

/* --- members ---------------------------------------------------------------------------------------------------------
 */

static void put_members(struct loy_pg_params *params, const struct loy_pg_types *types,
                        const struct loy_member_write *const *writes, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert(writes[i]->wallet_count <= LOY_STORE_WALLETS_MAX);
        bytes += loy_pg_member_size(writes[i]);
    }
    uint8_t *at = loy_pg_param_array(params, types->member_array, types->member, count, bytes);
    for (uint32_t i = 0; at && i < count; i++) {
        at = loy_pg_put_4(at, (int32_t)loy_pg_member_size(writes[i]));
        at = loy_pg_put_member(at, writes[i]);
    }
    assert(!at || (const char *)at == params->values[0] + params->lengths[0]);
}

/* One balance of every member, `width` wallets each: what a member has fewer is 0. */
static void put_flat_balances(struct loy_pg_params *params, const struct loy_member_write *const *writes,
                              uint32_t count, uint16_t width, size_t field)
{
    uint32_t total = count * width;
    uint8_t *at = loy_pg_param_array(params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, total, (size_t)total * 8);
    for (uint32_t i = 0; at && i < count; i++) {
        int64_t balances[LOY_STORE_WALLETS_MAX];
        memcpy(balances, (const char *)writes[i] + field, sizeof balances);
        for (uint16_t wallet = 0; wallet < width; wallet++) {
            at = loy_pg_put_i64(at, wallet < writes[i]->wallet_count ? balances[wallet] : 0);
        }
    }
}

static void put_states(struct loy_pg_params *params, const struct loy_member_write *const *writes, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += writes[i]->row.state.len;
    }
    uint8_t *at = loy_pg_param_array(params, LOY_PG_BYTEA_ARRAY, LOY_PG_BYTEA, count, bytes);
    for (uint32_t i = 0; at && i < count; i++) {
        at = loy_pg_put_bytes(at, writes[i]->row.state.at, writes[i]->row.state.len);
    }
}

/* Updates go as arrays of columns, of which only key and state are unnested: the fixed ones are subscripted in place.
 * [As an array of whole rows, as the journal's: a tenth more of PostgreSQL's CPU time for the batch.] */
static enum loy_err send_member_updates(struct loy_pg_pipe *pipe, const struct loy_member_write *const *sorted,
                                        uint32_t count)
{
    struct loy_member_write *writes = LOY_NEW_ARRAY(pipe->arena, struct loy_member_write, count);
    if (!writes) {
        return LOY_ERR_NO_MEMORY;
    }
    uint16_t width = 1;
    for (uint32_t i = 0; i < count; i++) {
        writes[i] = *sorted[i];
        width = writes[i].wallet_count > width ? writes[i].wallet_count : width;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, count, &writes->row.k, sizeof *writes);
    loy_pg_param_i32s(&params, count, &writes->row.n, sizeof *writes);
    put_states(&params, sorted, count);
    loy_pg_param_i64s(&params, count, &writes->old_seq, sizeof *writes);
    loy_pg_param_digests(&params, count, &writes->old_digest, sizeof *writes);
    loy_pg_param_i64s(&params, count, &writes->row.seq, sizeof *writes);
    loy_pg_param_i64s(&params, count, &writes->row.version, sizeof *writes);
    loy_pg_param_digests(&params, count, &writes->row.digest, sizeof *writes);
    put_flat_balances(&params, sorted, count, width, offsetof(struct loy_member_write, available));
    put_flat_balances(&params, sorted, count, width, offsetof(struct loy_member_write, pending));
    put_flat_balances(&params, sorted, count, width, offsetof(struct loy_member_write, reserved));
    loy_pg_param_i32(&params, width);
    return loy_pg_send(pipe, LOY_PG_MEMBER_UPDATE, &params);
}

static enum loy_err send_members(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    uint32_t total = commit->member_count;
    const struct loy_member_write **sorted = LOY_NEW_ARRAY(pipe->arena, const struct loy_member_write *, total);
    if (!sorted) {
        return LOY_ERR_NO_MEMORY;
    }
    uint32_t known = 0;
    uint32_t new = 0; /* new ones stand behind the known ones */
    for (uint32_t i = 0; i < total; i++) {
        const struct loy_member_write *write = &commit->members[i];
        sorted[write->is_new ? total - ++new : known++] = write;
    }
    qsort(sorted, known, sizeof(void *), compare_member);
    qsort(sorted + known, new, sizeof(void *), compare_member);
    enum loy_err err = known ? send_member_updates(pipe, sorted, known) : LOY_OK;
    if (err || new == 0) {
        return err;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    put_members(&params, pipe->types, sorted + known, new);
    return loy_pg_send(pipe, LOY_PG_MEMBER_INSERT, &params);
}

static enum loy_err send_reads(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, commit->read_count, &commit->reads->k, sizeof *commit->reads);
    loy_pg_param_i32s(&params, commit->read_count, &commit->reads->n, sizeof *commit->reads);
    loy_pg_param_i64s(&params, commit->read_count, &commit->reads->seq, sizeof *commit->reads);
    loy_pg_param_digests(&params, commit->read_count, &commit->reads->digest, sizeof *commit->reads);
    return loy_pg_send(pipe, LOY_PG_READS, &params);
}

/* --- due, outbox
 * ------------------------------------------------------------------------------------------------------ */

static enum loy_err send_due(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    uint32_t total = commit->due_count;
    struct loy_due_write *split = LOY_NEW_ARRAY(pipe->arena, struct loy_due_write, total);
    if (!split) {
        return LOY_ERR_NO_MEMORY;
    }
    uint32_t put = 0;
    uint32_t gone = 0;
    for (uint32_t i = 0; i < total; i++) {
        split[commit->due[i].at_us == INT64_MAX ? total - ++gone : put++] = commit->due[i];
    }
    struct loy_pg_params params;
    enum loy_err err = LOY_OK;
    if (put) {
        loy_pg_params_init(&params, pipe->arena);
        loy_pg_param_i32s(&params, put, &split->k, sizeof *split);
        loy_pg_param_i32s(&params, put, &split->n, sizeof *split);
        uint8_t *at = loy_pg_param_array(&params, LOY_PG_TIMESTAMPTZ_ARRAY, LOY_PG_TIMESTAMPTZ, put, (size_t)put * 8);
        for (uint32_t i = 0; at && i < put; i++) {
            at = loy_pg_put_i64(at, loy_pg_time(split[i].at_us));
        }
        err = loy_pg_send(pipe, LOY_PG_DUE_PUT, &params);
    }
    if (err || gone == 0) {
        return err;
    }
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, gone, &split[put].k, sizeof *split);
    loy_pg_param_i32s(&params, gone, &split[put].n, sizeof *split);
    return loy_pg_send(pipe, LOY_PG_DUE_DELETE, &params);
}

static enum loy_err send_outbox_trim(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    struct loy_outbox_row *trims = LOY_NEW_ARRAY(pipe->arena, struct loy_outbox_row, commit->partition_count);
    if (!trims) {
        return LOY_ERR_NO_MEMORY;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < commit->partition_count; i++) {
        const struct loy_partition_write *write = &commit->partitions[i];
        if (write->trim_through > 0) {
            trims[count++] = (struct loy_outbox_row){.k = write->k, .seq = write->trim_through};
        }
    }
    if (count == 0) {
        return LOY_OK;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, count, &trims->k, sizeof *trims);
    loy_pg_param_i64s(&params, count, &trims->seq, sizeof *trims);
    return loy_pg_send(pipe, LOY_PG_OUTBOX_TRIM, &params);
}

static enum loy_err send_outbox(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    uint32_t count = commit->outbox_count;
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += commit->outbox[i].payload.len;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, count, &commit->outbox->k, sizeof *commit->outbox);
    loy_pg_param_i64s(&params, count, &commit->outbox->seq, sizeof *commit->outbox);
    uint8_t *at = loy_pg_param_array(&params, LOY_PG_BYTEA_ARRAY, LOY_PG_BYTEA, count, bytes);
    for (uint32_t i = 0; at && i < count; i++) {
        at = loy_pg_put_bytes(at, commit->outbox[i].payload.at, commit->outbox[i].payload.len);
    }
    return loy_pg_send(pipe, LOY_PG_OUTBOX_PUT, &params);
}

/* --- counters
 * --------------------------------------------------------------------------------------------------------- */

/* The last of all: whoever holds a budget's row has nothing left to do but to commit. */
static enum loy_err send_charges(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    const struct loy_counter_charge *charges = commit->charges;
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, commit->charge_count, &charges->id, sizeof *charges);
    loy_pg_param_i64s(&params, commit->charge_count, &charges->points, sizeof *charges);
    loy_pg_param_i64s(&params, commit->charge_count, &charges->at_most, sizeof *charges);
    return loy_pg_send(pipe, LOY_PG_COUNTER, &params);
}

/* --- the pipeline
 * ----------------------------------------------------------------------------------------------------- */

enum loy_err loy_pg_send_commit(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    const struct {
        bool wanted;
        enum loy_err (*send)(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit);
    } steps[] = {
        {commit->partition_count > 0, send_partitions},
        {commit->revision > 0, send_revision},
        {commit->journal_count > 0, send_journal},
        {commit->member_count > 0, send_members},
        {commit->read_count > 0, send_reads},
        {commit->due_count > 0, send_due},
        {commit->partition_count > 0, send_outbox_trim},
        {commit->outbox_count > 0, send_outbox},
        {commit->charge_count > 0, send_charges},
    };
    struct loy_arena_mark mark = loy_arena_mark(pipe->arena);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        enum loy_err err = steps[i].wanted ? steps[i].send(pipe, commit) : LOY_OK;
        loy_arena_reset_to(pipe->arena, mark);
        if (err) {
            return err;
        }
    }
    return LOY_OK;
}
