#include "runtime/metrics.h"

#include "runtime/version.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Fields of /proc/self/stat, numbered as in proc(5). */
enum { STAT_UTIME = 14, STAT_STIME = 15, STAT_THREADS = 20, STAT_START = 22, STAT_VSIZE = 23, STAT_RSS = 24 };

/* One number of /proc/self/stat; the program's name before it may hold anything, so count from its last bracket. */
static bool stat_field(int wanted, double *ret_value)
{
    char text[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    if (!file) {
        return false;
    }
    size_t length = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    const char *at = strrchr(text, ')');
    for (int field = 2; at && field < wanted; field++) {
        at = strchr(at + 1, ' ');
    }
    unsigned long long number;
    if (!at || sscanf(at, " %llu", &number) != 1) {
        return false;
    }
    *ret_value = (double)number;
    return true;
}

static void read_cpu(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    (void)metric;
    (void)source;
    double user = 0;
    double system = 0;
    if (stat_field(STAT_UTIME, &user) && stat_field(STAT_STIME, &system)) {
        value->value = (user + system) / (double)sysconf(_SC_CLK_TCK);
    }
}

static void read_memory(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    (void)source;
    double number = 0;
    bool resident = metric->at == STAT_RSS;
    if (stat_field((int)metric->at, &number)) {
        value->value = number * (resident ? (double)sysconf(_SC_PAGESIZE) : 1);
    }
}

static void read_threads(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    (void)metric;
    (void)source;
    (void)stat_field(STAT_THREADS, &value->value);
}

/* The kernel counts from boot; /proc/stat says when that was. */
static void read_start(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    (void)metric;
    (void)source;
    double start = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (!file) {
        return;
    }
    char line[4096];
    unsigned long long boot = 0;
    while (boot == 0 && fgets(line, sizeof line, file)) {
        (void)sscanf(line, "btime %llu", &boot);
    }
    (void)fclose(file);
    if (boot && stat_field(STAT_START, &start)) {
        value->value = (double)boot + start / (double)sysconf(_SC_CLK_TCK);
    }
}

static void read_descriptors(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    (void)metric;
    (void)source;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) {
        return;
    }
    double count = 0;
    while (readdir(folder)) {
        count++;
    }
    (void)closedir(folder);
    value->value = count - 3; /* ".", ".." and this folder's own */
}

static void read_descriptor_limit(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    (void)metric;
    (void)source;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        value->value = (double)limit.rlim_cur;
    }
}

static void read_one(const struct loy_metric *metric, const void *source, struct loy_metric_value *value)
{
    (void)metric;
    (void)source;
    value->value = 1;
}

struct loy_metric_group loy_metrics_of_process(void)
{
    /* Prometheus's own names for what every program has. */
    static const struct loy_metric rows[] = {
        {"loyald_build_info", "Always 1; its labels say what was built", LOY_METRIC_GAUGE,
         "version=\"" LOY_VERSION "\"", read_one, 0},
        {"process_cpu_seconds_total", "CPU time, user and system", LOY_METRIC_COUNTER, NULL, read_cpu, 0},
        {"process_resident_memory_bytes", "Memory in use", LOY_METRIC_GAUGE, NULL, read_memory, STAT_RSS},
        {"process_virtual_memory_bytes", "Addresses in use; most cost nothing", LOY_METRIC_GAUGE, NULL, read_memory,
         STAT_VSIZE},
        {"process_threads", "Threads, with those of the libraries", LOY_METRIC_GAUGE, NULL, read_threads, 0},
        {"process_open_fds", "Open file descriptors", LOY_METRIC_GAUGE, NULL, read_descriptors, 0},
        {"process_max_fds", "Most file descriptors that may be open", LOY_METRIC_GAUGE, NULL, read_descriptor_limit, 0},
        {"process_start_time_seconds", "When the process started, in seconds since 1970", LOY_METRIC_GAUGE, NULL,
         read_start, 0},
    };
    /* The kernel is the one source; there is nothing to point at. */
    static const void *const sources[] = {NULL};
    return (struct loy_metric_group){rows, sizeof rows / sizeof *rows, sources, 1};
}
