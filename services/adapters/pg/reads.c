#include "adapters/pg/params.h"
#include "adapters/pg/requests.h"

enum loy_err loy_pg_send(struct loy_pg_pipe *pipe, enum loy_pg_statement statement, const struct loy_pg_params *params)
{
    if (params && params->failed) {
        return LOY_ERR_NO_MEMORY;
    }
    static const struct loy_pg_params none;
    const struct loy_pg_params *p = params ? params : &none;
    bool kept = pipe->labels && loy_pg_statement_is_kept(statement);
    int sent = kept ? PQsendQueryPrepared(pipe->conn, pipe->labels->of[statement], p->count, p->values, p->lengths,
                                          p->formats, 1)
                    : PQsendQueryParams(pipe->conn, loy_pg_statement_sql(statement), p->count, p->types, p->values,
                                        p->lengths, p->formats, 1);
    if (!sent) {
        return LOY_ERR_UNAVAILABLE;
    }
    pipe->sent[pipe->sent_count++] = (uint8_t)statement;
    return LOY_OK;
}

enum loy_err loy_pg_send_acquire(struct loy_pg_pipe *pipe, const struct loy_store_acquire *acquire)
{
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, acquire->count, acquire->ks, sizeof *acquire->ks);
    loy_pg_param_text(&params, acquire->owner);
    enum loy_err err = loy_pg_send(pipe, LOY_PG_ACQUIRE, &params);
    if (err) {
        return err;
    }
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, acquire->count, acquire->ks, sizeof *acquire->ks);
    return loy_pg_send(pipe, LOY_PG_ACQUIRE_OUTBOX, &params);
}

static enum loy_err send_load_members(struct loy_pg_pipe *pipe, const struct loy_store_load *load)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < load->count; i++) {
        bytes += load->keys[i].member_id.len;
    }
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    uint8_t *at = loy_pg_param_array(&params, LOY_PG_TEXT_ARRAY, LOY_PG_TEXT, load->count, bytes);
    for (uint32_t i = 0; at && i < load->count; i++) {
        at = loy_pg_put_bytes(at, load->keys[i].member_id.at, load->keys[i].member_id.len);
    }
    return loy_pg_send(pipe, LOY_PG_LOAD, &params);
}

enum loy_err loy_pg_send_load(struct loy_pg_pipe *pipe, const struct loy_store_load *load)
{
    struct loy_pg_params params;
    enum loy_err err = load->count > 0 ? send_load_members(pipe, load) : LOY_OK;
    if (err || load->counter_count == 0) {
        return err;
    }
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, load->counter_count, load->counters, sizeof *load->counters);
    return loy_pg_send(pipe, LOY_PG_LOAD_COUNTERS, &params);
}

enum loy_err loy_pg_send_find(struct loy_pg_pipe *pipe, const struct loy_store_find *find)
{
    uint32_t count = find->count;
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    const struct loy_journal_key *keys = find->keys;
    loy_pg_param_i32s(&params, count, keys ? &keys->k : NULL, sizeof *keys);
    loy_pg_param_i32s(&params, count, keys ? &keys->n : NULL, sizeof *keys);
    loy_pg_param_digests(&params, count, keys ? &keys->event_key : NULL, sizeof *keys);
    return loy_pg_send(pipe, LOY_PG_FIND, &params);
}

static void param_i64(struct loy_pg_params *params, int64_t value)
{
    uint8_t *at = loy_pg_param(params, LOY_PG_INT8, 8);
    if (at) {
        loy_pg_put_8(at, value);
    }
}

enum loy_err loy_pg_send_due(struct loy_pg_pipe *pipe, const struct loy_store_due *due)
{
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_time(&params, due->until_us);
    param_i64(&params, due->limit);
    return loy_pg_send(pipe, LOY_PG_DUE_SCAN, &params);
}

enum loy_err loy_pg_send_release(struct loy_pg_pipe *pipe, const struct loy_store_release *release)
{
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32s(&params, release->count, release->ks, sizeof *release->ks);
    loy_pg_param_i64s(&params, release->count, release->epochs, sizeof *release->epochs);
    return loy_pg_send(pipe, LOY_PG_RELEASE, &params);
}

enum loy_err loy_pg_send_mark(struct loy_pg_pipe *pipe, const struct loy_store_mark *mark)
{
    struct loy_pg_params params;
    loy_pg_params_init(&params, pipe->arena);
    loy_pg_param_i32(&params, mark->k);
    param_i64(&params, mark->epoch);
    loy_pg_param_i32(&params, mark->alone);
    loy_pg_param_i32(&params, mark->topic);
    param_i64(&params, mark->offset);
    return loy_pg_send(pipe, LOY_PG_MARK, &params);
}
