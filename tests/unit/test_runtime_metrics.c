#include "runtime/metrics.h"

#include "support/cmocka_all.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct thread_counts {
    _Atomic uint64_t applied;
    _Atomic uint64_t owned;
    _Atomic uint64_t buckets[4];
    _Atomic uint64_t sum_us;
};

static void read_latency(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    (void)metric;
    const struct thread_counts *counts = source;
    value->bucket_count = 4;
    for (uint32_t i = 0; i < 4; i++) {
        value->buckets[i] += atomic_load(&counts->buckets[i]);
        value->bounds[i] = 0.001 * (1 << i);
    }
    value->sum += (double)atomic_load(&counts->sum_us) / 1e6;
}

static const struct loy_metric rows[] = {
    LOY_METRIC_COUNTER_ROW(struct thread_counts, applied, "tried_applied_total", "Applied, with a \\ and\na line"),
    LOY_METRIC_GAUGE_ROW(struct thread_counts, owned, "tried_owned", "Owned now"),
    {"tried_seconds", "How long", LOY_METRIC_HISTOGRAM, NULL, read_latency, 0},
    {"tried_part_total", "Parts", LOY_METRIC_COUNTER, "part=\"a\"", loy_metric_read_u64,
     offsetof(struct thread_counts, applied)},
    {"tried_part_total", "Parts", LOY_METRIC_COUNTER, "part=\"b\"", loy_metric_read_u64,
     offsetof(struct thread_counts, owned)},
};

static char memory[1 << 18];
static char page[1 << 18];

static const char *rendered(const struct loy_metric_group *groups, size_t count)
{
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, memory, sizeof memory);
    loy_buf_init(&buf, &arena, 1024);
    loy_metrics_render(&buf, groups, count);
    assert_false(buf.failed);
    struct loy_str text = loy_buf_str(&buf);
    memcpy(page, text.at, text.len);
    page[text.len] = '\0';
    return page;
}

static const char *example(void)
{
    static struct thread_counts threads[2];
    threads[0] =
        (struct thread_counts){.applied = 9007199254740993, .owned = 3, .buckets = {1, 2, 0, 4}, .sum_us = 1500};
    threads[1] = (struct thread_counts){.applied = 2, .owned = 4, .buckets = {1, 0, 1, 0}, .sum_us = 500};
    static const void *const sources[] = {&threads[0], &threads[1]};
    struct loy_metric_group groups[] = {{rows, sizeof rows / sizeof *rows, sources, 2}, loy_metrics_of_process()};
    return rendered(groups, 2);
}

static void threads_are_summed(void **state)
{
    (void)state;
    const char *text = example();
    assert_non_null(strstr(text, "\ntried_owned 7\n"));
    assert_non_null(strstr(text, "\ntried_part_total{part=\"a\"} 9007199254740994"));
    assert_non_null(strstr(text, "\ntried_part_total{part=\"b\"} 7\n"));
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    assert_non_null(strstr(example(), "# TYPE tried_seconds histogram\n"
                                      "tried_seconds_bucket{le=\"0.001\"} 2\n"
                                      "tried_seconds_bucket{le=\"0.002\"} 4\n"
                                      "tried_seconds_bucket{le=\"0.004\"} 5\n"
                                      "tried_seconds_bucket{le=\"+Inf\"} 9\n"
                                      "tried_seconds_sum 0.002\n"
                                      "tried_seconds_count 9\n"));
}

static void help_is_escaped(void **state)
{
    (void)state;
    assert_non_null(strstr(example(), "# HELP tried_applied_total Applied, with a \\\\ and\\na line\n"
                                      "# TYPE tried_applied_total counter\n"));
}

static double value_of(const char *text, const char *name)
{
    char start[128];
    (void)snprintf(start, sizeof start, "\n%s ", name);
    const char *at = strstr(text, start);
    assert_non_null(at);
    return strtod(at + strlen(start), NULL);
}

static void the_process_speaks_of_itself(void **state)
{
    (void)state;
    const char *text = example();
    assert_true(value_of(text, "process_resident_memory_bytes") > 500e3);
    assert_true(value_of(text, "process_virtual_memory_bytes") > value_of(text, "process_resident_memory_bytes"));
    assert_true(value_of(text, "process_start_time_seconds") > 1.7e9);
    assert_true(value_of(text, "process_open_fds") >= 3);
    assert_true(value_of(text, "process_open_fds") < 64);
    assert_true(value_of(text, "process_cpu_seconds_total") < 60);
    assert_int_equal((int)value_of(text, "process_threads"), 1);
    assert_non_null(strstr(text, "\nloyald_build_info{version=\""));
}

/* --- what `promtool check metrics` looks at, as far as our page can get it wrong -----------------------------------
 */

static bool is_name(const char *at, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isalpha((unsigned char)at[i]) && at[i] != '_' && (i == 0 || !isdigit((unsigned char)at[i]))) {
            return false;
        }
    }
    return length > 0;
}

/* The family that the last # TYPE opened. */
struct family {
    char name[128];
    char type[16];
    char seen[4096]; /* names of all families before */
};

static void check_comment(const char *text, struct family *family)
{
    char keyword[8];
    char name[128];
    int rest = 0;
    assert_int_equal(sscanf(text, "# %7s %127s %n", keyword, name, &rest), 2);
    assert_true(is_name(name, strlen(name)));
    if (strcmp(keyword, "HELP") == 0) {
        assert_true(text[rest] != '\0');
        return;
    }
    assert_string_equal(keyword, "TYPE");
    char quoted[140];
    (void)snprintf(quoted, sizeof quoted, "|%s|", name);
    assert_null(strstr(family->seen, quoted));
    (void)snprintf(family->seen + strlen(family->seen), sizeof family->seen - strlen(family->seen), "%s", quoted);
    (void)snprintf(family->name, sizeof family->name, "%s", name);
    (void)snprintf(family->type, sizeof family->type, "%s", text + rest);
    bool counter = strcmp(family->type, "counter") == 0;
    assert_true(counter || strcmp(family->type, "gauge") == 0 || strcmp(family->type, "histogram") == 0);
    size_t length = strlen(name);
    assert_int_equal(counter, length > 6 && strcmp(name + length - 6, "_total") == 0);
}

static void check_sample(const char *text, const struct family *family)
{
    size_t name = strcspn(text, "{ ");
    assert_true(is_name(text, name));
    size_t own = strlen(family->name);
    assert_true(name >= own && memcmp(text, family->name, own) == 0);
    struct loy_str suffix = {text + own, name - own};
    if (strcmp(family->type, "histogram") == 0) {
        assert_true(loy_str_equal(suffix, LOY_STR("_bucket")) || loy_str_equal(suffix, LOY_STR("_sum")) ||
                    loy_str_equal(suffix, LOY_STR("_count")));
    } else {
        assert_int_equal(suffix.len, 0);
    }
    const char *number = text + name;
    if (*number == '{') {
        number = strchr(number, '}');
        assert_non_null(number);
        number++;
    }
    assert_int_equal(*number, ' ');
    char *end;
    (void)strtod(number + 1, &end);
    assert_int_equal(*end, '\0');
    assert_true(end > number + 1);
}

static void the_page_is_what_prometheus_reads(void **state)
{
    (void)state;
    struct family family = {0};
    char *text = (char *)(uintptr_t)example();
    assert_int_equal(text[strlen(text) - 1], '\n');
    int samples = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (line[0] == '#') {
            check_comment(line, &family);
        } else {
            check_sample(line, &family);
            samples++;
        }
    }
    assert_int_equal(samples, 4 + 6 + 8);
}

static void a_page_that_does_not_fit_is_not_half_written(void **state)
{
    (void)state;
    struct loy_arena arena;
    struct loy_buf buf;
    loy_arena_init(&arena, memory, 256);
    loy_buf_init(&buf, &arena, 64);
    struct loy_metric_group group = loy_metrics_of_process();
    loy_metrics_render(&buf, &group, 1);
    assert_true(buf.failed);
    assert_int_equal(loy_buf_str(&buf).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_summed),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(help_is_escaped),
        cmocka_unit_test(the_process_speaks_of_itself),
        cmocka_unit_test(the_page_is_what_prometheus_reads),
        cmocka_unit_test(a_page_that_does_not_fit_is_not_half_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
