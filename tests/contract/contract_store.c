#include "contract/contract_store.h"

#include "support/cmocka_all.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* A client with what it knows of partitions, as a worker's thread would. */
struct client {
    const struct loy_store_maker *maker;
    struct loy_store store;
    struct loy_partition partitions[CONTRACT_PARTITIONS];
};

static const int64_t NOON = INT64_C(1790000000000000); /* some moment in 2026 */

struct loy_store_result contract_store_wait(const struct loy_store_maker *maker, const struct loy_store *store)
{
    struct loy_store_result result;
    for (int i = 0; !store->poll(store->self, &result); i++) {
        assert_true(i < 100000);
        if (maker->pass_time) {
            maker->pass_time(maker->self, store);
            continue;
        }
        struct pollfd fd;
        store->wait_on(store->self, &fd.fd, &fd.events);
        (void)poll(&fd, 1, 5);
    }
    return result;
}

static struct loy_store_result wait_for(struct client *client)
{
    return contract_store_wait(client->maker, &client->store);
}

static struct loy_store_result run(struct client *client, const struct loy_store_request *request)
{
    assert_int_equal(client->store.submit(client->store.self, request), LOY_OK);
    return wait_for(client);
}

static void must_be(struct loy_store_result result, enum loy_store_status status, enum loy_guard guard)
{
    if (result.status != status || result.guard != guard) {
        print_error("status %d, guard %d, sqlstate %s: %s\n", result.status, result.guard, result.sqlstate,
                    result.status == LOY_STORE_DONE ? "" : result.error.detail);
    }
    assert_int_equal(result.status, status);
    assert_int_equal(result.guard, guard);
}

static struct client start(void **state)
{
    struct client client = {.maker = *state};
    client.maker->reset(client.maker->self);
    client.store = client.maker->open(client.maker->self);
    return client;
}

static struct client another(const struct client *first)
{
    struct client client = {.maker = first->maker};
    client.store = client.maker->open(client.maker->self);
    return client;
}

static void end(struct client *client)
{
    client->maker->close(client->maker->self, client->store);
}

static struct loy_store_result acquire(struct client *client, const int32_t *ks, uint32_t count)
{
    struct loy_store_request request = {.kind = LOY_STORE_ACQUIRE};
    request.acquire = (struct loy_store_acquire){ks, count, LOY_STR("contract")};
    struct loy_store_result result = run(client, &request);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(result.partition_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(result.partitions[i].k, ks[i]);
        client->partitions[ks[i]] = result.partitions[i];
    }
    return result;
}

static struct loy_store_result acquire_one(struct client *client, int32_t k)
{
    return acquire(client, &k, 1);
}

static struct loy_store_result load_ids(struct client *client, const struct loy_str *ids, uint32_t count)
{
    struct loy_account_key *keys = calloc(count + 1, sizeof *keys);
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = (struct loy_account_key){1, ids[i]};
    }
    struct loy_store_request request = {.kind = LOY_STORE_LOAD, .load = {.keys = keys, .count = count}};
    struct loy_store_result result = run(client, &request);
    free(keys);
    return result;
}

static struct loy_store_result load_one(struct client *client, const char *id)
{
    struct loy_str text = loy_str(id);
    struct loy_store_result result = load_ids(client, &text, 1);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    return result;
}

static struct loy_store_result find_one(struct client *client, struct loy_journal_key key)
{
    struct loy_store_request request = {.kind = LOY_STORE_FIND, .find = {&key, 1}};
    struct loy_store_result result = run(client, &request);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    return result;
}

static struct loy_store_result scan_due(struct client *client, int64_t until_us, uint32_t limit)
{
    struct loy_store_request request = {.kind = LOY_STORE_DUE, .due = {until_us, limit}};
    struct loy_store_result result = run(client, &request);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    return result;
}

/* --- a batch of one event, whose parts a history may bend
 * ------------------------------------------------------------- */

struct batch {
    struct loy_partition_write partition;
    struct loy_journal_row journal;
    struct loy_journal_entry entries[2];
    struct loy_member_write member;
    struct loy_member_read read;
    struct loy_due_write due;
    struct loy_outbox_row outbox;
    struct loy_store_commit commit;
};

static struct loy_digest key_of(uint64_t number)
{
    return loy_digest_of((struct loy_str){(const char *)&number, sizeof number});
}

static struct loy_partition_write write_of(const struct loy_partition *known)
{
    struct loy_partition_write write = {.k = known->k, .epoch = known->epoch};
    memcpy(write.old_next_offset, known->next_offset, sizeof write.old_next_offset);
    memcpy(write.new_next_offset, known->next_offset, sizeof write.new_next_offset);
    write.old_outbox_seq = write.new_outbox_seq = known->outbox_seq;
    write.old_next_n = write.new_next_n = known->next_n;
    return write;
}

/* One applied event of the member `id` in partition k, its first or (with `before`) its next. */
static void make_batch(struct batch *batch, const struct client *client, int32_t k, const char *id,
                       const struct loy_member_row *before)
{
    const struct loy_partition *known = &client->partitions[k];
    *batch = (struct batch){.partition = write_of(known)};
    int32_t n = before ? before->n : known->next_n;
    int64_t seq = before ? before->seq + 1 : 1;
    batch->partition.new_next_offset[0] += 1;
    batch->partition.add_totals[0][LOY_OUTCOME_APPLIED] = 1;
    batch->partition.new_outbox_seq += 1;
    batch->partition.new_next_n += before ? 0 : 1;
    batch->entries[0] = (struct loy_journal_entry){1, 0, 100, 7, 3, 0};
    batch->entries[1] = (struct loy_journal_entry){2, 1, -5, 8, 4, 2};
    batch->journal = (struct loy_journal_row){
        .key = {k, n, key_of((uint64_t)known->next_offset[0])},
        .seq = seq,
        .version = seq,
        .from = {0, k, known->next_offset[0]},
        .arrival_us = NOON,
        .occurred_at_us = NOON - 5,
        .revision = 1,
        .engine = 1,
        .kind = 1,
        .applied = 1,
        .subject = LOY_STR("order-1"),
        .entries = batch->entries,
        .entry_count = 2,
        .event = LOY_STR("event bytes"),
        .trace = LOY_STR("trace bytes"),
    };
    struct loy_str member_state = LOY_STR("state bytes");
    batch->member = (struct loy_member_write){
        .row = {k, n, loy_str(id), seq, seq, key_of((uint64_t)seq), member_state},
        .is_new = !before,
        .wallet_count = 2,
        .available = {100 * seq, -5},
        .pending = {1, 2},
        .reserved = {3, 4},
    };
    if (before) {
        batch->member.old_seq = before->seq;
        batch->member.old_digest = before->digest;
    }
    batch->due = (struct loy_due_write){k, n, NOON + 1000, !before};
    batch->outbox = (struct loy_outbox_row){k, batch->partition.new_outbox_seq, LOY_STR("messages")};
    batch->commit = (struct loy_store_commit){.revision = 1, .newest_moment_us = NOON};
    batch->commit.partitions = &batch->partition;
    batch->commit.partition_count = 1;
    batch->commit.journal = &batch->journal;
    batch->commit.journal_count = 1;
    batch->commit.members = &batch->member;
    batch->commit.member_count = 1;
    batch->commit.due = &batch->due;
    batch->commit.due_count = 1;
    batch->commit.outbox = &batch->outbox;
    batch->commit.outbox_count = 1;
}

static struct loy_store_result commit(struct client *client, const struct loy_store_commit *commit)
{
    struct loy_store_request request = {.kind = LOY_STORE_COMMIT, .commit = *commit};
    return run(client, &request);
}

/* Commits, and remembers the partition as it stands then. */
static void commit_done(struct client *client, const struct batch *batch)
{
    must_be(commit(client, &batch->commit), LOY_STORE_DONE, LOY_GUARD_NONE);
    const struct loy_partition_write *write = &batch->partition;
    struct loy_partition *known = &client->partitions[write->k];
    memcpy(known->next_offset, write->new_next_offset, sizeof known->next_offset);
    known->outbox_seq = write->new_outbox_seq;
    known->next_n = write->new_next_n;
}

static struct loy_member_row row_of(const struct batch *batch)
{
    return batch->member.row;
}

/* --- acquire
 * ------------------------------------------------------------------------------------------------------------ */

static void acquire_raises_epoch_and_attempts(void **state)
{
    struct client client = start(state);
    const int32_t ks[] = {1, 2, 5};
    acquire(&client, ks, 3);
    for (int i = 0; i < 3; i++) {
        const struct loy_partition *partition = &client.partitions[ks[i]];
        assert_int_equal(partition->epoch, 1);
        assert_int_equal(partition->attempts, 1);
        assert_int_equal(partition->next_offset[0], 0);
        assert_int_equal(partition->outbox_seq, 0);
        assert_int_equal(partition->next_n, 1);
    }
    acquire_one(&client, 2);
    assert_int_equal(client.partitions[2].epoch, 2);
    assert_int_equal(client.partitions[2].attempts, 2);
    end(&client);
}

static void attempts_start_again_when_an_offset_moved(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 3);
    acquire_one(&client, 3);
    struct batch batch;
    make_batch(&batch, &client, 3, "m", NULL);
    commit_done(&client, &batch);
    acquire_one(&client, 3);
    assert_int_equal(client.partitions[3].attempts, 1);

    /* A commit that only trims moves no offset. */
    struct loy_partition_write write = write_of(&client.partitions[3]);
    write.trim_through = 1;
    struct loy_store_commit trim = {.partitions = &write, .partition_count = 1};
    must_be(commit(&client, &trim), LOY_STORE_DONE, LOY_GUARD_NONE);
    acquire_one(&client, 3);
    assert_int_equal(client.partitions[3].attempts, 2);
    end(&client);
}

/* --- mark
 * --------------------------------------------------------------------------------------------------------------- */

static struct loy_store_result mark(struct client *client, int64_t epoch, int32_t alone, int32_t topic, int64_t offset)
{
    struct loy_store_request request = {.kind = LOY_STORE_MARK, .mark = {3, epoch, alone, topic, offset}};
    return run(client, &request);
}

static void expect_alone(const struct client *client, int32_t alone, int32_t topic, int64_t offset)
{
    const struct loy_partition *known = &client->partitions[3];
    assert_int_equal(known->alone, alone);
    if (alone != 0) {
        assert_int_equal(known->alone_topic, topic);
        assert_int_equal(known->alone_offset, offset);
    }
}

static void a_release_takes_its_own_attempt_back(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 3);
    acquire_one(&client, 3);
    assert_int_equal(client.partitions[3].attempts, 2);
    const int32_t ks[] = {3};
    int64_t epoch = client.partitions[3].epoch;
    for (int64_t back = 1; back >= 0; back--) { /* of an epoch that is over: nothing; of its own: one less */
        int64_t epochs[] = {epoch - back};
        struct loy_store_request request = {.kind = LOY_STORE_RELEASE, .release = {ks, epochs, 1}};
        must_be(run(&client, &request), LOY_STORE_DONE, LOY_GUARD_NONE);
    }
    acquire_one(&client, 3);
    assert_int_equal(client.partitions[3].attempts, 2);
    end(&client);
}

static void a_mark_stands_until_its_record_is_done(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 3);
    expect_alone(&client, 0, 0, 0);
    for (int32_t workers = 1; workers <= 3; workers++) {
        must_be(mark(&client, client.partitions[3].epoch, workers, 2, 1), LOY_STORE_DONE, LOY_GUARD_NONE);
        acquire_one(&client, 3);
        expect_alone(&client, workers, 2, 1);
    }

    struct batch batch; /* moves topic 0 */
    make_batch(&batch, &client, 3, "m", NULL);
    commit_done(&client, &batch);
    acquire_one(&client, 3);
    expect_alone(&client, 3, 2, 1);

    for (int before = 1; before >= 0; before--) { /* the record before it, then itself */
        struct loy_partition_write write = write_of(&client.partitions[3]);
        write.new_next_offset[2]++;
        write.add_totals[2][LOY_OUTCOME_IGNORED] = 1;
        struct loy_store_commit move = {.partitions = &write, .partition_count = 1};
        must_be(commit(&client, &move), LOY_STORE_DONE, LOY_GUARD_NONE);
        acquire_one(&client, 3);
        expect_alone(&client, before ? 3 : 0, 2, 1);
    }
    end(&client);
}

static void a_mark_is_fenced_and_may_be_repeated(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 3);
    int64_t old_epoch = client.partitions[3].epoch;
    acquire_one(&client, 3);
    must_be(mark(&client, old_epoch, 1, 0, 0), LOY_STORE_GUARD, LOY_GUARD_PARTITION);
    must_be(mark(&client, old_epoch + 1, 1, 1, 7), LOY_STORE_DONE, LOY_GUARD_NONE);
    must_be(mark(&client, old_epoch + 1, 1, 1, 7), LOY_STORE_DONE, LOY_GUARD_NONE);
    acquire_one(&client, 3);
    expect_alone(&client, 1, 1, 7);
    end(&client);
}

/* --- what a commit writes
 * ------------------------------------------------------------------------------------------------- */

static void a_commit_is_read_back(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 1);
    struct batch batch;
    make_batch(&batch, &client, 1, "anna", NULL);
    batch.partition.new_next_offset[2] = 40;
    batch.partition.add_totals[2][LOY_OUTCOME_GAP] = 40;
    commit_done(&client, &batch);

    struct loy_store_result result = acquire_one(&client, 1);
    assert_int_equal(result.partitions[0].epoch, 2);
    assert_int_equal(result.partitions[0].next_offset[0], 1);
    assert_int_equal(result.partitions[0].next_offset[1], 0);
    assert_int_equal(result.partitions[0].next_offset[2], 40);
    assert_int_equal(result.partitions[0].totals[0][LOY_OUTCOME_APPLIED], 1);
    assert_int_equal(result.partitions[0].totals[0][LOY_OUTCOME_GAP], 0);
    assert_int_equal(result.partitions[0].totals[2][LOY_OUTCOME_GAP], 40);
    assert_int_equal(result.partitions[0].outbox_seq, 1);
    assert_int_equal(result.partitions[0].next_n, 2);
    assert_int_equal(result.outbox_count, 1);
    assert_int_equal(result.outbox[0].k, 1);
    assert_int_equal(result.outbox[0].seq, 1);
    assert_true(loy_str_equal(result.outbox[0].payload, LOY_STR("messages")));

    result = load_one(&client, "anna");
    assert_int_equal(result.member_count, 1);
    const struct loy_member_row *member = &result.members[0];
    assert_int_equal(member->k, 1);
    assert_int_equal(member->n, 1);
    assert_int_equal(member->seq, 1);
    assert_int_equal(member->version, 1);
    assert_true(loy_str_equal(member->member_id, LOY_STR("anna")));
    assert_true(loy_str_equal(member->state, LOY_STR("state bytes")));
    assert_memory_equal(member->digest.bytes, batch.member.row.digest.bytes, 16);

    result = find_one(&client, batch.journal.key);
    assert_int_equal(result.found_count, 1);
    assert_memory_equal(&result.found[0].key, &batch.journal.key, sizeof batch.journal.key);
    assert_true(loy_str_equal(result.found[0].event, LOY_STR("event bytes")));

    result = scan_due(&client, NOON + 1000, 10);
    assert_int_equal(result.due_count, 1);
    assert_int_equal(result.due[0].at_us, NOON + 1000);
    assert_true(loy_str_equal(result.due[0].member_id, LOY_STR("anna")));
    end(&client);
}

static void members_go_on_from_commit_to_commit(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 1);
    struct batch batch;
    make_batch(&batch, &client, 1, "anna", NULL);
    commit_done(&client, &batch);
    for (int i = 0; i < 5; i++) {
        struct loy_member_row before = row_of(&batch);
        make_batch(&batch, &client, 1, "anna", &before);
        commit_done(&client, &batch);
    }
    struct loy_store_result result = load_one(&client, "anna");
    assert_int_equal(result.members[0].seq, 6);
    assert_int_equal(result.members[0].n, 1);
    result = acquire_one(&client, 1);
    assert_int_equal(result.partitions[0].totals[0][LOY_OUTCOME_APPLIED], 6);
    assert_int_equal(result.partitions[0].next_n, 2);
    assert_int_equal(result.outbox_count, 6);
    end(&client);
}

static void a_batch_without_effect_moves_the_offsets(void **state)
{
    struct client client = start(state);
    const int32_t ks[] = {0, 7};
    acquire(&client, ks, 2);
    struct loy_partition_write writes[2] = {write_of(&client.partitions[0]), write_of(&client.partitions[7])};
    writes[0].new_next_offset[1] = 5;
    writes[0].add_totals[1][LOY_OUTCOME_IGNORED] = 5;
    writes[1].new_next_offset[0] = 2;
    writes[1].add_totals[0][LOY_OUTCOME_REJECTED] = 1;
    writes[1].add_totals[0][LOY_OUTCOME_FORWARDED] = 1;
    struct loy_store_commit only = {.revision = 1, .newest_moment_us = NOON, .partitions = writes};
    only.partition_count = 2;
    must_be(commit(&client, &only), LOY_STORE_DONE, LOY_GUARD_NONE);
    acquire(&client, ks, 2);
    assert_int_equal(client.partitions[0].next_offset[1], 5);
    assert_int_equal(client.partitions[0].totals[1][LOY_OUTCOME_IGNORED], 5);
    assert_int_equal(client.partitions[7].totals[0][LOY_OUTCOME_REJECTED], 1);
    assert_int_equal(client.partitions[7].totals[0][LOY_OUTCOME_FORWARDED], 1);
    end(&client);
}

static void acknowledged_outbox_rows_are_trimmed(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 1);
    struct batch batch;
    make_batch(&batch, &client, 1, "anna", NULL);
    commit_done(&client, &batch);
    for (int i = 0; i < 3; i++) {
        struct loy_member_row before = row_of(&batch);
        make_batch(&batch, &client, 1, "anna", &before);
        batch.partition.trim_through = i == 2 ? 2 : 0;
        commit_done(&client, &batch);
    }
    struct loy_store_result result = acquire_one(&client, 1);
    assert_int_equal(result.outbox_count, 2);
    assert_int_equal(result.outbox[0].seq, 3);
    assert_int_equal(result.outbox[1].seq, 4);
    end(&client);
}

static void due_rows_are_moved_and_removed(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 1);
    struct batch batch;
    make_batch(&batch, &client, 1, "late", NULL);
    batch.due.at_us = NOON + 300;
    commit_done(&client, &batch);
    make_batch(&batch, &client, 1, "early", NULL);
    batch.due.at_us = NOON + 100;
    commit_done(&client, &batch);
    struct loy_member_row early = row_of(&batch);
    make_batch(&batch, &client, 1, "never", NULL);
    batch.due.at_us = INT64_MAX;
    commit_done(&client, &batch);

    struct loy_store_result result = scan_due(&client, NOON + 300, 10);
    assert_int_equal(result.due_count, 2);
    assert_true(loy_str_equal(result.due[0].member_id, LOY_STR("early")));
    assert_true(loy_str_equal(result.due[1].member_id, LOY_STR("late")));
    assert_int_equal(scan_due(&client, NOON + 300, 1).due_count, 1);
    assert_int_equal(scan_due(&client, NOON + 299, 10).due_count, 1);

    make_batch(&batch, &client, 1, "early", &early);
    batch.due.at_us = INT64_MAX;
    commit_done(&client, &batch);
    result = scan_due(&client, NOON + 300, 10);
    assert_int_equal(result.due_count, 1);
    assert_true(loy_str_equal(result.due[0].member_id, LOY_STR("late")));
    end(&client);
}

static void a_due_row_is_not_new_twice(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 1);
    struct batch batch;
    make_batch(&batch, &client, 1, "anna", NULL);
    commit_done(&client, &batch);
    struct loy_member_row anna = row_of(&batch);
    make_batch(&batch, &client, 1, "anna", &anna);
    batch.due.at_us = NOON + 2000;
    batch.due.is_new = true;
    must_be(commit(&client, &batch.commit), LOY_STORE_POISON, LOY_GUARD_NONE);
    assert_int_equal(scan_due(&client, NOON + 1000, 10).due_count, 1);
    batch.due.is_new = false;
    commit_done(&client, &batch);
    assert_int_equal(scan_due(&client, NOON + 1000, 10).due_count, 0);
    assert_int_equal(scan_due(&client, NOON + 2000, 10).due_count, 1);
    end(&client);
}

/* --- guards
 * -------------------------------------------------------------------------------------------------------------- */

/* Everything as it was before `batch` was refused. */
static void nothing_was_written(struct client *client, const struct batch *batch, const char *id, bool member_exists)
{
    int32_t k = batch->partition.k;
    struct loy_partition known = client->partitions[k];
    struct loy_store_result result = acquire_one(client, k);
    assert_memory_equal(result.partitions[0].next_offset, known.next_offset, sizeof known.next_offset);
    int64_t totals = 0;
    for (int topic = 0; topic < CONTRACT_TOPICS; topic++) {
        for (int outcome = 0; outcome < LOY_OUTCOME_COUNT; outcome++) {
            totals += result.partitions[0].totals[topic][outcome];
        }
    }
    assert_int_equal(totals, known.next_offset[0]);
    assert_int_equal(result.partitions[0].outbox_seq, known.outbox_seq);
    assert_int_equal(result.partitions[0].next_n, known.next_n);
    assert_int_equal(result.outbox_count, known.outbox_seq);
    result = load_one(client, id);
    assert_int_equal(result.member_count, member_exists);
    if (member_exists) {
        assert_int_equal(result.members[0].seq, 1);
    }
    assert_int_equal(scan_due(client, INT64_C(4000000000000000), 100).due_count, member_exists);
}

/* A client that has committed one event of anna in partition 1 (n 1), and the next batch of hers. */
static struct client one_event(void **state, struct batch *ret_next)
{
    struct client client = start(state);
    acquire_one(&client, 1);
    struct batch first;
    make_batch(&first, &client, 1, "anna", NULL);
    commit_done(&client, &first);
    struct loy_member_row before = row_of(&first);
    make_batch(ret_next, &client, 1, "anna", &before);
    return client;
}

static void the_partition_guard(void **state)
{
    for (int bent = 0; bent < 5; bent++) {
        struct batch batch;
        struct client client = one_event(state, &batch);
        batch.partition.epoch += bent == 0 ? 1 : bent == 1 ? -1 : 0;
        batch.partition.old_next_offset[1] += bent == 2 ? 1 : 0;
        batch.partition.old_outbox_seq -= bent == 3 ? 1 : 0;
        batch.partition.old_next_n += bent == 4 ? 1 : 0;
        struct loy_store_result result = commit(&client, &batch.commit);
        must_be(result, LOY_STORE_GUARD, LOY_GUARD_PARTITION);
        assert_false(result.commit_unknown);
        nothing_was_written(&client, &batch, "anna", true);
        assert_int_equal(find_one(&client, batch.journal.key).found_count, 0);
        end(&client);
    }
}

static void one_wrong_partition_of_several_stops_all(void **state)
{
    struct client client = start(state);
    const int32_t ks[] = {1, 2, 3};
    acquire(&client, ks, 3);
    struct loy_partition_write writes[3];
    for (int i = 0; i < 3; i++) {
        writes[i] = write_of(&client.partitions[ks[i]]);
        writes[i].new_next_offset[0] = 1;
        writes[i].add_totals[0][LOY_OUTCOME_IGNORED] = 1;
    }
    writes[2].epoch = 0;
    struct loy_store_commit three = {.revision = 1, .newest_moment_us = NOON, .partitions = writes};
    three.partition_count = 3;
    must_be(commit(&client, &three), LOY_STORE_GUARD, LOY_GUARD_PARTITION);
    acquire(&client, ks, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(client.partitions[ks[i]].next_offset[0], 0);
        assert_int_equal(client.partitions[ks[i]].totals[0][LOY_OUTCOME_IGNORED], 0);
    }
    end(&client);
}

static void the_revision_guard(void **state)
{
    struct batch batch;
    struct client client = one_event(state, &batch);
    client.maker->add_revision(client.maker->self, 2, NOON);
    batch.commit.newest_moment_us = NOON;
    must_be(commit(&client, &batch.commit), LOY_STORE_GUARD, LOY_GUARD_REVISION);
    nothing_was_written(&client, &batch, "anna", true);

    /* One that is not yet in force at the newest moment is none of this batch's business. */
    batch.partition.epoch = client.partitions[1].epoch;
    batch.commit.newest_moment_us = NOON - 1;
    commit_done(&client, &batch);
    end(&client);
}

static void the_journal_guard_across_batches(void **state)
{
    struct batch batch;
    struct client client = one_event(state, &batch);
    batch.journal.key.event_key = key_of(0);
    must_be(commit(&client, &batch.commit), LOY_STORE_GUARD, LOY_GUARD_JOURNAL);
    nothing_was_written(&client, &batch, "anna", true);
    struct loy_store_result result = find_one(&client, batch.journal.key);
    assert_int_equal(result.found_count, 1);
    assert_true(loy_str_equal(result.found[0].event, LOY_STR("event bytes")));
    end(&client);
}

static void the_journal_guard_within_a_batch(void **state)
{
    struct batch batch;
    struct client client = one_event(state, &batch);
    struct loy_journal_row twice[2] = {batch.journal, batch.journal};
    twice[1].seq++;
    batch.commit.journal = twice;
    batch.commit.journal_count = 2;
    must_be(commit(&client, &batch.commit), LOY_STORE_GUARD, LOY_GUARD_JOURNAL);
    nothing_was_written(&client, &batch, "anna", true);
    end(&client);
}

static void the_member_guard(void **state)
{
    for (int bent = 0; bent < 3; bent++) {
        struct batch batch;
        struct client client = one_event(state, &batch);
        batch.member.old_seq += bent == 0 ? 1 : 0;
        batch.member.old_digest.bytes[15] ^= bent == 1 ? 1 : 0;
        batch.member.row.n += bent == 2 ? 50 : 0;
        must_be(commit(&client, &batch.commit), LOY_STORE_GUARD, LOY_GUARD_MEMBER);
        nothing_was_written(&client, &batch, "anna", true);
        end(&client);
    }
}

static void a_member_enrolled_meanwhile(void **state)
{
    struct batch batch;
    struct client client = one_event(state, &batch);
    make_batch(&batch, &client, 1, "anna", NULL);
    must_be(commit(&client, &batch.commit), LOY_STORE_GUARD, LOY_GUARD_MEMBER);
    nothing_was_written(&client, &batch, "anna", true);
    end(&client);
}

static void the_guard_of_what_was_only_read(void **state)
{
    for (int bent = 0; bent < 4; bent++) {
        struct batch batch;
        struct client client = one_event(state, &batch);
        struct loy_member_read read = {1, 1, 1, batch.member.old_digest};
        read.seq += bent == 1 ? 1 : 0;
        read.digest.bytes[0] ^= bent == 2 ? 1 : 0;
        read.n += bent == 3 ? 50 : 0;
        make_batch(&batch, &client, 1, "boris", NULL);
        batch.commit.reads = &read;
        batch.commit.read_count = 1;
        if (bent == 0) {
            commit_done(&client, &batch);
        } else {
            must_be(commit(&client, &batch.commit), LOY_STORE_GUARD, LOY_GUARD_MEMBER);
            assert_int_equal(load_one(&client, "boris").member_count, 0);
            nothing_was_written(&client, &batch, "anna", true);
        }
        end(&client);
    }
}

static void a_guard_leaves_the_store_usable(void **state)
{
    struct batch batch;
    struct client client = one_event(state, &batch);
    for (int i = 0; i < 3; i++) {
        struct batch bad = batch;
        bad.commit.partitions = &bad.partition;
        bad.partition.epoch = 99;
        must_be(commit(&client, &bad.commit), LOY_STORE_GUARD, LOY_GUARD_PARTITION);
    }
    commit_done(&client, &batch);
    assert_int_equal(load_one(&client, "anna").members[0].seq, 2);
    end(&client);
}

/* --- several clients
 * -------------------------------------------------------------------------------------------------------- */

static void of_two_owners_the_newer_works(void **state)
{
    struct batch old_batch;
    struct client old = one_event(state, &old_batch);
    struct client new = another(&old);
    acquire_one(&new, 1);
    must_be(commit(&old, &old_batch.commit), LOY_STORE_GUARD, LOY_GUARD_PARTITION);

    struct batch batch;
    struct loy_member_row before = load_one(&new, "anna").members[0];
    make_batch(&batch, &new, 1, "anna", &before);
    commit_done(&new, &batch);
    must_be(commit(&old, &old_batch.commit), LOY_STORE_GUARD, LOY_GUARD_PARTITION);
    assert_int_equal(load_one(&new, "anna").members[0].seq, 2);
    end(&old);
    end(&new);
}

/* While the owner commits, the other one takes the partition over; then they change places. Whatever the order in which
 * the server sees them, no event is lost and none is doubled. */
static void two_owners_race(void **state)
{
    struct client clients[2] = {start(state)};
    clients[1] = another(&clients[0]);
    acquire_one(&clients[0], 4);
    struct batch batch;
    make_batch(&batch, &clients[0], 4, "anna", NULL);
    commit_done(&clients[0], &batch);
    int64_t done = 1;
    for (int round = 0; round < 40; round++) {
        struct client *owner = &clients[round % 2];
        struct client *other = &clients[(round + 1) % 2];
        acquire_one(owner, 4);
        struct loy_member_row before = load_one(owner, "anna").members[0];
        make_batch(&batch, owner, 4, "anna", &before);
        const int32_t k = 4;
        struct loy_store_request take = {.kind = LOY_STORE_ACQUIRE, .acquire = {&k, 1, LOY_STR("other")}};
        assert_int_equal(other->store.submit(other->store.self, &take), LOY_OK);
        struct loy_store_result result = commit(owner, &batch.commit);
        if (result.status == LOY_STORE_DONE) {
            done++;
        } else {
            must_be(result, LOY_STORE_GUARD, LOY_GUARD_PARTITION);
        }
        struct loy_store_result taken = wait_for(other);
        must_be(taken, LOY_STORE_DONE, LOY_GUARD_NONE);
    }
    struct loy_store_result result = load_one(&clients[0], "anna");
    assert_int_equal(result.members[0].seq, done);
    result = acquire_one(&clients[0], 4);
    assert_int_equal(result.partitions[0].next_offset[0], done);
    assert_int_equal(result.partitions[0].totals[0][LOY_OUTCOME_APPLIED], done);
    assert_int_equal(result.partitions[0].epoch, 82);
    end(&clients[0]);
    end(&clients[1]);
}

static void a_stalled_client_is_ended_by_acquire(void **state)
{
    const struct loy_store_maker *maker = *state;
    if (!maker->stall) {
        skip();
    }
    struct batch batch;
    struct client client = one_event(state, &batch);
    void *stalled = maker->stall(maker->self, 1);
    acquire_one(&client, 1);
    batch.partition.epoch = client.partitions[1].epoch;
    commit_done(&client, &batch);
    assert_true(maker->has_ended(maker->self, stalled));
    end(&client);
}

/* --- outages
 * ------------------------------------------------------------------------------------------------------------------ */

static void a_lost_reply_is_unknown_until_acquired(void **state)
{
    const struct loy_store_maker *maker = *state;
    if (!maker->lose_replies) {
        skip();
    }
    struct batch batch;
    struct client client = one_event(state, &batch);
    maker->lose_replies(maker->self, true);
    struct loy_store_result result = commit(&client, &batch.commit);
    maker->lose_replies(maker->self, false);
    must_be(result, LOY_STORE_OUTAGE, LOY_GUARD_NONE);
    assert_true(result.commit_unknown);
    acquire_one(&client, 1);
    if (client.partitions[1].next_offset[0] == 1) {
        batch.partition.epoch = client.partitions[1].epoch;
        commit_done(&client, &batch);
    }
    assert_int_equal(load_one(&client, "anna").members[0].seq, 2);
    result = acquire_one(&client, 1);
    assert_int_equal(result.partitions[0].next_offset[0], 2);
    assert_int_equal(result.partitions[0].totals[0][LOY_OUTCOME_APPLIED], 2);
    assert_int_equal(result.outbox_count, 2);
    end(&client);
}

static void an_outage_is_a_result_and_heals(void **state)
{
    const struct loy_store_maker *maker = *state;
    if (!maker->take_away) {
        skip();
    }
    struct batch batch;
    struct client client = one_event(state, &batch);
    maker->take_away(maker->self, true);
    struct loy_store_result result = commit(&client, &batch.commit);
    must_be(result, LOY_STORE_OUTAGE, LOY_GUARD_NONE);
    for (int i = 0; i < 3; i++) {
        struct loy_str id = LOY_STR("anna");
        result = load_ids(&client, &id, 1);
        must_be(result, LOY_STORE_OUTAGE, LOY_GUARD_NONE);
        assert_false(result.commit_unknown);
    }
    maker->take_away(maker->self, false);
    acquire_one(&client, 1);
    assert_int_equal(client.partitions[1].next_offset[0], 1);
    batch.partition.epoch = client.partitions[1].epoch;
    commit_done(&client, &batch);
    end(&client);
}

/* A network that swallows everything and says nothing must not hang a worker. */
static void silence_ends_in_an_outage(void **state)
{
    const struct loy_store_maker *maker = *state;
    if (!maker->swallow) {
        skip();
    }
    struct batch batch;
    struct client client = one_event(state, &batch);
    maker->swallow(maker->self, true);
    struct loy_store_result result = commit(&client, &batch.commit);
    must_be(result, LOY_STORE_OUTAGE, LOY_GUARD_NONE);
    assert_true(result.commit_unknown);
    maker->swallow(maker->self, false);
    acquire_one(&client, 1);
    assert_true(client.partitions[1].next_offset[0] == 1 || client.partitions[1].next_offset[0] == 2);
    end(&client);
}

/* --- sizes and bytes
 * ------------------------------------------------------------------------------------------------------------ */

enum { LARGE = 4000 };

static void a_batch_of_4000_rows(void **state)
{
    struct client client = start(state);
    const int32_t ks[] = {0, 1, 2, 3};
    acquire(&client, ks, 4);
    struct loy_journal_row *journal = calloc(LARGE, sizeof *journal);
    struct loy_member_write *members = calloc(LARGE, sizeof *members);
    struct loy_due_write *due = calloc(LARGE, sizeof *due);
    char(*ids)[16] = calloc(LARGE, sizeof *ids);
    struct loy_journal_entry entry = {1, 0, 1, 1, 1, 0};
    for (int round = 0; round < 2; round++) {
        struct loy_partition_write writes[4];
        for (int i = 0; i < 4; i++) {
            writes[i] = write_of(&client.partitions[ks[i]]);
            writes[i].new_next_offset[0] += LARGE / 4;
            writes[i].add_totals[0][LOY_OUTCOME_APPLIED] = LARGE / 4;
            writes[i].new_next_n = 1 + LARGE / 4;
        }
        for (int i = 0; i < LARGE; i++) {
            int at = LARGE - 1 - i; /* the wrong way round: the adapter sorts */
            int32_t n = 1 + i / 4;
            journal[at] = (struct loy_journal_row){.key = {i % 4, n, key_of((uint64_t)(i + round * LARGE))}};
            journal[at].seq = journal[at].version = round + 1;
            journal[at].arrival_us = journal[at].occurred_at_us = NOON;
            journal[at].event = LOY_STR("event");
            journal[at].entries = &entry;
            journal[at].entry_count = 1;
            (void)snprintf(ids[i], sizeof *ids, "member-%d", i);
            members[at] = (struct loy_member_write){.is_new = round == 0, .wallet_count = 1};
            members[at].row = (struct loy_member_row){i % 4, n, loy_str(ids[i]), round + 1, round + 1, key_of(0), {0}};
            members[at].old_seq = round;
            members[at].old_digest = key_of(0);
            due[at] = (struct loy_due_write){i % 4, n, NOON + i, round == 0};
        }
        struct loy_store_commit large = {.revision = 1, .newest_moment_us = NOON};
        large.partitions = writes;
        large.partition_count = 4;
        large.journal = journal;
        large.members = members;
        large.due = due;
        large.journal_count = large.member_count = large.due_count = LARGE;
        must_be(commit(&client, &large), LOY_STORE_DONE, LOY_GUARD_NONE);
        acquire(&client, ks, 4);
    }
    struct loy_str *keys = calloc(LARGE, sizeof *keys);
    for (int i = 0; i < LARGE; i++) {
        keys[i] = loy_str(ids[i]);
    }
    struct loy_store_result result = load_ids(&client, keys, LARGE);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(result.member_count, LARGE);
    for (int i = 0; i < LARGE; i++) {
        assert_int_equal(result.members[i].seq, 2);
    }
    assert_int_equal(client.partitions[3].next_offset[0], LARGE / 2);
    assert_int_equal(scan_due(&client, NOON + LARGE, LARGE).due_count, LARGE);
    free(journal);
    free(members);
    free(due);
    free(ids);
    free(keys);
    end(&client);
}

static void every_byte_comes_back(void **state)
{
    static const char *const ids[] = {
        "'; DROP TABLE member; --",
        "a\\b\"c{d},e",
        "\x01\x02\x7f",
        "%s%n",
        "наталья",
        "\xf0\x9f\x98\x80",
        "NULL",
        " ",
        "tab\tline\n",
        "{}",
        "e\xcc\x81",
        "\xc3\xa9",
    };
    char bytes[512];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)i;
    }
    struct loy_str all = {bytes, sizeof bytes};
    struct client client = start(state);
    acquire_one(&client, 1);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct batch batch;
        make_batch(&batch, &client, 1, ids[i], NULL);
        batch.journal.subject = loy_str(ids[i]);
        batch.journal.event = batch.journal.trace = batch.member.row.state = batch.outbox.payload = all;
        commit_done(&client, &batch);
        struct loy_store_result result = load_one(&client, ids[i]);
        assert_int_equal(result.member_count, 1);
        assert_true(loy_str_equal(result.members[0].member_id, loy_str(ids[i])));
        assert_true(loy_str_equal(result.members[0].state, all));
        result = find_one(&client, batch.journal.key);
        assert_true(loy_str_equal(result.found[0].event, all));
    }
    struct loy_store_result result = acquire_one(&client, 1);
    assert_int_equal(result.outbox_count, sizeof ids / sizeof *ids);
    assert_true(loy_str_equal(result.outbox[0].payload, all));
    end(&client);
}

static void numbers_at_their_ends(void **state)
{
    struct client client = start(state);
    acquire_one(&client, 1);
    struct batch batch;
    make_batch(&batch, &client, 1, "anna", NULL);
    batch.entries[0] = (struct loy_journal_entry){INT16_MAX, INT16_MIN, INT64_MIN, INT32_MIN, INT32_MAX, -1};
    batch.entries[1] = (struct loy_journal_entry){-1, 0, INT64_MAX, 0, 0, 0};
    batch.member.available[0] = INT64_MIN;
    batch.member.pending[0] = INT64_MAX;
    batch.journal.version = batch.member.row.version = INT64_MAX;
    batch.journal.arrival_us = 0;
    batch.journal.occurred_at_us = -1;
    batch.due.at_us = 0;
    commit_done(&client, &batch);
    struct loy_store_result result = load_one(&client, "anna");
    assert_int_equal(result.members[0].version, INT64_MAX);
    result = scan_due(&client, 0, 1);
    assert_int_equal(result.due_count, 1);
    assert_int_equal(result.due[0].at_us, 0);
    end(&client);
}

static void bad_text_is_poison(void **state)
{
    const struct loy_store_maker *maker = *state;
    if (!maker->refuses_bad_text) {
        skip();
    }
    static const struct loy_str bad[] = {{"a\0b", 3}, {"\xff", 1}, {"\xed\xa0\x80", 3}, {"\xc0\x80", 2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (int where = 0; where < 2; where++) {
            struct batch batch;
            struct client client = one_event(state, &batch);
            make_batch(&batch, &client, 1, "boris", NULL);
            batch.member.row.member_id = where == 0 ? bad[i] : batch.member.row.member_id;
            batch.journal.subject = where == 1 ? bad[i] : batch.journal.subject;
            must_be(commit(&client, &batch.commit), LOY_STORE_POISON, LOY_GUARD_NONE);
            nothing_was_written(&client, &batch, "anna", true);
            end(&client);
        }
    }
}

static void empty_questions_have_empty_answers(void **state)
{
    struct client client = start(state);
    struct loy_store_result result = load_ids(&client, NULL, 0);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(result.member_count, 0);
    assert_int_equal(load_one(&client, "nobody").member_count, 0);
    assert_int_equal(scan_due(&client, NOON, 10).due_count, 0);
    struct loy_store_request request = {.kind = LOY_STORE_FIND};
    result = run(&client, &request);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_int_equal(result.found_count, 0);
    end(&client);
}

static void one_request_at_a_time(void **state)
{
    struct client client = start(state);
    struct loy_store_request request = {.kind = LOY_STORE_DUE, .due = {NOON, 1}};
    assert_int_equal(client.store.submit(client.store.self, &request), LOY_OK);
    assert_int_equal(client.store.submit(client.store.self, &request), LOY_ERR_AGAIN);
    struct loy_store_result result = wait_for(&client);
    must_be(result, LOY_STORE_DONE, LOY_GUARD_NONE);
    assert_false(client.store.poll(client.store.self, &result));
    assert_int_equal(scan_due(&client, NOON, 1).due_count, 0);
    end(&client);
}

int contract_store_run(const struct loy_store_maker *maker)
{
    const struct loy_store_maker copy = *maker;
    void *state = (void *)(uintptr_t)&copy;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(acquire_raises_epoch_and_attempts, state),
        cmocka_unit_test_prestate(attempts_start_again_when_an_offset_moved, state),
        cmocka_unit_test_prestate(a_release_takes_its_own_attempt_back, state),
        cmocka_unit_test_prestate(a_mark_stands_until_its_record_is_done, state),
        cmocka_unit_test_prestate(a_mark_is_fenced_and_may_be_repeated, state),
        cmocka_unit_test_prestate(a_commit_is_read_back, state),
        cmocka_unit_test_prestate(members_go_on_from_commit_to_commit, state),
        cmocka_unit_test_prestate(a_batch_without_effect_moves_the_offsets, state),
        cmocka_unit_test_prestate(acknowledged_outbox_rows_are_trimmed, state),
        cmocka_unit_test_prestate(due_rows_are_moved_and_removed, state),
        cmocka_unit_test_prestate(a_due_row_is_not_new_twice, state),
        cmocka_unit_test_prestate(the_partition_guard, state),
        cmocka_unit_test_prestate(one_wrong_partition_of_several_stops_all, state),
        cmocka_unit_test_prestate(the_revision_guard, state),
        cmocka_unit_test_prestate(the_journal_guard_across_batches, state),
        cmocka_unit_test_prestate(the_journal_guard_within_a_batch, state),
        cmocka_unit_test_prestate(the_member_guard, state),
        cmocka_unit_test_prestate(a_member_enrolled_meanwhile, state),
        cmocka_unit_test_prestate(the_guard_of_what_was_only_read, state),
        cmocka_unit_test_prestate(a_guard_leaves_the_store_usable, state),
        cmocka_unit_test_prestate(of_two_owners_the_newer_works, state),
        cmocka_unit_test_prestate(two_owners_race, state),
        cmocka_unit_test_prestate(a_stalled_client_is_ended_by_acquire, state),
        cmocka_unit_test_prestate(a_lost_reply_is_unknown_until_acquired, state),
        cmocka_unit_test_prestate(an_outage_is_a_result_and_heals, state),
        cmocka_unit_test_prestate(silence_ends_in_an_outage, state),
        cmocka_unit_test_prestate(a_batch_of_4000_rows, state),
        cmocka_unit_test_prestate(every_byte_comes_back, state),
        cmocka_unit_test_prestate(numbers_at_their_ends, state),
        cmocka_unit_test_prestate(bad_text_is_poison, state),
        cmocka_unit_test_prestate(empty_questions_have_empty_answers, state),
        cmocka_unit_test_prestate(one_request_at_a_time, state),
    };
    return cmocka_run_group_tests_name("store contract", tests, NULL, NULL) + contract_counters_run(maker);
}
