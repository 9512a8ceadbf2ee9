/* What the adapter's commit costs PostgreSQL, beside the least that could be called a ledger:
 *   minimal CONNINFO [EVENTS [MEMBERS [BATCH]]]
 * CONNINFO: a migrated database of its own on this machine; its tables are emptied. Both write the same shape (an event
 * and trace of 200 bytes, one entry, a state of 300, an outbox row a partition) to the same tables, in turns, and the
 * CPU time of all of the server's processes is read from /proc. The minimal program: prepared statements, arrays,
 * a fence; no revision, no balances beyond one, no totals, no comparison of what was read. */
#include "adapters/pg/params.h"
#include "adapters/pg/pg.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PARTITIONS = 16, EVENT = 150, TRACE = 50, STATE = 300, OUTBOX = 4096, TURN = 10, BATCH_MAX = 4000 };

static const int64_t NOON = INT64_C(1790000000000000);

struct member {
    int32_t k;
    int32_t n;
    int64_t seq;
    struct loy_digest digest;
};

struct bench {
    PGconn *conn; /* of the minimal program, and of what prepares and ends */
    struct loy_store store;
    struct member *members;
    uint32_t *order; /* of members: a partial shuffle each batch */
    uint32_t member_count;
    uint32_t batch;
    int64_t epoch;
    int64_t offset[PARTITIONS];
    int64_t outbox_seq;
    uint64_t random;
    uint64_t events; /* so far */
    long postmaster;
    uint8_t bytes[65536]; /* incompressible */
    struct loy_journal_row journal[BATCH_MAX];
    struct loy_journal_entry entry;
    struct loy_member_write writes[BATCH_MAX];
    struct loy_arena arena;
};

static void sql(struct bench *bench, const char *text)
{
    PGresult *result = PQexec(bench->conn, text);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "minimal: %s: %s", text, PQerrorMessage(bench->conn));
        exit(1);
    }
    PQclear(result);
}

static uint64_t next_random(struct bench *bench)
{
    bench->random ^= bench->random << 13;
    bench->random ^= bench->random >> 7;
    bench->random ^= bench->random << 17;
    return bench->random;
}

static struct loy_str random_bytes(struct bench *bench, size_t size)
{
    return (struct loy_str){(const char *)bench->bytes + next_random(bench) % (sizeof bench->bytes - size), size};
}

/* --- CPU time of the server
 * ---------------------------------------------------------------------------------------------- */

static bool read_proc(long pid, const char *file, char *text, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/%s", pid, file);
    FILE *stream = fopen(path, "re");
    if (!stream) {
        return false;
    }
    size_t length = fread(text, 1, size - 1, stream);
    text[length] = '\0';
    (void)fclose(stream);
    return length > 0;
}

/* Fields of /proc/PID/stat behind the name, from field 3 (state). */
static bool read_stat(long pid, long *ret_parent, double *ret_children_us)
{
    char text[1024];
    long parent = 0;
    unsigned long user = 0;
    unsigned long system = 0;
    if (!read_proc(pid, "stat", text, sizeof text)) {
        return false;
    }
    const char *fields = strrchr(text, ')');
    if (!fields ||
        sscanf(fields, ") %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lu %lu", &parent, &user, &system) != 3) {
        return false;
    }
    *ret_parent = parent;
    *ret_children_us = (double)(user + system) * 10000.0;
    return true;
}

static double process_us(long pid)
{
    char text[128];
    unsigned long long ns = 0;
    return read_proc(pid, "schedstat", text, sizeof text) && sscanf(text, "%llu", &ns) == 1 ? (double)ns / 1000.0 : 0;
}

/* The postmaster, its children that live, and those that ended: all that the cluster used. */
static double server_us(const struct bench *bench)
{
    long parent;
    double ended_us = 0;
    (void)read_stat(bench->postmaster, &parent, &ended_us);
    double total = process_us(bench->postmaster) + ended_us;
    DIR *proc = opendir("/proc");
    struct dirent *item;
    while (proc && (item = readdir(proc))) {
        long pid = strtol(item->d_name, NULL, 10);
        double unused;
        if (pid > 0 && read_stat(pid, &parent, &unused) && parent == bench->postmaster) {
            total += process_us(pid);
        }
    }
    if (proc) {
        closedir(proc);
    }
    return total;
}

static double own_us(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

/* --- the same batch for both
 * ---------------------------------------------------------------------------------------------- */

static void choose_batch(struct bench *bench)
{
    for (uint32_t i = 0; i < bench->batch; i++) {
        uint32_t other = i + (uint32_t)(next_random(bench) % (bench->member_count - i));
        uint32_t chosen = bench->order[other];
        bench->order[other] = bench->order[i];
        bench->order[i] = chosen;
        struct member *member = &bench->members[chosen];
        uint64_t number = bench->events++;
        struct loy_str state = random_bytes(bench, STATE);
        struct loy_digest digest = loy_digest_of(state);
        bench->journal[i] = (struct loy_journal_row){
            .key = {member->k, member->n, loy_digest_of((struct loy_str){(const char *)&number, sizeof number})},
            .seq = member->seq + 1,
            .version = member->seq + 1,
            .from = {0, member->k, bench->offset[member->k] + i},
            .arrival_us = NOON + (int64_t)number,
            .occurred_at_us = NOON + (int64_t)number,
            .revision = 1,
            .engine = 1,
            .kind = 1,
            .applied = 1,
            .entries = &bench->entry,
            .entry_count = 1,
            .event = random_bytes(bench, EVENT),
            .trace = random_bytes(bench, TRACE),
        };
        bench->writes[i] = (struct loy_member_write){
            .row = {member->k, member->n, {0}, member->seq + 1, member->seq + 1, digest, state},
            .old_seq = member->seq,
            .old_digest = member->digest,
            .wallet_count = 1,
            .available = {100 * (member->seq + 1)},
        };
        member->seq++;
        member->digest = digest;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct loy_journal_key *one = &((const struct loy_journal_row *)a)->key;
    const struct loy_journal_key *other = &((const struct loy_journal_row *)b)->key;
    return one->k != other->k ? (one->k > other->k) - (one->k < other->k) : (one->n > other->n) - (one->n < other->n);
}

static int writes_by_place(const void *a, const void *b)
{
    const struct loy_member_row *one = &((const struct loy_member_write *)a)->row;
    const struct loy_member_row *other = &((const struct loy_member_write *)b)->row;
    return one->k != other->k ? (one->k > other->k) - (one->k < other->k) : (one->n > other->n) - (one->n < other->n);
}

/* --- the minimal program
 * --------------------------------------------------------------------------------------------------- */

#define FENCE_SQL                                                                                                      \
    "WITH f AS (UPDATE partition p SET next_offset = ARRAY[w.next], outbox_seq = p.outbox_seq + 1 "                    \
    "FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS w(k, epoch, next) "                                         \
    "WHERE p.k = w.k AND p.epoch = w.epoch RETURNING 1) SELECT 1 / (count(*) = cardinality($1))::int FROM f"
#define JOURNAL_SQL                                                                                                    \
    "INSERT INTO journal SELECT k, n, key, seq, seq, 0, k, off, at, at, 1, 1, 1, 1, NULL, "                            \
    "ARRAY[ROW(1, 0, 100, 1, 1, 0)::entry], event, trace "                                                             \
    "FROM unnest($1::int[], $2::int[], $3::uuid[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::bytea[], "       \
    "$8::bytea[]) AS w(k, n, key, seq, off, at, event, trace)"
#define MEMBER_SQL                                                                                                     \
    "UPDATE member m SET seq = w.seq, version = w.seq, digest = w.digest, available = ARRAY[w.balance], "              \
    "state = w.state FROM unnest($1::int[], $2::int[], $3::bigint[], $4::uuid[], $5::bigint[], $6::bytea[]) "          \
    "AS w(k, n, seq, digest, balance, state) WHERE m.k = w.k AND m.n = w.n"
#define OUTBOX_SQL "INSERT INTO outbox SELECT * FROM unnest($1::int[], $2::bigint[], $3::bytea[])"
#define TRIM_SQL "DELETE FROM outbox o USING unnest($1::int[]) AS w(k) WHERE o.k = w.k AND o.seq < $2"

static void put_strs(struct loy_pg_params *params, uint32_t count, const struct loy_str *first, size_t stride,
                     size_t bytes)
{
    uint8_t *at = loy_pg_param_array(params, LOY_PG_BYTEA_ARRAY, LOY_PG_BYTEA, count, bytes);
    const char *field = (const char *)first;
    for (uint32_t i = 0; at && i < count; i++, field += stride) {
        const struct loy_str *text = (const struct loy_str *)(const void *)field;
        at = loy_pg_put_bytes(at, text->at, text->len);
    }
}

static void send(struct bench *bench, const char *name, struct loy_pg_params *params)
{
    assert(!params->failed);
    if (!PQsendQueryPrepared(bench->conn, name, params->count, params->values, params->lengths, params->formats, 1)) {
        (void)fprintf(stderr, "minimal: %s: %s", name, PQerrorMessage(bench->conn));
        exit(1);
    }
    loy_pg_params_init(params, params->arena);
}

static void send_minimal(struct bench *bench)
{
    const struct loy_journal_row *journal = bench->journal;
    const struct loy_member_write *writes = bench->writes;
    const size_t row = sizeof *journal;
    const size_t write = sizeof *writes;
    uint32_t count = bench->batch;
    int32_t ks[PARTITIONS];
    int64_t epochs[PARTITIONS];
    int64_t seqs[PARTITIONS];
    struct loy_str payloads[PARTITIONS];
    for (int32_t k = 0; k < PARTITIONS; k++) {
        ks[k] = k;
        epochs[k] = bench->epoch;
        seqs[k] = bench->outbox_seq + 1;
        payloads[k] = random_bytes(bench, OUTBOX);
    }
    struct loy_pg_params params;
    loy_arena_reset(&bench->arena);
    loy_pg_params_init(&params, &bench->arena);
    loy_pg_param_i32s(&params, PARTITIONS, ks, sizeof *ks);
    loy_pg_param_i64s(&params, PARTITIONS, epochs, sizeof *epochs);
    loy_pg_param_i64s(&params, PARTITIONS, bench->offset, sizeof *bench->offset);
    send(bench, "fence", &params);
    loy_pg_param_i32s(&params, count, &journal->key.k, row);
    loy_pg_param_i32s(&params, count, &journal->key.n, row);
    loy_pg_param_digests(&params, count, &journal->key.event_key, row);
    loy_pg_param_i64s(&params, count, &journal->seq, row);
    loy_pg_param_i64s(&params, count, &journal->from.offset, row);
    uint8_t *at = loy_pg_param_array(&params, LOY_PG_TIMESTAMPTZ_ARRAY, LOY_PG_TIMESTAMPTZ, count, (size_t)count * 8);
    for (uint32_t i = 0; i < count; i++) {
        at = loy_pg_put_i64(at, loy_pg_time(journal[i].arrival_us));
    }
    put_strs(&params, count, &journal->event, row, (size_t)count * EVENT);
    put_strs(&params, count, &journal->trace, row, (size_t)count * TRACE);
    send(bench, "journal", &params);
    loy_pg_param_i32s(&params, count, &writes->row.k, write);
    loy_pg_param_i32s(&params, count, &writes->row.n, write);
    loy_pg_param_i64s(&params, count, &writes->row.seq, write);
    loy_pg_param_digests(&params, count, &writes->row.digest, write);
    loy_pg_param_i64s(&params, count, writes->available, write);
    put_strs(&params, count, &writes->row.state, write, (size_t)count * STATE);
    send(bench, "member", &params);
    loy_pg_param_i32s(&params, PARTITIONS, ks, sizeof *ks);
    at = loy_pg_param(&params, LOY_PG_INT8, 8);
    loy_pg_put_8(at, bench->outbox_seq + 1);
    send(bench, "trim", &params);
    loy_pg_param_i32s(&params, PARTITIONS, ks, sizeof *ks);
    loy_pg_param_i64s(&params, PARTITIONS, seqs, sizeof *seqs);
    put_strs(&params, PARTITIONS, payloads, sizeof *payloads, (size_t)PARTITIONS * OUTBOX);
    send(bench, "outbox", &params);
}

static void read_answers(struct bench *bench)
{
    for (;;) {
        PGresult *result = PQgetResult(bench->conn);
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC) {
            return;
        }
        if (result && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            (void)fprintf(stderr, "minimal: %s\n", PQerrorMessage(bench->conn));
            exit(1);
        }
    }
}

static void commit_minimal(struct bench *bench)
{
    qsort(bench->journal, bench->batch, sizeof *bench->journal, by_place);
    qsort(bench->writes, bench->batch, sizeof *bench->writes, writes_by_place);
    PQenterPipelineMode(bench->conn);
    PQsendQueryPrepared(bench->conn, "begin", 0, NULL, NULL, NULL, 1);
    send_minimal(bench);
    PQsendQueryPrepared(bench->conn, "commit", 0, NULL, NULL, NULL, 1);
    PQpipelineSync(bench->conn);
    read_answers(bench);
    PQexitPipelineMode(bench->conn);
}

/* --- the adapter
 * ------------------------------------------------------------------------------------------------------------ */

static struct loy_store_result run(struct bench *bench, const struct loy_store_request *request)
{
    struct loy_store_result result;
    (void)bench->store.submit(bench->store.self, request);
    while (!bench->store.poll(bench->store.self, &result)) {
        struct pollfd fd;
        bench->store.wait_on(bench->store.self, &fd.fd, &fd.events);
        (void)poll(&fd, 1, 100);
    }
    if (result.status != LOY_STORE_DONE) {
        (void)fprintf(stderr, "adapter: %s\n", result.error.detail);
        exit(1);
    }
    return result;
}

static void acquire(struct bench *bench)
{
    int32_t ks[PARTITIONS];
    for (int32_t k = 0; k < PARTITIONS; k++) {
        ks[k] = k;
    }
    struct loy_store_request request = {.kind = LOY_STORE_ACQUIRE};
    request.acquire = (struct loy_store_acquire){ks, PARTITIONS, LOY_STR("bench")};
    bench->epoch = run(bench, &request).partitions[0].epoch;
}

static void commit_adapter(struct bench *bench)
{
    static struct loy_partition_write partitions[PARTITIONS];
    struct loy_outbox_row outbox[PARTITIONS];
    for (int32_t k = 0; k < PARTITIONS; k++) {
        struct loy_partition_write *write = &partitions[k];
        *write = (struct loy_partition_write){.k = k, .epoch = bench->epoch, .old_next_n = 1, .new_next_n = 1};
        write->old_next_offset[0] = bench->offset[k] - bench->batch;
        write->new_next_offset[0] = bench->offset[k];
        write->add_totals[0][LOY_OUTCOME_APPLIED] = bench->batch;
        write->old_outbox_seq = bench->outbox_seq;
        write->new_outbox_seq = bench->outbox_seq + 1;
        write->trim_through = bench->outbox_seq;
        outbox[k] = (struct loy_outbox_row){k, bench->outbox_seq + 1, random_bytes(bench, OUTBOX)};
    }
    struct loy_store_request request = {.kind = LOY_STORE_COMMIT};
    request.commit = (struct loy_store_commit){
        .revision = 1,
        .newest_moment_us = NOON,
        .partitions = partitions,
        .partition_count = PARTITIONS,
        .journal = bench->journal,
        .journal_count = bench->batch,
        .members = bench->writes,
        .member_count = bench->batch,
        .outbox = outbox,
        .outbox_count = PARTITIONS,
    };
    (void)run(bench, &request);
}

/* --- the run
 * ---------------------------------------------------------------------------------------------------------------- */

struct cost {
    double server_us;
    double own_us;
    uint64_t events;
};

static void turn(struct bench *bench, void (*commit)(struct bench *bench), struct cost *cost)
{
    for (int i = 0; i < TURN; i++) {
        choose_batch(bench);
        for (int k = 0; k < PARTITIONS; k++) {
            bench->offset[k] += bench->batch;
        }
        double server = server_us(bench);
        double own = own_us();
        commit(bench);
        cost->own_us += own_us() - own;
        cost->server_us += server_us(bench) - server;
        cost->events += bench->batch;
        bench->outbox_seq++;
    }
}

static void prepare(struct bench *bench)
{
    static const char *const statements[][2] = {
        {"begin", "BEGIN"},     {"fence", FENCE_SQL}, {"journal", JOURNAL_SQL}, {"member", MEMBER_SQL},
        {"outbox", OUTBOX_SQL}, {"trim", TRIM_SQL},   {"commit", "COMMIT"},
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        PQclear(PQprepare(bench->conn, statements[i][0], statements[i][1], 0, NULL));
    }
    char text[512];
    sql(bench, "SET client_min_messages = warning");
    sql(bench, "TRUNCATE partition, member, journal, outbox, due, programme_revision");
    sql(bench, "INSERT INTO programme_revision VALUES (1, '-infinity', 'shop', 'bench', 'first')");
    (void)snprintf(text, sizeof text,
                   "INSERT INTO partition (k, start_offset, next_offset, outcome_totals) SELECT k, '{0}', '{0}', "
                   "'{0,0,0,0,0,0}' FROM generate_series(0, %d) AS k",
                   PARTITIONS - 1);
    sql(bench, text);
    (void)snprintf(text, sizeof text,
                   "INSERT INTO member SELECT i %% %d, i / %d + 1, 'member-' || i, 0, 0, "
                   "'00000000-0000-0000-0000-000000000000', NULL, '{0}', '{0}', '{0}', "
                   "decode(repeat('%s', %d), 'hex') FROM generate_series(0, %" PRIu32 ") AS i",
                   PARTITIONS, PARTITIONS, "5a", STATE, bench->member_count - 1);
    sql(bench, text);
    sql(bench, "VACUUM ANALYZE");
    sql(bench, "CHECKPOINT");
}

static void open_bench(struct bench *bench, const char *conninfo)
{
    bench->conn = PQconnectdb(conninfo);
    struct loy_pg *pg;
    struct loy_error error;
    struct loy_pg_options options = {.conninfo = conninfo};
    if (PQstatus(bench->conn) != CONNECTION_OK || loy_pg_new(&options, &pg, &error)) {
        (void)fprintf(stderr, "minimal: %s", PQerrorMessage(bench->conn));
        exit(1);
    }
    bench->store = loy_pg_store(pg);
    double unused;
    if (!read_stat(PQbackendPID(bench->conn), &bench->postmaster, &unused)) {
        (void)fprintf(stderr, "minimal: the server is not on this machine\n");
        exit(1);
    }
    bench->random = 88172645463325252U;
    for (size_t i = 0; i < sizeof bench->bytes; i += 8) {
        uint64_t word = next_random(bench);
        memcpy(bench->bytes + i, &word, sizeof word);
    }
    bench->members = calloc(bench->member_count, sizeof *bench->members);
    bench->order = calloc(bench->member_count, sizeof *bench->order);
    enum { ARENA = 32 << 20 };
    loy_arena_init(&bench->arena, malloc(ARENA), ARENA);
    for (uint32_t i = 0; i < bench->member_count; i++) {
        bench->order[i] = i;
        bench->members[i].k = (int32_t)(i % PARTITIONS);
        bench->members[i].n = (int32_t)(i / PARTITIONS) + 1;
    }
    bench->entry = (struct loy_journal_entry){1, 0, 100, 1, 1, 0};
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: minimal CONNINFO [EVENTS [MEMBERS [BATCH]]]\n");
        return 2;
    }
    struct bench *bench = calloc(1, sizeof *bench);
    uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : 400000;
    bench->member_count = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 100000;
    bench->batch = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 1000;
    if (bench->batch == 0 || bench->batch > BATCH_MAX || bench->member_count < 10 * bench->batch) {
        (void)fprintf(stderr, "minimal: batches of 1 to %d, of at most a tenth of the members\n", BATCH_MAX);
        return 2;
    }
    open_bench(bench, argv[1]);
    prepare(bench);
    acquire(bench);
    struct cost unused = {0};
    struct cost minimal = {0};
    struct cost adapter = {0};
    turn(bench, commit_minimal, &unused); /* caches, plans and the first full-page images */
    turn(bench, commit_adapter, &unused);
    while (minimal.events + adapter.events < events) {
        turn(bench, commit_minimal, &minimal);
        turn(bench, commit_adapter, &adapter);
    }
    double least = minimal.server_us / (double)minimal.events;
    double ours = adapter.server_us / (double)adapter.events;
    printf("{\"events\": %" PRIu64 ", \"members\": %" PRIu32 ", \"batch\": %" PRIu32
           ", \"minimal_us\": %.2f, \"adapter_us\": %.2f, \"ratio\": %.3f, \"adapter_client_us\": %.2f}\n",
           minimal.events + adapter.events, bench->member_count, bench->batch, least, ours, ours / least,
           adapter.own_us / (double)adapter.events);
    loy_pg_destroy(bench->store.self);
    PQfinish(bench->conn);
    return 0;
}
