#include "runtime/log.h"

#include "support/cmocka_all.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char line[LOY_LOG_LINE_MAX + 1];

#define FORMAT(format, ...)                                                                                            \
    line_of(format, (const struct loy_log_field[]){LOY_LOG_TEXT("event", "tried"), __VA_ARGS__},                       \
            sizeof((const struct loy_log_field[]){LOY_LOG_TEXT("event", "tried"), __VA_ARGS__}) /                      \
                sizeof(struct loy_log_field))

static const char *line_of(enum loy_log_format format, const struct loy_log_field *fields, size_t count)
{
    size_t length = loy_log_format_line(line, format, INT64_C(1761989400123456), LOY_LOG_WARN, fields, count);
    line[length] = '\0';
    return line;
}

static void logfmt_has_time_level_event_and_fields(void **state)
{
    (void)state;
    assert_string_equal(FORMAT(LOY_LOG_LOGFMT, LOY_LOG_INT("count", -3), LOY_LOG_TEXT("owner", "host-1"),
                               LOY_LOG_BOOL("done", true), LOY_LOG_REAL("seconds", 0.25)),
                        "time=2025-11-01T09:30:00.123Z level=warn event=tried count=-3 owner=host-1 done=true "
                        "seconds=0.25\n");
}

static void logfmt_quotes_what_would_be_misread(void **state)
{
    (void)state;
    assert_non_null(strstr(FORMAT(LOY_LOG_LOGFMT, LOY_LOG_TEXT("detail", "a \"b\" = c\\d\ne")),
                           " detail=\"a \\\"b\\\" = c\\\\d\\ne\"\n"));
    assert_non_null(strstr(FORMAT(LOY_LOG_LOGFMT, LOY_LOG_TEXT("detail", "")), " detail=\"\"\n"));
    assert_non_null(strstr(FORMAT(LOY_LOG_LOGFMT, LOY_LOG_TEXT("detail", "\x1b[31m")), " detail=\"\\u001b[31m\"\n"));
    assert_non_null(strstr(FORMAT(LOY_LOG_LOGFMT, LOY_LOG_TEXT("detail", "Größe")), " detail=\"Größe\"\n"));
}

static void json_is_read_back_by_a_json_library(void **state)
{
    (void)state;
    struct loy_error error = {LOY_ERR_TIMEOUT, "no \"answer\"\tin 200 ms"};
    FORMAT(LOY_LOG_JSON, LOY_LOG_FAILURE(&error), LOY_LOG_INT("big", INT64_MIN), LOY_LOG_REAL("rate", 1.0 / 0.0),
           LOY_LOG_STR("bytes", ((struct loy_str){"\xff\x80ok\0", 5})));
    json_t *json = json_loads(line, JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "event")), "tried");
    assert_string_equal(json_string_value(json_object_get(json, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(json, "error")), "timeout");
    assert_string_equal(json_string_value(json_object_get(json, "detail")), error.detail);
    assert_int_equal(json_integer_value(json_object_get(json, "big")), INT64_MIN);
    assert_true(json_is_null(json_object_get(json, "rate")));
    assert_int_equal(json_string_length(json_object_get(json, "bytes")), 9);
    json_decref(json);
}

static void a_line_that_is_too_long_loses_fields_and_says_so(void **state)
{
    (void)state;
    static char text[LOY_LOG_LINE_MAX];
    for (size_t length = LOY_LOG_LINE_MAX - 200; length < LOY_LOG_LINE_MAX; length++) {
        memset(text, 'x', length);
        struct loy_log_field fields[] = {LOY_LOG_STR("a", ((struct loy_str){text, length})), LOY_LOG_INT("b", 1)};
        for (int format = LOY_LOG_LOGFMT; format <= LOY_LOG_JSON; format++) {
            size_t written = loy_log_format_line(line, (enum loy_log_format)format, 0, LOY_LOG_INFO, fields, 2);
            assert_in_range(written, 1, LOY_LOG_LINE_MAX);
            line[written] = '\0';
            assert_int_equal(line[written - 1], '\n');
            bool whole = strstr(line, format == LOY_LOG_JSON ? "\"b\":1" : " b=1") != NULL;
            assert_int_equal(!whole, strstr(line, format == LOY_LOG_JSON ? "\"cut\":true" : " cut=true") != NULL);
        }
        json_t *json = json_loads(line, 0, NULL);
        assert_non_null(json);
        json_decref(json);
    }
}

enum { THREADS = 4, LINES = 200 };

static void *say_much(void *number)
{
    static char text[1500];
    for (int i = 0; i < LINES; i++) {
        LOY_INFO("said", LOY_LOG_INT("thread", *(int *)number), LOY_LOG_STR("text", ((struct loy_str){text, 1000})));
    }
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    loy_log_open(LOY_LOG_INFO, LOY_LOG_JSON, fileno(file));
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, say_much, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    rewind(file);
    static char text[16384];
    int counts[THREADS] = {0};
    while (fgets(text, sizeof text, file)) {
        json_t *json = json_loads(text, JSON_ALLOW_NUL, NULL);
        assert_non_null(json);
        counts[json_integer_value(json_object_get(json, "thread"))]++;
        json_decref(json);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(counts[i], LINES);
    }
    (void)fclose(file);
}

static int evaluated;

static int64_t evaluate(void)
{
    return ++evaluated;
}

static void a_level_that_is_off_is_not_even_looked_at(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    loy_log_open(LOY_LOG_WARN, LOY_LOG_LOGFMT, fileno(file));
    LOY_INFO("not_said", LOY_LOG_INT("n", evaluate()));
    assert_int_equal(evaluated, 0);
    assert_int_equal(lseek(fileno(file), 0, SEEK_END), 0);
    LOY_WARN("said", LOY_LOG_INT("n", evaluate()));
    LOY_ERROR("said_too");
    assert_int_equal(evaluated, 1);
    assert_true(lseek(fileno(file), 0, SEEK_END) > 0);
    (void)fclose(file);
}

static void a_repeated_outage_is_said_once_and_then_with_its_count(void **state)
{
    (void)state;
    struct loy_log_repeat repeat = {0};
    uint64_t unsaid = 99;
    assert_false(loy_log_repeat_works(&repeat));
    assert_true(loy_log_repeat_failed(&repeat, 1000, 100, &unsaid));
    assert_int_equal(unsaid, 0);
    assert_false(loy_log_repeat_failed(&repeat, 1050, 100, &unsaid));
    assert_false(loy_log_repeat_failed(&repeat, 1099, 100, &unsaid));
    assert_true(loy_log_repeat_failed(&repeat, 1100, 100, &unsaid));
    assert_int_equal(unsaid, 2);
    assert_true(loy_log_repeat_works(&repeat));
    assert_false(loy_log_repeat_works(&repeat));
    assert_true(loy_log_repeat_failed(&repeat, 1101, 100, &unsaid));
    assert_int_equal(unsaid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfmt_has_time_level_event_and_fields),
        cmocka_unit_test(logfmt_quotes_what_would_be_misread),
        cmocka_unit_test(json_is_read_back_by_a_json_library),
        cmocka_unit_test(a_line_that_is_too_long_loses_fields_and_says_so),
        cmocka_unit_test(lines_of_threads_do_not_mix),
        cmocka_unit_test(a_level_that_is_off_is_not_even_looked_at),
        cmocka_unit_test(a_repeated_outage_is_said_once_and_then_with_its_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
