/* loyald-broker: librdkafka's mock cluster as a process, for a first run and for tests. Not a Kafka to keep data in. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOPIC_NAME_MAX = 249, PARTITIONS_MAX = 10000, BROKERS_MAX = 9 };

struct options {
    const char *topics;
    const char *address_file;
    int partitions;
    int brokers;
};

static const char help[] =
    "loyald-broker: an embedded broker that speaks Kafka's protocol, for a first run, development and tests\n"
    "\n"
    "  --topics NAME[:PARTITIONS],…  created at the start\n"
    "  --partitions N                of a topic that names none (64)\n"
    "  --brokers N                   brokers in the cluster (1)\n"
    "  --address-file FILE           written, complete, once clients may connect: host:port,…\n"
    "  --help\n"
    "\n"
    "Prints `bootstrap=host:port,…` and runs until SIGTERM or SIGINT.\n"
    "\n"
    "What it is not (it is the mock cluster of librdkafka, in memory):\n"
    "  - the port cannot be chosen, and only this machine's clients reach it (127.0.0.1)\n"
    "  - a partition keeps 5 MiB or 100 000 batches; the oldest are dropped without a word\n"
    "  - everything is gone when it stops\n"
    "  - no admin calls: topics come from --topics; one that is only asked for gets 4 partitions\n"
    "  - records keep the producer's timestamp: there is no LogAppendTime\n"
    "  - transactions are not isolated, nothing is compacted, there is no TLS, no SASL and no ACL\n"
    "  - a group's first members wait 3 s; a member more or less costs the others up to the session time-out\n";

static bool parse_count(const char *text, int max, int *ret_value)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < 1 || value > max) {
        return false;
    }
    *ret_value = (int)value;
    return true;
}

/* 0: go on; otherwise the exit status plus one. */
static int parse_options(int argc, char **argv, struct options *ret_options)
{
    static const struct option names[] = {
        {"topics", required_argument, NULL, 't'},  {"partitions", required_argument, NULL, 'p'},
        {"brokers", required_argument, NULL, 'b'}, {"address-file", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        bool good = true;
        switch (option) {
        case 't':
            ret_options->topics = optarg;
            break;
        case 'p':
            good = parse_count(optarg, PARTITIONS_MAX, &ret_options->partitions);
            break;
        case 'b':
            good = parse_count(optarg, BROKERS_MAX, &ret_options->brokers);
            break;
        case 'a':
            ret_options->address_file = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return 1;
        default:
            fputs("loyald-broker: try --help\n", stderr);
            return 3;
        }
        if (!good) {
            fprintf(stderr, "loyald-broker: %s is not a count that works here (try --help)\n", optarg);
            return 3;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "loyald-broker: %s? Only options are taken (try --help)\n", argv[optind]);
        return 3;
    }
    return 0;
}

/* One `name` or `name:partitions`. */
static bool create_topic(rd_kafka_mock_cluster_t *cluster, const char *text, size_t length, int partitions)
{
    char name[TOPIC_NAME_MAX + 16];
    if (length == 0 || length >= sizeof name) {
        fprintf(stderr, "loyald-broker: a topic's name is empty or too long\n");
        return false;
    }
    memcpy(name, text, length);
    name[length] = '\0';
    char *colon = strchr(name, ':');
    if (colon) {
        *colon = '\0';
        if (!parse_count(colon + 1, PARTITIONS_MAX, &partitions)) {
            fprintf(stderr, "loyald-broker: topic %s: %s is not a number of partitions\n", name, colon + 1);
            return false;
        }
    }
    rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(cluster, name, partitions, 1);
    if (code) {
        fprintf(stderr, "loyald-broker: topic %s: %s\n", name, rd_kafka_err2str(code));
        return false;
    }
    return true;
}

static bool create_topics(rd_kafka_mock_cluster_t *cluster, const char *topics, int partitions)
{
    for (const char *at = topics; at && *at;) {
        size_t length = strcspn(at, ",");
        if (!create_topic(cluster, at, length, partitions)) {
            return false;
        }
        at += length + (at[length] == ',');
    }
    return true;
}

/* Under another name first, so that whoever waits for the file never reads half of it. */
static bool write_address(const char *path, const char *address)
{
    char draft[4096];
    if (snprintf(draft, sizeof draft, "%s.new", path) >= (int)sizeof draft) {
        fprintf(stderr, "loyald-broker: the path of --address-file is too long\n");
        return false;
    }
    FILE *file = fopen(draft, "we");
    bool written = file && fprintf(file, "%s\n", address) > 0;
    if (file && fclose(file)) {
        written = false;
    }
    if (!written || rename(draft, path)) {
        fprintf(stderr, "loyald-broker: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

static int serve(const struct options *options, rd_kafka_mock_cluster_t *cluster, const sigset_t *until)
{
    if (!create_topics(cluster, options->topics, options->partitions)) {
        return 2;
    }
    const char *address = rd_kafka_mock_cluster_bootstraps(cluster);
    if (options->address_file && !write_address(options->address_file, address)) {
        return 1;
    }
    printf("bootstrap=%s\n", address);
    if (fflush(stdout)) {
        return 1;
    }
    int signal_number = 0;
    (void)sigwait(until, &signal_number);
    if (options->address_file) {
        (void)unlink(options->address_file);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {.partitions = 64, .brokers = 1};
    int parsed = parse_options(argc, argv, &options);
    if (parsed) {
        return parsed - 1;
    }
    /* Blocked before the cluster's threads start, so that they inherit it and sigwait gets them. */
    sigset_t until;
    sigemptyset(&until);
    sigaddset(&until, SIGTERM);
    sigaddset(&until, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &until, NULL)) {
        return 1;
    }
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL); /* it would warn that this client has no brokers, as is meant */
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        fprintf(stderr, "loyald-broker: %s\n", text);
        return 1;
    }
    int status = 1;
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, options.brokers);
    if (cluster) {
        status = serve(&options, cluster, &until);
        rd_kafka_mock_cluster_destroy(cluster);
    } else {
        fputs("loyald-broker: the mock cluster did not start\n", stderr);
    }
    rd_kafka_destroy(client);
    return status;
}
