/* Log: one line an event of interest, logfmt or JSON, one write(2) each.
 *
 *   LOY_INFO("partitions_assigned", LOY_LOG_INT("count", n), LOY_LOG_TEXT("owner", owner));
 *   -> time=2026-11-22T08:30:00.123Z level=info event=partitions_assigned count=16 owner=host-1
 *
 * The level is looked at first, so that a line that is not written costs one comparison. No personal data: no names,
 * cards, phones or payloads; a record is named by its position. Libraries return errors; the function that decides what
 * to do about one logs it, once. Impure (standard error, wall clock). Any thread, after loy_log_open at the start.
 * Test: tests/unit/test_runtime_log.c. */
#ifndef LOY_RUNTIME_LOG_H
#define LOY_RUNTIME_LOG_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum loy_log_level { LOY_LOG_ERROR, LOY_LOG_WARN, LOY_LOG_INFO, LOY_LOG_DEBUG };
enum loy_log_format { LOY_LOG_LOGFMT, LOY_LOG_JSON };

/* A longer line loses its last fields and says so: lines up to this size do not mix, whoever writes beside us. */
enum { LOY_LOG_LINE_MAX = 4096 };

struct loy_log_field {
    const char *key; /* [a-z0-9_]+ */
    enum { LOY_LOG_IS_INT, LOY_LOG_IS_TEXT, LOY_LOG_IS_BOOL, LOY_LOG_IS_REAL } kind;
    union {
        int64_t integer;
        double real; /* for people: rates, seconds */
        struct loy_str text;
        bool boolean;
    };
};

#define LOY_LOG_INT(key_, value) ((struct loy_log_field){.key = (key_), .kind = LOY_LOG_IS_INT, .integer = (value)})
#define LOY_LOG_REAL(key_, value) ((struct loy_log_field){.key = (key_), .kind = LOY_LOG_IS_REAL, .real = (value)})
#define LOY_LOG_BOOL(key_, value) ((struct loy_log_field){.key = (key_), .kind = LOY_LOG_IS_BOOL, .boolean = (value)})
#define LOY_LOG_STR(key_, value) ((struct loy_log_field){.key = (key_), .kind = LOY_LOG_IS_TEXT, .text = (value)})
#define LOY_LOG_TEXT(key_, value) LOY_LOG_STR(key_, loy_str(value))
/* Two fields: error=<name> detail="<sentence>". */
#define LOY_LOG_FAILURE(error)                                                                                         \
    LOY_LOG_TEXT("error", loy_err_name((error)->code)), LOY_LOG_TEXT("detail", (error)->detail)

/* event is a literal in snake_case, what people and alerts search for. */
#define LOY_LOG(level, event, ...)                                                                                     \
    do {                                                                                                               \
        if (loy_log_is_on(level)) {                                                                                    \
            const struct loy_log_field loy_log_fields_[] = {LOY_LOG_TEXT("event", event), ##__VA_ARGS__};              \
            loy_log_write(level, loy_log_fields_, sizeof loy_log_fields_ / sizeof *loy_log_fields_);                   \
        }                                                                                                              \
    } while (0)
#define LOY_ERROR(event, ...) LOY_LOG(LOY_LOG_ERROR, event, ##__VA_ARGS__)
#define LOY_WARN(event, ...) LOY_LOG(LOY_LOG_WARN, event, ##__VA_ARGS__)
#define LOY_INFO(event, ...) LOY_LOG(LOY_LOG_INFO, event, ##__VA_ARGS__)
#define LOY_DEBUG(event, ...) LOY_LOG(LOY_LOG_DEBUG, event, ##__VA_ARGS__)

/* Before the first thread starts. Until then: info, logfmt, descriptor 2. */
void loy_log_open(enum loy_log_level level, enum loy_log_format format, int fd);
bool loy_log_is_on(enum loy_log_level level);
void loy_log_write(enum loy_log_level level, const struct loy_log_field *fields, size_t count);
/* The line itself, with its newline; returns its length. Pure. */
size_t loy_log_format_line(char line[LOY_LOG_LINE_MAX], enum loy_log_format format, int64_t wall_us,
                           enum loy_log_level level, const struct loy_log_field *fields, size_t count);

/* Keeps an outage that repeats from filling the log: said at once, then at most once an interval with its count.
 * One a subject; the caller's storage, zeroed. One thread. */
struct loy_log_repeat {
    int64_t next_us;
    uint64_t unsaid;
    bool is_on;
};

/* Something failed (again): true when it should be said now; *ret_unsaid times it was not said since the last time. */
LOY_MUST_USE bool loy_log_repeat_failed(struct loy_log_repeat *repeat, int64_t monotonic_us, int64_t interval_us,
                                        uint64_t *ret_unsaid);
/* It works: true when that ends an outage that was said. */
LOY_MUST_USE bool loy_log_repeat_works(struct loy_log_repeat *repeat);

#endif
