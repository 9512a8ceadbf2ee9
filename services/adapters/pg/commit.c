#include "adapters/pg/order.h"
#include "adapters/pg/params.h"
#include "adapters/pg/records.h"
#include "adapters/pg/requests.h"
#include "base/expect.h"

#include <assert.h>

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

/* The rows of one account in the order of their event keys, as far as eight bytes tell them apart. */
static uint64_t tie_of(const struct loy_digest *event_key)
{
    uint64_t tie;
    memcpy(&tie, event_key->bytes, sizeof tie);
    return be64toh(tie);
}

/* In the order of their keys rows lie anywhere: those that come soon are brought near, then what they point to. */
static void expect_rows(const struct loy_pg_place *sorted, uint32_t at, uint32_t count)
{
    enum { APART = 4, EVENT_NEAR = 2 * LOY_CPU_LINE };
    if (at + 2 * APART < count) {
        const struct loy_journal_row *row = sorted[at + 2 * APART].row;
        __builtin_prefetch(row);
        __builtin_prefetch(&row->subject);
    }
    if (at + APART < count) {
        const struct loy_journal_row *row = sorted[at + APART].row;
        __builtin_prefetch(row->subject.at);
        __builtin_prefetch(row->entries);
        loy_expect(row->event.at, row->event.len < EVENT_NEAR ? row->event.len : EVENT_NEAR);
        __builtin_prefetch(row->trace.at);
    }
}

static enum loy_err send_journal(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    uint32_t count = commit->journal_count;
    struct loy_pg_place *sorted = loy_arena_alloc(pipe->arena, count * sizeof *sorted);
    if (!sorted) {
        return LOY_ERR_NO_MEMORY;
    }
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct loy_journal_row *row = &commit->journal[i];
        sorted[i] = (struct loy_pg_place){loy_pg_place_key(row->key.k, row->key.n), tie_of(&row->key.event_key), row};
        bytes += loy_pg_journal_size(row);
    }
    if (!loy_pg_order(sorted, count, pipe->arena)) {
        return LOY_ERR_NO_MEMORY;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    uint8_t *at = loy_pg_param_array(&params, pipe->types->journal_array, pipe->types->journal, count, bytes);
    for (uint32_t i = 0; at && i < count; i++) {
        const struct loy_journal_row *row = sorted[i].row;
        expect_rows(sorted, i, count);
        at = loy_pg_put_4(at, (int32_t)loy_pg_journal_size(row));
        at = loy_pg_put_journal(at, row, pipe->types);
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

/* An array parameter of `count` elements that take `size` bytes each. */
static uint8_t *fixed_array(struct loy_pg_params *params, uint32_t type, uint32_t element, uint32_t count, size_t size)
{
    return loy_pg_param_array(params, type, element, count, count * size);
}

/* What a member has fewer wallets than the widest is 0. */
static uint8_t *put_flat(uint8_t *at, const int64_t *balances, uint16_t count, uint16_t width)
{
    for (uint16_t wallet = 0; wallet < width; wallet++) {
        at = loy_pg_put_i64(at, wallet < count ? balances[wallet] : 0);
    }
    return at;
}

/* Updates go as arrays of columns, of which only key and state are unnested: the fixed ones are subscripted in place.
 * [As an array of whole rows, as the journal's: a tenth more of PostgreSQL's CPU time for the batch.]
 * All arrays are written in one pass. */
static enum loy_err send_member_updates(struct loy_pg_pipe *pipe, const struct loy_member_write *const *sorted,
                                        uint32_t count)
{
    uint16_t width = 1;
    size_t states = 0;
    for (uint32_t i = 0; i < count; i++) {
        width = sorted[i]->wallet_count > width ? sorted[i]->wallet_count : width;
        states += sorted[i]->row.state.len;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    uint8_t *k = fixed_array(&params, LOY_PG_INT4_ARRAY, LOY_PG_INT4, count, 4);
    uint8_t *n = fixed_array(&params, LOY_PG_INT4_ARRAY, LOY_PG_INT4, count, 4);
    uint8_t *state = loy_pg_param_array(&params, LOY_PG_BYTEA_ARRAY, LOY_PG_BYTEA, count, states);
    uint8_t *old_seq = fixed_array(&params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count, 8);
    uint8_t *old_digest = fixed_array(&params, LOY_PG_UUID_ARRAY, LOY_PG_UUID, count, sizeof(struct loy_digest));
    uint8_t *seq = fixed_array(&params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count, 8);
    uint8_t *version = fixed_array(&params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count, 8);
    uint8_t *digest = fixed_array(&params, LOY_PG_UUID_ARRAY, LOY_PG_UUID, count, sizeof(struct loy_digest));
    uint8_t *available = fixed_array(&params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count * width, 8);
    uint8_t *pending = fixed_array(&params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count * width, 8);
    uint8_t *reserved = fixed_array(&params, LOY_PG_INT8_ARRAY, LOY_PG_INT8, count * width, 8);
    loy_pg_param_i32(&params, width);
    for (uint32_t i = 0; !params.failed && i < count; i++) {
        const struct loy_member_write *write = sorted[i];
        const struct loy_member_row *row = &write->row;
        k = loy_pg_put_i32(k, row->k);
        n = loy_pg_put_i32(n, row->n);
        state = loy_pg_put_bytes(state, row->state.at, row->state.len);
        old_seq = loy_pg_put_i64(old_seq, write->old_seq);
        old_digest = loy_pg_put_digest(old_digest, &write->old_digest);
        seq = loy_pg_put_i64(seq, row->seq);
        version = loy_pg_put_i64(version, row->version);
        digest = loy_pg_put_digest(digest, &row->digest);
        available = put_flat(available, write->available, write->wallet_count, width);
        pending = put_flat(pending, write->pending, write->wallet_count, width);
        reserved = put_flat(reserved, write->reserved, write->wallet_count, width);
    }
    return loy_pg_send(pipe, LOY_PG_MEMBER_UPDATE, &params);
}

/* The writes of known accounts, or those of new ones, by their keys. NULL: no memory. */
static const struct loy_member_write **sort_members(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit,
                                                    bool is_new, uint32_t *ret_count)
{
    uint32_t total = commit->member_count;
    uint32_t count = 0;
    const struct loy_member_write **sorted = LOY_NEW_ARRAY(pipe->arena, const struct loy_member_write *, total);
    struct loy_pg_place *places = loy_arena_alloc(pipe->arena, total * sizeof *places);
    for (uint32_t i = 0; places && i < total; i++) {
        const struct loy_member_write *write = &commit->members[i];
        if (write->is_new == is_new) {
            places[count++] = (struct loy_pg_place){loy_pg_place_key(write->row.k, write->row.n), 0, write};
        }
    }
    if (!sorted || !places || !loy_pg_order(places, count, pipe->arena)) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = places[i].row;
    }
    *ret_count = count;
    return sorted;
}

static enum loy_err send_members(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    uint32_t known, new;
    const struct loy_member_write **known_writes = sort_members(pipe, commit, false, &known);
    const struct loy_member_write **new_writes = sort_members(pipe, commit, true, &new);
    if (!known_writes || !new_writes) {
        return LOY_ERR_NO_MEMORY;
    }
    enum loy_err err = known ? send_member_updates(pipe, known_writes, known) : LOY_OK;
    if (err || new == 0) {
        return err;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    put_members(&params, pipe->types, new_writes, new);
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

/* Rows of a new account are added only: PostgreSQL need not look for, and guard against, what cannot be there. */
static enum loy_pg_statement due_statement(const struct loy_due_write *write)
{
    if (write->at_us == INT64_MAX) {
        return LOY_PG_DUE_DELETE;
    }
    return write->is_new ? LOY_PG_DUE_ADD : LOY_PG_DUE_PUT;
}

static enum loy_err send_due_of(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit,
                                enum loy_pg_statement statement)
{
    struct loy_due_write *chosen = LOY_NEW_ARRAY(pipe->arena, struct loy_due_write, commit->due_count);
    if (!chosen) {
        return LOY_ERR_NO_MEMORY;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < commit->due_count; i++) {
        if (due_statement(&commit->due[i]) == statement) {
            chosen[count++] = commit->due[i];
        }
    }
    if (count == 0) {
        return LOY_OK;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, count, &chosen->k, sizeof *chosen);
    loy_pg_param_i32s(&params, count, &chosen->n, sizeof *chosen);
    if (statement != LOY_PG_DUE_DELETE) {
        uint8_t *at = loy_pg_param_array(&params, LOY_PG_TIMESTAMPTZ_ARRAY, LOY_PG_TIMESTAMPTZ, count, count * 8UL);
        for (uint32_t i = 0; at && i < count; i++) {
            at = loy_pg_put_i64(at, loy_pg_time(chosen[i].at_us));
        }
    }
    return loy_pg_send(pipe, statement, &params);
}

static enum loy_err send_due(struct loy_pg_pipe *pipe, const struct loy_store_commit *commit)
{
    enum loy_err err = send_due_of(pipe, commit, LOY_PG_DUE_ADD);
    err = err ? err : send_due_of(pipe, commit, LOY_PG_DUE_PUT);
    return err ? err : send_due_of(pipe, commit, LOY_PG_DUE_DELETE);
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
