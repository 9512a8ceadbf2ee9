/* Clients of the simulated server: when a request executes, when its reply comes, and what breaks between. */
#include "sim/fake_store.h"

#include <stdlib.h>

enum {
    LOCK_TIMEOUT_US = 1000000, /* of acquire, before it ends whoever holds a row */
    SLOW_US = 3000000,
    LATE_US = 15000000, /* a commit may reach the server this long after its client gave it up */
    STALL_US = 60000000,
    BLOCKED_AGAIN_US = 50000,
    SILENCE_US = 5000000,
    OUTLIVE_US = 40000000,
};

/* --- a request of our own, since its client may be gone when it executes --- */

static const void *copy_array(struct sim_pool *pool, const void *at, size_t count, size_t size)
{
    return sim_copy(pool, (struct loy_str){at, count * size}).at;
}

static void copy_commit(struct sim_pool *pool, struct loy_store_commit *c)
{
    c->partitions = copy_array(pool, c->partitions, c->partition_count, sizeof *c->partitions);
    c->reads = copy_array(pool, c->reads, c->read_count, sizeof *c->reads);
    c->due = copy_array(pool, c->due, c->due_count, sizeof *c->due);
    c->charges = copy_array(pool, c->charges, c->charge_count, sizeof *c->charges);
    struct loy_journal_row *journal = (void *)copy_array(pool, c->journal, c->journal_count, sizeof *c->journal);
    for (uint32_t i = 0; i < c->journal_count; i++) {
        journal[i].subject = sim_copy(pool, journal[i].subject);
        journal[i].event = sim_copy(pool, journal[i].event);
        journal[i].trace = sim_copy(pool, journal[i].trace);
        journal[i].entries = copy_array(pool, journal[i].entries, journal[i].entry_count, sizeof *journal[i].entries);
    }
    c->journal = journal;
    struct loy_member_write *members = (void *)copy_array(pool, c->members, c->member_count, sizeof *c->members);
    for (uint32_t i = 0; i < c->member_count; i++) {
        members[i].row.member_id = sim_copy(pool, members[i].row.member_id);
        members[i].row.state = sim_copy(pool, members[i].row.state);
    }
    c->members = members;
    struct loy_outbox_row *outbox = (void *)copy_array(pool, c->outbox, c->outbox_count, sizeof *c->outbox);
    for (uint32_t i = 0; i < c->outbox_count; i++) {
        outbox[i].payload = sim_copy(pool, outbox[i].payload);
    }
    c->outbox = outbox;
}

static void copy_request(struct fake_transaction *t, const struct loy_store_request *request)
{
    t->request = *request;
    struct sim_pool *pool = &t->pool;
    switch (request->kind) {
    case LOY_STORE_ACQUIRE:
        t->request.acquire.ks = copy_array(pool, request->acquire.ks, request->acquire.count, sizeof(int32_t));
        t->request.acquire.owner = sim_copy(pool, request->acquire.owner);
        break;
    case LOY_STORE_LOAD: {
        struct loy_account_key *keys = (void *)copy_array(pool, request->load.keys, request->load.count, sizeof *keys);
        for (uint32_t i = 0; i < request->load.count; i++) {
            keys[i].member_id = sim_copy(pool, keys[i].member_id);
        }
        t->request.load.keys = keys;
        t->request.load.counters =
            copy_array(pool, request->load.counters, request->load.counter_count, sizeof *request->load.counters);
        break;
    }
    case LOY_STORE_FIND:
        t->request.find.keys = copy_array(pool, request->find.keys, request->find.count, sizeof *request->find.keys);
        break;
    case LOY_STORE_COMMIT:
        copy_commit(pool, &t->request.commit);
        break;
    case LOY_STORE_RELEASE:
        t->request.release.ks = copy_array(pool, request->release.ks, request->release.count, sizeof(int32_t));
        t->request.release.epochs = copy_array(pool, request->release.epochs, request->release.count, sizeof(int64_t));
        break;
    case LOY_STORE_DUE:
    case LOY_STORE_MARK:
        break;
    }
}

/* --- the server --- */

void fake_db_init(struct fake_db *db, struct sim_world *world, uint16_t topic_count, int32_t partitions)
{
    *db = (struct fake_db){.world = world, .topic_count = topic_count, .partition_count = partitions};
    db->partitions = sim_alloc(&world->pool, (size_t)partitions * sizeof *db->partitions);
    for (int32_t k = 0; k < partitions; k++) {
        db->partitions[k].row.k = k;
        db->partitions[k].row.next_n = 1;
    }
    db->revisions[0] = (struct fake_revision){1, INT64_MIN};
    db->revision_count = 1;
}

void fake_db_publish(struct fake_db *db, int64_t from_us)
{
    if (db->revision_count == FAKE_REVISIONS_MAX) {
        abort();
    }
    db->revisions[db->revision_count] = (struct fake_revision){(int32_t)db->revision_count + 1, from_us};
    db->revision_count++;
}

static void scribble(const void *at, size_t count, size_t size)
{
    if (count > 0) {
        memset((void *)at, 0xdb, count * size);
    }
}

/* What a client reads after it was told not to, it reads as nonsense. */
static void scribble_result(const struct loy_store_result *result)
{
    for (uint32_t i = 0; i < result->member_count; i++) {
        scribble(result->members[i].state.at, result->members[i].state.len, 1);
    }
    scribble(result->members, result->member_count, sizeof *result->members);
    scribble(result->partitions, result->partition_count, sizeof *result->partitions);
    scribble(result->outbox, result->outbox_count, sizeof *result->outbox);
    scribble(result->counters, result->counter_count, sizeof *result->counters);
    scribble(result->found, result->found_count, sizeof *result->found);
}

void fake_transaction_free(struct fake_transaction *t)
{
    if (t) {
        scribble_result(&t->result);
        sim_pool_fini(&t->pool);
        free(t);
    }
}

static void unlink_transaction(struct fake_db *db, struct fake_transaction *t)
{
    struct fake_transaction **at = &db->transactions;
    while (*at && *at != t) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = t->next;
    }
}

void fake_db_fini(struct fake_db *db)
{
    while (db->transactions) {
        struct fake_transaction *t = db->transactions;
        db->transactions = t->next;
        fake_transaction_free(t);
    }
    free(db->journal);
    free(db->journal_known);
    free(db->members);
    sim_map_fini(&db->journal_keys);
    sim_map_fini(&db->member_ids);
    sim_map_fini(&db->member_numbers);
}

static bool is_among(int32_t k, const int32_t *ks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (ks[i] == k) {
            return true;
        }
    }
    return false;
}

static bool touches(const struct fake_transaction *t, int32_t k)
{
    if (t->request.kind == LOY_STORE_ACQUIRE) {
        return is_among(k, t->request.acquire.ks, t->request.acquire.count);
    }
    if (t->request.kind == LOY_STORE_RELEASE) {
        return is_among(k, t->request.release.ks, t->request.release.count);
    }
    if (t->request.kind == LOY_STORE_MARK) {
        return t->request.mark.k == k;
    }
    for (uint32_t i = 0; t->request.kind == LOY_STORE_COMMIT && i < t->request.commit.partition_count; i++) {
        if (t->request.commit.partitions[i].k == k) {
            return true;
        }
    }
    return false;
}

/* The first transaction that holds a row which t wants. */
static struct fake_transaction *holder_of(const struct fake_db *db, const struct fake_transaction *t)
{
    for (struct fake_transaction *other = db->transactions; other; other = other->next) {
        for (uint32_t i = 0; other != t && other->holds_locks && i < other->request.commit.partition_count; i++) {
            if (touches(t, other->request.commit.partitions[i].k)) {
                return other;
            }
        }
    }
    return NULL;
}

static void terminate(struct fake_transaction *t)
{
    sim_happened(t->db->world, SIM_TERMINATED);
    sim_say(t->db->world, t->name, "stalled transaction ended by an acquire");
    t->holds_locks = false;
    t->executed = true;
    t->reply_at_us = t->db->world->now_us;
    t->result = (struct loy_store_result){.status = LOY_STORE_OUTAGE, .commit_unknown = true};
    loy_error_set(&t->result.error, LOY_ERR_UNAVAILABLE, "simulated: terminated by an administrator");
}

/* True when t has to wait; an acquire has waited once only. */
static bool blocked(struct fake_transaction *t)
{
    struct fake_transaction *holder = holder_of(t->db, t);
    if (!holder) {
        return false;
    }
    if (t->request.kind != LOY_STORE_ACQUIRE) {
        t->execute_at_us = t->db->world->now_us + BLOCKED_AGAIN_US;
        return true;
    }
    if (!t->waited_for_lock) {
        t->waited_for_lock = true;
        t->execute_at_us = t->db->world->now_us + LOCK_TIMEOUT_US;
        return true;
    }
    for (; holder; holder = holder_of(t->db, t)) {
        terminate(holder);
    }
    return false;
}

static void run_one(struct fake_transaction *t)
{
    struct sim_world *world = t->db->world;
    if (t->stalled_until_us > 0 && !t->holds_locks && !t->db->down && !blocked(t)) {
        /* It has sent a part, and holds what that part locked. */
        t->holds_locks = true;
        t->execute_at_us = t->stalled_until_us;
        sim_happened(world, SIM_STALLED);
        sim_say(world, t->name, "stalls inside its transaction");
        return;
    }
    if (!t->db->down && !t->holds_locks && blocked(t)) {
        return;
    }
    t->holds_locks = false;
    fake_db_execute(t->db, t);
    t->reply_at_us = sim_soon(world);
}

void fake_db_run(struct fake_db *db)
{
    for (;;) {
        struct fake_transaction *next = NULL;
        for (struct fake_transaction *t = db->transactions; t; t = t->next) {
            if (!t->executed && t->execute_at_us <= db->world->now_us &&
                (!next || t->execute_at_us < next->execute_at_us)) {
                next = t;
            }
        }
        if (!next) {
            break;
        }
        run_one(next);
    }
    for (struct fake_transaction *t = db->transactions, *after; t; t = after) {
        after = t->next;
        if (t->executed && !t->owned) {
            unlink_transaction(db, t);
            fake_transaction_free(t);
        }
    }
}

int64_t fake_db_next_us(const struct fake_db *db)
{
    int64_t next = INT64_MAX;
    for (const struct fake_transaction *t = db->transactions; t; t = t->next) {
        int64_t at = t->executed ? t->reply_at_us : t->execute_at_us;
        next = at < next ? at : next;
    }
    return next;
}

/* --- the client --- */

void fake_store_init(struct fake_store *store, struct fake_db *db, const char *name)
{
    *store = (struct fake_store){.db = db, .name = name};
}

void fake_store_kill(struct fake_store *store)
{
    if (store->pending) {
        store->pending->owned = false;
        store->pending->client_died = !store->pending->executed;
        if (!store->pending->executed && sim_chance(store->db->world, store->db->world->faults.outlive)) {
            /* It sits in a buffer on the way, and comes when there may be an heir. */
            store->pending->execute_at_us += sim_between(store->db->world, 0, OUTLIVE_US);
        }
    }
    fake_transaction_free(store->answered);
    store->pending = NULL;
    store->answered = NULL;
}

void fake_store_fini(struct fake_store *store)
{
    if (store->pending) {
        unlink_transaction(store->db, store->pending);
        fake_transaction_free(store->pending);
        store->pending = NULL;
    }
    fake_store_kill(store);
}

void fake_store_stall(struct fake_store *store)
{
    if (store->pending && !store->pending->executed) {
        store->pending->stalled_until_us = INT64_MAX - 1;
        store->pending->execute_at_us = store->db->world->now_us;
        fake_db_run(store->db);
    }
}

/* The client learns that its connection broke; the server may have the request all the same. */
static struct fake_transaction *leave_behind(struct fake_transaction *t)
{
    struct fake_transaction *told = calloc(1, sizeof *told);
    if (!told) {
        abort();
    }
    *told = (struct fake_transaction){.db = t->db, .name = t->name, .owned = true, .executed = true};
    told->request.kind = LOY_STORE_DUE; /* nothing that a lock or an execution looks at */
    told->reply_at_us = sim_soon(t->db->world);
    told->result =
        (struct loy_store_result){.status = LOY_STORE_OUTAGE, .commit_unknown = t->request.kind == LOY_STORE_COMMIT};
    loy_error_set(&told->result.error, LOY_ERR_UNAVAILABLE, "simulated: connection broke");
    t->owned = false;
    t->execute_at_us = t->db->world->now_us + sim_between(t->db->world, 0, LATE_US);
    sim_happened(t->db->world, SIM_EXECUTED_LATE);
    return told;
}

static void choose_faults(struct fake_transaction *t)
{
    struct sim_world *world = t->db->world;
    bool is_commit = t->request.kind == LOY_STORE_COMMIT;
    t->execute_at_us = sim_soon(world);
    if (t->db->down || sim_chance(world, world->faults.store_refuse)) {
        sim_happened(world, SIM_STORE_REFUSED);
        t->executed = true;
        t->reply_at_us = sim_soon(world);
        t->result = (struct loy_store_result){.status = LOY_STORE_OUTAGE};
        loy_error_set(&t->result.error, LOY_ERR_UNAVAILABLE, "simulated: connection refused");
        return;
    }
    if (t->db->silent) {
        t->executed = true;
        t->reply_at_us = world->now_us + SILENCE_US;
        t->result = (struct loy_store_result){.status = LOY_STORE_OUTAGE, .commit_unknown = is_commit};
        loy_error_set(&t->result.error, LOY_ERR_TIMEOUT, "simulated: no answer");
        return;
    }
    if (sim_chance(world, world->faults.store_slow)) {
        sim_happened(world, SIM_STORE_SLOW);
        t->execute_at_us += sim_between(world, 0, SLOW_US);
    }
    t->reply_lost = sim_chance(world, world->faults.reply_lost);
    if (is_commit && sim_chance(world, world->faults.stall)) {
        t->stalled_until_us = t->execute_at_us + sim_between(world, 1, STALL_US);
    }
}

static void append_transaction(struct fake_db *db, struct fake_transaction *t)
{
    struct fake_transaction **at = &db->transactions;
    while (*at) {
        at = &(*at)->next;
    }
    *at = t;
}

static enum loy_err store_submit(void *self, const struct loy_store_request *request)
{
    struct fake_store *store = self;
    sim_touch(store->db->world);
    if (store->pending) {
        return LOY_ERR_AGAIN;
    }
    fake_transaction_free(store->answered);
    store->answered = NULL;
    struct fake_transaction *t = calloc(1, sizeof *t);
    if (!t) {
        abort();
    }
    t->db = store->db;
    t->name = store->name;
    t->owned = true;
    copy_request(t, request);
    choose_faults(t);
    append_transaction(store->db, t);
    store->pending = t;
    if (!t->executed && (request->kind == LOY_STORE_COMMIT || request->kind == LOY_STORE_ACQUIRE) &&
        sim_chance(store->db->world, store->db->world->faults.execute_late)) {
        store->pending = leave_behind(t);
        append_transaction(store->db, store->pending);
    }
    return LOY_OK;
}

static bool store_poll(void *self, struct loy_store_result *ret_result)
{
    struct fake_store *store = self;
    sim_touch(store->db->world);
    fake_db_run(store->db);
    struct fake_transaction *t = store->pending;
    if (!t || !t->executed || t->reply_at_us > store->db->world->now_us) {
        return false;
    }
    unlink_transaction(store->db, t);
    store->pending = NULL;
    store->answered = t;
    *ret_result = t->result;
    return true;
}

static void store_wait_on(void *self, int *ret_fd, short *ret_events)
{
    (void)self;
    *ret_fd = -1;
    *ret_events = 0;
}

struct loy_store fake_store_port(struct fake_store *store)
{
    return (struct loy_store){.submit = store_submit, .poll = store_poll, .wait_on = store_wait_on, .self = store};
}
