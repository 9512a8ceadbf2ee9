/* The tables, and what a request does to them. */
#include "sim/fake_store.h"

#include <stdio.h>
#include <stdlib.h>

/* --- keys of the indexes --- */

static struct loy_str member_number_key(struct sim_pool *pool, int32_t k, int32_t n)
{
    int32_t both[2] = {k, n};
    return sim_copy(pool, (struct loy_str){(const char *)both, sizeof both});
}

static int32_t find_member_number(const struct fake_db *db, int32_t k, int32_t n)
{
    int32_t both[2] = {k, n};
    return sim_map_find(&db->member_numbers, (struct loy_str){(const char *)both, sizeof both});
}

/* Byte image of a journal key, without padding to compare. */
struct journal_key_bytes {
    int32_t k, n;
    uint8_t event_key[16];
};

static struct journal_key_bytes journal_key_bytes(const struct loy_journal_key *key)
{
    struct journal_key_bytes bytes = {key->k, key->n, {0}};
    memcpy(bytes.event_key, key->event_key.bytes, sizeof bytes.event_key);
    return bytes;
}

static int32_t find_journal(const struct fake_db *db, const struct loy_journal_key *key)
{
    struct journal_key_bytes bytes = journal_key_bytes(key);
    return sim_map_find(&db->journal_keys, (struct loy_str){(const char *)&bytes, sizeof bytes});
}

const struct loy_journal_row *fake_db_journal(const struct fake_db *db, const struct loy_journal_key *key)
{
    int32_t at = find_journal(db, key);
    return at < 0 ? NULL : &db->journal[at];
}

const struct fake_member *fake_db_member(const struct fake_db *db, struct loy_str member_id)
{
    int32_t at = sim_map_find(&db->member_ids, member_id);
    return at < 0 ? NULL : &db->members[at];
}

struct loy_counter_row *fake_db_counter(struct fake_db *db, int32_t id)
{
    for (uint32_t i = 0; i < db->counter_count; i++) {
        if (db->counters[i].id == id) {
            return &db->counters[i];
        }
    }
    return NULL;
}

static struct fake_partition *partition_of(const struct fake_db *db, int32_t k)
{
    return k >= 0 && k < db->partition_count ? &db->partitions[k] : NULL;
}

/* --- outcomes of a request --- */

static void outage(struct loy_store_result *result, bool commit_unknown, const char *why)
{
    *result = (struct loy_store_result){.status = LOY_STORE_OUTAGE, .commit_unknown = commit_unknown};
    loy_error_set(&result->error, LOY_ERR_UNAVAILABLE, "simulated: %s", why);
}

static void refuse(struct fake_transaction *t, enum loy_store_status status, enum loy_guard guard, const char *sqlstate,
                   const char *why)
{
    static const enum sim_happening happenings[] = {
        [LOY_GUARD_PARTITION] = SIM_GUARD_PARTITION, [LOY_GUARD_REVISION] = SIM_GUARD_REVISION,
        [LOY_GUARD_JOURNAL] = SIM_GUARD_JOURNAL,     [LOY_GUARD_MEMBER] = SIM_GUARD_MEMBER,
        [LOY_GUARD_COUNTER] = SIM_GUARD_COUNTER,
    };
    t->result = (struct loy_store_result){.status = status, .guard = guard};
    memcpy(t->result.sqlstate, sqlstate, 6);
    loy_error_set(&t->result.error, status == LOY_STORE_POISON ? LOY_ERR_POISON : LOY_ERR_AGAIN, "%s", why);
    if (status == LOY_STORE_GUARD) {
        sim_happened(t->db->world, happenings[guard]);
        if (guard == LOY_GUARD_PARTITION && t->client_died) {
            sim_happened(t->db->world, SIM_FENCED_AFTER_DEATH);
        }
    } else if (status == LOY_STORE_POISON) {
        sim_happened(t->db->world, SIM_STORE_POISON);
    }
    sim_say(t->db->world, t->name, "commit refused: %s", why);
}

/* --- the guards, in the adapter's order --- */

static bool partitions_hold(struct fake_transaction *t)
{
    const struct loy_store_commit *commit = &t->request.commit;
    for (uint32_t i = 0; i < commit->partition_count; i++) {
        const struct loy_partition_write *write = &commit->partitions[i];
        const struct fake_partition *partition = partition_of(t->db, write->k);
        bool holds = partition && partition->row.epoch == write->epoch &&
                     partition->row.outbox_seq == write->old_outbox_seq && partition->row.next_n == write->old_next_n;
        for (uint16_t topic = 0; holds && topic < t->db->topic_count; topic++) {
            holds = partition->row.next_offset[topic] == write->old_next_offset[topic];
        }
        if (!holds) {
            refuse(t, LOY_STORE_GUARD, LOY_GUARD_PARTITION, "22012", "partition is not as read");
            return false;
        }
    }
    return true;
}

static bool revision_holds(struct fake_transaction *t)
{
    const struct loy_store_commit *commit = &t->request.commit;
    for (uint32_t i = 0; i < t->db->revision_count; i++) {
        const struct fake_revision *revision = &t->db->revisions[i];
        if (commit->revision > 0 && revision->number > commit->revision &&
            revision->from_us <= commit->newest_moment_us) {
            refuse(t, LOY_STORE_GUARD, LOY_GUARD_REVISION, "22012", "a newer revision is in force");
            return false;
        }
    }
    return true;
}

static bool is_text(struct loy_str text)
{
    return loy_str_is_utf8(text) && (text.len == 0 || !memchr(text.at, 0, text.len));
}

static bool texts_hold(struct fake_transaction *t)
{
    const struct loy_store_commit *commit = &t->request.commit;
    bool holds = true;
    for (uint32_t i = 0; i < commit->journal_count; i++) {
        holds = holds && is_text(commit->journal[i].subject);
    }
    for (uint32_t i = 0; i < commit->member_count; i++) {
        holds = holds && is_text(commit->members[i].row.member_id);
    }
    if (!holds && t->db->refuses_bad_text) {
        refuse(t, LOY_STORE_POISON, LOY_GUARD_NONE, "22021", "a text is not text");
        return false;
    }
    return true;
}

static bool journal_holds(struct fake_transaction *t)
{
    const struct loy_store_commit *commit = &t->request.commit;
    struct sim_map seen = {0};
    bool holds = true;
    for (uint32_t i = 0; holds && i < commit->journal_count; i++) {
        const struct loy_journal_row *row = &commit->journal[i];
        if (t->db->poison.len > 0 && row->event.len > 0 &&
            memmem(row->event.at, row->event.len, t->db->poison.at, t->db->poison.len)) {
            refuse(t, LOY_STORE_POISON, LOY_GUARD_NONE, "22021", "journal: this event cannot be stored");
            holds = false;
            continue;
        }
        struct journal_key_bytes bytes = journal_key_bytes(&row->key);
        struct loy_str key = sim_copy(&t->pool, (struct loy_str){(const char *)&bytes, sizeof bytes});
        if (find_journal(t->db, &row->key) >= 0 || sim_map_find(&seen, key) >= 0) {
            sim_say(t->db->world, t->name, "journal %d/%d of %d/%d@%lld repeats an event of %s", row->key.k, row->key.n,
                    row->from.topic, row->from.partition, (long long)row->from.offset,
                    find_journal(t->db, &row->key) >= 0 ? "before" : "the same commit");
            refuse(t, LOY_STORE_GUARD, LOY_GUARD_JOURNAL, "23505", "journal: the event stands there already");
            holds = false;
        }
        sim_map_put(&seen, key, 0);
    }
    sim_map_fini(&seen);
    return holds;
}

static bool account_is(const struct fake_db *db, int32_t k, int32_t n, int64_t seq, const struct loy_digest *digest)
{
    int32_t at = find_member_number(db, k, n);
    if (at < 0) {
        return false;
    }
    const struct loy_member_row *row = &db->members[at].write.row;
    return row->seq == seq && memcmp(row->digest.bytes, digest->bytes, sizeof digest->bytes) == 0;
}

static bool new_member_holds(const struct fake_db *db, const struct loy_store_commit *commit, uint32_t i)
{
    const struct loy_member_row *row = &commit->members[i].row;
    if (find_member_number(db, row->k, row->n) >= 0 || fake_db_member(db, row->member_id)) {
        return false;
    }
    for (uint32_t j = 0; j < i; j++) {
        const struct loy_member_row *other = &commit->members[j].row;
        if (commit->members[j].is_new &&
            (loy_str_equal(other->member_id, row->member_id) || (other->k == row->k && other->n == row->n))) {
            return false;
        }
    }
    return true;
}

static bool members_hold(struct fake_transaction *t)
{
    const struct loy_store_commit *commit = &t->request.commit;
    for (uint32_t i = 0; i < commit->member_count; i++) {
        const struct loy_member_write *write = &commit->members[i];
        bool holds = write->is_new ? new_member_holds(t->db, commit, i)
                                   : account_is(t->db, write->row.k, write->row.n, write->old_seq, &write->old_digest);
        if (!holds) {
            refuse(t, LOY_STORE_GUARD, LOY_GUARD_MEMBER, write->is_new ? "23505" : "22012",
                   write->is_new ? "member: enrolled meanwhile" : "member: not what was read");
            return false;
        }
    }
    for (uint32_t i = 0; i < commit->read_count; i++) {
        const struct loy_member_read *read = &commit->reads[i];
        if (!account_is(t->db, read->k, read->n, read->seq, &read->digest)) {
            refuse(t, LOY_STORE_GUARD, LOY_GUARD_MEMBER, "22012", "member: read, and changed since");
            return false;
        }
    }
    return true;
}

static bool counters_hold(struct fake_transaction *t)
{
    const struct loy_store_commit *commit = &t->request.commit;
    for (uint32_t i = 0; i < commit->charge_count; i++) {
        const struct loy_counter_row *counter = fake_db_counter(t->db, commit->charges[i].id);
        if (!counter || counter->used > commit->charges[i].at_most) {
            refuse(t, LOY_STORE_GUARD, LOY_GUARD_COUNTER, "22012", "counter: used more than was decided with");
            return false;
        }
    }
    return true;
}

static bool due_holds(struct fake_transaction *t)
{
    const struct loy_store_commit *commit = &t->request.commit;
    for (uint32_t i = 0; i < commit->due_count; i++) {
        int32_t at = commit->due[i].is_new ? find_member_number(t->db, commit->due[i].k, commit->due[i].n) : -1;
        if (at >= 0 && t->db->members[at].due_at_us != INT64_MAX) {
            refuse(t, LOY_STORE_POISON, LOY_GUARD_NONE, "23505", "due: the account has a row already");
            return false;
        }
    }
    return true;
}

/* --- the writes --- */

static void write_partition(struct fake_transaction *t, const struct loy_partition_write *write)
{
    struct fake_partition *partition = partition_of(t->db, write->k);
    struct loy_partition *row = &partition->row;
    t->db->stale_commits += write->epoch != row->epoch;
    for (uint16_t topic = 0; topic < t->db->topic_count; topic++) {
        if (row->next_offset[topic] != write->new_next_offset[topic]) {
            row->attempts = 0;
            sim_say(t->db->world, t->name, "  %d/%d moves from %lld to %lld, %lld gaps", topic, row->k,
                    (long long)row->next_offset[topic], (long long)write->new_next_offset[topic],
                    (long long)write->add_totals[topic][LOY_OUTCOME_GAP]);
        }
        row->next_offset[topic] = write->new_next_offset[topic];
        for (int outcome = 0; outcome < LOY_OUTCOME_COUNT; outcome++) {
            row->totals[topic][outcome] += write->add_totals[topic][outcome];
        }
    }
    if (row->outbox_seq != write->new_outbox_seq || write->trim_through > 0) {
        sim_say(t->db->world, t->name, "  outbox of %d: row %lld, trimmed through %lld", row->k,
                (long long)write->new_outbox_seq, (long long)write->trim_through);
    }
    if (row->next_offset[row->alone_topic] > row->alone_offset) {
        row->alone = 0;
    }
    row->outbox_seq = write->new_outbox_seq;
    row->next_n = write->new_next_n;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < partition->outbox_count; i++) {
        if (partition->outbox[i].seq > write->trim_through) {
            partition->outbox[kept++] = partition->outbox[i];
        }
    }
    partition->outbox_count = kept;
}

static void write_journal(struct fake_db *db, const struct loy_journal_row *row)
{
    if (db->journal_count == db->journal_capacity) {
        db->journal_capacity = db->journal_capacity * 2 + 64;
        db->journal = sim_grow(db->journal, db->journal_capacity, sizeof *db->journal);
        db->journal_known = sim_grow(db->journal_known, db->journal_capacity, sizeof *db->journal_known);
    }
    struct sim_pool *pool = &db->world->pool;
    struct loy_journal_row *kept = &db->journal[db->journal_count];
    *kept = *row;
    size_t entry_bytes = row->entry_count * sizeof *row->entries;
    kept->subject = sim_copy(pool, row->subject);
    kept->event = sim_copy(pool, row->event);
    kept->trace = sim_copy(pool, row->trace);
    kept->entries = (const void *)sim_copy(pool, (struct loy_str){(const char *)row->entries, entry_bytes}).at;
    struct journal_key_bytes bytes = journal_key_bytes(&row->key);
    sim_say(db->world, "store", "  journal %d/%d seq %lld version %lld of %d/%d@%lld arrival %lld kind %d, %u entries",
            row->key.k, row->key.n, (long long)row->seq, (long long)row->version, row->from.topic, row->from.partition,
            (long long)row->from.offset, (long long)row->arrival_us, row->kind, row->entry_count);
    sim_map_put(&db->journal_keys, sim_copy(pool, (struct loy_str){(const char *)&bytes, sizeof bytes}),
                (int32_t)db->journal_count);
    db->journal_known[db->journal_count++] = db->revision_count;
}

static void write_member(struct fake_db *db, const struct loy_member_write *write)
{
    struct sim_pool *pool = &db->world->pool;
    int32_t at = find_member_number(db, write->row.k, write->row.n);
    if (at < 0) {
        if (db->member_count == db->member_capacity) {
            db->member_capacity = db->member_capacity * 2 + 64;
            db->members = sim_grow(db->members, db->member_capacity, sizeof *db->members);
        }
        at = (int32_t)db->member_count++;
        db->members[at] = (struct fake_member){.due_at_us = INT64_MAX};
        db->members[at].write.row.member_id = sim_copy(pool, write->row.member_id);
        sim_map_put(&db->member_ids, db->members[at].write.row.member_id, at);
        sim_map_put(&db->member_numbers, member_number_key(pool, write->row.k, write->row.n), at);
    }
    struct fake_member *member = &db->members[at];
    struct loy_str member_id = member->write.row.member_id;
    member->write = *write;
    /* An update leaves member_id alone, as the adapter's statement does. */
    member->write.row.member_id = member_id;
    member->write.row.state = sim_copy(pool, write->row.state);
}

static void write_outbox(struct fake_db *db, const struct loy_outbox_row *row)
{
    struct fake_partition *partition = partition_of(db, row->k);
    if (!partition || partition->outbox_count == FAKE_OUTBOX_MAX) {
        fprintf(stderr, "fake store: outbox of partition %d is over its limit\n", row->k);
        abort();
    }
    partition->outbox[partition->outbox_count++] =
        (struct loy_outbox_row){row->k, row->seq, sim_copy(&db->world->pool, row->payload)};
}

static void execute_commit(struct fake_transaction *t)
{
    if (!texts_hold(t) || !partitions_hold(t) || !revision_holds(t) || !journal_holds(t) || !members_hold(t) ||
        !due_holds(t) || !counters_hold(t)) {
        return;
    }
    struct fake_db *db = t->db;
    const struct loy_store_commit *commit = &t->request.commit;
    for (uint32_t i = 0; i < commit->partition_count; i++) {
        write_partition(t, &commit->partitions[i]);
    }
    for (uint32_t i = 0; i < commit->journal_count; i++) {
        write_journal(db, &commit->journal[i]);
    }
    for (uint32_t i = 0; i < commit->member_count; i++) {
        write_member(db, &commit->members[i]);
    }
    for (uint32_t i = 0; i < commit->due_count; i++) {
        int32_t at = find_member_number(db, commit->due[i].k, commit->due[i].n);
        if (at >= 0) {
            db->members[at].due_at_us = commit->due[i].at_us;
            sim_say(db->world, "store", "  %.*s is due at %lld", LOY_STR_ARG(db->members[at].write.row.member_id),
                    (long long)commit->due[i].at_us);
        }
    }
    for (uint32_t i = 0; i < commit->outbox_count; i++) {
        write_outbox(db, &commit->outbox[i]);
    }
    for (uint32_t i = 0; i < commit->charge_count; i++) {
        struct loy_counter_row *counter = fake_db_counter(db, commit->charges[i].id);
        counter->used += commit->charges[i].points;
        sim_say(db->world, "store", "  counter %d is charged %lld: %lld used", counter->id,
                (long long)commit->charges[i].points, (long long)counter->used);
    }
    t->result = (struct loy_store_result){.status = LOY_STORE_DONE};
    sim_happened(db->world, SIM_COMMIT);
    if (t->client_died) {
        sim_happened(db->world, SIM_EXECUTED_AFTER_DEATH);
    }
    sim_say(db->world, t->name, "committed %u partitions, %u journal rows, %u members, %u messages' rows%s",
            commit->partition_count, commit->journal_count, commit->member_count, commit->outbox_count,
            t->client_died ? " (its client is dead)" : "");
}

/* --- the other requests --- */

static void execute_acquire(struct fake_transaction *t)
{
    const struct loy_store_acquire *acquire = &t->request.acquire;
    struct loy_partition *rows = sim_alloc(&t->pool, acquire->count * sizeof *rows);
    uint32_t outbox_count = 0;
    for (uint32_t i = 0; i < acquire->count; i++) {
        struct fake_partition *partition = partition_of(t->db, acquire->ks[i]);
        if (!partition) {
            refuse(t, LOY_STORE_FATAL, LOY_GUARD_NONE, "P0001", "acquire: no such partition");
            return;
        }
        partition->row.epoch++;
        partition->row.attempts++;
        snprintf(partition->owner, sizeof partition->owner, "%.*s", LOY_STR_ARG(acquire->owner));
        rows[i] = partition->row;
        outbox_count += partition->outbox_count;
        sim_happened(t->db->world, SIM_ACQUIRE);
        sim_say(t->db->world, t->name, "acquired %d: epoch %lld, attempt %d, %u outbox rows", acquire->ks[i],
                (long long)partition->row.epoch, partition->row.attempts, partition->outbox_count);
    }
    struct loy_outbox_row *outbox = sim_alloc(&t->pool, outbox_count * sizeof *outbox);
    uint32_t filled = 0;
    for (uint32_t i = 0; i < acquire->count; i++) {
        const struct fake_partition *partition = partition_of(t->db, acquire->ks[i]);
        for (uint32_t j = 0; j < partition->outbox_count; j++, filled++) {
            outbox[filled] = partition->outbox[j];
            outbox[filled].payload = sim_copy(&t->pool, partition->outbox[j].payload);
            sim_happened(t->db->world, SIM_OUTBOX_REPLAYED);
        }
    }
    t->result = (struct loy_store_result){.status = LOY_STORE_DONE,
                                          .partitions = rows,
                                          .partition_count = acquire->count,
                                          .outbox = outbox,
                                          .outbox_count = outbox_count};
}

static void execute_load(struct fake_transaction *t)
{
    const struct loy_store_load *load = &t->request.load;
    struct loy_member_row *rows = sim_alloc(&t->pool, load->count * sizeof *rows);
    uint32_t count = 0;
    for (uint32_t i = 0; i < load->count; i++) {
        const struct fake_member *member = fake_db_member(t->db, load->keys[i].member_id);
        if (!member) {
            continue; /* k is no condition: the id is unique, and the adapter asks by it */
        }
        rows[count] = member->write.row;
        rows[count].member_id = sim_copy(&t->pool, member->write.row.member_id);
        rows[count].state = sim_copy(&t->pool, member->write.row.state);
        count++;
    }
    struct loy_counter_row *counters = sim_alloc(&t->pool, load->counter_count * sizeof *counters);
    uint32_t counter_count = 0;
    for (uint32_t i = 0; i < load->counter_count; i++) {
        const struct loy_counter_row *counter = fake_db_counter(t->db, load->counters[i]);
        if (counter) {
            counters[counter_count++] = *counter;
        }
    }
    if (load->count == 0 && load->counter_count > 0) {
        sim_happened(t->db->world, SIM_COUNTERS_READ);
    }
    t->result = (struct loy_store_result){.status = LOY_STORE_DONE,
                                          .members = rows,
                                          .member_count = count,
                                          .counters = counters,
                                          .counter_count = counter_count};
}

static void execute_find(struct fake_transaction *t)
{
    const struct loy_store_find *find = &t->request.find;
    struct loy_journal_found *found = sim_alloc(&t->pool, find->count * sizeof *found);
    uint32_t count = 0;
    for (uint32_t i = 0; i < find->count; i++) {
        int32_t at = find_journal(t->db, &find->keys[i]);
        if (at >= 0) {
            found[count].key = find->keys[i];
            found[count].event = sim_copy(&t->pool, t->db->journal[at].event);
            count++;
        }
    }
    t->result = (struct loy_store_result){.status = LOY_STORE_DONE, .found = found, .found_count = count};
}

static int by_due(const void *a, const void *b)
{
    const struct loy_due_row *x = a, *y = b;
    if (x->at_us != y->at_us) {
        return x->at_us < y->at_us ? -1 : 1;
    }
    return loy_str_compare(x->member_id, y->member_id);
}

static void execute_due(struct fake_transaction *t)
{
    const struct loy_store_due *due = &t->request.due;
    struct loy_due_row *rows = sim_alloc(&t->pool, t->db->member_count * sizeof *rows);
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->db->member_count; i++) {
        const struct fake_member *member = &t->db->members[i];
        if (member->due_at_us <= due->until_us && member->due_at_us != INT64_MAX) {
            rows[count++] = (struct loy_due_row){member->write.row.k, sim_copy(&t->pool, member->write.row.member_id),
                                                 member->due_at_us};
        }
    }
    qsort(rows, count, sizeof *rows, by_due);
    t->result = (struct loy_store_result){
        .status = LOY_STORE_DONE, .due = rows, .due_count = count < due->limit ? count : due->limit};
}

static void execute_mark(struct fake_transaction *t)
{
    const struct loy_store_mark *mark = &t->request.mark;
    struct fake_partition *partition = partition_of(t->db, mark->k);
    if (!partition || partition->row.epoch != mark->epoch) {
        refuse(t, LOY_STORE_GUARD, LOY_GUARD_PARTITION, "22012", "partition has another owner");
        return;
    }
    if (partition->row.alone != mark->alone) {
        sim_happened(t->db->world, SIM_MARK);
    }
    partition->row.alone = mark->alone;
    partition->row.alone_topic = mark->topic;
    partition->row.alone_offset = mark->offset;
    t->result = (struct loy_store_result){.status = LOY_STORE_DONE};
    sim_say(t->db->world, t->name, "marked %d/%d@%lld: alone %d", mark->topic, mark->k, (long long)mark->offset,
            mark->alone);
}

static void execute_release(struct fake_transaction *t)
{
    const struct loy_store_release *release = &t->request.release;
    for (uint32_t i = 0; i < release->count; i++) {
        struct fake_partition *partition = partition_of(t->db, release->ks[i]);
        if (partition && partition->row.epoch == release->epochs[i] && partition->row.attempts > 0) {
            partition->row.attempts--;
            sim_happened(t->db->world, SIM_RELEASE);
        }
    }
    t->result = (struct loy_store_result){.status = LOY_STORE_DONE};
    sim_say(t->db->world, t->name, "%u partitions released", release->count);
}

void fake_db_execute(struct fake_db *db, struct fake_transaction *t)
{
    t->executed = true;
    if (db->down) {
        outage(&t->result, t->request.kind == LOY_STORE_COMMIT, "the server went away");
        return;
    }
    switch (t->request.kind) {
    case LOY_STORE_ACQUIRE:
        execute_acquire(t);
        break;
    case LOY_STORE_LOAD:
        execute_load(t);
        break;
    case LOY_STORE_FIND:
        execute_find(t);
        break;
    case LOY_STORE_COMMIT:
        execute_commit(t);
        break;
    case LOY_STORE_DUE:
        execute_due(t);
        break;
    case LOY_STORE_MARK:
        execute_mark(t);
        break;
    case LOY_STORE_RELEASE:
        execute_release(t);
        break;
    }
    if (t->reply_lost && t->owned) {
        sim_happened(db->world, t->request.kind == LOY_STORE_ACQUIRE ? SIM_ACQUIRE_REPLY_LOST : SIM_REPLY_LOST);
        outage(&t->result, t->request.kind == LOY_STORE_COMMIT, "the reply was lost");
    }
}
