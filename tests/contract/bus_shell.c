/* A bus on a broker by hand, for stories told in Python: commands come on stdin, events go to stdout, a line each.
 *
 *   bus_shell BOOTSTRAP GROUP PARTITIONS TOPIC …
 *   assign K OFFSET … | seek T K OFFSET | pause K T | resume K T | revoke_done | rebuild | quit
 *   produce TOPIC K TEXT COOKIE        (TEXT - : a tombstone)
 *   check | create                     what admin.h says of the topics, as inputs
 *   rest MS                            does nothing for so long, not even poll; then says "rested"
 * REVOKED and LOST are answered at once, unless the environment has BUS_SHELL_SLOW. */
#include "adapters/kafka/admin.h"
#include "adapters/kafka/kafka.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOPICS_MAX = 16, WORDS_MAX = 20, LINE_MAX_BYTES = 4096, SESSION_TIMEOUT_MS = 3000 };

struct shell {
    struct loy_kafka_config config;
    struct loy_str topics[TOPICS_MAX];
    struct loy_kafka *kafka;
    struct loy_bus bus;
    char line[LINE_MAX_BYTES]; /* read, not whole yet */
    size_t line_size;
};

static void print_list(const char *name, const struct loy_bus_event *e)
{
    printf("%s", name);
    for (uint32_t i = 0; i < e->partition_count; i++) {
        printf(" %" PRId32, e->partitions[i]);
    }
    putchar('\n');
}

static void print_error(const char *name, const struct loy_error *error)
{
    static const char *const classes[] = {"ok", "retry", "reject", "fatal"};
    printf("%s %s %s %s\n", name, classes[loy_err_class(error->code)], loy_err_name(error->code), error->detail);
}

static void print_event(struct shell *s, const struct loy_bus_event *e)
{
    const struct loy_position *p = &e->position;
    const struct loy_record *r = &e->record;
    switch (e->kind) {
    case LOY_BUS_NOTHING:
        break;
    case LOY_BUS_RECORD:
        printf("record %d %" PRId32 " %" PRId64 " %" PRId64 " %.*s\n", r->position.topic, r->position.partition,
               r->position.offset, r->timestamp_us, r->has_value ? (int)(r->value.len < 64 ? r->value.len : 64) : 1,
               r->has_value ? r->value.at : "-");
        break;
    case LOY_BUS_END:
        printf("end %d %" PRId32 " %" PRId64 "\n", p->topic, p->partition, p->offset);
        break;
    case LOY_BUS_ASSIGNED:
        print_list("assigned", e);
        break;
    case LOY_BUS_REVOKED:
    case LOY_BUS_LOST:
        print_list(e->kind == LOY_BUS_LOST ? "lost" : "revoked", e);
        if (!getenv("BUS_SHELL_SLOW")) {
            s->bus.revoke_done(s->bus.self);
        }
        break;
    case LOY_BUS_DELIVERED:
        for (uint32_t i = 0; i < e->count; i++) {
            printf("delivered %" PRIu64 "\n", e->cookie);
        }
        break;
    case LOY_BUS_UNDELIVERED:
        printf("undelivered %" PRIu64 " ", e->cookie);
        print_error("", &e->error);
        break;
    case LOY_BUS_ERROR:
        print_error("error", &e->error);
        break;
    }
}

static void say(enum loy_err err, const struct loy_error *error)
{
    if (err) {
        print_error("refused", error);
    }
}

static void admin(struct shell *s, bool create)
{
    struct loy_kafka_topic topics[TOPICS_MAX];
    for (uint16_t t = 0; t < s->config.topic_count; t++) {
        topics[t] = (struct loy_kafka_topic){s->topics[t], LOY_KAFKA_INPUT};
    }
    struct loy_kafka_topics wanted = {topics, s->config.topic_count, s->config.partitions, 1};
    struct loy_kafka_topics_report report;
    struct loy_error error = {.code = LOY_OK, .detail = "ok"};
    enum loy_err err =
        (create ? loy_kafka_topics_create : loy_kafka_topics_check)(&s->config.connection, &wanted, &report, &error);
    printf("topics created=%u no_admin=%d times_unverified=%d ", report.created, report.no_admin,
           report.times_unverified);
    error.code = err;
    print_error("", &error);
}

static void produce(struct shell *s, char **words)
{
    bool tombstone = strcmp(words[3], "-") == 0;
    struct loy_bus_message m = {.topic = loy_str(words[1]),
                                .partition = (int32_t)atol(words[2]),
                                .has_key = true,
                                .key = loy_str(words[3]),
                                .has_value = !tombstone,
                                .value = loy_str(words[3])};
    struct loy_error error;
    say(s->bus.produce(s->bus.self, &m, strtoull(words[4], NULL, 10), &error), &error);
}

/* False: quit. */
static bool command(struct shell *s, char **words, int count)
{
    struct loy_error error;
    if (strcmp(words[0], "assign") == 0 && count == 2 + s->config.topic_count) {
        int64_t next[TOPICS_MAX];
        for (int t = 0; t < s->config.topic_count; t++) {
            next[t] = atoll(words[2 + t]);
        }
        struct loy_bus_start at = {(int32_t)atol(words[1]), next};
        say(s->bus.assign(s->bus.self, &at, 1, &error), &error);
    } else if (strcmp(words[0], "seek") == 0 && count == 4) {
        struct loy_position to = {(int16_t)atoi(words[1]), (int32_t)atol(words[2]), atoll(words[3])};
        say(s->bus.seek(s->bus.self, to, &error), &error);
    } else if (strcmp(words[0], "pause") == 0 && count == 3) {
        s->bus.pause(s->bus.self, (int32_t)atol(words[1]), (int16_t)atoi(words[2]));
    } else if (strcmp(words[0], "resume") == 0 && count == 3) {
        s->bus.resume(s->bus.self, (int32_t)atol(words[1]), (int16_t)atoi(words[2]));
    } else if (strcmp(words[0], "produce") == 0 && count == 5) {
        produce(s, words);
    } else if (strcmp(words[0], "revoke_done") == 0) {
        s->bus.revoke_done(s->bus.self);
    } else if (strcmp(words[0], "rebuild") == 0) {
        say(s->bus.rebuild_producer(s->bus.self, &error), &error);
    } else if (strcmp(words[0], "check") == 0 || strcmp(words[0], "create") == 0) {
        admin(s, words[0][1] == 'r');
    } else if (strcmp(words[0], "rest") == 0 && count == 2) {
        (void)usleep((useconds_t)atol(words[1]) * 1000);
        puts("rested");
    } else if (strcmp(words[0], "quit") == 0) {
        return false;
    } else {
        printf("what? %s\n", words[0]);
    }
    return true;
}

static bool run_line(struct shell *s, char *line)
{
    char *words[WORDS_MAX], *rest = NULL;
    int count = 0;
    for (char *w = strtok_r(line, " ", &rest); w && count < WORDS_MAX; w = strtok_r(NULL, " ", &rest)) {
        words[count++] = w;
    }
    return count == 0 || command(s, words, count);
}

/* False: quit, or the end of the input. */
static bool read_commands(struct shell *s)
{
    ssize_t size = read(STDIN_FILENO, s->line + s->line_size, sizeof s->line - 1 - s->line_size);
    if (size <= 0) {
        return false;
    }
    s->line_size += (size_t)size;
    s->line[s->line_size] = '\0';
    for (char *end; (end = strchr(s->line, '\n'));) {
        *end = '\0';
        if (!run_line(s, s->line)) {
            return false;
        }
        s->line_size -= (size_t)(end + 1 - s->line);
        memmove(s->line, end + 1, s->line_size + 1);
    }
    return true;
}

static void log_line(void *self, int level, const char *text)
{
    (void)self;
    fprintf(stderr, "librdkafka %d %s\n", level, text);
}

static void serve(struct shell *s)
{
    for (bool more = true; more;) {
        struct loy_bus_event e = {.kind = LOY_BUS_RECORD};
        for (int i = 0; i < 1000 && e.kind != LOY_BUS_NOTHING; i++) {
            s->bus.poll(s->bus.self, &e);
            print_event(s, &e);
        }
        (void)fflush(stdout);
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = s->bus.wake_fd(s->bus.self), .events = POLLIN}};
        (void)poll(fds, 2, e.kind == LOY_BUS_NOTHING ? 1000 : 0);
        if (fds[0].revents) {
            more = read_commands(s);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc > 4 + TOPICS_MAX) {
        fputs("bus_shell BOOTSTRAP GROUP PARTITIONS TOPIC …\n", stderr);
        return 2;
    }
    struct shell *s = calloc(1, sizeof *s);
    if (!s) {
        return 1;
    }
    for (int i = 4; i < argc; i++) {
        s->topics[i - 4] = loy_str(argv[i]);
    }
    s->config = (struct loy_kafka_config){
        .connection = {.brokers = argv[1], .client_id = "bus_shell"},
        .group = strcmp(argv[2], "-") == 0 ? NULL : argv[2],
        .topics = s->topics,
        .topic_count = (uint16_t)(argc - 4),
        .partitions = (int32_t)atol(argv[3]),
        .session_timeout_ms = SESSION_TIMEOUT_MS,
        .log = log_line,
    };
    struct loy_error error;
    s->kafka = loy_kafka_new(&s->config, &error);
    if (!s->kafka) {
        print_error("refused", &error);
        free(s);
        return 1;
    }
    s->bus = loy_kafka_bus(s->kafka);
    serve(s);
    loy_kafka_destroy(s->kafka);
    free(s);
    return 0;
}
