#include "adapters/redis/link.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READS_A_TURN = 64 };

void loy_redis_link_init(struct loy_redis_link *link, uint64_t seed)
{
    link->state = LOY_LINK_OFF;
    link->off_until_us = INT64_MIN;
    loy_redis_dial_init(&link->dial);
    loy_backoff_init(&link->backoff, LOY_REDIS_BACKOFF_MIN_MS * INT64_C(1000), LOY_REDIS_BACKOFF_MAX_MS * INT64_C(1000),
                     seed);
}

void loy_redis_link_fini(struct loy_redis_link *link)
{
    if (link->context) {
        redisFree(link->context);
        link->context = NULL;
    }
    loy_redis_dial_fini(&link->dial);
    loy_redis_tls_destroy(link->tls);
    link->tls = NULL;
    link->state = LOY_LINK_OFF;
    atomic_store_explicit(&link->metrics->connected, 0, memory_order_relaxed);
}

static int64_t now_us(const struct loy_redis_link *link)
{
    return link->clock.monotonic_us(link->clock.self);
}

void loy_redis_link_fail(struct loy_redis_link *link, const char *why)
{
    int64_t now = now_us(link);
    int64_t wait = loy_backoff_next_us(&link->backoff);
    uint64_t unsaid;
    atomic_fetch_add_explicit(&link->metrics->failures, 1, memory_order_relaxed);
    if (loy_log_repeat_failed(&link->repeat, now, LOY_REDIS_SAY_AGAIN_MS * INT64_C(1000), &unsaid)) {
        const struct loy_redis_address *address = &link->address;
        LOY_WARN("redis_unavailable", LOY_LOG_TEXT("at", address->path ? address->path : address->host),
                 LOY_LOG_TEXT("port", address->path ? "" : address->port), LOY_LOG_TEXT("detail", why),
                 LOY_LOG_INT("again_in_ms", wait / 1000), LOY_LOG_INT("unsaid", (int64_t)unsaid));
    }
    if (link->context) {
        redisFree(link->context);
        link->context = NULL;
    }
    loy_redis_dial_stop(&link->dial);
    link->state = LOY_LINK_OFF;
    link->off_until_us = now + wait;
    link->expected_count = 0;
    link->has_unsent = false;
    link->is_refused = false;
    atomic_store_explicit(&link->metrics->connected, 0, memory_order_relaxed);
    link->on_down(link->self);
}

/* --- answers, as the parser finds them ---------------------------------------------------------------------------- */

static void refuse(struct loy_redis_link *link, const char *what, struct loy_str text)
{
    link->is_refused = true;
    (void)snprintf(link->refused_why, sizeof link->refused_why, "%s%.*s", what, (int)(text.len < 80 ? text.len : 80),
                   text.at ? text.at : "");
}

static void greeted(struct loy_redis_link *link, const struct loy_redis_answer *answer)
{
    if (answer->kind == LOY_ANSWER_ERROR) {
        refuse(link, "refused: ", answer->text);
        return;
    }
    if (link->expected_count > 0 || link->state != LOY_LINK_GREETING) {
        return;
    }
    link->state = LOY_LINK_UP;
    loy_backoff_reset(&link->backoff);
    atomic_fetch_add_explicit(&link->metrics->connects, 1, memory_order_relaxed);
    atomic_store_explicit(&link->metrics->connected, 1, memory_order_relaxed);
    if (loy_log_repeat_works(&link->repeat)) {
        LOY_INFO("redis_available");
    }
}

/* Hands one answer to whom it belongs. What it returns only has to be no NULL: the parser keeps it as the reply. */
static void *take(const redisReadTask *task, const struct loy_redis_answer *answer)
{
    struct loy_redis_link *link = task->privdata;
    if (link->is_refused) {
        return link;
    }
    if (link->expected_count == 0) {
        refuse(link, "an answer to nothing", (struct loy_str){0});
        return link;
    }
    int tag = link->expected[link->expected_at].tag;
    if (--link->expected[link->expected_at].count == 0) {
        link->expected_at = (link->expected_at + 1) % LOY_REDIS_EXPECTED_MAX;
        link->expected_count--;
    }
    if (tag == LOY_REDIS_GREETING) {
        greeted(link, answer);
    } else {
        link->on_answer(link->self, tag, answer);
    }
    return link;
}

static void *take_string(const redisReadTask *task, char *text, size_t length)
{
    enum loy_answer_kind kind = task->type == REDIS_REPLY_ERROR ? LOY_ANSWER_ERROR : LOY_ANSWER_TEXT;
    return take(task, &(struct loy_redis_answer){.kind = kind, .text = {text, length}});
}

static void *take_integer(const redisReadTask *task, long long integer)
{
    return take(task, &(struct loy_redis_answer){.kind = LOY_ANSWER_INTEGER, .integer = integer});
}

static void *take_nil(const redisReadTask *task)
{
    return take(task, &(struct loy_redis_answer){.kind = LOY_ANSWER_NIL});
}

/* NULL is what the parser takes for "no memory": it stops, and so do we. */
#if HIREDIS_MAJOR >= 1
static void *refuse_array(const redisReadTask *task, size_t elements)
#else
static void *refuse_array(const redisReadTask *task, int elements)
#endif
{
    (void)elements;
    refuse(task->privdata, "an answer in parts", (struct loy_str){0});
    return NULL;
}

static void forget(void *reply)
{
    (void)reply;
}

static const redisReplyObjectFunctions parts = {
    .createString = take_string,
    .createArray = refuse_array,
    .createInteger = take_integer,
    .createNil = take_nil,
    .freeObject = forget,
};

/* --- connecting ----------------------------------------------------------------------------------------------------
 */

static void append_bulk(struct loy_buf *buf, struct loy_str text)
{
    loy_buf_printf(buf, "$%zu\r\n", text.len);
    loy_buf_append(buf, text);
    loy_buf_append(buf, LOY_STR("\r\n"));
}

/* Log in, choose the database, see whether we may ask. */
static bool greet(struct loy_redis_link *link)
{
    const struct loy_redis_address *address = &link->address;
    char room[16384];
    struct loy_arena arena;
    struct loy_buf buf;
    uint32_t count = 1;
    loy_arena_init(&arena, room, sizeof room);
    loy_buf_init(&buf, &arena, 4096);
    if (address->password) {
        loy_buf_printf(&buf, "*%d\r\n$4\r\nAUTH\r\n", address->user ? 3 : 2);
        if (address->user) {
            append_bulk(&buf, loy_str(address->user));
        }
        append_bulk(&buf, loy_str(address->password));
        count++;
    }
    if (address->db) {
        char db[16];
        (void)snprintf(db, sizeof db, "%d", address->db);
        loy_buf_append(&buf, LOY_STR("*2\r\n$6\r\nSELECT\r\n"));
        append_bulk(&buf, loy_str(db));
        count++;
    }
    loy_buf_append(&buf, LOY_STR("*1\r\n$4\r\nPING\r\n"));
    link->state = LOY_LINK_GREETING;
    bool sent = !buf.failed && loy_redis_link_send(link, loy_buf_str(&buf), LOY_REDIS_GREETING, count);
    explicit_bzero(room, sizeof room);
    return sent;
}

/* Puts hiredis on the socket that was dialled. */
static void attach(struct loy_redis_link *link)
{
    struct loy_error error;
    redisContext *context = redisConnectFd(link->dial.fd);
    if (!context) {
        loy_redis_link_fail(link, "no memory");
        return;
    }
    link->dial.fd = -1; /* the context's now */
    link->dial.state = LOY_DIAL_IDLE;
    link->context = context;
    context->flags &= ~REDIS_BLOCK;
    /* The table is never written; hiredis only forgot to say so. */
    context->reader->fn = (redisReplyObjectFunctions *)(uintptr_t)&parts;
    context->reader->privdata = link;
    if (link->tls && loy_redis_tls_start(link->tls, context, link->address.host, &error) != LOY_OK) {
        loy_redis_link_fail(link, error.detail);
    } else if (!greet(link)) {
        loy_redis_link_fail(link, "the greeting does not fit");
    }
}

static void dial(struct loy_redis_link *link)
{
    switch (loy_redis_dial_turn(&link->dial)) {
    case LOY_DIAL_CONNECTED:
        attach(link);
        return;
    case LOY_DIAL_FAILED:
        loy_redis_link_fail(link, link->dial.why);
        return;
    case LOY_DIAL_IDLE:
    case LOY_DIAL_RESOLVING:
    case LOY_DIAL_CONNECTING:
        return;
    }
}

/* --- reading and writing ---------------------------------------------------------------------------------------------
 */

/* What the socket takes at once need not be copied for hiredis first: a chunk of writes is 100 KB. An error is told by
 * whatever is written or read next. */
static size_t send_now(const struct loy_redis_link *link, struct loy_str commands)
{
    if (link->tls || link->has_unsent) {
        return 0;
    }
    ssize_t sent = send(link->context->fd, commands.at, commands.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? (size_t)sent : 0;
}

bool loy_redis_link_send(struct loy_redis_link *link, struct loy_str commands, int tag, uint32_t count)
{
    assert(count > 0);
    if (!link->context || link->expected_count == LOY_REDIS_EXPECTED_MAX ||
        (tag != LOY_REDIS_GREETING && link->state != LOY_LINK_UP)) {
        return false;
    }
    size_t sent = send_now(link, commands);
    bool is_whole = sent == commands.len;
    /* Where the rest finds no memory the context has failed, and the next write says so: half a command is out. */
    if (!is_whole && redisAppendFormattedCommand(link->context, commands.at + sent, commands.len - sent) != REDIS_OK &&
        sent == 0) {
        return false;
    }
    uint32_t at = (link->expected_at + link->expected_count++) % LOY_REDIS_EXPECTED_MAX;
    link->expected[at].tag = tag;
    link->expected[at].count = count;
    link->has_unsent = !is_whole;
    return true;
}

static void fail_of_context(struct loy_redis_link *link)
{
    char why[160];
    loy_redis_link_fail(link, link->tls ? loy_redis_tls_why(link->context->errstr, why) : link->context->errstr);
}

static bool write_out(struct loy_redis_link *link)
{
    int done = 1;
    if (link->has_unsent && redisBufferWrite(link->context, &done) != REDIS_OK) {
        fail_of_context(link);
        return false;
    }
    link->has_unsent = !done;
    return true;
}

/* All answers that are there in whole. */
static bool parse(struct loy_redis_link *link)
{
    redisReader *reader = link->context->reader;
    void *reply = link;
    int status = REDIS_OK;
    while (reply && status == REDIS_OK && !link->is_refused) {
        reply = NULL;
        status = redisReaderGetReply(reader, &reply);
    }
    if (link->is_refused) {
        loy_redis_link_fail(link, link->refused_why);
        return false;
    }
    if (status != REDIS_OK) {
        loy_redis_link_fail(link, reader->errstr);
        return false;
    }
    if (reader->len - reader->pos > LOY_REDIS_ANSWER_MAX) {
        loy_redis_link_fail(link, "an answer is larger than 1 MiB");
        return false;
    }
    return true;
}

static bool read_in(struct loy_redis_link *link)
{
    for (int i = 0; i < READS_A_TURN; i++) {
        redisReader *reader = link->context->reader;
        size_t before = reader->len;
        if (redisBufferRead(link->context) != REDIS_OK) {
            fail_of_context(link);
            return false;
        }
        if (reader->len == before) {
            return true;
        }
        if (!parse(link)) {
            return false;
        }
    }
    return true;
}

void loy_redis_link_turn(struct loy_redis_link *link)
{
    if (link->state == LOY_LINK_OFF) {
        int64_t now = now_us(link);
        if (now < link->off_until_us) {
            return;
        }
        link->state = LOY_LINK_DIALLING;
        link->deadline_us = now + LOY_REDIS_CONNECT_MS * INT64_C(1000);
        loy_redis_dial_start(&link->dial, &link->address);
    }
    if (link->state == LOY_LINK_DIALLING) {
        dial(link);
    }
    if (link->context && write_out(link) && read_in(link)) {
        (void)write_out(link);
    }
    bool is_connecting = link->state == LOY_LINK_DIALLING || link->state == LOY_LINK_GREETING;
    if (is_connecting && now_us(link) >= link->deadline_us) {
        loy_redis_link_fail(link, "no connection within 2 s");
    }
}

void loy_redis_link_wait_on(const struct loy_redis_link *link, int *ret_fd, short *ret_events)
{
    *ret_fd = -1;
    *ret_events = 0;
    if (link->state == LOY_LINK_DIALLING && link->dial.state == LOY_DIAL_CONNECTING) {
        *ret_fd = link->dial.fd;
        *ret_events = POLLOUT;
    } else if (link->context && link->expected_count > 0) {
        *ret_fd = link->context->fd;
        *ret_events = (short)(POLLIN | (link->has_unsent ? POLLOUT : 0));
    }
}
