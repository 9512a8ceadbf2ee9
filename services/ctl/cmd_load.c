#include "adapters/kafka/connection.h"
#include "adapters/kafka/publish.h"
#include "adapters/pg/query.h"
#include "ctl/commands.h"
#include "ctl/lag.h"
#include "ctl/load_state.h"
#include "ctl/progress.h"
#include "ctl/record_file.h"
#include "runtime/signals.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    LAG_WAIT_MS = 50,
    SAY_WAITING_US = 30000000,
    KEEP_EVERY_US = 1000000,
    FLUSH_MS = 130000, /* longer than the producer tries */
    FLUSH_STOPPED_MS = 10000,
};

struct load {
    const struct loy_call *call;
    const char *topic;
    const char *state_path; /* NULL: not kept */
    int64_t rate, repeat, max_lag;
    struct loy_record_file *file;
    struct loy_query *query; /* NULL: no lag is asked for */
    struct loy_publisher *publisher;
    struct loy_underway *underway;
    struct loy_load_state state;
    struct loy_progress progress;
    int64_t pass, place;
    uint64_t sent, keyed, failed;
    char failure[128];
    int64_t may_send; /* before the lag is asked for again */
    int64_t lag;
    int64_t said_us, kept_at_us; /* when last */
};

static void on_delivered(void *self, uint64_t cookie, const char *failure)
{
    struct load *load = self;
    if (failure) {
        (void)snprintf(load->failure, sizeof load->failure, "%s", failure);
        load->failed++;
        return;
    }
    loy_underway_acknowledge(load->underway, cookie, &load->state);
}

static bool may_go_on(const struct load *load)
{
    return load->failed == 0 && !loy_signals_stop_asked();
}

static enum loy_err keep_place(struct load *load, bool now, struct loy_error *error)
{
    int64_t now_us = loy_progress_now_us();
    if (!load->state_path || (!now && now_us < load->kept_at_us + KEEP_EVERY_US)) {
        return LOY_OK;
    }
    load->kept_at_us = now_us;
    return loy_load_state_write(load->state_path, &load->state, error);
}

static void show(struct load *load, const char *note)
{
    int64_t size = loy_record_file_size(load->file);
    loy_progress_show(&load->progress, load->pass * size + load->place, size > 0 ? size * load->repeat : -1, load->sent,
                      note);
}

/* Waits while the workers are too far behind. What may be sent until the next look: so much that even if none of it
 * were worked the lag stays within its limit. */
static enum loy_err wait_for_workers(struct load *load, struct loy_error *error)
{
    enum loy_err err = LOY_OK;
    load->said_us = loy_progress_now_us();
    while (!err && load->query && load->may_send <= 0 && may_go_on(load)) {
        char note[64];
        err = loy_lag_read(load->query, load->publisher, load->topic, &load->lag, error);
        int64_t underway = (int64_t)(load->underway->sent - load->underway->acked);
        load->may_send = load->max_lag - load->lag - underway;
        if (err || load->may_send > 0) {
            break;
        }
        (void)snprintf(note, sizeof note, "(waiting: workers are %" PRId64 " behind)", load->lag);
        show(load, note);
        if (!load->progress.shown && loy_progress_now_us() > load->said_us + SAY_WAITING_US) {
            load->said_us = loy_progress_now_us();
            (void)fprintf(stderr, "loyalctl load: waiting, the workers are %" PRId64 " records behind\n", load->lag);
        }
        loy_publisher_poll(load->publisher, LAG_WAIT_MS);
    }
    return err;
}

static void keep_to_rate(struct load *load)
{
    while (load->rate > 0 && may_go_on(load)) {
        int64_t elapsed_us = loy_progress_now_us() - load->progress.started_us;
        int64_t early_us = (int64_t)((__int128)load->sent * 1000000 / load->rate) - elapsed_us;
        if (early_us <= 0) {
            return;
        }
        loy_publisher_poll(load->publisher, early_us > 100000 ? 100 : (int)(early_us / 1000) + 1);
    }
}

static enum loy_err send_record(struct load *load, struct loy_str record, struct loy_error *error)
{
    enum loy_err err = wait_for_workers(load, error);
    keep_to_rate(load);
    while (loy_underway_is_full(load->underway) && may_go_on(load)) {
        loy_publisher_poll(load->publisher, LAG_WAIT_MS);
    }
    if (err || !may_go_on(load)) {
        return err;
    }
    struct loy_str key = loy_record_member(record);
    uint64_t number = loy_underway_add(load->underway, load->pass, load->place);
    err = loy_publisher_send(load->publisher, key, record, number, error);
    if (!err) {
        load->sent++;
        load->keyed += key.len > 0;
        load->may_send--;
    }
    return err;
}

static enum loy_err publish_pass(struct load *load, struct loy_error *error)
{
    enum loy_err err = LOY_OK;
    while (!err && may_go_on(load)) {
        struct loy_str record;
        err = loy_record_file_next(load->file, &record, &load->place, error);
        err = err ? err : send_record(load, record, error);
        err = err ? err : keep_place(load, false, error);
        show(load, "");
    }
    return err == LOY_ERR_NOT_FOUND ? LOY_OK : err;
}

static enum loy_err publish(struct load *load, struct loy_error *error)
{
    enum loy_err err = LOY_OK;
    loy_progress_begin(&load->progress);
    for (; !err && load->pass < load->repeat && may_go_on(load); load->pass++, load->place = 0) {
        err = loy_record_file_seek(load->file, load->place, error);
        err = err ? err : publish_pass(load, error);
    }
    struct loy_error flush_error = {0};
    enum loy_err flushed =
        loy_publisher_flush(load->publisher, may_go_on(load) && !err ? FLUSH_MS : FLUSH_STOPPED_MS, &flush_error);
    loy_progress_end(&load->progress);
    if (!err && flushed && !loy_signals_stop_asked()) {
        *error = flush_error;
        err = flushed;
    }
    if (!err && load->failed > 0) {
        err = loy_error_set(error, LOY_ERR_UNAVAILABLE, "Kafka did not take %" PRIu64 " records: %s", load->failed,
                            load->failure);
    }
    struct loy_error keep_error = {0};
    enum loy_err kept = keep_place(load, true, &keep_error);
    if (!err && kept) {
        *error = keep_error;
        err = kept;
    }
    return err;
}

static enum loy_err read_form(const struct loy_call *call, enum loy_record_form *ret_form, struct loy_error *error)
{
    static const char *const forms[] = {"auto", "jsonl", "protobuf"};
    const char *format = loy_call_option(call, "format");
    for (int i = 0; i < 3; i++) {
        if (strcmp(forms[i], format) == 0) {
            *ret_form = (enum loy_record_form)i;
            return LOY_OK;
        }
    }
    return loy_error_set(error, LOY_ERR_CONFIG, "--format is '%s': auto, jsonl or protobuf is wanted", format);
}

static enum loy_err read_options(struct load *load, struct loy_error *error)
{
    const struct loy_call *call = load->call;
    enum loy_record_form form = LOY_FORM_AUTO;
    enum loy_err err = read_form(call, &form, error);
    err = err ? err : loy_call_number(call, "rate", 0, 1000000000, &load->rate, error);
    err = err ? err : loy_call_number(call, "repeat", 1, 1000000000, &load->repeat, error);
    err = err ? err : loy_call_number(call, "max-lag", 0, INT64_MAX / 4, &load->max_lag, error);
    err = err ? err : loy_record_file_open(call->words[0], form, &load->file, error);
    if (!err && loy_record_file_size(load->file) < 0 && (load->repeat > 1 || load->state_path)) {
        err = loy_error_set(error, LOY_ERR_CONFIG, "--repeat and --resume want a file that can be read again");
    }
    const char *topic = loy_call_option(call, "topic");
    load->topic = topic ? topic : call->config->topics.items[0].at;
    return err;
}

static enum loy_err go_to_place(struct load *load, struct loy_error *error)
{
    bool found = false;
    int64_t size = loy_record_file_size(load->file);
    enum loy_err err = load->state_path ? loy_load_state_read(load->state_path, &load->state, &found, error) : LOY_OK;
    if (!err && found && load->state.size != size) {
        err = loy_error_set(error, LOY_ERR_CONFIG,
                            "--resume: %s was kept for a file of %" PRId64 " bytes, and %s has %" PRId64,
                            load->state_path, load->state.size, load->call->words[0], size);
    }
    load->state.size = size;
    load->pass = load->state.pass;
    load->place = load->state.offset;
    return err;
}

static enum loy_err open_services(struct load *load, struct loy_error *error)
{
    struct loy_kafka_connection connection = loy_kafka_connection_of(load->call->config, "loyalctl");
    const struct loy_publisher_listener listener = {on_delivered, load};
    enum loy_err err = loy_publisher_new(&connection, load->topic, &listener, &load->publisher, error);
    if (!err && load->max_lag > 0) {
        err = loy_query_open(load->call->config->postgres, "loyalctl load", &load->query, error);
    }
    load->underway = calloc(1, sizeof *load->underway);
    if (!err && !load->underway) {
        err = loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory to keep count of records");
    }
    return err ? err : loy_signals_open(error);
}

static enum loy_exit say_result(const struct load *load)
{
    int64_t took_us = loy_progress_now_us() - load->progress.started_us + 1;
    (void)printf("published %" PRIu64 " records (%" PRIu64 " without a key) to %s in %.1f s, %.0f/s\n", load->sent,
                 load->sent - load->keyed, load->topic, (double)took_us / 1e6,
                 (double)load->sent * 1e6 / (double)took_us);
    if (loy_signals_stop_asked()) {
        (void)fprintf(stderr, "loyalctl load: interrupted%s%s\n",
                      load->state_path ? "; the same command goes on from " : "",
                      load->state_path ? load->state_path : "");
        return LOY_EXIT_FAILED;
    }
    return LOY_EXIT_OK;
}

enum loy_exit loy_cmd_load(const struct loy_call *call)
{
    struct load load = {.call = call, .state_path = loy_call_option(call, "resume")};
    struct loy_error error = {0};
    enum loy_err err = read_options(&load, &error);
    err = err ? err : go_to_place(&load, &error);
    err = err ? err : open_services(&load, &error);
    err = err ? err : publish(&load, &error);
    enum loy_exit status = err ? loy_call_failed(call, &error) : say_result(&load);
    loy_publisher_destroy(load.publisher);
    loy_query_close(load.query);
    loy_record_file_close(load.file);
    free(load.underway);
    return status;
}
