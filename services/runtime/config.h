/* Configuration: one table of keys; the loader, --help, --print-config, docs/configuration.md and struct loy_config are
 * made from its rows.
 *
 * A later source overrides an earlier one: default, the file named by --config (or LOYALD_CONFIG), the environment
 * (LOYALD_<KEY>), the command line (--key value, --key=value, - or _ between the words). A secret may also come from a
 * file: <key>_file in the configuration file, LOYALD_<KEY>_FILE, --key-file. What is not in the table stops the start.
 * Impure (reads files). One thread, at the start; read-only afterwards. Test: tests/unit/test_runtime_config.c. */
#ifndef LOY_RUNTIME_CONFIG_H
#define LOY_RUNTIME_CONFIG_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Which programs use a key: bits. The others accept it in the file and the environment, which may be shared. */
enum loy_config_program {
    LOY_CONFIG_WORKER = 1,
    LOY_CONFIG_SCHEDULER = 2,
    LOY_CONFIG_CTL = 4,
    LOY_CONFIG_ALL = 7,
};

/* A comma list. Items are NUL-terminated as well. */
struct loy_config_list {
    const struct loy_str *items;
    uint16_t count;
};

/* Kinds of values, and the C type of their field.
 *   STRING  any text             min, max: bytes      SECRET  the same, never printed
 *   INT     decimal              min, max: the value  BOOL    true or false
 *   ENUM    one of the choices, as its place among them (int)
 *   CHOICE  one of the choices, as its text
 *   LIST    comma list           min, max: items */
#define LOY_CONFIG_C_STRING const char *
#define LOY_CONFIG_C_SECRET const char *
#define LOY_CONFIG_C_INT int64_t
#define LOY_CONFIG_C_BOOL bool
#define LOY_CONFIG_C_ENUM int
#define LOY_CONFIG_C_CHOICE const char *
#define LOY_CONFIG_C_LIST struct loy_config_list

#define LOY_CONFIG_TEXT_MAX 4096

/* clang-format off */
/*   key, kind, default, min, max, choices, programs, help */
#define LOY_CONFIG_TABLE(X)                                                                                            \
    X(kafka_brokers, STRING, "localhost:9092", 1, LOY_CONFIG_TEXT_MAX, NULL, LOY_CONFIG_ALL,                           \
      "Bootstrap brokers of Kafka: host:port, separated by commas")                                                    \
    X(kafka_security_protocol, CHOICE, "", 0, 0, "|plaintext|ssl|sasl_plaintext|sasl_ssl", LOY_CONFIG_ALL,             \
      "How to speak to Kafka; empty: plaintext")                                                                       \
    X(kafka_sasl_mechanism, CHOICE, "", 0, 0, "|PLAIN|SCRAM-SHA-256|SCRAM-SHA-512", LOY_CONFIG_ALL,                    \
      "How to log in to Kafka")                                                                                        \
    X(kafka_sasl_username, STRING, "", 0, LOY_CONFIG_TEXT_MAX, NULL, LOY_CONFIG_ALL,                                   \
      "User name for Kafka")                                                                                           \
    X(kafka_sasl_password, SECRET, "", 0, LOY_CONFIG_TEXT_MAX, NULL, LOY_CONFIG_ALL,                                   \
      "Password for Kafka")                                                                                            \
    X(kafka_ssl_ca, STRING, "", 0, LOY_CONFIG_TEXT_MAX, NULL, LOY_CONFIG_ALL,                                          \
      "File of the certificates that sign the brokers'; empty: the system's")                                          \
    X(kafka_ssl_certificate, STRING, "", 0, LOY_CONFIG_TEXT_MAX, NULL, LOY_CONFIG_ALL,                                 \
      "File of our own certificate, where Kafka asks for one")                                                         \
    X(kafka_ssl_key, STRING, "", 0, LOY_CONFIG_TEXT_MAX, NULL, LOY_CONFIG_ALL,                                         \
      "File of the private key of that certificate")                                                                   \
    X(kafka_session_timeout_ms, INT, "10000", 1000, 1800000, NULL, LOY_CONFIG_WORKER,                                  \
      "A worker that is silent for so long loses its partitions to the others")                                        \
    X(kafka_instance, STRING, "auto", 0, 200, NULL, LOY_CONFIG_WORKER,                                                 \
      "Name of this worker in the group, which it has again when it is started again; auto: made from the machine, "  \
      "empty: none")                                                                                                   \
    X(kafka_compression, CHOICE, "none", 0, 0, "none|lz4|zstd|snappy|gzip", LOY_CONFIG_WORKER,                         \
      "How what is published is compressed: bytes on the network and on the brokers' disks, for CPU time")             \
    X(postgres, SECRET, "", 0, LOY_CONFIG_TEXT_MAX, NULL, LOY_CONFIG_ALL,                                              \
      "PostgreSQL: a conninfo string or postgresql:// address; empty: libpq's own environment (PGHOST …)")             \
    X(redis, SECRET, "", 0, LOY_CONFIG_TEXT_MAX, NULL, LOY_CONFIG_WORKER,                                              \
      "Redis: redis://[user:password@]host:port/db, rediss:// with TLS, unix:///path; empty: none")                    \
    X(redis_timeout_ms, INT, "200", 1, 60000, NULL, LOY_CONFIG_WORKER,                                                 \
      "A read that Redis does not answer in this time is done without it")                                             \
    X(redis_ttl_hours, INT, "0", 0, 87600, NULL, LOY_CONFIG_WORKER,                                                  \
      "A member who was not written for so long leaves Redis; 0: never")                                               \
    X(topics, LIST, "loyalty.events", 1, 14, NULL, LOY_CONFIG_ALL,                                                     \
      "Topics that events come from, all with the same number of partitions")                                          \
    X(topic_internal, STRING, "loyalty.internal", 1, 249, NULL, LOY_CONFIG_ALL,                                        \
      "Topic by which workers pass on events and follow-ups")                                                          \
    X(topic_ticks, STRING, "loyalty.ticks", 1, 249, NULL, LOY_CONFIG_ALL,                                              \
      "Topic of the scheduler's ticks")                                                                                \
    X(topic_updates, STRING, "loyalty.updates", 1, 249, NULL, LOY_CONFIG_ALL,                                          \
      "Topic of the updates that go out: balances and what else happened")                                             \
    X(topic_balances, STRING, "loyalty.balances", 1, 249, NULL, LOY_CONFIG_ALL,                                        \
      "Compacted topic of each member's latest balance")                                                               \
    X(topic_dead_letters, STRING, "loyalty.dead-letters", 1, 249, NULL, LOY_CONFIG_ALL,                                \
      "Topic of the records that were rejected")                                                                       \
    X(topic_previews, STRING, "", 0, 249, NULL, LOY_CONFIG_ALL,                                                        \
      "Topic of the answers to purchases that are marked preview; empty: not answered")                                \
    X(topic_outcomes, STRING, "", 0, 249, NULL, LOY_CONFIG_ALL,                                                        \
      "Topic of every record's outcome; empty: not published")                                                         \
    X(partitions, INT, "64", 1, 4096, NULL, LOY_CONFIG_ALL,                                                            \
      "Partitions of every topic; fixed by the first start")                                                           \
    X(replication_factor, INT, "1", 1, 32, NULL, LOY_CONFIG_CTL,                                                       \
      "Copies of each partition, for `loyalctl topics create`")                                                        \
    X(group, STRING, "loyald", 1, 249, NULL, LOY_CONFIG_ALL,                                                           \
      "Consumer group of the workers; fixed by the first start")                                                       \
    X(threads, INT, "4", 1, 64, NULL, LOY_CONFIG_WORKER,                                                               \
      "Threads of a worker; each has its own consumer, producer and connections")                                      \
    X(batch_min, INT, "250", 1, 65536, NULL, LOY_CONFIG_WORKER,                                                        \
      "Records of a batch while there is little to do")                                                                \
    X(batch_max, INT, "2000", 1, 65536, NULL, LOY_CONFIG_WORKER,                                                       \
      "Records of a batch while there is a backlog")                                                                   \
    X(memory_mb, INT, "256", 4, 65536, NULL, LOY_CONFIG_WORKER,                                                         \
      "Largest memory of a batch; a thread has two")                                                                   \
    X(cache_mb, INT, "5", 0, 65536, NULL, LOY_CONFIG_WORKER,                                                           \
      "Memory of a thread's own cache of accounts, 3,000 to 6,000 of them a MiB; 0: none")                             \
    X(historical_sources, LIST, "", 0, 64, NULL, LOY_CONFIG_WORKER,                                                    \
      "Sources whose events are judged as of when they happened, unless the programme names its own")                                    \
    X(output_format, ENUM, "protobuf", 0, 0, "protobuf|json", LOY_CONFIG_ALL,                                          \
      "Form of what is published")                                                                                     \
    X(enrol, BOOL, "true", 0, 0, NULL, LOY_CONFIG_WORKER,                                                              \
      "Whether a member's first event enrols it; otherwise it is rejected")                                            \
    X(scan_interval_ms, INT, "1000", 10, 3600000, NULL, LOY_CONFIG_SCHEDULER,                                          \
      "How often the scheduler looks for what is due")                                                                 \
    X(tick_batch, INT, "1000", 1, 100000, NULL, LOY_CONFIG_SCHEDULER,                                                  \
      "Most accounts of one look")                                                                                     \
    X(http_port, INT, "8080", -1, 65535, NULL, LOY_CONFIG_WORKER | LOY_CONFIG_SCHEDULER,                               \
      "Port of /metrics, /livez and /readyz; 0: any free one, logged; -1: none")                                       \
    X(http_address, STRING, "127.0.0.1", 1, 64, NULL, LOY_CONFIG_WORKER | LOY_CONFIG_SCHEDULER,                        \
      "Address that this port is opened on; 0.0.0.0 or :: for all")                                                    \
    X(log_level, ENUM, "info", 0, 0, "error|warn|info|debug", LOY_CONFIG_ALL,                                          \
      "What is logged: this level and the more serious ones")                                                          \
    X(log_format, ENUM, "logfmt", 0, 0, "logfmt|json", LOY_CONFIG_ALL,                                                 \
      "Form of a log line")
/* clang-format on */

/* Values of output_format; those of log_level and log_format are in runtime/log.h, in the same order. */
enum loy_config_output { LOY_OUTPUT_PROTOBUF, LOY_OUTPUT_JSON };

enum loy_config_key {
#define LOY_CONFIG_ENUM_ROW(key, ...) LOY_KEY_##key,
    LOY_CONFIG_TABLE(LOY_CONFIG_ENUM_ROW)
#undef LOY_CONFIG_ENUM_ROW
        LOY_KEY_COUNT
};

/* What the command line asks for. */
enum loy_config_action {
    LOY_CONFIG_RUN,
    LOY_CONFIG_HELP,    /* --help: nothing else was read */
    LOY_CONFIG_VERSION, /* --version: nothing else was read */
    LOY_CONFIG_PRINT,   /* --print-config */
};

/* One typed field a row. Texts are NUL-terminated, never NULL, and belong to the struct until loy_config_fini. */
struct loy_config {
#define LOY_CONFIG_FIELD_ROW(key, kind, ...) LOY_CONFIG_C_##kind key;
    LOY_CONFIG_TABLE(LOY_CONFIG_FIELD_ROW)
#undef LOY_CONFIG_FIELD_ROW
    enum loy_config_action action;
    int next_arg;                         /* argv from here on is not ours: loyalctl's command; else argc */
    const char *came_from[LOY_KEY_COUNT]; /* "default", "LOYALD_THREADS", "loyald.conf:12", "--threads" */
    const char *text[LOY_KEY_COUNT];      /* the value as it was given */
    void *block;                          /* memory of all texts */
};

struct loy_config_args {
    enum loy_config_program program;
    int argc;
    char *const *argv;
    char *const *environment; /* NULL: none */
};

/* Fills *ret_config; LOY_ERR_CONFIG with a sentence that names key, value, where it came from and what is allowed.
 * Options end at the first word that is none: loyalctl's command; for the other programs such a word is an error. */
LOY_MUST_USE enum loy_err loy_config_load(const struct loy_config_args *args, struct loy_config *ret_config,
                                          struct loy_error *error);
/* Overwrites and frees the texts. Takes a zeroed struct too. */
void loy_config_fini(struct loy_config *config);

/* The keys that a program uses, for --help. */
void loy_config_write_help(FILE *out, enum loy_config_program program);
/* All values, as a file that --config reads; secrets as a comment only. */
void loy_config_write(FILE *out, const struct loy_config *config, enum loy_config_program program);
/* docs/configuration.md. */
void loy_config_write_markdown(FILE *out);
/* Does what action asks for, --help, --version or --print-config, and returns true; false for LOY_CONFIG_RUN. */
bool loy_config_answer(FILE *out, const struct loy_config *config, enum loy_config_program program);

#endif
