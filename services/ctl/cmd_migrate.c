#include "ctl/commands.h"

#include "adapters/pg/migrate.h"
#include "ctl/json_out.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

struct report {
    enum loy_migrate_verb verb;
    bool json;
    unsigned lines;
};

static void print_json(struct report *report, const struct loy_migration_state *migration)
{
    (void)printf("%s\n {", report->lines ? "," : "");
    loy_json_member(stdout, "version", loy_str(migration->version));
    (void)fputs(", ", stdout);
    loy_json_member(stdout, "file", loy_str(migration->name));
    (void)printf(", \"applied\": %s}", migration->applied ? "true" : "false");
}

static void print_migration(void *self, const struct loy_migration_state *migration)
{
    struct report *report = self;
    const char *name = migration->name[0] ? migration->name : "no file: the database is ahead of this folder";
    if (report->json) {
        print_json(report, migration);
    } else if (report->verb == LOY_MIGRATE_STATUS) {
        (void)printf("%-8s %s  %s\n", migration->applied ? "applied" : "pending", migration->version, name);
    } else {
        (void)printf("%s %s\n", migration->applied ? "applied" : "undone", name);
    }
    report->lines++;
    (void)fflush(stdout);
}

/* Where `make install` puts them, seen from the program; in a checkout, the folder below. */
static const char *find_folder(char path[PATH_BYTES])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_BYTES - 1);
    path[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(path, '/');
    static const char shared[] = "/../share/loyald/migrations";
    if (slash && (size_t)(slash - path) + sizeof shared <= PATH_BYTES) {
        memcpy(slash, shared, sizeof shared);
        if (access(path, R_OK) == 0) {
            return path;
        }
    }
    return "migrations";
}

static enum loy_err verb_of(const char *word, enum loy_migrate_verb *ret_verb, struct loy_error *error)
{
    static const char *const words[] = {"up", "down", "status"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret_verb = (enum loy_migrate_verb)i;
            return LOY_OK;
        }
    }
    return loy_error_set(error, LOY_ERR_CONFIG, "'%s' is neither up, down nor status", word);
}

enum loy_exit loy_cmd_migrate(const struct loy_call *call)
{
    char path[PATH_BYTES];
    const char *folder = loy_call_option(call, "folder");
    struct report report = {.json = loy_call_flag(call, "json")};
    struct loy_migrate migrate = {
        .conninfo = call->config->postgres,
        .folder = folder ? folder : find_folder(path),
        .report = print_migration,
        .self = &report,
    };
    struct loy_error error = {0};
    int64_t steps = 1;
    unsigned pending = 0;
    enum loy_err err = verb_of(call->words[0], &report.verb, &error);
    err = err ? err : loy_call_number(call, "steps", 1, INT_MAX, &steps, &error);
    if (err) {
        return loy_call_failed(call, &error);
    }
    migrate.steps = (unsigned)steps;
    (void)fputs(report.json ? "[" : "", stdout);
    err = loy_migrate_run(&migrate, report.verb, &pending, &error);
    (void)fputs(report.json ? "\n]\n" : "", stdout);
    if (err) {
        return loy_call_failed(call, &error);
    }
    if (report.lines == 0 && !report.json) {
        (void)puts(report.verb == LOY_MIGRATE_UP ? "nothing to do: the schema is up to date" : "nothing to undo");
    }
    return report.verb == LOY_MIGRATE_STATUS && pending > 0 ? LOY_EXIT_FAILED : LOY_EXIT_OK;
}
