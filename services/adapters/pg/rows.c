#include "adapters/pg/params.h"
#include "adapters/pg/requests.h"

#include <endian.h>
#include <stdlib.h>

/* One row being read: remembers whether a value was not of the width that its column must have. */
struct reader {
    const PGresult *rows;
    int row;
    int column;
    bool wrong;
};

/* The next column's bytes when they are exactly `size` long. */
static const char *next_fixed(struct reader *reader, int size)
{
    int column = reader->column++;
    if (PQgetisnull(reader->rows, reader->row, column) || PQgetlength(reader->rows, reader->row, column) != size) {
        reader->wrong = true;
        return NULL;
    }
    return PQgetvalue(reader->rows, reader->row, column);
}

static int32_t next_i32(struct reader *reader)
{
    uint32_t wire = 0;
    const char *at = next_fixed(reader, 4);
    if (at) {
        memcpy(&wire, at, sizeof wire);
    }
    return (int32_t)be32toh(wire);
}

static int64_t next_i64(struct reader *reader)
{
    uint64_t wire = 0;
    const char *at = next_fixed(reader, 8);
    if (at) {
        memcpy(&wire, at, sizeof wire);
    }
    return (int64_t)be64toh(wire);
}

static struct loy_digest next_digest(struct reader *reader)
{
    struct loy_digest digest = {{0}};
    const char *at = next_fixed(reader, sizeof digest.bytes);
    if (at) {
        memcpy(digest.bytes, at, sizeof digest.bytes);
    }
    return digest;
}

static struct loy_str next_bytes(struct reader *reader)
{
    int column = reader->column++;
    return (struct loy_str){PQgetvalue(reader->rows, reader->row, column),
                            (size_t)PQgetlength(reader->rows, reader->row, column)};
}

static uint32_t wire_u32(const char *at)
{
    uint32_t wire;
    memcpy(&wire, at, sizeof wire);
    return be32toh(wire);
}

/* The next column as bigint[] of one dimension without nulls: its elements into values[0..limit), their number back. */
static uint32_t next_i64_array(struct reader *reader, int64_t *values, uint32_t limit)
{
    struct loy_str bytes = next_bytes(reader);
    uint32_t count = bytes.len >= LOY_PG_ARRAY_HEADER ? wire_u32(bytes.at + 12) : 0;
    if (count == 0 || count > limit || wire_u32(bytes.at) != 1 || wire_u32(bytes.at + 4) != 0 ||
        wire_u32(bytes.at + 8) != LOY_PG_INT8 || bytes.len != LOY_PG_ARRAY_HEADER + (size_t)count * 12) {
        reader->wrong = true;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t wire;
        memcpy(&wire, bytes.at + LOY_PG_ARRAY_HEADER + (size_t)i * 12 + 4, sizeof wire);
        values[i] = (int64_t)be64toh(wire);
    }
    return count;
}

static enum loy_err shape_error(struct loy_store_result *result, const char *what)
{
    return loy_error_set(&result->error, LOY_ERR_CORRUPT, "a row of %s is not of the shape that this program knows",
                         what);
}

static enum loy_err memory_error(struct loy_store_result *result, const char *what, int count)
{
    return loy_error_set(&result->error, LOY_ERR_NO_MEMORY, "the store's arena has no room for %d rows of %s", count,
                         what);
}

enum loy_err loy_pg_read_partitions(const PGresult *rows, struct loy_arena *arena, struct loy_store_result *result)
{
    int count = PQntuples(rows);
    struct loy_partition *partitions = LOY_NEW_ARRAY(arena, struct loy_partition, (size_t)count);
    if (!partitions) {
        return memory_error(result, "partition", count);
    }
    for (int i = 0; i < count; i++) {
        struct loy_partition *partition = &partitions[i];
        struct reader reader = {rows, i, 0, false};
        partition->k = next_i32(&reader);
        partition->epoch = next_i64(&reader);
        partition->attempts = next_i32(&reader);
        uint32_t topics = next_i64_array(&reader, partition->next_offset, LOY_TOPICS_MAX);
        uint32_t totals = next_i64_array(&reader, &partition->totals[0][0], LOY_TOPICS_MAX * LOY_OUTCOME_COUNT);
        partition->outbox_seq = next_i64(&reader);
        partition->next_n = next_i32(&reader);
        partition->alone = next_i32(&reader);
        partition->alone_topic = next_i32(&reader);
        partition->alone_offset = next_i64(&reader);
        if (reader.wrong || totals != topics * LOY_OUTCOME_COUNT) {
            return shape_error(result, "partition");
        }
    }
    result->partitions = partitions;
    result->partition_count = (uint32_t)count;
    return LOY_OK;
}

enum loy_err loy_pg_read_outbox(const PGresult *rows, struct loy_arena *arena, struct loy_store_result *result)
{
    int count = PQntuples(rows);
    struct loy_outbox_row *outbox = LOY_NEW_ARRAY(arena, struct loy_outbox_row, (size_t)count);
    if (!outbox) {
        return memory_error(result, "outbox", count);
    }
    for (int i = 0; i < count; i++) {
        struct reader reader = {rows, i, 0, false};
        outbox[i].k = next_i32(&reader);
        outbox[i].seq = next_i64(&reader);
        outbox[i].payload = next_bytes(&reader);
        if (reader.wrong) {
            return shape_error(result, "outbox");
        }
    }
    result->outbox = outbox;
    result->outbox_count = (uint32_t)count;
    return LOY_OK;
}

enum loy_err loy_pg_read_members(const PGresult *rows, struct loy_arena *arena, struct loy_store_result *result)
{
    int count = PQntuples(rows);
    struct loy_member_row *members = LOY_NEW_ARRAY(arena, struct loy_member_row, (size_t)count);
    if (!members) {
        return memory_error(result, "member", count);
    }
    for (int i = 0; i < count; i++) {
        struct reader reader = {rows, i, 0, false};
        members[i].k = next_i32(&reader);
        members[i].n = next_i32(&reader);
        members[i].member_id = next_bytes(&reader);
        members[i].seq = next_i64(&reader);
        members[i].version = next_i64(&reader);
        members[i].digest = next_digest(&reader);
        members[i].state = next_bytes(&reader);
        if (reader.wrong) {
            return shape_error(result, "member");
        }
    }
    result->members = members;
    result->member_count = (uint32_t)count;
    return LOY_OK;
}

enum loy_err loy_pg_read_counters(const PGresult *rows, struct loy_arena *arena, struct loy_store_result *result)
{
    int count = PQntuples(rows);
    struct loy_counter_row *counters = LOY_NEW_ARRAY(arena, struct loy_counter_row, (size_t)count);
    if (!counters) {
        return memory_error(result, "counter", count);
    }
    for (int i = 0; i < count; i++) {
        struct reader reader = {rows, i, 0, false};
        counters[i].id = next_i32(&reader);
        counters[i].used = next_i64(&reader);
        if (reader.wrong) {
            return shape_error(result, "counter");
        }
    }
    result->counters = counters;
    result->counter_count = (uint32_t)count;
    return LOY_OK;
}

enum loy_err loy_pg_read_found(const PGresult *rows, struct loy_arena *arena, struct loy_store_result *result)
{
    int count = PQntuples(rows);
    struct loy_journal_found *found = LOY_NEW_ARRAY(arena, struct loy_journal_found, (size_t)count);
    if (!found) {
        return memory_error(result, "journal", count);
    }
    for (int i = 0; i < count; i++) {
        struct reader reader = {rows, i, 0, false};
        found[i].key.k = next_i32(&reader);
        found[i].key.n = next_i32(&reader);
        found[i].key.event_key = next_digest(&reader);
        found[i].event = next_bytes(&reader);
        if (reader.wrong) {
            return shape_error(result, "journal");
        }
    }
    result->found = found;
    result->found_count = (uint32_t)count;
    return LOY_OK;
}

enum loy_err loy_pg_read_due(const PGresult *rows, struct loy_arena *arena, struct loy_store_result *result)
{
    int count = PQntuples(rows);
    struct loy_due_row *due = LOY_NEW_ARRAY(arena, struct loy_due_row, (size_t)count);
    if (!due) {
        return memory_error(result, "due", count);
    }
    for (int i = 0; i < count; i++) {
        struct reader reader = {rows, i, 0, false};
        due[i].k = next_i32(&reader);
        due[i].member_id = next_bytes(&reader);
        due[i].at_us = loy_pg_time_back(next_i64(&reader));
        if (reader.wrong) {
            return shape_error(result, "due");
        }
    }
    result->due = due;
    result->due_count = (uint32_t)count;
    return LOY_OK;
}

enum loy_err loy_pg_read_types(const PGresult *rows, struct loy_pg_types *ret_types)
{
    if (PQntuples(rows) != 1) {
        return LOY_ERR_CORRUPT;
    }
    struct reader reader = {rows, 0, 0, false};
    struct loy_pg_types types;
    types.journal = (Oid)next_i32(&reader);
    types.journal_array = (Oid)next_i32(&reader);
    types.entry = (Oid)next_i32(&reader);
    types.entry_array = (Oid)next_i32(&reader);
    types.member = (Oid)next_i32(&reader);
    types.member_array = (Oid)next_i32(&reader);
    if (reader.wrong) {
        return LOY_ERR_CORRUPT;
    }
    *ret_types = types;
    return LOY_OK;
}
