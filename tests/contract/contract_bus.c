#include "contract/contract_bus.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 2, SEEN_MAX = 4096, T = CONTRACT_TOPICS, N = CONTRACT_PARTITIONS };

/* What PostgreSQL would remember, what was seen, and the members that share it. */
struct history {
    const struct contract_bus_world *world;
    const struct loy_str *topics;
    const char *failed; /* the first expectation that was not met */
    int failed_line;
    int64_t next[T][N]; /* offsets as they were worked */
    int64_t end[T][N];  /* of the last END; -1: none */
    int records;
    int wrong_order;   /* records that were not the next one of their partition */
    int not_ascending; /* that said a number below that of the one before */
    long number[T][N];
    int not_owned;
    bool last_key_null, last_value_null;
    char last_value[64];
    char last_of[N][64]; /* by partition */
    struct member {
        struct loy_bus bus;
        bool here;
        bool hold; /* ASSIGNED is not answered with assign() */
        bool owned[N];
        int assigned, revoked, lost;
    } members[MEMBERS];
    uint64_t delivered[SEEN_MAX];
    int delivered_count;
    int undelivered;
    struct loy_error error; /* the last fatal one */
};

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fail(h, #condition, __LINE__);                                                                             \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

static void fail(struct history *h, const char *what, int line)
{
    if (!h->failed) {
        h->failed = what;
        h->failed_line = line;
    }
}

/* --- a member that works as a worker does ------------------------------------------------------------------------- */

static enum loy_err start(struct history *h, struct member *m, int32_t k)
{
    int64_t next[T];
    for (int t = 0; t < T; t++) {
        next[t] = h->next[t][k];
    }
    struct loy_bus_start from = {k, next};
    return m->bus.assign(m->bus.self, &from, 1, &h->error);
}

static void on_assigned(struct history *h, struct member *m, const struct loy_bus_event *e)
{
    m->assigned++;
    for (uint32_t i = 0; i < e->partition_count; i++) {
        m->owned[e->partitions[i]] = true;
    }
    for (int32_t k = 0; k < N && !m->hold; k++) {
        if (m->owned[k] && start(h, m, k)) {
            fail(h, h->error.detail, __LINE__);
        }
    }
}

static void on_record(struct history *h, struct member *m, const struct loy_record *r)
{
    h->records++;
    h->not_owned += !m->owned[r->position.partition];
    h->wrong_order += r->position.offset != h->next[r->position.topic][r->position.partition];
    h->next[r->position.topic][r->position.partition] = r->position.offset + 1;
    h->last_key_null = !r->has_key;
    h->last_value_null = !r->has_value;
    size_t size = r->value.len < sizeof h->last_value - 1 ? r->value.len : sizeof h->last_value - 1;
    if (size > 0) {
        memcpy(h->last_value, r->value.at, size);
    }
    h->last_value[size] = '\0';
    memcpy(h->last_of[r->position.partition], h->last_value, sizeof h->last_value);
    long *number = &h->number[r->position.topic][r->position.partition];
    long said = strtol(h->last_value, NULL, 10);
    h->not_ascending += said < *number;
    *number = said;
}

static void on_event(struct history *h, struct member *m, const struct loy_bus_event *e)
{
    switch (e->kind) {
    case LOY_BUS_NOTHING:
        break;
    case LOY_BUS_RECORD:
        on_record(h, m, &e->record);
        break;
    case LOY_BUS_END:
        h->end[e->position.topic][e->position.partition] = e->position.offset;
        break;
    case LOY_BUS_ASSIGNED:
        on_assigned(h, m, e);
        break;
    case LOY_BUS_REVOKED:
    case LOY_BUS_LOST:
        *(e->kind == LOY_BUS_LOST ? &m->lost : &m->revoked) += 1;
        memset(m->owned, 0, sizeof m->owned);
        m->bus.revoke_done(m->bus.self);
        break;
    case LOY_BUS_DELIVERED:
        for (uint32_t i = 0; i < e->count && h->delivered_count < SEEN_MAX; i++) {
            h->delivered[h->delivered_count++] = e->cookie;
        }
        break;
    case LOY_BUS_UNDELIVERED:
        h->undelivered++;
        break;
    case LOY_BUS_ERROR:
        if (loy_err_class(e->error.code) == LOY_CLASS_FATAL) {
            h->error = e->error;
            fail(h, h->error.detail, __LINE__);
        }
        break;
    }
}

/* Lets every member handle what is there. */
static bool turn(struct history *h)
{
    bool something = false;
    for (int i = 0; i < MEMBERS; i++) {
        struct loy_bus_event e;
        struct member *m = &h->members[i];
        for (int n = 0; m->here && n < 256; n++) {
            m->bus.poll(m->bus.self, &e);
            if (e.kind == LOY_BUS_NOTHING) {
                break;
            }
            something = true;
            on_event(h, m, &e);
        }
    }
    return something;
}

static void wait_all(struct history *h)
{
    struct loy_bus buses[MEMBERS];
    int count = 0;
    for (int i = 0; i < MEMBERS; i++) {
        if (h->members[i].here) {
            buses[count++] = h->members[i].bus;
        }
    }
    h->world->wait(h->world->self, buses, count);
}

/* Works on until the condition holds or patience ends. */
#define UNTIL(condition)                                                                                               \
    do {                                                                                                               \
        for (int waits_ = 0; !(condition) && !h->failed && waits_ < h->world->patience;) {                             \
            if (!turn(h)) {                                                                                            \
                wait_all(h);                                                                                           \
                waits_++;                                                                                              \
            }                                                                                                          \
        }                                                                                                              \
        EXPECT(condition);                                                                                             \
    } while (0)

/* Works for so many waits, for what must not happen. */
static void idle(struct history *h, int waits)
{
    while (waits > 0 && !h->failed) {
        if (!turn(h)) {
            wait_all(h);
            waits--;
        }
    }
}

static struct member *join(struct history *h)
{
    struct member *m = h->members[0].here ? &h->members[1] : &h->members[0];
    *m = (struct member){.here = true, .bus = h->world->join(h->world->self)};
    return m;
}

static void leave(struct history *h, struct member *m)
{
    h->world->leave(h->world->self, m->bus);
    m->here = false;
}

static int owned_by(const struct member *m)
{
    int count = 0;
    for (int k = 0; k < N; k++) {
        count += m->owned[k];
    }
    return count;
}

/* A number as value and key to one partition; cookie is the number. */
static void produce(struct history *h, struct member *m, int topic, int32_t k, uint64_t number)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    struct loy_bus_message message = {
        .topic = h->topics[topic],
        .partition = k,
        .has_key = true,
        .has_value = true,
        .key = {text, (size_t)size},
        .value = {text, (size_t)size},
    };
    if (m->bus.produce(m->bus.self, &message, number, NULL)) {
        fail(h, "produce() took the message", __LINE__);
    }
}

static int64_t sum_next(const struct history *h, int topic)
{
    int64_t sum = 0;
    for (int k = 0; k < N; k++) {
        sum += h->next[topic][k];
    }
    return sum;
}

/* --- histories -----------------------------------------------------------------------------------------------------
 */

static void records_come_in_order_and_reports_too(struct history *h)
{
    enum { COUNT = 400 };
    struct member *m = join(h);
    for (uint64_t i = 0; i < COUNT; i++) {
        produce(h, m, (int)(i % T), (int32_t)(i % N), i);
    }
    UNTIL(h->delivered_count == COUNT && h->records == COUNT);
    EXPECT(h->wrong_order == 0 && h->not_owned == 0);
    for (int i = 0; i < COUNT; i++) {
        EXPECT(h->delivered[i] == (uint64_t)i);
    }
    EXPECT(owned_by(m) == N);
}

static void an_end_is_told_where_a_log_ends_and_again_after_more(struct history *h)
{
    struct member *m = join(h);
    produce(h, m, 0, 1, 1);
    produce(h, m, 0, 1, 2);
    UNTIL(h->end[0][1] == 2 && h->end[0][0] == 0 && h->end[1][1] == 0 && h->end[2][3] == 0);
    EXPECT(h->records == 2);
    h->end[0][1] = -1;
    produce(h, m, 0, 1, 3);
    UNTIL(h->end[0][1] == 3);
    EXPECT(h->records == 3);
}

static void nothing_is_fetched_before_assign(struct history *h)
{
    struct member *m = join(h);
    m->hold = true;
    produce(h, m, 0, 0, 1);
    UNTIL(m->assigned == 1 && h->delivered_count == 1);
    idle(h, 10);
    EXPECT(h->records == 0 && h->end[0][0] == -1);
    EXPECT(start(h, m, 0) == LOY_OK);
    UNTIL(h->records == 1 && h->end[0][0] == 1);
    EXPECT(h->end[0][1] == -1); /* the others still wait */
    EXPECT(start(h, m, 1) == LOY_OK);
    UNTIL(h->end[0][1] == 0);
    EXPECT(h->records == 1 && h->wrong_order == 0);
}

static void assign_again_starts_again(struct history *h)
{
    struct member *m = join(h);
    for (uint64_t i = 0; i < 40; i++) {
        produce(h, m, 0, (int32_t)(i % N), i);
    }
    UNTIL(h->records == 40);
    h->next[0][2] = 4;
    EXPECT(start(h, m, 2) == LOY_OK);
    UNTIL(h->records == 46);
    idle(h, 5);
    EXPECT(h->records == 46 && h->wrong_order == 0);
}

static void a_seek_back_reads_again(struct history *h)
{
    struct member *m = join(h);
    for (uint64_t i = 0; i < 200; i++) {
        produce(h, m, 0, 0, i);
    }
    UNTIL(h->records == 200);
    for (int64_t to = 190; to >= 0; to -= 19) {
        h->next[0][0] = to;
        EXPECT(m->bus.seek(m->bus.self, (struct loy_position){0, 0, to}, NULL) == LOY_OK);
        /* Sometimes the next one comes while the last one is still being read. */
        UNTIL(h->next[0][0] > (to % 2 ? to : 199));
    }
    UNTIL(h->next[0][0] == 200);
    EXPECT(h->wrong_order == 0);
}

static void a_pause_stops_one_topic_and_loses_nothing(struct history *h)
{
    struct member *m = join(h);
    UNTIL(h->end[0][0] == 0 && h->end[2][0] == 0);
    m->bus.pause(m->bus.self, 0, 2);
    m->bus.pause(m->bus.self, 0, 2);
    for (uint64_t i = 0; i < 30; i++) {
        produce(h, m, 0, 0, i);
        produce(h, m, 2, 0, i);
    }
    UNTIL(h->next[0][0] == 30 && h->delivered_count == 60);
    idle(h, 10);
    EXPECT(h->next[2][0] == 0);
    m->bus.resume(m->bus.self, 0, -1);
    m->bus.resume(m->bus.self, 0, -1);
    UNTIL(h->next[2][0] == 30);
    m->bus.resume(m->bus.self, 0, 2);
    idle(h, 10);
    EXPECT(h->records == 60 && h->wrong_order == 0);
}

static void pauses_in_the_middle_of_reading_lose_nothing(struct history *h)
{
    enum { COUNT = 2000 };
    struct member *m = join(h);
    for (uint64_t i = 0; i < COUNT; i++) {
        produce(h, m, 1, 3, i);
    }
    UNTIL(h->delivered_count == COUNT);
    struct loy_bus_event e;
    for (int waits = 0; h->next[1][3] < COUNT && waits < h->world->patience;) {
        m->bus.poll(m->bus.self, &e);
        on_event(h, m, &e);
        if (e.kind == LOY_BUS_NOTHING) {
            wait_all(h);
            waits++;
        } else if (e.kind == LOY_BUS_RECORD && h->records % 97 == 0) {
            m->bus.pause(m->bus.self, 3, h->records % 2 ? -1 : 1);
            m->bus.resume(m->bus.self, 3, -1);
        }
    }
    EXPECT(h->next[1][3] == COUNT && h->wrong_order == 0 && h->records == COUNT);
}

static void a_seek_while_paused_is_kept(struct history *h)
{
    struct member *m = join(h);
    for (uint64_t i = 0; i < 50; i++) {
        produce(h, m, 0, 0, i);
    }
    UNTIL(h->records == 50);
    m->bus.pause(m->bus.self, 0, -1);
    h->next[0][0] = 10;
    EXPECT(m->bus.seek(m->bus.self, (struct loy_position){0, 0, 10}, NULL) == LOY_OK);
    idle(h, 10);
    EXPECT(h->records == 50);
    m->bus.resume(m->bus.self, 0, -1);
    UNTIL(h->records == 90);
    EXPECT(h->wrong_order == 0);
}

/* A new assignment begins unpaused, whatever was paused before. */
static void assign_ends_a_pause(struct history *h)
{
    struct member *m = join(h);
    UNTIL(owned_by(m) == N);
    m->bus.pause(m->bus.self, 0, -1);
    produce(h, m, 0, 0, 1);
    UNTIL(h->delivered_count == 1);
    EXPECT(start(h, m, 0) == LOY_OK);
    UNTIL(h->records == 1);
}

static void bytes_arrive_as_they_were_sent(struct history *h)
{
    struct member *m = join(h);
    static const struct loy_header headers[] = {
        {{"name", 4}, {"\0\xff", 2}}, {{"empty", 5}, {"", 0}}, {{"null", 4}, {NULL, 0}}, {{"name", 4}, {"again", 5}}};
    struct loy_bus_message sent = {.topic = h->topics[0],
                                   .partition = 2,
                                   .has_key = true,
                                   .has_value = true,
                                   .key = {"k\0\x80", 3},
                                   .value = {"v\0\xfe", 3},
                                   .headers = headers,
                                   .header_count = 4};
    EXPECT(m->bus.produce(m->bus.self, &sent, 1, NULL) == LOY_OK);
    struct loy_bus_event e = {.kind = LOY_BUS_NOTHING};
    for (int waits = 0; e.kind != LOY_BUS_RECORD && waits < h->world->patience;) {
        m->bus.poll(m->bus.self, &e);
        if (e.kind == LOY_BUS_NOTHING) {
            wait_all(h);
            waits++;
        } else if (e.kind != LOY_BUS_RECORD) {
            on_event(h, m, &e);
        }
    }
    EXPECT(e.kind == LOY_BUS_RECORD);
    const struct loy_record *r = &e.record;
    EXPECT(r->has_key && loy_str_equal(r->key, sent.key) && r->has_value && loy_str_equal(r->value, sent.value));
    EXPECT(r->position.topic == 0 && r->position.partition == 2 && r->position.offset == 0);
    EXPECT(r->timestamp_us > 1600000000000000);
    EXPECT(r->header_count == 4);
    for (int i = 0; i < 4; i++) {
        EXPECT(loy_str_equal(r->headers[i].name, headers[i].name));
        EXPECT(loy_str_equal(r->headers[i].value, headers[i].value));
        EXPECT(!r->headers[i].value.at == !headers[i].value.at);
    }
}

static void null_and_empty_are_two_things(struct history *h)
{
    struct member *m = join(h);
    struct loy_bus_message sent = {.topic = h->topics[0], .partition = 0, .value = {"value", 5}};
    for (int i = 0; i < 4; i++) {
        sent.has_key = i & 1;
        sent.has_value = i & 2;
        sent.value.len = i == 3 ? 0 : 5;
        EXPECT(m->bus.produce(m->bus.self, &sent, (uint64_t)i, NULL) == LOY_OK);
        UNTIL(h->records == i + 1);
        EXPECT(h->last_key_null == !(i & 1));
        EXPECT(h->last_value_null == !(i & 2));
        EXPECT(strcmp(h->last_value, i == 2 ? "value" : "") == 0);
    }
}

static void keys_go_where_java_puts_them(struct history *h)
{
    struct member *m = join(h);
    int expected[N] = {0};
    for (int i = 0; i < 100; i++) {
        char key[16];
        int size = snprintf(key, sizeof key, "m%d", i);
        struct loy_bus_message sent = {.topic = h->topics[0],
                                       .partition = -1,
                                       .has_key = true,
                                       .has_value = true,
                                       .key = {key, (size_t)size},
                                       .value = {"", 0}};
        expected[loy_partition_of(sent.key, N)]++;
        EXPECT(m->bus.produce(m->bus.self, &sent, (uint64_t)i, NULL) == LOY_OK);
    }
    UNTIL(h->records == 100);
    for (int k = 0; k < N; k++) {
        EXPECT(h->next[0][k] == expected[k]);
    }
}

/* Two topics in turns, and one message in a hundred with a header: each topic in order, and a report for each. */
static void many_are_taken_in_their_order(struct history *h)
{
    enum { COUNT = 1500 };
    static char texts[COUNT][8];
    static struct loy_bus_message sent[COUNT];
    static const struct loy_header header = {{"name", 4}, {"value", 5}};
    struct member *m = join(h);
    for (int i = 0; i < COUNT; i++) {
        int size = snprintf(texts[i], sizeof texts[i], "%d", i);
        sent[i] = (struct loy_bus_message){.topic = h->topics[i % 2],
                                           .partition = i % 3 ? 1 : 2,
                                           .has_value = true,
                                           .value = {texts[i], (size_t)size},
                                           .headers = &header,
                                           .header_count = i % 100 == 99};
    }
    uint32_t taken = 0;
    EXPECT(m->bus.produce_many(m->bus.self, sent, COUNT, 7, &taken, NULL) == LOY_OK);
    EXPECT(taken == COUNT);
    m->bus.send_now(m->bus.self); /* changes when, never what */
    memset(sent, 0, sizeof sent); /* of all but the values it took copies */
    UNTIL(h->records == COUNT && h->delivered_count == COUNT);
    EXPECT(h->delivered[0] == 7 && h->delivered[COUNT - 1] == 7);
    EXPECT(h->not_ascending == 0 && h->wrong_order == 0);
}

static void a_mebibyte_passes(struct history *h)
{
    enum { SIZE = 1024 * 1024 };
    struct member *m = join(h);
    char *bytes = malloc(SIZE);
    EXPECT(bytes);
    /* Nothing that compresses. */
    uint32_t x = 1;
    for (int i = 0; i < SIZE; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (char)(x >> 24);
    }
    struct loy_bus_message sent = {.topic = h->topics[0], .partition = 1, .has_value = true, .value = {bytes, SIZE}};
    enum loy_err err = m->bus.produce(m->bus.self, &sent, 1, NULL);
    free(bytes); /* it took a copy */
    EXPECT(err == LOY_OK);
    UNTIL(h->records == 1 && h->delivered_count == 1);
}

static void an_undelivered_message_is_told_and_a_rebuild_starts_clean(struct history *h)
{
    struct member *m = join(h);
    produce(h, m, 0, 0, 1);
    UNTIL(h->delivered_count == 1);
    /* A partition that is not there: refused at once where that is known, undelivered where it turns out. */
    struct loy_bus_message bad = {.topic = h->topics[1], .partition = N, .has_value = true, .value = {"bad", 3}};
    if (m->bus.produce(m->bus.self, &bad, 2, NULL) == LOY_OK) {
        UNTIL(h->undelivered == 1);
    }
    for (uint64_t i = 0; i < 50; i++) {
        produce(h, m, 0, 1, 100 + i);
    }
    EXPECT(m->bus.rebuild_producer(m->bus.self, NULL) == LOY_OK);
    int before = h->delivered_count;
    for (uint64_t i = 0; i < 50; i++) {
        produce(h, m, 0, 1, 200 + i);
    }
    UNTIL(h->delivered_count == before + 50);
    for (int i = 0; i < 50; i++) {
        EXPECT(h->delivered[before + i] == 200 + (uint64_t)i);
    }
    /* The first fifty may have been written too: at least once. Their order and the others' is kept. */
    UNTIL(h->next[0][1] >= 50 && strcmp(h->last_of[1], "249") == 0);
    EXPECT(h->wrong_order == 0);
}

static void two_members_share_and_hand_over(struct history *h)
{
    enum { COUNT = 240 };
    struct member *a = join(h);
    UNTIL(owned_by(a) == N);
    for (uint64_t i = 0; i < COUNT; i++) {
        produce(h, a, (int)(i % T), (int32_t)(i % N), i);
    }
    UNTIL(h->delivered_count == COUNT);
    struct member *b = join(h);
    UNTIL(owned_by(a) == N / 2 && owned_by(b) == N / 2);
    EXPECT(a->revoked + a->lost >= 1); /* more often on a machine too busy for heartbeats */
    for (int k = 0; k < N; k++) {
        EXPECT(a->owned[k] != b->owned[k]);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        produce(h, i % 2 ? a : b, (int)(i % T), (int32_t)(i % N), COUNT + i);
    }
    UNTIL(h->records == 2 * COUNT);
    leave(h, b);
    UNTIL(owned_by(a) == N);
    for (uint64_t i = 0; i < COUNT; i++) {
        produce(h, a, (int)(i % T), (int32_t)(i % N), 2 * COUNT + i);
    }
    UNTIL(h->records == 3 * COUNT);
    idle(h, 5);
    EXPECT(h->records == 3 * COUNT && h->wrong_order == 0 && h->not_owned == 0);
    EXPECT(sum_next(h, 0) + sum_next(h, 1) + sum_next(h, 2) == 3 * COUNT);
}

/* Nothing of a partition comes between REVOKED and its end, even when the caller takes its time. */
static void a_late_answer_to_revoked_holds_everything(struct history *h)
{
    struct member *a = join(h);
    UNTIL(owned_by(a) == N);
    for (uint64_t i = 0; i < 100; i++) {
        produce(h, a, 0, (int32_t)(i % N), i);
    }
    UNTIL(h->delivered_count == 100);
    struct member *b = join(h);
    struct loy_bus_event e = {.kind = LOY_BUS_NOTHING};
    for (int waits = 0; e.kind != LOY_BUS_REVOKED && waits < h->world->patience;) {
        a->bus.poll(a->bus.self, &e);
        if (e.kind == LOY_BUS_NOTHING) {
            wait_all(h);
            waits++;
        } else if (e.kind != LOY_BUS_REVOKED) {
            on_event(h, a, &e);
        }
        struct loy_bus_event other;
        b->bus.poll(b->bus.self, &other);
        on_event(h, b, &other);
    }
    EXPECT(e.kind == LOY_BUS_REVOKED && e.partition_count == N && e.partitions[0] == 0 && e.partitions[N - 1] == N - 1);
    int records = h->records;
    for (int i = 0; i < 3; i++) {
        a->bus.poll(a->bus.self, &e);
        EXPECT(e.kind != LOY_BUS_RECORD && e.kind != LOY_BUS_END && e.kind != LOY_BUS_ASSIGNED);
        wait_all(h);
    }
    EXPECT(owned_by(b) == 0 && h->records == records);
    memset(a->owned, 0, sizeof a->owned);
    a->bus.revoke_done(a->bus.self);
    UNTIL(owned_by(a) == N / 2 && owned_by(b) == N / 2);
    UNTIL(h->records == 100);
    EXPECT(h->wrong_order == 0 && h->not_owned == 0);
}

static void progress_may_be_reported_and_decides_nothing(struct history *h)
{
    struct member *m = join(h);
    for (uint64_t i = 0; i < 10; i++) {
        produce(h, m, 0, 0, i);
    }
    UNTIL(h->records == 10);
    int64_t next[T] = {10, 0, 0};
    struct loy_bus_start at = {0, next};
    m->bus.report_progress(m->bus.self, &at, 1);
    idle(h, 3);
    leave(h, m);
    h->next[0][0] = 3;
    (void)join(h);
    UNTIL(h->records == 17);
    EXPECT(h->wrong_order == 0);
}

/* --- runner --------------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    void (*run)(struct history *h);
} histories[] = {
#define HISTORY(name)                                                                                                  \
    {                                                                                                                  \
#name, name                                                                                                    \
    }
    HISTORY(records_come_in_order_and_reports_too),
    HISTORY(an_end_is_told_where_a_log_ends_and_again_after_more),
    HISTORY(nothing_is_fetched_before_assign),
    HISTORY(assign_again_starts_again),
    HISTORY(a_seek_back_reads_again),
    HISTORY(a_pause_stops_one_topic_and_loses_nothing),
    HISTORY(pauses_in_the_middle_of_reading_lose_nothing),
    HISTORY(a_seek_while_paused_is_kept),
    HISTORY(assign_ends_a_pause),
    HISTORY(bytes_arrive_as_they_were_sent),
    HISTORY(null_and_empty_are_two_things),
    HISTORY(keys_go_where_java_puts_them),
    HISTORY(many_are_taken_in_their_order),
    HISTORY(a_mebibyte_passes),
    HISTORY(an_undelivered_message_is_told_and_a_rebuild_starts_clean),
    HISTORY(two_members_share_and_hand_over),
    HISTORY(a_late_answer_to_revoked_holds_everything),
    HISTORY(progress_may_be_reported_and_decides_nothing),
#undef HISTORY
};

int contract_bus_count(void)
{
    return (int)(sizeof histories / sizeof *histories);
}

const char *contract_bus_name(int history)
{
    return histories[history].name;
}

static bool run_one(const struct contract_bus_world *world, int index)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h) {
        return false;
    }
    h->world = world;
    h->topics = world->begin(world->self, index);
    memset(h->end, 0xff, sizeof h->end);
    histories[index].run(h);
    for (int i = 0; i < MEMBERS; i++) {
        if (h->members[i].here) {
            leave(h, &h->members[i]);
        }
    }
    bool passed = !h->failed;
    if (passed) {
        printf("ok %s\n", histories[index].name);
    } else {
        printf("FAILED %s: line %d: %s (records %d, wrong order %d, delivered %d)\n", histories[index].name,
               h->failed_line, h->failed, h->records, h->wrong_order, h->delivered_count);
    }
    (void)fflush(stdout);
    free(h);
    return passed;
}

int contract_bus_run(const struct contract_bus_world *world, const char *only)
{
    int failed = 0;
    for (int i = 0; i < contract_bus_count(); i++) {
        if (!only || strcmp(only, histories[i].name) == 0) {
            failed += !run_one(world, i);
        }
    }
    return failed;
}
