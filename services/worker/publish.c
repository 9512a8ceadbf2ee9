/* Publish: committed outbox rows in their order to the bus; what was acknowledged is trimmed by the next transaction of
 * its partition. Any failed delivery rebuilds the producer and starts again from the first row that is not
 * acknowledged: else versions 2, 3 could arrive after 4, 5. */
#include "worker/state.h"

#include <assert.h>
#include <stdlib.h>

static void stop_or_start_input(struct loy_worker *worker, int32_t k)
{
    struct loy_owned *owned = &worker->owned[k];
    bool over = owned->outgoing_rows >= LOY_OUTBOX_ROWS_MAX || owned->outgoing_bytes >= LOY_OUTBOX_BYTES_MAX;
    bool under = owned->outgoing_rows <= LOY_OUTBOX_ROWS_MAX / 2 && owned->outgoing_bytes <= LOY_OUTBOX_BYTES_MAX / 2;
    if (!owned->held || (owned->full ? !under : !over)) {
        return;
    }
    owned->full = !owned->full;
    if (worker->throttled || owned->stopped) {
        return; /* paused anyway; the end of the throttle looks at `full` */
    }
    if (owned->full) {
        worker->bus.pause(worker->bus.self, k, -1);
        return;
    }
    worker->bus.resume(worker->bus.self, k, -1);
    if (owned->ticks_paused) {
        worker->bus.pause(worker->bus.self, k, (int16_t)worker->tick_topic);
    }
}

static struct loy_outbox_reader reader_of(const struct loy_outgoing *row)
{
    return (struct loy_outbox_reader){.in = {.bytes = {row->payload, row->len}}};
}

enum loy_err loy_publish_add(struct loy_worker *worker, int32_t k, int64_t seq, struct loy_str payload)
{
    struct loy_owned *owned = &worker->owned[k];
    struct loy_outgoing *row = malloc(sizeof *row + payload.len);
    if (!row) {
        return loy_worker_fail(worker, LOY_ERR_NO_MEMORY, "no room for an outbox row of %zu bytes", payload.len);
    }
    *row = (struct loy_outgoing){.k = k, .seq = seq, .added_us = loy_worker_now_us(worker), .len = payload.len};
    memcpy(row->payload, payload.at, payload.len);
    row->reader = reader_of(row);
    *(worker->outgoing_last ? &worker->outgoing_last->next : &worker->outgoing_first) = row;
    worker->outgoing_last = row;
    *(owned->outgoing_last ? &owned->outgoing_last->next_of_k : &owned->outgoing_first) = row;
    owned->outgoing_last = row;
    owned->outgoing_rows++;
    owned->outgoing_bytes += row->len;
    if (!worker->outgoing_next) {
        worker->outgoing_next = row;
    }
    stop_or_start_input(worker, k);
    return LOY_OK;
}

static struct loy_str topic_of(const struct loy_worker *worker, enum loy_output output)
{
    switch (output) {
    case LOY_OUTPUT_UPDATES:
        return worker->config.updates;
    case LOY_OUTPUT_BALANCES:
        return worker->config.balances;
    case LOY_OUTPUT_LATEST: /* never read as such */
        break;
    case LOY_OUTPUT_DEAD_LETTERS:
        return worker->config.dead_letters;
    case LOY_OUTPUT_OUTCOMES:
        return worker->config.outcomes.len ? worker->config.outcomes : worker->config.dead_letters;
    case LOY_OUTPUT_PREVIEWS: /* the setting may have been taken back since the batch was committed */
        return worker->config.previews.len ? worker->config.previews : worker->config.dead_letters;
    case LOY_OUTPUT_INTERNAL:
        return worker->config.topics[worker->internal_topic];
    }
    return (struct loy_str){0};
}

/* The next messages of a row, their topics named; one that has headers is the last, since they lie in `read`. */
static uint32_t read_some(const struct loy_worker *worker, struct loy_outgoing *row, struct loy_outbox_message *read,
                          struct loy_bus_message messages[LOY_PUBLISH_MANY])
{
    uint32_t count = 0;
    while (count < LOY_PUBLISH_MANY && loy_outbox_get(&row->reader, read)) {
        messages[count] = read->message;
        messages[count].topic = topic_of(worker, read->output);
        if (messages[count++].header_count > 0) {
            break;
        }
    }
    return count;
}

/* Produces what is left of a row; *ret_full when the producer is. */
static enum loy_err produce_row(struct loy_worker *worker, struct loy_outgoing *row, bool *ret_full)
{
    struct loy_bus_message messages[LOY_PUBLISH_MANY];
    struct loy_outbox_message read;
    *ret_full = false;
    while (!*ret_full) {
        struct loy_outbox_reader before = row->reader;
        uint32_t taken = 0, count = read_some(worker, row, &read, messages);
        if (count == 0) {
            row->finished = true;
            return row->reader.in.failed ? loy_worker_fail(worker, LOY_ERR_CORRUPT, "outbox row %d/%lld cannot be read",
                                                           row->k, (long long)row->seq)
                                         : LOY_OK;
        }
        enum loy_err err = worker->bus.produce_many(worker->bus.self, messages, count, (uint64_t)(uintptr_t)row, &taken,
                                                    &worker->error);
        *ret_full = err == LOY_ERR_AGAIN;
        if (err && !*ret_full) {
            return err;
        }
        row->produced += taken;
        if (taken < count) {
            row->reader = before;
            while (taken-- > 0) {
                (void)loy_outbox_get(&row->reader, &read);
            }
        }
        err = LOY_FAILPOINT("published_one");
        if (err) {
            return err;
        }
    }
    return LOY_OK;
}

/* The first rows of a partition that are acknowledged whole leave memory; their numbers may be trimmed. */
static void retire(struct loy_worker *worker, int32_t k)
{
    struct loy_owned *owned = &worker->owned[k];
    for (struct loy_outgoing *row;
         (row = owned->outgoing_first) && row->finished && row->acknowledged == row->produced;) {
        owned->outgoing_first = row->next_of_k;
        if (!owned->outgoing_first) {
            owned->outgoing_last = NULL;
        }
        struct loy_outgoing **link = &worker->outgoing_first;
        struct loy_outgoing *last = NULL;
        while (*link != row) { /* short: rows are acknowledged in about the order of their commits */
            last = *link;
            link = &(*link)->next;
        }
        *link = row->next;
        if (worker->outgoing_last == row) {
            worker->outgoing_last = last;
        }
        owned->outgoing_rows--;
        owned->outgoing_bytes -= row->len;
        owned->acknowledged_through = row->seq;
        owned->acknowledged_us = loy_worker_now_us(worker);
        if (row->produced > 0) {
            loy_histogram_add(&worker->metrics->publish_seconds, owned->acknowledged_us - row->added_us);
        }
        free(row);
    }
    stop_or_start_input(worker, k);
}

enum loy_err loy_publish_step(struct loy_worker *worker, bool *ret_progress)
{
    bool full = false;
    while (worker->outgoing_next && !full) {
        struct loy_outgoing *row = worker->outgoing_next;
        uint32_t before = row->produced;
        enum loy_err err = LOY_FAILPOINT("publish");
        err = err ? err : produce_row(worker, row, &full);
        if (err) {
            return err;
        }
        *ret_progress = *ret_progress || row->produced > before;
        if (!full) {
            worker->outgoing_next = row->next;
            if (row->produced == 0) {
                retire(worker, row->k); /* an empty row: nothing will be reported */
            }
        }
    }
    return LOY_OK;
}

void loy_publish_delivered(struct loy_worker *worker, uint64_t cookie, uint32_t count)
{
    struct loy_outgoing *row = (struct loy_outgoing *)(uintptr_t)cookie;
    row->acknowledged += count;
    loy_count(&worker->metrics->published, count);
    assert(row->acknowledged <= row->produced);
    if (row->finished && row->acknowledged == row->produced) {
        retire(worker, row->k);
    }
}

enum loy_err loy_publish_undelivered(struct loy_worker *worker)
{
    loy_count(&worker->metrics->producer_rebuilds, 1);
    for (struct loy_outgoing *row = worker->outgoing_first; row; row = row->next) {
        row->reader = reader_of(row);
        row->produced = row->acknowledged = 0;
        row->finished = false;
    }
    worker->outgoing_next = worker->outgoing_first;
    return worker->bus.rebuild_producer(worker->bus.self, &worker->error);
}

/* The producer reads from the rows until it is gone. */
enum loy_err loy_publish_forget(struct loy_worker *worker)
{
    if (!worker->outgoing_first) {
        return LOY_OK;
    }
    enum loy_err err = worker->bus.rebuild_producer(worker->bus.self, &worker->error);
    while (worker->outgoing_first) {
        struct loy_outgoing *row = worker->outgoing_first;
        struct loy_owned *owned = &worker->owned[row->k];
        owned->outgoing_first = owned->outgoing_last = NULL;
        owned->outgoing_rows = 0;
        owned->outgoing_bytes = 0;
        worker->outgoing_first = row->next;
        free(row);
    }
    worker->outgoing_last = worker->outgoing_next = NULL;
    return err;
}

static bool wants_trim(const struct loy_worker *worker, const struct loy_owned *owned, int64_t now_us)
{
    bool idle = worker->state != LOY_WORKER_RUNNING || now_us - owned->acknowledged_us > LOY_TRIM_IDLE_US;
    return owned->held && owned->acknowledged_through > owned->trimmed_through && idle;
}

enum loy_err loy_publish_trim(struct loy_worker *worker, bool *ret_progress)
{
    int64_t now_us = loy_worker_now_us(worker);
    uint32_t count = 0;
    loy_arena_reset(&worker->small);
    struct loy_partition_write *writes = loy_arena_calloc(&worker->small, worker->assigned_count, sizeof *writes);
    for (uint32_t i = 0; writes && i < worker->assigned_count; i++) {
        const struct loy_owned *owned = &worker->owned[worker->assigned[i]];
        if (!wants_trim(worker, owned, now_us)) {
            continue;
        }
        struct loy_partition_write *write = &writes[count++];
        write->k = owned->row.k;
        write->epoch = owned->row.epoch;
        memcpy(write->old_next_offset, owned->row.next_offset, sizeof write->old_next_offset);
        memcpy(write->new_next_offset, owned->row.next_offset, sizeof write->new_next_offset);
        write->old_outbox_seq = write->new_outbox_seq = owned->row.outbox_seq;
        write->old_next_n = write->new_next_n = owned->row.next_n;
        write->trim_through = owned->acknowledged_through;
    }
    if (count == 0) {
        return LOY_OK;
    }
    enum loy_err err = LOY_FAILPOINT("trim");
    if (err) {
        return err;
    }
    worker->trim_writes = writes;
    worker->trim_count = count;
    struct loy_store_request request = {.kind = LOY_STORE_COMMIT,
                                        .commit = {.partitions = writes, .partition_count = count}};
    if (worker->store.submit(worker->store.self, &request) == LOY_OK) {
        worker->asked = LOY_ASKED_TRIM;
        *ret_progress = true;
    }
    return LOY_OK;
}

void loy_publish_trimmed(struct loy_worker *worker)
{
    for (uint32_t i = 0; i < worker->trim_count; i++) {
        worker->owned[worker->trim_writes[i].k].trimmed_through = worker->trim_writes[i].trim_through;
    }
}
