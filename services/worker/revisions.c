#include "worker/revisions.h"

#include "engine/revisions.h"
#include "published/published.h"
#include "runtime/clock.h"
#include "runtime/log.h"
#include "runtime/region.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    LOOK_MS = 2000,
    SAY_AGAIN_US = 10000000,
    STOP_WAIT_SECONDS = 5, /* a server that does not answer: the process ends without this thread */
    WHY_MAX = 256,
    SCRATCH_BYTES = 64 << 20,
};

/* A revision as it was published; lives as long as the process. */
struct revision {
    struct revision *before; /* the one loaded before it */
    int32_t number;
    int64_t from_us;
    struct loy_region region;
    struct loy_regex *regex;
    struct loy_programme programme;
    bool compiled;
};

/* What workers see; replaced, never changed. */
struct view {
    struct view *before;
    struct loy_revisions revisions;
    const struct loy_programme *programmes[];
};

struct loy_worker_revisions {
    const struct loy_config *config;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* on the monotonic clock */
    bool stop, asked;    /* under the mutex */
    char why[WHY_MAX];   /* under the mutex: what is missing; "": nothing */
    _Atomic(const struct loy_revisions *) current;
    _Atomic int32_t seen; /* the highest number that was found, in use or not */

    /* the thread's own */
    struct loy_query *query;
    struct loy_region scratch; /* for what is read to compile and not kept */
    struct revision *last;
    struct view *views;
    uint32_t count;
    struct loy_log_repeat outage_said, empty_said;
};

static void set_why(struct loy_worker_revisions *r, const char *why)
{
    (void)pthread_mutex_lock(&r->mutex);
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    (void)pthread_mutex_unlock(&r->mutex);
}

/* --- one revision ---------------------------------------------------------------------------------------------------
 */

static void close_revision(struct revision *revision)
{
    loy_regex_destroy(revision->regex);
    loy_region_unmap(&revision->region);
    free(revision);
}

static void say_refused(const struct revision *revision, const struct loy_programme_issues *issues,
                        struct loy_error *error)
{
    const struct loy_programme_issue *first = NULL;
    for (uint32_t i = 0; i < issues->count && !first; i++) {
        first = issues->items[i].kind == LOY_ISSUE_ERROR ? &issues->items[i] : NULL;
    }
    (void)loy_error_set(error, LOY_ERR_MISMATCH,
                        "revision %" PRId32 " cannot be run by this version of loyald-worker (line %" PRIu32
                        ": %.*s): upgrade this worker, or publish a revision from the same moment that it can run",
                        revision->number, first ? first->line : 0,
                        first ? (int)(first->message.len < 120 ? first->message.len : 120) : 0,
                        first ? first->message.at : "");
}

/* error is set when the revision cannot be run here; that is no failure of the loader. */
static enum loy_err compile(struct loy_worker_revisions *r, struct revision *revision,
                            const struct loy_published_row *row, struct loy_error *error)
{
    struct loy_arena arena, scratch;
    struct loy_numbers numbers = {0};
    struct loy_programme_issues issues;
    const struct loy_programme *programme;
    loy_region_arena(&revision->region, &arena);
    loy_region_arena(&r->scratch, &scratch);
    struct loy_str kept = loy_str_copy(&arena, row->text);
    enum loy_err err = loy_published_numbers(r->query, &scratch, &numbers, error);
    if (err) {
        return err;
    }
    uint32_t known = numbers.count;
    const struct loy_published_given given = {.text = kept,
                                              .revision = revision->number,
                                              .from_us = revision->from_us,
                                              .now_us = INT64_MIN,
                                              .numbers = &numbers,
                                              .zones = &row->zones,
                                              .regex = revision->regex};
    err = kept.at ? loy_published_compile(&given, &arena, &programme, &issues) : LOY_ERR_NO_MEMORY;
    if (err == LOY_ERR_INVALID_VALUE) {
        say_refused(revision, &issues, error);
        return LOY_OK;
    }
    if (err || numbers.count != known) {
        (void)loy_error_set(error, err ? err : LOY_ERR_MISMATCH,
                            err ? "revision %" PRId32 " does not fit into memory"
                                : "revision %" PRId32 " names what the dictionary has no number for: it was not "
                                  "published by loyalctl",
                            revision->number);
        return LOY_OK;
    }
    revision->programme = *programme;
    if (!programme->historical_source_count) {
        revision->programme.historical_sources = r->config->historical_sources.items;
        revision->programme.historical_source_count = r->config->historical_sources.count;
    }
    revision->compiled = true;
    if (programme->zone && !row->zones.is_frozen) {
        LOY_WARN("zones_not_frozen", LOY_LOG_INT("revision", revision->number),
                 LOY_LOG_TEXT("advice", "it was published by an older loyalctl: this machine's time zones are used; "
                                        "loyalctl programme publish stores them with a revision"));
    }
    return LOY_OK;
}

static enum loy_err open_revision(struct loy_worker_revisions *r, const struct loy_published_row *row,
                                  struct loy_error *error)
{
    struct loy_error refused = {0};
    struct revision *revision = calloc(1, sizeof *revision);
    if (!revision) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for revision %" PRId32, row->number);
    }
    *revision = (struct revision){.before = r->last, .number = row->number, .from_us = row->from_us};
    enum loy_err err = loy_region_map(LOY_PROGRAMME_ARENA, &revision->region, error);
    revision->regex = err ? NULL : loy_regex_new();
    if (!err && !revision->regex) {
        err = loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for regular expressions");
    }
    err = err ? err : compile(r, revision, row, &refused);
    if (err) {
        *error = refused.code ? refused : *error;
        close_revision(revision);
        return err;
    }
    r->last = revision;
    r->count++;
    atomic_store(&r->seen, row->number);
    if (refused.code) {
        LOY_ERROR("revision_refused", LOY_LOG_INT("revision", row->number), LOY_LOG_FAILURE(&refused));
        set_why(r, refused.detail);
    } else {
        LOY_INFO("revision_loaded", LOY_LOG_INT("revision", row->number),
                 LOY_LOG_STR("programme", revision->programme.id),
                 LOY_LOG_INT("rules", revision->programme.rule_count));
    }
    return LOY_OK;
}

/* --- what workers see -----------------------------------------------------------------------------------------------
 */

/* A revision that begins no later and has a higher number is in force wherever this one would be. */
static bool is_shadowed(const struct revision *revision, const struct revision *newest)
{
    for (const struct revision *later = newest; later != revision; later = later->before) {
        if (later->compiled && later->from_us <= revision->from_us) {
            return true;
        }
    }
    return false;
}

/* All up to `newest` are known: compiled, or never in force. */
static bool is_whole(const struct revision *newest)
{
    for (const struct revision *revision = newest; revision; revision = revision->before) {
        if (!revision->compiled && !is_shadowed(revision, newest)) {
            return false;
        }
    }
    return true;
}

static enum loy_err publish_view(struct loy_worker_revisions *r, struct loy_error *error)
{
    const struct revision *newest = r->last;
    while (newest && !(newest->compiled && is_whole(newest))) {
        newest = newest->before;
    }
    const struct loy_revisions *now = atomic_load(&r->current);
    if (newest == r->last) {
        set_why(r, "");
    }
    if (!newest || (now && loy_revisions_newest(now)->revision == newest->number)) {
        return LOY_OK;
    }
    struct view *view = calloc(1, sizeof *view + r->count * sizeof(void *));
    if (!view) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for %" PRIu32 " revisions", r->count);
    }
    uint32_t count = 0;
    for (const struct revision *revision = newest; revision; revision = revision->before) {
        count += revision->compiled;
    }
    view->revisions = (struct loy_revisions){view->programmes, count};
    for (const struct revision *revision = newest; revision; revision = revision->before) {
        if (revision->compiled) {
            view->programmes[--count] = &revision->programme;
        }
    }
    view->before = r->views;
    r->views = view;
    atomic_store(&r->current, &view->revisions);
    return LOY_OK;
}

/* --- the thread -----------------------------------------------------------------------------------------------------
 */

static enum loy_err look(struct loy_worker_revisions *r, struct loy_error *error)
{
    struct loy_rows rows = {0};
    enum loy_err err =
        r->query ? LOY_OK : loy_query_open(r->config->postgres, "loyald-worker revisions", &r->query, error);
    err = err ? err : loy_published_after(r->query, r->last ? r->last->number : 0, &rows, error);
    for (int32_t i = 0; !err && i < rows.count; i++) {
        struct loy_published_row row = loy_published_row(&rows, i);
        err = open_revision(r, &row, error);
    }
    loy_rows_free(&rows);
    return err ? err : publish_view(r, error);
}

static void say_how_it_is(struct loy_worker_revisions *r, enum loy_err err, const struct loy_error *error)
{
    struct loy_clock clock = loy_clock_of_system();
    int64_t now_us = clock.monotonic_us(clock.self);
    uint64_t unsaid;
    if (err) {
        loy_query_close(r->query);
        r->query = NULL;
        if (loy_log_repeat_failed(&r->outage_said, now_us, SAY_AGAIN_US, &unsaid)) {
            LOY_WARN("revisions_not_loaded", LOY_LOG_FAILURE(error), LOY_LOG_INT("repeated", (int64_t)unsaid));
        }
        return;
    }
    if (loy_log_repeat_works(&r->outage_said)) {
        LOY_INFO("revisions_loaded_again");
    }
    if (!r->last) {
        const char *why = "no programme is published: loyalctl programme publish FILE --author NAME --reason TEXT";
        set_why(r, why);
        if (loy_log_repeat_failed(&r->empty_said, now_us, SAY_AGAIN_US, &unsaid)) {
            LOY_WARN("waiting_for_programme", LOY_LOG_TEXT("advice", why));
        }
    }
}

/* Until it is time to look again; false: stop. */
static bool wait_for_turn(struct loy_worker_revisions *r)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_MS / 1000;
    (void)pthread_mutex_lock(&r->mutex);
    int waited = 0;
    while (!r->stop && !r->asked && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&r->wake, &r->mutex, &until);
    }
    r->asked = false;
    bool go_on = !r->stop;
    (void)pthread_mutex_unlock(&r->mutex);
    return go_on;
}

static void *run(void *context)
{
    struct loy_worker_revisions *r = context;
    do {
        struct loy_error error = {0};
        enum loy_err err = look(r, &error);
        say_how_it_is(r, err, &error);
    } while (wait_for_turn(r));
    return NULL;
}

/* --- the port -------------------------------------------------------------------------------------------------------
 */

static const struct loy_revisions *current(void *self)
{
    struct loy_worker_revisions *r = self;
    return atomic_load(&r->current);
}

static void refresh(void *self, int32_t number)
{
    struct loy_worker_revisions *r = self;
    if (atomic_load(&r->seen) > number) {
        return; /* it is here, or cannot be had: asking at every turn changes nothing */
    }
    (void)pthread_mutex_lock(&r->mutex);
    r->asked = true;
    (void)pthread_cond_signal(&r->wake);
    (void)pthread_mutex_unlock(&r->mutex);
}

struct loy_programmes loy_worker_revisions_port(struct loy_worker_revisions *r)
{
    return (struct loy_programmes){current, refresh, r};
}

bool loy_worker_revisions_ready(struct loy_worker_revisions *r, char *ret_why, size_t size)
{
    (void)pthread_mutex_lock(&r->mutex);
    bool loaded = atomic_load(&r->current) != NULL;
    (void)snprintf(ret_why, size, "%s", r->why[0] || loaded ? r->why : "the programme is being loaded");
    bool ready = loaded && !r->why[0];
    (void)pthread_mutex_unlock(&r->mutex);
    return ready;
}

/* --- life -----------------------------------------------------------------------------------------------------------
 */

enum loy_err loy_worker_revisions_start(const struct loy_config *config, struct loy_worker_revisions **ret_revisions,
                                        struct loy_error *error)
{
    struct loy_worker_revisions *r = calloc(1, sizeof *r);
    pthread_condattr_t attributes;
    if (!r) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for revisions");
    }
    enum loy_err err = loy_region_map(SCRATCH_BYTES, &r->scratch, error);
    if (err) {
        free(r);
        return err;
    }
    r->config = config;
    (void)pthread_mutex_init(&r->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (pthread_create(&r->thread, NULL, run, r) != 0) {
        loy_region_unmap(&r->scratch);
        free(r);
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "the thread that loads revisions cannot be started");
    }
    *ret_revisions = r;
    return LOY_OK;
}

void loy_worker_revisions_stop(struct loy_worker_revisions *r)
{
    struct timespec until;
    if (!r) {
        return;
    }
    (void)pthread_mutex_lock(&r->mutex);
    r->stop = true;
    (void)pthread_cond_signal(&r->wake);
    (void)pthread_mutex_unlock(&r->mutex);
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_WAIT_SECONDS;
    if (pthread_timedjoin_np(r->thread, NULL, &until) != 0) {
        LOY_WARN("revisions_left_behind", LOY_LOG_TEXT("detail", "PostgreSQL does not answer"));
        return; /* it still uses all of this; the process ends now */
    }
    loy_query_close(r->query);
    for (struct revision *revision = r->last, *before; revision; revision = before) {
        before = revision->before;
        close_revision(revision);
    }
    for (struct view *view = r->views, *before; view; view = before) {
        before = view->before;
        free(view);
    }
    loy_region_unmap(&r->scratch);
    (void)pthread_cond_destroy(&r->wake);
    (void)pthread_mutex_destroy(&r->mutex);
    free(r);
}
