#include "support/cmocka_all.h"

#include "adapters/kafka/kafka.h"
#include "adapters/kafka/kafka_conf.h"

#include <stdbool.h>
#include <stdlib.h>

static const struct loy_kafka_connection nobody = {.brokers = "127.0.0.1:1"};

static bool has(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    size_t size = sizeof text;
    return rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK && strcmp(text, value) == 0;
}

static void a_consumer_is_eager_and_keeps_its_offsets_to_us(void **state)
{
    (void)state;
    rd_kafka_conf_t *conf = NULL;
    assert_int_equal(loy_kafka_conf_new(LOY_KAFKA_CONSUMER, &nobody, &conf, NULL), LOY_OK);
    assert_true(has(conf, "partition.assignment.strategy", "range"));
    assert_true(has(conf, "enable.auto.commit", "false"));
    assert_true(has(conf, "enable.partition.eof", "true"));
    assert_true(has(conf, "isolation.level", "read_committed"));
    rd_kafka_conf_destroy(conf);
}

static void a_producer_never_reorders_nor_gives_up(void **state)
{
    (void)state;
    rd_kafka_conf_t *conf = NULL;
    assert_int_equal(loy_kafka_conf_new(LOY_KAFKA_PRODUCER, &nobody, &conf, NULL), LOY_OK);
    assert_true(has(conf, "enable.idempotence", "true"));
    assert_true(has(conf, "enable.gapless.guarantee", "true"));
    assert_true(has(conf, "message.timeout.ms", "0"));
    assert_true(has(conf, "partitioner", "murmur2_random"));
    assert_false(has(conf, "enable.auto.commit", "maybe"));
    rd_kafka_conf_destroy(conf);
}

static void what_librdkafka_refuses_is_named(void **state)
{
    (void)state;
    rd_kafka_conf_t *conf = NULL;
    struct loy_error error;
    struct loy_kafka_connection wrong = nobody;
    wrong.security_protocol = "carrier_pigeon";
    assert_int_equal(loy_kafka_conf_new(LOY_KAFKA_CONSUMER, &wrong, &conf, &error), LOY_ERR_CONFIG);
    assert_non_null(strstr(error.detail, "security.protocol"));
    assert_non_null(strstr(error.detail, "carrier_pigeon"));
    assert_int_equal(loy_kafka_conf_new(LOY_KAFKA_CONSUMER, &(struct loy_kafka_connection){0}, &conf, &error),
                     LOY_ERR_CONFIG);
    assert_non_null(strstr(error.detail, "no brokers"));
}

static void a_missing_certificate_stops_the_start(void **state)
{
    (void)state;
    struct loy_kafka_config config = {.connection = nobody};
    config.connection.security_protocol = "ssl";
    config.connection.ssl_ca = "/nonexistent/ca.pem";
    struct loy_error error;
    assert_null(loy_kafka_new(&config, &error));
    assert_int_equal(error.code, LOY_ERR_CONFIG);
    assert_non_null(strstr(error.detail, "ssl.ca.location"));
}

static void a_group_needs_topics_and_partitions(void **state)
{
    (void)state;
    struct loy_str topics[] = {LOY_STR("a")};
    struct loy_error error;
    struct loy_kafka_config config = {.connection = nobody, .group = "g", .topics = topics, .partitions = 4};
    assert_null(loy_kafka_new(&config, &error));
    assert_int_equal(error.code, LOY_ERR_CONFIG);
    config.topic_count = 17;
    assert_null(loy_kafka_new(&config, &error));
    config.topic_count = 1;
    config.partitions = 0;
    assert_null(loy_kafka_new(&config, &error));
    assert_int_equal(error.code, LOY_ERR_CONFIG);
    loy_kafka_destroy(NULL);
}

static enum loy_err produce(struct loy_bus bus, const char *topic, struct loy_str value, uint64_t cookie)
{
    struct loy_bus_message message = {.topic = loy_str(topic), .partition = 0, .has_value = true, .value = value};
    return bus.produce(bus.self, &message, cookie, NULL);
}

static void a_full_queue_says_again_until_the_producer_is_rebuilt(void **state)
{
    (void)state;
    enum { SIZE = 1024 * 1024 };
    struct loy_kafka_config config = {.connection = nobody};
    struct loy_kafka *kafka = loy_kafka_new(&config, NULL);
    assert_non_null(kafka);
    struct loy_bus bus = loy_kafka_bus(kafka);
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    struct loy_str value = {bytes, SIZE};
    int taken = 0;
    enum loy_err err;
    while (!(err = produce(bus, "t", value, (uint64_t)taken)) && taken < 1000) {
        taken++;
    }
    assert_int_equal(err, LOY_ERR_AGAIN);
    assert_in_range(taken, 60, 64); /* MiB */
    assert_int_equal(bus.rebuild_producer(bus.self, NULL), LOY_OK);
    assert_int_equal(produce(bus, "t", value, 7), LOY_OK);
    /* No report of the old producer comes afterwards. */
    struct loy_bus_event event;
    for (int i = 0; i < 100; i++) {
        bus.poll(bus.self, &event);
        assert_true(event.kind == LOY_BUS_NOTHING || event.kind == LOY_BUS_ERROR);
        assert_true(event.kind != LOY_BUS_ERROR || loy_err_class(event.error.code) == LOY_CLASS_RETRY);
    }
    free(bytes);
    loy_kafka_destroy(kafka);
}

/* A row that does not fit whole: as many as fit, and then again. */
static void many_are_taken_as_far_as_there_is_room(void **state)
{
    (void)state;
    enum { SIZE = 1024 * 1024, COUNT = 100 };
    struct loy_kafka_config config = {.connection = nobody};
    struct loy_kafka *kafka = loy_kafka_new(&config, NULL);
    assert_non_null(kafka);
    struct loy_bus bus = loy_kafka_bus(kafka);
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    struct loy_bus_message messages[COUNT];
    for (int i = 0; i < COUNT; i++) {
        messages[i] = (struct loy_bus_message){
            .topic = i % 2 ? LOY_STR("t") : LOY_STR("u"), .has_value = true, .value = {bytes, SIZE}};
    }
    uint32_t taken = 0;
    struct loy_error error;
    assert_int_equal(bus.produce_many(bus.self, messages, COUNT, 1, &taken, &error), LOY_ERR_AGAIN);
    assert_int_equal(taken, 64); /* MiB */
    assert_int_equal(bus.produce_many(bus.self, messages + taken, 1, 1, &taken, &error), LOY_ERR_AGAIN);
    assert_int_equal(taken, 0);
    assert_int_equal(bus.rebuild_producer(bus.self, NULL), LOY_OK);
    assert_int_equal(bus.produce_many(bus.self, messages, 3, 1, &taken, &error), LOY_OK);
    assert_int_equal(taken, 3);
    loy_kafka_destroy(kafka);
    free(bytes);
}

static void an_unknown_compression_is_refused(void **state)
{
    (void)state;
    struct loy_error error = {0};
    struct loy_kafka_config config = {.connection = nobody, .compression = "zip"};
    assert_null(loy_kafka_new(&config, &error));
    assert_int_equal(error.code, LOY_ERR_CONFIG);
    assert_non_null(strstr(error.detail, "compression.codec"));
    config.compression = "lz4";
    struct loy_kafka *kafka = loy_kafka_new(&config, &error);
    assert_non_null(kafka);
    loy_kafka_destroy(kafka);
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
    (void)state;
    struct loy_kafka_config config = {.connection = nobody};
    struct loy_kafka *kafka = loy_kafka_new(&config, NULL);
    assert_non_null(kafka);
    struct loy_bus bus = loy_kafka_bus(kafka);
    char *bytes = calloc(1, LOY_KAFKA_MESSAGE_BYTES_MAX);
    assert_non_null(bytes);
    assert_int_equal(produce(bus, "t", (struct loy_str){bytes, LOY_KAFKA_MESSAGE_BYTES_MAX}, 1), LOY_ERR_TOO_LARGE);
    assert_int_equal(produce(bus, "", LOY_STR("x"), 1), LOY_ERR_CONFIG);
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(produce(bus, name, LOY_STR("x"), 1), LOY_ERR_CONFIG);
    assert_int_equal(produce(bus, "t", LOY_STR("x"), 1), LOY_OK);
    free(bytes);
    loy_kafka_destroy(kafka);
}

/* A producer alone: the consumer's half of the port is there and does nothing. */
static void without_a_group_nothing_is_read(void **state)
{
    (void)state;
    struct loy_kafka_config config = {.connection = nobody};
    struct loy_kafka *kafka = loy_kafka_new(&config, NULL);
    assert_non_null(kafka);
    struct loy_bus bus = loy_kafka_bus(kafka);
    int64_t next = 0;
    struct loy_bus_start start = {0, &next};
    assert_int_equal(bus.assign(bus.self, &start, 1, NULL), LOY_OK);
    assert_int_equal(bus.seek(bus.self, (struct loy_position){0, 0, 0}, NULL), LOY_OK);
    bus.pause(bus.self, 0, -1);
    bus.resume(bus.self, 0, 0);
    bus.report_progress(bus.self, &start, 1);
    bus.revoke_done(bus.self);
    assert_true(bus.wake_fd(bus.self) >= 0);
    loy_kafka_destroy(kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_consumer_is_eager_and_keeps_its_offsets_to_us),
        cmocka_unit_test(a_producer_never_reorders_nor_gives_up),
        cmocka_unit_test(what_librdkafka_refuses_is_named),
        cmocka_unit_test(a_missing_certificate_stops_the_start),
        cmocka_unit_test(a_group_needs_topics_and_partitions),
        cmocka_unit_test(a_full_queue_says_again_until_the_producer_is_rebuilt),
        cmocka_unit_test(many_are_taken_as_far_as_there_is_room),
        cmocka_unit_test(an_unknown_compression_is_refused),
        cmocka_unit_test(what_cannot_be_sent_is_refused_at_once),
        cmocka_unit_test(without_a_group_nothing_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
