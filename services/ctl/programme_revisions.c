/* publish, rollback, list, show: the revisions in PostgreSQL. */
#include "ctl/json_out.h"
#include "ctl/programme_commands.h"
#include "ctl/programme_file.h"

#include <inttypes.h>
#include <unistd.h>

enum { LOCK_TRIES = 60, LOCK_PAUSE_US = 700000, REASON_BYTES_MAX = 900 /* and the second person behind it */ };

struct publication {
    const struct loy_call *call;
    struct loy_ctl_programme file;
    struct loy_query *query;
    int32_t number;
    char from[40]; /* as PostgreSQL reads it */
    const char *author, *approved_by;
    char reason[1024];
    struct loy_buf zones; /* tables of the zones that the programme names, for all machines */
};

static enum loy_err read_options(struct publication *p, struct loy_error *error)
{
    const char *reason = loy_call_option(p->call, "reason"), *from = loy_call_option(p->call, "from");
    int64_t from_us = 0;
    p->author = loy_call_option(p->call, "author");
    p->approved_by = loy_call_option(p->call, "approved-by");
    if (!p->author || !*p->author || !reason || !*reason) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--author and --reason are wanted: they stand with the revision");
    }
    if (p->approved_by && strcmp(p->approved_by, p->author) == 0) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--approved-by is the author: a second person is wanted");
    }
    if (from && !loy_moment_parse(from, strlen(from), &from_us)) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--from is '%s': a moment as 2026-11-01T00:00:00+03:00 is wanted",
                             from);
    }
    (void)snprintf(p->from, sizeof p->from, "%s", from ? from : "");
    int len = snprintf(p->reason, sizeof p->reason, "%s%s%s%s", reason, p->approved_by ? " (approved by " : "",
                       p->approved_by ? p->approved_by : "", p->approved_by ? ")" : "");
    return (size_t)len < sizeof p->reason
               ? LOY_OK
               : loy_error_set(error, LOY_ERR_CONFIG, "--reason is too long: %d bytes at most", REASON_BYTES_MAX);
}

/* Begins the transaction that publishes. A worker that stopped inside its own holds the lock that is wanted until its
 * heirs end it; meanwhile everybody would queue behind us, so we wait for moments only. */
static enum loy_err next_number(struct publication *p, struct loy_error *error)
{
    struct loy_rows rows = {0};
    enum loy_err err = LOY_ERR_TIMEOUT;
    for (int tries = 0; err == LOY_ERR_TIMEOUT && tries < LOCK_TRIES; tries++) {
        if (tries > 0) {
            (void)usleep(LOCK_PAUSE_US);
        }
        err = loy_query_do(p->query, "BEGIN; SET LOCAL lock_timeout = '300ms'", error);
        err = err ? err : loy_query_rows(p->query, "SELECT next_revision()", NULL, 0, &rows, error);
        if (err == LOY_ERR_TIMEOUT && loy_query_do(p->query, "ROLLBACK", error)) {
            err = LOY_ERR_UNAVAILABLE;
        }
    }
    if (err == LOY_ERR_TIMEOUT) {
        return loy_error_set(error, err,
                             "some batch has not ended for %d s: is a worker stopped? Nothing was published",
                             LOCK_TRIES * LOCK_PAUSE_US / 1000000);
    }
    p->number = err ? 0 : (int32_t)loy_rows_integer(&rows, 0, 0);
    loy_rows_free(&rows);
    return err;
}

static enum loy_err insert_numbers(struct publication *p, struct loy_error *error)
{
    enum loy_err err = LOY_OK;
    for (uint32_t i = 0; !err && i < p->file.numbers.count; i++) {
        const struct loy_number *row = &p->file.numbers.rows[i];
        char number[16];
        const char *parameters[] = {loy_str_dup_z(&p->file.arena, row->kind), number,
                                    loy_str_dup_z(&p->file.arena, row->id)};
        if (!row->added) {
            continue;
        }
        (void)snprintf(number, sizeof number, "%" PRId32, row->number);
        bool is_counter = loy_str_equal(row->kind, LOY_STR("counter"));
        struct loy_rows rows = {0};
        err = is_counter
                  ? loy_query_rows(p->query, "INSERT INTO counter (id, name) VALUES ($1::int, $2) RETURNING id",
                                   parameters + 1, 2, &rows, error)
                  : loy_query_rows(
                        p->query, "INSERT INTO dictionary (kind, number, id) VALUES ($1, $2::int, $3) RETURNING number",
                        parameters, 3, &rows, error);
        loy_rows_free(&rows);
    }
    return err;
}

static enum loy_err insert_revision(struct publication *p, struct loy_error *error)
{
    char number[16];
    struct loy_rows rows = {0};
    const char *zones = p->zones.failed ? NULL : loy_str_dup_z(&p->file.arena, loy_buf_str(&p->zones));
    const char *parameters[] = {number,
                                p->number == 1 ? "-infinity" : p->from,
                                loy_str_dup_z(&p->file.arena, p->file.text),
                                p->author,
                                p->reason,
                                zones};
    if (!zones) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "the tables of the time zones are too large");
    }
    (void)snprintf(number, sizeof number, "%" PRId32, p->number);
    enum loy_err err =
        loy_query_rows(p->query,
                       "INSERT INTO programme_revision (number, from_at, programme, author, reason, zones) "
                       "VALUES ($1::int, coalesce(nullif($2, '')::timestamptz, clock_timestamp()), "
                       "$3, $4, $5, $6) RETURNING number",
                       parameters, 6, &rows, error);
    loy_rows_free(&rows);
    return err;
}

static enum loy_err compile(struct publication *p, struct loy_error *error)
{
    enum loy_err err = loy_ctl_programme_numbers(&p->file, p->query, error);
    if (err) {
        return err;
    }
    loy_buf_init(&p->zones, &p->file.arena, 4096);
    p->file.zones.written = &p->zones;
    err = loy_ctl_programme_compile(&p->file, p->number, INT64_MIN, loy_ctl_now_us());
    bool refused = !err && p->file.issues.inactive && !loy_call_flag(p->call, "allow-inactive");
    if (err == LOY_ERR_INVALID_VALUE || refused) {
        loy_ctl_programme_print_issues(&p->file, stderr);
    }
    if (err) {
        return loy_error_set(error, err, "the programme has %" PRIu32 " errors: nothing was published",
                             p->file.issues.errors);
    }
    return refused ? loy_error_set(error, LOY_ERR_INVALID_VALUE,
                                   "%" PRIu32 " keys are not in force in this version: --allow-inactive publishes it "
                                   "all the same",
                                   p->file.issues.inactive)
                   : LOY_OK;
}

/* A second person, where the newest revision or the text itself asks for one: else the setting would go away with the
 * file that takes it out. */
static enum loy_err check_approval(struct publication *p, struct loy_error *error)
{
    struct loy_rows rows = {0};
    if (p->approved_by) {
        return LOY_OK;
    }
    bool wanted = loy_programme_file_wants_approval(p->file.text, &p->file.arena);
    enum loy_err err = loy_query_rows(p->query, "SELECT programme FROM programme_revision ORDER BY number DESC LIMIT 1",
                                      NULL, 0, &rows, error);
    if (!err && rows.count == 1) {
        struct loy_str newest = loy_str_copy(&p->file.arena, loy_rows_bytes(&rows, 0, 0));
        wanted = wanted || loy_programme_file_wants_approval(newest, &p->file.arena);
    }
    loy_rows_free(&rows);
    return !err && wanted
               ? loy_error_set(error, LOY_ERR_CONFIG,
                               "a second person has to approve this (approval: required): --approved-by NAME")
               : err;
}

static enum loy_exit put(struct publication *p, struct loy_error *error)
{
    enum loy_err err = check_approval(p, error);
    err = err ? err : compile(p, error);
    err = err ? err : insert_numbers(p, error);
    err = err ? err : insert_revision(p, error);
    err = err ? err : loy_query_do(p->query, "COMMIT", error);
    if (err) {
        return loy_call_failed(p->call, error);
    }
    if (loy_call_flag(p->call, "json")) {
        (void)printf("{\"revision\": %" PRId32 ", \"warnings\": %" PRIu32 ", \"not_in_force\": %" PRIu32 "}\n",
                     p->number, p->file.issues.warnings, p->file.issues.inactive);
    } else {
        loy_ctl_programme_print_issues(&p->file, stdout);
        (void)printf("revision %" PRId32 " of programme '%.*s' is published, in force from %s\n", p->number,
                     LOY_STR_ARG(p->file.programme->id),
                     p->number == 1 ? "the beginning of time"
                     : *p->from     ? p->from
                                    : "now");
    }
    return LOY_EXIT_OK;
}

/* number 0: the text is a file's. */
static enum loy_exit publish(const struct loy_call *call, int32_t old)
{
    struct publication p = {.call = call};
    struct loy_error error = {0};
    int32_t found = 0;
    enum loy_err err = read_options(&p, &error);
    err = err ? err : loy_ctl_programme_init(&p.file, &error);
    err = err || old ? err : loy_ctl_programme_read(&p.file, call->words[1], &error);
    err = err ? err : loy_query_open(call->config->postgres, "loyalctl programme", &p.query, &error);
    err = err ? err : next_number(&p, &error);
    err = err || !old ? err : loy_ctl_programme_revision(&p.file, p.query, old, &found, &error);
    enum loy_exit exit = LOY_EXIT_OK;
    if (!err && p.number > 1 && loy_call_flag(call, "first")) {
        (void)printf("revision %" PRId32 " stands: nothing was published\n", p.number - 1);
    } else {
        exit = err ? loy_call_failed(call, &error) : put(&p, &error);
    }
    loy_query_close(p.query);
    loy_ctl_programme_fini(&p.file);
    return exit;
}

enum loy_exit loy_programme_publish(const struct loy_call *call)
{
    return publish(call, 0);
}

static bool number_of_word(const struct loy_call *call, int32_t *ret_number)
{
    struct loy_error error = {0};
    int64_t number = 0;
    if (!loy_str_to_i64(loy_str(call->words[1]), &number) || number < 1 || number > INT32_MAX) {
        (void)loy_error_set(&error, LOY_ERR_CONFIG, "'%s' is not the number of a revision", call->words[1]);
        (void)loy_call_failed(call, &error);
        return false;
    }
    *ret_number = (int32_t)number;
    return true;
}

enum loy_exit loy_programme_rollback(const struct loy_call *call)
{
    int32_t number = 0;
    return number_of_word(call, &number) ? publish(call, number) : LOY_EXIT_USAGE;
}

static void print_list(const struct loy_rows *rows, bool json)
{
    static const char *const names[] = {"from", "author", "reason", "created_at"};
    (void)fputs(json ? "[" : "", stdout);
    for (int32_t i = 0; i < rows->count; i++) {
        if (!json) {
            (void)printf("%4" PRId64 "  %-24.*s %-16.*s %.*s\n", loy_rows_integer(rows, i, 0),
                         LOY_STR_ARG(loy_rows_bytes(rows, i, 1)), LOY_STR_ARG(loy_rows_bytes(rows, i, 2)),
                         LOY_STR_ARG(loy_rows_bytes(rows, i, 3)));
            continue;
        }
        (void)printf("%s\n  {\"revision\": %" PRId64, i ? "," : "", loy_rows_integer(rows, i, 0));
        for (int32_t column = 0; column < 4; column++) {
            (void)fputs(", ", stdout);
            loy_json_member(stdout, names[column], loy_rows_bytes(rows, i, column + 1));
        }
        (void)fputs("}", stdout);
    }
    (void)fputs(json ? "]\n" : "", stdout);
}

enum loy_exit loy_programme_list(const struct loy_call *call)
{
    struct loy_query *query = NULL;
    struct loy_rows rows = {0};
    struct loy_error error = {0};
    enum loy_err err = loy_query_open(call->config->postgres, "loyalctl programme", &query, &error);
    err =
        err ? err
            : loy_query_rows(query,
                             "SELECT number, CASE WHEN from_at = '-infinity' THEN '-infinity' ELSE to_char(from_at AT "
                             "TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') END, author, reason, "
                             "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
                             "FROM programme_revision ORDER BY number",
                             NULL, 0, &rows, &error);
    if (!err) {
        print_list(&rows, loy_call_flag(call, "json"));
    }
    loy_rows_free(&rows);
    loy_query_close(query);
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}

enum loy_exit loy_programme_show(const struct loy_call *call)
{
    struct loy_ctl_programme file = {0};
    struct loy_query *query = NULL;
    struct loy_error error = {0};
    int32_t number = 0, found = 0;
    if (!number_of_word(call, &number)) {
        return LOY_EXIT_USAGE;
    }
    enum loy_err err = loy_ctl_programme_init(&file, &error);
    err = err ? err : loy_query_open(call->config->postgres, "loyalctl programme", &query, &error);
    err = err ? err : loy_ctl_programme_revision(&file, query, number, &found, &error);
    if (!err && loy_call_flag(call, "json")) {
        (void)printf("{\"revision\": %" PRId32 ", ", found);
        loy_json_member(stdout, "programme", file.text);
        (void)fputs("}\n", stdout);
    } else if (!err) {
        (void)fwrite(file.text.at, 1, file.text.len, stdout);
    }
    loy_query_close(query);
    loy_ctl_programme_fini(&file);
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}
