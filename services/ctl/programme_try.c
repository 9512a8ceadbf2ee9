/* test and diff: programmes run through the engine. */
#include "ctl/json_out.h"
#include "ctl/programme_commands.h"
#include "ctl/programme_file.h"
#include "programme/diff.h"
#include "programme/examples.h"

#include <inttypes.h>

/* Reads and compiles; prints what is wrong. */
static enum loy_err load(struct loy_ctl_programme *file, const char *path, struct loy_error *error)
{
    enum loy_err err = loy_ctl_programme_init(file, error);
    err = err ? err : loy_ctl_programme_read(file, path, error);
    if (err) {
        return err;
    }
    err = loy_ctl_programme_compile(file, 1, INT64_MIN, INT64_MIN);
    if (err == LOY_ERR_INVALID_VALUE) {
        loy_ctl_programme_print_issues(file, stderr);
    }
    return err ? loy_error_set(error, err, "%s has %" PRIu32 " error%s", path, file->issues.errors,
                               file->issues.errors == 1 ? "" : "s")
               : LOY_OK;
}

static void print_results(const struct loy_examples *examples, const char *path, bool json)
{
    (void)fputs(json ? "[" : "", stdout);
    for (uint32_t i = 0; i < examples->count; i++) {
        const struct loy_example_result *result = &examples->results[i];
        if (json) {
            (void)printf("%s\n  {\"line\": %" PRIu32 ", \"passed\": %s, ", i ? "," : "", result->line,
                         result->passed ? "true" : "false");
            loy_json_member(stdout, "name", result->name);
            (void)fputs(", ", stdout);
            loy_json_member(stdout, "detail", result->detail);
            (void)fputs("}", stdout);
        } else {
            (void)printf("%s %.*s\n%.*s", result->passed ? "ok  " : "FAIL", LOY_STR_ARG(result->name),
                         LOY_STR_ARG(result->detail));
        }
    }
    if (json) {
        (void)fputs("]\n", stdout);
    } else {
        (void)printf("%s: %" PRIu32 " example%s, %" PRIu32 " failed\n", path, examples->count,
                     examples->count == 1 ? "" : "s", examples->failed);
    }
}

enum loy_exit loy_programme_test(const struct loy_call *call)
{
    struct loy_ctl_programme file = {0}, text = {0};
    struct loy_examples examples = {0};
    struct loy_error error = {0};
    char path[4096];
    const char *dot = strrchr(call->words[1], '.');
    (void)snprintf(path, sizeof path, "%.*s.tests.yaml", (int)(dot ? dot - call->words[1] : 0), call->words[1]);
    const char *examples_path = call->word_count > 2 ? call->words[2] : path;
    enum loy_err err = load(&file, call->words[1], &error);
    err = err ? err : loy_ctl_programme_init(&text, &error);
    err = err ? err : loy_ctl_programme_read(&text, examples_path, &error);
    if (!err) {
        err = loy_examples_run(file.programme, text.text, &text.arena, &examples, &text.issues);
        if (err) {
            loy_ctl_programme_print_issues(&text, stderr);
            (void)loy_error_set(&error, err, "the examples in %s cannot be run", examples_path);
        } else {
            print_results(&examples, examples_path, loy_call_flag(call, "json"));
        }
    }
    loy_ctl_programme_fini(&text);
    loy_ctl_programme_fini(&file);
    return err ? loy_call_failed(call, &error) : examples.failed ? LOY_EXIT_FAILED : LOY_EXIT_OK;
}

enum loy_exit loy_programme_diff(const struct loy_call *call)
{
    struct loy_ctl_programme before = {0}, after = {0};
    struct loy_programme_diff diff = {0};
    struct loy_error error = {0};
    enum loy_err err = load(&before, call->words[1], &error);
    err = err ? err : load(&after, call->words[2], &error);
    if (!err) {
        err = loy_programme_diff_make(&(struct loy_programme_diff_side){before.programme, before.text},
                                      &(struct loy_programme_diff_side){after.programme, after.text}, loy_ctl_now_us(),
                                      &after.arena, &diff, &error);
    }
    bool json = loy_call_flag(call, "json");
    for (uint32_t i = 0; !err && i < diff.count; i++) {
        if (json) {
            (void)fputs(i ? ",\n  " : "[\n  ", stdout);
            loy_json_text(stdout, diff.lines[i]);
        } else {
            (void)printf("%.*s\n", LOY_STR_ARG(diff.lines[i]));
        }
    }
    if (!err && json) {
        (void)fputs(diff.count ? "]\n" : "[]\n", stdout);
    }
    loy_ctl_programme_fini(&before);
    loy_ctl_programme_fini(&after);
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}
