/* The audit's last part: what was published against what is committed.
 *
 * Three looks, in this order: the snapshot of the audit (what must have been published where its outbox was empty), the
 * topic up to where it ends now, the database as it is afterwards (what may have been published). */
#include "ctl/audit.h"

#include "adapters/kafka/read_topic.h"
#include "base/hash.h"
#include "ctl/audit_published.h"
#include "runtime/region.h"

#include <inttypes.h>
#include <stdlib.h>

#define FOUND(check, where, expected, found)                                                                           \
    do {                                                                                                               \
        const struct loy_phrase where_ = (where), expected_ = (expected), found_ = (found);                            \
        loy_audit_found(pass->audit, LOY_AUDIT_##check, &where_, &expected_, &found_);                                 \
    } while (0)

enum {
    RECORD_ARENA = 4 << 20,
    ROOM_FOR_OTHERS = 65536, /* members that the snapshot does not have: new ones, or another installation's */
    KEPT_BYTES = 64 << 20,
    SELECT_MAX = 256,
};
static const size_t published_bytes = (size_t)8 << 30; /* addresses, not memory */

/* One partition of one topic. */
struct pass {
    struct loy_audit *audit;
    struct loy_query *after; /* sees what was committed after the snapshot */
    struct loy_topic_reader *reader;
    struct loy_region region, record_region;
    struct loy_arena arena; /* over region: what the partition says */
    const char *topic;
    bool gapless; /* every version is there; else the latest one only */
    int32_t partition;
    struct loy_published published;
};

static enum loy_err take_record(struct pass *pass, const struct loy_record *record, struct loy_error *error)
{
    struct loy_arena arena;
    struct loy_published_record said;
    struct loy_error wrong = {0};
    loy_arena_init(&arena, pass->record_region.block, pass->record_region.size);
    pass->audit->messages++;
    if (!record->has_value) {
        return LOY_OK; /* a tombstone: a member who was erased */
    }
    enum loy_err err = loy_published_decode(record->value, &arena, &said, &wrong);
    struct loy_phrase where =
        loy_phrase("topic %s, partition %d, offset %" PRId64, pass->topic, pass->partition, record->position.offset);
    if (err == LOY_ERR_NO_MEMORY) {
        return loy_error_set(error, err, "no memory for a record of %zu bytes", record->value.len);
    }
    if (err) {
        FOUND(TOPIC_RECORD, where, loy_phrase("an update"), loy_phrase("%.180s", wrong.detail));
        return LOY_OK;
    }
    int32_t place = loy_partition_of(said.member_id, loy_topic_reader_partitions(pass->reader));
    if (!loy_str_equal(record->key, said.member_id) || place != pass->partition) {
        FOUND(TOPIC_RECORD, where,
              loy_phrase("its member's key, %.*s, in partition %d", LOY_STR_ARG(said.member_id), place),
              loy_phrase("key %.*s", LOY_STR_ARG(record->key)));
    }
    return loy_published_add(&pass->published, &said) == LOY_OK
               ? LOY_OK
               : loy_error_set(error, LOY_ERR_NO_MEMORY,
                               "topic %s speaks of far more members than the database has: is it this installation's?",
                               pass->topic);
}

static enum loy_err read_partition(struct pass *pass, struct loy_error *error)
{
    int64_t first = 0, end = 0;
    struct loy_record record;
    enum loy_err err = loy_topic_reader_start(pass->reader, pass->partition, 0, &first, &end, error);
    if (err) {
        return err;
    }
    loy_region_reset(&pass->region, &pass->arena, KEPT_BYTES);
    int64_t most = pass->audit->members + ROOM_FOR_OTHERS;
    uint32_t capacity = (uint32_t)(end - first < most ? end - first : most);
    if (!loy_published_init(&pass->published, &pass->arena, capacity, first == 0)) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for %u members", capacity);
    }
    while (!err && !(err = loy_topic_reader_next(pass->reader, &record, error))) {
        err = take_record(pass, &record, error);
    }
    return err == LOY_ERR_NOT_FOUND ? LOY_OK : err;
}

/* --- against the database ----------------------------------------------------------------------------------------- */

static struct loy_phrase who(struct loy_str member_id, const char *topic)
{
    return loy_phrase("member %.*s on topic %s", LOY_STR_ARG(member_id), topic);
}

/* The columns of a member whose version is the published one, wallet by wallet as far as both have it. */
static void check_balances(struct pass *pass, const struct loy_cursor *cursor,
                           const struct loy_published_member *member)
{
    static const char *const names[] = {"available", "pending", "reserved"};
    for (int32_t column = 0; column < 3; column++) {
        int64_t values[LOY_STORE_WALLETS_MAX];
        uint32_t count = loy_rows_integers(&cursor->rows, cursor->row, 3 + column, values, LOY_STORE_WALLETS_MAX);
        for (uint32_t i = 0; i < count && i < member->wallet_count; i++) {
            if (values[i] != member->balances[i][column]) {
                FOUND(BALANCES_TOPIC, who(member->member_id, pass->topic),
                      loy_phrase("%.*s %s %" PRId64 " at version %" PRId64, LOY_STR_ARG(member->wallets[i]),
                                 names[column], values[i], member->version),
                      loy_phrase("%" PRId64, member->balances[i][column]));
            }
        }
    }
}

/* What stood in the snapshot of a partition with an empty outbox was acknowledged before we looked at the topic. */
static void check_behind(struct pass *pass, const struct loy_cursor *cursor)
{
    struct loy_str id = loy_rows_bytes(&cursor->rows, cursor->row, 0);
    int64_t k = loy_rows_integer(&cursor->rows, cursor->row, 1),
            version = loy_rows_integer(&cursor->rows, cursor->row, 2);
    const struct loy_published_member *member = loy_published_find(&pass->published, id);
    bool acknowledged = k >= 0 && k < pass->audit->partitions && pass->audit->outbox_empty[k];
    int64_t published = member ? member->version : 0;
    bool may_be_deleted = !member && !pass->published.from_start;
    if (acknowledged && published < version && !may_be_deleted) {
        FOUND(UPDATES_BEHIND, who(id, pass->topic), loy_phrase("version %" PRId64, version),
              published > 0 ? loy_phrase("%" PRId64, published) : loy_phrase("nothing"));
    }
    if (member && member->has_balances && member->version == version) {
        check_balances(pass, cursor, member);
    }
}

static void check_ahead(struct pass *pass, const struct loy_cursor *cursor)
{
    struct loy_str id = loy_rows_bytes(&cursor->rows, cursor->row, 0);
    int64_t version = loy_rows_integer(&cursor->rows, cursor->row, 2);
    struct loy_published_member *member = loy_published_find(&pass->published, id);
    if (!member) {
        return;
    }
    member->committed = true;
    if (member->version > version) {
        FOUND(UPDATES_AHEAD, who(id, pass->topic), loy_phrase("at most version %" PRId64, version),
              loy_phrase("%" PRId64, member->version));
    }
}

/* Members whose messages belong in this partition of the topic: of one k where both are divided alike. */
static enum loy_err for_each_member(struct pass *pass, struct loy_query *query,
                                    void (*check)(struct pass *pass, const struct loy_cursor *cursor),
                                    struct loy_error *error)
{
    char select[SELECT_MAX], where[32] = "";
    struct loy_cursor cursor = {0};
    int32_t partitions = loy_topic_reader_partitions(pass->reader);
    if (partitions == pass->audit->partitions) {
        (void)snprintf(where, sizeof where, "WHERE k = %d", pass->partition);
    }
    (void)snprintf(select, sizeof select, "SELECT member_id, k, version, available, pending, reserved FROM member %s",
                   where);
    enum loy_err err = loy_cursor_open(query, "published", select, &cursor, error);
    while (!err && !(err = loy_cursor_next(&cursor, error)) && !cursor.at_end) {
        if (loy_partition_of(loy_rows_bytes(&cursor.rows, cursor.row, 0), partitions) == pass->partition) {
            check(pass, &cursor);
        }
    }
    loy_cursor_close(&cursor);
    return err;
}

static void check_published(struct pass *pass)
{
    for (uint32_t i = 0; i < pass->published.count; i++) {
        const struct loy_published_member *member = &pass->published.members[i];
        if (pass->gapless && member->gap_at > 0) {
            FOUND(UPDATES_GAP, who(member->member_id, pass->topic),
                  loy_phrase("version %" PRId64 " next", member->gap_after + 1),
                  loy_phrase("%" PRId64, member->gap_at));
        }
        if (!member->committed) {
            FOUND(UPDATES_AHEAD, who(member->member_id, pass->topic), loy_phrase("a member of the database"),
                  loy_phrase("none, and version %" PRId64 " of it", member->version));
        }
    }
}

static enum loy_err check_partition(struct pass *pass, struct loy_error *error)
{
    enum loy_err err = read_partition(pass, error);
    err = err ? err : for_each_member(pass, pass->audit->query, check_behind, error);
    err = err ? err : loy_query_do(pass->after, "BEGIN READ ONLY", error);
    err = err ? err : for_each_member(pass, pass->after, check_ahead, error);
    err = err ? err : loy_query_do(pass->after, "COMMIT", error);
    if (!err) {
        check_published(pass);
    }
    return err;
}

enum loy_err loy_audit_topic(struct loy_audit *audit, struct loy_query *after,
                             const struct loy_kafka_connection *connection, const char *topic, bool gapless,
                             struct loy_error *error)
{
    struct pass pass = {.audit = audit, .after = after, .topic = topic, .gapless = gapless};
    enum loy_err err = loy_topic_reader_new(connection, topic, &pass.reader, error);
    err = err ? err : loy_region_map(published_bytes, &pass.region, error);
    err = err ? err : loy_region_map(RECORD_ARENA, &pass.record_region, error);
    if (!err) {
        loy_region_arena(&pass.region, &pass.arena);
    }
    for (; !err && pass.partition < loy_topic_reader_partitions(pass.reader); pass.partition++) {
        err = check_partition(&pass, error);
    }
    loy_region_unmap(&pass.region);
    loy_region_unmap(&pass.record_region);
    loy_topic_reader_destroy(pass.reader);
    return err;
}
