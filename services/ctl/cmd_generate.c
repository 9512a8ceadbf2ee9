#include "base/calendar.h"
#include "base/varint.h"
#include "ctl/commands.h"
#include "ctl/generate.h"

#include <errno.h>
#include <inttypes.h>

static enum loy_err read_start(const struct loy_call *call, int64_t *ret_day, struct loy_error *error)
{
    char text[LOY_MOMENT_TEXT_MAX];
    int64_t moment_us = 0;
    const char *start = loy_call_option(call, "start");
    int len = snprintf(text, sizeof text, "%.12sT00:00:00Z", start);
    if (len < 0 || !loy_moment_parse(text, (size_t)len, &moment_us)) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--start is '%s': a date such as 2026-01-01 is wanted", start);
    }
    *ret_day = loy_local_day(NULL, moment_us);
    return LOY_OK;
}

static enum loy_err read_shares(const struct loy_call *call, struct loy_generate_options *options,
                                struct loy_error *error)
{
    enum loy_err err = loy_call_percent(call, "duplicates", &options->duplicates, error);
    err = err ? err : loy_call_percent(call, "no-member", &options->no_member, error);
    err = err ? err : loy_call_percent(call, "broken", &options->broken, error);
    if (!err && options->duplicates + options->no_member + options->broken > 1000000) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--duplicates, --no-member and --broken are over 100 together");
    }
    return err;
}

static enum loy_err read_options(const struct loy_call *call, struct loy_generate_options *options,
                                 struct loy_error *error)
{
    int64_t members = 0, events = 0, seed = 0, days = 0;
    enum loy_err err = loy_call_number(call, "members", 1, INT64_C(1) << 40, &members, error);
    err = err ? err : loy_call_number(call, "events", 0, INT64_C(1) << 40, &events, error);
    err = err ? err : loy_call_number(call, "seed", 0, INT64_MAX, &seed, error);
    err = err ? err : loy_call_number(call, "days", 1, 36500, &days, error);
    err = err ? err : read_start(call, &options->start_day, error);
    err = err ? err : read_shares(call, options, error);
    if (err) {
        return err;
    }
    const char *format = loy_call_option(call, "format");
    options->json = strcmp(format, "jsonl") == 0;
    if (!options->json && strcmp(format, "protobuf") != 0) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--format is '%s': jsonl or protobuf is wanted", format);
    }
    options->members = (uint64_t)members;
    options->events = (uint64_t)events;
    options->seed = (uint64_t)seed;
    options->days = (uint32_t)days;
    options->member_prefix = loy_call_option(call, "member-prefix");
    options->source = loy_call_option(call, "source");
    if (strlen(options->member_prefix) > LOY_MEMBER_PREFIX_MAX || options->member_prefix[0] == '~') {
        return loy_error_set(error, LOY_ERR_CONFIG,
                             "--member-prefix is '%s': at most %d bytes that do not begin with ~ are wanted",
                             options->member_prefix, LOY_MEMBER_PREFIX_MAX);
    }
    if (strlen(options->source) < 1 || strlen(options->source) > 64) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--source is '%s': 1 to 64 bytes are wanted", options->source);
    }
    return LOY_OK;
}

static void write_record(FILE *out, struct loy_str bytes, bool json)
{
    if (json) {
        (void)fwrite(bytes.at, 1, bytes.len, out);
        (void)putc('\n', out);
        return;
    }
    size_t left = bytes.len;
    for (; left >= 0x80; left >>= 7) {
        (void)putc((int)(left & 0x7f) | 0x80, out);
    }
    (void)putc((int)left, out);
    (void)fwrite(bytes.at, 1, bytes.len, out);
}

static enum loy_err write_counts(const char *path, const uint64_t counts[LOY_RECORD_SORT_COUNT],
                                 struct loy_error *error)
{
    FILE *out = fopen(path, "we");
    if (!out) {
        return loy_error_set(error, LOY_ERR_NOT_FOUND, "--counts: %s cannot be written: %s", path, strerror(errno));
    }
    for (int sort = 0; sort < LOY_RECORD_SORT_COUNT; sort++) {
        (void)fprintf(out, "%s\"%s\": %" PRIu64, sort ? ", " : "{", loy_record_sort_name((enum loy_record_sort)sort),
                      counts[sort]);
    }
    (void)fputs("}\n", out);
    bool failed = ferror(out) != 0;
    return fclose(out) != 0 || failed
               ? loy_error_set(error, LOY_ERR_UNAVAILABLE, "--counts: %s cannot be written", path)
               : LOY_OK;
}

static enum loy_err generate(const struct loy_generate_options *options, FILE *out,
                             uint64_t counts[LOY_RECORD_SORT_COUNT], struct loy_error *error)
{
    struct loy_generator *generator = NULL;
    enum loy_err err = loy_generator_new(options, &generator, error);
    while (!err) {
        struct loy_generated record;
        err = loy_generator_next(generator, &record, error);
        if (!err) {
            counts[record.sort]++;
            write_record(out, record.bytes, options->json);
            if (ferror(out)) {
                err = loy_error_set(error, LOY_ERR_UNAVAILABLE, "the output cannot be written: %s", strerror(errno));
            }
        }
    }
    loy_generator_destroy(generator);
    return err == LOY_ERR_NOT_FOUND ? LOY_OK : err;
}

enum loy_exit loy_cmd_generate(const struct loy_call *call)
{
    struct loy_generate_options options = {0};
    struct loy_error error = {0};
    uint64_t counts[LOY_RECORD_SORT_COUNT] = {0};
    enum loy_err err = read_options(call, &options, &error);
    err = err ? err : generate(&options, stdout, counts, &error);
    const char *path = loy_call_option(call, "counts");
    if (!err && path) {
        err = write_counts(path, counts, &error);
    }
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}
