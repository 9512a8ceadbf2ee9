#include "ctl/programme_file.h"

#include "ctl/json_out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { FILE_BYTES_MAX = 4 << 20 };

int64_t loy_ctl_now_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * LOY_US_PER_SECOND + now.tv_nsec / 1000;
}

enum loy_err loy_ctl_programme_init(struct loy_ctl_programme *file, struct loy_error *error)
{
    *file = (struct loy_ctl_programme){.name = "programme"};
    enum loy_err err = loy_region_map(LOY_PROGRAMME_ARENA, &file->region, error);
    if (err) {
        return err;
    }
    loy_region_arena(&file->region, &file->arena);
    file->regex = loy_regex_new();
    return file->regex ? LOY_OK : loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for regular expressions");
}

void loy_ctl_programme_fini(struct loy_ctl_programme *file)
{
    loy_regex_destroy(file->regex);
    loy_region_unmap(&file->region);
}

enum loy_err loy_ctl_programme_read(struct loy_ctl_programme *file, const char *path, struct loy_error *error)
{
    FILE *in = fopen(path, "rb");
    if (!in) {
        return loy_error_set(error, LOY_ERR_NOT_FOUND, "cannot open %s: %m", path);
    }
    char *bytes = loy_arena_alloc(&file->arena, FILE_BYTES_MAX);
    size_t len = bytes ? fread(bytes, 1, FILE_BYTES_MAX, in) : 0;
    int failure = ferror(in) ? errno : 0;
    (void)fclose(in);
    if (failure) {
        errno = failure;
        return loy_error_set(error, LOY_ERR_NOT_FOUND, "cannot read %s: %m", path);
    }
    if (!bytes || len == FILE_BYTES_MAX) {
        return loy_error_set(error, LOY_ERR_TOO_LARGE, "%s is no programme: 4 MiB or more", path);
    }
    file->text = (struct loy_str){bytes, len};
    file->name = path;
    return LOY_OK;
}

enum loy_err loy_ctl_programme_numbers(struct loy_ctl_programme *file, struct loy_query *query, struct loy_error *error)
{
    return loy_published_numbers(query, &file->arena, &file->numbers, error);
}

enum loy_err loy_ctl_programme_revision(struct loy_ctl_programme *file, struct loy_query *query, int32_t number,
                                        int32_t *ret_number, struct loy_error *error)
{
    char text[16];
    struct loy_rows rows = {0};
    const char *parameters[] = {text};
    (void)snprintf(text, sizeof text, "%" PRId32, number);
    enum loy_err err = loy_query_rows(query,
                                      "SELECT number, programme, zones FROM programme_revision "
                                      "WHERE number = $1::int OR $1::int = 0 ORDER BY number DESC LIMIT 1",
                                      parameters, 1, &rows, error);
    if (!err && rows.count == 0) {
        err = loy_error_set(error, LOY_ERR_NOT_FOUND, "there is no revision %" PRId32, number);
    }
    if (!err) {
        *ret_number = (int32_t)loy_rows_integer(&rows, 0, 0);
        file->text = loy_str_copy(&file->arena, loy_rows_bytes(&rows, 0, 1));
        file->name = "revision";
        file->zones = loy_published_zones(&rows, 0, 2);
        file->zones.text = loy_str_copy(&file->arena, file->zones.text);
        err = file->text.at && file->zones.text.at
                  ? LOY_OK
                  : loy_error_set(error, LOY_ERR_NO_MEMORY, "the revision is too large");
    }
    loy_rows_free(&rows);
    return err;
}

enum loy_err loy_ctl_programme_compile(struct loy_ctl_programme *file, int32_t revision, int64_t from_us,
                                       int64_t now_us)
{
    const struct loy_published_given given = {.text = file->text,
                                              .revision = revision,
                                              .from_us = from_us,
                                              .now_us = now_us,
                                              .numbers = file->numbers.rows ? &file->numbers : NULL,
                                              .zones = &file->zones,
                                              .regex = file->regex};
    return loy_published_compile(&given, &file->arena, &file->programme, &file->issues);
}

void loy_ctl_programme_print_issues(struct loy_ctl_programme *file, FILE *out)
{
    struct loy_buf buf;
    loy_buf_init(&buf, &file->arena, 4096);
    for (uint32_t i = 0; i < file->issues.count; i++) {
        loy_issue_print(&file->issues.items[i], file->name, file->text, &buf);
    }
    struct loy_str text = loy_buf_str(&buf);
    (void)fwrite(text.at, 1, text.len, out);
}

void loy_ctl_programme_json_issues(const struct loy_ctl_programme *file, FILE *out)
{
    (void)fputs("[", out);
    for (uint32_t i = 0; i < file->issues.count; i++) {
        const struct loy_programme_issue *issue = &file->issues.items[i];
        (void)fprintf(out, "%s\n  {\"kind\": \"%s\", \"line\": %" PRIu32 ", \"column\": %" PRIu32 ", ", i ? "," : "",
                      loy_issue_kind_name(issue->kind), issue->line, issue->column);
        loy_json_member(out, "message", issue->message);
        (void)fputs("}", out);
    }
    (void)fputs("]", out);
}
