/* The bus contract on a broker: contract_bus_kafka BOOTSTRAP PREFIX [HISTORY]
 * Topics PREFIX<history>.{events,internal,ticks} must be there. `contract_bus_kafka --topics PREFIX` prints their
 * names. */
#include "contract/contract_bus.h"

#include "adapters/kafka/admin.h"
#include "adapters/kafka/kafka.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SESSION_TIMEOUT_MS = 3000, WAIT_MS = 100 };

struct broker {
    const char *address;
    const char *prefix;
    char names[CONTRACT_TOPICS][128];
    struct loy_str topics[CONTRACT_TOPICS];
    char group[128];
    struct loy_kafka *members[8];
    int member_count;
};

static const char *const kinds[CONTRACT_TOPICS] = {"events", "internal", "ticks"};

static void log_line(void *self, int level, const char *text)
{
    (void)self;
    if (getenv("CONTRACT_VERBOSE")) {
        fprintf(stderr, "librdkafka %d %s\n", level, text);
    }
}

static const struct loy_str *begin(void *self, int history)
{
    struct broker *b = self;
    for (int t = 0; t < CONTRACT_TOPICS; t++) {
        (void)snprintf(b->names[t], sizeof b->names[t], "%s%d.%s", b->prefix, history, kinds[t]);
        b->topics[t] = loy_str(b->names[t]);
    }
    (void)snprintf(b->group, sizeof b->group, "%s%d", b->prefix, history);
    struct loy_kafka_topic topics[CONTRACT_TOPICS];
    for (int t = 0; t < CONTRACT_TOPICS; t++) {
        topics[t] = (struct loy_kafka_topic){b->topics[t], LOY_KAFKA_INPUT};
    }
    struct loy_kafka_topics wanted = {topics, CONTRACT_TOPICS, CONTRACT_PARTITIONS, 1};
    struct loy_kafka_topics_report report;
    struct loy_error error;
    if (loy_kafka_topics_create(&(struct loy_kafka_connection){.brokers = b->address}, &wanted, &report, &error)) {
        fprintf(stderr, "%s\n", error.detail);
        exit(1);
    }
    if (history == 0) {
        printf("topics: %u created%s%s\n", report.created, report.no_admin ? ", no admin calls" : "",
               report.times_unverified ? ", timestamps not verified" : "");
    }
    return b->topics;
}

static struct loy_bus join(void *self)
{
    struct broker *b = self;
    struct loy_kafka_config config = {
        .connection = {.brokers = b->address, .client_id = "contract"},
        .group = b->group,
        .topics = b->topics,
        .topic_count = CONTRACT_TOPICS,
        .partitions = CONTRACT_PARTITIONS,
        .session_timeout_ms = SESSION_TIMEOUT_MS,
        .log = log_line,
    };
    struct loy_error error;
    struct loy_kafka *kafka = loy_kafka_new(&config, &error);
    if (!kafka) {
        fprintf(stderr, "%s\n", error.detail);
        exit(1);
    }
    return loy_kafka_bus(kafka);
}

static void leave(void *self, struct loy_bus bus)
{
    (void)self;
    loy_kafka_destroy(bus.self);
}

static void wait_for(void *self, const struct loy_bus *buses, int count)
{
    (void)self;
    struct pollfd fds[8];
    for (int i = 0; i < count; i++) {
        fds[i] = (struct pollfd){.fd = buses[i].wake_fd(buses[i].self), .events = POLLIN};
    }
    (void)poll(fds, (nfds_t)count, WAIT_MS);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--topics") == 0) {
        for (int i = 0; i < contract_bus_count() * CONTRACT_TOPICS; i++) {
            printf("%s%s%d.%s:%d", i ? "," : "", argv[2], i / CONTRACT_TOPICS, kinds[i % CONTRACT_TOPICS],
                   CONTRACT_PARTITIONS);
        }
        putchar('\n');
        return 0;
    }
    for (int i = 0; argc == 2 && i < contract_bus_count(); i++) {
        puts(contract_bus_name(i));
    }
    if (argc < 3) {
        return argc == 2 ? 0 : 2;
    }
    struct broker broker = {.address = argv[1], .prefix = argv[2]};
    struct contract_bus_world world = {
        .self = &broker, .begin = begin, .join = join, .leave = leave, .wait = wait_for, .patience = 200};
    return contract_bus_run(&world, argc > 3 ? argv[3] : NULL) ? 1 : 0;
}
