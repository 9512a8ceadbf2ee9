#include "runtime/config.h"

#include "runtime/log.h"
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORDS_MAX = 16 };

/* A command line and an environment, as main gets them. */
struct start {
    enum loy_config_program program;
    char *argv[WORDS_MAX];
    char *environment[WORDS_MAX];
};

static enum loy_err load(const struct start *start, struct loy_config *ret_config, struct loy_error *error)
{
    struct loy_config_args args = {
        .program = start->program ? start->program : LOY_CONFIG_WORKER,
        .argv = start->argv,
        .environment = start->environment,
    };
    while (start->argv[args.argc]) {
        args.argc++;
    }
    *error = (struct loy_error){0};
    return loy_config_load(&args, ret_config, error);
}

static struct loy_config loaded(const struct start *start)
{
    struct loy_config config;
    struct loy_error error;
    if (load(start, &config, &error) != LOY_OK) {
        fail_msg("refused: %s", error.detail);
    }
    return config;
}

/* The start is refused, and every one of the words is in the sentence. */
static void refused(const struct start *start, const char *const *words)
{
    struct loy_config config;
    struct loy_error error;
    assert_int_equal(load(start, &config, &error), LOY_ERR_CONFIG);
    for (; *words; words++) {
        if (!strstr(error.detail, *words)) {
            fail_msg("'%s' is not in: %s", *words, error.detail);
        }
    }
}
#define REFUSED(start, ...) refused(start, (const char *const[]){__VA_ARGS__, NULL})

static char folder[] = "/tmp/loyald-config-XXXXXX";
static char path[64];

static char *file_with(const char *text)
{
    (void)snprintf(path, sizeof path, "%s/file", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    return path;
}

static char *variable(const char *name, const char *value)
{
    static char text[8][256];
    static int next;
    char *at = text[next++ % 8];
    (void)snprintf(at, 256, "%s=%s", name, value);
    return at;
}

static void has_the_defaults_of_the_table(void **state)
{
    (void)state;
    struct loy_config config = loaded(&(struct start){.argv = {"worker"}});
    assert_string_equal(config.kafka_brokers, "localhost:9092");
    assert_int_equal(config.threads, 4);
    assert_int_equal(config.partitions, 64);
    assert_int_equal(config.redis_ttl_hours, 0);
    assert_true(config.enrol);
    assert_int_equal(config.output_format, LOY_OUTPUT_PROTOBUF);
    assert_int_equal(config.log_level, LOY_LOG_INFO);
    assert_int_equal(config.log_format, LOY_LOG_LOGFMT);
    assert_int_equal(config.topics.count, 1);
    assert_string_equal(config.topics.items[0].at, "loyalty.events");
    assert_int_equal(config.historical_sources.count, 0);
    assert_string_equal(config.topic_outcomes, "");
    assert_int_equal(config.action, LOY_CONFIG_RUN);
    loy_config_fini(&config);
}

static void enums_stand_in_the_order_of_their_choices(void **state)
{
    (void)state;
    static char *const levels[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        struct loy_config config = loaded(&(struct start){.argv = {"w", "--log-level", levels[i]}});
        static const int values[] = {LOY_LOG_ERROR, LOY_LOG_WARN, LOY_LOG_INFO, LOY_LOG_DEBUG};
        assert_int_equal(config.log_level, values[i]);
        loy_config_fini(&config);
    }
    struct loy_config config = loaded(&(struct start){.argv = {"w", "--log_format=json", "--output-format", "json"}});
    assert_int_equal(config.log_format, LOY_LOG_JSON);
    assert_int_equal(config.output_format, LOY_OUTPUT_JSON);
    loy_config_fini(&config);
}

static void later_sources_win(void **state)
{
    (void)state;
    char *file = file_with("# ours\n threads = 5 \r\n\npartitions=8\ngroup = a = b\n");
    struct start start = {.argv = {"w", "--config", file}};
    struct loy_config config = loaded(&start);
    assert_int_equal(config.threads, 5);
    assert_string_equal(config.group, "a = b");
    assert_non_null(strstr(config.came_from[LOY_KEY_threads], ":2"));
    loy_config_fini(&config);

    start.environment[0] = variable("LOYALD_THREADS", "6");
    config = loaded(&start);
    assert_int_equal(config.threads, 6);
    assert_int_equal(config.partitions, 8);
    assert_string_equal(config.came_from[LOY_KEY_threads], "LOYALD_THREADS");
    loy_config_fini(&config);

    start.argv[3] = "--threads=7";
    config = loaded(&start);
    assert_int_equal(config.threads, 7);
    assert_string_equal(config.came_from[LOY_KEY_threads], "--threads");
    loy_config_fini(&config);

    start = (struct start){.argv = {"w"}, .environment = {variable("LOYALD_CONFIG", file)}};
    config = loaded(&start);
    assert_int_equal(config.threads, 5);
    loy_config_fini(&config);
}

static void lists_are_split_and_trimmed(void **state)
{
    (void)state;
    struct loy_config config =
        loaded(&(struct start){.argv = {"w", "--topics", " web , pos", "--historical-sources", "a,b,c"}});
    assert_int_equal(config.topics.count, 2);
    assert_string_equal(config.topics.items[0].at, "web");
    assert_string_equal(config.topics.items[1].at, "pos");
    assert_int_equal(config.topics.items[1].len, 3);
    assert_int_equal(config.historical_sources.count, 3);
    loy_config_fini(&config);
    REFUSED((&(struct start){.argv = {"w", "--topics", "a,,b"}}), "topics", "a,,b", "commas");
    REFUSED((&(struct start){.argv = {"w", "--topics", ""}}), "topics", "1 to 14");
    REFUSED((&(struct start){.argv = {"w", "--topics", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o"}}), "1 to 14");
}

static void an_unknown_key_stops_the_start_with_a_suggestion(void **state)
{
    (void)state;
    REFUSED((&(struct start){.argv = {"w", "--thread", "4"}}), "--thread", "did you mean threads?");
    REFUSED((&(struct start){.argv = {"w", "--kafka-borkers", "x"}}), "did you mean kafka_brokers?");
    REFUSED((&(struct start){.argv = {"w"}, .environment = {"LOYALD_THREDS=4"}}), "LOYALD_THREDS",
            "did you mean threads?");
    REFUSED((&(struct start){.argv = {"w"}, .environment = {"LOYALD_POSTGRES_FIEL=4"}}), "did you mean postgres_file?");
    REFUSED((&(struct start){.argv = {"w"}, .environment = {"LOYALD_ZZZZZZZZZZZZ=4"}}), "--help lists them");
    REFUSED((&(struct start){.argv = {"w", "--config", file_with("threads = 2\nbatchmax = 3\n")}}), "file:2",
            "did you mean batch_max?");
    REFUSED((&(struct start){.argv = {"w", "--config", file_with("threads 2\n")}}), "file:1", "key = value",
            "threads 2");
    REFUSED((&(struct start){.argv = {"w", "serve"}}), "serve");
}

static void a_value_that_is_not_allowed_says_key_value_source_and_range(void **state)
{
    (void)state;
    REFUSED((&(struct start){.argv = {"w"}, .environment = {"LOYALD_THREADS=65"}}), "LOYALD_THREADS", "threads", "'65'",
            "from 1 to 64");
    REFUSED((&(struct start){.argv = {"w", "--threads", "0"}}), "--threads", "'0'", "from 1 to 64");
    REFUSED((&(struct start){.argv = {"w", "--threads", "4x"}}), "'4x'", "whole number");
    REFUSED((&(struct start){.argv = {"w", "--threads", ""}}), "''", "whole number");
    REFUSED((&(struct start){.argv = {"w", "--threads", "99999999999999999999"}}), "whole number");
    REFUSED((&(struct start){.argv = {"w", "--enrol", "yes"}}), "enrol", "'yes'", "true or false");
    REFUSED((&(struct start){.argv = {"w", "--log-level", "loud"}}), "'loud'", "error, warn, info, debug");
    REFUSED((&(struct start){.argv = {"w", "--kafka-security-protocol", "tls"}}), "'tls'", "empty", "sasl_ssl");
    REFUSED((&(struct start){.argv = {"w", "--config", file_with("\n\nthreads = many\n")}}), "file:3", "'many'");
    REFUSED((&(struct start){.argv = {"w", "--threads"}}), "--threads", "value is missing");
    REFUSED((&(struct start){.argv = {"w", "--config", "/nowhere/at/all"}}), "/nowhere/at/all", "No such file");
    REFUSED((&(struct start){.argv = {"w", "--scan-interval-ms", "50"}}), "scan_interval_ms", "does not use");
}

static void a_key_of_another_program_is_no_error_where_sources_are_shared(void **state)
{
    (void)state;
    struct loy_config config = loaded(&(struct start){.argv = {"w"}, .environment = {"LOYALD_SCAN_INTERVAL_MS=50"}});
    assert_int_equal(config.scan_interval_ms, 50);
    loy_config_fini(&config);
}

static void what_must_fit_together_is_checked(void **state)
{
    (void)state;
    REFUSED((&(struct start){.argv = {"w", "--batch-min", "5000"}}), "batch_min", "5000", "batch_max", "2000");
    REFUSED((&(struct start){.argv = {"w", "--topic-ticks", "loyalty.events"}}), "topic_ticks", "topics");
    REFUSED((&(struct start){.argv = {"w", "--topics", "a,a"}}), "'a'", "already");
    REFUSED((&(struct start){.argv = {"w", "--topics", "with space"}}), "with space", "a-z");
    REFUSED((&(struct start){.argv = {"w", "--topic-updates", ".."}}), "topic_updates");
    REFUSED((&(struct start){.argv = {"w", "--kafka-ssl-key", "k.pem"}}), "kafka_ssl_certificate");
}

static void a_secret_comes_from_a_file_without_its_line_end(void **state)
{
    (void)state;
    char *file = file_with("host=db password=hush\n");
    struct loy_config config =
        loaded(&(struct start){.argv = {"w"}, .environment = {variable("LOYALD_POSTGRES_FILE", file)}});
    assert_string_equal(config.postgres, "host=db password=hush");
    loy_config_fini(&config);
    config = loaded(&(struct start){.argv = {"w", "--postgres-file", file}});
    assert_string_equal(config.postgres, "host=db password=hush");
    loy_config_fini(&config);
    REFUSED((&(struct start){.argv = {"w"},
                             .environment = {variable("LOYALD_POSTGRES_FILE", file), "LOYALD_POSTGRES=host=b"}}),
            "postgres", "twice", "LOYALD_POSTGRES_FILE");
    REFUSED((&(struct start){.argv = {"w", "--config", file_with("threads = 1\nthreads = 2\n")}}), "file:2", "file:1",
            "twice");
    /* Only secrets have that form. */
    REFUSED((&(struct start){.argv = {"w", "--threads-file", "x"}}), "threads_file");
}

static char printed[65536];

static void print(const struct loy_config *config, enum loy_config_program program)
{
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_true(loy_config_answer(out, config, program));
    (void)fclose(out);
}

static void print_config_masks_secrets_and_can_be_read_again(void **state)
{
    (void)state;
    struct loy_config config = loaded(&(struct start){.argv = {"w", "--print-config", "--threads", "3"},
                                                      .environment = {"LOYALD_POSTGRES=password=hush"}});
    assert_int_equal(config.action, LOY_CONFIG_PRINT);
    print(&config, LOY_CONFIG_WORKER);
    loy_config_fini(&config);
    assert_null(strstr(printed, "hush"));
    assert_non_null(strstr(printed, "# postgres: set, from LOYALD_POSTGRES\n"));
    assert_non_null(strstr(printed, "# from --threads\nthreads = 3\n"));
    assert_null(strstr(printed, "scan_interval_ms"));
    config = loaded(&(struct start){.argv = {"w", "--config", file_with(printed)}});
    assert_int_equal(config.threads, 3);
    loy_config_fini(&config);
}

static void help_and_version_are_answered_before_anything_is_read(void **state)
{
    (void)state;
    struct loy_config config = loaded(&(struct start){.argv = {"w", "--help"}, .environment = {"LOYALD_THREDS=4"}});
    print(&config, LOY_CONFIG_WORKER);
    assert_non_null(strstr(printed, "--kafka_brokers"));
    assert_non_null(strstr(printed, "--postgres *"));
    assert_null(strstr(printed, "--tick_batch"));
    loy_config_fini(&config);
    config = loaded(&(struct start){.argv = {"w", "--threads", "4", "--version"}});
    print(&config, LOY_CONFIG_SCHEDULER);
    assert_memory_equal(printed, "loyald-scheduler ", 17);
    loy_config_fini(&config);
}

static void loyalctl_keeps_its_command_for_itself(void **state)
{
    (void)state;
    struct start start = {.program = LOY_CONFIG_CTL, .argv = {"loyalctl", "--partitions", "3", "audit", "--topics"}};
    struct loy_config config = loaded(&start);
    assert_int_equal(config.next_arg, 3);
    assert_int_equal(config.partitions, 3);
    loy_config_fini(&config);
    start = (struct start){.program = LOY_CONFIG_CTL, .argv = {"loyalctl", "member", "--help"}};
    config = loaded(&start);
    assert_int_equal(config.action, LOY_CONFIG_RUN);
    loy_config_fini(&config);
}

static void variables_of_kubernetes_service_links_are_not_ours(void **state)
{
    (void)state;
    struct loy_config config = loaded(&(struct start){
        .argv = {"w"},
        .environment = {"LOYALD_WORKER_SERVICE_HOST=10.0.0.1", "LOYALD_WORKER_SERVICE_PORT_METRICS=8080",
                        "LOYALD_WORKER_PORT=tcp://10.0.0.1:8080", "LOYALD_WORKER_PORT_8080_TCP_ADDR=10.0.0.1"}});
    loy_config_fini(&config);
    REFUSED((&(struct start){.argv = {"w"}, .environment = {"LOYALD_WORKER_PORT=8080"}}), "worker_port");
}

static void where_the_test_data_is_does_not_concern_a_program(void **state)
{
    (void)state;
    struct loy_config config = loaded(&(struct start){.argv = {"w"}, .environment = {"LOYALD_SHARED=../shared"}});
    loy_config_fini(&config);
    REFUSED((&(struct start){.argv = {"w"}, .environment = {"LOYALD_SHARE=../shared"}}), "share");
}

static void texts_over_their_limits_are_refused(void **state)
{
    (void)state;
    static char longer[LOY_CONFIG_TEXT_MAX + 64];
    memset(longer, 'x', LOY_CONFIG_TEXT_MAX + 1);
    REFUSED((&(struct start){.argv = {"w", "--kafka-brokers", longer}}), "kafka_brokers", "1 to 4096 bytes");
    REFUSED((&(struct start){.argv = {"w", "--group", ""}}), "group", "1 to 249");
    static char big[70000];
    memset(big, '#', sizeof big - 1);
    REFUSED((&(struct start){.argv = {"w", "--config", file_with(big)}}), "text file of at most");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_defaults_of_the_table),
        cmocka_unit_test(enums_stand_in_the_order_of_their_choices),
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(lists_are_split_and_trimmed),
        cmocka_unit_test(an_unknown_key_stops_the_start_with_a_suggestion),
        cmocka_unit_test(a_value_that_is_not_allowed_says_key_value_source_and_range),
        cmocka_unit_test(a_key_of_another_program_is_no_error_where_sources_are_shared),
        cmocka_unit_test(what_must_fit_together_is_checked),
        cmocka_unit_test(a_secret_comes_from_a_file_without_its_line_end),
        cmocka_unit_test(print_config_masks_secrets_and_can_be_read_again),
        cmocka_unit_test(help_and_version_are_answered_before_anything_is_read),
        cmocka_unit_test(loyalctl_keeps_its_command_for_itself),
        cmocka_unit_test(variables_of_kubernetes_service_links_are_not_ours),
        cmocka_unit_test(where_the_test_data_is_does_not_concern_a_program),
        cmocka_unit_test(texts_over_their_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
