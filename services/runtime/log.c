#include "runtime/log.h"

#include "base/calendar.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Set once at the start, before threads; read by all. */
static struct {
    enum loy_log_level level;
    enum loy_log_format format;
    int fd;
} out = {LOY_LOG_INFO, LOY_LOG_LOGFMT, STDERR_FILENO};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void loy_log_open(enum loy_log_level level, enum loy_log_format format, int fd)
{
    out.level = level;
    out.format = format;
    out.fd = fd;
}

bool loy_log_is_on(enum loy_log_level level)
{
    return level <= out.level;
}

/* A line under construction; `full` once something did not fit, and then nothing is added any more. */
struct line {
    char *at;
    size_t len;
    size_t room;
    bool full;
};

static void put(struct line *line, const char *text, size_t length)
{
    if (line->full || length > line->room - line->len) {
        line->full = true;
        return;
    }
    memcpy(line->at + line->len, text, length);
    line->len += length;
}

static void put_z(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* One character of a quoted value, escaped as JSON does, which readers of logfmt take too. */
static void put_escaped(struct line *line, const char *at, size_t length)
{
    char text[8];
    unsigned char c = (unsigned char)*at;
    if (length > 1) {
        put(line, at, length);
    } else if (c == '"' || c == '\\') {
        text[0] = '\\';
        text[1] = (char)c;
        put(line, text, 2);
    } else if (c == '\n') {
        put_z(line, "\\n");
    } else if (c == '\t') {
        put_z(line, "\\t");
    } else if (c < 0x20 || c == 0x7F) {
        (void)snprintf(text, sizeof text, "\\u%04x", c);
        put_z(line, text);
    } else {
        put(line, at, 1);
    }
}

/* Length of the UTF-8 character at the beginning of text, 0: none. */
static size_t character(struct loy_str text)
{
    for (size_t length = 1; length <= 4 && length <= text.len; length++) {
        if (loy_str_is_utf8((struct loy_str){text.at, length})) {
            return length;
        }
    }
    return 0;
}

static void put_quoted(struct line *line, struct loy_str text)
{
    put_z(line, "\"");
    while (text.len > 0) {
        size_t length = character(text);
        if (length == 0) {
            put_z(line, "\xEF\xBF\xBD"); /* U+FFFD stands for a byte that is no text */
            length = 1;
        } else {
            put_escaped(line, text.at, length);
        }
        text = (struct loy_str){text.at + length, text.len - length};
    }
    put_z(line, "\"");
}

static bool needs_quotes(struct loy_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7F) {
            return true;
        }
    }
    return text.len == 0;
}

static void put_value(struct line *line, enum loy_log_format format, const struct loy_log_field *field)
{
    char number[40];
    switch (field->kind) {
    case LOY_LOG_IS_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)field->integer);
        put_z(line, number);
        return;
    case LOY_LOG_IS_REAL:
        /* JSON knows neither infinity nor "not a number". */
        (void)snprintf(number, sizeof number, field->real - field->real == 0 ? "%.6g" : "null", field->real);
        put_z(line, number);
        return;
    case LOY_LOG_IS_BOOL:
        put_z(line, field->boolean ? "true" : "false");
        return;
    case LOY_LOG_IS_TEXT:
        if (format == LOY_LOG_JSON || needs_quotes(field->text)) {
            put_quoted(line, field->text);
        } else {
            put(line, field->text.at, field->text.len);
        }
        return;
    }
}

static void put_field(struct line *line, enum loy_log_format format, const struct loy_log_field *field)
{
    put_z(line, format == LOY_LOG_JSON ? ",\"" : " ");
    put_z(line, field->key);
    put_z(line, format == LOY_LOG_JSON ? "\":" : "=");
    put_value(line, format, field);
}

size_t loy_log_format_line(char text[LOY_LOG_LINE_MAX], enum loy_log_format format, int64_t wall_us,
                           enum loy_log_level level, const struct loy_log_field *fields, size_t count)
{
    static const char cut[] = " cut=true";
    static const char cut_json[] = ",\"cut\":true";
    bool json = format == LOY_LOG_JSON;
    struct line line = {.at = text, .room = LOY_LOG_LINE_MAX - sizeof cut_json - sizeof "}\n"};
    char when[LOY_MOMENT_TEXT_MAX];
    /* Milliseconds: enough to follow what happened, short enough to read. */
    (void)loy_moment_format(wall_us - wall_us % 1000, when);
    put_z(&line, json ? "{\"time\":\"" : "time=");
    put_z(&line, when);
    put_z(&line, json ? "\",\"level\":\"" : " level=");
    put_z(&line, level_names[level]);
    put_z(&line, json ? "\"" : "");
    for (size_t i = 0; i < count && !line.full; i++) {
        size_t before = line.len;
        put_field(&line, format, &fields[i]);
        line.len = line.full ? before : line.len;
    }
    const char *end = !line.full ? "" : json ? cut_json : cut;
    line = (struct line){.at = text, .len = line.len, .room = LOY_LOG_LINE_MAX};
    put_z(&line, end);
    put_z(&line, json ? "}\n" : "\n");
    return line.len;
}

void loy_log_write(enum loy_log_level level, const struct loy_log_field *fields, size_t count)
{
    assert(level <= LOY_LOG_DEBUG);
    char line[LOY_LOG_LINE_MAX];
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t wall_us = now.tv_sec * LOY_US_PER_SECOND + now.tv_nsec / 1000;
    size_t length = loy_log_format_line(line, out.format, wall_us, level, fields, count);
    int kept = errno;
    ssize_t written;
    do {
        written = write(out.fd, line, length);
    } while (written < 0 && errno == EINTR);
    /* A log that cannot be written is lost: there is nowhere to say so. */
    errno = kept;
}

bool loy_log_repeat_failed(struct loy_log_repeat *repeat, int64_t monotonic_us, int64_t interval_us,
                           uint64_t *ret_unsaid)
{
    if (repeat->is_on && monotonic_us < repeat->next_us) {
        repeat->unsaid++;
        return false;
    }
    *ret_unsaid = repeat->unsaid;
    *repeat = (struct loy_log_repeat){.next_us = monotonic_us + interval_us, .is_on = true};
    return true;
}

bool loy_log_repeat_works(struct loy_log_repeat *repeat)
{
    bool ended = repeat->is_on;
    *repeat = (struct loy_log_repeat){0};
    return ended;
}
