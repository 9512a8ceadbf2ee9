#include "adapters/pg/migrate.h"

#include "adapters/pg/blocking.h"
#include "adapters/pg/connect.h"
#include "adapters/pg/migration_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIGRATIONS_MAX = 1000,
    FILE_BYTES_MAX = 1 << 20,
    PATH_BYTES = 1024,
};

/* Any number that nobody else uses; a minute is longer than our migrations take. */
#define LOCK_SQL "SELECT pg_advisory_lock(7015498210)"
#define TABLE_SQL "CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(128) PRIMARY KEY)"

struct file {
    char version[LOY_MIGRATION_VERSION_MAX];
    char *name; /* owned */
};

struct run {
    const struct loy_migrate *migrate;
    struct loy_error *error;
    PGconn *conn;
    PGresult *applied; /* versions, ascending */
    struct file files[MIGRATIONS_MAX];
    unsigned count;
};

/* --- the folder
 * ---------------------------------------------------------------------------------------------------------- */

/* By number: dbmate's versions have one width, ours as well, others may not. */
static int compare_versions(const char *a, const char *b)
{
    a += strspn(a, "0");
    b += strspn(b, "0");
    size_t width_a = strlen(a);
    size_t width_b = strlen(b);
    return width_a != width_b ? (width_a < width_b ? -1 : 1) : strcmp(a, b);
}

static int compare_files(const void *a, const void *b)
{
    return compare_versions(((const struct file *)a)->version, ((const struct file *)b)->version);
}

static enum loy_err list_folder(struct run *run)
{
    DIR *folder = opendir(run->migrate->folder);
    if (!folder) {
        return loy_error_set(run->error, LOY_ERR_NOT_FOUND, "migrations: %s: %s", run->migrate->folder,
                             strerror(errno));
    }
    enum loy_err err = LOY_OK;
    struct dirent *item;
    while (!err && (item = readdir(folder))) {
        struct file *file = &run->files[run->count];
        char version[LOY_MIGRATION_VERSION_MAX];
        if (!loy_migration_version(item->d_name, version)) {
            continue;
        }
        if (run->count == MIGRATIONS_MAX) {
            err = loy_error_set(run->error, LOY_ERR_TOO_LARGE, "migrations: more than %d files", MIGRATIONS_MAX);
            break;
        }
        memcpy(file->version, version, sizeof version);
        file->name = strdup(item->d_name);
        run->count += file->name ? 1 : 0;
        err = file->name ? LOY_OK : loy_error_set(run->error, LOY_ERR_NO_MEMORY, "migrations: no memory");
    }
    closedir(folder);
    qsort(run->files, run->count, sizeof run->files[0], compare_files);
    for (unsigned i = 1; !err && i < run->count; i++) {
        if (compare_files(&run->files[i - 1], &run->files[i]) == 0) {
            err = loy_error_set(run->error, LOY_ERR_MALFORMED, "migrations: %s and %s have the same version",
                                run->files[i - 1].name, run->files[i].name);
        }
    }
    if (!err && run->count == 0) {
        err = loy_error_set(run->error, LOY_ERR_NOT_FOUND, "migrations: %s has no file VERSION_name.sql",
                            run->migrate->folder);
    }
    return err;
}

static enum loy_err read_text(struct run *run, const struct file *file, char **ret_text, size_t *ret_size)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", run->migrate->folder, file->name);
    FILE *stream = fopen(path, "re");
    char *text = malloc(FILE_BYTES_MAX + 1);
    if (!stream || !text) {
        enum loy_err err = loy_error_set(run->error, LOY_ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
        free(text);
        if (stream) {
            (void)fclose(stream);
        }
        return err;
    }
    size_t size = fread(text, 1, FILE_BYTES_MAX, stream);
    bool whole = feof(stream) && !ferror(stream);
    (void)fclose(stream);
    if (!whole || memchr(text, '\0', size)) {
        free(text);
        return loy_error_set(run->error, LOY_ERR_MALFORMED, "%s:1: not readable as text of at most 1 MiB", file->name);
    }
    text[size] = '\0';
    *ret_text = text;
    *ret_size = size;
    return LOY_OK;
}

/* --- the database
 * -------------------------------------------------------------------------------------------------------- */

static enum loy_err exec(struct run *run, const char *what, const char *sql)
{
    return loy_pg_exec(run->conn, what, sql, 0, NULL, NULL, run->error);
}

static bool is_applied(const struct run *run, const char *version)
{
    for (int i = 0; i < PQntuples(run->applied); i++) {
        if (strcmp(PQgetvalue(run->applied, i, 0), version) == 0) {
            return true;
        }
    }
    return false;
}

static const struct file *find_file(const struct run *run, const char *version)
{
    for (unsigned i = 0; i < run->count; i++) {
        if (strcmp(run->files[i].version, version) == 0) {
            return &run->files[i];
        }
    }
    return NULL;
}

static enum loy_err read_applied(struct run *run)
{
    PQclear(run->applied);
    run->applied = NULL;
    return loy_pg_exec(run->conn, "schema_migrations",
                       "SELECT version FROM schema_migrations ORDER BY length(version), version", 0, NULL,
                       &run->applied, run->error);
}

static enum loy_err prepare(struct run *run, enum loy_migrate_verb verb)
{
    enum loy_err err = loy_pg_connect(run->migrate->conninfo, &run->conn, run->error);
    if (err) {
        return err;
    }
    if (verb != LOY_MIGRATE_STATUS) {
        err = exec(run, "somebody else is migrating", "SET lock_timeout = '60s'");
        err = err ? err : exec(run, "somebody else is migrating", LOCK_SQL);
        err = err ? err : exec(run, "migrate", "RESET lock_timeout");
        err = err ? err : exec(run, "schema_migrations", TABLE_SQL);
        return err ? err : read_applied(run);
    }
    err = loy_pg_exec(run->conn, "schema_migrations", "SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL", 0,
                      NULL, &run->applied, run->error);
    return err || PQntuples(run->applied) == 0 ? err : read_applied(run);
}

/* PostgreSQL's refusal at its place in the file. */
static enum loy_err refusal(struct run *run, const struct file *file, const struct loy_migration_block *block,
                            const PGresult *result)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    unsigned line = position ? loy_migration_line(block, strtoul(position, NULL, 10)) : block->line;
    struct loy_error inner;
    enum loy_err err =
        loy_pg_refusal(position ? "PostgreSQL" : "PostgreSQL, somewhere below", run->conn, result, &inner);
    return loy_error_set(run->error, err, "%s:%u: %.300s%s%.100s", file->name, line, inner.detail, detail ? ": " : "",
                         detail ? detail : "");
}

static enum loy_err run_block(struct run *run, const struct file *file, const struct loy_migration_block *block)
{
    /* libpq wants a terminated text; a whole block goes as one simple query. */
    char *sql = strndup(block->sql.at ? block->sql.at : "", block->sql.len);
    if (!sql) {
        return loy_error_set(run->error, LOY_ERR_NO_MEMORY, "%s: no memory", file->name);
    }
    PGresult *result = PQexec(run->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
    enum loy_err err = done ? LOY_OK : refusal(run, file, block, result);
    PQclear(result);
    free(sql);
    return err;
}

static enum loy_err record(struct run *run, const struct file *file, bool up)
{
    const char *values[] = {file->version};
    return loy_pg_exec(run->conn, "schema_migrations",
                       up ? "INSERT INTO schema_migrations (version) VALUES ($1)"
                          : "DELETE FROM schema_migrations WHERE version = $1",
                       1, values, NULL, run->error);
}

static enum loy_err move(struct run *run, const struct file *file, bool up)
{
    char *text = NULL;
    size_t size = 0;
    struct loy_migration_file parsed;
    enum loy_err err = read_text(run, file, &text, &size);
    if (err) {
        return err;
    }
    err = loy_migration_parse((struct loy_str){text, size}, file->name, &parsed, run->error);
    const struct loy_migration_block *block = up ? &parsed.up : &parsed.down;
    if (!err && !block->line) {
        err = loy_error_set(run->error, LOY_ERR_MALFORMED, "%s: there is no `-- migrate:down`: it cannot be undone",
                            file->name);
    }
    bool transaction = !err && block->transaction;
    err = err || !transaction ? err : exec(run, file->name, "BEGIN");
    err = err ? err : run_block(run, file, block);
    err = err ? err : record(run, file, up);
    err = err || !transaction ? err : exec(run, file->name, "COMMIT");
    if (err && run->conn && PQtransactionStatus(run->conn) != PQTRANS_IDLE) {
        PQclear(PQexec(run->conn, "ROLLBACK"));
    }
    free(text);
    if (!err) {
        struct loy_migration_state state = {file->version, file->name, up};
        run->migrate->report(run->migrate->self, &state);
    }
    return err;
}

/* --- verbs
 * --------------------------------------------------------------------------------------------------------------- */

static enum loy_err go_up(struct run *run)
{
    enum loy_err err = LOY_OK;
    for (unsigned i = 0; !err && i < run->count; i++) {
        if (!is_applied(run, run->files[i].version)) {
            err = move(run, &run->files[i], true);
        }
    }
    return err;
}

static enum loy_err go_down(struct run *run)
{
    enum loy_err err = LOY_OK;
    int left = PQntuples(run->applied);
    for (unsigned step = 0; !err && step < run->migrate->steps && left > 0; step++) {
        const char *version = PQgetvalue(run->applied, --left, 0);
        const struct file *file = find_file(run, version);
        err = file ? move(run, file, false)
                   : loy_error_set(run->error, LOY_ERR_NOT_FOUND, "migrations: %s has no file of version %s",
                                   run->migrate->folder, version);
    }
    return err;
}

static void report_status(const struct run *run)
{
    for (unsigned i = 0; i < run->count; i++) {
        const struct file *file = &run->files[i];
        struct loy_migration_state state = {file->version, file->name, is_applied(run, file->version)};
        run->migrate->report(run->migrate->self, &state);
    }
    for (int i = 0; i < PQntuples(run->applied); i++) {
        const char *version = PQgetvalue(run->applied, i, 0);
        if (!find_file(run, version)) {
            struct loy_migration_state state = {version, "", true};
            run->migrate->report(run->migrate->self, &state);
        }
    }
}

static unsigned count_pending(const struct run *run)
{
    unsigned pending = 0;
    for (unsigned i = 0; i < run->count; i++) {
        pending += !is_applied(run, run->files[i].version);
    }
    return pending;
}

enum loy_err loy_migrate_run(const struct loy_migrate *migrate, enum loy_migrate_verb verb, unsigned *ret_pending,
                             struct loy_error *error)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "migrations: no memory");
    }
    run->migrate = migrate;
    run->error = error;
    enum loy_err err = list_folder(run);
    err = err ? err : prepare(run, verb);
    if (!err && verb == LOY_MIGRATE_STATUS) {
        report_status(run);
    } else if (!err) {
        err = verb == LOY_MIGRATE_UP ? go_up(run) : go_down(run);
        err = err ? err : read_applied(run);
    }
    if (!err) {
        *ret_pending = count_pending(run);
    }
    PQclear(run->applied);
    PQfinish(run->conn);
    for (unsigned i = 0; i < run->count; i++) {
        free(run->files[i].name);
    }
    free(run);
    return err;
}
