/* Link: one connection to Redis with commands in flight, over hiredis's buffers and parser.
 *
 * Answers come in the order of the commands. Each is handed over as it is parsed, from the parser's own memory. Nested
 * answers are refused, for we ask nothing that has any. When anything is wrong the connection is closed and left alone
 * for a while (runtime/backoff.h). Nothing blocks; SIGPIPE has to be ignored (runtime/signals.h). One thread.
 * Test: tests/unit/test_redis_cache.c. */
#ifndef LOY_ADAPTERS_REDIS_LINK_H
#define LOY_ADAPTERS_REDIS_LINK_H

#include "adapters/redis/dial.h"
#include "adapters/redis/redis.h"
#include "adapters/redis/tls.h"
#include "ports/clock.h"
#include "runtime/backoff.h"
#include "runtime/log.h"

enum loy_answer_kind { LOY_ANSWER_TEXT, LOY_ANSWER_ERROR, LOY_ANSWER_INTEGER, LOY_ANSWER_NIL };

struct loy_redis_answer {
    enum loy_answer_kind kind;
    struct loy_str text; /* also a status and an error; borrowed during the call */
    int64_t integer;
};

/* What a command was for; the user's tags are above LOY_REDIS_GREETING. */
enum { LOY_REDIS_GREETING = 0 };

enum {
    LOY_REDIS_EXPECTED_MAX = 16,    /* kinds of commands in flight, one after the other */
    LOY_REDIS_ANSWER_MAX = 1 << 20, /* bytes of one answer; above it the connection is closed */
    LOY_REDIS_CONNECT_MS = 2000,    /* for looking up, connecting and greeting together */
    LOY_REDIS_BACKOFF_MIN_MS = 1000,
    LOY_REDIS_BACKOFF_MAX_MS = 30000,
    LOY_REDIS_SAY_AGAIN_MS = 60000, /* an outage is logged so often */
};

enum loy_link_state { LOY_LINK_OFF, LOY_LINK_DIALLING, LOY_LINK_GREETING, LOY_LINK_UP };

struct loy_redis_link {
    struct loy_redis_address address;
    struct loy_clock clock;
    struct loy_redis_tls *tls;
    struct loy_redis_metrics *metrics;
    /* Called for each answer that is not the greeting's, and once when the connection is gone with all in flight. */
    void (*on_answer)(void *self, int tag, const struct loy_redis_answer *answer);
    void (*on_down)(void *self);
    void *self;

    enum loy_link_state state;
    struct loy_redis_dial dial;
    redisContext *context;
    bool has_unsent;
    bool is_refused; /* by an answer, while parsing: closed as soon as the parser is out of the way */
    char refused_why[128];
    struct {
        int tag;
        uint32_t count;
    } expected[LOY_REDIS_EXPECTED_MAX];
    uint32_t expected_at, expected_count;
    int64_t deadline_us;  /* of connecting */
    int64_t off_until_us; /* while OFF */
    struct loy_backoff backoff;
    struct loy_log_repeat repeat;
};

/* The rest of the struct is the caller's to fill before. */
void loy_redis_link_init(struct loy_redis_link *link, uint64_t seed);
void loy_redis_link_fini(struct loy_redis_link *link);
/* Connects, writes, reads: whatever is possible now. */
void loy_redis_link_turn(struct loy_redis_link *link);
/* Sends bytes that are count commands in Redis's protocol. False: the link is not up, or too much is in flight. */
LOY_MUST_USE bool loy_redis_link_send(struct loy_redis_link *link, struct loy_str commands, int tag, uint32_t count);
/* Closes the connection and leaves Redis alone for a while. Not from on_answer. */
void loy_redis_link_fail(struct loy_redis_link *link, const char *why);
void loy_redis_link_wait_on(const struct loy_redis_link *link, int *ret_fd, short *ret_events);

#endif
