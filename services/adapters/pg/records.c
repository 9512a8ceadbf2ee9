#include "adapters/pg/records.h"

#include "adapters/pg/params.h"

enum {
    JOURNAL_COLUMNS = 18,
    JOURNAL_FIXED_BYTES = 80, /* the columns of fixed width together */
    ENTRY_FIELDS = 6,
    ENTRY_BYTES = 4 + ENTRY_FIELDS * 8 + 24,
    MEMBER_COLUMNS = 11,
    MEMBER_FIXED_BYTES = 40,
};

size_t loy_pg_journal_size(const struct loy_journal_row *row)
{
    size_t entries = row->entry_count ? LOY_PG_ARRAY_HEADER + row->entry_count * (size_t)(4 + ENTRY_BYTES) : 0;
    return 4 + JOURNAL_COLUMNS * 8 + JOURNAL_FIXED_BYTES + row->subject.len + entries + row->event.len + row->trace.len;
}

/* A field of a record: its type, then its length and value. */
static uint8_t *field_i16(uint8_t *at, int16_t value)
{
    return loy_pg_put_i16(loy_pg_put_4(at, LOY_PG_INT2), value);
}

static uint8_t *field_i32(uint8_t *at, int32_t value)
{
    return loy_pg_put_i32(loy_pg_put_4(at, LOY_PG_INT4), value);
}

static uint8_t *field_i64(uint8_t *at, int64_t value)
{
    return loy_pg_put_i64(loy_pg_put_4(at, LOY_PG_INT8), value);
}

static uint8_t *field_time(uint8_t *at, int64_t us)
{
    return loy_pg_put_i64(loy_pg_put_4(at, LOY_PG_TIMESTAMPTZ), loy_pg_time(us));
}

static uint8_t *field_digest(uint8_t *at, const struct loy_digest *digest)
{
    return loy_pg_put_digest(loy_pg_put_4(at, LOY_PG_UUID), digest);
}

static uint8_t *field_text(uint8_t *at, struct loy_str text)
{
    return loy_pg_put_bytes(loy_pg_put_4(at, LOY_PG_TEXT), text.at, text.len);
}

static uint8_t *field_bytes(uint8_t *at, struct loy_str bytes)
{
    return loy_pg_put_bytes(loy_pg_put_4(at, LOY_PG_BYTEA), bytes.at, bytes.len);
}

static uint8_t *field_null(uint8_t *at, Oid type)
{
    return loy_pg_put_null(loy_pg_put_4(at, (int32_t)type));
}

static uint8_t *put_entries(uint8_t *at, const struct loy_journal_row *row, const struct loy_pg_types *types)
{
    if (row->entry_count == 0) {
        return field_null(at, types->entry_array);
    }
    at = loy_pg_put_4(at, (int32_t)types->entry_array);
    at = loy_pg_put_4(at, (int32_t)(LOY_PG_ARRAY_HEADER + row->entry_count * (4 + ENTRY_BYTES)));
    at = loy_pg_put_array_header(at, types->entry, row->entry_count);
    for (uint32_t i = 0; i < row->entry_count; i++) {
        const struct loy_journal_entry *entry = &row->entries[i];
        at = loy_pg_put_4(at, ENTRY_BYTES);
        at = loy_pg_put_4(at, ENTRY_FIELDS);
        at = field_i16(at, entry->kind);
        at = field_i16(at, entry->wallet);
        at = field_i64(at, entry->amount);
        at = field_i32(at, entry->lot);
        at = field_i32(at, entry->rule);
        at = field_i32(at, entry->funder);
    }
    return at;
}

/* Columns in the order of the table. */
uint8_t *loy_pg_put_journal(uint8_t *at, const struct loy_journal_row *row, const struct loy_pg_types *types)
{
    at = loy_pg_put_4(at, JOURNAL_COLUMNS);
    at = field_i32(at, row->key.k);
    at = field_i32(at, row->key.n);
    at = field_digest(at, &row->key.event_key);
    at = field_i64(at, row->seq);
    at = field_i64(at, row->version);
    at = field_i16(at, row->from.topic);
    at = field_i32(at, row->from.partition);
    at = field_i64(at, row->from.offset);
    at = field_time(at, row->arrival_us);
    at = field_time(at, row->occurred_at_us);
    at = field_i32(at, row->revision);
    at = field_i16(at, row->engine);
    at = field_i16(at, row->kind);
    at = field_i16(at, row->applied);
    at = row->subject.len ? field_text(at, row->subject) : field_null(at, LOY_PG_TEXT);
    at = put_entries(at, row, types);
    at = field_bytes(at, row->event);
    return row->trace.len ? field_bytes(at, row->trace) : field_null(at, LOY_PG_BYTEA);
}

size_t loy_pg_member_size(const struct loy_member_write *write)
{
    size_t balances = 3 * (LOY_PG_ARRAY_HEADER + (size_t)write->wallet_count * 12);
    return 4 + MEMBER_COLUMNS * 8 + MEMBER_FIXED_BYTES + write->row.member_id.len + balances + write->row.state.len;
}

static uint8_t *put_balances(uint8_t *at, const int64_t *balances, uint16_t count)
{
    at = loy_pg_put_4(at, LOY_PG_INT8_ARRAY);
    at = loy_pg_put_4(at, LOY_PG_ARRAY_HEADER + count * 12);
    at = loy_pg_put_array_header(at, LOY_PG_INT8, count);
    for (uint16_t i = 0; i < count; i++) {
        at = loy_pg_put_i64(at, balances[i]);
    }
    return at;
}

uint8_t *loy_pg_put_member(uint8_t *at, const struct loy_member_write *write)
{
    const struct loy_member_row *row = &write->row;
    at = loy_pg_put_4(at, MEMBER_COLUMNS);
    at = field_i32(at, row->k);
    at = field_i32(at, row->n);
    at = field_text(at, row->member_id);
    at = field_i64(at, row->seq);
    at = field_i64(at, row->version);
    at = field_digest(at, &row->digest);
    at = field_null(at, LOY_PG_INT2_ARRAY); /* level: not written by this version */
    at = put_balances(at, write->available, write->wallet_count);
    at = put_balances(at, write->pending, write->wallet_count);
    at = put_balances(at, write->reserved, write->wallet_count);
    return field_bytes(at, row->state);
}
